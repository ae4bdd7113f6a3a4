//! Traces of real and software cards, replayed to the driver.
//!
//! A trace that an owner sends becomes a test here, without his card: put it into `traces`, and
//! write beside it what the driver is to make of it.

mod replay;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::{
    FRAME, Hook, ModuleKind, PortCard, PortEvent, PortFault, PortSink, Remedy, Slot,
};
use ringback_driver::device::soft::{SoftDevice, SoftMemory, SoftRegisters};
use ringback_driver::device::trace::{RecordedTrace, RegisterTrace, TracedDevice};
use ringback_driver::device::{Device, InterruptFd};
use ringback_driver::{PortNumber, Time};
use ringback_softcard::ModuleKind as SoftModule;
use ringback_softcard::{Behaviour, CardConfig, Fault, SoftCard};

use replay::{Replayed, replay, written};

/// Tiger320: the interrupt's status.
const INTSTAT: u32 = 0x06;

/// A card with one module.
const ONE_FXO: [SoftModule; 4] =
    [SoftModule::Empty, SoftModule::Empty, SoftModule::Fxo, SoftModule::Empty];

/// The software card, with the kernel between it and the driver, or without.
struct StudioDevice {
    soft: SoftDevice<SoftCard>,
    kernel: bool,
}

impl Device for StudioDevice {
    type Registers = SoftRegisters<SoftCard>;
    type Dma = Arc<SoftMemory>;

    fn name(&self) -> &str {
        self.soft.name()
    }
    fn registers(&self) -> &SoftRegisters<SoftCard> {
        self.soft.registers()
    }
    fn dma(&self) -> Option<&Arc<SoftMemory>> {
        self.soft.dma()
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.soft.interrupt()
    }
    fn kernel_moves_samples(&self) -> bool {
        self.kernel
    }
    fn rearm(&self) -> io::Result<()> {
        self.soft.rearm()
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.soft.enable_bus_master()
    }
}

/// A card in software that is recorded, under a clock that only this test moves.
struct Studio {
    soft: SoftCard,
    card: Tiger320<TracedDevice<StudioDevice>>,
    trace: Arc<RegisterTrace>,
    text: String,
    micros: Arc<AtomicU64>,
    started: u64,
    looked: u64,
    events: Vec<(u128, u8, PortEvent)>,
}

struct Sink<'a>(&'a mut Vec<(u128, u8, PortEvent)>, u128);

impl PortSink for Sink<'_> {
    fn event(&mut self, port: PortNumber, event: PortEvent) {
        self.0.push((self.1, port.0, event));
    }
    fn frame(&mut self, _: PortNumber, _: &[u8; FRAME], _: &mut [u8; FRAME]) {}
}

impl Studio {
    fn new(modules: [SoftModule; 4], kernel: bool) -> Studio {
        let soft = SoftCard::new(CardConfig { modules, ..CardConfig::default() });
        let micros = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&micros);
        let about = if kernel { "card shim:/dev/uio0" } else { "card soft" };
        let trace = Arc::new(RegisterTrace::with_clock(&[about.to_owned()], move || {
            Duration::from_micros(clock.load(Ordering::Relaxed))
        }));
        let device = StudioDevice { soft: SoftDevice::card(soft.clone()).unwrap(), kernel };
        let device = TracedDevice::new(device, Some(Arc::clone(&trace)));
        let mut delay = |time: Duration| {
            soft.advance(time.as_millis() as u64);
            micros.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
        };
        let mut card = Tiger320::open(device, Options::default(), &mut delay).unwrap();
        let started = micros.load(Ordering::Relaxed);
        card.start(time(started)).unwrap();
        let text = trace.fetch();
        let (looked, events) = (started, Vec::new());
        Studio { soft, card, trace, text, micros, started, looked, events }
    }

    fn run(&mut self, ms: u32) {
        for _ in 0..ms {
            self.soft.tick();
            let now = self.micros.fetch_add(1000, Ordering::Relaxed) + 1000;
            let after = u128::from((now - self.started) / 1000);
            let mut sink = Sink(&mut self.events, after);
            if !self.card.kernel_moves_samples() {
                self.card.service(time(now), &mut sink);
            } else {
                // The kernel serves the interrupt, and the driver polls.
                self.soft.write(INTSTAT, 1, self.soft.read(INTSTAT, 1));
                let due = self.looked + self.card.look_interval().as_micros() as u64;
                if now >= due {
                    self.looked = now;
                    self.card.look_after(time(now), &mut sink);
                }
            }
            self.text += &self.trace.fetch();
        }
    }

    /// Runs until an event comes.
    fn until(&mut self, wanted: (u8, PortEvent)) {
        for _ in 0..10_000 {
            if self.events.iter().any(|(_, port, event)| (*port, *event) == wanted) {
                return;
            }
            self.run(1);
        }
        panic!("no {wanted:?}: {:?}", self.events);
    }

    /// Ends the recording.
    fn finish(mut self) -> (String, Vec<(u128, u8, PortEvent)>) {
        drop(self.card);
        self.text += &self.trace.fetch();
        (self.text, self.events)
    }
}

fn time(micros: u64) -> Time {
    Time::from_nanos(1_000_000_000) + Duration::from_micros(micros)
}

/// A start, a call that comes in, is answered and ends, and a chip that loses its registers.
fn start_call_and_fault(kernel: bool) -> (String, Vec<(u128, u8, PortEvent)>) {
    let modules = [SoftModule::Fxs, SoftModule::Empty, SoftModule::Fxo, SoftModule::FxoSi3018];
    let mut studio = Studio::new(modules, kernel);
    studio.run(200);
    let exchange = studio.soft.exchange();
    exchange.add_subscriber("200", Behaviour::Manual);
    exchange.call("200", "102").unwrap();
    studio.until((2, PortEvent::Ring(true)));
    studio.run(100);
    studio.card.set_hook(PortNumber(2), Hook::Off).unwrap();
    studio.run(200);
    studio.soft.set_fault(Fault::PartReset(PortNumber(0)), true);
    studio.until((0, PortEvent::Fault(PortFault::PartReset(Remedy::Restored))));
    studio.card.set_hook(PortNumber(2), Hook::On).unwrap();
    studio.run(50);
    studio.finish()
}

fn parse(text: &str) -> RecordedTrace {
    let trace = RecordedTrace::parse(text.as_bytes()).unwrap();
    assert_eq!(trace.lost, 0);
    trace
}

/// The same without the moments, which depend on how often the driver looks.
fn kinds(events: &[(u128, u8, PortEvent)]) -> Vec<(u8, PortEvent)> {
    events.iter().map(|(_, port, event)| (*port, *event)).collect()
}

#[test]
fn a_start_a_call_and_a_fault_are_recorded_and_replayed() {
    for kernel in [false, true] {
        let (text, events) = start_call_and_fault(kernel);
        for wanted in [
            PortEvent::Ring(true),
            PortEvent::Ring(false),
            PortEvent::Battery(true),
            PortEvent::Fault(PortFault::PartReset(Remedy::Restored)),
        ] {
            assert!(events.iter().any(|(.., event)| *event == wanted), "{wanted:?}: {events:?}");
        }
        let trace = parse(&text);
        let replayed = replay(&trace, Options::default());
        let fxo = Slot::Module(ModuleKind::Fxo);
        assert_eq!(replayed.slots, [Slot::Module(ModuleKind::Fxs), Slot::Empty, fxo, fxo]);
        assert_eq!(replayed.events, events);
        assert_eq!(replayed.written, written(&trace));
        assert!(!replayed.gone);
    }
}

#[test]
fn what_the_trace_has_is_what_the_driver_sees() {
    let (text, events) = start_call_and_fault(false);
    // The line voltage of the FXO line in slot 2 reads 0 all the time.
    let trace = parse(&text);
    let chip = trace
        .chips
        .iter()
        .position(|chip| (chip.name.as_str(), chip.slot) == ("Si3050", Some(PortNumber(2))));
    let mut other = trace.clone();
    for access in &mut other.accesses {
        if Some(access.chip) == chip && access.number == 29 {
            access.value = 0;
        }
    }
    let replayed = replay(&other, Options::default());
    assert_ne!(replayed.events, events);
    let line: Vec<_> = kinds(&replayed.events).into_iter().filter(|(port, _)| *port == 2).collect();
    assert_eq!(line[..1], [(2, PortEvent::Battery(false))], "and so no ringing: {line:?}");
    assert!(!line.contains(&(2, PortEvent::Ring(true))));
    // A module whose first register reads ones is none.
    let mut other = trace;
    for access in &mut other.accesses {
        if other.chips[access.chip].name == "Si3210" && access.number == 0 {
            access.value = 0xFF;
        }
    }
    let Replayed { slots, .. } = replay(&other, Options::default());
    assert_eq!(slots[0], Slot::Empty);
}

#[test]
fn a_card_that_is_pulled_out_is_gone_in_its_trace() {
    let mut studio = Studio::new(ONE_FXO, false);
    studio.run(100);
    studio.soft.set_fault(Fault::Removal, true);
    studio.run(20);
    let (text, events) = studio.finish();
    let replayed = replay(&parse(&text), Options::default());
    assert!(replayed.gone);
    assert_eq!(replayed.events, events);
}

/// The form of traces stays readable, and the driver makes the same of an old one: a start, a call
/// that rings and is answered, and a line side that is lost for a moment, as `shim` saw them.
#[test]
fn a_trace_of_an_earlier_version_is_still_read() {
    let text = include_str!("traces/software-card.trace");
    let replayed = replay(&parse(text), Options::default());
    assert_eq!(replayed.slots[2], Slot::Module(ModuleKind::Fxo));
    assert_eq!(
        kinds(&replayed.events),
        [
            (2, PortEvent::Battery(true)),
            (2, PortEvent::Ring(true)),
            (2, PortEvent::Ring(false)),
            (2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restoring))),
            (2, PortEvent::Fault(PortFault::IsoLinkLost(Remedy::Restored))),
        ]
    );
}
