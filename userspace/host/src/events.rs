//! The events of a line, as its application gets them.

use ringback_request::Time;
use ringback_tspi::callstate::CallState;

use super::call::Call;

/// An event of a line; `at` is when the host delivered it, on CLOCK_MONOTONIC.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum LineEvent {
    /// A call that began in the provider, for example an incoming one; its first state comes next
    /// (N14).
    NewCall {
        /// The call that it is about.
        call: Call,
        /// When the host delivered it.
        at: Time,
    },
    /// LINE_CALLSTATE: a call has entered a state.
    State {
        /// The call that it is about.
        call: Call,
        /// The state that the call is in now.
        state: CallState,
        /// The state's mode, of the family [`CallState::mode_family`]; 0 for none.
        mode: u32,
        /// LINEMEDIAMODE_ bits of the call.
        media: u32,
        /// When the host delivered it.
        at: Time,
    },
    /// LINE_CALLINFO: information about a call has become known or has changed.
    CallInfo {
        /// The call that it is about.
        call: Call,
        /// LINECALLINFOSTATE_ bits of what is known or has changed.
        changed: u32,
        /// When the host delivered it.
        at: Time,
    },
    /// LINE_MONITORDIGITS: the other side has sent a digit.
    Digit {
        /// The call that it is about.
        call: Call,
        /// The digit: 0-9, *, #, A-D.
        digit: char,
        /// It has ended (LINEDIGITMODE_DTMFEND); otherwise it has begun.
        end: bool,
        /// It was dialled by pulses (LINEDIGITMODE_PULSE); no end of it is reported.
        pulse: bool,
        /// The provider's tick count in ms, wrapping; comparable within a line.
        ticks: u32,
        /// When the host delivered it.
        at: Time,
    },
    /// LINE_GENERATE: the generation of digits is over.
    Generated {
        /// The call that it is about.
        call: Call,
        /// The id that [`Call::generate_digits`] returned.
        end_to_end: u32,
        /// All were sent; otherwise they were cancelled.
        done: bool,
        /// When the host delivered it.
        at: Time,
    },
    /// LINE_CLOSE: the provider has closed the line, for example because the card is gone. Nothing
    /// follows, and neither the line nor its calls can be used any more.
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
    /// Any other message of the line or of a call, unchanged.
    Other {
        /// The call, if it is about one.
        call: Option<Call>,
        /// The message's number, LINE_LINEDEVSTATE for example.
        message: u32,
        /// The message's parameters, dwParam1 to dwParam3.
        params: [usize; 3],
        /// When the host delivered it.
        at: Time,
    },
}

impl LineEvent {
    /// When the host delivered it.
    pub fn at(&self) -> Time {
        match self {
            LineEvent::NewCall { at, .. }
            | LineEvent::State { at, .. }
            | LineEvent::CallInfo { at, .. }
            | LineEvent::Digit { at, .. }
            | LineEvent::Generated { at, .. }
            | LineEvent::Closed { at }
            | LineEvent::Lost { at, .. }
            | LineEvent::Other { at, .. } => *at,
        }
    }

    /// The call it is about.
    pub fn call(&self) -> Option<&Call> {
        match self {
            LineEvent::NewCall { call, .. }
            | LineEvent::State { call, .. }
            | LineEvent::CallInfo { call, .. }
            | LineEvent::Digit { call, .. }
            | LineEvent::Generated { call, .. } => Some(call),
            LineEvent::Closed { .. } | LineEvent::Lost { .. } => None,
            LineEvent::Other { call, .. } => call.as_ref(),
        }
    }

    fn call_mut(&mut self) -> Option<&mut Call> {
        match self {
            LineEvent::NewCall { call, .. }
            | LineEvent::State { call, .. }
            | LineEvent::CallInfo { call, .. }
            | LineEvent::Digit { call, .. }
            | LineEvent::Generated { call, .. } => Some(call),
            LineEvent::Closed { .. } | LineEvent::Lost { .. } => None,
            LineEvent::Other { call, .. } => call.as_mut(),
        }
    }
}

/// An event of a line or of a phone, as [`Events`](super::Events) returns it.
pub trait Event: Clone {
    /// When the host delivered it.
    fn delivered_at(&self) -> Time;

    /// The event that replaces events that were lost.
    fn lost(count: u64, at: Time) -> Self;

    /// The event as it waits to be fetched.
    #[doc(hidden)]
    fn queued(&self) -> Self {
        self.clone()
    }

    /// The event as the application gets it.
    #[doc(hidden)]
    fn fetched(self) -> Self {
        self
    }
}

impl Event for LineEvent {
    fn delivered_at(&self) -> Time {
        self.at()
    }

    fn lost(count: u64, at: Time) -> LineEvent {
        LineEvent::Lost { count, at }
    }

    /// A `Call` in it does not count as held by the application yet.
    fn queued(&self) -> LineEvent {
        let mut event = self.clone();
        if let Some(call) = event.call_mut() {
            call.set_queued();
        }
        event
    }

    fn fetched(mut self) -> LineEvent {
        if let Some(call) = self.call_mut() {
            call.set_fetched();
        }
        self
    }
}
