//! Whatever asks the program to end: the first signal has it hang up and end, the second one ends
//! it at once.
//!
//! All signals that would end the program are blocked in every thread and read from a signalfd by
//! one thread of our own, so no code ever runs in a signal handler. Left alone are those that the
//! kernel raises for a fault of the program's own (SEGV, BUS, ILL, FPE, TRAP, SYS) and those that
//! stop it and let it go on. A write beyond a limit of file sizes (SIGXFSZ) is an error of the
//! write.
//!
//! Rules: [`Signals::install`] comes before any other thread is started, because a thread inherits
//! what is blocked. A signal that the program was started with as ignored stays ignored. Nothing
//! may keep the main thread from a signal for more than a second: what can block for longer is run
//! by [`Signals::interruptible`], or waits for [`Signals::wait_writable`].

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::SignalFd;
use ringback_driver::report;

use crate::exit::{Exit, Failure};

/// How long a second signal waits for the card to be made safe.
const SAFE_LIMIT: Duration = Duration::from_secs(2);
/// How long whoever reads or takes what we say has, after a signal, to do so.
const GRACE: Duration = Duration::from_millis(500);

/// Signals that would end the program by default and are not caught: the kernel raises them for a
/// fault, and they are of no use to anybody who blocks them.
const FAULTS: [Signal; 6] = [
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];
/// Signals that do not end a program, or are told by an error as well (PIPE).
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
    /// The number of the first signal; 0 before.
    caught: AtomicI32,
    caught_at: OnceLock<Instant>,
    /// What the program has told that it exits with.
    told: OnceLock<Exit>,
    /// Readable from the first signal on.
    event: OnceLock<EventFd>,
    /// Who waits for the first signal.
    watchers: Mutex<Vec<Once>>,
    /// Makes the card safe.
    emergency: Mutex<Option<Once>>,
}

/// Whether a signal has come. Clones know the same.
#[derive(Clone, Default)]
pub(crate) struct Signals(Arc<Shared>);

impl Signals {
    /// Takes the signals over.
    pub(crate) fn install() -> io::Result<Signals> {
        let mut taken = SigSet::all();
        FAULTS.into_iter().chain(HARMLESS).for_each(|signal| taken.remove(signal));
        // What is blocked is told by a signalfd even where it is ignored.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = move |signal: i32| in_mask(&status, signal);
        taken.thread_block()?;
        let fd = SignalFd::new(&taken)?;
        let signals = Signals::default();
        let _ = signals.0.event.set(EventFd::from_flags(EfdFlags::EFD_CLOEXEC)?);
        let shared = Arc::clone(&signals.0);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
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

    /// The exit code of the signal that has come, if one has.
    pub(crate) fn caught(&self) -> Option<Exit> {
        exit_of(self.0.caught.load(Ordering::Acquire))
    }

    /// Ends everything that looks at the signals, as if one had come.
    pub(crate) fn give_up(&self) {
        self.0.first(Signal::SIGINT as i32);
    }

    /// Fails, silently, once a signal has come.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.caught().map_or(Ok(()), |exit| Err(Failure::silent(exit)))
    }

    /// What a second signal does before the program exits: it makes the card safe.
    pub(crate) fn on_second(&self, emergency: impl FnOnce() + Send + 'static) {
        *lock(&self.0.emergency) = Some(Box::new(emergency));
    }

    /// The exit code is out: whatever comes now, the program exits with it.
    pub(crate) fn told(&self, exit: Exit) {
        let _ = self.0.told.set(exit);
    }

    /// Is called once a signal has come, on a thread that must not wait; at once if one has.
    fn watch(&self, watcher: impl FnOnce() + Send + 'static) {
        let mut watchers = lock(&self.0.watchers);
        if self.0.caught.load(Ordering::Acquire) == 0 {
            watchers.push(Box::new(watcher));
        } else {
            drop(watchers);
            watcher();
        }
    }

    /// Does what may block for as long as it likes, on a thread of its own, and fails silently if a
    /// signal comes first. Then the thread is left behind, to end with the program.
    pub(crate) fn interruptible<T: Send + 'static>(
        &self,
        name: &str,
        what: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        self.apart(name, Duration::ZERO, what)
    }

    /// The same for what looks at the signals by itself: after one it has a moment to end.
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
            // Nobody waits for it any more after a signal.
            let _ = sender.send(Some(what()));
        })?;
        self.last_word(signal, &receiver, None, grace)
            .ok_or_else(|| Failure::silent(self.caught().unwrap_or(Exit::INTERRUPTED)))
    }

    /// Waits for what others have to say last, at most so long, and after a signal only a moment.
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
        // Without a word, a signal.
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
            let soon = Instant::now() + grace;
            until = Some(until.map_or(soon, |until| until.min(soon)));
        }
    }

    /// Waits for a signal.
    pub(crate) fn wait(&self) -> Result<(), Failure> {
        let (signal, came) = mpsc::channel();
        self.watch(move || {
            let _ = signal.send(());
        });
        let _ = came.recv();
        self.check()
    }

    /// Readable once a signal has come.
    pub(crate) fn event(&self) -> io::Result<Option<OwnedFd>> {
        self.0.event.get().map(|event| event.as_fd().try_clone_to_owned()).transpose()
    }

    /// Until when others have time to take what we say.
    fn grace(&self) -> Option<Instant> {
        self.0.caught_at.get().map(|at| *at + GRACE)
    }

    /// Waits until a descriptor takes a few bytes. Fails, silently, when a signal has come and it
    /// does not take them soon.
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
                // An error of the descriptor is told by the write.
                Ok(_) if fds.first().and_then(PollFd::any).unwrap_or(true) => return Ok(()),
                Ok(_) | Err(nix::Error::EINTR) => {}
                Err(_) => return Ok(()),
            }
        }
    }
}

impl Shared {
    /// Whether it is the first signal. Wakes whoever waits for it.
    fn first(&self, signal: i32) -> bool {
        // Before the signal can be seen, so that whoever sees it knows since when.
        let mut watchers = lock(&self.watchers);
        if self.caught.load(Ordering::Acquire) != 0 {
            return false;
        }
        let _ = self.caught_at.set(Instant::now());
        self.caught.store(signal, Ordering::Release);
        let watchers = std::mem::take(&mut *watchers);
        if let Some(event) = self.event.get() {
            // It can't be full: it is written once.
            let _ = event.write(1);
        }
        watchers.into_iter().for_each(|watcher| watcher());
        true
    }

    fn came(&self, signal: i32) {
        if self.first(signal) {
            return;
        }
        let emergency = lock(&self.emergency).take();
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
        // The first one is what was told, if anything was.
        let first = || exit_of(self.caught.load(Ordering::Acquire));
        let exit = self.told.get().copied().or_else(first).unwrap_or(Exit::INTERRUPTED);
        std::process::exit(exit.code().into());
    }
}

/// Starts a thread of the program.
pub(crate) fn spawn(name: &str, what: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    thread::Builder::new().name(name.to_owned()).spawn(what).map(drop).map_err(no_thread)
}

/// There is no thread to be had.
pub(crate) fn no_thread(error: io::Error) -> Failure {
    Failure::failed(format_args!(
        "there is no thread to be had ({error}): end other programs, or raise the limits (ulimit \
         -u, systemd's TasksMax)"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
