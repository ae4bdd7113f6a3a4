//! The causes for which the reactor ends requests and cards.

use crate::request::ErrorCode;

/// Why the reactor, and not the engine, ends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The time limit of its command has passed.
    #[error("its time limit has passed")]
    Deadline,
    /// Its submitter cancelled it.
    #[error("it was cancelled")]
    Cancelled,
    /// The card was closed.
    #[error("it was shut down")]
    Closed,
    /// The card is gone: removed, or its interrupt file failed.
    #[error("it is gone")]
    Gone,
    /// The engine panicked, or the ring failed; the card can't be used any more.
    #[error("its engine panicked or its ring failed")]
    Internal,
}

impl Failure {
    /// The negated errno that says the same, for engines that have no errors of their own:
    /// ETIMEDOUT, ECANCELED, ESHUTDOWN, ENODEV, EIO.
    pub const fn errno(self) -> ErrorCode {
        match self {
            Failure::Deadline => ErrorCode::of::<{ -libc::ETIMEDOUT }>(),
            Failure::Cancelled => ErrorCode::of::<{ -libc::ECANCELED }>(),
            Failure::Closed => ErrorCode::of::<{ -libc::ESHUTDOWN }>(),
            Failure::Gone => ErrorCode::of::<{ -libc::ENODEV }>(),
            Failure::Internal => ErrorCode::of::<{ -libc::EIO }>(),
        }
    }
}
