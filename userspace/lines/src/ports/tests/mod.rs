//! Whole calls on the software card under a virtual clock.

mod answers;
mod books;
mod callers;
mod codes;
mod companding;
mod countries;
mod displays;
mod ends;
mod exchange_waits;
mod failing;
mod flashes;
mod holding;
mod incoming;
mod kernel;
mod messages;
mod odd;
mod offered;
mod outgoing;
mod phones;
mod sound;
mod stations;
mod switching;
mod waiting_calls;
mod with_kernel;

use std::sync::Arc;
use std::time::Duration;

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{Hook, PortCard};
use ringback_driver::reactor::Stepper;
use ringback_driver::request::LineNumber;
use ringback_driver::{PortNumber, Time};
use ringback_media::level::{power_at, rms_dbm0};
use ringback_softcard::scenery::tone;
use ringback_softcard::{
    Behaviour, CardConfig, ExchangeConfig, Fault, LineOptions, ModuleKind, SoftCard, Step,
    Telephone,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::media::Audio;
use ringback_tspi::types::HDRVCALL;

use self::kernel::{Kernel, TestDevice};
use super::*;
use crate::tests::{Log, Outside, Told};
use crate::*;

type World = crate::tests::World<Ports>;

const FXS: usize = 0;
const FXO: usize = 2;
const SUPERVISED: usize = 3;
/// After this many ms a telephone that was hung up is known to be on-hook.
const HUNG_UP: u64 = 1200;

/// A card with its telephones and its exchange: lines 0 and 1 are FXS, 2 and 3 FXO; line 3's
/// exchange reverses battery on answer.
struct Ports {
    card: SoftCard,
    /// Moves the samples, if the lines do not.
    kernel: Option<Kernel>,
}

impl Outside for Ports {
    type Engine = Lines<Tiger320<TestDevice>>;

    const MEDIA: u32 = LINEMEDIAMODE_INTERACTIVEVOICE;

    fn tick(&mut self, stepper: &mut Stepper<Self::Engine, Log>) {
        self.card.tick();
        match &mut self.kernel {
            Some(kernel) => kernel.tick(&self.card, stepper),
            None => stepper.interrupt(),
        }
    }
}

impl Ports {
    fn subscriber(&self, number: &str, behaviour: Behaviour) -> Telephone {
        self.card.exchange().add_subscriber(number, behaviour)
    }

    fn telephone(&self, line: usize) -> Telephone {
        self.card.telephone(PortNumber::at(line)).unwrap()
    }
}

impl World {
    /// All lines are open and the card has settled.
    fn new() -> World {
        World::start(false)
    }

    /// The same on a device whose samples the kernel moves.
    fn with_kernel() -> World {
        World::start(true)
    }

    fn start(kernel: bool) -> World {
        let exchange = ExchangeConfig::default();
        World::build(kernel, exchange, LineOptions::default().loop_break_ms)
    }

    /// As [`new`](World::new), with another exchange, in whose country the lines are, and which
    /// tells of a far end that has hung up by a loop break of this length.
    fn build(kernel: bool, exchange: ExchangeConfig, loop_break_ms: u32) -> World {
        let line = |number: &str, polarity_on_answer| LineOptions {
            number: number.into(),
            polarity_on_answer,
            loop_break_ms,
        };
        let options = Options { country: exchange.country };
        let card = SoftCard::new(CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines: [line("", false), line("", false), line("102", false), line("103", true)],
            exchange,
        });
        let device = TestDevice::new(&card, kernel);
        let kernel = kernel.then(|| Kernel::new(&device));
        let mut clock = |time: Duration| (0..time.as_millis().max(1)).for_each(|_| card.tick());
        let tiger = Tiger320::open(device, options, &mut clock).unwrap();
        let handles = Arc::new(CallHandles::default());
        let lines = Lines::new(tiger, Arc::clone(&handles), Time::ZERO).unwrap();
        let mut world = World::around(Ports { card, kernel }, lines, handles);
        for line in 0..4 {
            world.open(LineNumber::at(line));
        }
        world.run(300);
        world
    }

    /// Makes a call that dials nothing, waits for the dial tone, and drops the upcalls until then.
    fn seize(&mut self, line: LineNumber) -> HDRVCALL {
        let (call, made) = self.make_call(line, "");
        made.unwrap();
        self.until(call, CallState::DialTone, 3000);
        self.story();
        call
    }

    fn monitor_digits(&self, call: HDRVCALL) {
        let monitor =
            self.handle.with(move |lines, _| lines.monitor_digits(call, LINEDIGITMODE_DTMF));
        monitor.unwrap().unwrap();
    }

    fn audio(&self, line: LineNumber) -> Audio {
        self.handle.with(move |lines, _| lines.audio(line)).unwrap().unwrap()
    }

    fn hook(&self, line: LineNumber) -> Hook {
        self.handle
            .with(move |lines, _| lines.card().status(PortNumber::at(line.index())).unwrap().hook)
            .unwrap()
    }

    /// Asserts that the line is on-hook.
    fn assert_on_hook(&mut self, line: LineNumber) {
        self.run(50);
        assert_eq!(self.hook(line), Hook::On);
    }
}

/// A subscriber who answers with 700 Hz, and then sends what is checked: two digits, `#`, 1000 Hz.
fn speaker() -> Behaviour {
    let steps = vec![
        Step::Wait(300),
        Step::Play(tone(700.0, 800).into()),
        Step::Wait(1000),
        Step::Dial("42#".into()),
        Step::Play(tone(1000.0, 1000).into()),
    ];
    Behaviour::AnswerThen { rings: 2, steps }
}

fn has_tone(samples: &[i16], hz: f32) -> bool {
    samples
        .chunks_exact(800)
        .filter(|block| rms_dbm0(block) > -30.0 && power_at(block, hz) > rms_dbm0(block) - 3.0)
        .count()
        >= 3
}
