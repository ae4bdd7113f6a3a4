//! What is still to be told of a line, of a call or of the whole host, and whether it is closed.
//! Closing waits by these books and by nothing that a provider says.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who waits looks again after so long, for evidence that nobody announces.
const LOOK: Duration = Duration::from_millis(10);

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

thread_local! {
    /// The books, by their addresses, of what this thread is telling.
    static TELLING: RefCell<Vec<*const Ledger>> = const { RefCell::new(Vec::new()) };
}

/// The books of one line, call or host.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Requests that were accepted and whose outcome has not been told.
    untold: AtomicUsize,
    /// Upcalls that are under way.
    telling: AtomicUsize,
    stage: AtomicU8,
}

impl Ledger {
    /// A request is about to be made.
    pub(super) fn owe(&self) {
        self.untold.fetch_add(1, Ordering::SeqCst);
    }

    /// A request has come to nothing, or is being told.
    pub(super) fn forgive(&self) {
        self.untold.fetch_sub(1, Ordering::SeqCst);
    }

    fn begin_telling(&self) {
        self.telling.fetch_add(1, Ordering::SeqCst);
        // A thread that is ending closes nothing any more that it could be telling.
        let _ = TELLING.try_with(|telling| telling.borrow_mut().push(self));
    }

    fn end_telling(&self) {
        let _ = TELLING.try_with(|telling| {
            let mut telling = telling.borrow_mut();
            if let Some(at) = telling.iter().rposition(|ledger| std::ptr::eq(*ledger, self)) {
                telling.swap_remove(at);
            }
        });
        self.telling.fetch_sub(1, Ordering::SeqCst);
    }

    /// Requests whose outcome has not been told.
    pub(super) fn untold(&self) -> usize {
        self.untold.load(Ordering::SeqCst)
    }

    /// Whether all was told, and every upcall has returned.
    pub(super) fn is_settled(&self) -> bool {
        self.untold() == 0 && self.telling.load(Ordering::SeqCst) == 0
    }

    /// The same for a thread that is in an upcall: but for that one itself.
    pub(super) fn is_settled_here(&self) -> bool {
        let ours = TELLING.try_with(|telling| {
            telling.borrow().iter().filter(|ledger| std::ptr::eq(**ledger, self)).count()
        });
        let ours = ours.unwrap_or(0);
        // Outcomes are forgiven when they begin to be told, so this order misses none.
        self.untold() == 0 && self.telling.load(Ordering::SeqCst) == ours
    }

    /// Begins to close; `false` if that was begun before.
    pub(super) fn begin_closing(&self) -> bool {
        let begun = self.stage.compare_exchange(OPEN, CLOSING, Ordering::SeqCst, Ordering::SeqCst);
        begun.is_ok()
    }

    /// From here on it is closed.
    pub(super) fn close(&self) {
        self.stage.store(CLOSED, Ordering::SeqCst);
    }

    pub(super) fn is_open(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == OPEN
    }

    pub(super) fn is_closed(&self) -> bool {
        self.stage.load(Ordering::SeqCst) == CLOSED
    }
}

/// Wakes those who wait for a ledger, at no cost while nobody does.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Turns {
    /// Something was told or closed.
    pub(super) fn changed(&self) {
        if self.waiting.load(Ordering::SeqCst) != 0 {
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.changed.notify_all();
        }
    }

    /// Waits until it is so; `false` if it is not by then. Calls `look` now and then, with no lock
    /// held.
    pub(super) fn wait(
        &self,
        until: Instant,
        is_so: impl Fn() -> bool,
        mut look: impl FnMut(),
    ) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let came = loop {
            if is_so() {
                break true;
            }
            look();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break is_so();
            }
            let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            if !is_so() {
                drop(self.changed.wait_timeout(lock, left.min(LOOK)));
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        came
    }
}

/// Something is being told; dropping it says that it was.
pub(super) struct Telling<'a> {
    ledgers: [Option<&'a Ledger>; 3],
    turns: &'a Turns,
}

impl<'a> Telling<'a> {
    /// An upcall that is in these books begins.
    pub(super) fn begin(ledgers: [Option<&'a Ledger>; 3], turns: &'a Turns) -> Telling<'a> {
        ledgers.iter().flatten().for_each(|ledger| ledger.begin_telling());
        Telling { ledgers, turns }
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.ledgers.iter().flatten().for_each(|ledger| ledger.end_telling());
        self.turns.changed();
    }
}
