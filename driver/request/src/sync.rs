//! The synchronisation primitives of the request path: std's, or loom's in the models.
//!
//! Public for the crates of Ringback, so that their models use the same primitives, and so that all
//! of them enter a poisoned lock in the same way ([`EvenPoisoned`]). Not for applications.

use std::sync::{LockResult, PoisonError};

#[cfg(not(loom))]
pub use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub use self::model::{Mutex, MutexGuard};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

/// The primitives on which threads sleep. Loom's block a thread for ever if it is not woken; loom
/// reports that as a deadlock.
pub mod asleep {
    #[cfg(loom)]
    pub use loom::sync::{Condvar, Mutex, MutexGuard};
    #[cfg(not(loom))]
    pub use std::sync::{Condvar, Mutex, MutexGuard};
}

/// Enters locks, and wakes up on condition variables, whether or not the lock is poisoned.
///
/// A lock is poisoned when a thread panics while it holds it. Ringback contains such a panic
/// ([`guard`](crate::guard)), and all other requests, lines and calls still have to be completed
/// and closed. A thread that panicked at a poisoned lock would spread the fault, in the worst case
/// to the reaper. What these locks guard is whole at every point at which a panic can come: each
/// change is a single step, or follows everything that can fail. Where that is not so, as with an
/// engine, the code that contains the panic marks the card as failed.
pub trait EvenPoisoned {
    /// The guard, or what a wait on a condition variable returns with it.
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

/// A value on a cache line of its own, so that writing it does not slow down readers of its
/// neighbours. 128 bytes, because processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub struct OwnLine<T>(pub T);

impl<T> std::ops::Deref for OwnLine<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// Announces that a thread will read a word and then write it. Only loom needs this: it remembers
/// only the last reader of a word, so that the thread's own read hides those of other threads from
/// its write, and loom would omit interleavings.
#[cfg(loom)]
pub fn will_write<T>(touch: impl FnOnce(Ordering) -> T) {
    touch(Ordering::Relaxed);
}

/// Does nothing without loom; see the other definition.
#[cfg(not(loom))]
#[inline(always)]
pub fn will_write<T>(_: impl FnOnce(Ordering) -> T) {}

/// A mutex like std's on Linux: one atomic word. With loom's own mutex, `try_lock` never finds it
/// held by a thread in the middle of its work, so that the hand-over could not be modelled.
#[cfg(loom)]
mod model {
    #![expect(missing_docs, reason = "these are std's functions under std's names")]

    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, TryLockError, TryLockResult};

    use loom::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    pub struct Mutex<T> {
        held: AtomicBool,
        // Never contended, because `held` is taken first.
        value: std::sync::Mutex<T>,
    }

    #[derive(Debug)]
    pub struct MutexGuard<'a, T> {
        value: Option<std::sync::MutexGuard<'a, T>>,
        held: &'a AtomicBool,
    }

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex { held: AtomicBool::new(false), value: std::sync::Mutex::new(value) }
        }

        pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            // As in std: acquire on success, relaxed on failure.
            match self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => Ok(MutexGuard { value: self.value.lock().ok(), held: &self.held }),
                Err(_) => Err(TryLockError::WouldBlock),
            }
        }

        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            loop {
                if let Ok(guard) = self.try_lock() {
                    return Ok(guard);
                }
                loom::thread::yield_now();
            }
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;
        fn deref(&self) -> &T {
            self.value.as_ref().expect("held until dropped")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value.as_mut().expect("held until dropped")
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            self.value = None;
            self.held.store(false, Ordering::Release);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{EvenPoisoned, Mutex};
    use crate::guard::contain;

    #[test]
    fn a_lock_is_entered_after_a_panic_of_its_holder() {
        let lock = Mutex::new(1);
        let panicked = contain(|| {
            let mut held = lock.lock().even_poisoned();
            *held = 2;
            panic!("with the lock held");
        });
        assert!(panicked.is_err() && lock.is_poisoned());
        assert_eq!(*lock.lock().even_poisoned(), 2);
    }
}
