//! The observer, which sees every request and every event, with times.

use std::sync::Arc;

use ringback_request::{ErrorCode, RequestId, Time, report};
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::types::HTAPICALL;

use super::counts::{Counters, count};
use super::events::LineEvent;
use super::guard::guarded;
use super::phone_events::PhoneEvent;

/// An observer. It is called with no lock held, on the thread that makes the request, on the
/// provider's or on the host's.
pub type Trace = dyn Fn(&Traced<'_>) + Send + Sync;

/// Something that happened to a request or on a line. Times are of CLOCK_MONOTONIC.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Traced<'a> {
    /// The provider is about to be called.
    Submitted {
        /// The request's id.
        id: RequestId,
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
        id: RequestId,
        /// The time at which that happened.
        at: Time,
    },
    /// The provider's function has returned an error; no completion comes (R4).
    Refused {
        /// The request's id.
        id: RequestId,
        /// The error that the function returned.
        error: LineError,
        /// The time at which that happened.
        at: Time,
    },
    /// The request is complete, and the application gets its outcome.
    Completed {
        /// The request's id.
        id: RequestId,
        /// Success, or why it failed.
        outcome: Result<(), LineError>,
        /// When the operation ended; when the completion came to the host, if the provider does not
        /// say.
        completed: Time,
        /// When the outcome was delivered to the application.
        delivered: Time,
        /// The provider completed it before its function had returned, and the host held it back.
        early: bool,
    },
    /// As [`Submitted`](Traced::Submitted), for a request of a phone.
    PhoneSubmitted {
        /// The request's id.
        id: RequestId,
        /// The function, `phoneSetLamp` for example.
        function: &'static str,
        /// The device id of the phone.
        device_id: u32,
        /// The time at which that happened.
        at: Time,
    },
    /// As [`Refused`](Traced::Refused), for a request of a phone.
    PhoneRefused {
        /// The request's id.
        id: RequestId,
        /// The error that the function returned.
        error: PhoneError,
        /// The time at which that happened.
        at: Time,
    },
    /// As [`Completed`](Traced::Completed), for a request of a phone.
    PhoneCompleted {
        /// The request's id.
        id: RequestId,
        /// Success, or why it failed.
        outcome: Result<(), PhoneError>,
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
        id: RequestId,
        /// The outcome that it brings.
        outcome: Result<(), LineError>,
        /// The time at which that happened.
        at: Time,
    },
    /// The provider was shut down without completing the request.
    Lost {
        /// The request's id.
        id: RequestId,
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
    /// An event of a phone that is delivered to the application.
    PhoneEvent {
        /// The device id of the phone.
        device_id: u32,
        /// The event, as the application gets it.
        event: &'a PhoneEvent,
    },
}

/// The application's observer, if it has one.
pub(super) struct Observer(pub(super) Option<Arc<Trace>>);

impl Observer {
    /// Calls the observer. Panics are caught, because this may run on the reaper's thread.
    pub(super) fn see(&self, happened: &Traced<'_>) {
        if let Some(trace) = &self.0 {
            guarded("observer", || trace(happened));
        }
    }

    /// Reports a completion for an unknown request id.
    pub(super) fn duplicate(
        &self,
        counters: &Counters,
        id: RequestId,
        outcome: Result<(), ErrorCode>,
    ) {
        count(&counters.duplicate);
        let outcome = outcome.map_err(LineError::from);
        let result = match &outcome {
            Ok(()) => "success".to_owned(),
            Err(error) => error.to_string(),
        };
        report!(
            ERROR,
            "the provider completed request {id}, which is not outstanding, with {result}"
        );
        self.see(&Traced::Duplicate { id, outcome, at: Time::monotonic() });
    }
}
