//! The exchange behind the FXO slots: numbered lines, subscribers, and the calls between them.
//!
//! It behaves like a small analog exchange: dial tone, DTMF digits (detected in the samples),
//! ringing, and ringback, busy and reorder tone of its country, caller id in its country's way if
//! that is asked for, battery reversal on answer where a line has it, and a loop-current break when
//! the far end has hung up. It has no dependency on
//! cards: a line is a pair of wires, from which it receives hook and audio, and to which it sends
//! battery, ringing and audio, once a millisecond.

mod call_waiting;
mod caller_id;
mod codes;
mod config;
mod destination;
mod flash;
mod identities;
mod line;
mod messages;
mod switch;
mod waiting;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_country::{CallProgress, Country, Profile};
use ringback_media::caller_id::Caller;
use ringback_request::PortNumber;
use ringback_request::sync::EvenPoisoned;

use caller_id::Identity;
pub use config::ExchangeConfig;
pub use line::{LineOptions, LineState};
use switch::{Switch, Terminal};

use crate::SLOTS;
use crate::chips::{Feed, Load};
use crate::telephone::{Behaviour, Telephone};

/// What the exchange can't do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// No line or subscriber has this number.
    #[error("the exchange has no number {0:?}; lines and subscribers have one each")]
    UnknownNumber(String),
    /// The number belongs to a line of the card, not to a subscriber with a telephone.
    #[error("{0:?} is a line of the card; only a subscriber's telephone can be told to call")]
    NotASubscriber(String),
}

/// The exchange: a handle that is cheap to clone and can be used from any thread.
#[derive(Clone)]
pub struct Exchange(Arc<Mutex<Switch>>);

impl Exchange {
    pub(crate) fn new(config: ExchangeConfig, lines: [Option<LineOptions>; SLOTS]) -> Exchange {
        let mut switch = Switch::new(config);
        for (slot, line) in PortNumber::each().zip(lines) {
            if let Some(options) = line {
                switch.add(Terminal::Line(slot), options);
            }
        }
        Exchange(Arc::new(Mutex::new(switch)))
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().even_poisoned()
    }

    /// Runs one millisecond: takes what each slot's line ends with, returns what the exchange feeds
    /// it with.
    pub(crate) fn tick(&self, loads: &[Load; SLOTS]) -> [Feed; SLOTS] {
        self.switch().tick(loads)
    }

    /// Adds a subscriber with a telephone. A number that exists already is given to the new one.
    pub fn add_subscriber(&self, number: &str, behaviour: Behaviour) -> Telephone {
        let telephone = Telephone::new();
        telephone.set_behaviour(behaviour);
        let options = LineOptions { number: number.to_owned(), ..LineOptions::default() };
        self.switch().add(Terminal::Subscriber(telephone.clone()), options);
        telephone
    }

    /// Adds a number at which nobody answers: whoever dials it hears these samples, and then
    /// silence. Networks tell callers in this way what has become of their calls.
    pub fn add_announcement(&self, number: &str, samples: &[i16]) {
        self.switch().announce(number, samples);
    }

    /// Returns the telephone of a subscriber.
    ///
    /// # Errors
    /// The number is unknown, or that of a line of the card.
    pub fn subscriber(&self, number: &str) -> Result<Telephone, ExchangeError> {
        let switch = self.switch();
        match switch.party(number).map(|party| &party.terminal) {
            Some(Terminal::Subscriber(telephone)) => Ok(telephone.clone()),
            Some(Terminal::Line(_)) => Err(ExchangeError::NotASubscriber(number.to_owned())),
            None => Err(ExchangeError::UnknownNumber(number.to_owned())),
        }
    }

    /// The subscribers with their telephones, in the order in which they were added.
    pub fn subscribers(&self) -> Vec<(String, Telephone)> {
        let switch = self.switch();
        let subscriber = |party: &switch::Party| match &party.terminal {
            Terminal::Subscriber(telephone) => {
                Some((party.options.number.clone(), telephone.clone()))
            }
            Terminal::Line(_) => None,
        };
        switch.parties().iter().filter_map(subscriber).collect()
    }

    /// Makes the subscriber `from` call the number `to`: [`Telephone::call`].
    ///
    /// # Errors
    /// `from` is unknown, or a line of the card. An unknown `to` is no error: the caller hears
    /// reorder tone.
    pub fn call(&self, from: &str, to: &str) -> Result<(), ExchangeError> {
        self.subscriber(from)?.call(to);
        Ok(())
    }

    /// The number of the line at an FXO slot; `None` for another slot.
    pub fn line_number(&self, slot: PortNumber) -> Option<String> {
        self.switch().line(slot).map(|party| party.options.number.clone())
    }

    /// The state of a line or a subscriber; `None` if the number is unknown.
    pub fn state(&self, number: &str) -> Option<LineState> {
        self.switch().party(number).map(switch::Party::line_state)
    }

    /// The digits that a line or a subscriber dialled last; `None` if the number is unknown.
    pub fn dialled(&self, number: &str) -> Option<String> {
        self.switch().party(number).map(|party| party.dialled.clone())
    }

    /// Unplugs the line with this number from the exchange: battery is removed, and a line that was
    /// off-hook counts as hung up.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn unplug(&self, number: &str) -> Result<(), ExchangeError> {
        self.set_unplugged(number, true)
    }

    /// The opposite of [`unplug`](Exchange::unplug).
    ///
    /// # Errors
    /// The number is unknown.
    pub fn plug_in(&self, number: &str) -> Result<(), ExchangeError> {
        self.set_unplugged(number, false)
    }

    /// The country that decides the tones and the ringing.
    pub fn country(&self) -> Country {
        self.switch().config.country
    }

    /// Moves the exchange to another country. A tone that sounds already goes on as it is.
    pub fn set_country(&self, country: Country) {
        self.switch().config.country = country;
    }

    /// What a hook flash does in a conversation, and which codes can be dialled.
    pub fn profile(&self) -> Option<&'static Profile> {
        self.switch().config.profile
    }

    /// Sets what a hook flash does from now on, and which codes can be dialled; `None` for nothing.
    pub fn set_profile(&self, profile: Option<&'static Profile>) {
        self.switch().config.profile = profile;
    }

    /// Sends this signal from now on where dial tone is due.
    pub fn set_dial_tone(&self, signal: CallProgress) {
        self.switch().set_dial_tone(signal);
    }

    /// Reverses battery on the line with this number, or the opposite, until its next call.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn set_reversed(&self, number: &str, reversed: bool) -> Result<(), ExchangeError> {
        match self.switch().party_mut(number) {
            Some(party) => {
                party.reversed = reversed;
                Ok(())
            }
            None => Err(ExchangeError::UnknownNumber(number.to_owned())),
        }
    }

    /// Tells lines that are called from now on who calls, in the way of the exchange's country; or
    /// no longer. At first they are not told.
    pub fn tell_callers(&self, on: bool) {
        self.switch().tells_callers = on;
    }

    /// Says whether messages wait for this number. Its dial tone says so, as in the exchange's
    /// country; and a data message tells it to the line when it is idle, where exchanges send
    /// these, even if it was told so before.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn set_messages(&self, number: &str, wait: bool) -> Result<(), ExchangeError> {
        let mut switch = self.switch();
        let party = switch.party_mut(number);
        let unknown = || ExchangeError::UnknownNumber(number.to_owned());
        party.ok_or_else(unknown)?.messages.set(wait);
        Ok(())
    }

    /// Lets whoever calls this number during a conversation wait, of which it is told; or has it be
    /// busy, as at first.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn set_call_waiting(&self, number: &str, on: bool) -> Result<(), ExchangeError> {
        let mut switch = self.switch();
        let party = switch.party_mut(number);
        let unknown = || ExchangeError::UnknownNumber(number.to_owned());
        party.ok_or_else(unknown)?.call_waiting = on;
        Ok(())
    }

    /// Says what a line is told when this number calls it, instead of the number alone.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn set_caller(&self, number: &str, caller: Caller) -> Result<(), ExchangeError> {
        self.set_identity(number, |identity| identity.caller = Some(caller))
    }

    /// A fault: a bit of each data message to this number is sent wrong; they are counted from 0,
    /// ten for each byte. `None` ends the fault.
    ///
    /// # Errors
    /// The number is unknown.
    pub fn set_wrong_bit(&self, number: &str, bit: Option<usize>) -> Result<(), ExchangeError> {
        self.set_identity(number, |identity| identity.wrong_bit = bit)
    }

    fn set_identity(
        &self,
        number: &str,
        set: impl FnOnce(&mut Identity),
    ) -> Result<(), ExchangeError> {
        let mut switch = self.switch();
        let unknown = || ExchangeError::UnknownNumber(number.to_owned());
        set(switch.identity_mut(number).ok_or_else(unknown)?);
        Ok(())
    }

    fn set_unplugged(&self, number: &str, unplugged: bool) -> Result<(), ExchangeError> {
        match self.switch().party_mut(number) {
            Some(party) => {
                party.unplugged = unplugged;
                Ok(())
            }
            None => Err(ExchangeError::UnknownNumber(number.to_owned())),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let switch = self.switch();
        f.debug_map()
            .entries(
                switch.parties().iter().map(|party| (&party.options.number, party.line_state())),
            )
            .finish()
    }
}
