//! The host's own thread. It tells what had to wait for the application and was released since, so
//! that this is never done on a thread of the application's, which may hold locks that the callbacks
//! want; and it looks for evidence that those who never come back have returned.
//!
//! It is started when it is needed first, and ends when it has not been needed for a while.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::evidence::Asker;
use super::guard::log;
use super::line::LineInner;
use super::requests::Record;

/// How often it looks at what is parked.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// It ends if there was nothing to do for so long.
const IDLE: Duration = Duration::from_secs(10);

/// A completion that is parked, and who asked.
struct Watched {
    record: Weak<Record>,
    asker: Asker,
}

#[derive(Default)]
struct Work {
    /// Lines on which something may be told that could not be told before.
    lines: Vec<Arc<LineInner>>,
    watched: Vec<Watched>,
    running: bool,
    /// The host is gone.
    over: bool,
}

/// What the host's thread is given to do.
#[derive(Default)]
pub(super) struct Hand {
    work: Mutex<Work>,
    arrived: Condvar,
    /// The application's thread does it, when it runs its [`LocalHost`](super::LocalHost).
    local: bool,
}

impl Hand {
    pub(super) fn new(local: bool) -> Hand {
        Hand { local, ..Hand::default() }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something on the line may be told now.
    pub(super) fn deliver(self: &Arc<Self>, line: &Arc<LineInner>) {
        let there = self.give(|work| work.lines.push(Arc::clone(line)));
        if !there {
            // Better on this thread than not at all.
            self.tell();
        }
    }

    /// A completion is parked: looks after who asked, until the request is released.
    pub(super) fn watch(self: &Arc<Self>, record: &Arc<Record>) {
        let asker = Asker::new(record.asker);
        let watched = Watched { record: Arc::downgrade(record), asker };
        // Without the thread it waits until the application comes back.
        self.give(|work| work.watched.push(watched));
    }

    /// Whether anything is parked.
    pub(super) fn is_watching(&self) -> bool {
        !self.work().watched.is_empty()
    }

    /// Gives the thread something to do; `false` if there is none.
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
        let started = thread::Builder::new().name("ringback-host".into()).spawn(move || hand.run());
        if let Err(error) = started {
            self.work().running = false;
            log(|| tracing::error!(%error, "the host has no thread of its own"));
            return false;
        }
        true
    }

    fn run(self: Arc<Self>) {
        while self.wait() {
            self.tell();
            self.look();
        }
    }

    /// Waits for something to do; `false` if the thread is not needed any more.
    fn wait(&self) -> bool {
        let start = Instant::now();
        let mut work = self.work();
        loop {
            if !work.lines.is_empty() {
                return true;
            }
            let (pause, looks) = match work.watched.is_empty() {
                true => (IDLE, false),
                false => (LOOK, true),
            };
            let left = pause.saturating_sub(start.elapsed());
            if work.over || left.is_zero() {
                work.running = looks && !work.over;
                return work.running;
            }
            let waited = self.arrived.wait_timeout(work, left);
            work = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Tells what may be told now.
    pub(super) fn tell(&self) {
        loop {
            let lines = std::mem::take(&mut self.work().lines);
            if lines.is_empty() {
                return;
            }
            for line in lines {
                line.deliver();
            }
        }
    }

    /// Releases what was asked by those who have returned.
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
        self.work().watched.append(&mut watched);
    }

    /// The host is gone; what the thread has in hand it still does.
    pub(super) fn end(&self) {
        self.work().over = true;
        self.arrived.notify_one();
    }
}
