//! Whom the exchange names as callers, and to whom.

use ringback_media::caller_id::{Caller, Party as Told};

use super::caller_id::{Identity, Telling};
use super::destination::Id;
use super::switch::Switch;

impl Switch {
    /// What a party is told that begins to ring because another one calls; `None` for nothing.
    pub(super) fn telling(&self, caller: Id, called: Id) -> Option<Telling> {
        if !self.tells_callers {
            return None;
        }
        let identity = self.told_caller(caller)?;
        let wrong_bit = self.parties.get(called)?.identity.wrong_bit;
        Telling::new(self.config.country, &identity, wrong_bit)
    }

    /// What is told of a party that calls.
    pub(super) fn told_caller(&self, caller: Id) -> Option<Caller> {
        let from = self.parties.get(caller)?;
        let number =
            || Caller { number: Told::reported(&from.options.number), ..Caller::default() };
        Some(from.identity.caller.clone().unwrap_or_else(number))
    }

    pub(super) fn identity_mut(&mut self, number: &str) -> Option<&mut Identity> {
        self.party_mut(number).map(|party| &mut party.identity)
    }
}
