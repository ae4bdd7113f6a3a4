//! Who waits for whom: parties that call a line in conversation.
//!
//! A hook flash holds the party of the conversation and connects the one that waits; if the line is
//! hung up instead, it is rung.

use super::call_waiting::WaitingCall;
use super::destination::Id;
use super::switch::{Switch, SwitchState};
use crate::chips::Frame;

impl Switch {
    /// Somebody calls a party that is in use. Returns whether it waits.
    pub(super) fn wait(&mut self, caller: Id, called: Id) -> bool {
        let Some(party) = self.parties.get(called) else { return false };
        let talks = matches!(party.state, SwitchState::Talking(_));
        let free = party.held.is_none() && party.waiting.is_none();
        if !party.call_waiting || !talks || !free {
            return false;
        }
        let told = self.told_caller(caller).filter(|_| self.tells_callers);
        let wrong = party.identity.wrong_bit;
        let waiting = WaitingCall::new(self.config.country, caller, told.as_ref(), wrong);
        if let Some(party) = self.parties.get_mut(called) {
            party.waiting = Some(waiting);
        }
        self.enter(caller, SwitchState::Calling(called));
        true
    }

    /// A party has given up calling another one.
    pub(super) fn stop_calling(&mut self, caller: Id, called: Id) {
        let Some(party) = self.parties.get_mut(called) else { return };
        let waits = party.waiting.as_ref().is_some_and(|waiting| waiting.caller == caller);
        if waits {
            party.waiting = None;
        } else {
            self.enter(called, SwitchState::Idle);
        }
    }

    /// Takes who waits for a party.
    pub(super) fn take_waiting(&mut self, called: Id) -> Option<Id> {
        self.parties.get_mut(called)?.waiting.take().map(|waiting| waiting.caller)
    }

    /// Whether what a party says and hears is interrupted by what it is told.
    pub(super) fn is_interrupted(&self, id: Id) -> bool {
        let waiting = self.parties.get(id).and_then(|party| party.waiting.as_ref());
        waiting.is_some_and(WaitingCall::interrupts)
    }

    /// Adds the next millisecond of what a party in conversation is told.
    pub(super) fn tell_waiting(&mut self, id: Id, audio: &mut Frame) {
        let Some(party) = self.parties.get_mut(id) else { return };
        if let (SwitchState::Talking(_), Some(waiting)) = (&party.state, &mut party.waiting) {
            waiting.tell(&party.load.audio, audio);
        }
    }
}
