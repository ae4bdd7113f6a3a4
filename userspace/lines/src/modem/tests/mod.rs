//! Whole calls through a UART and a modem in software, under a virtual clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::uart16550::{Options, Uart16550};
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::reactor::{Handle, Refused, Stepper, Upcalls};
use ringback_driver::request::{Completion, ErrorCode, LineNumber, RequestId};
use ringback_softcard::{Far, ModemFault, SoftModem, SoftUart, UartModel};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::callstate::pots::{INBOUND, OUTBOUND, may_follow};
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{Modifiers, parse};
use ringback_tspi::error::LineError;
use ringback_tspi::media::Data;
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

use super::*;
use crate::{CallHandles, CallNotes, Command, Event, LineEngine, Opening, Subject};

mod calls;
mod data;
mod ends;
mod modems;
mod offered;

type Engine = Modem<SoftDevice<SoftUart>>;

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
        let uart = SoftUart::new(UartModel::default());
        let device = SoftDevice::new(uart.clone(), None, SoftInterrupt::new().unwrap());
        let mut delay = |time: Duration| {
            let characters = PER_MS * time.as_millis() as usize;
            uart.run(characters, &mut VecDeque::new(), &mut Vec::new());
        };
        let card = Uart16550::open(device, Options::default(), &mut delay).unwrap();
        let handles = Arc::new(CallHandles::default());
        let options = ModemOptions::default();
        let engine = Modem::new(card, &options, Arc::clone(&handles), Time::ZERO).unwrap();
        let log = Log::default();
        let stepper = Stepper::new(engine, log.clone(), 64).unwrap();
        let handle = stepper.handle();
        let mut world = World {
            uart,
            modem,
            to_modem: Vec::new(),
            from_modem: VecDeque::new(),
            interrupts: true,
            stepper,
            handle,
            handles,
            data: Data::default(),
            log,
            all: Vec::new(),
            making: Vec::new(),
        };
        world.open();
        world
    }

    fn open(&mut self) {
        let tapi = HTAPILINE::new(1).unwrap();
        self.handle.with(move |modem, cx| modem.open(LineNumber(0), tapi, cx)).unwrap().unwrap();
        // The data of this opening.
        self.data = self.handle.with(|modem, _| modem.data(LineNumber(0))).unwrap().unwrap();
    }

    fn opening(&self) -> Opening {
        let state = self.handle.with(move |modem, _| modem.state(LineNumber(0))).unwrap().unwrap();
        state.opening.unwrap_or(Opening::FIRST)
    }

    /// The modem's time.
    fn now(&self) -> Duration {
        self.stepper.now() - Time::ZERO
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            for _ in 0..PER_MS {
                let waits = &mut VecDeque::new();
                let flows = if self.uart.rts() { &mut self.from_modem } else { waits };
                self.uart.run(1, flows, &mut self.to_modem);
                if self.interrupts && self.uart.interrupts() {
                    self.stepper.interrupt();
                }
            }
            let now = self.now();
            self.modem.run(now, self.uart.dtr(), &mut self.to_modem, &mut self.from_modem);
            self.uart.set_inputs(self.modem.signals());
            if self.interrupts && self.uart.interrupts() {
                self.stepper.interrupt();
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
        self.handle.with(move |modem, _| modem.call(call)).unwrap().ok()?.state
    }

    fn submit(&self, command: Command) -> Result<RequestId, LineError> {
        match self.handle.submit(LineNumber(0), command) {
            Ok(ticket) => Ok(ticket.id()),
            Err(Refused::Rejected(error)) => Err(error.into()),
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
        let call = self.handles.next(LineNumber(0)).unwrap();
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        let made = self.submit(Command::MakeCall {
            opening: self.opening(),
            call,
            address: parse(number, modifiers).unwrap(),
            called: number.into(),
            only_if_idle,
            media: LINEMEDIAMODE_DATAMODEM,
            timing: DialTiming::default(),
            notes: CallNotes::default(),
        });
        self.making.extend(made.ok().map(|id| (id, call)));
        (call, made)
    }

    fn pass_through(&mut self) -> HDRVCALL {
        let call = self.handles.next(LineNumber(0)).unwrap();
        let made = self.submit(Command::PassThrough {
            opening: self.opening(),
            call,
            media: LINEMEDIAMODE_DATAMODEM,
            notes: CallNotes::default(),
        });
        self.making.push((made.unwrap(), call));
        call
    }

    fn connect(&mut self, number: &str) -> HDRVCALL {
        let (call, _) = self.make_call(number);
        self.until(call, CallState::Connected, 20_000);
        self.story();
        call
    }

    fn features(&self, call: HDRVCALL) -> u32 {
        self.handle.with(move |lines, _| lines.features(call)).unwrap()
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
                Told::Completed(_, Ok(())) => "ok".into(),
                Told::Completed(_, Err(error)) => error.name().unwrap_or("?").into(),
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
        self.modem.call(self.now());
        self.offered(1000)
    }
}

impl Drop for World {
    /// Whatever a test was about: the order rules held, and every step was one that a plain line
    /// can take.
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
                    let result = result.map_err(ErrorCode::from);
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
