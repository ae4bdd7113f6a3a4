//! A request that was accepted, as the application handles it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ringback_request::{ErrorCode, RequestId};
use ringback_tspi::error::LineError;

use super::asked;
use super::call::Call;
use super::inner::CallInner;
use super::inside;
use super::record::{Ending, Outcome, Record, Waiter};
use super::service::Service;

/// The interval at which a wait without a limit looks again.
const HOUR: Duration = Duration::from_secs(3600);
/// Longer limits are cut to this: 136 years.
const FAR: Duration = Duration::from_secs(u32::MAX as u64);

/// Why waiting gave no result. `E` is the error of a request of a line, or a
/// [`PhoneError`](ringback_tspi::error::PhoneError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError<E = LineError> {
    /// The request is over and has failed.
    #[error(transparent)]
    Failed(#[from] E),
    /// It is still outstanding; wait again, or for longer.
    #[error("the request was not complete in time; it continues")]
    TimedOut,
    /// Waited for, or polled, in a callback of a host, or on the thread that runs the
    /// [`LocalHost`](super::LocalHost), which would wait for itself. The request continues; use
    /// [`Pending::on_complete`].
    #[error(
        "a callback can't wait for a request: it would be waiting for itself; give the request a \
         callback of its own"
    )]
    InUpcall,
}

/// A request that was accepted: exactly one completion will come.
///
/// Nothing of it is delivered before the function that returned this has returned (G1). After that
/// it may be kept, waited for and awaited in any order, dropped or forgotten. It holds its line
/// back only until the host has evidence that the function has returned: as soon as the thread uses
/// this or calls the host, otherwise within some tenths of a second.
///
/// If it is dropped the request continues, and its result is dropped. A call that is being made is
/// closed then, unless the application has a [`Call`] of it from [`call`](Pending::call).
///
/// `E` is its error: of lines, or of phones.
#[must_use = "dropping it gives up a call that is being made; wait for it, or release it"]
pub struct Pending<T, E = LineError> {
    record: Arc<Record>,
    service: Arc<Service>,
    /// The call that it makes.
    making: Option<Arc<CallInner>>,
    value: T,
    error: PhantomData<fn() -> E>,
}

impl<T, E> Pending<T, E> {
    pub(super) fn new(
        record: Arc<Record>,
        service: Arc<Service>,
        making: Option<Arc<CallInner>>,
        value: T,
    ) -> Pending<T, E> {
        Pending { record, service, making, value, error: PhantomData }
    }

    /// Marks that the host's function returns with it now.
    pub(super) fn leave(self) -> Pending<T, E> {
        asked::leave(&self.record);
        self
    }

    /// The id under which the request was submitted and completes.
    pub fn id(&self) -> RequestId {
        self.record.id
    }

    /// Lets the request continue without this. A call that is being made continues as well, and is
    /// reported by its events; it is not hung up when the last [`Call`] of it is dropped.
    pub fn release(self) {
        if let Some(call) = &self.making {
            call.disown();
        }
    }

    /// Cancels the request: it fails, in the order of its line, unless it was complete already. A
    /// call that is being made is closed (N6), as by [`Call::close`]. `false` if the request is
    /// over, or if the provider can't cancel it and it continues.
    pub fn cancel(&self) -> bool {
        self.touch();
        if self.record.state().outcome.is_some() {
            return false;
        }
        match &self.making {
            Some(call) => {
                // The provider's answer is ignored, because the request's own outcome counts.
                let _ = call.close();
                self.record.state().outcome != Some(Ok(()))
            }
            None => {
                let control = self.service.provider().control();
                control.is_some_and(|control| control.cancel(self.id()))
            }
        }
    }

    /// The application uses it, so the function that returned it has returned.
    fn touch(&self) {
        asked::enter();
        self.record.release();
    }
}

impl<T: Clone, E: From<ErrorCode>> Pending<T, E> {
    fn result(&self, outcome: Outcome) -> Result<T, WaitError<E>> {
        outcome.map(|()| self.value.clone()).map_err(|error| WaitError::Failed(error.into()))
    }

    /// Waits for the result, at most this time. May be called again after [`WaitError::TimedOut`].
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait(&self, time: Duration) -> Result<T, WaitError<E>> {
        self.touch();
        let outcome = self.record.state().outcome;
        if let Some(outcome) = outcome {
            return self.result(outcome);
        }
        if self.service.shared.must_not_wait() {
            return Err(WaitError::InUpcall);
        }
        let outcome = self.record.wait(Instant::now() + time.min(FAR));
        self.result(outcome.ok_or(WaitError::TimedOut)?)
    }

    /// Waits for the result without a limit. It ends all the same: a provider gives every request a
    /// deadline, and requests that are outstanding at its shutdown fail.
    ///
    /// # Errors
    /// [`WaitError`], but not [`WaitError::TimedOut`].
    pub fn wait_without_limit(&self) -> Result<T, WaitError<E>> {
        loop {
            match self.wait(HOUR) {
                Err(WaitError::TimedOut) => {}
                result => return result,
            }
        }
    }
}

impl<T: Clone + Send + 'static, E: From<ErrorCode> + 'static> Pending<T, E> {
    /// Calls `callback` with the result, on the provider's thread or on one of the host's, never on
    /// this one.
    ///
    /// Keep it short: everything on the card waits for it. It may submit, drop and close; it can't
    /// wait. A panic is caught and logged.
    pub fn on_complete(self, callback: impl FnOnce(Result<T, E>) + Send + 'static) {
        let value = self.value.clone();
        let callback = Box::new(move |outcome: Outcome| {
            callback(outcome.map(|()| value).map_err(E::from));
        });
        let mut state = self.record.state();
        if state.outcome.is_none() {
            let replaced = state.waiter.replace(Waiter::Callback(callback));
            drop(state);
            drop(replaced);
            // Not before the callback is set: if this thread were interrupted in between, what the
            // request holds back, such as events of its call, would be delivered before the
            // callback (O1).
            self.touch();
            return;
        }
        drop(state);
        self.touch();
        self.record.owe();
        let outlet = Arc::clone(&self.record.outlet);
        outlet.put(Arc::clone(&self.record), Ending::Late(callback));
        outlet.deliver_later();
    }
}

impl Pending<Call> {
    /// The call that is being made. Until the request is over it can only be closed, which fails
    /// the request (N3, N6).
    pub fn call(&self) -> Call {
        self.value.clone()
    }
}

/// Polled in a callback it does not wait: if there is no outcome yet it is ready with
/// [`WaitError::InUpcall`], because an executor in a callback would stop the card.
impl<T: Clone + Unpin, E: From<ErrorCode>> Future for Pending<T, E> {
    type Output = Result<T, WaitError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.touch();
        let waker = Waiter::Task(cx.waker().clone());
        let mut state = self.record.state();
        if let Some(outcome) = state.outcome {
            drop(state);
            return Poll::Ready(self.result(outcome));
        }
        if inside::is_inside() {
            return Poll::Ready(Err(WaitError::InUpcall));
        }
        let replaced = state.waiter.replace(waker);
        drop(state);
        // Dropping the last waker of a task runs the task's destructors, which must not happen
        // under a lock.
        drop(replaced);
        Poll::Pending
    }
}

impl<T, E> Drop for Pending<T, E> {
    fn drop(&mut self) {
        self.touch();
    }
}

impl<T, E> std::fmt::Debug for Pending<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("id", &self.id()).finish_non_exhaustive()
    }
}
