//! Whole calls on the software card under a virtual clock.

mod books;
mod kernel;
mod odd;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::card::PortCard;
use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::reactor::{Handle, Refused, Stepper, Upcalls};
use ringback_driver::request::{Completion, LineNumber, RequestId};
use ringback_driver::{PortNumber, Time};
use ringback_media::level::{power_at, rms_dbm0};
use ringback_media::tone::Generator;
use ringback_softcard::{
    Behaviour, CardConfig, Fault, LineOptions, ModuleKind, SoftCard, Step, Telephone,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use self::kernel::{Kernel, TestDevice};
use super::*;
use crate::*;

type SoftLines = Lines<Tiger320<TestDevice>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Completed(RequestId, Result<(), LineError>),
    Event(Event),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Told>>>);

impl Upcalls<Event> for Log {
    fn completed(&mut self, completion: Completion) {
        let result = completion.result.map_err(LineError::from);
        self.0.lock().unwrap().push(Told::Completed(completion.id, result));
    }
    fn event(&mut self, _: LineNumber, event: Event) {
        self.0.lock().unwrap().push(Told::Event(event));
    }
}

/// Lines 0 and 1 are FXS, 2 and 3 FXO; line 3's exchange reverses battery on answer.
struct World {
    card: SoftCard,
    stepper: Stepper<SoftLines, Log>,
    handle: Handle<SoftLines>,
    handles: Arc<CallHandles>,
    log: Log,
    /// Who moves the samples, if not the lines.
    kernel: Option<Kernel>,
}

const FXS: usize = 0;
const FXO: usize = 2;
const SUPERVISED: usize = 3;

impl World {
    fn new() -> World {
        World::with(false)
    }

    fn with(kernel: bool) -> World {
        let line = |number: &str, polarity_on_answer| LineOptions {
            number: number.into(),
            polarity_on_answer,
            ..LineOptions::default()
        };
        let card = SoftCard::new(CardConfig {
            modules: [ModuleKind::Fxs, ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Fxo],
            lines: [line("", false), line("", false), line("102", false), line("103", true)],
            ..CardConfig::default()
        });
        let device = TestDevice::new(&card, kernel);
        let kernel = kernel.then(|| Kernel::new(&device));
        let mut clock = |time: Duration| (0..time.as_millis().max(1)).for_each(|_| card.tick());
        let tiger = Tiger320::open(device, Options::default(), &mut clock).unwrap();
        let handles = Arc::new(CallHandles::default());
        let lines = Lines::new(tiger, Arc::clone(&handles), Time::ZERO).unwrap();
        let log = Log::default();
        let stepper = Stepper::new(lines, log.clone(), 64).unwrap();
        let handle = stepper.handle();
        let mut world = World { card, stepper, handle, handles, log, kernel };
        for line in 0..4 {
            let tapi = HTAPILINE::new(line + 1).unwrap();
            world
                .handle
                .with(move |lines, cx| lines.open(LineNumber::at(line), tapi, cx))
                .unwrap()
                .unwrap();
        }
        world.run(300);
        world
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.card.tick();
            match &mut self.kernel {
                Some(kernel) => kernel.tick(&self.card, &mut self.stepper),
                None => self.stepper.interrupt(),
            }
            self.stepper.advance(Duration::from_millis(1));
        }
    }

    /// Runs until the state, or fails after that many ms.
    fn until(&mut self, call: HDRVCALL, state: CallState, ms: u64) {
        for _ in 0..ms {
            if self.state(call) == Some(state) {
                return;
            }
            self.run(1);
        }
        panic!("{state:?} was due; told: {:#?}", self.log.0.lock().unwrap());
    }

    fn state(&self, call: HDRVCALL) -> Option<CallState> {
        self.handle.with(move |lines, _| lines.call(call)).unwrap().ok()?.state
    }

    fn submit(&self, line: LineNumber, command: Command) -> Result<RequestId, LineError> {
        match self.handle.submit(line, command) {
            Ok(ticket) => Ok(ticket.id()),
            Err(Refused::Rejected(error)) => Err(error.into()),
            Err(other) => panic!("{other}"),
        }
    }

    fn make_call(
        &self,
        line: LineNumber,
        number: &str,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        self.make_call_if(line, number, false)
    }

    fn make_call_if(
        &self,
        line: LineNumber,
        number: &str,
        only_if_idle: bool,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        let call = self.handles.next(line).unwrap();
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        let opening = self.handle.with(move |lines, _| lines.state(line)).unwrap().unwrap().opening;
        let command = Command::MakeCall {
            opening: opening.unwrap_or(Opening::FIRST),
            call,
            address: parse(number, modifiers).unwrap(),
            called: number.into(),
            only_if_idle,
            media: LINEMEDIAMODE_INTERACTIVEVOICE,
            timing: DialTiming::default(),
            notes: CallNotes::default(),
        };
        (call, self.submit(line, command))
    }

    fn dial(&self, call: HDRVCALL, number: &str) -> Result<RequestId, LineError> {
        let address = parse(number, Modifiers::default()).unwrap();
        self.submit(
            LineNumber::at((CallHandles::line(call).unwrap()).index()),
            Command::Dial { call, address },
        )
    }

    fn answer(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.submit(
            LineNumber::at((CallHandles::line(call).unwrap()).index()),
            Command::Answer { call },
        )
    }

    fn drop_call(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.submit(
            LineNumber::at((CallHandles::line(call).unwrap()).index()),
            Command::Drop { call },
        )
    }

    fn subscriber(&self, number: &str, behaviour: Behaviour) -> Telephone {
        self.card.exchange().add_subscriber(number, behaviour)
    }

    fn told(&mut self) -> Vec<Told> {
        self.stepper.deliver();
        std::mem::take(&mut self.log.0.lock().unwrap())
    }

    /// What was told of a call, in short: its states with their modes, and the results of requests.
    fn story(&mut self) -> Vec<String> {
        self.told()
            .into_iter()
            .map(|told| match told {
                Told::Completed(_, Ok(())) => "ok".into(),
                Told::Completed(_, Err(error)) => error.name().unwrap_or("?").into(),
                Told::Event(Event { subject, .. }) => match subject {
                    Subject::NewCall(_) => "NEWCALL".into(),
                    Subject::Call { message: LINE_CALLSTATE, params: [state, mode, _], .. } => {
                        format!("{} {mode:#x}", CallState::from_raw(state as u32).unwrap())
                    }
                    Subject::Call {
                        message: LINE_MONITORDIGITS, params: [digit, mode, _], ..
                    } => {
                        format!("digit {} {mode}", digit as u8 as char)
                    }
                    Subject::Call { message: LINE_GENERATE, params: [how, id, _], .. } => {
                        format!("generated {how} {id}")
                    }
                    Subject::Call { message, params, .. } => format!("call {message} {params:?}"),
                    Subject::Line { message, params } => format!("line {message} {params:?}"),
                },
            })
            .collect()
    }

    /// The call that is offered on a line.
    fn offered(&mut self, ms: u64) -> HDRVCALL {
        for _ in 0..ms {
            let told = self.log.0.lock().unwrap().iter().find_map(|told| match told {
                Told::Event(Event { subject: Subject::NewCall(call), .. }) => Some(*call),
                _ => None,
            });
            if let Some(call) = told {
                return call;
            }
            self.run(1);
        }
        panic!("no call was offered")
    }

    /// The exchange's and the telephones' hooks say that everything is over.
    fn assert_on_hook(&mut self, line: LineNumber) {
        self.run(50);
        let hook = self
            .handle
            .with(move |lines, _| lines.card().status(PortNumber::at(line.index())).unwrap().hook)
            .unwrap();
        assert_eq!(hook, ringback_driver::card::Hook::On);
    }
}

fn tone(hz: f32, ms: usize) -> Vec<i16> {
    let mut samples = vec![0; ms * 8];
    Generator::sine(hz, -12.0).fill(&mut samples);
    samples
}

fn has_tone(samples: &[i16], hz: f32) -> bool {
    samples
        .chunks_exact(800)
        .filter(|block| rms_dbm0(block) > -30.0 && power_at(block, hz) > rms_dbm0(block) - 3.0)
        .count()
        >= 3
}

#[test]
fn n10_o1_an_outgoing_call_passes_its_states_in_order_with_audio_both_ways() {
    let mut world = World::new();
    // Somebody says hello, and then what is checked.
    let steps = vec![
        Step::Wait(300),
        Step::Play(tone(700.0, 800).into()),
        Step::Wait(1000),
        Step::Dial("42#".into()),
        Step::Play(tone(1000.0, 1000).into()),
    ];
    let far = world.subscriber("5550100", Behaviour::AnswerThen { rings: 2, steps });
    let (call, made) = world.make_call(LineNumber::at(FXO), "555-0100");
    made.unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(
        world.story(),
        ["ok", "DIALTONE 0x1", "DIALING 0x0", "PROCEEDING 0x0", "RINGBACK 0x0", "CONNECTED 0x1"]
    );
    world
        .handle
        .with(move |lines, _| lines.monitor_digits(call, LINEDIGITMODE_DTMF))
        .unwrap()
        .unwrap();
    let audio =
        world.handle.with(move |lines, _| lines.audio(LineNumber::at(FXO))).unwrap().unwrap();
    audio.record(true);
    assert_eq!(audio.play(&tone(1500.0, 1000)), 8000);
    world.run(4500);
    let mut heard = Vec::new();
    audio.fetch(&mut heard);
    assert!(has_tone(&heard, 1000.0), "we hear the subscriber");
    assert!(has_tone(&far.heard(), 1500.0), "the subscriber hears us");
    assert_eq!(world.story(), ["digit 4 2", "digit 2 2", "digit # 2"]);

    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "D9: legal but in idle");
    assert_eq!(world.state(call), Some(CallState::Idle));
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn an_answer_is_confirmed_where_the_exchange_reverses_battery() {
    let mut world = World::new();
    let hang_up = Behaviour::AnswerThen { rings: 2, steps: vec![Step::Wait(3000), Step::HangUp] };
    world.subscriber("1234", hang_up);
    let (call, made) = world.make_call(LineNumber::at(SUPERVISED), "1234");
    made.unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story().last().unwrap(), "CONNECTED 0x10");
    world.until(call, CallState::Disconnected, 5000);
    assert_eq!(world.story(), ["DISCONNECTED 0x1"]);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn busy_unknown_and_silent_numbers_are_told_apart() {
    let mut world = World::new();
    world.subscriber("200", Behaviour::Manual).off_hook();
    let (busy, _) = world.make_call(LineNumber::at(FXO), "200");
    world.until(busy, CallState::Busy, 15_000);
    assert_eq!(world.story().last().unwrap(), "BUSY 0x1");
    world.drop_call(busy).unwrap();
    let (unknown, _) = world.make_call(LineNumber::at(SUPERVISED), "999");
    world.until(unknown, CallState::SpecialInfo, 15_000);
    assert_eq!(world.story().last().unwrap(), "SPECIALINFO 0x4");
    world.drop_call(unknown).unwrap();
    world.subscriber("300", Behaviour::Manual);
    let (silent, _) = world.make_call(LineNumber::at(FXO), "300");
    world.until(silent, CallState::Ringback, 15_000);
    world.until(silent, CallState::Disconnected, 200_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x40", "NOANSWER");
}

#[test]
fn the_far_end_hangs_up_and_the_call_is_disconnected_until_it_is_dropped() {
    let mut world = World::new();
    let script = Behaviour::AnswerThen { rings: 2, steps: vec![Step::Wait(2000), Step::HangUp] };
    world.subscriber("77", script);
    let (call, _) = world.make_call(LineNumber::at(FXO), "77");
    world.until(call, CallState::Disconnected, 20_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x1");
    world.run(2000);
    assert_eq!(world.story().len(), 0, "told once");
    world.drop_call(call).unwrap();
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn n14_an_incoming_call_is_offered_answered_and_ends() {
    let mut world = World::new();
    let caller = world.subscriber("5550123", Behaviour::Manual);
    caller.call("102");
    let call = world.offered(15_000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "N14: the state is the next message");
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 1000);
    assert_eq!(world.story(), ["CONNECTED 0x1", "ok"]);
    caller.play(&tone(800.0, 1000));
    let audio =
        world.handle.with(move |lines, _| lines.audio(LineNumber::at(FXO))).unwrap().unwrap();
    audio.record(true);
    world.run(1500);
    let mut heard = Vec::new();
    audio.fetch(&mut heard);
    assert!(has_tone(&heard, 800.0));
    caller.on_hook();
    world.until(call, CallState::Disconnected, 3000);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);
}

#[test]
fn a_caller_that_gives_up_and_a_call_that_is_rejected_leave_the_line_free() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    caller.call("102");
    let call = world.offered(15_000);
    caller.on_hook();
    world.until(call, CallState::Idle, 10_000);
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "nobody has to drop it");
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0"]);

    caller.call("102");
    let call = world.offered(15_000);
    world.drop_call(call).unwrap();
    world.run(9000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "IDLE 0x0", "ok"], "it rings on, unheard");
    assert_eq!(world.make_call(LineNumber::at(FXO), "11").1, Err(LineError::INUSE));
    caller.on_hook();
    world.run(8000);
    let (call, made) = world.make_call(LineNumber::at(FXO), "11");
    made.unwrap();
    world.until(call, CallState::Ringback, 12_000);
}

#[test]
fn dialling_in_parts_completes_when_the_digits_are_out() {
    let mut world = World::new();
    world.subscriber("4567", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    assert_eq!(world.story(), ["ok", "DIALTONE 0x1"]);
    world.dial(call, "45;").unwrap();
    assert_eq!(world.story(), ["DIALING 0x0"], "N12: accepted when the digits are out");
    world.run(1000);
    assert_eq!(world.story(), ["ok"]);
    world.dial(call, "67;").unwrap();
    world.run(1000);
    assert_eq!(world.state(call), Some(CallState::Dialing), "more may follow");
    world.dial(call, "").unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "ok", "PROCEEDING 0x0", "RINGBACK 0x0", "CONNECTED 0x1"]);
}

#[test]
fn no_dial_tone_is_an_error_only_where_it_was_asked_for() {
    let mut world = World::new();
    // Off-hook too long: the exchange sends reorder, not dial tone. Here the tone never comes
    // because the exchange's receiver is taken by another telephone's call.
    world.card.exchange().unplug("102").unwrap();
    world.run(300);
    assert_eq!(
        world.make_call(LineNumber::at(FXO), "1").1,
        Err(LineError::INVALLINESTATE),
        "nothing plugged in"
    );
    world.card.exchange().plug_in("102").unwrap();
    world.run(300);
    let (call, made) = world.make_call_if(LineNumber::at(FXO), "1", true);
    made.unwrap();
    // The line is cut right after it was seized.
    world.run(40);
    world.card.exchange().unplug("102").unwrap();
    world.run(4000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"], "N3: the call never was");
    assert_eq!(world.state(call), None);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn an_fxs_call_rings_the_telephone_until_it_is_lifted() {
    let mut world = World::new();
    let telephone = world.card.telephone(PortNumber::at(FXS)).unwrap();
    let (call, made) = world.make_call(LineNumber::at(FXS), "");
    made.unwrap();
    world.run(7000);
    assert!(telephone.ring_count() >= 2, "2 s of every 6 s");
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    assert_eq!(world.story(), ["ok", "RINGBACK 0x0", "CONNECTED 0x10"]);
    world.run(1000);
    assert!(!telephone.is_ringing());
    telephone.on_hook();
    world.until(call, CallState::Disconnected, 500);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);

    // Off-hook: busy. Dropped while ringing: it stops.
    telephone.off_hook();
    world.run(500);
    let (busy, _) = world.make_call(LineNumber::at(FXS), "");
    // It is lifted and dials nothing, so there is no call in the way.
    assert_eq!(world.story(), ["ok", "BUSY 0x1"]);
    world.drop_call(busy).unwrap();
    telephone.on_hook();
    world.run(500);
    let (_, _) = world.make_call(LineNumber::at(FXS + 1), "");
    world.run(1000);
    assert!(world.card.telephone(PortNumber::at(FXS + 1)).unwrap().is_ringing());
}

#[test]
fn a_telephone_that_dials_is_offered_with_its_digits() {
    let mut world = World::new();
    let telephone = world.card.telephone(PortNumber::at(FXS)).unwrap();
    telephone.call("9876#");
    let call = world.offered(15_000);
    let info = world.handle.with(move |lines, _| lines.call(call)).unwrap().unwrap().info;
    assert_eq!((info.called.as_str(), info.origin), ("9876", LINECALLORIGIN_INBOUND));
    world.answer(call).unwrap();
    world
        .handle
        .with(move |lines, _| lines.monitor_digits(call, LINEDIGITMODE_DTMF))
        .unwrap()
        .unwrap();
    world.run(500);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "CONNECTED 0x10", "ok"], "no rest of the #");
    // In conversation; then we hang up and it hears reorder until it hangs up too.
    world.drop_call(call).unwrap();
    world.run(2000);
    telephone.on_hook();
    world.run(500);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    telephone.call("12");
    world.offered(15_000);
}

#[test]
fn d17_k5_digits_are_generated_one_set_at_a_time() {
    let mut world = World::new();
    let far = world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    world.until(call, CallState::Connected, 20_000);
    world.story();
    let digits =
        |text: &str| -> Vec<_> { text.chars().map(ringback_tspi::key::Key::from_char).collect() };
    let generate = |world: &World, id, text: Option<&str>| {
        let digits = text.map(digits);
        let timing = DialTiming::default();
        world
            .handle
            .with(move |lines, cx| lines.generate_digits(call, id, digits.as_deref(), timing, cx))
    };
    generate(&world, 7, Some("1234567890")).unwrap().unwrap();
    world.run(200);
    generate(&world, 8, Some("5*")).unwrap().unwrap();
    assert_eq!(world.story(), ["generated 2 7"], "CANCEL with the old id");
    world.run(1000);
    assert_eq!(world.story(), ["generated 1 8"]);
    assert!(far.digits_heard().ends_with("5*"), "{}", far.digits_heard());
    generate(&world, 9, Some("123456")).unwrap().unwrap();
    generate(&world, 0, None).unwrap().unwrap();
    assert_eq!(world.story(), ["generated 2 9"], "none: cancels");
    generate(&world, 10, Some("123456")).unwrap().unwrap();
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["generated 2 10", "IDLE 0x0", "ok"], "CANCEL at the end of a call");
}

/// What is offered on a call: the names of its LINECALLFEATURE_ bits.
fn offered(world: &World, call: HDRVCALL) -> Vec<&'static str> {
    let bits = world.handle.with(move |lines, _| lines.features(call)).unwrap();
    let short = |name: &'static str| name.trim_start_matches("LINECALLFEATURE_");
    let books = LINECALLFEATURE_SETCALLPARAMS | LINECALLFEATURE_SETCALLDATA;
    let rest = bits & !books;
    let over = rest & !LINECALLFEATURE_DROP == 0;
    assert!(
        bits & books == books || over,
        "books are kept as long as a call is not over: {bits:#x}"
    );
    LINECALLFEATURE.members.iter().filter(|m| rest & m.1 != 0).map(|m| short(m.0)).collect()
}

/// Digits, dialling and answering, as each is answered at once.
fn tried(world: &World, call: HDRVCALL) -> [Result<(), LineError>; 3] {
    let digits = [ringback_tspi::key::Key::from_char('5')];
    let timing = DialTiming::default();
    let generated = world
        .handle
        .with(move |lines, cx| lines.generate_digits(call, 1, Some(&digits), timing, cx));
    [generated.unwrap(), world.dial(call, "5").map(drop), world.answer(call).map(drop)]
}

#[test]
fn what_a_line_offers_it_takes_and_what_it_does_not_offer_it_refuses() {
    let (not_now, never) = (Err(LineError::INVALCALLSTATE), Err(LineError::OPERATIONUNAVAIL));
    let mut world = World::new();
    // A telephone that rings would get the digits into the ear of whoever lifts it.
    let telephone = world.card.telephone(PortNumber::at(FXS)).unwrap();
    let (call, _) = world.make_call(LineNumber::at(FXS), "");
    world.until(call, CallState::Ringback, 500);
    assert_eq!(offered(&world, call), ["DROP", "MONITORDIGITS", "MONITORTONES"]);
    assert_eq!(tried(&world, call), [not_now, never, not_now]);
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    let in_conversation =
        ["DROP", "GATHERDIGITS", "GENERATEDIGITS", "GENERATETONE", "MONITORDIGITS", "MONITORTONES"];
    assert_eq!(offered(&world, call), in_conversation);
    assert_eq!(tried(&world, call), [Ok(()), never, not_now]);
    telephone.on_hook();
    world.until(call, CallState::Disconnected, 500);
    assert_eq!(offered(&world, call), ["DROP"]);
    assert_eq!(tried(&world, call), [not_now, never, not_now]);

    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    assert_eq!(offered(&world, call), ["DROP"], "before its first state it can only be given up");
    assert_eq!(tried(&world, call), [not_now; 3]);
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(offered(&world, call), [&["DIAL"], &in_conversation[..]].concat());
    assert_eq!(tried(&world, call), [Ok(()), Ok(()), not_now]);
    world.drop_call(call).unwrap();
    assert_eq!(offered(&world, call), [""; 0], "nothing is left to do in IDLE");
    assert_eq!(tried(&world, call), [not_now; 3]);
    world.run(3000);
    world.subscriber("56", Behaviour::Manual).call("102");
    let call = world.offered(15_000);
    assert_eq!(
        offered(&world, call),
        ["ACCEPT", "ANSWER", "DROP", "MONITORDIGITS", "MONITORTONES"]
    );
    assert_eq!(tried(&world, call), [not_now, not_now, Ok(())]);
}

#[test]
fn n6_d5_closing_a_pending_call_completes_its_creator_and_nothing_follows() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "123");
    let id = made.unwrap();
    world.run(100);
    world.handle.with(move |lines, cx| lines.close_call(call, cx)).unwrap().unwrap();
    world.run(5000);
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(id, failed)]);
    world.assert_on_hook(LineNumber::at(FXO));
    // N8: again, and for a call that is long gone.
    world.handle.with(move |lines, cx| lines.close_call(call, cx)).unwrap().unwrap();
    let never = HDRVCALL::new(call.raw() + (1 << 20)).unwrap();
    let closed = world.handle.with(move |lines, cx| lines.close_call(never, cx)).unwrap();
    assert_eq!(closed, Err(LineError::INVALCALLHANDLE));
}

#[test]
fn d1_d2_closing_a_line_completes_all_and_hangs_up() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    world.until(call, CallState::Connected, 20_000);
    world.story();
    let dial = world.dial(call, "123456").unwrap();
    world.handle.with(move |lines, cx| lines.close(LineNumber::at(FXO), cx)).unwrap().unwrap();
    world.run(1000);
    assert_eq!(world.told(), [Told::Completed(dial, Err(LineError::OPERATIONFAILED))]);
    world.assert_on_hook(LineNumber::at(FXO));
    assert_eq!(world.make_call(LineNumber::at(FXO), "1").1, Err(LineError::INVALLINEHANDLE));
}

#[test]
fn d7_a_drop_ends_what_else_was_asked_of_the_call() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "5551234");
    let made = made.unwrap();
    let dropped = world.drop_call(call).unwrap();
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(made, failed), Told::Completed(dropped, Ok(()))]);
    world.run(3000);
    assert_eq!(world.told(), [], "O1: a call that never was has no state");
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn removal_in_the_middle_of_everything_ends_each_request_once_and_closes_the_lines() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    world.until(call, CallState::Connected, 20_000);
    world.story();
    let dial = world.dial(call, "123456").unwrap();
    let (_, made) = world.make_call(LineNumber::at(SUPERVISED), "1");
    let made = made.unwrap();
    world.card.set_fault(Fault::Removal, true);
    world.run(500);
    let told = world.told();
    let completed: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Completed(id, result) => Some((*id, *result)),
            Told::Event(_) => None,
        })
        .collect();
    let gone = Err(LineError::NODEVICE);
    assert_eq!(completed.len(), 2);
    assert!(completed.contains(&(dial, gone)) && completed.contains(&(made, gone)));
    let closed = |told: &&Told| {
        matches!(
            told,
            Told::Event(Event { subject: Subject::Line { message: LINE_CLOSE, .. }, .. })
        )
    };
    assert_eq!(told.iter().filter(closed).count(), 4, "D13: every line, after its requests");
    assert_eq!(world.make_call(LineNumber::at(FXO), "1").1, Err(LineError::NODEVICE));
}

#[test]
fn lost_interrupts_do_not_lose_a_call() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    // No interrupt at all for a while: the timer looks after the card.
    for _ in 0..2000 {
        world.card.tick();
        world.stepper.advance(Duration::from_millis(1));
    }
    let dropped = world.drop_call(call).unwrap();
    world.run(100);
    assert!(world.told().contains(&Told::Completed(dropped, Ok(()))));
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn a_card_whose_clock_stands_still_fails_requests_at_their_deadlines() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "1");
    let made = made.unwrap();
    // Neither ticks nor interrupts, but the registers answer.
    world.stepper.advance(Duration::from_secs(30));
    let told = world.told();
    let results: Vec<_> =
        told.iter().filter(|told| matches!(told, Told::Completed(id, _) if *id == made)).collect();
    assert_eq!(results.len(), 1, "{told:?}");
    assert!(matches!(results[0], Told::Completed(_, result) if result.is_err()));
    assert_eq!(world.state(call), None);
}

#[test]
fn stopping_leaves_every_line_on_hook() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    world.until(call, CallState::Connected, 20_000);
    world.stepper.stop();
    for _ in 0..1500 {
        world.card.tick();
    }
    let state = world.card.exchange().state("102");
    assert_eq!(state, Some(ringback_softcard::LineState::Idle));
}
