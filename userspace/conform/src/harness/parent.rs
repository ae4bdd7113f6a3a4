//! The suite's side: starts a process for each scenario, and reads its log and how it ended.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;

use super::codes::{DONE, FAILED, HUNG, NOT_LOADED};
use crate::log::{Log, ReadError, What};

/// How long the rest of a log may take once its process has ended.
const REST: Duration = Duration::from_secs(2);
/// The pause between two checks of the processes.
const PAUSE: Duration = Duration::from_millis(5);

/// Why there is no log to judge.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The process could not be started.
    #[error("the provider's process can't be started: {0}")]
    Start(io::Error),
    /// The library is no provider, or can't be loaded; its process has said why on stderr.
    #[error("the provider can't be loaded: see above")]
    NotLoaded,
    /// The suite itself has failed, not the provider; its process has said how on stderr.
    #[error("the suite itself has failed in the provider's process: see above")]
    Suite,
    /// The process wrote something else than a log.
    #[error("the log of the provider's process can't be read: {0}")]
    Log(#[from] ReadError),
    /// `is_stopped` has returned true.
    #[error("interrupted")]
    Stopped,
}

struct Running {
    index: usize,
    child: Child,
    text: Receiver<Vec<u8>>,
    until: Instant,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long a scenario may take before its process is killed, if `patience` is how long the suite
/// waits for what a provider has to report. A provider can cause a few such waits.
pub fn limit(patience: Duration) -> Duration {
    Duration::from_secs(30) + patience * 6
}

/// Runs processes, several at a time, each of which calls [`run`](super::run), and returns their
/// logs in the order of the commands. A process that takes longer than `limit` is killed.
/// `is_stopped` is called repeatedly; once it returns true, all processes are killed.
///
/// # Errors
/// [`RunError`].
pub fn run_all(
    commands: Vec<Command>,
    at_a_time: usize,
    limit: Duration,
    is_stopped: impl Fn() -> bool,
) -> Result<Vec<Log>, RunError> {
    let mut logs: Vec<Option<Log>> = commands.iter().map(|_| None).collect();
    let mut waiting = commands.into_iter().enumerate();
    let mut running: Vec<Running> = Vec::new();
    loop {
        while running.len() < at_a_time.max(1)
            && let Some((index, command)) = waiting.next()
        {
            running.push(start(index, command, limit).map_err(RunError::Start)?);
        }
        if running.is_empty() {
            return Ok(logs.into_iter().flatten().collect());
        }
        if is_stopped() {
            return Err(RunError::Stopped);
        }
        let mut at = 0;
        while at < running.len() {
            let one = &mut running[at];
            let ended = one.child.try_wait().map_err(RunError::Start)?;
            let is_late = Instant::now() > one.until;
            if is_late {
                // It may have ended meanwhile.
                let _ = one.child.kill();
            }
            match ended {
                Some(status) => {
                    let mut one = running.swap_remove(at);
                    logs[one.index] = Some(log(&mut one, status, is_late.then_some(limit))?);
                }
                None => at += 1,
            }
        }
        thread::sleep(PAUSE);
    }
}

fn start(index: usize, mut command: Command, limit: Duration) -> io::Result<Running> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let parent = std::process::id();
    let orphan = move || {
        // SAFETY: prctl with this option takes a signal and touches no memory.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        // The provider starts with no signal blocked, whichever ones this process blocks.
        SigSet::empty().thread_set_mask()?;
        if std::os::unix::process::parent_id() == parent {
            Ok(())
        } else {
            Err(io::ErrorKind::Interrupted.into())
        }
    };
    // SAFETY: the function makes three system calls and allocates nothing.
    unsafe { command.pre_exec(orphan) };
    let mut child = command.spawn()?;
    let mut pipe = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (sender, text) = mpsc::channel();
    thread::spawn(move || {
        let mut piece = vec![0; 1 << 16];
        // An error of reading counts as the end of the log.
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            if sender.send(piece[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    Ok(Running { index, child, text, until: Instant::now() + limit })
}

/// The log of a process that has ended, with its end; `late` is the limit that it has exceeded.
fn log(one: &mut Running, status: ExitStatus, late: Option<Duration>) -> Result<Log, RunError> {
    let mut text = Vec::new();
    let until = Instant::now() + REST;
    while let Ok(piece) = one.text.recv_timeout(until.saturating_duration_since(Instant::now())) {
        text.extend(piece);
    }
    match status.code() {
        Some(NOT_LOADED) => return Err(RunError::NotLoaded),
        Some(FAILED) => return Err(RunError::Suite),
        _ => {}
    }
    // An incomplete last line was being written when the process ended, and is dropped.
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut log = Log::read(&text[..whole])?;
    let last = |log: &Log| log.entries().last().map_or(0, |entry| entry.thread);
    let thread = last(&log);
    let end = match (status.code(), status.signal(), late) {
        (Some(DONE | HUNG), ..) => None,
        (Some(code), ..) => Some(What::Exited { code }),
        (None, Some(_), Some(limit)) => {
            let milliseconds = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            log.running().max().map(|of| What::Hung { of, milliseconds })
        }
        (None, signal, _) => Some(What::Died { signal: signal.unwrap_or(0) }),
    };
    if let Some(end) = end {
        // An end may follow every entry, and what hangs is under way.
        let _ = log.add(thread, end);
    }
    Ok(log)
}
