//! Signals that end the program: the first one makes it hang up and exit, the second one makes it
//! exit at once.
//!
//! All signals whose default action ends the program are blocked in every thread, and one thread
//! reads them from a signalfd, so that no code ever runs in a signal handler. The exceptions are
//! those that the kernel raises for a fault of the program (SEGV, BUS, ILL, FPE, TRAP, SYS) and
//! those that stop and continue it. A write beyond the limit of file sizes (SIGXFSZ) returns an
//! error instead.
//!
//! Rules: [`Signals::install`] is called before any other thread is started, because a thread
//! inherits the signal mask. A signal that was ignored when the program started stays ignored.
//! Nothing may keep the main thread from a signal for more than a second: calls that can block for
//! longer are run by [`Signals::interruptible`], or wait with [`Signals::wait_writable`].

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use ringback_driver::report;
use ringback_tspi::EvenPoisoned;

use crate::exit::{Exit, Failure};

/// How long the exit after a second signal waits until the card is safe.
const SAFE_LIMIT: Duration = Duration::from_secs(2);
/// After a signal, how long readers of our output and other threads have to finish.
const GRACE: Duration = Duration::from_millis(500);

/// Signals that the kernel raises for a fault of the program. They are not caught, because blocking
/// them would not prevent the program's end.
const FAULTS: [Signal; 6] = [
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];
/// Signals that do not end a program, and SIGPIPE, which a write reports as an error as well.
const HARMLESS: [Signal; 8] = [
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGURG,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGPIPE,
];

type Once = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Shared {
    /// The number of the first signal; 0 until one comes.
    caught: AtomicI32,
    caught_at: OnceLock<Instant>,
    /// The exit code that the program has already printed.
    told: OnceLock<Exit>,
    /// An eventfd that becomes readable at the first signal.
    event: OnceLock<EventFd>,
    /// Functions to call at the first signal.
    watchers: Mutex<Vec<Once>>,
    /// Makes the card safe at the second signal.
    emergency: Mutex<Option<Once>>,
}

/// Whether a signal has come. Clones share the state.
#[derive(Clone, Default)]
pub(crate) struct Signals(Arc<Shared>);

impl Signals {
    /// Blocks the signals and starts the thread that reads them.
    pub(crate) fn install() -> Result<Signals, Failure> {
        let refused = |error: nix::Error| {
            Failure::failed(format_args!("signals can't be received: {}", io::Error::from(error)))
        };
        let mut taken = SigSet::all();
        FAULTS.into_iter().chain(HARMLESS).for_each(|signal| taken.remove(signal));
        // A blocked signal is read from a signalfd even if it is ignored, so that ignored ones are
        // left out.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = move |signal: i32| in_mask(&status, signal);
        taken.thread_block().map_err(refused)?;
        let fd = SignalFd::new(&taken).map_err(refused)?;
        let signals = Signals::default();
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(refused)?;
        let _ = signals.0.event.set(event);
        let shared = Arc::clone(&signals.0);
        spawn("signals", move || {
            loop {
                match fd.read_signal() {
                    Ok(Some(info)) if ignored(info.ssi_signo as i32) => {}
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

    /// Returns the exit code for the signal that has come, if one has.
    pub(crate) fn caught(&self) -> Option<Exit> {
        exit_of(self.0.caught.load(Ordering::Acquire))
    }

    /// Ends everything that checks the signals, as if one had come.
    pub(crate) fn give_up(&self) {
        self.0.first(Signal::SIGINT as i32);
    }

    /// Fails with an empty text once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.caught().map_or(Ok(()), |exit| Err(Failure::silent(exit)))
    }

    /// Sets what a second signal runs before the program exits: it makes the card safe.
    pub(crate) fn on_second(&self, emergency: impl FnOnce() + Send + 'static) {
        *self.0.emergency.lock().even_poisoned() = Some(Box::new(emergency));
    }

    /// Records that the exit code was printed, so that a later signal does not change it.
    pub(crate) fn told(&self, exit: Exit) {
        let _ = self.0.told.set(exit);
    }

    /// Calls `watcher` at the first signal, on a thread that must not wait; at once if it has come.
    fn watch(&self, watcher: impl FnOnce() + Send + 'static) {
        let mut watchers = self.0.watchers.lock().even_poisoned();
        if self.0.caught.load(Ordering::Acquire) == 0 {
            watchers.push(Box::new(watcher));
        } else {
            drop(watchers);
            watcher();
        }
    }

    /// Runs a function that may block for any time on a thread of its own, and fails with an empty
    /// text if a signal comes first. The thread is then abandoned and ends with the program.
    pub(crate) fn interruptible<T: Send + 'static>(
        &self,
        name: &str,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.apart(name, Duration::ZERO, what)
    }

    /// Like `interruptible`, for a function that checks the signals itself: it has a moment to end.
    #[cfg(feature = "bench")]
    pub(crate) fn attended<T: Send + 'static>(
        &self,
        name: &str,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.apart(name, GRACE, what)
    }

    fn apart<T: Send + 'static>(
        &self,
        name: &str,
        grace: Duration,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, receiver) = mpsc::channel();
        let signal = sender.clone();
        spawn(name, move || {
            // After a signal the receiver may be gone.
            let _ = sender.send(Some(what()));
        })?;
        self.last_word(signal, &receiver, None, grace)
            .ok_or_else(|| Failure::silent(self.caught().unwrap_or(Exit::INTERRUPTED)))
    }

    /// Waits for a last message, for at most `limit`, and after a signal only for a moment.
    pub(crate) fn await_end<T: Send + 'static>(
        &self,
        sender: Sender<Option<T>>,
        receiver: &Receiver<Option<T>>,
        limit: Duration,
    ) -> Option<T> {
        self.last_word(sender, receiver, Some(limit), GRACE)
    }

    fn last_word<T: Send + 'static>(
        &self,
        sender: Sender<Option<T>>,
        receiver: &Receiver<Option<T>>,
        limit: Option<Duration>,
        grace: Duration,
    ) -> Option<T> {
        // A signal sends `None`, which shortens the wait.
        self.watch(move || {
            let _ = sender.send(None);
        });
        let mut until = limit.map(|limit| Instant::now() + limit);
        loop {
            let word = match until {
                None => receiver.recv().ok()?,
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    receiver.recv_timeout(left).ok()?
                }
            };
            if word.is_some() {
                return word;
            }
            // Counted from the signal, so that several waits after each other take no longer.
            let soon = self.0.caught_at.get().map_or_else(Instant::now, |at| *at) + grace;
            until = Some(until.map_or(soon, |until| until.min(soon)));
        }
    }

    /// Blocks until a signal comes.
    pub(crate) fn wait(&self) -> Result<(), Failure> {
        let (signal, came) = mpsc::channel();
        self.watch(move || {
            let _ = signal.send(());
        });
        let _ = came.recv();
        self.check()
    }

    /// Returns a descriptor that becomes readable once a signal has come.
    pub(crate) fn event(&self) -> io::Result<Option<OwnedFd>> {
        self.0.event.get().map(|event| event.as_fd().try_clone_to_owned()).transpose()
    }

    /// Returns the time since the first signal, if one has come.
    pub(crate) fn since(&self) -> Option<Duration> {
        self.0.caught_at.get().map(Instant::elapsed)
    }

    /// Returns the time until which readers may take our output after a signal.
    fn grace(&self) -> Option<Instant> {
        self.0.caught_at.get().map(|at| *at + GRACE)
    }

    /// Waits until the descriptor is writable. Fails with an empty text if a signal has come and
    /// the descriptor does not become writable soon.
    pub(crate) fn wait_writable(&self, fd: BorrowedFd<'_>) -> Result<(), Failure> {
        loop {
            let mut fds = vec![PollFd::new(fd, PollFlags::POLLOUT)];
            let timeout = match (self.grace(), self.0.event.get()) {
                (None, Some(event)) => {
                    fds.push(PollFd::new(event.as_fd(), PollFlags::POLLIN));
                    PollTimeout::NONE
                }
                (None, None) => PollTimeout::NONE,
                (Some(until), _) => {
                    let left = until.saturating_duration_since(Instant::now());
                    PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO)
                }
            };
            match poll(&mut fds, timeout) {
                Ok(0) => return self.check(),
                // An error of the descriptor will be returned by the write.
                Ok(_) if fds.first().and_then(PollFd::any).unwrap_or(true) => return Ok(()),
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(_) => return Ok(()),
            }
        }
    }
}

impl Shared {
    /// Records a signal and wakes the threads that wait for one. Returns whether it is the first.
    fn first(&self, signal: i32) -> bool {
        // Locked before the signal becomes visible, so that `caught_at` is set for every reader of
        // it.
        let mut watchers = self.watchers.lock().even_poisoned();
        if self.caught.load(Ordering::Acquire) != 0 {
            return false;
        }
        let _ = self.caught_at.set(Instant::now());
        self.caught.store(signal, Ordering::Release);
        let watchers = std::mem::take(&mut *watchers);
        if let Some(event) = self.event.get() {
            // The counter can't overflow, because it is written once.
            let _ = event.write(1);
        }
        watchers.into_iter().for_each(|watcher| watcher());
        true
    }

    fn came(&self, signal: i32) {
        if self.first(signal) {
            return;
        }
        let emergency = self.emergency.lock().even_poisoned().take();
        if let Some(emergency) = emergency {
            // On a thread of its own, so that a card that hangs can't delay the exit.
            let (done, wait) = mpsc::channel();
            let started = thread::Builder::new().spawn(move || {
                emergency();
                let _ = done.send(());
            });
            if started.is_ok() {
                let _ = wait.recv_timeout(SAFE_LIMIT);
            }
        }
        // The exit code that was printed comes first; otherwise the first signal decides.
        let first = || exit_of(self.caught.load(Ordering::Acquire));
        let exit = self.told.get().copied().or_else(first).unwrap_or(Exit::INTERRUPTED);
        std::process::exit(exit.code().into());
    }
}

/// Starts a thread of the program.
pub(crate) fn spawn(name: &str, what: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().name(name.to_owned()).spawn(what).map(drop).map_err(no_thread)
}

/// The failure for a thread that could not be started.
pub(crate) fn no_thread(error: io::Error) -> Failure {
    Failure::failed(format_args!(
        "no thread can be started ({error}): end other programs, or raise the limits (ulimit -u, \
         systemd's TasksMax)"
    ))
}

fn exit_of(signal: i32) -> Option<Exit> {
    (signal != 0).then_some(Exit::Signal(signal))
}

/// Looks a signal up in the SigIgn mask of `/proc/PID/status`.
fn in_mask(status: &str, signal: i32) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask.checked_shr((signal - 1).unsigned_abs()).unwrap_or(0) & 1 == 1)
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
        assert_eq!(signals.caught(), Some(Exit::Signal(15)));
        assert_eq!(signals.check(), Err(Failure::silent(Exit::Signal(15))));
    }

    #[test]
    fn what_blocks_is_left_behind_when_a_signal_comes() {
        let signals = Signals::default();
        assert_eq!(signals.interruptible("quick", || 7), Ok(7));
        let (never, wait) = mpsc::channel::<()>();
        let theirs = signals.clone();
        let left = signals.interruptible("slow", move || {
            theirs.0.came(Signal::SIGINT as i32);
            let _ = wait.recv();
        });
        assert_eq!(left, Err(Failure::silent(Exit::INTERRUPTED)));
        drop(never);
    }

    #[test]
    fn a_full_pipe_is_not_waited_for_after_a_signal() {
        let signals = Signals::default();
        let _ = signals.0.event.set(EventFd::new().unwrap());
        let (reader, mut writer) = io::pipe().unwrap();
        signals.wait_writable(writer.as_fd()).unwrap();
        let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
        nix::fcntl::fcntl(&writer, flags).unwrap();
        while io::Write::write(&mut writer, &[0; 4096]).is_ok() {}
        let theirs = signals.clone();
        let signal = thread::spawn(move || theirs.0.came(Signal::SIGINT as i32));
        let waited = signals.wait_writable(writer.as_fd());
        assert_eq!(waited, Err(Failure::silent(Exit::INTERRUPTED)));
        signal.join().unwrap();
        drop(reader);
    }

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let status = "Name:\tringback\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\n";
        assert!(in_mask(status, Signal::SIGHUP as i32));
        assert!(in_mask(status, Signal::SIGPIPE as i32));
        assert!(!in_mask(status, Signal::SIGINT as i32));
        assert!(!in_mask("Name:\tringback\n", Signal::SIGHUP as i32));
    }
}
