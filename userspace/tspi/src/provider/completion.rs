//! The completion of a request by a provider.

use ringback_request::{ErrorCode, RequestId, Time};

/// The end of an asynchronous request (ASYNC_COMPLETION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The id of the request. It may be in use again (T4).
    pub id: RequestId,
    /// Success or an error (C2): one of the function's family, or an unknown one, which is passed
    /// on unchanged (T6).
    pub result: Result<(), ErrorCode>,
    /// When the operation ended, on CLOCK_MONOTONIC; the completion may be delivered later.
    pub completed: Time,
}

impl Completion {
    /// The completion of a request whose operation ends now, or at an unknown time.
    pub fn now(id: RequestId, result: Result<(), ErrorCode>) -> Completion {
        Completion { id, result, completed: Time::monotonic() }
    }
}
