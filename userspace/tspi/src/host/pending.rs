//! A request on its way: what to do when it is over.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ringback_driver::request::RequestId;

use super::requests::{Outcome, Record, Waiter};
use super::{Call, inside};
use crate::error::LineError;
use crate::provider::Ticket;

/// Why waiting gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The request is over and has failed.
    #[error(transparent)]
    Failed(#[from] LineError),
    /// It is still on its way; wait again, or for longer.
    #[error("the request was not complete in time; it goes on")]
    TimedOut,
    /// Called from a callback of the host, which would be waiting for itself. Nothing has changed; use
    /// [`Pending::on_complete`].
    #[error(
        "a callback can't wait for a request: it would be waiting for itself; give the request a \
         callback of its own"
    )]
    InUpcall,
}

/// A request that was accepted: exactly one completion will come.
///
/// It holds the request's ticket. Until it is waited for, released or dropped nothing of its line is
/// delivered, neither this completion nor anything behind it (G1), so store its
/// [`id`](Pending::id) first and do not keep it for long. Dropping it releases it; the request goes
/// on and its result is dropped.
#[must_use = "while it is kept, everything on its line is held back; wait for it, give it a callback, or release it"]
pub struct Pending<T> {
    record: Arc<Record>,
    value: T,
    ticket: Mutex<Option<Ticket>>,
}

impl<T> Pending<T> {
    pub(super) fn new(record: Arc<Record>, value: T, ticket: Ticket) -> Pending<T> {
        Pending { record, value, ticket: Mutex::new(Some(ticket)) }
    }

    /// The request's id.
    pub fn id(&self) -> RequestId {
        self.record.id
    }

    /// Lets the request go on without anybody waiting for it.
    pub fn release(self) {}

    /// Opens the gate, once whoever waits has been stored.
    fn open_gate(&self) {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ticket) = ticket {
            self.record.state().released = true;
            let gated = ticket.is_gated();
            drop(ticket);
            if !gated {
                self.record.line.drain();
            }
        }
    }
}

impl<T: Clone> Pending<T> {
    fn result(&self, outcome: Outcome) -> Result<T, LineError> {
        outcome.map(|()| self.value.clone())
    }

    /// Waits for the result, at most so long. May be called again after [`WaitError::TimedOut`].
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait(&self, time: Duration) -> Result<T, WaitError> {
        let outcome = self.record.state().outcome;
        if let Some(outcome) = outcome {
            return Ok(self.result(outcome)?);
        }
        if inside::is_inside(&*self.record.line.shared) {
            return Err(WaitError::InUpcall);
        }
        self.open_gate();
        let until = Instant::now() + time.min(Duration::from_secs(u64::from(u32::MAX)));
        let outcome = self.record.wait(until).ok_or(WaitError::TimedOut)?;
        Ok(self.result(outcome)?)
    }
}

impl<T: Clone + Send + 'static> Pending<T> {
    /// Calls `callback` with the result, on the reaper's thread; here and now if the request was
    /// given up by [`Host::shutdown`](super::Host::shutdown) before.
    ///
    /// Keep it short: everything on the card waits for it. It may submit, drop and close; it can't
    /// wait. A panic is caught and logged.
    pub fn on_complete(self, callback: impl FnOnce(Result<T, LineError>) + Send + 'static) {
        let value = self.value.clone();
        let callback = move |outcome: Outcome| callback(outcome.map(|()| value));
        let mut state = self.record.state();
        match state.outcome {
            None => state.waiter = Some(Waiter::Callback(Box::new(callback))),
            Some(outcome) => {
                drop(state);
                callback(outcome);
                return;
            }
        }
        drop(state);
        self.open_gate();
    }
}

impl Pending<Call> {
    /// The call that is being made. Until the request is over it can only be closed, which fails the
    /// request (N3, N6).
    pub fn call(&self) -> Call {
        self.value.clone()
    }
}

/// The gate opens when it is polled first, after the waker was stored.
impl<T: Clone + Unpin> Future for Pending<T> {
    type Output = Result<T, LineError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.record.state();
        if let Some(outcome) = state.outcome {
            drop(state);
            return Poll::Ready(self.result(outcome));
        }
        state.waiter = Some(Waiter::Task(cx.waker().clone()));
        drop(state);
        self.open_gate();
        Poll::Pending
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.open_gate();
    }
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("id", &self.id()).finish_non_exhaustive()
    }
}
