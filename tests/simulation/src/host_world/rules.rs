//! What has to hold between the host and its application, by what the host's observer sees.

use std::collections::{BTreeMap, BTreeSet};

use ringback_driver::request::RequestId;
use ringback_host::{Call, LineEvent, PhoneEvent, Traced};
use ringback_tspi::callstate::CallState;
use ringback_tspi::types::HTAPICALL;

use crate::checker::{Broken, Rule};
use crate::journal::{Journal, note};

/// The function whose success ends the other requests of its call.
const DROP: &str = "lineDrop";

/// A call, from the function that makes it or its announcement on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Its request is outstanding.
    Making,
    /// It was announced, and has no state yet.
    Announced,
    /// It was made, or has a state.
    Alive,
    Idle,
    /// It was not made, or was refused.
    Dead,
}

/// A message of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    New,
    State(CallState),
    Info,
    Other,
}

/// A request without an outcome.
#[derive(Debug, Clone, Copy)]
struct Outstanding {
    function: &'static str,
    /// The line or phone.
    of: Gone,
    call: Option<HTAPICALL>,
}

/// What is closed, or can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gone {
    Call(HTAPICALL),
    /// A line by its device id.
    Line(u32),
    /// A phone by its device id.
    Phone(u32),
}

/// What the host has told, and the first violation.
pub(super) struct Rules {
    journal: Journal,
    /// Whether something may be delivered now. On a `LocalHost` nothing is delivered within a
    /// function of the application's.
    may_deliver: bool,
    outstanding: BTreeMap<RequestId, Outstanding>,
    /// The lines and phones that an application has opened.
    open: BTreeSet<Gone>,
    calls: BTreeMap<HTAPICALL, Life>,
    /// What was closed, and whether the last of it was delivered.
    closed: BTreeMap<Gone, bool>,
    /// The number of callbacks that requests were given and that have not run.
    callbacks: usize,
    broken: Option<Broken>,
}

impl Rules {
    pub(super) fn new(journal: Journal) -> Rules {
        Rules {
            journal,
            may_deliver: false,
            outstanding: BTreeMap::new(),
            open: BTreeSet::new(),
            calls: BTreeMap::new(),
            closed: BTreeMap::new(),
            callbacks: 0,
            broken: None,
        }
    }

    pub(super) fn fail(&mut self, rule: Rule, text: String) {
        note!(self.journal, "     {rule} is broken: {text}");
        self.broken.get_or_insert(Broken { rule, text });
    }

    fn fail_if(&mut self, is_wrong: bool, rule: Rule, text: impl FnOnce() -> String) {
        if is_wrong {
            self.fail(rule, text());
        }
    }

    pub(super) fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    pub(super) fn may_deliver(&mut self, may: bool) {
        self.may_deliver = may;
    }

    /// What the observer is told.
    pub(super) fn see(&mut self, traced: &Traced<'_>) {
        match *traced {
            Traced::Submitted { id, function, call, device_id, .. } => {
                note!(self.journal, "app  {function} {id} call {call}");
                let of = Gone::Line(device_id);
                self.submitted(id, Outstanding { function, of, call: Some(call) });
                if function == "lineMakeCall" {
                    self.calls.insert(call, Life::Making);
                }
            }
            Traced::PhoneSubmitted { id, function, device_id, .. } => {
                note!(self.journal, "app  {function} {id} phone {device_id}");
                let of = Gone::Phone(device_id);
                self.submitted(id, Outstanding { function, of, call: None });
            }
            Traced::Refused { id, error, .. } => {
                note!(self.journal, "app  {id} refused: {error}");
                self.end(id, false);
            }
            Traced::PhoneRefused { id, error, .. } => {
                note!(self.journal, "app  {id} refused: {error}");
                self.end(id, false);
            }
            Traced::Completed { id, outcome, early, .. } => {
                note!(self.journal, "app  {id} complete: {outcome:?}");
                self.completed(id, outcome.is_ok(), early);
            }
            Traced::PhoneCompleted { id, outcome, early, .. } => {
                note!(self.journal, "app  {id} complete: {outcome:?}");
                self.completed(id, outcome.is_ok(), early);
            }
            Traced::Duplicate { id, .. } => {
                self.fail(Rule::C3, format!("{id} completes twice, or was never asked for"));
            }
            Traced::Lost { id, .. } => {
                self.fail(Rule::D12, format!("{id} was not complete at the shutdown"));
            }
            Traced::Event { device_id, event } => self.event(device_id, event),
            Traced::PhoneEvent { device_id, event } => self.phone_event(device_id, event),
            _ => {}
        }
    }

    fn submitted(&mut self, id: RequestId, request: Outstanding) {
        let taken = self.outstanding.insert(id, request).is_some();
        self.fail_if(taken, Rule::T3, || format!("{id} is outstanding already"));
    }

    /// A completion that the host held back comes after the function as well.
    fn completed(&mut self, id: RequestId, well: bool, early: bool) {
        self.delivered(|| format!("{id}, early: {early}"));
        self.end(id, well);
    }

    fn delivered(&mut self, what: impl FnOnce() -> String) {
        self.fail_if(!self.may_deliver, Rule::G1, || {
            format!("{} is delivered within a function", what())
        });
    }

    /// A request is over.
    fn end(&mut self, id: RequestId, well: bool) {
        let Some(Outstanding { function, call, .. }) = self.outstanding.remove(&id) else {
            return self.fail(Rule::C3, format!("{id} is not outstanding"));
        };
        if well && function == DROP {
            // Further drops of the call complete together with the first one.
            let mut others = self.outstanding.iter();
            let left = others.find(|(_, one)| one.call == call && one.function != DROP);
            let left =
                left.map(|(left, one)| format!("{id} dropped {call:?} before {left}: {one:?}"));
            left.into_iter().for_each(|text| self.fail(Rule::D7, text));
        }
        let life = call.and_then(|call| self.calls.get_mut(&call));
        if let Some(life) = life.filter(|life| **life == Life::Making) {
            *life = if well { Life::Alive } else { Life::Dead };
        }
    }

    fn event(&mut self, device: u32, event: &LineEvent) {
        let message = match event {
            LineEvent::NewCall { .. } => Message::New,
            LineEvent::State { state, .. } => Message::State(*state),
            LineEvent::CallInfo { .. } => Message::Info,
            _ => Message::Other,
        };
        let call = event.call().map(Call::handle);
        // Not the event itself, which has the time of the machine's clock.
        note!(self.journal, "app  line {device}: call {call:?} gets {message:?}");
        self.delivered(|| format!("{event:?}"));
        if matches!(event, LineEvent::Closed { .. }) {
            self.closed_by_itself(Gone::Line(device), device);
        }
        let after = self.closed.get(&Gone::Line(device)) == Some(&true);
        self.fail_if(after, Rule::D2, || format!("line {device} is closed: {event:?}"));
        if let Some(call) = call {
            self.of_call(call, message);
        }
    }

    fn phone_event(&mut self, device: u32, event: &PhoneEvent) {
        if let PhoneEvent::State { changed, detail, .. } = event {
            note!(self.journal, "app  phone {device}: {changed:#x} is {detail:#x}");
        }
        self.delivered(|| format!("{event:?}"));
        if matches!(event, PhoneEvent::Closed { .. }) {
            self.closed_by_itself(Gone::Phone(device), device);
        }
        let after = self.closed.get(&Gone::Phone(device)) == Some(&true);
        self.fail_if(after, Rule::D10, || format!("phone {device} is closed: {event:?}"));
    }

    fn of_call(&mut self, call: HTAPICALL, message: Message) {
        let after = self.closed.get(&Gone::Call(call)) == Some(&true);
        self.fail_if(after, Rule::D5, || format!("{call} is closed: {message:?}"));
        let life = self.calls.get(&call).copied();
        let rule = match (life, message) {
            (None, Message::New) => {
                self.calls.insert(call, Life::Announced);
                return;
            }
            (None, _) | (Some(_), Message::New) => Rule::N14,
            (Some(Life::Making | Life::Dead), _) => Rule::N4,
            (Some(Life::Announced), Message::Info | Message::Other) => Rule::N14,
            (Some(Life::Idle), Message::State(_)) => Rule::O3,
            (Some(Life::Idle), Message::Info) => Rule::O4,
            (Some(_), Message::State(state)) => {
                let idle = state == CallState::Idle;
                self.calls.insert(call, if idle { Life::Idle } else { Life::Alive });
                return;
            }
            (Some(_), _) => return,
        };
        self.fail(rule, format!("{call} is {life:?}, and gets {message:?}"));
    }

    /// A function that closes has returned; `now` if nothing follows, otherwise what is left is
    /// delivered when the host is run next.
    pub(super) fn closed(&mut self, gone: Gone, now: bool) {
        self.open.remove(&gone);
        self.closed.insert(gone, now);
        if now {
            self.nothing_is_left(gone);
        }
    }

    /// LINE_CLOSE or PHONE_CLOSE: every request has its outcome before it.
    fn closed_by_itself(&mut self, gone: Gone, device: u32) {
        self.open.remove(&gone);
        let left = self.left_of(gone);
        self.fail_if(left.is_some(), Rule::D13, || format!("{device} is closed before {left:?}"));
    }

    /// A request of what is closed.
    fn left_of(&self, gone: Gone) -> Option<RequestId> {
        let of = |one: &Outstanding| match gone {
            Gone::Call(call) => one.call == Some(call),
            Gone::Line(_) | Gone::Phone(_) => one.of == gone,
        };
        self.outstanding.iter().find(|(_, one)| of(one)).map(|(id, _)| *id)
    }

    fn nothing_is_left(&mut self, gone: Gone) {
        let rule = match gone {
            Gone::Call(_) => Rule::D5,
            Gone::Line(_) => Rule::D1,
            Gone::Phone(_) => Rule::D10,
        };
        let left = self.left_of(gone);
        self.fail_if(left.is_some(), rule, || format!("{gone:?} is closed before {left:?}"));
    }

    /// Whether any application has it open.
    pub(super) fn is_open(&self, which: Gone) -> bool {
        self.open.contains(&which)
    }

    pub(super) fn opened(&mut self, which: Gone) {
        let twice = !self.open.insert(which);
        self.fail_if(twice, Rule::OneCall, || format!("{which:?} opens twice"));
        self.closed.remove(&which);
    }

    /// The host was run, and has delivered everything.
    pub(super) fn settle(&mut self) {
        let settled: Vec<Gone> =
            self.closed.iter().filter(|(_, settled)| !**settled).map(|(gone, _)| *gone).collect();
        for gone in settled {
            self.closed.insert(gone, true);
            self.nothing_is_left(gone);
        }
    }

    /// A request was given a callback.
    pub(super) fn owe_callback(&mut self) {
        self.callbacks += 1;
    }

    /// A callback runs.
    pub(super) fn callback(&mut self) {
        self.delivered(|| "a callback".to_owned());
        self.fail_if(self.callbacks == 0, Rule::C3, || "a callback runs twice".to_owned());
        self.callbacks = self.callbacks.saturating_sub(1);
    }

    pub(super) fn stopping(&mut self) {
        note!(self.journal, "     {} requests are outstanding", self.outstanding.len());
    }

    /// The host is shut down: nothing is left of it (D12).
    pub(super) fn stopped(&mut self) {
        let left: BTreeSet<RequestId> = std::mem::take(&mut self.outstanding).into_keys().collect();
        self.fail_if(!left.is_empty(), Rule::D12, || format!("{left:?} have no outcome"));
        let callbacks = std::mem::take(&mut self.callbacks);
        self.fail_if(callbacks != 0, Rule::C3, || format!("{callbacks} callbacks did not run"));
        self.calls.clear();
        self.closed.clear();
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use ringback_tspi::error::LineError;

    use super::*;

    fn call() -> HTAPICALL {
        HTAPICALL::new(7).unwrap()
    }

    fn id() -> RequestId {
        RequestId::new(3).unwrap()
    }

    const AT: ringback_driver::Time = ringback_driver::Time::ZERO;

    fn asked(function: &'static str) -> Traced<'static> {
        Traced::Submitted { id: id(), function, device_id: 0, call: call(), at: AT }
    }

    fn completed(outcome: Result<(), LineError>) -> Traced<'static> {
        Traced::Completed { id: id(), outcome, completed: AT, delivered: AT, early: false }
    }

    /// The rule that is broken by what a host does.
    fn broken(host: impl FnOnce(&mut Rules)) -> Option<Rule> {
        let mut rules = Rules::new(Journal::default());
        rules.may_deliver(true);
        host(&mut rules);
        rules.broken().map(|broken| broken.rule)
    }

    /// After a call was made, and its request has succeeded.
    fn broken_later(host: impl FnOnce(&mut Rules)) -> Option<Rule> {
        broken(|rules| {
            rules.see(&asked("lineMakeCall"));
            rules.see(&completed(Ok(())));
            rules.of_call(call(), Message::State(CallState::DialTone));
            assert!(rules.broken().is_none());
            host(rules);
        })
    }

    #[test]
    fn each_rule_of_requests_is_noticed() {
        let twice = |rules: &mut Rules| rules.see(&completed(Ok(())));
        assert_eq!(broken_later(twice), Some(Rule::C3));
        let again = |rules: &mut Rules| {
            rules.see(&asked("lineDrop"));
            rules.see(&asked("lineDrop"));
        };
        assert_eq!(broken(again), Some(Rule::T3));
        let inside = |rules: &mut Rules| {
            rules.see(&asked("lineDrop"));
            rules.may_deliver(false);
            rules.see(&completed(Ok(())));
        };
        assert_eq!(broken(inside), Some(Rule::G1));
        let refused = |rules: &mut Rules| {
            rules.see(&asked("lineDrop"));
            rules.see(&Traced::Refused { id: id(), error: LineError::NOMEM, at: AT });
            rules.see(&completed(Ok(())));
        };
        assert_eq!(broken(refused), Some(Rule::C3), "R4");
        let duplicate = Traced::Duplicate { id: id(), outcome: Ok(()), at: AT };
        assert_eq!(broken(|rules| rules.see(&duplicate)), Some(Rule::C3));
        let lost = Traced::Lost { id: id(), at: AT };
        assert_eq!(broken(|rules| rules.see(&lost)), Some(Rule::D12));
        let left = |rules: &mut Rules| {
            rules.see(&asked("lineDrop"));
            rules.stopped();
        };
        assert_eq!(broken(left), Some(Rule::D12));
        let of_phone = |rules: &mut Rules| {
            let (function, device_id) = ("phoneSetRing", 0);
            rules.see(&Traced::PhoneSubmitted { id: id(), function, device_id, at: AT });
            let (completed, delivered) = (AT, AT);
            let outcome = Ok(());
            let over =
                Traced::PhoneCompleted { id: id(), outcome, completed, delivered, early: false };
            rules.see(&over);
            rules.see(&over);
        };
        assert_eq!(broken(of_phone), Some(Rule::C3));
        let silent = |rules: &mut Rules| {
            rules.owe_callback();
            rules.stopped();
        };
        assert_eq!(broken(silent), Some(Rule::C3));
        assert_eq!(broken(Rules::callback), Some(Rule::C3), "a callback that nobody gave");
    }

    fn second() -> RequestId {
        RequestId::new(4).unwrap()
    }

    /// The second request is a drop, and has succeeded.
    fn dropped() -> [Traced<'static>; 2] {
        let (id, outcome) = (second(), Ok(()));
        let asked = Traced::Submitted { id, function: DROP, device_id: 0, call: call(), at: AT };
        [asked, Traced::Completed { id, outcome, completed: AT, delivered: AT, early: false }]
    }

    #[test]
    fn a_request_that_a_drop_or_a_close_leaves_is_noticed() {
        let first = |function| {
            broken(|rules| {
                rules.see(&asked(function));
                dropped().iter().for_each(|traced| rules.see(traced));
            })
        };
        assert_eq!(first("lineDial"), Some(Rule::D7));
        assert_eq!(first(DROP), None, "drops complete together");
        let before = broken(|rules| {
            rules.see(&asked("lineDial"));
            rules.see(&dropped()[0]);
            rules.see(&completed(Err(LineError::OPERATIONFAILED)));
            rules.see(&dropped()[1]);
        });
        assert_eq!(before, None);
        let close = |gone, now| {
            broken(|rules| {
                rules.opened(Gone::Line(0));
                rules.see(&asked("lineDial"));
                rules.closed(gone, now);
                rules.settle();
            })
        };
        for now in [true, false] {
            assert_eq!(close(Gone::Call(call()), now), Some(Rule::D5));
            assert_eq!(close(Gone::Line(0), now), Some(Rule::D1));
            assert_eq!(close(Gone::Line(1), now), None);
        }
        let by_itself = broken(|rules| {
            rules.see(&asked("lineDial"));
            rules.see(&Traced::Event { device_id: 0, event: &LineEvent::Closed { at: AT } });
        });
        assert_eq!(by_itself, Some(Rule::D13));
    }

    #[test]
    fn what_two_applications_open_at_once_is_noticed() {
        let twice = |between: fn(&mut Rules)| {
            broken(|rules| {
                rules.opened(Gone::Line(0));
                between(rules);
                rules.opened(Gone::Line(0));
            })
        };
        assert_eq!(twice(|_| {}), Some(Rule::OneCall));
        assert_eq!(twice(|rules| rules.closed(Gone::Line(0), true)), None);
        let closed = |rules: &mut Rules| {
            rules.see(&Traced::Event { device_id: 0, event: &LineEvent::Closed { at: AT } });
        };
        assert_eq!(twice(closed), None);
    }

    #[test]
    fn each_rule_of_calls_is_noticed() {
        let idle = Message::State(CallState::Idle);
        let offering = Message::State(CallState::Offering);
        let early = |rules: &mut Rules| {
            rules.see(&asked("lineMakeCall"));
            rules.of_call(call(), idle);
        };
        assert_eq!(broken(early), Some(Rule::N4));
        let failed = |rules: &mut Rules| {
            rules.see(&asked("lineMakeCall"));
            rules.see(&completed(Err(LineError::NOMEM)));
            rules.of_call(call(), idle);
        };
        assert_eq!(broken(failed), Some(Rule::N4));
        assert_eq!(broken(|rules| rules.of_call(call(), offering)), Some(Rule::N14));
        let announced = |next| {
            broken(|rules| {
                rules.of_call(call(), Message::New);
                rules.of_call(call(), next);
            })
        };
        assert_eq!(announced(Message::Info), Some(Rule::N14));
        assert_eq!(announced(Message::New), Some(Rule::N14));
        assert_eq!(announced(offering), None);
        let after_idle = |next| {
            broken_later(|rules| {
                rules.of_call(call(), idle);
                rules.of_call(call(), next);
            })
        };
        assert_eq!(after_idle(offering), Some(Rule::O3));
        assert_eq!(after_idle(Message::Info), Some(Rule::O4));
        assert_eq!(after_idle(Message::Other), None);
    }

    #[test]
    fn what_follows_a_close_is_noticed() {
        let call_closed = |now| {
            broken_later(|rules| {
                rules.closed(Gone::Call(call()), now);
                rules.of_call(call(), Message::Info);
            })
        };
        assert_eq!(call_closed(true), Some(Rule::D5));
        assert_eq!(call_closed(false), None, "what is left is delivered when the host is run");
        let later = |rules: &mut Rules| {
            rules.closed(Gone::Call(call()), false);
            rules.settle();
            rules.of_call(call(), Message::Info);
        };
        assert_eq!(broken_later(later), Some(Rule::D5));
        let of_line = |reopened| {
            broken(|rules| {
                rules.closed(Gone::Line(2), true);
                if reopened {
                    rules.opened(Gone::Line(2));
                }
                let event = LineEvent::Closed { at: AT };
                rules.see(&Traced::Event { device_id: 2, event: &event });
            })
        };
        assert_eq!((of_line(false), of_line(true)), (Some(Rule::D2), None));
        let of_phone = |reopened| {
            broken(|rules| {
                rules.closed(Gone::Phone(2), true);
                if reopened {
                    rules.opened(Gone::Phone(2));
                }
                let event = PhoneEvent::State { changed: 1, detail: 1, at: AT };
                rules.see(&Traced::PhoneEvent { device_id: 2, event: &event });
            })
        };
        assert_eq!((of_phone(false), of_phone(true)), (Some(Rule::D10), None));
    }
}
