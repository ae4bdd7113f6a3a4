//! The events of a phone, as its application gets them.

use ringback_request::Time;
use ringback_tspi::constants::{PHONE_BUTTON, PHONE_CLOSE, PHONE_STATE};

use super::events::Event;

/// An event of a phone; `at` is when the host delivered it, on CLOCK_MONOTONIC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneEvent {
    /// PHONE_BUTTON: a button was pressed or released.
    Button {
        /// The button: 0 to 9 are the digits, 10 is the star and 11 the number sign.
        /// 12 is the hook flash on a telephone of Ringback's.
        id: u32,
        /// One PHONEBUTTONMODE_.
        mode: u32,
        /// One PHONEBUTTONSTATE_.
        state: u32,
        /// When the host delivered it.
        at: Time,
    },
    /// PHONE_STATE: something about the phone has changed, a hook switch for example.
    State {
        /// PHONESTATE_ bits of what has changed.
        changed: u32,
        /// The new state, where the bit says so: of a hook switch its PHONEHOOKSWITCHMODE_.
        detail: u32,
        /// When the host delivered it.
        at: Time,
    },
    /// PHONE_CLOSE: the phone was closed by its provider. Nothing follows.
    Closed {
        /// When the host delivered it.
        at: Time,
    },
    /// Events were lost here: they were not fetched, and there was no room for more.
    Lost {
        /// How many events were lost.
        count: u64,
        /// When the last of them was delivered.
        at: Time,
    },
    /// Any other message of the phone, unchanged.
    Other {
        /// The message's number, PHONE_DEVSPECIFIC for example.
        message: u32,
        /// The message's parameters, dwParam1 to dwParam3.
        params: [usize; 3],
        /// When the host delivered it.
        at: Time,
    },
}

impl PhoneEvent {
    /// The message of a provider as an event.
    pub(super) fn of(message: u32, params: [usize; 3], at: Time) -> PhoneEvent {
        let [first, second, third] = params.map(|param| u32::try_from(param).unwrap_or(u32::MAX));
        match message {
            PHONE_BUTTON => PhoneEvent::Button { id: first, mode: second, state: third, at },
            PHONE_STATE => PhoneEvent::State { changed: first, detail: second, at },
            PHONE_CLOSE => PhoneEvent::Closed { at },
            _ => PhoneEvent::Other { message, params, at },
        }
    }
}

impl Event for PhoneEvent {
    fn delivered_at(&self) -> Time {
        match self {
            PhoneEvent::Button { at, .. }
            | PhoneEvent::State { at, .. }
            | PhoneEvent::Closed { at }
            | PhoneEvent::Lost { at, .. }
            | PhoneEvent::Other { at, .. } => *at,
        }
    }

    fn lost(count: u64, at: Time) -> PhoneEvent {
        PhoneEvent::Lost { count, at }
    }
}
