//! Closing. One thread closes, others that close the same thing wait for it, and none returns Ok
//! while a request of it is outstanding (D1, D5, D12).

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ringback_request::sync::EvenPoisoned;
use ringback_tspi::error::{LineError, PhoneError};

use super::asked;
use super::guard::guarded;
use super::inside;
use super::ledger::Ledger;
use super::shared::Shared;

/// How long closing a line or a call waits.
pub(super) const LIMIT: Duration = Duration::from_secs(2);
/// How long it waits at least, if the provider's own closing took longer than [`LIMIT`].
const REST: Duration = Duration::from_millis(100);

/// How it was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The outcomes of all requests were delivered, and nothing follows.
    Now,
    /// Closed in a callback, or on the thread that runs the [`LocalHost`](super::LocalHost), which
    /// can't wait for itself: what is outstanding is delivered as soon as the callback has
    /// returned, or when the host is run next.
    AfterUpcall,
}

/// Why something was not closed properly. It can't be used any more all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The provider refused or failed to close.
    #[error(transparent)]
    Provider(#[from] LineError),
    /// The provider refused or failed to close a phone.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The limit has passed, and not everything was delivered.
    #[error(
        "{requests} requests are not delivered yet, because a callback does not return or the \
         provider is busy: make callbacks short, hold no lock that a callback takes while closing, \
         and close again to wait again"
    )]
    Unfinished {
        /// How many requests are outstanding; 0 if only a callback is left.
        requests: usize,
    },
    /// A callback can't wait for its own end.
    #[error("a callback can't wait for its host to be down: wait for it on another thread")]
    InUpcall,
}

impl From<CloseError> for LineError {
    fn from(error: CloseError) -> LineError {
        match error {
            CloseError::Provider(error) => error,
            CloseError::Phone(_) | CloseError::Unfinished { .. } | CloseError::InUpcall => {
                LineError::OPERATIONFAILED
            }
        }
    }
}

/// Closes what the ledger belongs to: `act` closes it at the provider, unless that was done before.
pub(super) fn close<E: Into<CloseError>>(
    shared: &Shared,
    ledger: &Ledger,
    limit: Duration,
    act: impl FnOnce() -> Result<(), E>,
) -> Result<Closed, CloseError> {
    if shared.is_forked() {
        // It belongs to the parent process.
        return Ok(Closed::Now);
    }
    asked::enter();
    let until = Instant::now() + limit;
    let closed = if ledger.begin_closing() {
        let closed = act().map_err(Into::into);
        ledger.close();
        shared.turns.changed();
        closed
    } else {
        Ok(())
    };
    if shared.must_not_wait() {
        closed?;
        let all = ledger.is_closed() && ledger.is_settled_here();
        return Ok(if all { Closed::Now } else { Closed::AfterUpcall });
    }
    let until = until.max(Instant::now() + REST);
    let is_over = || ledger.is_closed() && ledger.is_settled();
    if !shared.turns.wait(until, is_over, || shared.hand.look()) {
        return Err(CloseError::Unfinished { requests: ledger.untold() });
    }
    closed?;
    Ok(Closed::Now)
}

/// Waits until no other thread is in a function of the provider's that uses a handle of this
/// ledger, whose closing has begun: after that the handle is dead (G5). A function that does not
/// return is not waited for longer than [`LIMIT`], and not in a callback.
pub(super) fn await_unused(shared: &Shared, ledger: &Ledger) {
    if !shared.must_not_wait() {
        let until = Instant::now() + LIMIT;
        shared.turns.wait(until, || ledger.is_unused_here(), || shared.hand.look());
    }
}

/// Something that is being closed: ready when it is. Dropping it changes nothing.
#[must_use = "it is closed in any case, but only this reports when"]
pub struct Closing(Arc<Progress>);

#[derive(Default)]
struct Progress(Mutex<Reached>);

#[derive(Default)]
struct Reached {
    result: Option<Result<Closed, CloseError>>,
    waker: Option<Waker>,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Reached> {
        self.0.lock().even_poisoned()
    }
}

impl Closing {
    /// Has the host's thread close something.
    pub(super) fn begin(
        shared: &Shared,
        close: impl FnOnce() -> Result<Closed, CloseError> + Send + 'static,
    ) -> Closing {
        asked::enter();
        let progress = Arc::new(Progress::default());
        let theirs = Arc::clone(&progress);
        let job = Box::new(move || {
            let result = close();
            let mut progress = theirs.lock();
            progress.result = Some(result);
            let waker = progress.waker.take();
            drop(progress);
            if let Some(waker) = waker {
                guarded("waker", || waker.wake());
            }
        });
        let closer = Arc::clone(&shared.closer);
        if inside::is_inside() {
            // The provider's thread must not start it: see `hand`.
            shared.hand.run(Box::new(move || closer.run(job)));
        } else {
            closer.run(job);
        }
        Closing(progress)
    }
}

impl Future for Closing {
    type Output = Result<Closed, CloseError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        asked::enter();
        let waker = cx.waker().clone();
        let mut progress = self.0.lock();
        if let Some(result) = progress.result {
            return Poll::Ready(result);
        }
        let replaced = progress.waker.replace(waker);
        drop(progress);
        drop(replaced);
        Poll::Pending
    }
}

impl std::fmt::Debug for Closing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Closing").field(&self.0.lock().result).finish()
    }
}
