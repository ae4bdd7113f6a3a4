//! Bookkeeping of one line of any kind: its opening, its call, its requests.
//!
//! Every kind of line uses it, so the order rules hold for all of them: a state is emitted once,
//! IDLE ends the call (O3), and a request leaves the book before it is completed (C3, T4).

use ringback_driver::engine::{Context, Failure};
use ringback_driver::request::{ErrorCode, LineNumber, Token};
use ringback_tspi::callstate::{CallState, features};
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HDRVCALL;

use super::call::Call;
use super::device_status::DeviceStatus;
use super::opening::Openings;
use super::wishes::Wishes;
use super::{Event, Subject};

/// Calls that are over and not yet closed, per line. TAPI closes each one; if an application leaves
/// more than this, the oldest is forgotten.
const OVER: usize = 64;

/// The kinds of request a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    MakeCall,
    Dial,
    Answer,
    Drop,
    /// What the exchange is asked to do with calls.
    Switch,
    /// What it is asked for without a call.
    Service,
}

/// The TSPI error for a failure that the reactor found.
pub(crate) fn failure(cause: Failure) -> ErrorCode {
    let error = match cause {
        Failure::Gone => LineError::NODEVICE,
        _ => LineError::OPERATIONFAILED,
    };
    error.into()
}

/// Bookkeeping of one line: owner, call, outstanding requests. Every engine has one for each of its
/// lines.
#[derive(Debug)]
pub struct Book {
    /// Its number in the reactor.
    pub(crate) line: LineNumber,
    pub(crate) openings: Openings,
    pub(crate) wishes: Wishes,
    pub(crate) status: DeviceStatus,
    /// The live call, and of several that which the wire belongs to.
    pub(crate) call: Option<Call>,
    /// Further live calls: those that the exchange holds, and those whose function has not
    /// completed yet.
    pub(crate) aside: Vec<Call>,
    /// Calls in IDLE that are not closed.
    over: Vec<Call>,
    requests: Vec<(Token, Op)>,
}

impl Book {
    pub(crate) fn new(line: LineNumber) -> Book {
        Book {
            line,
            openings: Openings::default(),
            wishes: Wishes::default(),
            status: DeviceStatus::default(),
            call: None,
            aside: Vec::new(),
            over: Vec::with_capacity(OVER),
            requests: Vec::with_capacity(8),
        }
    }

    // Calls

    /// The call with this handle, live or over.
    pub(crate) fn find(&self, call: HDRVCALL) -> Option<&Call> {
        self.call.iter().chain(&self.aside).chain(&self.over).find(|one| one.handle == call)
    }

    /// As [`find`](Book::find), to change it.
    pub(crate) fn find_mut(&mut self, call: HDRVCALL) -> Option<&mut Call> {
        self.call
            .iter_mut()
            .chain(&mut self.aside)
            .chain(&mut self.over)
            .find(|one| one.handle == call)
    }

    /// The live call, if it has this handle.
    pub(crate) fn live(&mut self, call: HDRVCALL) -> Result<&mut Call, LineError> {
        match &mut self.call {
            Some(live) if live.handle == call => Ok(live),
            _ if self.over.iter().any(|one| one.handle == call) => Err(LineError::INVALCALLSTATE),
            _ => Err(LineError::INVALCALLHANDLE),
        }
    }

    /// As [`live`](Book::live), without changing it.
    pub(crate) fn living(&self, call: HDRVCALL) -> Result<&Call, LineError> {
        match self.call.iter().chain(&self.aside).find(|live| live.handle == call) {
            Some(live) => Ok(live),
            _ if self.over.iter().any(|one| one.handle == call) => Err(LineError::INVALCALLSTATE),
            _ => Err(LineError::INVALCALLHANDLE),
        }
    }

    /// Whether a call's state allows a function, whatever its line can do. Before its first state a
    /// call can only be dropped or closed.
    pub(crate) fn allows(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
        let state = self.living(call)?.state;
        let legal = state.map_or(LINECALLFEATURE_DROP, features::legal);
        if legal & feature == 0 { Err(LineError::INVALCALLSTATE) } else { Ok(()) }
    }

    /// The state of the live call.
    pub(crate) fn state(&self) -> Option<CallState> {
        self.call.as_ref().and_then(|call| call.state)
    }

    /// Whether there is a call, and this state and mode are not what was emitted last.
    pub(crate) fn would_change(&self, state: CallState, mode: u32) -> bool {
        self.call.as_ref().is_some_and(|call| call.state != Some(state) || call.mode != mode)
    }

    /// Moves the call to a state and emits it once. IDLE ends the call (O3).
    pub(crate) fn set_state(&mut self, cx: &mut Context<'_, Event>, state: CallState, mode: u32) {
        if !self.would_change(state, mode) {
            return;
        }
        let Some(call) = &mut self.call else { return };
        let before = call.state.replace(state);
        call.mode = mode;
        call.since = cx.now();
        let media = call.info.media as usize;
        self.tell_call(cx, LINE_CALLSTATE, [state.bit() as usize, mode as usize, media]);
        if state == CallState::Idle {
            if self.over.len() == OVER {
                self.over.remove(0);
            }
            self.over.extend(self.call.take());
        }
        let is_held = |state| state == Some(CallState::OnHold);
        if before.is_none() != (state == CallState::Idle) {
            self.counted(cx);
        } else if is_held(before) != is_held(Some(state)) {
            self.tell_address_states(cx, LINEADDRESSSTATE_NUMCALLS);
        }
    }

    /// Whether this is a further live call, and not that which the wire belongs to.
    pub(crate) fn is_aside(&self, call: HDRVCALL) -> bool {
        self.aside.iter().any(|one| one.handle == call)
    }

    /// Gives the wire to a further call; the one that has it becomes a further call.
    pub(crate) fn switch_to(&mut self, call: HDRVCALL) {
        if let Some(place) = self.aside.iter().position(|one| one.handle == call) {
            let next = self.aside.remove(place);
            self.aside.extend(self.call.replace(next));
        }
    }

    /// Moves a further call to a state and emits it. IDLE ends the call (O3).
    pub(crate) fn set_aside(
        &mut self,
        cx: &mut Context<'_, Event>,
        call: HDRVCALL,
        state: CallState,
        mode: u32,
    ) {
        let active = self.call.as_ref().map(|active| active.handle);
        self.switch_to(call);
        self.set_state(cx, state, mode);
        match active {
            Some(active) => self.switch_to(active),
            None => self.aside.extend(self.call.take()),
        }
    }

    /// Ends all further calls that TAPI knows of; one that was about to be made is forgotten.
    pub(crate) fn end_aside(&mut self, cx: &mut Context<'_, Event>, disconnected: Option<u32>) {
        let calls: Vec<_> =
            self.aside.iter().map(|call| (call.handle, call.state.is_some())).collect();
        for (call, known) in calls {
            if !known {
                self.forget(call);
                continue;
            }
            if let Some(mode) = disconnected {
                self.set_aside(cx, call, CallState::Disconnected, mode);
            }
            self.set_aside(cx, call, CallState::Idle, 0);
        }
    }

    /// Ends every live call but this one, as [`end_aside`](Book::end_aside) does.
    pub(crate) fn end_all_but(&mut self, cx: &mut Context<'_, Event>, call: HDRVCALL) {
        if self.is_aside(call) {
            self.switch_to(call);
        }
        self.end_aside(cx, None);
    }

    /// Announces a call that begins on the line, with its first state (N14).
    pub(crate) fn offer(&mut self, cx: &mut Context<'_, Event>, call: Call) {
        let Some(line) = self.openings.tapi() else { return };
        let subject = Subject::NewCall(call.handle);
        self.call = Some(call);
        cx.event(self.line, Event::Line { line, subject });
        self.set_state(cx, CallState::Offering, LINEOFFERINGMODE_ACTIVE);
    }

    /// Forgets a call without an event: it was closed, or making it failed.
    pub(crate) fn forget(&mut self, call: HDRVCALL) {
        self.call.take_if(|live| live.handle == call);
        self.aside.retain(|one| one.handle != call);
        self.over.retain(|one| one.handle != call);
    }

    // Ends

    /// Closes a call in any state (N6, N8): its requests fail, and no event of it follows (D5).
    pub(crate) fn close_call(&mut self, cx: &mut Context<'_, Event>, call: HDRVCALL) {
        let was_counted = self.living(call).is_ok_and(|live| live.state.is_some());
        if self.living(call).is_ok() {
            self.complete_all(cx, LineError::OPERATIONFAILED);
        }
        self.forget(call);
        cx.retain_events(self.line, |event| event.call() != Some(call));
        if was_counted {
            self.counted(cx);
        }
    }

    /// Closes the line: its requests fail (D1), and no event of it follows (D2). Its phone may stay
    /// open.
    pub(crate) fn close(&mut self, cx: &mut Context<'_, Event>) {
        self.complete_all(cx, LineError::OPERATIONFAILED);
        self.forget_all();
        cx.retain_events(self.line, Event::is_phones);
    }

    /// The device is gone: everything is completed before LINE_CLOSE (D13).
    pub(crate) fn gone(&mut self, cx: &mut Context<'_, Event>) {
        self.complete_all(cx, LineError::NODEVICE);
        self.end_aside(cx, Some(LINEDISCONNECTMODE_OUTOFORDER));
        if self.state().is_some() {
            self.set_state(cx, CallState::Disconnected, LINEDISCONNECTMODE_OUTOFORDER);
            self.set_state(cx, CallState::Idle, 0);
        }
        self.tell_line(cx, LINE_CLOSE, [0; 3]);
        self.forget_all();
    }

    fn forget_all(&mut self) {
        self.openings.close();
        self.call = None;
        self.aside.clear();
        self.over.clear();
    }

    // Events

    pub(crate) fn tell_line(&self, cx: &mut Context<'_, Event>, message: u32, params: [usize; 3]) {
        if let Some(line) = self.openings.tapi() {
            let subject = Subject::Line { message, params };
            cx.event(self.line, Event::Line { line, subject });
        }
    }

    pub(crate) fn tell_call(&self, cx: &mut Context<'_, Event>, message: u32, params: [usize; 3]) {
        if let (Some(line), Some(call)) = (self.openings.tapi(), &self.call) {
            let subject = Subject::Call { call: call.handle, message, params };
            cx.event(self.line, Event::Line { line, subject });
        }
    }

    // Requests

    pub(crate) fn started(&mut self, request: Token, op: Op) {
        self.requests.push((request, op));
    }

    /// Completes the requests of one kind.
    pub(crate) fn complete(
        &mut self,
        cx: &mut Context<'_, Event>,
        op: Op,
        result: Result<(), LineError>,
    ) {
        self.complete_if(cx, |one| one == op, result);
    }

    /// Completes every request (D1, D5, D7).
    pub(crate) fn complete_all(&mut self, cx: &mut Context<'_, Event>, result: LineError) {
        self.complete_if(cx, |_| true, Err(result));
    }

    fn complete_if(
        &mut self,
        cx: &mut Context<'_, Event>,
        which: impl Fn(Op) -> bool,
        result: Result<(), LineError>,
    ) {
        let result = result.map_err(ErrorCode::from);
        self.requests.retain(|(request, op)| {
            if which(*op) {
                cx.complete(*request, result);
            }
            !which(*op)
        });
    }

    /// Forgets a request that ended elsewhere, and returns its kind.
    pub(crate) fn ended(&mut self, request: Token) -> Option<Op> {
        let place = self.requests.iter().position(|(one, _)| *one == request)?;
        Some(self.requests.remove(place).1)
    }

    /// The youngest request of one kind.
    pub(crate) fn request(&self, op: Op) -> Option<Token> {
        self.requests.iter().rfind(|(_, one)| *one == op).map(|(request, _)| *request)
    }

    pub(crate) fn has(&self, op: Op) -> bool {
        self.requests.iter().any(|(_, one)| *one == op)
    }
}
