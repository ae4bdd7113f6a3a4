//! Checks calls: how they begin, their states and events, and how they end.

use std::collections::VecDeque;

use ringback_driver::request::{LineNumber, RequestId};
use ringback_lines::{Event, Subject};
use ringback_tspi::callstate::monitor::Seen;
use ringback_tspi::callstate::{CallState, pots};
use ringback_tspi::constants::*;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::{Checker, Rule, witnessed};

/// Which side began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Outbound,
    Inbound,
}

/// What LINE_CALLINFO says that has changed when a caller becomes known.
const CALLER: usize = (LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_DISPLAY) as usize;

/// A state with its mode.
pub(super) type State = (CallState, usize);

/// How far a call has progressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The request that makes it is outstanding.
    Making(RequestId),
    /// LINE_NEWCALL was delivered, and its first state was not.
    Announced,
    /// The call's state with its mode, once a state was delivered.
    Alive(Option<State>),
}

/// A call that is not closed, and that did not fail to be made.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) line: usize,
    pub(super) origin: Origin,
    pub(super) life: Life,
    /// Whether CONNECTED was delivered for it.
    pub(super) connected: bool,
    /// dwEndToEndIDs of digit generations whose end was not delivered, in the order of their
    /// starts.
    pub(super) generating: VecDeque<u32>,
    /// How many of these, beginning with the oldest, were ended by the next one or by a cancel.
    /// Their ends will be delivered after everything that was queued before.
    pub(super) ending: usize,
    /// All LINEDIGITMODE_ bits that were requested.
    monitored: u32,
    /// How many LINE_CALLINFO it had for a caller.
    callers_told: u32,
}

impl Call {
    pub(super) fn new(line: usize, origin: Origin, life: Life) -> Call {
        let generating = VecDeque::new();
        Call {
            line,
            origin,
            life,
            connected: false,
            generating,
            ending: 0,
            monitored: 0,
            callers_told: 0,
        }
    }

    /// Returns whether the call exists for the application and is not over.
    pub(super) fn is_live(&self) -> bool {
        match self.life {
            Life::Announced => true,
            Life::Alive(state) => state.is_none_or(|(state, _)| state != CallState::Idle),
            Life::Making(_) => false,
        }
    }

    pub(super) fn holds_loop(&self) -> bool {
        match self.life {
            Life::Making(_) | Life::Announced | Life::Alive(None) => true,
            Life::Alive(Some((state, _))) => {
                !matches!(state, CallState::Idle | CallState::Offering | CallState::Accepted)
            }
        }
    }

    pub(super) fn needs_loop(&self) -> bool {
        match self.life {
            Life::Alive(Some((state, _))) => !matches!(
                state,
                CallState::Idle
                    | CallState::Offering
                    | CallState::Accepted
                    | CallState::Disconnected
            ),
            _ => false,
        }
    }

    pub(super) fn may_ring(&self) -> bool {
        match self.life {
            Life::Making(_) | Life::Alive(None) => true,
            Life::Alive(Some((state, _))) => state == CallState::Ringback,
            Life::Announced => false,
        }
    }
}

impl Checker {
    /// Notes that the request that makes a call is complete.
    pub(super) fn made(&mut self, id: RequestId, handle: HDRVCALL, success: bool) {
        let Some(call) = self.calls.get_mut(&handle) else { return };
        let line = call.line;
        if call.life == Life::Making(id) && success {
            call.life = Life::Alive(None);
        } else if call.life == Life::Making(id) {
            self.bury(handle, Rule::N4);
        }
        self.check_one_call(line);
    }

    fn check_one_call(&mut self, line: usize) {
        let live = self.live_calls(line);
        if live.len() > 1 {
            self.fail(Rule::OneCall, format!("line {line} has {} calls: {live:?}", live.len()));
        }
    }

    /// The last state of a call that was delivered, with its mode.
    pub(crate) fn state(&self, handle: HDRVCALL) -> Option<State> {
        match self.calls.get(&handle)?.life {
            Life::Alive(state) => state,
            _ => None,
        }
    }

    /// How many LINE_CALLINFO of a call have told a caller.
    pub(crate) fn callers_told(&self, handle: HDRVCALL) -> u32 {
        self.calls.get(&handle).map_or(0, |call| call.callers_told)
    }

    /// Notes that digits are generated on a call; `None` cancels them.
    pub(crate) fn generating(&mut self, handle: HDRVCALL, end_to_end: Option<u32>) {
        if let Some(call) = self.calls.get_mut(&handle) {
            call.ending = call.generating.len();
            call.generating.extend(end_to_end);
        }
    }

    /// Checks, when everything deliverable has been delivered, that on each call at most the
    /// youngest generation continues.
    pub(super) fn check_generations(&mut self) {
        let late = |call: &Call| call.ending > 0 && !self.is_blocked(call.line);
        let found = self.calls.iter().find(|(_, call)| late(call));
        if let Some((handle, Call { generating, ending, .. })) = found {
            let text = format!("of {generating:?} on {handle} the first {ending} were not ended");
            self.fail(Rule::D17, text);
        }
    }

    /// Notes that digits are monitored on a call.
    pub(crate) fn monitoring(&mut self, handle: HDRVCALL, modes: u32) {
        if let Some(call) = self.calls.get_mut(&handle) {
            call.monitored |= modes;
        }
    }

    /// Checks an event that was delivered.
    pub(crate) fn event(&mut self, line: LineNumber, event: &Event) {
        self.check_overtaking(line.index(), format_args!("{event:?}"));
        let open = self.lines.get(line.index()).copied().flatten();
        let Event::Line { line: told, subject } = *event else {
            return self.fail(Rule::D2, format!("{event:?}, although no phone is open"));
        };
        if open != Some(told) {
            // An event of a call that was closed on its own is reported under D5 below.
            let text = format!("{event:?} of line {line}, which is open as {open:?}");
            return self.fail(Rule::D2, text);
        }
        match subject {
            Subject::NewCall(call) => self.new_call(line.index(), told, call),
            Subject::Call { call, message, params } => {
                self.call_event(line.index(), told, call, message, params);
            }
            Subject::Line { message, .. } => self.line_event(line.index(), told, message),
        }
    }

    fn new_call(&mut self, line: usize, tapi: HTAPILINE, handle: HDRVCALL) {
        if self.calls.contains_key(&handle) || self.dead.contains_key(&handle) {
            return self.fail(Rule::N14, format!("LINE_NEWCALL for {handle}, which is known"));
        }
        self.calls.insert(handle, Call::new(line, Origin::Inbound, Life::Announced));
        let call = Some(witnessed(handle));
        self.show(Seen::NewCall { line: tapi, driver_call: handle, call });
        self.check_one_call(line);
    }

    fn line_event(&mut self, line: usize, tapi: HTAPILINE, message: u32) {
        self.show(Seen::Event { line: tapi, call: None, message, param1: 0 });
        if message != LINE_CLOSE {
            return;
        }
        if let Some(id) = self.first_of_line(line) {
            self.fail(Rule::D13, format!("LINE_CLOSE of line {line} while {id} is outstanding"));
        }
        self.forget_line(line);
    }

    fn call_event(
        &mut self,
        line: usize,
        tapi: HTAPILINE,
        handle: HDRVCALL,
        message: u32,
        params: [usize; 3],
    ) {
        let name = line_message_name(message).unwrap_or("an unknown message");
        let is_state = message == LINE_CALLSTATE;
        if let Some(rule) = self.dead.get(&handle) {
            return self.fail(*rule, format!("{name} {params:x?} of {handle}, which is over"));
        }
        let Some(call) = self.calls.get_mut(&handle) else {
            return self.fail(Rule::N14, format!("{name} of {handle}, which was not announced"));
        };
        let mut what = format!("{name} {params:x?} of {handle}, which was {:?}", call.life);
        if !call.generating.is_empty() {
            what += &format!(" and generated {:?}", call.generating);
        }
        if call.line != line {
            let text = format!("{what}: told on line {line}, made on line {}", call.line);
            return self.fail(Rule::D2, text);
        }
        let rule = match call.life {
            Life::Making(_) => Some(Rule::N4),
            Life::Announced if !is_state => Some(Rule::N14),
            Life::Alive(Some((CallState::Idle, _))) if message == LINE_CALLINFO => Some(Rule::O4),
            Life::Alive(Some((CallState::Idle, _))) => Some(Rule::O3),
            Life::Announced | Life::Alive(_) => None,
        };
        if let Some(rule) = rule {
            return self.fail(rule, what);
        }
        let found = match message {
            LINE_CALLSTATE => call.enter(params),
            LINE_GENERATE => call.generated(params),
            LINE_MONITORDIGITS => call.heard(params),
            LINE_CALLINFO => {
                call.callers_told += u32::from(params[0] & CALLER != 0);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(rule) = found {
            self.fail(rule, what);
        }
        let call = Some(witnessed(handle));
        self.show(Seen::Event { line: tapi, call, message, param1: params[0] });
    }
}

impl Call {
    fn enter(&mut self, [state, mode, _]: [usize; 3]) -> Result<(), Rule> {
        let word = u32::try_from(state).map_err(|_| Rule::Steps)?;
        let state = CallState::from_raw(word).ok_or(Rule::Steps)?;
        let before = match self.life {
            Life::Alive(before) => before,
            _ => None,
        };
        self.life = Life::Alive(Some((state, mode)));
        self.connected |= state == CallState::Connected;
        if before == Some((state, mode)) {
            return Err(Rule::Repeated);
        }
        let table = match self.origin {
            Origin::Outbound => pots::OUTBOUND,
            Origin::Inbound => pots::INBOUND,
        };
        let from = before.map(|(state, _)| state);
        if from != Some(state) && !pots::may_follow(table, from, state) {
            return Err(Rule::Steps);
        }
        let known = match state.mode_family() {
            Some(family) => u32::try_from(mode).is_ok_and(|mode| family.name_of(mode).is_some()),
            None => mode == 0,
        };
        if !known {
            return Err(Rule::Steps);
        }
        let over = matches!(state, CallState::Idle | CallState::Disconnected);
        if over && !self.generating.is_empty() {
            return Err(Rule::D17);
        }
        Ok(())
    }

    fn generated(&mut self, [how, end_to_end, _]: [usize; 3]) -> Result<(), Rule> {
        let ended = [LINEGENERATETERM_DONE, LINEGENERATETERM_CANCEL].map(|term| term as usize);
        // Only one generation runs at a time, so that they end in the order in which they began.
        // Several may have begun since this one, because the application starts them between two
        // upcalls, and the events of their ends come later.
        let first = self.generating.pop_front();
        self.ending = self.ending.saturating_sub(1);
        let is_first = first.is_some_and(|id| u32::try_from(end_to_end) == Ok(id));
        if ended.contains(&how) && is_first { Ok(()) } else { Err(Rule::D17) }
    }

    fn heard(&self, [_, mode, _]: [usize; 3]) -> Result<(), Rule> {
        let disconnected = matches!(self.life, Life::Alive(Some((CallState::Disconnected, _))));
        let asked = u32::try_from(mode).is_ok_and(|mode| self.monitored & mode != 0);
        if asked && !disconnected { Ok(()) } else { Err(Rule::O5) }
    }
}
