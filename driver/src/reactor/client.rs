//! Requests as futures: submitting returns a [`Pending`], which resolves to the request's output.
//!
//! Rules: the outcome of each request is delivered exactly once (C3), to its own `Pending`, and
//! only after [`Client::request`] has stored the waiter (G1), because it holds the ticket until
//! then. Dropping a `Pending` cancels its request. When the card is over, each `Pending` gets an
//! outcome (D12), also one whose completion the reactor could not deliver any more.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::engine::{Engine, Failure};
use crate::guard::contain;
use crate::report;
use crate::request::{Completion, ErrorCode, LineNumber, RequestId, Token};
use crate::sync::EvenPoisoned;

use super::handle::{Handle, Refused};
use super::{Upcalls, submitter};

/// How a request has ended: its output, or why it failed.
pub type Outcome<E> = Result<<E as Engine>::Output, ErrorCode>;

/// Receives the outcome of one request.
struct Waiter<E: Engine> {
    state: Mutex<WaiterState<E>>,
    told: Condvar,
}

struct WaiterState<E: Engine> {
    outcome: Option<Outcome<E>>,
    waker: Option<Waker>,
}

impl<E: Engine> Waiter<E> {
    fn tell(&self, outcome: Outcome<E>) {
        let waker = {
            let mut state = self.state.lock().even_poisoned();
            state.outcome = Some(outcome);
            state.waker.take()
        };
        self.told.notify_all();
        // The waker is called without the lock, because it runs code of the executor.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Waiters<E: Engine> {
    by_id: HashMap<RequestId, Arc<Waiter<E>>>,
    /// Why the card is over; `None` while it runs.
    over: Option<Failure>,
}

/// The outstanding requests of a card's client, shared with the upcalls that complete them.
struct ClientRequests<E: Engine>(Mutex<Waiters<E>>);

impl<E: Engine> ClientRequests<E> {
    /// Registers the waiter of a request. If the card is over, the waiter gets its outcome at once.
    fn enter(&self, id: RequestId, waiter: &Arc<Waiter<E>>) {
        let over = {
            let mut waiters = self.0.lock().even_poisoned();
            if waiters.over.is_none() {
                waiters.by_id.insert(id, Arc::clone(waiter));
            }
            waiters.over
        };
        if let Some(cause) = over {
            waiter.tell(Err(failure::<E>(cause)));
        }
    }
}

/// Submits requests to a card and returns their outcomes as futures. Clone it for every task.
///
/// ```no_run
/// # use ringback_driver::{card::mailbox::{Complement, Mailbox}, device::{Device, Files}};
/// # use ringback_driver::reactor::{Client, Driver};
/// # use std::error::Error;
/// use ringback_driver::request::LineNumber;
///
/// # async fn ask<D: Device>(engine: Mailbox<D>, files: Files) -> Result<(), Box<dyn Error>> {
/// let (upcalls, client) = Client::new(|line, event| println!("line {line}: {event:?}"));
/// let driver = Driver::start(engine, files, upcalls, 4096)?;
/// let client = client.connect(driver.handle());
/// let limit = std::time::Duration::from_secs(1);
/// let pending = client.request(LineNumber(0), Complement { operand: 7, time_limit: limit })?;
/// println!("{:?}", pending.await);
/// # Ok(())
/// # }
/// ```
pub struct Client<E: Engine> {
    handle: Handle<E>,
    desk: Arc<ClientRequests<E>>,
}

impl<E: Engine> Client<E> {
    /// Returns the upcalls with which to start a card, and a client that is then
    /// [connected](Unconnected::connect) to it. `events` is called with the card's events, on the
    /// reaper's thread, like [`Upcalls::event`].
    #[expect(
        clippy::new_ret_no_self,
        reason = "there is no card to be a client of before it starts"
    )]
    pub fn new<F>(events: F) -> (ClientUpcalls<E, F>, Unconnected<E>)
    where
        F: FnMut(LineNumber, E::Event) + Send + 'static,
    {
        let desk =
            Arc::new(ClientRequests(Mutex::new(Waiters { by_id: HashMap::new(), over: None })));
        (ClientUpcalls { desk: Arc::clone(&desk), events }, Unconnected { desk })
    }

    /// Submits a command to a line.
    ///
    /// # Errors
    /// [`Refused`]; then nothing was started (R4).
    pub fn request(&self, line: LineNumber, command: E::Command) -> Result<Pending<E>, Refused> {
        let ticket = self.handle.submit(line, command)?;
        let state = Mutex::new(WaiterState { outcome: None, waker: None });
        let waiter = Arc::new(Waiter { state, told: Condvar::new() });
        self.desk.enter(ticket.id(), &waiter);
        let (id, token) = (ticket.id(), ticket.token());
        // The ticket was held until here, so that the waiter is stored before the completion is
        // delivered.
        ticket.release();
        Ok(Pending { handle: self.handle.clone(), id, token, waiter, over: false })
    }

    /// The card's handle, for everything but requests.
    pub fn handle(&self) -> &Handle<E> {
        &self.handle
    }
}

impl<E: Engine> Clone for Client<E> {
    fn clone(&self) -> Self {
        Client { handle: self.handle.clone(), desk: Arc::clone(&self.desk) }
    }
}

impl<E: Engine> fmt::Debug for Client<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// A client whose card has not been started yet.
pub struct Unconnected<E: Engine> {
    desk: Arc<ClientRequests<E>>,
}

impl<E: Engine> Unconnected<E> {
    /// Connects the client to the card that was started with its upcalls. Requests to any other
    /// card would never resolve.
    pub fn connect(self, handle: Handle<E>) -> Client<E> {
        Client { handle, desk: self.desk }
    }
}

impl<E: Engine> fmt::Debug for Unconnected<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unconnected").finish_non_exhaustive()
    }
}

/// The upcalls for a card with a [`Client`].
///
/// Completions of requests that were not submitted by the client are ignored.
pub struct ClientUpcalls<E: Engine, F> {
    desk: Arc<ClientRequests<E>>,
    events: F,
}

impl<E: Engine, F> Upcalls<E::Event, E::Output> for ClientUpcalls<E, F>
where
    F: FnMut(LineNumber, E::Event) + Send + 'static,
{
    fn completed(&mut self, completion: Completion<E::Output>) {
        let waiter = self.desk.0.lock().even_poisoned().by_id.remove(&completion.id);
        if let Some(waiter) = waiter {
            waiter.tell(completion.into_result());
        }
    }

    fn event(&mut self, line: LineNumber, event: E::Event) {
        (self.events)(line, event);
    }

    fn over(&mut self, cause: Failure) {
        let left = {
            let mut waiters = self.desk.0.lock().even_poisoned();
            waiters.over = Some(cause);
            std::mem::take(&mut waiters.by_id)
        };
        // These requests were submitted while the card was shut down, which did not wait for their
        // tickets.
        for waiter in left.into_values() {
            if let Err(text) = contain(|| waiter.tell(Err(failure::<E>(cause)))) {
                report!(ERROR, "waking a task panicked: {text}");
            }
        }
    }
}

impl<E: Engine, F> fmt::Debug for ClientUpcalls<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientUpcalls").finish_non_exhaustive()
    }
}

/// An accepted request. It resolves to the request's [`Outcome`]; dropping it before that cancels
/// the request.
#[must_use = "dropping it cancels the request"]
pub struct Pending<E: Engine> {
    handle: Handle<E>,
    id: RequestId,
    token: Token,
    waiter: Arc<Waiter<E>>,
    /// Set if the outcome was returned, or if dropping this must not cancel the request.
    over: bool,
}

impl<E: Engine> Pending<E> {
    /// The id by which the request can be cancelled and found in the log.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Blocks until the outcome comes, without an executor. `None` if it has not come within
    /// `limit`.
    ///
    /// Returns at once in an upcall and in an engine, which must not wait.
    pub fn wait(&mut self, limit: Duration) -> Option<Outcome<E>> {
        let waits = !submitter::is_in_upcall() && !report::is_holding();
        let until = Instant::now().checked_add(if waits { limit } else { Duration::ZERO });
        let mut state = self.waiter.state.lock().even_poisoned();
        loop {
            if let Some(outcome) = state.outcome.take() {
                self.over = true;
                return Some(outcome);
            }
            // If the clock can't express the limit, each wait begins with the whole limit again.
            let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() || self.over {
                return None;
            }
            let waited = self.waiter.told.wait_timeout(state, left.min(Duration::from_secs(3600)));
            state = waited.even_poisoned().0;
        }
    }

    /// Lets the request run to its end, and discards its outcome.
    pub fn forget(mut self) {
        self.over = true;
    }
}

impl<E: Engine> Future for Pending<E> {
    type Output = Outcome<E>;

    /// Stays pending once it has returned the outcome.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<E>> {
        let this = self.get_mut();
        let mut state = this.waiter.state.lock().even_poisoned();
        match state.outcome.take() {
            Some(outcome) => {
                this.over = true;
                Poll::Ready(outcome)
            }
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<E: Engine> Drop for Pending<E> {
    fn drop(&mut self) {
        if !self.over && self.waiter.state.lock().even_poisoned().outcome.is_none() {
            self.handle.cancel(self.token);
        }
    }
}

impl<E: Engine> fmt::Debug for Pending<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The error that stands for a cause; the engine is asked for it outside of any guard.
fn failure<E: Engine>(cause: Failure) -> ErrorCode {
    contain(|| E::failure(cause)).unwrap_or(ErrorCode::UNKNOWN)
}
