//! A provider with one line that does what a test wants: complete early, twice, never, nested.

mod functions;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use ringback_request::sync::EvenPoisoned;
use ringback_request::{ErrorCode, RequestId};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::provider::{Completion, Init, LineMessage, PhoneMessage, Tapi, Ticket};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, HTAPIPHONE, Version};

use super::FAILED;
pub(super) use functions::Local;

/// What it does inside lineMakeCall.
type Act =
    Box<dyn FnMut(&mut dyn Tapi, RequestId, HTAPILINE, HTAPICALL) -> Option<LineError> + Send>;

/// What it does when something is closed.
type InClose = Box<dyn FnOnce() -> LineError + Send>;

/// Requests that were accepted and are not complete, with the call that each is about.
type Accepted = Arc<Mutex<HashMap<RequestId, HDRVCALL>>>;

/// A provider with one line and ungated tickets. Closing completes the outstanding requests, after
/// the upcall if one is running.
#[derive(Default)]
pub(super) struct Mock {
    pub(super) tapi: Mutex<Option<Box<dyn Tapi>>>,
    pub(super) accepted: Accepted,
    /// Completions to be delivered as soon as no upcall is running.
    pub(super) later: Mutex<Vec<Completion>>,
    /// Whether its upward interface is to be dropped then.
    pub(super) ending: AtomicBool,
    pub(super) line: Mutex<Option<HTAPILINE>>,
    pub(super) making: Mutex<Option<Act>>,
    pub(super) options: u32,
    pub(super) in_open: bool,
    /// Its upcalls are under its locks.
    pub(super) locks: bool,
    /// The versions that it answers, for itself and for its line, whatever it is offered.
    pub(super) answers: [Option<Version>; 2],
    /// All its calls have the same handle.
    pub(super) one_handle: bool,
    /// It has no thread: it completes what it accepts in the rounds of its runner.
    pub(super) local: Option<Local>,
    /// How its init fails.
    pub(super) init_fails: Option<LineError>,
    /// How opening the line fails.
    pub(super) open_fails: Option<LineError>,
    /// How asking for calls fails.
    pub(super) detection_fails: Option<LineError>,
    /// How many phones it has.
    pub(super) phones: u32,
    /// It does not describe its phones.
    pub(super) no_caps: bool,
    /// The requests of the phone that are accepted and not complete.
    pub(super) phone_requests: Mutex<Vec<RequestId>>,
    /// What its phone shows, and what is in its data area 3.
    pub(super) shown: Mutex<String>,
    pub(super) stored: Mutex<Vec<u8>>,
    /// It completes requests of the phone in their functions.
    pub(super) phone_early: bool,
    /// The phone that is open.
    pub(super) phone: Mutex<Option<HTAPIPHONE>>,
    pub(super) closed_phones: Mutex<u32>,
    /// What its init was given.
    pub(super) given: Mutex<Option<Init>>,
    /// The media modes of which calls are asked for, since the line was opened.
    pub(super) detected: Mutex<Option<u32>>,
    /// A function was called in one of its upcalls.
    pub(super) nested: AtomicBool,
    /// Threads that are in functions now, and how many that were at most.
    pub(super) inside: AtomicUsize,
    pub(super) most_inside: AtomicUsize,
    /// Closing completes nothing.
    pub(super) never: bool,
    /// What it does in lineMonitorDigits, lineOpen or lineGetDevCaps, once.
    pub(super) in_function: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// What it does first when a call or a line is closed, and with which error that fails then.
    pub(super) in_close: Mutex<Option<InClose>>,
    pub(super) closed_calls: Mutex<Vec<HDRVCALL>>,
    pub(super) closed_lines: Mutex<u32>,
    pub(super) shut_down: Mutex<u32>,
}

/// The upward interface, which removes completed requests from those that are accepted.
struct Noting(Box<dyn Tapi>, Accepted);

impl Tapi for Noting {
    fn completion(&mut self, completion: &Completion) {
        self.1.lock().even_poisoned().remove(&completion.id);
        self.0.completion(completion);
    }

    fn line_event(&mut self, event: &LineMessage) {
        self.0.line_event(event);
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        self.0.new_call(line, call)
    }

    fn phone_event(&mut self, event: &PhoneMessage) {
        self.0.phone_event(event);
    }
}

/// The completion of a request that has succeeded.
pub(super) fn done(id: RequestId) -> Completion {
    Completion::now(id, Ok(()))
}

/// The completion of a request that has failed with this number.
pub(super) fn failed(id: RequestId, number: i32) -> Completion {
    Completion::now(id, Err(ErrorCode::new(number).unwrap()))
}

thread_local! {
    /// Whether the thread is in an upcall of a mock.
    static IN_UPCALL: Cell<bool> = const { Cell::new(false) };
}

impl Mock {
    /// Makes an upcall.
    pub(super) fn tell<R>(&self, act: impl FnOnce(&mut dyn Tapi) -> R) -> R {
        let result = upcall(|| act(&mut **self.tapi.lock().even_poisoned().as_mut().unwrap()));
        self.catch_up();
        result
    }

    /// Runs a function of the mock, and counts the threads in such functions.
    fn function<R>(&self, act: impl FnOnce() -> R) -> R {
        self.nested.fetch_or(IN_UPCALL.get(), Ordering::SeqCst);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        let result = act();
        self.inside.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Delivers `later`, unless an upcall is running; then it is delivered after that.
    fn catch_up(&self) {
        loop {
            let mut tapi = match self.tapi.try_lock() {
                Ok(tapi) => tapi,
                Err(TryLockError::Poisoned(tapi)) => tapi.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let later = std::mem::take(&mut *self.later.lock().even_poisoned());
            let ended = later.is_empty() && self.ending.swap(false, Ordering::SeqCst);
            if later.is_empty() && !ended {
                return;
            }
            if let Some(tapi) = &mut *tapi {
                upcall(|| {
                    later.iter().for_each(|completion| tapi.completion(completion));
                });
            }
            if ended {
                *tapi = None;
            }
        }
    }

    /// Completes the requests of the phone.
    pub(super) fn complete_phone(&self, result: Result<(), PhoneError>) {
        for id in std::mem::take(&mut *self.phone_requests.lock().even_poisoned()) {
            self.later.lock().even_poisoned().push(Completion::now(id, result.map_err(Into::into)));
        }
        self.catch_up();
    }

    pub(super) fn complete(&self, id: RequestId, result: Result<(), LineError>) {
        self.later.lock().even_poisoned().push(Completion::now(id, result.map_err(Into::into)));
        self.catch_up();
    }

    /// Fails what is accepted, of one call or of all.
    fn fail(&self, call: Option<HDRVCALL>) {
        if self.never {
            return;
        }
        let accepted = self.accepted.lock().even_poisoned().clone();
        for (id, of) in accepted {
            if call.is_none_or(|call| call == of)
                && self.accepted.lock().even_poisoned().remove(&id).is_some()
            {
                self.later.lock().even_poisoned().push(Completion::now(id, Err(FAILED.into())));
            }
        }
        self.catch_up();
    }

    fn accept(&self, request: RequestId, call: HDRVCALL) -> Result<Ticket, LineError> {
        self.accepted.lock().even_poisoned().insert(request, call);
        Ok(Ticket::ungated(request))
    }

    /// Something is about to be closed.
    fn closing(&self) -> Result<(), LineError> {
        let act = self.in_close.lock().even_poisoned().take();
        act.map_or(Ok(()), |act| Err(act()))
    }

    pub(super) fn line(&self) -> HTAPILINE {
        self.line.lock().unwrap().unwrap()
    }

    /// Has lineMakeCall do this.
    pub(super) fn in_make_call<F>(&self, act: F)
    where
        F: FnMut(&mut dyn Tapi, RequestId, HTAPILINE, HTAPICALL) -> Option<LineError>
            + Send
            + 'static,
    {
        *self.making.lock().unwrap() = Some(Box::new(act));
    }

    pub(super) fn state(&self, call: HTAPICALL, state: CallState) {
        let line = self.line();
        self.tell(|tapi| tell_state(tapi, line, call, state));
    }

    /// Sends LINE_LINEDEVSTATE of the line.
    pub(super) fn line_state(&self, params: [usize; 3]) {
        let line = self.line();
        let event = LineMessage { line, call: None, message: LINE_LINEDEVSTATE, params };
        self.tell(|tapi| tapi.line_event(&event));
    }

    /// Begins a request of its phone.
    fn begin_phone(&self, request: RequestId) -> Result<Ticket, PhoneError> {
        self.phone_requests.lock().even_poisoned().push(request);
        if self.phone_early {
            self.complete_phone(Ok(()));
        }
        Ok(Ticket::ungated(request))
    }

    /// Does what a test wants done in a function, not under the lock.
    fn enter(&self) {
        let act = self.in_function.lock().even_poisoned().take();
        act.into_iter().for_each(|act| act());
    }

    /// A call comes in.
    pub(super) fn call_in(&self, driver: usize) -> HTAPICALL {
        let line = self.line();
        let call = self.tell(|tapi| tapi.new_call(line, HDRVCALL::new(driver).unwrap())).unwrap();
        self.state(call, CallState::Offering);
        call
    }
}

fn upcall<R>(act: impl FnOnce() -> R) -> R {
    let before = IN_UPCALL.replace(true);
    let result = act();
    IN_UPCALL.set(before);
    result
}

pub(super) fn tell_state(tapi: &mut dyn Tapi, line: HTAPILINE, call: HTAPICALL, state: CallState) {
    let params = [state.bit() as usize, 0, 4];
    tapi.line_event(&LineMessage { line, call: Some(call), message: LINE_CALLSTATE, params });
}
