//! Completions and events of a loaded library, on their way to TAPI.
//!
//! The callbacks of C have no context parameter, so each loaded library has a set of its own, of
//! which there are [`PLACES`]. A library may call them at any time, from any thread, inside its own
//! functions, inside each other, and under its own locks. TAPI gets one upcall at a time (C6): a
//! thread that calls while another one delivers queues its message and returns, and the delivering
//! thread delivers it too. So no thread of the library's waits here, except in LINE_NEWCALL, which
//! returns a handle: it waits until the queue is delivered, for two seconds at most. After that it
//! gets no handle (N15), nor does it inside another upcall of the same thread.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ringback_request::sync::EvenPoisoned;
use ringback_request::{ErrorCode, report};

use super::{AsyncCompletion, LineEvent, PhoneEvent};
use crate::constants::{LINE_GATHERDIGITS, LINE_NEWCALL};
use crate::error::LineError;
use crate::functions::RequestId;
use crate::late::LateOutput;
use crate::provider::{Completion, LineMessage, PhoneMessage, Tapi};
use crate::types::*;

/// How long LINE_NEWCALL waits for other upcalls.
const NEW_CALL_WAIT: Duration = Duration::from_secs(2);

/// A completion or event for TAPI.
enum Message {
    Completion(Completion),
    Line(LineMessage),
    Phone(PhoneMessage),
}

/// What completes late memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LateKey {
    /// The completion of this request.
    Request(RequestId),
    /// LINE_GATHERDIGITS with this end-to-end id.
    Digits(u32),
}

#[derive(Default)]
struct State {
    /// The thread that delivers to TAPI.
    teller: Option<ThreadId>,
    tapi: Option<Box<dyn Tapi>>,
    queue: VecDeque<Message>,
    /// The provider is shut down; TAPI's upward interface is dropped after the last message.
    ending: bool,
    /// Requests whose functions have not returned, each with the error with which it has completed,
    /// if it has.
    asking: HashMap<RequestId, Option<ErrorCode>>,
    /// Requests whose completions are not delivered.
    unwanted: HashSet<RequestId>,
    /// Memory that the library fills, and where it is copied then.
    late: HashMap<LateKey, (Vec<u8>, LateOutput)>,
}

/// What one loaded library reports to TAPI.
#[derive(Default)]
pub(super) struct Upward {
    state: Mutex<State>,
    told: Condvar,
}

impl Upward {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().even_poisoned()
    }

    /// The provider is initialised. `false` if it was already (D15).
    pub fn begin_pair(&self, tapi: Box<dyn Tapi>) -> bool {
        let mut state = self.state();
        if state.tapi.is_some() || state.teller.is_some() {
            return false;
        }
        *state = State { tapi: Some(tapi), ..State::default() };
        true
    }

    /// Whether the provider is initialised.
    pub fn is_up(&self) -> bool {
        let state = self.state();
        state.tapi.is_some() || state.teller.is_some()
    }

    /// The provider is shut down, or its init has failed. The queue is delivered first.
    pub fn end_pair(&self) {
        self.state().ending = true;
        self.tell();
    }

    /// Notes that the function of a request is about to be called.
    pub fn asking(&self, request: RequestId) {
        let mut state = self.state();
        state.unwanted.remove(&request);
        state.asking.insert(request, None);
    }

    /// Notes that the function has returned. Returns the error with which the request has completed
    /// in the meantime, which was not delivered.
    pub fn asked(&self, request: RequestId) -> Option<ErrorCode> {
        let mut state = self.state();
        let failed = state.asking.remove(&request).flatten();
        if failed.is_some() {
            state.late.remove(&LateKey::Request(request));
        }
        failed
    }

    /// From now on the completion of this request is not delivered.
    pub fn unwanted(&self, request: RequestId) {
        self.state().unwanted.insert(request);
    }

    /// Keeps memory for the library until what `key` names has come; then its content is written to
    /// `output`.
    pub fn lend(&self, key: LateKey, mut memory: Vec<u8>, output: &LateOutput) -> *mut u8 {
        let at = memory.as_mut_ptr();
        // The library does not use what was lent under the same key before.
        self.state().late.insert(key, (memory, output.clone()));
        at
    }

    /// The function that took the memory has failed.
    pub fn give_back(&self, key: LateKey) {
        self.state().late.remove(&key);
    }

    fn push(&self, message: Message) {
        {
            let mut state = self.state();
            if state.tapi.is_none() && state.teller.is_none() {
                // C3, D12: before init and after shutdown nothing is delivered.
                return;
            }
            state.queue.push_back(message);
        }
        self.tell();
    }

    /// Delivers the queue, unless another thread is doing so.
    fn tell(&self) {
        let state = self.state();
        if state.teller.is_none() {
            drop(self.tell_by_me(state));
        }
    }

    fn tell_by_me<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        state.teller = Some(thread::current().id());
        while let Some(message) = state.queue.pop_front() {
            let Some(mut tapi) = state.tapi.take() else { break };
            drop(state);
            // A panic of TAPI's must not unwind into the library.
            let _ = catch_unwind(AssertUnwindSafe(|| match message {
                Message::Completion(completion) => tapi.completion(&completion),
                Message::Line(event) => tapi.line_event(&event),
                Message::Phone(event) => tapi.phone_event(&event),
            }));
            state = self.state();
            state.tapi = Some(tapi);
        }
        state.teller = None;
        if state.ending {
            let over = std::mem::take(&mut *state).tapi;
            drop(state);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(over)));
            state = self.state();
        }
        self.told.notify_all();
        state
    }

    /// A completion from C. It is not delivered if the number is no request id (T2); a positive
    /// result is a failure (C2).
    fn completion(&self, id: u32, result: i32) {
        let Some(request) = RequestId::new(id) else {
            report!(ERROR, "the library completed {id:#010x}, which is no request id");
            return;
        };
        let result = ErrorCode::result_of(result).unwrap_or_else(|| {
            report!(
                ERROR,
                "the library completed request {request} with {result}; a result is 0 or negative"
            );
            Err(LineError::OPERATIONFAILED.into())
        });
        {
            let mut state = self.state();
            if let (Err(error), Some(failed)) = (result, state.asking.get_mut(&request)) {
                *failed = Some(error);
                return;
            }
            if state.unwanted.remove(&request) {
                return;
            }
            state.arrived(LateKey::Request(request), result.is_ok());
        }
        self.push(Message::Completion(Completion::now(request, result)));
    }

    fn new_call(&self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let me = Some(thread::current().id());
        let mut state = self.state();
        if state.teller == me {
            return None;
        }
        state = self
            .told
            .wait_timeout_while(state, NEW_CALL_WAIT, |state| state.teller.is_some())
            .even_poisoned()
            .0;
        if state.teller.is_some() || state.ending {
            return None;
        }
        // Everything that was queued before is delivered first.
        state = self.tell_by_me(state);
        if state.teller.is_some() {
            return None;
        }
        let mut tapi = state.tapi.take()?;
        state.teller = me;
        drop(state);
        let made = catch_unwind(AssertUnwindSafe(|| tapi.new_call(line, call))).ok().flatten();
        let mut state = self.state();
        state.tapi = Some(tapi);
        drop(self.tell_by_me(state));
        made
    }

    fn line_event(&self, event: LineMessage) {
        if event.message == LINE_GATHERDIGITS
            && let Ok(id) = u32::try_from(event.params[1])
        {
            self.state().arrived(LateKey::Digits(id), true);
        }
        self.push(Message::Line(event));
    }
}

impl State {
    /// Late memory is complete.
    fn arrived(&mut self, key: LateKey, is_filled: bool) {
        if let Some((memory, output)) = self.late.remove(&key)
            && is_filled
        {
            output.write(&memory);
        }
    }
}

/// How many libraries can be loaded at a time.
pub(super) const PLACES: usize = 64;

/// The library that uses each set of callbacks.
static WAYS: [Mutex<Option<Arc<Upward>>>; PLACES] = [const { Mutex::new(None) }; PLACES];

fn way(place: usize) -> Option<Arc<Upward>> {
    WAYS.get(place)?.lock().even_poisoned().clone()
}

/// Gives a library a set of callbacks. `None` if all are in use.
pub(super) fn take_place(upward: &Arc<Upward>) -> Option<usize> {
    WAYS.iter().position(|way| {
        let mut way = way.lock().even_poisoned();
        if way.is_none() {
            *way = Some(Arc::clone(upward));
            return true;
        }
        false
    })
}

/// The callbacks of this place do nothing from now on.
pub(super) fn leave_place(place: usize) {
    if let Some(way) = WAYS.get(place) {
        *way.lock().even_poisoned() = None;
    }
}

unsafe extern "C" fn completion<const PLACE: usize>(id: u32, result: i32) {
    if let Some(way) = way(PLACE) {
        way.completion(id, result);
    }
}

unsafe extern "C" fn line_event<const PLACE: usize>(
    line: usize,
    call: usize,
    message: u32,
    param1: usize,
    param2: usize,
    param3: usize,
) {
    let (Some(way), Some(line)) = (way(PLACE), HTAPILINE::new(line)) else { return };
    if message != LINE_NEWCALL {
        let (call, params) = (HTAPICALL::new(call), [param1, param2, param3]);
        return way.line_event(LineMessage { line, call, message, params });
    }
    let made = HDRVCALL::new(param1).and_then(|call| way.new_call(line, call));
    let place = std::ptr::with_exposed_provenance_mut::<usize>(param2);
    if !place.is_null() {
        // SAFETY: the library guarantees memory for a handle at LINE_NEWCALL's second parameter.
        unsafe { place.write_unaligned(made.map_or(0, HTAPICALL::raw)) };
    }
}

unsafe extern "C" fn phone_event<const PLACE: usize>(
    phone: usize,
    message: u32,
    param1: usize,
    param2: usize,
    param3: usize,
) {
    if let (Some(way), Some(phone)) = (way(PLACE), HTAPIPHONE::new(phone)) {
        let params = [param1, param2, param3];
        way.push(Message::Phone(PhoneMessage { phone, message, params }));
    }
}

/// The callbacks of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callbacks {
    pub completion: AsyncCompletion,
    pub line: LineEvent,
    pub phone: PhoneEvent,
}

macro_rules! callbacks {
    ($($place:literal)*) => {
        /// The callbacks of each place.
        pub(super) const CALLBACKS: [Callbacks; PLACES] = [$(Callbacks {
            completion: completion::<$place>,
            line: line_event::<$place>,
            phone: phone_event::<$place>,
        }),*];
    };
}

callbacks! {
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62
    63
}
