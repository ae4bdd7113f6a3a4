//! How this crate enters its locks. It does not depend on `ringback-request`, where the rest of
//! Ringback has the same trait.

use std::sync::{LockResult, PoisonError};

/// Entering a lock that may be poisoned. A poisoned one is in order: each change behind these locks
/// is a single step, so that a panic that a caller catches leaves no half of one, and the card's
/// other users must be able to go on.
pub(crate) trait EvenPoisoned {
    /// The guard of a mutex or of a lock for readers and writers.
    type Guard;

    /// The guard, also if a thread has panicked while it held the lock.
    fn even_poisoned(self) -> Self::Guard;
}

impl<G> EvenPoisoned for LockResult<G> {
    type Guard = G;

    fn even_poisoned(self) -> G {
        self.unwrap_or_else(PoisonError::into_inner)
    }
}
