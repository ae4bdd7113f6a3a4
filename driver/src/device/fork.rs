//! Whether this process is the one that opened a card, or a child of it.
//!
//! A child shares its parent's mappings, ring and wake-up files but has none of its threads.
//! Whatever it did with a card would affect its parent, so the driver checks this before it uses a
//! card.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many fork(2)s lie between the first process and this one.
static FORKS: AtomicU32 = AtomicU32::new(0);
static WATCHING: Once = Once::new();

/// Identifies a process among its parents and children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// Returns the calling process, to be compared with it later.
    pub fn current() -> Process {
        WATCHING.call_once(|| {
            // SAFETY: `count` is async-signal-safe: it adds to one atomic number. Where the C
            // library has no memory for it, forks are not noticed.
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

/// Runs `act` in a child process, which must end by itself within `limit`. Returns whether `act`
/// has returned true there.
///
/// The caller guarantees that no other thread holds a lock during the fork that the child may need.
#[cfg(test)]
pub(crate) fn in_child(limit: std::time::Duration, act: impl FnOnce() -> bool) -> bool {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::{Duration, Instant};

    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};

    // SAFETY: the caller guarantees that no other thread holds a lock that the child wants.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let well = catch_unwind(AssertUnwindSafe(act)).unwrap_or(false);
            // SAFETY: _exit ends the child without running anything of the test's.
            unsafe { libc::_exit(i32::from(!well)) }
        }
        ForkResult::Parent { child } => {
            let until = Instant::now() + limit;
            loop {
                match waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() {
                    WaitStatus::StillAlive if Instant::now() < until => {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    status => {
                        // A child that hangs must not outlive the test.
                        let _ = kill(child, Signal::SIGKILL);
                        return status == WaitStatus::Exited(child, 0);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_another_process() {
        let parent = Process::current();
        assert!(parent.is_current());
        let limit = std::time::Duration::from_secs(20);
        assert!(in_child(limit, || !parent.is_current()));
        assert!(parent.is_current());
        assert!(!in_child(limit, || parent.is_current()), "the child's result arrives");
    }
}
