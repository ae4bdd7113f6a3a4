//! The end of a request, as a provider tells it.

use ringback_request::{ErrorCode, RequestId, Time};

use crate::clock;

/// The end of an asynchronous request (ASYNC_COMPLETION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The id under which the function was asked. It may be in use again (T4).
    pub id: RequestId,
    /// Success, or why it failed (C2): an error of the family of the function that was asked, or
    /// one that nobody here has heard of, which is kept as it is (T6).
    pub result: Result<(), ErrorCode>,
    /// When the operation ended, on CLOCK_MONOTONIC; the completion may be told later.
    pub completed: Time,
}

impl Completion {
    /// The completion of a request whose operation ends now, or at a time that nobody knows.
    pub fn now(id: RequestId, result: Result<(), ErrorCode>) -> Completion {
        Completion { id, result, completed: clock::now() }
    }
}
