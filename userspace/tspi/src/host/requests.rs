//! Outstanding requests: their ids, and who waits for each.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use ringback_driver::Time;
use ringback_driver::request::RequestId;

use super::call::CallInner;
use super::line::LineInner;
use crate::error::LineError;

/// What a completion is for the application.
pub(super) type Outcome = Result<(), LineError>;

/// Whom to tell.
pub(super) enum Waiter {
    Callback(Box<dyn FnOnce(Outcome) + Send>),
    Task(Waker),
}

/// One request, from before the provider is called until nobody looks at it any more.
pub(super) struct Record {
    pub(super) id: RequestId,
    pub(super) line: Arc<LineInner>,
    /// The call that it makes.
    pub(super) making: Option<Arc<CallInner>>,
    state: Mutex<State>,
    delivered: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    /// The provider's function has returned.
    pub(super) returned: bool,
    /// The application has let go of the ticket.
    pub(super) released: bool,
    /// What was delivered.
    pub(super) outcome: Option<Outcome>,
    pub(super) waiter: Option<Waiter>,
    /// The provider's function has returned an error.
    pub(super) refused: bool,
}

impl Record {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores the outcome, wakes who waits, and gives the waiter to be told.
    pub(super) fn deliver(&self, outcome: Outcome) -> Option<Waiter> {
        let mut state = self.state();
        state.outcome = Some(outcome);
        self.delivered.notify_all();
        state.waiter.take()
    }

    /// Waits for the outcome; `None` if there is none by then.
    pub(super) fn wait(&self, until: std::time::Instant) -> Option<Outcome> {
        let mut state = self.state();
        while state.outcome.is_none() {
            let left = until.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.delivered.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.outcome
    }
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
    pub(super) fn allocate(
        &self,
        line: &Arc<LineInner>,
        making: Option<Arc<CallInner>>,
    ) -> Arc<Record> {
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
            making,
            state: Mutex::default(),
            delivered: Condvar::new(),
        });
        table.outstanding.insert(id.get(), Arc::clone(&record));
        record
    }

    /// Takes an outstanding request out: from here on its id is free (T4).
    pub(super) fn take(&self, id: u32) -> Option<Arc<Record>> {
        self.lock().outstanding.remove(&id)
    }

    /// Takes all out that are left.
    pub(super) fn take_all(&self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.lock().outstanding).into_values().collect()
    }

    /// How many are outstanding.
    pub(super) fn len(&self) -> usize {
        self.lock().outstanding.len()
    }

    /// Goes on counting behind this id.
    #[cfg(test)]
    pub(super) fn set_last(&self, last: u32) {
        self.lock().last = last;
    }
}
