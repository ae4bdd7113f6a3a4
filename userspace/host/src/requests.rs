//! Outstanding requests: their ids, who waits for each, and when each may be delivered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

use ringback_request::{RequestId, Time};
use ringback_tspi::error::LineError;

use super::asked;
use super::ledger::{Ledger, Telling};
use super::life::CallInner;
use super::line::LineInner;

/// What a completion is for the application.
pub(super) type Outcome = Result<(), LineError>;

/// What the application wants to be called with the outcome.
pub(super) type Callback = Box<dyn FnOnce(Outcome) + Send>;

/// What is called or woken when the outcome is there.
pub(super) enum Waiter {
    Callback(Callback),
    Task(Waker),
}

/// The call that a request makes or is about.
struct About {
    call: Arc<CallInner>,
    making: bool,
}

/// One request, from before the provider is called until its last user drops it.
pub(super) struct Record {
    pub(super) id: RequestId,
    pub(super) line: Arc<LineInner>,
    about: OnceLock<About>,
    /// Whether the provider was called; otherwise only the id is reserved.
    owed: AtomicBool,
    /// The thread that asks.
    pub(super) asker: i32,
    /// The host's function has nothing left to do but to return.
    leaves: AtomicBool,
    state: Mutex<State>,
    delivered: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// The provider's function has returned.
    pub(super) returned: bool,
    /// The host's function has returned as well, or the application has released the request.
    released: bool,
    /// The completion has come and waits for the two above.
    parked: bool,
    /// The provider's function has returned an error.
    refused: bool,
    /// The outcome, once the request is over.
    pub(super) outcome: Option<Outcome>,
    pub(super) waiter: Option<Waiter>,
    sleepers: usize,
}

impl Record {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call that it makes, or is about. Set once: a request is made once.
    pub(super) fn set_call(&self, call: &Arc<CallInner>, making: bool) {
        let _ = self.about.set(About { call: Arc::clone(call), making });
    }

    /// The call that it makes.
    pub(super) fn making(&self) -> Option<&Arc<CallInner>> {
        self.about.get().filter(|about| about.making).map(|about| &about.call)
    }

    /// The books it is in.
    fn ledgers(&self) -> [Option<&Ledger>; 3] {
        let call = self.about.get().map(|about| &about.call.ledger);
        [Some(&self.line.shared.ledger), Some(&self.line.ledger), call]
    }

    /// The provider is about to be asked: from now on an outcome is owed.
    pub(super) fn owe(&self) {
        self.owed.store(true, Ordering::Release);
        self.ledgers().iter().flatten().for_each(|ledger| ledger.owe());
    }

    fn forgive(&self) {
        self.ledgers().iter().flatten().for_each(|ledger| ledger.forgive());
    }

    /// Changes the gate. If that opens it for a completion that waits, the host's thread delivers
    /// it: the application may hold locks here that its callbacks want.
    fn open(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let opened = state.parked && state.is_open();
        state.parked &= !opened;
        drop(state);
        if opened {
            self.line.shared.hand.deliver(&self.line);
        }
    }

    /// The application knows the id: the outcome may be delivered.
    pub(super) fn release(&self) {
        self.open(|state| state.released = true);
    }

    /// The provider's function has returned the id.
    pub(super) fn returned(&self) {
        self.open(|state| state.returned = true);
    }

    /// The provider's function has returned an error (R4). If it completed the request all the
    /// same, that must not hold the line back.
    pub(super) fn refused(&self) {
        // Nothing of it was delivered before, because the provider's function had not returned.
        self.open(|state| (state.refused, state.returned, state.released) = (true, true, true));
        self.forgive();
        self.line.shared.turns.changed();
    }

    /// The host's function has nothing left to do but return: it waits for nothing any more, and
    /// frees no memory, for which it might have to wait.
    pub(super) fn leave(self: &Arc<Self>) {
        asked::remember(self);
        self.leaves.store(true, Ordering::Release);
    }

    fn is_owed(&self) -> bool {
        self.owed.load(Ordering::Acquire)
    }

    pub(super) fn leaves(&self) -> bool {
        self.leaves.load(Ordering::Acquire)
    }

    pub(super) fn is_released(&self) -> bool {
        self.state().released
    }

    /// Whether a completion that has come may be delivered; otherwise it is parked until then.
    pub(super) fn admit(&self) -> Admission {
        let mut state = self.state();
        if state.is_open() {
            return Admission::Open;
        }
        match std::mem::replace(&mut state.parked, true) {
            true => Admission::Parked,
            false => Admission::Parks,
        }
    }

    /// Begins the delivery of its outcome; `None` if it was refused.
    pub(super) fn begin_telling(&self) -> Option<Telling<'_>> {
        if self.state().refused {
            return None;
        }
        let telling = Telling::begin(self.ledgers(), &self.line.shared.turns);
        self.forgive();
        Some(telling)
    }

    /// Stores the outcome, wakes waiting threads, and returns the waiter to be called.
    pub(super) fn deliver(&self, outcome: Outcome) -> Option<Waiter> {
        let mut state = self.state();
        state.outcome = Some(outcome);
        let sleepers = state.sleepers;
        let waiter = state.waiter.take();
        drop(state);
        if sleepers != 0 {
            self.delivered.notify_all();
        }
        waiter
    }

    /// Waits for the outcome; `None` if there is none by then.
    pub(super) fn wait(&self, until: Instant) -> Option<Outcome> {
        let mut state = self.state();
        state.sleepers += 1;
        while state.outcome.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.delivered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.sleepers -= 1;
        state.outcome
    }
}

impl State {
    /// Even a released request waits for the provider's function, which gives the call's handle
    /// (N1).
    fn is_open(&self) -> bool {
        self.returned && self.released
    }
}

/// Whether a completion may be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Open,
    /// Not yet, from now on.
    Parks,
    /// Not yet, as before.
    Parked,
}

/// A completion that has come from the provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived {
    pub(super) result: i32,
    pub(super) completed: Time,
    pub(super) early: bool,
}

#[derive(Default)]
struct Table {
    outstanding: HashMap<u32, Arc<Record>>,
    /// The id given out last.
    last: u32,
}

/// All outstanding requests of a host.
#[derive(Default)]
pub(super) struct Requests(Mutex<Table>);

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the record of a request under an id that no outstanding request has (T2, T3).
    pub(super) fn allocate(&self, line: &Arc<LineInner>, released: bool) -> Arc<Record> {
        let asker = asked::this_thread();
        let mut table = self.lock();
        let id = loop {
            table.last = table.last % RequestId::MAX + 1;
            if !table.outstanding.contains_key(&table.last)
                && let Some(id) = RequestId::new(table.last)
            {
                break id;
            }
        };
        let record = Arc::new(Record {
            id,
            line: Arc::clone(line),
            about: OnceLock::new(),
            owed: AtomicBool::new(false),
            asker,
            leaves: AtomicBool::new(false),
            state: Mutex::new(State { released, ..State::default() }),
            delivered: Condvar::new(),
        });
        table.outstanding.insert(id.get(), Arc::clone(&record));
        record
    }

    /// Takes an outstanding request out: from here on its id is free (T4).
    pub(super) fn take(&self, id: u32) -> Option<Arc<Record>> {
        let mut table = self.lock();
        if !table.outstanding.get(&id)?.is_owed() {
            return None;
        }
        table.outstanding.remove(&id)
    }

    /// Gives back the id of a request that was never made.
    pub(super) fn give_back(&self, record: &Record) {
        self.lock().outstanding.remove(&record.id.get());
    }

    /// Takes all out that are outstanding.
    pub(super) fn take_all(&self) -> Vec<Arc<Record>> {
        let mut table = self.lock();
        let owed = table.outstanding.extract_if(|_, record| record.is_owed());
        owed.map(|(_, record)| record).collect()
    }

    /// How many are outstanding.
    pub(super) fn len(&self) -> usize {
        self.lock().outstanding.values().filter(|record| record.is_owed()).count()
    }

    /// Goes on counting behind this id.
    #[cfg(test)]
    pub(super) fn set_last(&self, last: u32) {
        self.lock().last = last;
    }
}
