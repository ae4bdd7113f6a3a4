//! Watches what passes between application and lines, and reports which rule was broken.
//!
//! It gets every request and every upcall in order. Of the inside it uses only one thing: whether a
//! request is still running. From that it knows which completions a held ticket keeps back, and so
//! which upcalls must not come before them.
//!
//! | file | what |
//! |---|---|
//! | `rule` | the rules |
//! | `request` | ids, tickets, completions, deadlines |
//! | `call` | calls, their states and events |

mod call;
mod request;
mod rule;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ringback_driver::request::RequestId;
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::{Monitor, Seen};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

pub(crate) use self::call::Origin;
use self::call::{Call, Life, State};
use self::request::Request;
pub(crate) use self::request::{Kind, Submitted};
pub use self::rule::{Broken, Rule};

/// The number of ids that are remembered after they were refused or completed.
const REMEMBERED: usize = 64;

/// The checker of one world.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    /// TAPI's handle of each line while it is open.
    lines: Vec<Option<HTAPILINE>>,
    requests: BTreeMap<RequestId, Request>,
    /// For each line the requests with held tickets that were over when everything deliverable had
    /// been delivered. One of them is at the head of the line's queue, so that nothing may be
    /// delivered before one of them is released.
    blocked: Vec<BTreeSet<RequestId>>,
    calls: BTreeMap<HDRVCALL, Call>,
    /// Calls that were closed or failed to be made, with the rule that another event would break.
    dead: BTreeMap<HDRVCALL, Rule>,
    refused: VecDeque<RequestId>,
    completed: VecDeque<RequestId>,
    /// Calls whose drop or answer completed with 0 in this delivery.
    dropped: Vec<HDRVCALL>,
    answered: Vec<HDRVCALL>,
    broken: Option<Broken>,
    /// The order rules of `ringback_tspi`, which see the same events.
    witness: Monitor,
}

impl Checker {
    pub(crate) fn new(lines: usize) -> Checker {
        Checker {
            lines: vec![None; lines],
            blocked: vec![BTreeSet::new(); lines],
            ..Checker::default()
        }
    }

    /// The first violation.
    pub(crate) fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    pub(crate) fn fail(&mut self, rule: Rule, text: String) {
        self.broken.get_or_insert(Broken { rule, text });
    }

    /// Passes an event to the witness as well.
    fn show(&mut self, seen: Seen) {
        let found = self.witness.see(seen).map(|violation| violation.to_string());
        if let Some(text) = found {
            // The checker should have found this before, under a rule of its own.
            self.fail(Rule::Witness, text);
        }
    }

    // Lines

    pub(crate) fn opened(&mut self, line: usize, tapi: HTAPILINE) {
        if let Some(place) = self.lines.get_mut(line) {
            *place = Some(tapi);
        }
    }

    /// Called before lineClose returns: which requests ran before it, and which still do.
    pub(crate) fn line_closed(
        &mut self,
        line: usize,
        before: &BTreeSet<RequestId>,
        after: &BTreeSet<RequestId>,
    ) {
        self.end_requests(before, after, Rule::D1, |request| request.at.line == line);
        self.forget_line(line);
    }

    /// Called when the shutdown begins. It ends what still runs and closes every line, so that
    /// events that a held ticket keeps back will never be delivered.
    pub(crate) fn stopping(&mut self, running: &BTreeSet<RequestId>) {
        self.end_requests(running, &BTreeSet::new(), Rule::D12, |_| true);
        for line in 0..self.lines.len() {
            self.forget_line(line);
        }
    }

    fn forget_line(&mut self, line: usize) {
        let ended = self.calls.extract_if(.., |_, call| call.line == line);
        self.dead.extend(ended.map(|(handle, _)| (handle, Rule::D5)));
        if let Some(tapi) = self.lines.get_mut(line).and_then(Option::take) {
            self.show(Seen::LineClosed { line: tapi });
        }
    }

    /// Called before lineCloseCall returns.
    pub(crate) fn call_closed(
        &mut self,
        handle: HDRVCALL,
        before: &BTreeSet<RequestId>,
        after: &BTreeSet<RequestId>,
    ) {
        self.end_requests(before, after, Rule::D5, |request| request.at.call == handle);
        self.bury(handle, Rule::D5);
        self.show(Seen::CallClosed { call: witnessed(handle) });
    }

    /// Called before lineDrop returns: which requests ran before it, and which run now. If the drop
    /// is complete already, the call's other requests must be, too; otherwise this is checked when
    /// it completes.
    pub(crate) fn dropping(
        &mut self,
        drop: RequestId,
        handle: HDRVCALL,
        before: &BTreeSet<RequestId>,
        after: &BTreeSet<RequestId>,
    ) {
        if !after.contains(&drop) {
            self.end_requests(before, after, Rule::D7, |request| request.at.call == handle);
        }
    }

    /// Records that a call is over. Any later event of it breaks the rule.
    fn bury(&mut self, handle: HDRVCALL, rule: Rule) {
        if self.calls.remove(&handle).is_some() {
            self.dead.insert(handle, rule);
        }
    }

    // At the end of a step

    /// Called when everything deliverable has been delivered; `running` are the requests that still
    /// run.
    pub(crate) fn delivered(&mut self, running: &BTreeSet<RequestId>) {
        for (line, blocked) in self.blocked.iter_mut().enumerate() {
            let held = |one: &Request| one.held && one.at.line == line;
            let back = self.requests.iter().filter(|(id, one)| held(one) && !running.contains(id));
            *blocked = back.map(|(id, _)| *id).collect();
        }
        let late = self.requests.iter().find(|(id, request)| {
            !running.contains(id) && !request.held && !self.is_blocked(request.at.line)
        });
        if let Some((id, request)) = late {
            let rule = request.due.unwrap_or(Rule::C3);
            let text = format!("{id} is over and released and was not delivered: {request:?}");
            self.fail(rule, text);
        }
        self.check_calls();
        self.check_generations();
    }

    fn check_calls(&mut self) {
        if self.dropped.is_empty() && self.answered.is_empty() {
            return;
        }
        let mut dropped = std::mem::take(&mut self.dropped);
        let mut answered = std::mem::take(&mut self.answered);
        let mut found = None;
        dropped.retain(|handle| {
            let Some(call) = self.calls.get(handle) else { return false };
            if call.is_live() && !self.is_blocked(call.line) {
                found = Some((Rule::D8, format!("{handle} was dropped and is {:?}", call.life)));
            }
            call.is_live() && self.is_blocked(call.line)
        });
        answered.retain(|handle| {
            let Some(call) = self.calls.get(handle) else { return false };
            let waits = call.is_live() && !call.connected;
            if waits && !self.is_blocked(call.line) {
                found = Some((Rule::Answered, format!("{handle} was answered: {call:?}")));
            }
            waits && self.is_blocked(call.line)
        });
        self.dropped = dropped;
        self.answered = answered;
        if let Some((rule, text)) = found {
            self.fail(rule, text);
        }
    }

    // Questions

    /// Whether a call may hold the line's loop closed, according to what was delivered.
    pub(crate) fn loop_held(&self, line: usize) -> bool {
        let answering = |one: &Request| one.at.line == line && one.at.kind == Kind::Answer;
        self.requests.values().any(answering)
            || self.calls.values().any(|call| call.line == line && call.holds_loop())
    }

    /// Whether a call must hold the line's loop closed, according to what was delivered.
    pub(crate) fn loop_needed(&self, line: usize) -> bool {
        !self.is_blocked(line)
            && self.calls.values().any(|call| call.line == line && call.needs_loop())
    }

    /// The state of the line's call; `None` if a held ticket may keep back a newer one.
    pub(crate) fn state_of(&self, line: usize) -> Option<CallState> {
        let told = self.known(line).filter(|_| !self.is_blocked(line));
        told.and_then(|(_, state)| state).map(|(state, _)| state)
    }

    /// The line's call that was announced, with its state.
    fn known(&self, line: usize) -> Option<(HDRVCALL, Option<State>)> {
        let handle = *self.calls(line).first()?;
        match self.calls.get(&handle)?.life {
            Life::Alive(state) => Some((handle, state)),
            _ => Some((handle, None)),
        }
    }

    /// Compares the states that the engine returned, for the line and, if it was asked, for the
    /// call, with those that were delivered.
    pub(crate) fn agree(
        &mut self,
        line: usize,
        of_line: Option<Option<CallState>>,
        of_call: Option<Option<Option<State>>>,
    ) {
        if self.is_blocked(line) {
            return;
        }
        let known = self.known(line).map(|(_, state)| state);
        let agrees = of_line == known.map(|known| known.map(|(state, _)| state));
        if !agrees || of_call.is_some_and(|of_call| of_call != known) {
            let text = format!(
                "line {line} was told to have {known:x?}, and says {of_line:x?}, {of_call:x?}"
            );
            self.fail(Rule::Agrees, text);
        }
    }

    /// Whether a telephone may ring for a call.
    pub(crate) fn may_ring(&self, line: usize) -> bool {
        self.calls.values().any(|call| call.line == line && call.may_ring())
    }

    pub(crate) fn is_open(&self, line: usize) -> bool {
        self.lines.get(line).is_some_and(Option::is_some)
    }

    /// The calls of a line that are being made or are not over.
    pub(crate) fn calls(&self, line: usize) -> Vec<HDRVCALL> {
        let known = |call: &Call| matches!(call.life, Life::Making(_)) || call.is_live();
        let of_line = self.calls.iter().filter(|(_, call)| call.line == line && known(call));
        of_line.map(|(handle, _)| *handle).collect()
    }

    /// The calls of a line that are neither idle nor closed nor failed.
    pub(crate) fn live_calls(&self, line: usize) -> Vec<HDRVCALL> {
        let live = |call: &Call| call.line == line && call.is_live();
        self.calls.iter().filter(|(_, call)| live(call)).map(|(handle, _)| *handle).collect()
    }
}

/// The handle for the witness, which uses TAPI's handles; here both have the same number.
fn witnessed(call: HDRVCALL) -> HTAPICALL {
    HTAPICALL::new(call.raw()).unwrap_or_else(|| unreachable!("a handle is never 0"))
}
