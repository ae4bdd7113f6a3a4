//! Whole calls through a UART and a modem in software, under a virtual clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::uart16550::{Options, SoftModel, SoftUart, Uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::reactor::{Handle, Refused, Stepper, Upcalls};
use ringback_driver::request::{Completion, RequestId};

use super::*;
use crate::callstate::CallState;
use crate::callstate::monitor::{Monitor, Seen};
use crate::callstate::pots::{INBOUND, OUTBOUND, may_follow};
use crate::constants::*;
use crate::dialstring::{Modifiers, parse};
use crate::error::LineError;
use crate::line::{CallHandles, Command, DialTiming, Event, Subject};
use crate::types::{HDRVCALL, HTAPICALL, HTAPILINE};

type Engine = Modem<SoftDevice<SoftUart>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Completed(RequestId, i32),
    Event(Event),
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Told>>>);

impl Upcalls<Event> for Log {
    fn completed(&mut self, completion: Completion) {
        self.0.lock().unwrap().push(Told::Completed(completion.id, completion.result));
    }
    fn event(&mut self, _: usize, event: Event) {
        self.0.lock().unwrap().push(Told::Event(event));
    }
}

/// Characters of 115200 8N1 in a millisecond, roughly.
const PER_MS: usize = 11;

struct World {
    uart: SoftUart,
    modem: SoftModem,
    to_modem: Vec<u8>,
    from_modem: VecDeque<u8>,
    interrupts: bool,
    stepper: Stepper<Engine, Log>,
    handle: Handle<Engine>,
    handles: Arc<CallHandles>,
    data: Data,
    log: Log,
    /// All that was told, for the rules that hold for everything.
    all: Vec<Told>,
    making: Vec<(RequestId, HDRVCALL)>,
}

impl World {
    /// The line is open and the modem ready.
    fn new() -> World {
        let mut world = World::with(SoftModem::new());
        world.run(100);
        world
    }

    fn with(mut modem: SoftModem) -> World {
        for (number, far) in [
            ("100", Far::Echo(Duration::from_secs(8))),
            ("101", Far::Busy),
            ("102", Far::NoCarrier),
            ("103", Far::NoAnswer),
            ("104", Far::NoDialTone),
            ("105", Far::Endless),
            ("106", Far::Modem(Duration::from_secs(8))),
        ] {
            modem.add(number, far);
        }
        let uart = SoftUart::new(SoftModel::default());
        let device = SoftDevice::new(uart.clone(), None, SoftInterrupt::new().unwrap());
        let mut delay = |time: Duration| {
            let characters = PER_MS * time.as_millis() as usize;
            uart.run(characters, &mut VecDeque::new(), &mut Vec::new());
        };
        let card = Uart16550::open(device, Options::default(), &mut delay).unwrap();
        let handles = Arc::new(CallHandles::default());
        let options = ModemOptions::default();
        let engine = Modem::new(card, &options, Arc::clone(&handles), Time::ZERO).unwrap();
        let data = engine.data();
        let log = Log::default();
        let stepper = Stepper::new(engine, log.clone(), 64).unwrap();
        let handle = stepper.handle();
        let world = World {
            uart,
            modem,
            to_modem: Vec::new(),
            from_modem: VecDeque::new(),
            interrupts: true,
            stepper,
            handle,
            handles,
            data,
            log,
            all: Vec::new(),
            making: Vec::new(),
        };
        world.open();
        world
    }

    fn open(&self) {
        let tapi = HTAPILINE::new(1).unwrap();
        self.handle.with(|modem, cx| modem.open(tapi, cx)).unwrap().unwrap();
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            for _ in 0..PER_MS {
                let waits = &mut VecDeque::new();
                let flows = if self.uart.rts() { &mut self.from_modem } else { waits };
                self.uart.run(1, flows, &mut self.to_modem);
                if self.interrupts && self.uart.interrupts() {
                    self.stepper.interrupt(1);
                }
            }
            let now = self.stepper.now();
            self.modem.run(now, self.uart.dtr(), &mut self.to_modem, &mut self.from_modem);
            self.uart.set_inputs(self.modem.status());
            if self.interrupts && self.uart.interrupts() {
                self.stepper.interrupt(1);
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
        self.handle.with(|modem, _| modem.call(call)).unwrap().ok()?.state
    }

    fn submit(&self, command: Command) -> Result<RequestId, LineError> {
        match self.handle.submit(0, command) {
            Ok(ticket) => Ok(ticket.id()),
            Err(Refused::Rejected(result)) => Err(LineError::from_raw(result).unwrap()),
            Err(other) => panic!("{other}"),
        }
    }

    fn make_call(&mut self, number: &str) -> (HDRVCALL, Result<RequestId, LineError>) {
        self.make_call_if(number, false)
    }

    fn make_call_if(
        &mut self,
        number: &str,
        only_if_idle: bool,
    ) -> (HDRVCALL, Result<RequestId, LineError>) {
        let call = self.handles.next(0).unwrap();
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        let made = self.submit(Command::MakeCall {
            call,
            address: parse(number, modifiers).unwrap(),
            called: number.into(),
            only_if_idle,
            media: LINEMEDIAMODE_DATAMODEM,
            timing: DialTiming::default(),
        });
        self.making.extend(made.ok().map(|id| (id, call)));
        (call, made)
    }

    fn pass_through(&mut self) -> HDRVCALL {
        let call = self.handles.next(0).unwrap();
        let made = self.submit(Command::PassThrough { call, media: LINEMEDIAMODE_DATAMODEM });
        self.making.push((made.unwrap(), call));
        call
    }

    fn connect(&mut self, number: &str) -> HDRVCALL {
        let (call, _) = self.make_call(number);
        self.until(call, CallState::Connected, 20_000);
        self.story();
        call
    }

    fn dial(&self, call: HDRVCALL, number: &str) -> Result<RequestId, LineError> {
        self.submit(Command::Dial { call, address: parse(number, Modifiers::default()).unwrap() })
    }

    fn answer(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.submit(Command::Answer { call })
    }

    fn drop_call(&self, call: HDRVCALL) -> Result<RequestId, LineError> {
        self.submit(Command::Drop { call })
    }

    fn send(&self, call: HDRVCALL, bytes: &[u8]) -> Result<RequestId, LineError> {
        self.submit(Command::Send { call, bytes: bytes.to_vec() })
    }

    fn receive(&self, call: HDRVCALL, bytes: usize, ms: u64) -> Result<RequestId, LineError> {
        let time_limit = Duration::from_millis(ms);
        self.submit(Command::Receive { call, bytes, time_limit })
    }

    fn fetch(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.data.fetch(&mut bytes);
        bytes
    }

    fn told(&mut self) -> Vec<Told> {
        self.stepper.deliver();
        let told = std::mem::take(&mut *self.log.0.lock().unwrap());
        self.all.extend(&told);
        told
    }

    /// What was told, in short: states with their modes, and the results of requests.
    fn story(&mut self) -> Vec<String> {
        self.told()
            .into_iter()
            .map(|told| match told {
                Told::Completed(_, 0) => "ok".into(),
                Told::Completed(_, result) => {
                    LineError::from_raw(result).unwrap().name().unwrap_or("?").into()
                }
                Told::Event(Event { subject, .. }) => match subject {
                    Subject::NewCall(_) => "NEWCALL".into(),
                    Subject::Call { message: LINE_CALLSTATE, params: [state, mode, _], .. } => {
                        format!("{} {mode:#x}", CallState::from_raw(state as u32).unwrap())
                    }
                    Subject::Call { message, params, .. } => format!("call {message} {params:?}"),
                    Subject::Line { message: LINE_CLOSE, .. } => "CLOSE".into(),
                    Subject::Line { message, params } => format!("line {message} {params:?}"),
                },
            })
            .collect()
    }

    /// The call that is offered.
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

    fn ring(&mut self) -> HDRVCALL {
        self.modem.call(self.stepper.now());
        self.offered(1000)
    }
}

impl Drop for World {
    /// Whatever a test was about: the order rules held, and every step was one that a plain line can
    /// take.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.told();
        let mut monitor = Monitor::new();
        let tapi = |call: HDRVCALL| HTAPICALL::new(call.raw()).unwrap();
        let line = HTAPILINE::new(1).unwrap();
        for (request, call) in &self.making {
            monitor.see(Seen::Making { request: *request, line, call: tapi(*call) });
        }
        for told in &self.all {
            match *told {
                Told::Completed(request, result) => {
                    monitor.see(Seen::Completed { request, result });
                }
                Told::Event(Event { line, subject }) => match subject {
                    Subject::NewCall(call) => {
                        let seen =
                            Seen::NewCall { line, driver_call: call, call: Some(tapi(call)) };
                        monitor.see(seen);
                    }
                    Subject::Call { call, message, params } => {
                        let call = tapi(call);
                        let from = monitor.state(call);
                        if message == LINE_CALLSTATE {
                            let to = CallState::from_raw(params[0] as u32).unwrap();
                            let made = self.making.iter().any(|(_, one)| tapi(*one) == call);
                            let table = if made { OUTBOUND } else { INBOUND };
                            assert!(may_follow(table, from, to), "{from:?} to {to:?}");
                        }
                        let (call, param1) = (Some(call), params[0]);
                        monitor.see(Seen::Event { line, call, message, param1 });
                    }
                    Subject::Line { message, params } => {
                        monitor.see(Seen::Event { line, call: None, message, param1: params[0] });
                    }
                },
            }
        }
        assert_eq!(monitor.violations(), []);
        let mut completed: Vec<_> = self
            .all
            .iter()
            .filter_map(|told| match told {
                Told::Completed(id, _) => Some(id.get()),
                Told::Event(_) => None,
            })
            .collect();
        let count = completed.len();
        completed.sort_unstable();
        completed.dedup();
        assert_eq!(completed.len(), count, "C3: each request completes once");
        assert_eq!(self.uart.overwritten(), 0);
    }
}

// Calls

#[test]
fn n10_o1_an_outgoing_call_passes_its_states_with_data_both_ways_and_ends() {
    let mut world = World::new();
    let (call, made) = world.make_call("100");
    made.unwrap();
    world.run(50);
    assert_eq!(world.story(), ["ok", "DIALING 0x0"]);
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["PROCEEDING 0x0", "CONNECTED 0x10"]);
    assert_eq!(
        world.modem.commands(),
        ["ATE0Q0V1", "ATX4&C1&D2S0=0", "ATE0Q0V1", "ATX4&C1&D2S0=0", "ATDT100"]
    );

    let text: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
    let received = world.receive(call, text.len(), 5000).unwrap();
    let sent = world.send(call, &text).unwrap();
    assert_eq!(world.told(), [], "not before it is sent");
    world.run(1200);
    assert_eq!(world.told(), [Told::Completed(sent, 0), Told::Completed(received, 0)]);
    assert_eq!(world.modem.far_received(), text);
    assert_eq!(world.fetch(), text);

    world.drop_call(call).unwrap();
    assert_eq!(world.story(), [""; 0], "not before the modem has hung up");
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "D9: legal but in idle");
    assert_eq!(world.send(call, b"x"), Err(LineError::INVALCALLSTATE));
}

#[test]
fn the_reason_why_there_is_no_connection_is_told_before_idle() {
    for (number, last) in [
        ("101", "BUSY 0x8"),
        ("102", "DISCONNECTED 0x800"),
        ("103", "DISCONNECTED 0x40"),
        ("104", "DISCONNECTED 0x1000"),
    ] {
        let mut world = World::new();
        let (call, _) = world.make_call(number);
        world.run(60_000);
        let story = world.story();
        assert_eq!(story[..2], ["ok", "DIALING 0x0"], "{number}");
        assert_eq!(story.last().unwrap(), last, "{number}");
        assert!(world.modem.is_on_hook());
        world.drop_call(call).unwrap();
        assert_eq!(world.story(), ["IDLE 0x0", "ok"], "{number}");
        let (call, _) = world.make_call("100");
        world.until(call, CallState::Connected, 20_000);
    }
}

#[test]
fn a_modem_that_comes_to_no_end_is_hung_up_at_the_deadline() {
    let mut world = World::new();
    let (call, _) = world.make_call("105");
    world.run(120_000);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "PROCEEDING 0x0"]);
    world.until(call, CallState::Disconnected, 10_000);
    assert_eq!(world.story(), ["DISCONNECTED 0x40"], "NOANSWER");
    world.run(2000);
    assert!(world.modem.is_on_hook());
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn no_dial_tone_is_an_error_where_it_was_asked_for() {
    let mut world = World::new();
    let (call, _) = world.make_call_if("104", true);
    world.run(10_000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"], "N3: the call never was");
    assert_eq!(world.state(call), None);
    let (call, _) = world.make_call_if("100", true);
    world.run(2000);
    assert_eq!(world.story(), [""; 0], "dial tone may still be missing");
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "CONNECTED 0x10"]);
}

#[test]
fn dialling_in_parts_keeps_the_line() {
    let mut world = World::new();
    let (call, _) = world.make_call("");
    world.until(call, CallState::DialTone, 1000);
    assert_eq!(world.story(), ["ok", "DIALTONE 0x20"]);
    world.dial(call, "1;").unwrap();
    assert_eq!(world.dial(call, "2"), Err(LineError::INVALCALLSTATE), "one after the other");
    world.run(20);
    assert_eq!(world.story(), ["DIALING 0x0", "ok"], "N12");
    world.dial(call, "P00").unwrap();
    world.run(8000);
    assert_eq!(world.story(), ["ok", "PROCEEDING 0x0"]);
    world.until(call, CallState::Connected, 5000);
    assert!(world.modem.commands().ends_with(&["ATDTW;", "ATDT1;", "ATDP00"].map(String::from)));
    world.drop_call(call).unwrap();
    world.run(2000);
    world.story();

    let (call, _) = world.make_call("10");
    world.run(30);
    assert_eq!(world.dial(call, "0"), Err(LineError::INVALCALLSTATE), "that number is complete");
    world.drop_call(call).unwrap();
    world.run(5000);
    world.story();
    let (call, _) = world.make_call("100;");
    world.run(30);
    world.dial(call, "").unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "ok", "PROCEEDING 0x0", "CONNECTED 0x10"]);
}

#[test]
fn n14_an_incoming_call_is_offered_answered_and_ends() {
    let mut world = World::new();
    let call = world.ring();
    world.run(20_000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "once, however often it rings");
    world.answer(call).unwrap();
    assert_eq!(world.answer(call), Err(LineError::INVALCALLSTATE), "it is being answered");
    world.until(call, CallState::Connected, 5000);
    assert_eq!(world.story(), ["CONNECTED 0x10", "ok"]);
    world.modem.far_send(b"hello");
    world.run(20);
    assert_eq!(world.fetch(), b"hello");
    world.modem.far_hang_up(&mut world.from_modem);
    world.until(call, CallState::Disconnected, 100);
    world.run(3000);
    assert_eq!(world.story(), ["DISCONNECTED 0x1"]);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn a_caller_that_gives_up_and_a_call_that_is_rejected_leave_the_line_free() {
    let mut world = World::new();
    let call = world.ring();
    world.run(7000);
    world.modem.give_up();
    world.until(call, CallState::Disconnected, 11_000);
    assert_eq!(world.answer(call), Err(LineError::INVALCALLSTATE));
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0", "ok"]);

    let call = world.ring();
    world.drop_call(call).unwrap();
    world.run(15_000);
    assert_eq!(
        world.story(),
        ["NEWCALL", "OFFERING 0x1", "IDLE 0x0", "ok"],
        "it rings on, unheard"
    );
    assert_eq!(world.make_call("100").1, Err(LineError::INUSE));
    world.modem.give_up();
    world.run(11_000);
    world.connect("100");
}

#[test]
fn a_caller_that_is_gone_before_the_modem_answers_fails_the_answer() {
    let mut world = World::new();
    let call = world.ring();
    world.modem.give_up();
    world.answer(call).unwrap();
    world.run(5000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "LINEERR_OPERATIONFAILED", "DISCONNECTED 0x800"]);
}

#[test]
fn nobody_is_told_of_a_call_to_a_line_that_is_not_open() {
    let mut world = World::new();
    world.handle.with(|modem, cx| modem.close(cx)).unwrap().unwrap();
    world.modem.call(world.stepper.now());
    world.run(8000);
    assert_eq!(world.told(), []);
    world.open();
    world.offered(8000);
}

// Modems as they are

#[test]
fn a_modem_that_answers_in_numbers_is_understood() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::Numeric, true);
    let mut world = World::with(modem);
    let call = world.connect("100");
    world.send(call, b"\nfirst").unwrap();
    world.run(20);
    assert_eq!(world.fetch(), b"\nfirst", "no line end is due after a number");
    world.drop_call(call).unwrap();
    world.run(1000);
    let (busy, _) = world.make_call("101");
    world.until(busy, CallState::Busy, 10_000);
    world.drop_call(busy).unwrap();
    let call = world.ring();
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 5000);
}

#[test]
fn noise_between_the_answers_does_not_hurt() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::Noise, true);
    let mut world = World::with(modem);
    world.run(100);
    let call = world.connect("100");
    assert_eq!(world.fetch(), b"");
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    let call = world.ring();
    assert_eq!(world.state(call), Some(CallState::Offering));
}

#[test]
fn without_dtr_the_escape_sequence_hangs_up() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::NoDtr, true);
    let mut world = World::with(modem);
    let call = world.connect("100");
    world.send(call, b"the last word").unwrap();
    world.run(5);
    world.drop_call(call).unwrap();
    world.run(4000);
    assert_eq!(world.story(), ["ok", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
    assert_eq!(world.modem.commands().last().unwrap(), "ATH");
}

#[test]
fn without_dcd_the_words_tell_the_loss_of_the_carrier() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::NoDcd, true);
    let mut world = World::with(modem);
    let call = world.connect("106");
    world.modem.far_send(b"\r\nNO CARRIER\r\n");
    world.run(100);
    world.modem.far_send(b"is what a modem says\r\n");
    world.run(3000);
    assert_eq!(world.state(call), Some(CallState::Connected), "these words were data");
    world.modem.far_hang_up(&mut world.from_modem);
    world.until(call, CallState::Disconnected, 1000);
    world.drop_call(call).unwrap();
    world.run(1500);
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);
}

#[test]
fn with_dcd_no_words_end_a_call() {
    let mut world = World::new();
    let call = world.connect("106");
    world.modem.far_send(b"\r\nNO CARRIER\r\n");
    world.run(5000);
    assert_eq!(world.state(call), Some(CallState::Connected));
    assert_eq!(world.fetch(), b"\r\nNO CARRIER\r\n");
}

#[test]
fn a_modem_that_was_left_online_is_got_back() {
    for fault in [None, Some(ModemFault::NoDtr)] {
        let mut modem = SoftModem::new();
        modem.add("9", Far::Echo(Duration::ZERO));
        let mut out = VecDeque::new();
        modem.run(Time::ZERO, true, &mut b"ATD9\r".to_vec(), &mut out);
        modem.run(Time::ZERO, true, &mut Vec::new(), &mut out);
        assert!(!modem.is_on_hook());
        if let Some(fault) = fault {
            modem.set_fault(fault, true);
        }
        let mut world = World::with(modem);
        let call = world.connect("100");
        assert_eq!(world.state(call), Some(CallState::Connected));
    }
}

#[test]
fn lost_interrupts_do_not_lose_a_call() {
    let mut world = World::new();
    world.interrupts = false;
    let call = world.connect("100");
    let sent = world.send(call, b"hello").unwrap();
    world.run(300);
    assert_eq!(world.told(), [Told::Completed(sent, 0)]);
    assert_eq!(world.fetch(), b"hello");
    world.drop_call(call).unwrap();
    world.run(2000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

// Nobody there

#[test]
fn a_dead_modem_fails_the_call_once_and_in_time() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::Dead, true);
    let mut world = World::with(modem);
    let (call, made) = world.make_call("100");
    made.unwrap();
    world.run(7000);
    assert_eq!(world.story(), [""; 0], "it may only be on-line");
    world.run(1000);
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
    assert_eq!(world.state(call), None);
    assert!(!world.handle.with(|modem, _| modem.state()).unwrap().in_service);
    world.modem.set_fault(ModemFault::Dead, false);
    world.connect("100");
    assert!(world.handle.with(|modem, _| modem.state()).unwrap().in_service);
}

#[test]
fn a_loop_that_answers_every_dial_with_its_echo_ends_it_once() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::Loop, true);
    let mut world = World::with(modem);
    for _ in 0..3 {
        let (call, made) = world.make_call("100");
        made.unwrap();
        world.run(60_000);
        assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
        assert_eq!(world.state(call), None);
    }
}

#[test]
fn a_modem_that_dies_ends_every_request_once() {
    // While it dials: nothing comes any more, and nothing hangs up.
    let mut world = World::new();
    let (call, _) = world.make_call("100");
    world.until(call, CallState::Dialing, 1000);
    world.modem.set_fault(ModemFault::Dead, true);
    world.until(call, CallState::Disconnected, 200_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x40");
    world.drop_call(call).unwrap();
    world.run(10_000);
    assert_eq!(world.story(), ["IDLE 0x0", "LINEERR_OPERATIONFAILED"]);

    // In a call, with requests outstanding.
    let mut world = World::new();
    let call = world.connect("100");
    world.modem.set_fault(ModemFault::Dead, true);
    let receive = world.receive(call, 1, 3000).unwrap();
    world.run(3000);
    let failed = LineError::OPERATIONFAILED.raw();
    assert_eq!(world.told(), [Told::Completed(receive, failed)], "at its deadline");
    let receive = world.receive(call, 1, 100_000).unwrap();
    let dropped = world.drop_call(call).unwrap();
    let again = world.drop_call(call).unwrap();
    world.run(10_000);
    let told = world.told();
    assert_eq!(told.first(), Some(&Told::Completed(receive, failed)), "D7");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.ends_with(&[Told::Completed(dropped, failed), Told::Completed(again, failed)]));

    // While it answers.
    let mut world = World::new();
    let call = world.ring();
    world.modem.set_fault(ModemFault::Dead, true);
    world.answer(call).unwrap();
    world.run(100_000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "LINEERR_OPERATIONFAILED", "DISCONNECTED 0x40"]);
}

#[test]
fn removal_in_a_call_ends_each_request_once_and_closes_the_line() {
    let mut world = World::new();
    let call = world.connect("100");
    let receive = world.receive(call, 10, 10_000).unwrap();
    let send = world.send(call, &[1; 5000]).unwrap();
    world.uart.remove();
    world.run(100);
    let gone = LineError::NODEVICE.raw();
    let told = world.told();
    assert!(told[..2].contains(&Told::Completed(receive, gone)));
    assert!(told[..2].contains(&Told::Completed(send, gone)));
    world.log.0.lock().unwrap().extend(&told[2..]);
    world.all.truncate(world.all.len() - (told.len() - 2));
    assert_eq!(world.story(), ["DISCONNECTED 0x4000", "IDLE 0x0", "CLOSE"], "D13");
    assert_eq!(world.make_call("100").1, Err(LineError::NODEVICE));
}

// Ends

#[test]
fn d1_d2_closing_settles_and_hangs_up_and_the_next_call_waits_for_that() {
    let mut world = World::new();
    let call = world.connect("100");
    let receive = world.receive(call, 10, 10_000).unwrap();
    world.handle.with(|modem, cx| modem.close(cx)).unwrap().unwrap();
    assert_eq!(world.told(), [Told::Completed(receive, LineError::OPERATIONFAILED.raw())]);
    assert_eq!(world.make_call("100").1, Err(LineError::INVALLINEHANDLE));
    world.open();
    world.connect("100");
}

#[test]
fn n6_d5_a_call_is_closed_while_it_is_made_and_while_it_is_dropped() {
    let mut world = World::new();
    let (call, made) = world.make_call("100");
    let made = made.unwrap();
    world.handle.with(|modem, cx| modem.close_call(call, cx)).unwrap().unwrap();
    assert_eq!(world.told(), [Told::Completed(made, LineError::OPERATIONFAILED.raw())]);
    world.run(5000);
    assert_eq!(world.told(), []);

    let call = world.connect("100");
    let dropped = world.drop_call(call).unwrap();
    world.handle.with(|modem, cx| modem.close_call(call, cx)).unwrap().unwrap();
    assert_eq!(world.told(), [Told::Completed(dropped, LineError::OPERATIONFAILED.raw())]);
    world.run(5000);
    assert_eq!(world.told(), [], "D5: nothing of the call any more");
    assert!(world.modem.is_on_hook());
    let unknown = HDRVCALL::new(0xFFFF_FF01).unwrap();
    let closed = world.handle.with(|modem, cx| modem.close_call(unknown, cx)).unwrap();
    assert_eq!(closed, Err(LineError::INVALCALLHANDLE));
}

#[test]
fn d7_a_drop_while_dialling_hangs_up() {
    let mut world = World::new();
    let (call, made) = world.make_call("100");
    let made = made.unwrap();
    let dropped = world.drop_call(call).unwrap();
    let failed = LineError::OPERATIONFAILED.raw();
    assert_eq!(world.told(), [Told::Completed(made, failed), Told::Completed(dropped, 0)]);
    world.run(3000);
    assert_eq!(world.told(), [], "O1: a call that never was has no state");

    let (call, _) = world.make_call("100");
    world.run(5000);
    world.drop_call(call).unwrap();
    world.run(100);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "PROCEEDING 0x0", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());

    let (call, _) = world.make_call("5;");
    world.run(100);
    world.drop_call(call).unwrap();
    world.run(100);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
}

#[test]
fn stopping_leaves_the_line_on_hook() {
    let mut world = World::new();
    world.connect("100");
    world.stepper.stop();
    world.run(100);
    assert!(world.modem.is_on_hook());
}

// Data

#[test]
fn the_modem_for_oneself_is_connected_at_once() {
    let mut world = World::new();
    let call = world.pass_through();
    assert_eq!(world.story(), ["ok", "CONNECTED 0x1"]);
    world.send(call, b"ATE1\r").unwrap();
    world.receive(call, 5, 1000).unwrap();
    world.run(20);
    assert_eq!(world.story(), ["ok", "ok"]);
    assert_eq!(world.fetch(), b"\r\nOK\r\n");
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    world.connect("100");
}

#[test]
fn a_loop_gives_back_what_is_sent_through_it() {
    let mut modem = SoftModem::new();
    modem.set_fault(ModemFault::Loop, true);
    let mut world = World::with(modem);
    let call = world.pass_through();
    world.run(8000);
    assert_eq!(world.story(), ["ok", "CONNECTED 0x1"], "when nobody has answered to commands");
    let text: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    let mut ids = Vec::new();
    for part in text.chunks(1000) {
        ids.push(world.send(call, part).unwrap());
    }
    ids.push(world.receive(call, text.len(), 10_000).unwrap());
    world.run(2500);
    let done: Vec<_> = ids.into_iter().map(|id| Told::Completed(id, 0)).collect();
    assert_eq!(world.told(), done, "in order");
    assert_eq!(world.fetch(), text);
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn nothing_is_lost_while_nobody_fetches() {
    let mut world = World::new();
    let call = world.connect("106");
    let text: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    world.modem.far_send(&text);
    world.run(20_000);
    assert!(world.data.available() < text.len() && !world.from_modem.is_empty());
    let mut fetched = Vec::new();
    for _ in 0..100 {
        world.data.fetch(&mut fetched);
        world.run(100);
    }
    assert_eq!(fetched, text);
    assert_eq!(world.receive(call, 65_537, 1000), Err(LineError::INVALPARAM));
    world.receive(call, 65_536, 1000).unwrap();
    world.run(1100);
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
}

#[test]
fn requests_of_nothing_are_done_at_once() {
    let mut world = World::new();
    let call = world.connect("100");
    world.send(call, b"").unwrap();
    world.receive(call, 0, 1000).unwrap();
    assert_eq!(world.story(), ["ok", "ok"]);
}

#[test]
fn there_is_no_data_without_a_connection() {
    let mut world = World::new();
    let (call, _) = world.make_call("101");
    world.run(50);
    assert_eq!(world.send(call, b"x"), Err(LineError::INVALCALLSTATE));
    assert_eq!(world.receive(call, 1, 1000), Err(LineError::INVALCALLSTATE));
    let other = world.make_call("100").1;
    assert_eq!(other, Err(LineError::CALLUNAVAIL), "one call at a time");
}
