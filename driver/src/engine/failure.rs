//! The causes for which the reactor ends requests and cards.

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
