//! The parts of a host that its lines, calls and requests keep alive: the requests and the threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::baton::Baton;
use super::closer::Closer;
use super::counts::Counters;
use super::evidence::this_thread;
use super::hand::Hand;
use super::inside;
use super::ledger::{Ledger, Turns, Use};
use super::requests::Requests;

pub(super) struct Shared {
    pub(super) requests: Requests,
    pub(super) counters: Counters,
    pub(super) ledger: Ledger,
    pub(super) turns: Turns,
    pub(super) baton: Arc<Baton>,
    pub(super) hand: Arc<Hand>,
    pub(super) closer: Arc<Closer>,
    handles: AtomicUsize,
    end_to_end: AtomicU32,
    /// The process that started it. A forked child has none of its threads and must not use its
    /// card.
    process: u32,
    /// The thread that runs a local host.
    pub(super) runner: Option<i32>,
}

impl Shared {
    pub(super) fn new(runner: Option<i32>) -> Shared {
        let baton = Arc::default();
        Shared {
            requests: Requests::default(),
            counters: Counters::default(),
            ledger: Ledger::default(),
            turns: Turns::default(),
            hand: Arc::new(Hand::new(&baton, runner.is_some())),
            baton,
            closer: Arc::default(),
            handles: AtomicUsize::new(0),
            end_to_end: AtomicU32::new(0),
            process: std::process::id(),
            runner,
        }
    }

    /// Begins a function of a provider's that names a device by its id; the provider is not shut
    /// down until this is dropped (G5).
    pub(super) fn in_function<E>(&self, down: E) -> Result<Use<'_, ()>, E> {
        Use::begin([&self.ledger; 2], &self.turns, down, || Ok(()))
    }

    /// A number for a handle: never 0 (N2), never used again.
    pub(super) fn next_handle(&self) -> usize {
        self.handles.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A number for the generation of digits.
    pub(super) fn next_end_to_end(&self) -> u32 {
        self.end_to_end.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Whether this is a child that was forked from the host's process.
    pub(super) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Whether the calling thread would wait for itself.
    pub(super) fn must_not_wait(&self) -> bool {
        inside::is_inside() || self.runner == Some(this_thread())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.hand.end();
        self.closer.end();
    }
}
