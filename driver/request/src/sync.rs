//! The synchronisation the request path stands on: std's, or loom's when the models run.
//!
//! Public for the crates of Ringback, so that their models run on the same primitives. Nothing here
//! is for applications.

#[cfg(not(loom))]
pub use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence},
};

#[cfg(loom)]
pub use self::model::{Mutex, MutexGuard};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

/// What threads sleep on. Loom's own block a thread, so that one that nobody wakes is a deadlock,
/// which loom finds.
pub mod asleep {
    #[cfg(loom)]
    pub use loom::sync::{Condvar, Mutex, MutexGuard};
    #[cfg(not(loom))]
    pub use std::sync::{Condvar, Mutex, MutexGuard};
}

/// A value that shares its cache line with no other, so that writing it does not slow down readers
/// of its neighbours. 128 bytes, because processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub struct OwnLine<T>(pub T);

impl<T> std::ops::Deref for OwnLine<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// A thread is about to read a word and to write it then. For loom alone, which otherwise leaves
/// out interleavings: it remembers one reader of a word, the last, so that the thread's own reading
/// hides those of the others from its writing.
#[cfg(loom)]
pub fn will_write<T>(touch: impl FnOnce(Ordering) -> T) {
    touch(Ordering::Relaxed);
}

/// Does nothing: it is for loom alone, see the other definition.
#[cfg(not(loom))]
#[inline(always)]
pub fn will_write<T>(_: impl FnOnce(Ordering) -> T) {}

/// A mutex as std builds it on Linux: one atomic word. Loom's own never lets `try_lock` find the
/// mutex held by a thread in the middle of its work, so the hand-over could not be modelled with
/// it.
#[cfg(loom)]
mod model {
    #![expect(missing_docs, reason = "these are std's functions under std's names")]

    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, TryLockError, TryLockResult};

    use loom::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    pub struct Mutex<T> {
        held: AtomicBool,
        // Never contended: `held` goes before it.
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
            // std: acquire on success, relaxed on failure.
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
