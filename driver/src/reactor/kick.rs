//! The signal that wakes a sleeping reaper: an eventfd, or in the models a condition variable of
//! loom's.

#[cfg(not(loom))]
pub(crate) use real::Kick;

#[cfg(loom)]
pub(crate) use self::model::Kick;

#[cfg(not(loom))]
mod real {
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::time::Duration;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::eventfd::{EfdFlags, EventFd};

    /// An eventfd that wakes the reaper out of its ring.
    #[derive(Debug)]
    pub(crate) struct Kick(EventFd);

    impl Kick {
        pub(crate) fn new() -> io::Result<Kick> {
            Ok(Kick(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
        }

        /// Returns a descriptor that is readable while the reaper is to wake.
        pub(crate) fn file(&self) -> io::Result<OwnedFd> {
            self.0.as_fd().try_clone_to_owned()
        }

        pub(crate) fn signal(&self) -> io::Result<()> {
            self.0.write(1)?;
            Ok(())
        }

        /// Waits for a signal for at most `limit`, and resets it.
        pub(crate) fn wait(&self, limit: Duration) {
            let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
            // Errors are ignored: the reaper looks again in any case, and a signal that is not
            // reset only wakes it once more.
            let _ = poll(&mut [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)], limit);
            let _ = self.0.read();
        }
    }
}

#[cfg(loom)]
mod model {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use crate::sync::asleep::{Condvar, Mutex};

    /// A counter that is waited for without a limit: if a reaper is not woken, that is a deadlock,
    /// which loom finds.
    #[derive(Debug)]
    pub(crate) struct Kick {
        signals: Mutex<u32>,
        written: Condvar,
    }

    impl Kick {
        pub(crate) fn new() -> io::Result<Kick> {
            Ok(Kick { signals: Mutex::new(0), written: Condvar::new() })
        }

        /// Returns `None`: the models have no ring.
        pub(crate) fn file(&self) -> io::Result<OwnedFd> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn signal(&self) -> io::Result<()> {
            *self.signals.lock().unwrap() += 1;
            self.written.notify_all();
            Ok(())
        }

        pub(crate) fn wait(&self, _: Duration) {
            let mut signals = self.signals.lock().unwrap();
            while *signals == 0 {
                signals = self.written.wait(signals).unwrap();
            }
            *signals = 0;
        }
    }
}
