//! The host's own thread. It delivers what the application has released late, because the thread
//! that releases it may hold locks that the callbacks need. It also looks for evidence that
//! functions have returned whose threads do not call the host again.
//!
//! It is started by the application's thread that opens a line, because a thread inherits
//! scheduling class and processors: with those of a reaper that never sleeps it would get no time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ringback_request::report;
use ringback_request::sync::EvenPoisoned;

use super::baton::{Baton, Deliver};
use super::evidence::Asker;
use super::record::Record;

/// The interval at which it looks for evidence about parked completions.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// How long it sleeps at most with nothing to do.
const IDLE: Duration = Duration::from_secs(3600);

/// Another job for the thread.
pub(super) type Errand = Box<dyn FnOnce() + Send>;

/// A completion that is parked, and the thread that made the request.
struct Watched {
    record: Weak<Record>,
    asker: Asker,
}

#[derive(Default)]
struct Work {
    /// Lines and phones at which something is no longer held back.
    outlets: Vec<Arc<dyn Deliver>>,
    watched: Vec<Watched>,
    errands: Vec<Errand>,
    running: bool,
    /// The host is gone.
    over: bool,
}

/// The jobs of the host's thread.
pub(super) struct Hand {
    baton: Arc<Baton>,
    work: Mutex<Work>,
    arrived: Condvar,
    /// There is no such thread: the application's thread does the jobs when it runs its
    /// [`LocalHost`](super::LocalHost).
    local: bool,
}

impl Hand {
    pub(super) fn new(baton: &Arc<Baton>, local: bool) -> Hand {
        let (work, arrived) = (Mutex::default(), Condvar::new());
        Hand { baton: Arc::clone(baton), work, arrived, local }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().even_poisoned()
    }

    /// Starts the thread, unless it runs.
    pub(super) fn start(self: &Arc<Self>) {
        self.give(|_| ());
    }

    /// Has the thread do this.
    pub(super) fn run(self: &Arc<Self>, errand: Errand) {
        if !self.give(|work| work.errands.push(errand)) {
            self.tell();
        }
    }

    /// Has the thread deliver what may be delivered there.
    pub(super) fn deliver(self: &Arc<Self>, outlet: Arc<dyn Deliver>) {
        let there = self.give(|work| work.outlets.push(outlet));
        if !there {
            // The host's thread can't be started, so this one delivers.
            self.tell();
        }
    }

    /// A completion is parked: looks for evidence about its thread until the request is released.
    pub(super) fn watch(self: &Arc<Self>, record: &Arc<Record>) {
        let asker = Asker::new(record.asker);
        let watched = Watched { record: Arc::downgrade(record), asker };
        // If the thread can't be started, the completion waits until the application calls again.
        self.give(|work| work.watched.push(watched));
    }

    /// Whether anything is parked.
    pub(super) fn is_watching(&self) -> bool {
        !self.work().watched.is_empty()
    }

    /// Gives the thread a job; `false` if it can't be started.
    fn give(self: &Arc<Self>, change: impl FnOnce(&mut Work)) -> bool {
        let mut work = self.work();
        change(&mut work);
        if self.local {
            return true;
        }
        if work.running {
            drop(work);
            self.arrived.notify_one();
            return true;
        }
        work.running = true;
        drop(work);
        let hand = Arc::clone(self);
        let thread = thread::Builder::new().name("ringback-host".into());
        let started = thread.spawn(move || hand.work_on());
        if let Err(error) = started {
            self.work().running = false;
            report!(ERROR, "the host has no thread of its own: {error}");
            return false;
        }
        true
    }

    fn work_on(self: Arc<Self>) {
        while self.wait() {
            self.tell();
            self.look();
        }
    }

    /// Waits until there is a job or a time to look; `false` if the host is gone.
    fn wait(&self) -> bool {
        let start = Instant::now();
        let mut work = self.work();
        loop {
            if !work.outlets.is_empty() || !work.errands.is_empty() {
                return true;
            }
            if work.over {
                work.running = false;
                return false;
            }
            let pause = if work.watched.is_empty() { IDLE } else { LOOK };
            let left = pause.saturating_sub(start.elapsed());
            if left.is_zero() {
                return true;
            }
            let waited = self.arrived.wait_timeout(work, left);
            work = waited.even_poisoned().0;
        }
    }

    /// Delivers what may be delivered now, and runs the other jobs.
    pub(super) fn tell(&self) {
        loop {
            let (outlets, errands) = {
                let mut work = self.work();
                (std::mem::take(&mut work.outlets), std::mem::take(&mut work.errands))
            };
            if outlets.is_empty() && errands.is_empty() {
                return;
            }
            outlets.into_iter().for_each(|outlet| self.baton.deliver(outlet));
            errands.into_iter().for_each(|errand| errand());
        }
    }

    /// Releases the requests of threads that have returned.
    pub(super) fn look(&self) {
        let now = Instant::now();
        let mut watched = std::mem::take(&mut self.work().watched);
        watched.retain_mut(|Watched { record, asker }| match record.upgrade() {
            Some(record) if !record.is_released() => {
                let returned = record.leaves() && asker.has_returned(now);
                if returned {
                    record.release();
                }
                !returned
            }
            _ => false,
        });
        if !watched.is_empty() {
            self.work().watched.append(&mut watched);
            // Threads that close look as well; the thread may sleep because it saw nothing watched
            // in the meantime.
            self.arrived.notify_one();
        }
    }

    /// Ends the thread with the host; it still finishes what it has begun.
    pub(super) fn end(&self) {
        self.work().over = true;
        self.arrived.notify_one();
    }
}
