//! Whether this process is the one that opened a card, or a child of it.
//!
//! A child shares its parent's mappings, ring and wake-up files but has none of its threads: what it
//! did with a card it would do to its parent. So the driver asks here before it touches anything.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many fork(2)s lie between the first process and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);
static WATCHING: Once = Once::new();

/// A process, as far as it matters who forked whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// The calling process.
    pub fn current() -> Process {
        WATCHING.call_once(|| {
            // SAFETY: `count` is async-signal-safe: it adds to one atomic number. Where the C library
            // has no memory for it, forks are not noticed.
            unsafe { libc::pthread_atfork(None, None, Some(count)) };
        });
        Process(FORKS.load(Ordering::Relaxed))
    }

    /// Whether the calling process is this one. One load.
    #[inline]
    pub fn is_current(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }
}

extern "C" fn count() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};

    use super::*;

    #[test]
    fn a_child_is_another_process() {
        let parent = Process::current();
        assert!(parent.is_current());
        // SAFETY: the child calls nothing but async-signal-safe functions.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                let code = i32::from(parent.is_current());
                // SAFETY: _exit ends the child without running anything of the test's.
                unsafe { libc::_exit(code) }
            }
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
                assert!(parent.is_current());
            }
        }
    }
}
