//! SIGINT, SIGTERM and SIGHUP: the first one asks the program to hang up and end, the second one
//! ends it at once.
//!
//! The signals are blocked in every thread and read from a signalfd by one thread of our own, so no
//! code ever runs in a signal handler. Rule: [`Signals::install`] comes before any other thread is
//! started, because a thread inherits what is blocked.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;

use ringback_driver::report;

use crate::exit::{Exit, Failure};

/// How long a second signal waits for the card to be made safe.
const SAFE_LIMIT: Duration = Duration::from_secs(2);

type Emergency = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    /// The number of the first signal; 0 before.
    caught: AtomicI32,
    /// Makes the card safe.
    emergency: Mutex<Option<Emergency>>,
}

/// Whether a signal has come. Clones know the same.
#[derive(Clone, Default)]
pub(crate) struct Signals(Arc<Shared>);

impl Signals {
    /// Takes the signals over.
    pub(crate) fn install() -> io::Result<Signals> {
        let mut taken = SigSet::empty();
        taken.add(Signal::SIGINT);
        taken.add(Signal::SIGTERM);
        // Under nohup the end of the terminal is to be ignored, and a signalfd would still tell it.
        if !is_ignored(Signal::SIGHUP) {
            taken.add(Signal::SIGHUP);
        }
        taken.thread_block()?;
        let fd = SignalFd::new(&taken)?;
        let signals = Signals::default();
        let shared = Arc::clone(&signals.0);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            loop {
                match fd.read_signal() {
                    Ok(Some(info)) => shared.came(info.ssi_signo as i32),
                    Ok(None) | Err(nix::Error::EINTR) => {}
                    Err(error) => {
                        report!(ERROR, "signals can't be read any more: {error}");
                        return;
                    }
                }
            }
        })?;
        Ok(signals)
    }

    /// The exit code of the signal that has come, if one has.
    pub(crate) fn caught(&self) -> Option<Exit> {
        exit_of(self.0.caught.load(Ordering::Acquire))
    }

    /// Ends everything that looks at the signals, as if one had come.
    pub(crate) fn give_up(&self) {
        let _ = self.0.caught.compare_exchange(
            0,
            Signal::SIGINT as i32,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    /// Fails, silently, once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.caught().map_or(Ok(()), |exit| Err(Failure::silent(exit)))
    }

    /// What a second signal does before the program exits: it makes the card safe.
    pub(crate) fn on_second(&self, emergency: impl FnOnce() + Send + 'static) {
        *self.0.emergency.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Box::new(emergency));
    }
}

impl Shared {
    fn came(&self, signal: i32) {
        if self.caught.compare_exchange(0, signal, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            return;
        }
        let emergency = self.emergency.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(emergency) = emergency {
            // In a thread of its own, so that a card that hangs can't hold up the exit.
            let (done, wait) = mpsc::channel();
            let started = thread::Builder::new().spawn(move || {
                emergency();
                let _ = done.send(());
            });
            if started.is_ok() {
                let _ = wait.recv_timeout(SAFE_LIMIT);
            }
        }
        std::process::exit(exit_of(signal).unwrap_or(Exit::Interrupted) as i32);
    }
}

fn exit_of(signal: i32) -> Option<Exit> {
    match Signal::try_from(signal).ok()? {
        Signal::SIGHUP => Some(Exit::HungUp),
        Signal::SIGTERM => Some(Exit::Terminated),
        _ => Some(Exit::Interrupted),
    }
}

/// Whether the process was started with a signal ignored.
fn is_ignored(signal: Signal) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| in_mask(&status, signal))
}

/// Looks a signal up in the SigIgn mask of `/proc/PID/status`.
fn in_mask(status: &str, signal: Signal) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_is_kept() {
        let signals = Signals::default();
        assert_eq!(signals.caught(), None);
        assert!(signals.check().is_ok());
        signals.0.came(Signal::SIGTERM as i32);
        assert_eq!(signals.caught(), Some(Exit::Terminated));
        assert_eq!(signals.check(), Err(Failure::silent(Exit::Terminated)));
    }

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tringback\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        assert!(in_mask(status, Signal::SIGHUP));
        assert!(in_mask(status, Signal::SIGPIPE));
        assert!(!in_mask(status, Signal::SIGINT));
        assert!(!in_mask("Name:\tringback\n", Signal::SIGHUP));
    }
}
