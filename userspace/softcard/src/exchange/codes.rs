//! What the exchange does when a code is dialled: it forwards, parks, picks up and calls back, and
//! answers by a confirming or a refusing tone, as the profile says.
//!
//! Rules: a forwarded call goes on to another number at most [`MOST_HOPS`] times; who calls back is
//! rung for [`CALLS_BACK_MS`] at most.

use ringback_country::{CallProgress, CodeMeaning, Codes, Forwarding};
use ringback_media::tone;

use super::destination::{CallBack, Destination, Id};
use super::switch::{Switch, SwitchState};

/// How often a call goes on to another number.
const MOST_HOPS: usize = 5;
/// How long who wanted to be called back is rung, in ms.
const CALLS_BACK_MS: u64 = 20_000;
/// How long both lines are idle before the exchange calls back, in ms.
const FREE_MS: u64 = 1000;

impl Switch {
    fn codes(&self) -> Option<&'static Codes> {
        self.config.profile.map(|profile| &profile.codes)
    }

    /// What the digits mean that were dialled, if they are a code.
    pub(super) fn meaning(&self, dialled: &str) -> Option<CodeMeaning> {
        self.codes()?.meaning(dialled)
    }

    /// Whether these digits are a whole code.
    pub(super) fn is_code(&self, dialled: &str) -> bool {
        let Some(codes) = self.codes() else { return false };
        codes.is_complete(dialled)
            || codes.number(dialled).is_some_and(|number| self.is_number(number))
    }

    /// Sends dial tone again, if a code is dialled that a number follows behind it.
    pub(super) fn prompt(&mut self, id: Id, dialled: &str) {
        if self.codes().is_some_and(|codes| codes.asks_for_number(dialled)) {
            self.dial_tone_again(id);
        }
    }

    /// Does what a code means.
    pub(super) fn follow(&mut self, id: Id, meaning: CodeMeaning) {
        let done = match meaning {
            CodeMeaning::Forward(kind, to) => self.forward(id, kind, to),
            CodeMeaning::Park(place) => self.park(id, place),
            CodeMeaning::Unpark(place) => return self.unpark(id, &place),
            CodeMeaning::PickUp(number) => return self.pick_up(id, number.as_deref()),
            CodeMeaning::CallBack => self.call_back(id),
            CodeMeaning::CancelCallBack => {
                self.call_backs.retain(|one| one.caller != id);
                true
            }
        };
        if !done {
            return self.refuse(id);
        }
        self.enter(id, SwitchState::Confirmed);
        let plan = self.config.country.tones();
        let tone = self.codes().and_then(|codes| codes.confirmation(plan));
        if let Some(party) = self.parties.get_mut(id) {
            party.tone = tone.map(|signal| tone::Generator::new(&signal));
        }
    }

    fn refuse(&mut self, id: Id) {
        self.enter(id, SwitchState::Tone(CallProgress::Reorder));
    }

    fn forward(&mut self, id: Id, kind: Forwarding, to: Option<String>) -> bool {
        let own = self.parties.get(id).map(|party| party.options.number.clone());
        let possible = to.as_ref().is_none_or(|to| self.is_number(to) && Some(to) != own.as_ref());
        if let Some(party) = self.parties.get_mut(id).filter(|_| possible) {
            party.forwards.retain(|(one, _)| *one != kind);
            party.forwards.extend(to.map(|to| (kind, to)));
        }
        possible
    }

    fn forwarded(&self, id: Id, kind: Forwarding) -> Option<Id> {
        let forwards = &self.parties.get(id)?.forwards;
        let (_, to) = forwards.iter().find(|(one, _)| *one == kind)?;
        self.find(to)
    }

    /// Who is called by a number, after forwarding.
    pub(super) fn destination(&self, number: &str) -> Destination {
        let Some(mut called) = (if number.is_empty() { None } else { self.find(number) }) else {
            return Destination::Unknown;
        };
        for _ in 0..MOST_HOPS {
            let free = self.is_free(called);
            let busy = self.forwarded(called, Forwarding::Busy).filter(|_| !free);
            match self.forwarded(called, Forwarding::Unconditional).or(busy) {
                Some(next) => called = next,
                None if free => return Destination::Free(called),
                None => return Destination::Busy(called),
            }
        }
        Destination::Busy(called)
    }

    /// The called party has not answered for so long that its calls go on elsewhere.
    pub(super) fn goes_on(&mut self, caller: Id, called: Id) -> bool {
        let Some(next) = self.forwarded(called, Forwarding::NoAnswer) else { return false };
        if !self.is_free(next) {
            return false;
        }
        self.enter(called, SwitchState::Idle);
        self.ring(caller, next);
        true
    }

    fn park(&mut self, id: Id, place: String) -> bool {
        let held = self.parties.get_mut(id).and_then(|party| party.held);
        let taken = self.parked.iter().any(|(one, _)| *one == place);
        let Some(held) = held.filter(|_| !taken) else { return false };
        if let Some(party) = self.parties.get_mut(id) {
            party.held = None;
        }
        self.enter(held, SwitchState::Parked);
        self.parked.push((place, held));
        true
    }

    fn unpark(&mut self, id: Id, place: &str) {
        let Some(at) = self.parked.iter().position(|(one, _)| one == place) else {
            return self.refuse(id);
        };
        let (_, parked) = self.parked.remove(at);
        self.talk(id, parked);
    }

    /// A parked party has hung up.
    pub(super) fn leave_park(&mut self, id: Id) {
        self.parked.retain(|(_, parked)| *parked != id);
        self.end(id);
    }

    fn pick_up(&mut self, id: Id, number: Option<&str>) {
        let rings = self.parties.iter().enumerate().find_map(|(rung, party)| match party.state {
            SwitchState::Ringing(caller)
                if number.is_none_or(|number| party.options.number == number) =>
            {
                Some((rung, caller))
            }
            _ => None,
        });
        let Some((rung, caller)) = rings else { return self.refuse(id) };
        self.enter(rung, SwitchState::Idle);
        self.connect(caller, id);
    }

    fn call_back(&mut self, id: Id) -> bool {
        let called = self.parties.get_mut(id).and_then(|party| party.busy.take());
        let Some(called) = called else { return false };
        let minutes = self.codes().map_or(0, |codes| codes.call_back_minutes);
        let until = self.now + u64::from(minutes) * 60_000;
        self.call_backs.push(CallBack { caller: id, called, until });
        true
    }

    /// Rings who waits for a line that is free now.
    pub(super) fn call_whom_it_waits_for(&mut self) {
        let now = self.now;
        self.call_backs.retain(|one| now < one.until);
        let waits = |id: Id| {
            let since = self.parties.get(id).map_or(now, |party| party.since);
            self.is_free(id) && now.saturating_sub(since) >= FREE_MS
        };
        let due = self.call_backs.iter().position(|one| waits(one.caller) && waits(one.called));
        if let Some(due) = due {
            let CallBack { caller, called, .. } = self.call_backs.remove(due);
            self.enter(caller, SwitchState::CalledBack(called));
        }
    }

    /// Who is called back has answered, or has not for some time.
    pub(super) fn step_call_back(&mut self, id: Id, called: Id, answers: bool) {
        let since = self.parties.get(id).map_or(0, |party| party.since);
        if answers {
            let number = self.parties.get(called).map(|party| party.options.number.clone());
            self.route(id, &number.unwrap_or_default());
        } else if self.now.saturating_sub(since) >= CALLS_BACK_MS {
            self.end(id);
        }
    }
}
