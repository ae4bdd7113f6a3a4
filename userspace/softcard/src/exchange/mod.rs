//! The exchange behind the FXO slots: numbered lines, subscribers, and the calls between them.
//!
//! What it does is what a small analog exchange does: dial tone, DTMF digits (heard on the
//! samples), ringing, ringback, busy and reorder tone as its country has them, battery reversal on
//! answer where a line has it, and a loop-current break when the far end has hung up. It knows
//! nothing of cards: a line is a pair of wires on which it is told hook and audio, and says
//! battery, ringing and audio, once a millisecond.

mod switch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_country::Country;
use switch::{Switch, Terminal};

use crate::SLOTS;
use crate::telephone::{Behaviour, Telephone};
use crate::wire::{Feed, Load};

/// How the exchange works; all times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeConfig {
    /// Where it stands: its tones, and how it rings.
    pub country: Country,
    /// How long dial tone waits for the first digit before it becomes reorder tone.
    pub first_digit_ms: u32,
    /// How long after a digit the number is taken as complete.
    pub inter_digit_ms: u32,
    /// How long the loop has to be open to count as hung up; less is a flash, which it ignores.
    pub hang_up_ms: u32,
}

impl Default for ExchangeConfig {
    /// In North America; 10 s, 3 s, 500 ms.
    fn default() -> ExchangeConfig {
        ExchangeConfig {
            country: Country::default(),
            first_digit_ms: 10_000,
            inter_digit_ms: 3000,
            hang_up_ms: 500,
        }
    }
}

/// One line of the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineOptions {
    /// The number by which the line is called.
    pub number: String,
    /// Whether battery is reversed on this line from the answer to the end of calls it makes.
    pub polarity_on_answer: bool,
    /// How long battery is taken off this line when the far end has hung up; 0 for not at all.
    pub loop_break_ms: u32,
}

impl Default for LineOptions {
    /// No number, no reversal, a break of 500 ms.
    fn default() -> LineOptions {
        LineOptions { number: String::new(), polarity_on_answer: false, loop_break_ms: 500 }
    }
}

/// What a line or a subscriber is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineState {
    /// On-hook.
    Idle,
    /// Off-hook with dial tone, no digit yet.
    DialTone,
    /// Digits have come.
    Dialling,
    /// Hears ringback.
    Calling,
    /// Is being rung.
    Ringing,
    /// In a call.
    Talking,
    /// The far end has hung up; battery is off for a moment.
    LoopBreak,
    /// Hears busy tone.
    Busy,
    /// Hears reorder tone: no such number, no number in time, or the far end has hung up.
    Reorder,
}

/// What the exchange can't do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// Nobody has this number.
    #[error("the exchange has no number {0:?}; lines and subscribers have one each")]
    UnknownNumber(String),
    /// The number is a line of the card, not a subscriber with a telephone of the exchange's.
    #[error("{0:?} is a line of the card; only a subscriber's telephone can be told to call")]
    NotASubscriber(String),
}

/// The exchange: a handle that is cheap to clone and can be used from any thread.
#[derive(Clone)]
pub struct Exchange(Arc<Mutex<Switch>>);

impl Exchange {
    pub(crate) fn new(config: ExchangeConfig, lines: [Option<LineOptions>; SLOTS]) -> Exchange {
        let mut switch = Switch::new(config);
        for (slot, line) in lines.into_iter().enumerate() {
            if let Some(options) = line {
                switch.add(Terminal::Line(slot), options);
            }
        }
        Exchange(Arc::new(Mutex::new(switch)))
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One millisecond: how each slot's line is loaded against what it is fed with.
    pub(crate) fn tick(&self, loads: &[Load; SLOTS]) -> [Feed; SLOTS] {
        self.switch().tick(loads)
    }

    /// Adds a subscriber with a telephone. A number that is taken already goes to the new one.
    pub fn add_subscriber(&self, number: &str, behaviour: Behaviour) -> Telephone {
        let telephone = Telephone::new();
        telephone.set_behaviour(behaviour);
        let options = LineOptions { number: number.to_owned(), ..LineOptions::default() };
        self.switch().add(Terminal::Subscriber(telephone.clone()), options);
        telephone
    }

    /// The telephone of a subscriber.
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

    /// Lets the subscriber `from` call the number `to`: [`Telephone::call`].
    ///
    /// # Errors
    /// `from` is unknown, or a line of the card. Whether `to` exists the caller will hear.
    pub fn call(&self, from: &str, to: &str) -> Result<(), ExchangeError> {
        self.subscriber(from)?.call(to);
        Ok(())
    }

    /// The number of the line at an FXO slot; `None` for another slot.
    pub fn line_number(&self, slot: usize) -> Option<String> {
        self.switch().line(slot).map(|party| party.options.number.clone())
    }

    /// What a line or a subscriber is doing; `None` if nobody has the number.
    pub fn state(&self, number: &str) -> Option<LineState> {
        self.switch().party(number).map(switch::Party::line_state)
    }

    /// The digits that a line or a subscriber dialled last; `None` if nobody has the number.
    pub fn dialled(&self, number: &str) -> Option<String> {
        self.switch().party(number).map(|party| party.dialled.clone())
    }

    /// Unplugs the line with this number from the exchange: no battery, and what was off-hook
    /// counts as hung up.
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
