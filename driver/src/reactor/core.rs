//! The state that tickets and handles of any engine share with the reaper: the table, the clock,
//! the wake-up, and whether the reaper has ended.

use std::sync::OnceLock;
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::Time;
use crate::device::fork::Process;
use crate::device::scheduling::Entitlement;
use crate::engine::Failure;
use crate::report;
use crate::request::Table;
use crate::sync::{AtomicBool, AtomicU64, Ordering, OwnLine};

use super::clock::Clock;
use super::doze::Doze;
use super::kick::Kick;
use super::latch::Latch;
use super::submitter;

/// The part of a card that its tickets keep alive.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) table: Table,
    pub(crate) clock: Clock,
    /// On a cache line of its own: the reaper writes it in each of its turns, and every caller
    /// reads the fields beside it.
    pub(crate) doze: OwnLine<Doze>,
    /// The latest round whose upcalls have returned.
    delivered: OwnLine<AtomicU64>,
    stopping: AtomicBool,
    kick: Option<Kick>,
    /// The reaper's thread, and its entitlement.
    reaper: OnceLock<(ThreadId, Entitlement)>,
    process: Process,
    /// Why the engine has ended.
    cause: OnceLock<Failure>,
    over: Latch<()>,
}

impl Core {
    pub(crate) fn new(table: Table, clock: Clock, kick: Option<Kick>) -> Core {
        Core {
            table,
            clock,
            doze: OwnLine(Doze::new()),
            delivered: OwnLine(AtomicU64::new(0)),
            stopping: AtomicBool::new(false),
            kick,
            reaper: OnceLock::new(),
            process: Process::current(),
            cause: OnceLock::new(),
            over: Latch::new(),
        }
    }

    /// Returns whether this process is a child of the one that opened the card, and must not touch
    /// it.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        !self.process.is_current()
    }

    /// Makes the reaper look again. Costs a system call only if the reaper sleeps.
    #[inline]
    pub(crate) fn wake(&self) {
        if self.doze.notify()
            && let Some(kick) = &self.kick
            && let Err(error) = kick.signal()
        {
            report!(ERROR, "the reaper could not be woken: {error}");
        }
    }

    /// Sleeps until the reaper is woken, for at most `limit`: for a reaper whose ring has failed.
    pub(crate) fn sleep(&self, limit: Duration) {
        if let Some(kick) = &self.kick {
            kick.wait(limit);
        }
    }

    /// Records why the engine has ended, and makes the reaper stop.
    pub(crate) fn stop(&self, cause: Failure) {
        self.cause.get_or_init(|| cause);
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// Why the engine has ended; `None` while it runs.
    pub(crate) fn cause(&self) -> Option<Failure> {
        self.cause.get().copied()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Records the calling thread as the reaper, with its entitlement. Its real-time settings must
    /// already be in force.
    pub(crate) fn become_reaper(&self) {
        self.reaper.get_or_init(|| (thread::current().id(), Entitlement::of_this_thread()));
    }

    pub(crate) fn is_reaper(&self) -> bool {
        self.reaper.get().is_some_and(|(reaper, _)| *reaper == thread::current().id())
    }

    /// Returns whether the calling thread may hold the card. A thread that is entitled to less of a
    /// CPU than the reaper may not, because the reaper would wait for it for as long as other
    /// threads are busy.
    #[inline]
    pub(crate) fn may_hold(&self, now: Time) -> bool {
        match (&self.clock, self.reaper.get()) {
            (Clock::Monotonic, Some((_, reaper))) => submitter::entitlement(now) >= *reaper,
            // A simulation has only one thread, and without a reaper no thread waits for the card.
            _ => true,
        }
    }

    /// Records that the upcalls of a round have returned. Only the reaper may call it.
    pub(crate) fn delivered(&self, round: u64) {
        self.delivered.store(round, Ordering::Release);
    }

    /// The latest round whose upcalls have returned.
    pub(crate) fn latest_delivered(&self) -> u64 {
        self.delivered.load(Ordering::Acquire)
    }

    /// Announces that the reaper has ended and nothing is delivered any more.
    pub(crate) fn end(&self) {
        self.over.tell(());
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.get().is_some()
    }

    /// Waits until the reaper has ended; `false` if it has not within `limit`.
    pub(crate) fn wait_over(&self, limit: Duration) -> bool {
        self.over.wait(limit).is_some()
    }
}
