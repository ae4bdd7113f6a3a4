//! One request: what waits for it, and when its outcome may be delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::task::Waker;
use std::time::Instant;

use ringback_request::sync::EvenPoisoned;
use ringback_request::{ErrorCode, RequestId, Time};
use ringback_tspi::types::HTAPICALL;

use super::baton::Deliver;
use super::ledger::{Ledger, Telling, Turns};

/// Where the outcomes of requests go: an open line or phone.
pub(super) trait Outlet: Deliver {
    /// The ledgers that count all its requests: the host's and its own.
    fn ledgers(&self) -> [&Ledger; 2];

    /// The permanent provider id of its provider.
    fn provider(&self) -> u32;

    /// Wakes the threads that wait for those ledgers.
    fn turns(&self) -> &Turns;

    /// Reports to the observer a step in making a request.
    fn asking(&self, id: RequestId, asking: Asking);

    /// Queues the ending of a request; the next delivery takes it.
    fn put(&self, record: Arc<Record>, ending: Ending);

    /// Delivers what was queued in an upcall of the provider, either in the upcall or by the host's
    /// thread.
    fn arrived(self: Arc<Self>);

    /// Has the host's thread deliver what may be delivered.
    fn deliver_later(self: Arc<Self>);
}

/// The result of a request, with an error of lines or of phones.
pub(super) type Outcome = Result<(), ErrorCode>;

/// The application's callback for the outcome.
pub(super) type Callback = Box<dyn FnOnce(Outcome) + Send>;

/// What is called or woken with the outcome.
pub(super) enum Waiter {
    Callback(Callback),
    Task(Waker),
}

/// A step in making a request.
pub(super) enum Asking {
    /// The provider's function of this name is about to be called.
    Submitted {
        function: &'static str,
        /// `None` for a request of a phone.
        call: Option<HTAPICALL>,
    },
    Returned,
    Refused(ErrorCode),
}

/// How a request ended.
pub(super) enum Ending {
    Completed(Arrived),
    /// The provider has ended without completing it.
    Lost,
    /// A callback was set after the outcome had come.
    Late(Callback),
}

/// The call that a request makes or is about.
struct About {
    call: HTAPICALL,
    ledger: Arc<Ledger>,
    making: bool,
}

/// One request, from before the provider is called until its last user drops it.
pub(super) struct Record {
    pub(super) id: RequestId,
    pub(super) outlet: Arc<dyn Outlet>,
    about: OnceLock<About>,
    /// Whether the provider was called; otherwise only the id is reserved.
    owed: AtomicBool,
    /// The thread that makes the request.
    pub(super) asker: i32,
    /// The host's function is about to return.
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
    /// The record of a request of the calling thread, whose id the application knows already if it
    /// is `released`.
    pub(super) fn new(
        id: RequestId,
        outlet: Arc<dyn Outlet>,
        asker: i32,
        released: bool,
    ) -> Record {
        Record {
            id,
            outlet,
            about: OnceLock::new(),
            owed: AtomicBool::new(false),
            asker,
            leaves: AtomicBool::new(false),
            state: Mutex::new(State { released, ..State::default() }),
            delivered: Condvar::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().even_poisoned()
    }

    /// The call that it makes, or is about. Set once: a request is made once.
    pub(super) fn set_call(&self, call: HTAPICALL, ledger: &Arc<Ledger>, making: bool) {
        let _ = self.about.set(About { call, ledger: Arc::clone(ledger), making });
    }

    /// The call that it makes.
    pub(super) fn making(&self) -> Option<HTAPICALL> {
        self.about.get().filter(|about| about.making).map(|about| about.call)
    }

    /// The ledgers that count it.
    fn ledgers(&self) -> [Option<&Ledger>; 3] {
        let call = self.about.get().map(|about| &*about.ledger);
        let [host, line] = self.outlet.ledgers();
        [Some(host), Some(line), call]
    }

    /// The provider is about to be called: from now on the request counts as outstanding.
    pub(super) fn owe(&self) {
        self.owed.store(true, Ordering::Release);
        self.ledgers().iter().flatten().for_each(|ledger| ledger.owe());
    }

    fn forgive(&self) {
        self.ledgers().iter().flatten().for_each(|ledger| ledger.forgive());
    }

    /// Changes the gate. If that opens it for a parked completion, the host's thread delivers it,
    /// because the application may hold locks here that its callbacks need.
    fn open(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let opened = state.parked && state.is_open();
        state.parked &= !opened;
        drop(state);
        if opened {
            Arc::clone(&self.outlet).deliver_later();
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

    /// The provider's function has returned an error (R4). If the provider completed the request
    /// all the same, the completion must not hold the line back.
    pub(super) fn refused(&self) {
        // Nothing of it was delivered before, because the provider's function had not returned.
        self.open(|state| (state.refused, state.returned, state.released) = (true, true, true));
        self.forgive();
        self.outlet.turns().changed();
    }

    /// The host's function is about to return: after this it waits for nothing, and frees no
    /// memory, because that could wait.
    pub(super) fn set_leaving(&self) {
        self.leaves.store(true, Ordering::Release);
    }

    /// Ends the request: delivers this, and what else may be delivered on its line.
    pub(super) fn end(self: Arc<Self>, ending: Ending) {
        let outlet = Arc::clone(&self.outlet);
        outlet.put(self, ending);
        outlet.arrived();
    }

    pub(super) fn is_owed(&self) -> bool {
        self.owed.load(Ordering::Acquire)
    }

    /// Whether it is a request to this provider that has no outcome yet.
    pub(super) fn is_owed_by(&self, provider: u32) -> bool {
        self.is_owed() && self.outlet.provider() == provider
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
        let telling = Telling::begin(self.ledgers(), self.outlet.turns());
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

    /// Waits for the outcome until this time; `None` if there is none by then.
    pub(super) fn wait(&self, until: Instant) -> Option<Outcome> {
        let mut state = self.state();
        state.sleepers += 1;
        while state.outcome.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.delivered.wait_timeout(state, left);
            state = waited.even_poisoned().0;
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
    pub(super) outcome: Outcome,
    pub(super) completed: Time,
    pub(super) early: bool,
}
