//! The upcalls of lines, recorded for tests, and checked against the rules that always hold.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_driver::reactor::Upcalls;
use ringback_driver::request::{Completion, ErrorCode, LineNumber, RequestId};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::callstate::pots::{INBOUND, OUTBOUND, may_follow};
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::PhoneMessage;
use ringback_tspi::types::{HDRVCALL, HTAPICALL};

use super::tapi_line;
use crate::{CallHandles, Event, Subject};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Completed(RequestId, Result<(), LineError>),
    Event(Event),
}

impl Told {
    /// In a few words, which tests compare: `ok` or the error of a request, a state with its mode
    /// in hexadecimal, a digit with its LINEDIGITMODE_, how a generation ended with its id.
    pub(crate) fn in_short(&self) -> String {
        match self {
            Told::Completed(_, Ok(())) => "ok".into(),
            Told::Completed(_, Err(error)) => error.name().unwrap_or("?").into(),
            Told::Event(Event::Phone(PhoneMessage { message, params, .. })) => match *message {
                PHONE_STATE => format!("phone state {:#x} {}", params[0], params[1]),
                PHONE_BUTTON => format!("button {} {}", params[0], params[2]),
                PHONE_CLOSE => "PHONE_CLOSE".into(),
                _ => format!("phone {message} {params:?}"),
            },
            Told::Event(Event::Line { subject, .. }) => match *subject {
                Subject::NewCall(_) => "NEWCALL".into(),
                Subject::Call { message: LINE_CALLSTATE, params: [state, mode, _], .. } => {
                    format!("{} {mode:#x}", CallState::from_raw(state as u32).unwrap())
                }
                Subject::Call { message: LINE_MONITORDIGITS, params: [digit, mode, _], .. } => {
                    format!("digit {} {mode}", digit as u8 as char)
                }
                Subject::Call { message: LINE_GENERATE, params: [how, id, _], .. } => {
                    format!("generated {how} {id}")
                }
                Subject::Call { message, params, .. } => format!("call {message} {params:?}"),
                Subject::Line { message: LINE_CLOSE, .. } => "CLOSE".into(),
                Subject::Line { message, params } => format!("line {message} {params:?}"),
            },
        }
    }
}

/// All upcalls so far, and how many of them were taken.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<(Vec<Told>, usize)>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, (Vec<Told>, usize)> {
        self.0.lock().unwrap()
    }

    /// The upcalls that were not taken.
    pub(crate) fn told(&self) -> Vec<Told> {
        let log = self.lock();
        log.0[log.1..].to_vec()
    }

    /// Takes the upcalls that were not taken.
    pub(crate) fn take(&self) -> Vec<Told> {
        let told = self.told();
        self.lock().1 += told.len();
        told
    }

    /// All upcalls, whether taken or not.
    pub(crate) fn all(&self) -> Vec<Told> {
        self.lock().0.clone()
    }
}

impl Upcalls<Event> for Log {
    fn completed(&mut self, completion: Completion) {
        let result = completion.result.map_err(LineError::from);
        self.lock().0.push(Told::Completed(completion.id, result));
    }
    fn event(&mut self, _: LineNumber, event: Event) {
        self.lock().0.push(Told::Event(event));
    }
}

/// Asserts that the upcalls keep the rules of order, that each step of a call is one that a plain
/// line can take, and that each request was completed once.
pub(super) fn judge(made: &[(RequestId, HDRVCALL)], all: &[Told]) {
    let mut monitor = Monitor::new();
    let tapi = |call: HDRVCALL| HTAPICALL::new(call.raw()).unwrap();
    for (request, call) in made {
        let line = tapi_line(CallHandles::line(*call).unwrap());
        monitor.see(Seen::Making { request: *request, line, call: tapi(*call) });
    }
    let mut completed = BTreeSet::new();
    for told in all {
        match *told {
            Told::Completed(request, result) => {
                assert!(completed.insert(request.get()), "C3: {request:?} completes once");
                let result = result.map_err(ErrorCode::from);
                monitor.see(Seen::Completed { request, result });
            }
            Told::Event(Event::Phone(_)) => {}
            Told::Event(Event::Line { line, subject }) => match subject {
                Subject::NewCall(call) => {
                    let seen = Seen::NewCall { line, driver_call: call, call: Some(tapi(call)) };
                    monitor.see(seen);
                }
                Subject::Call { call, message, params } => {
                    let ours = made.iter().any(|(_, one)| *one == call);
                    let call = tapi(call);
                    if message == LINE_CALLSTATE {
                        let from = monitor.state(call);
                        let to = CallState::from_raw(params[0] as u32).unwrap();
                        let table = if ours { OUTBOUND } else { INBOUND };
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
}
