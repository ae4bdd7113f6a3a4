//! Counts what is still to be delivered of a line, of a call or of the whole host, which functions
//! of the provider are running with its handles, and whether it is closed. Closing relies only on
//! these counts, and not on the provider.

use std::cell::RefCell;
use std::time::{Duration, Instant};

#[cfg(loom)]
use loom::{
    sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence},
    sync::{Condvar, Mutex},
    thread::LocalKey,
    thread_local,
};
#[cfg(not(loom))]
use std::{
    sync::atomic::{AtomicU8, AtomicUsize, Ordering, fence},
    sync::{Condvar, Mutex},
    thread::LocalKey,
    thread_local,
};

use ringback_request::sync::EvenPoisoned;

/// The interval at which a waiting thread looks again, because evidence does not wake it.
const LOOK: Duration = Duration::from_millis(10);

const OPEN: u8 = 0;
const CLOSING: u8 = 1;
const CLOSED: u8 = 2;

thread_local! {
    /// The ledgers, by their addresses, whose upcalls this thread is in.
    // Not const: loom has none.
    #[allow(clippy::missing_const_for_thread_local)]
    static TELLING: RefCell<Vec<*const Ledger>> = RefCell::new(Vec::new());

    /// The ledgers, by their addresses, that count a function of the provider's in which this
    /// thread is.
    #[allow(clippy::missing_const_for_thread_local)]
    static USING: RefCell<Vec<*const Ledger>> = RefCell::new(Vec::new());
}

/// Notes that this thread is in something of a ledger.
fn note(list: &'static LocalKey<RefCell<Vec<*const Ledger>>>, ledger: &Ledger) {
    // This fails only on a thread that is ending, which closes nothing any more.
    let _ = list.try_with(|ledgers| ledgers.borrow_mut().push(ledger));
}

/// Notes that this thread has left it.
fn strike(list: &'static LocalKey<RefCell<Vec<*const Ledger>>>, ledger: &Ledger) {
    let _ = list.try_with(|ledgers| {
        let mut ledgers = ledgers.borrow_mut();
        if let Some(at) = ledgers.iter().rposition(|one| std::ptr::eq(*one, ledger)) {
            ledgers.swap_remove(at);
        }
    });
}

/// How often this thread is in something of a ledger.
fn own(list: &'static LocalKey<RefCell<Vec<*const Ledger>>>, ledger: &Ledger) -> usize {
    let count = list.try_with(|ledgers| {
        ledgers.borrow().iter().filter(|one| std::ptr::eq(**one, ledger)).count()
    });
    count.unwrap_or(0)
}

/// Counts of one line, call or host: requests without an outcome, and running upcalls.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Requests that were accepted and whose outcome has not been delivered.
    untold: AtomicUsize,
    /// Upcalls that are running.
    telling: AtomicUsize,
    /// Functions of the provider that are running with its handles.
    using: AtomicUsize,
    stage: AtomicU8,
}

impl Ledger {
    /// A request is about to be made.
    pub(super) fn owe(&self) {
        self.untold.fetch_add(1, Ordering::SeqCst);
    }

    /// A request was not made after all, or its outcome is being delivered.
    pub(super) fn forgive(&self) {
        self.untold.fetch_sub(1, Ordering::SeqCst);
    }

    fn begin_telling(&self) {
        self.telling.fetch_add(1, Ordering::SeqCst);
        note(&TELLING, self);
    }

    fn end_telling(&self) {
        strike(&TELLING, self);
        self.telling.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether no other thread is in a function of the provider's with a handle of this.
    pub(super) fn is_unused_here(&self) -> bool {
        // As in `Using::begin`: of counting and closing, at least one sees the other.
        fence(Ordering::SeqCst);
        self.using.load(Ordering::SeqCst) == own(&USING, self)
    }

    /// Requests whose outcome has not been delivered.
    pub(super) fn untold(&self) -> usize {
        self.untold.load(Ordering::SeqCst)
    }

    /// Whether everything was delivered, and every upcall has returned.
    pub(super) fn is_settled(&self) -> bool {
        self.untold() == 0 && self.telling.load(Ordering::SeqCst) == 0
    }

    /// The same for a thread that is in an upcall, which does not count its own.
    pub(super) fn is_settled_here(&self) -> bool {
        let ours = own(&TELLING, self);
        // An outcome is subtracted from the first count after it was added to the second, so this
        // order misses none.
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

/// Wakes the threads that wait for a ledger; it makes no system call while none does.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Turns {
    /// Something was delivered or closed.
    pub(super) fn changed(&self) {
        // A waiting thread notes itself and then reads the counts; a thread that changes a count
        // then looks for waiting threads. So one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) != 0 {
            drop(self.lock.lock().even_poisoned());
            self.changed.notify_all();
        }
    }

    /// Waits until the condition holds; `false` if the time is over before that. Calls `look`
    /// repeatedly, with no lock held.
    pub(super) fn wait(
        &self,
        until: Instant,
        is_so: impl Fn() -> bool,
        mut look: impl FnMut(),
    ) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let came = loop {
            if is_so() {
                break true;
            }
            look();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break is_so();
            }
            let lock = self.lock.lock().even_poisoned();
            if !is_so() {
                drop(self.changed.wait_timeout(lock, left.min(LOOK)));
            }
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        came
    }
}

/// A running upcall; dropping this ends it.
pub(super) struct Telling<'a> {
    ledgers: [Option<&'a Ledger>; 3],
    turns: &'a Turns,
}

impl<'a> Telling<'a> {
    /// An upcall that this ledger counts begins.
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

/// A handle of the provider's that is being used; it stays valid until this is dropped (G5).
pub(super) struct Use<'a, H> {
    handle: H,
    _using: Using<'a>,
}

impl<'a, H: Copy> Use<'a, H> {
    /// Begins to use the handle that `find` returns, unless one of the ledgers is closed. Closing
    /// waits until the use ends, and none begins once closing has begun.
    pub(super) fn begin<E>(
        ledgers: [&'a Ledger; 2],
        turns: &'a Turns,
        closed: E,
        find: impl FnOnce() -> Result<H, E>,
    ) -> Result<Use<'a, H>, E> {
        // Counted first: a thread that closes sees the count, or is seen to close.
        let using = Using::begin(ledgers, turns);
        if !ledgers.iter().all(|ledger| ledger.is_open()) {
            return Err(closed);
        }
        Ok(Use { handle: find()?, _using: using })
    }

    pub(super) fn handle(&self) -> H {
        self.handle
    }
}

/// A running function of the provider's; dropping this ends it.
struct Using<'a> {
    ledgers: [&'a Ledger; 2],
    turns: &'a Turns,
}

impl<'a> Using<'a> {
    fn begin(ledgers: [&'a Ledger; 2], turns: &'a Turns) -> Using<'a> {
        for ledger in ledgers {
            ledger.using.fetch_add(1, Ordering::SeqCst);
            note(&USING, ledger);
        }
        fence(Ordering::SeqCst);
        Using { ledgers, turns }
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        for ledger in self.ledgers {
            strike(&USING, ledger);
            ledger.using.fetch_sub(1, Ordering::SeqCst);
        }
        self.turns.changed();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_does_not_wait_for_its_own_function_g5() {
        let (ledger, turns) = (Ledger::default(), Turns::default());
        let handle = Use::begin([&ledger; 2], &turns, "closed", || Ok(1));
        assert!(handle.is_ok());
        assert!(ledger.is_unused_here());
        std::thread::scope(|scope| {
            assert!(!scope.spawn(|| ledger.is_unused_here()).join().unwrap());
        });
        drop(handle);
        assert!(ledger.begin_closing() && ledger.is_unused_here());
        let refused = Use::begin([&ledger; 2], &turns, "closed", || Ok(1));
        assert_eq!(refused.err(), Some("closed"));
        assert!(ledger.is_unused_here(), "a refused use is not counted");
    }
}

/// Loom: a thread that closes is woken when everything is delivered, and not before. Loom's
/// condition variables never time out, so that a thread that is not woken waits for ever, and loom
/// finds the deadlock; [`LOOK`] plays no part.
#[cfg(all(test, loom))]
mod model {
    use std::panic::catch_unwind;
    use std::sync::Arc;

    use loom::thread::{self, JoinHandle};

    use super::*;

    /// How the host of a model behaves: right, or with one mistake on purpose.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Host {
        Right,
        /// An outcome is subtracted from the first count before it is added to the second.
        ForgivesFirst,
        /// Waiting threads are woken before the outcome is delivered.
        WakesFirst,
        /// Every closer begins to close, not the first alone.
        ClosesTwice,
        /// A function of the provider's is counted only after it was seen that nobody closes.
        CountsLate,
    }

    #[derive(Default)]
    struct Books {
        ledger: Ledger,
        turns: Turns,
        told: AtomicUsize,
        closed: AtomicUsize,
    }

    fn spawn(
        books: &Arc<Books>,
        host: Host,
        act: impl FnOnce(&Books, Host) + 'static,
    ) -> JoinHandle<()> {
        let books = Arc::clone(books);
        thread::spawn(move || act(&books, host))
    }

    /// As [`super::super::requests`] delivers an outcome.
    fn tell(books: &Books, host: Host) {
        if host == Host::ForgivesFirst {
            books.ledger.forgive();
        }
        let telling = Telling::begin([Some(&books.ledger), None, None], &books.turns);
        if host != Host::ForgivesFirst {
            books.ledger.forgive();
        }
        books.told.store(1, Ordering::Relaxed);
        if host == Host::WakesFirst {
            std::mem::forget(telling);
            books.turns.changed();
            books.ledger.end_telling();
        }
    }

    /// As [`super::super::closing`] closes, on a thread that is in no upcall.
    fn close(books: &Books, host: Host) {
        let Books { ledger, turns, told, closed } = books;
        if ledger.begin_closing() || host == Host::ClosesTwice {
            assert_eq!(closed.fetch_add(1, Ordering::Relaxed), 0, "closed once at the provider");
            ledger.close();
            turns.changed();
        }
        let over = || ledger.is_closed() && ledger.is_settled();
        assert!(turns.wait(Instant::now() + 1000 * LOOK, over, || {}));
        assert_eq!(told.load(Ordering::Relaxed), 1, "D1: delivered before it is closed");
        assert_eq!(closed.load(Ordering::Relaxed), 1);
    }

    /// An outcome is delivered while so many threads close, with up to so many preemptions.
    fn closing(host: Host, closers: usize, preemptions: usize) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.check(move || {
            let books = Arc::new(Books::default());
            books.ledger.owe();
            let mut threads: Vec<_> = (1..closers).map(|_| spawn(&books, host, close)).collect();
            threads.push(spawn(&books, host, tell));
            close(&books, host);
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    /// One closing thread, with up to three preemptions; two, with up to two.
    #[test]
    fn model_d1_d2_a_closing_thread_is_woken_when_everything_is_delivered() {
        closing(Host::Right, 1, 3);
        closing(Host::Right, 2, 2);
    }

    #[test]
    fn model_notices_an_outcome_that_is_not_counted_while_it_is_delivered() {
        assert!(catch_unwind(|| closing(Host::ForgivesFirst, 1, 2)).is_err());
    }

    #[test]
    fn model_notices_a_wake_up_before_the_delivery() {
        assert!(catch_unwind(|| closing(Host::WakesFirst, 1, 2)).is_err());
    }

    #[test]
    fn model_notices_two_that_both_close() {
        assert!(catch_unwind(|| closing(Host::ClosesTwice, 2, 2)).is_err());
    }

    /// A thread calls a function of the provider's while another closes what it is called with.
    fn using(host: Host) {
        loom::model(move || {
            let books = Arc::new(Books::default());
            let user = spawn(&books, host, |books, host| {
                let Books { ledger, turns, closed, .. } = books;
                let may = host != Host::CountsLate || ledger.is_open();
                if host == Host::CountsLate && may {
                    let _using = Using::begin([ledger; 2], turns);
                    assert_eq!(closed.load(Ordering::Relaxed), 0, "G5: the handle is valid");
                } else if let Ok(handle) = Use::begin([ledger; 2], turns, (), || Ok(7)) {
                    assert_eq!(handle.handle(), 7);
                    assert_eq!(closed.load(Ordering::Relaxed), 0, "G5: the handle is valid");
                }
            });
            let Books { ledger, turns, closed, .. } = &*books;
            assert!(ledger.begin_closing());
            let until = Instant::now() + 1000 * LOOK;
            assert!(turns.wait(until, || ledger.is_unused_here(), || {}));
            closed.store(1, Ordering::Relaxed);
            user.join().unwrap();
        });
    }

    #[test]
    fn model_g5_no_function_runs_with_a_handle_that_is_closed() {
        using(Host::Right);
    }

    #[test]
    fn model_notices_a_function_that_is_counted_too_late() {
        assert!(catch_unwind(|| using(Host::CountsLate)).is_err());
    }

    /// A thread that is in an upcall closes: it does not wait for that upcall itself, but returns
    /// "closed" only if no other upcall is running.
    #[test]
    fn model_d2_a_close_in_an_upcall_counts_the_other_upcalls() {
        loom::model(|| {
            let books = Arc::new(Books::default());
            books.ledger.owe();
            let teller = spawn(&books, Host::Right, tell);
            let own = Telling::begin([Some(&books.ledger), None, None], &books.turns);
            if books.ledger.is_settled_here() {
                assert_eq!(books.told.load(Ordering::Relaxed), 1);
            }
            drop(own);
            teller.join().unwrap();
            assert!(books.ledger.is_settled());
        });
    }
}
