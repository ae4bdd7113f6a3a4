//! What the exchange does with a hook flash: it holds, swaps, joins, releases and transfers, as the
//! profile says.
//!
//! Rules: the party that flashes is the only one that holds; whom it holds is `Held` by it. In a
//! conference each hears the other two.

use ringback_country::{CallProgress, Profile};
use ringback_media::tone;

use super::destination::Id;
use super::switch::{Switch, SwitchState};
use crate::chips::Frame;

impl Switch {
    pub(super) fn is_conference(&self, id: Id) -> bool {
        let party = self.parties.get(id);
        party.is_some_and(|party| matches!(party.state, SwitchState::Conference(..)))
    }

    /// Whether the party is to dial what is done with the two that it holds.
    pub(super) fn is_aside(&self, id: Id) -> bool {
        self.parties.get(id).is_some_and(|party| party.aside.is_some())
    }

    fn hold(&mut self, id: Id, held: Option<Id>, aside: Option<Id>) {
        if let Some(party) = self.parties.get_mut(id) {
            (party.held, party.aside) = (held, aside);
        }
        for other in [held, aside].into_iter().flatten() {
            self.enter(other, SwitchState::Held(id));
        }
    }

    pub(super) fn talk(&mut self, id: Id, other: Id) {
        self.enter(id, SwitchState::Talking(other));
        self.enter(other, SwitchState::Talking(id));
    }

    /// The second dial tone.
    fn recall(&mut self, id: Id) {
        self.begin_dialling(id);
        self.sound_recall(id);
    }

    /// The second dial tone in the middle of a code.
    pub(super) fn dial_tone_again(&mut self, id: Id) {
        self.collect_on(id);
        self.sound_recall(id);
    }

    fn sound_recall(&mut self, id: Id) {
        let plan = self.config.country.tones();
        let signal = plan.recall.as_ref().unwrap_or(plan.sent(CallProgress::Dial));
        if let Some(party) = self.parties.get_mut(id) {
            party.tone = Some(tone::Generator::new(signal));
        }
    }

    /// The party has flashed.
    pub(super) fn flash(&mut self, id: Id, profile: &'static Profile) {
        let Some(party) = self.parties.get(id) else { return };
        let joins_alone = profile.join.is_some_and(|join| Profile::digits(join).is_empty());
        match (&party.state, party.held, party.aside) {
            (SwitchState::Talking(other), None, _) => {
                let other = *other;
                self.hold(id, Some(other), None);
                match self.take_waiting(id) {
                    Some(caller) => self.connect(caller, id),
                    None => self.recall(id),
                }
            }
            (SwitchState::Talking(other), Some(held), _) if joins_alone => {
                let other = *other;
                self.join(id, held, other);
            }
            (SwitchState::Talking(other), held, _) => {
                let other = *other;
                self.hold(id, held, Some(other));
                self.recall(id);
            }
            (SwitchState::Conference(first, last), ..) if joins_alone => {
                let (first, last) = (*first, *last);
                self.release(last);
                self.talk(id, first);
            }
            (SwitchState::Conference(first, last), ..) => {
                let (first, last) = (*first, *last);
                self.hold(id, Some(first), Some(last));
                self.recall(id);
            }
            (SwitchState::Tone(CallProgress::Busy), None, None)
                if profile.codes.call_back.is_some() =>
            {
                self.recall(id);
            }
            // The conversation with the second party goes on.
            (_, held, Some(other)) => {
                self.hold(id, held, None);
                self.talk(id, other);
            }
            (state, Some(held), None) => {
                if let SwitchState::Calling(called) = state {
                    let called = *called;
                    self.stop_calling(id, called);
                }
                self.hold(id, None, None);
                self.talk(id, held);
            }
            _ => {}
        }
    }

    /// The party has dialled what is to be done with the two that it holds.
    pub(super) fn command(&mut self, id: Id, dialled: &str) {
        let party = self.parties.get(id);
        let (Some(held), Some(other), Some(profile)) = (
            party.and_then(|party| party.held),
            party.and_then(|party| party.aside),
            self.config.profile,
        ) else {
            return self.enter(id, SwitchState::Tone(CallProgress::Reorder));
        };
        let is = |text: &str| Profile::digits(text) == dialled;
        if is(profile.release) {
            self.hold(id, None, None);
            self.release(other);
            self.talk(id, held);
        } else if profile.release_held.is_some_and(is) {
            self.hold(id, None, None);
            self.release(held);
            self.talk(id, other);
        } else if profile.swap.is_some_and(is) {
            self.hold(id, Some(other), None);
            self.talk(id, held);
        } else if profile.join.is_some_and(is) {
            self.join(id, held, other);
        } else {
            self.enter(id, SwitchState::Tone(CallProgress::Reorder));
        }
    }

    fn join(&mut self, id: Id, first: Id, last: Id) {
        self.hold(id, None, None);
        self.enter(id, SwitchState::Conference(first, last));
        self.enter(first, SwitchState::Member(id));
        self.enter(last, SwitchState::Member(id));
    }

    /// A party of the conference has hung up.
    pub(super) fn member_left(&mut self, controller: Id, gone: Id) {
        let Some(party) = self.parties.get(controller) else { return };
        if let SwitchState::Conference(first, last) = party.state {
            self.talk(controller, if first == gone { last } else { first });
        }
    }

    /// The party has hung up while it holds another, or controls a conference.
    pub(super) fn hang_up_on_both(&mut self, id: Id) {
        let Some(party) = self.parties.get(id) else { return };
        let transfers = self.config.profile.is_some_and(|profile| profile.transfers);
        let (held, aside) = (party.held, party.aside);
        let (mut first, mut other) = (held, aside);
        let mut ringing = None;
        match party.state {
            SwitchState::Conference(one, last) => (first, other) = (Some(one), Some(last)),
            SwitchState::Talking(talking) => other = Some(talking),
            SwitchState::Calling(called) => ringing = Some(called),
            _ => {}
        }
        if let Some(party) = self.parties.get_mut(id) {
            (party.held, party.aside) = (None, None);
        }
        self.end(id);
        match (first, other, ringing) {
            (Some(first), Some(other), _) if transfers => self.talk(first, other),
            (Some(first), _, Some(called)) if transfers => {
                self.enter(first, SwitchState::Calling(called));
                // It rings on, or is waited for, for another caller.
                match self.parties.get_mut(called) {
                    Some(party) if party.waiting.is_some() => {
                        party.waiting.iter_mut().for_each(|waiting| waiting.caller = first);
                    }
                    Some(party) => party.state = SwitchState::Ringing(first),
                    None => {}
                }
            }
            _ => {
                for other in [first, other].into_iter().flatten() {
                    self.release(other);
                }
                if let Some(called) = ringing {
                    self.stop_calling(id, called);
                }
            }
        }
    }

    /// One of the parties that this one holds or talks to has hung up. Returns whether it was a
    /// held one, so that nothing changes for the moment.
    pub(super) fn forget_held(&mut self, id: Id) -> bool {
        let holds = |other: Option<Id>| {
            let other = other.and_then(|other| self.parties.get(other));
            other.is_some_and(|other| matches!(other.state, SwitchState::Held(by) if by == id))
        };
        let Some(party) = self.parties.get(id) else { return false };
        let (held, aside) = (party.held, party.aside);
        let (keeps_held, keeps_aside) = (holds(held), holds(aside));
        if let Some(party) = self.parties.get_mut(id) {
            party.held = held.filter(|_| keeps_held);
            party.aside = aside.filter(|_| keeps_aside);
            if party.held.is_none() {
                party.held = party.aside.take();
            }
        }
        !keeps_held || aside.is_some() && !keeps_aside
    }

    /// What a party hears of others; `None` for nothing.
    pub(super) fn hears(&self, id: Id) -> Option<Frame> {
        if self.is_interrupted(id) {
            return None;
        }
        let says = |other: Id| {
            let heard = self.parties.get(other).filter(|_| !self.is_interrupted(other));
            heard.map(|other| other.load.audio)
        };
        let both = |one: Id, other: Id| {
            let (one, other) = (says(one)?, says(other)?);
            Some(std::array::from_fn(|n| {
                let at = |frame: &Frame| frame.get(n).copied().unwrap_or_default();
                at(&one).saturating_add(at(&other))
            }))
        };
        match self.parties.get(id)?.state {
            SwitchState::Talking(other) => says(other),
            SwitchState::Conference(first, last) => both(first, last),
            SwitchState::Member(controller) => match self.parties.get(controller)?.state {
                SwitchState::Conference(first, last) => {
                    both(controller, if first == id { last } else { first })
                }
                _ => None,
            },
            _ => None,
        }
    }
}
