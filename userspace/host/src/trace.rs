//! What an observer gets: every request and every event, with times.

use ringback_request::Time;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPICALL;

use super::events::LineEvent;

/// An observer. It is called with no lock held, by the thread on which the thing happens: the one
/// that asks, the provider's, or the host's.
pub type Trace = dyn Fn(&Traced<'_>) + Send + Sync;

/// Something that happened to a request or on a line. Times are of CLOCK_MONOTONIC.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Traced<'a> {
    /// The provider is about to be called.
    Submitted {
        /// The request's id.
        id: u32,
        /// The function, `lineMakeCall` for example.
        function: &'static str,
        /// The device id of the line.
        device_id: u32,
        /// The call that it makes or is about.
        call: HTAPICALL,
        /// The time at which that happened.
        at: Time,
    },
    /// The provider's function has returned the id. What comes before this is early.
    Returned {
        /// The request's id.
        id: u32,
        /// The time at which that happened.
        at: Time,
    },
    /// The provider's function has returned an error; no completion comes (R4).
    Refused {
        /// The request's id.
        id: u32,
        /// The error that the function returned.
        error: LineError,
        /// The time at which that happened.
        at: Time,
    },
    /// The request is over and the application gets its outcome.
    Completed {
        /// The request's id.
        id: u32,
        /// 0 or a negative error.
        result: i32,
        /// When the operation ended; when the completion came to the host, if the provider does not
        /// say.
        completed: Time,
        /// When the outcome was delivered to the application.
        delivered: Time,
        /// The provider completed it before its function had returned, and the host held it back.
        early: bool,
    },
    /// A completion of no request that is outstanding: completed twice, or after a refusal.
    Duplicate {
        /// The id it names.
        id: u32,
        /// The result that it brings.
        result: i32,
        /// The time at which that happened.
        at: Time,
    },
    /// The provider was shut down without completing the request.
    Lost {
        /// The request's id.
        id: u32,
        /// The time at which that happened.
        at: Time,
    },
    /// An event that is delivered to the application.
    Event {
        /// The device id of the line.
        device_id: u32,
        /// The event, as the application gets it.
        event: &'a LineEvent,
    },
}
