//! Checks requests: ids, tickets, completions, deadlines.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::request::{Completion, LineNumber, RequestId, Token};
use ringback_tspi::callstate::monitor::Seen;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HDRVCALL;

use super::call::{Call, Life};
use super::{Checker, Origin, REMEMBERED, Rule, witnessed};

/// A deadline may be noticed this much late.
const SLACK: Duration = Duration::from_millis(1);

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MakeCall,
    Dial,
    Answer,
    Drop,
    /// One that changes bookkeeping only: accepting a call, attaching data to it.
    Keep,
    /// One that sends or receives bytes.
    Data,
}

/// A request that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submitted {
    pub(crate) id: RequestId,
    pub(crate) token: Token,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) call: HDRVCALL,
    pub(crate) time: Time,
    pub(crate) limit: Duration,
}

/// A request that is outstanding.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) at: Submitted,
    pub(super) held: bool,
    /// Set if it ran when its call was dropped, or its call or line closed: the rule by which it
    /// has failed.
    pub(super) due: Option<Rule>,
}

impl Checker {
    /// Notes that a request was accepted, whose ticket is held.
    pub(crate) fn submitted(&mut self, at: Submitted) {
        if self.requests.contains_key(&at.id) {
            self.fail(Rule::T3, format!("{} is given to a second request", at.id));
        }
        if at.kind == Kind::MakeCall {
            let made = Call::new(at.line, Origin::Outbound, Life::Making(at.id));
            self.calls.insert(at.call, made);
            if let Some(line) = self.lines.get(at.line).copied().flatten() {
                self.show(Seen::Making { request: at.id, line, call: witnessed(at.call) });
            }
        }
        self.refused.retain(|id| *id != at.id);
        self.completed.retain(|id| *id != at.id);
        self.requests.insert(at.id, Request { at, held: true, due: None });
    }

    /// Notes that a request was refused. `id` is set if the caller has chosen it.
    pub(crate) fn refused(&mut self, id: Option<RequestId>) {
        if let Some(id) = id {
            remember(&mut self.refused, id);
        }
    }

    /// Notes that the application is about to release a ticket.
    pub(crate) fn released(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(&id) else { return };
        request.held = false;
        let line = request.at.line;
        if let Some(blocked) = self.blocked.get_mut(line)
            && blocked.remove(&id)
        {
            // It may have been the first of the queue. What is behind it is known after the next
            // delivery.
            blocked.clear();
        }
    }

    /// Checks a completion that was delivered.
    pub(crate) fn completed(&mut self, completion: &Completion, now: Time) {
        let (id, result) = (completion.id, completion.result.map_err(LineError::from));
        let Some(request) = self.requests.remove(&id) else {
            let (rule, text) = if self.refused.contains(&id) {
                (Rule::R4, "was refused")
            } else if self.completed.contains(&id) {
                (Rule::C3, "had completed")
            } else {
                (Rule::C3, "was never submitted")
            };
            return self.fail(rule, format!("{id} completed with {result:?}, but {text}"));
        };
        remember(&mut self.completed, id);
        let Submitted { line, time, limit, .. } = request.at;
        if request.held {
            self.fail(Rule::G1, format!("{id} completed while its ticket was held"));
        }
        if completion.line != LineNumber::at(line) {
            let text = format!("{id} of line {line} completed on line {}", completion.line);
            self.fail(Rule::C3, text);
        }
        self.check_overtaking(line, format_args!("the completion of {id}"));
        let took = completion.completed - completion.submitted;
        if completion.submitted != time || took > limit + SLACK || completion.completed > now {
            let text = format!("{completion:?}: submitted {time:?}, limit {limit:?}, now {now:?}");
            self.fail(Rule::Deadline, text);
        }
        if let Some(rule) = request.due
            && result != Err(LineError::OPERATIONFAILED)
        {
            let closed = rule != Rule::D7;
            let rule = if closed && request.at.kind == Kind::MakeCall { Rule::N6 } else { rule };
            let how = if closed { "closed" } else { "dropped" };
            self.fail(rule, format!("{id} was {how} and completed with {result:?}"));
        }
        self.show(Seen::Completed { request: id, result: completion.result });
        self.effect(&request.at, result.is_ok());
    }

    /// Applies what a completion means for the call.
    fn effect(&mut self, request: &Submitted, success: bool) {
        match request.kind {
            Kind::MakeCall => self.made(request.id, request.call, success),
            Kind::Drop if success => {
                let Submitted { id, call, .. } = *request;
                // Further drops of the call complete together with the first one.
                let other = |one: &Request| one.at.call == call && one.at.kind != Kind::Drop;
                let left = self.requests.iter().find(|(_, one)| other(one));
                if let Some((left, _)) = left {
                    let text = format!("{id} dropped {call} while {left} of it is outstanding");
                    self.fail(Rule::D7, text);
                }
                self.dropped.push(call);
            }
            Kind::Answer if success => self.answered.push(request.call),
            Kind::Drop | Kind::Answer | Kind::Dial | Kind::Keep | Kind::Data => {}
        }
    }

    /// Reports an upcall of a line on which a completion is held back.
    pub(super) fn check_overtaking(&mut self, line: usize, what: std::fmt::Arguments<'_>) {
        let blocked = self.blocked.get(line).filter(|blocked| !blocked.is_empty());
        if let Some(blocked) = blocked {
            let text = format!("{what} overtakes a completion that is held back: {blocked:?}");
            self.fail(Rule::O1, text);
        }
    }

    /// Whether a held ticket may keep back some of the line's upcalls: those behind its completion,
    /// or behind events that its request emitted when it was started.
    pub(crate) fn is_blocked(&self, line: usize) -> bool {
        self.requests.values().any(|request| request.held && request.at.line == line)
    }

    /// Notes that requests that ran when something was dropped or closed are over now, and are due
    /// for delivery.
    pub(super) fn end_requests(
        &mut self,
        before: &BTreeSet<RequestId>,
        after: &BTreeSet<RequestId>,
        rule: Rule,
        concerned: impl Fn(&Request) -> bool,
    ) {
        let mut found = None;
        for (id, request) in &mut self.requests {
            if concerned(request) && before.contains(id) {
                request.due = Some(rule);
                found = found.or(after.contains(id).then_some(*id));
            }
        }
        if let Some(id) = found {
            self.fail(rule, format!("{id} still runs after what ends it"));
        }
    }

    /// Checks the deadlines after time has passed.
    pub(crate) fn step(&mut self, now: Time, running: &BTreeSet<RequestId>) {
        let over = self
            .requests
            .iter()
            .find(|(id, one)| running.contains(id) && now > one.at.time + one.at.limit + SLACK);
        if let Some((id, request)) = over {
            let text = format!("{id} still runs: {request:?}");
            self.fail(Rule::Deadline, text);
        }
    }

    /// Checks at the end that nothing is left: the reactor has stopped and every ticket is
    /// released.
    pub(crate) fn stopped(&mut self) {
        if let Some((id, request)) = self.requests.first_key_value() {
            let text = format!("{id} was not settled by the shutdown: {request:?}");
            self.fail(Rule::D12, text);
        }
    }

    /// The outstanding requests.
    pub(crate) fn outstanding(&self) -> impl Iterator<Item = (RequestId, Token)> + '_ {
        self.requests.iter().map(|(id, request)| (*id, request.at.token))
    }

    pub(crate) fn is_outstanding(&self, id: RequestId) -> bool {
        self.requests.contains_key(&id)
    }

    /// An outstanding request of the line, if there is one.
    pub(super) fn first_of_line(&self, line: usize) -> Option<RequestId> {
        self.requests.iter().find(|(_, one)| one.at.line == line).map(|(id, _)| *id)
    }
}

fn remember(ids: &mut VecDeque<RequestId>, id: RequestId) {
    if ids.len() == REMEMBERED {
        ids.pop_front();
    }
    ids.push_back(id);
}
