//! The callers' interface of a card: submit, cancel, settle, and calls without a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Time;
use crate::engine::{Context, Engine, Failure};
use crate::report;
use crate::request::{ErrorCode, Full, LineNumber, Released, RequestId, Token};

use super::card::Card;
use super::commands::NotQueued;
use super::handover::Submitted;
use super::mark::Reached;
use super::state::{Refusal, State};
use super::submitter;
use super::ticket::Ticket;
use super::{SETTLE_LIMIT, SHUTDOWN_LIMIT};

/// Why a request was not accepted, or the engine not called. There is no id and no completion (R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Too many requests are outstanding.
    #[error(transparent)]
    Full(#[from] Full),
    /// The card is busy, and the line's share of waiting requests is used up.
    #[error(
        "{0} requests of this line wait for the busy card, which is the line's share; try again"
    )]
    Crowded(usize),
    /// The card has no such line.
    #[error("the card has no line {0}")]
    NoSuchLine(LineNumber),
    /// The engine refused, for this reason.
    #[error("the engine refused the request with result {0}")]
    Rejected(ErrorCode),
    /// The card was shut down, which refuses every later request.
    #[error("the card is shut down and accepts no more requests")]
    Closed,
    /// The card has failed and is stopped; the log has the reason.
    #[error("the card is stopped: {0}")]
    Failed(Failure),
    /// The caller is an engine, which would wait for itself. An engine uses its [`Context`].
    #[error(
        "an engine can't use a card's handle, because it would wait for itself; use the context"
    )]
    InEngine,
    /// The calling process is a child of the one that opened the card.
    #[error("the card belongs to the parent of this process; open it here to use it here")]
    OtherProcess,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        match refusal {
            Refusal::Rejected(error) => Refused::Rejected(error),
            Refusal::Ended(Failure::Closed) => Refused::Closed,
            Refusal::Ended(cause) => Refused::Failed(cause),
        }
    }
}

/// How waiting for a delivery has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Everything that may be delivered is delivered.
    Delivered,
    /// The calling thread can't wait: it is in an upcall of this card or another, or it is the
    /// reaper, or it is in an engine. What the engine has emitted is delivered as soon as the
    /// upcall has returned, before anything else; the thread of a [`Local`](super::Local) delivers
    /// it when it runs next, if it is not in an upcall. [`Handle::wait_ended`] can wait later for
    /// the end of a shutdown.
    AfterThisUpcall,
    /// An upcall did not return within the limit, so that waiting ended; the rest is delivered when
    /// the upcall has returned.
    TimedOut,
}

/// Gives callers access to a card. Clone it for every thread that needs one.
pub struct Handle<E: Engine> {
    pub(super) card: Arc<Card<E>>,
}

impl<E: Engine> Handle<E> {
    /// Submits a command to a line, with an id that no other outstanding request has.
    ///
    /// If the card is free, the engine starts the command here, on the calling thread. Otherwise,
    /// or if the thread is entitled to less of a CPU than the reaper, the command is queued.
    ///
    /// # Errors
    /// [`Refused`]; then nothing was started and no completion comes (R4).
    #[inline]
    pub fn submit(&self, line: LineNumber, command: E::Command) -> Result<Ticket, Refused> {
        self.submit_as(None, line, command)
    }

    /// Submits a command with an id that the caller chooses and keeps unique (T3).
    ///
    /// # Errors
    /// [`Refused`]; then nothing was started and no completion comes (R4).
    #[inline]
    pub fn submit_as(
        &self,
        id: Option<RequestId>,
        line: LineNumber,
        command: E::Command,
    ) -> Result<Ticket, Refused> {
        if line.index() >= self.card.lines {
            return Err(Refused::NoSuchLine(line));
        }
        let core = &self.card.core;
        if core.is_foreign() {
            return Err(Refused::OtherProcess);
        }
        let now = core.clock.now();
        let deadline = now + E::time_limit(&command);
        let (id, request) = core.table.reserve(id, line, now, deadline)?;
        let refused = match self.card.submit(line, request, command, core.may_hold(now)) {
            Submitted::Done(Err(refusal)) => refusal.into(),
            Submitted::Refused(NotQueued::Closed) => {
                Refusal::Ended(core.cause().unwrap_or(Failure::Closed)).into()
            }
            Submitted::Refused(NotQueued::Crowded(share)) => Refused::Crowded(share),
            Submitted::Done(Ok(())) | Submitted::Queued => {
                return Ok(Ticket::new(id, request, Arc::clone(core)));
            }
        };
        // If an engine completes a request and then refuses it, the completion counts.
        if let Some(released) = core.table.abandon(request) {
            if released == Released::Deliverable {
                // The engine emitted events before it refused; they were held back until now.
                core.wake();
            }
            return Err(refused);
        }
        Ok(Ticket::new(id, request, Arc::clone(core)))
    }

    /// Calls into the engine for something that needs no request: a synchronous function (K2),
    /// after all requests that were submitted before. Waits while another thread holds the card.
    ///
    /// `act` owns what it uses, because the reaper runs it if the calling thread is entitled to
    /// less of a CPU: if such a thread were preempted while it holds the card, it would stop the
    /// card.
    ///
    /// # Errors
    /// [`Refused`] if there is no engine to call.
    pub fn with<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event, E::Output>) -> R + Send + 'static,
    ) -> Result<R, Refused> {
        self.ask(|state| match state.call_now(act) {
            Some(result) => Ok(result),
            None => Err(Refusal::Ended(state.ended().unwrap_or(Failure::Internal)).into()),
        })?
    }

    /// Ends a request now, with [`Failure::Cancelled`]. Returns `false` if it is over already, or
    /// belongs to another card.
    pub fn cancel(&self, request: Token) -> bool {
        self.ask(move |state| state.end_request(request, Failure::Cancelled)).unwrap_or(false)
    }

    /// Like [`Handle::cancel`], for the request with this id. Searches all outstanding requests.
    pub fn cancel_id(&self, id: RequestId) -> bool {
        let table = &self.card.core.table;
        let request = table.running().find(|&request| table.id(request) == Some(id));
        request.is_some_and(|request| self.cancel(request))
    }

    /// Shuts the card down like [`Driver::shutdown`](super::Driver::shutdown): for a card whose
    /// reaper is the application's own thread, which delivers what is left when it runs next.
    pub fn shutdown(&self) -> Settled {
        let core = &self.card.core;
        if core.is_foreign() {
            // In a child process the card belongs to the parent.
            return Settled::Delivered;
        }
        if !report::is_holding() {
            self.card.close(|state| state.end(Failure::Closed));
        }
        core.stop(Failure::Closed);
        if submitter::is_in_upcall() || core.is_reaper() || report::is_holding() {
            return Settled::AfterThisUpcall;
        }
        if core.wait_over(SHUTDOWN_LIMIT) {
            return Settled::Delivered;
        }
        report!(
            ERROR,
            "a callback has not returned for {SHUTDOWN_LIMIT:?}; the card is stopped, and what is \
             left is delivered once the callback has returned"
        );
        Settled::TimedOut
    }

    /// Waits until everything that was emitted on the line so far is delivered, except for what a
    /// ticket holds back: that is delivered after the ticket is released. For the end of a close
    /// (D1, D2).
    ///
    /// Waits for at most two seconds, and not at all in an upcall or an engine; the result says
    /// which.
    pub fn settle(&self, line: LineNumber) -> Settled {
        let core = &self.card.core;
        let signal = match self.ask(move |state| state.mark(line)) {
            Ok(Ok(Some(signal))) => signal,
            // Either nothing is left to deliver, or nothing is ever delivered in this process.
            Ok(Ok(None)) | Err(Refused::OtherProcess) => return Settled::Delivered,
            Err(Refused::InEngine) => return Settled::AfterThisUpcall,
            Ok(Err(_)) | Err(_) => return Settled::TimedOut,
        };
        if submitter::is_in_upcall() || core.is_reaper() {
            return Settled::AfterThisUpcall;
        }
        match signal.wait(SETTLE_LIMIT) {
            Some(Reached::Delivered) => Settled::Delivered,
            Some(Reached::Over) | None => Settled::TimedOut,
        }
    }

    /// Waits until the card is shut down and nothing is delivered any more, after
    /// [`Driver::shutdown`](super::Driver::shutdown) was called in an upcall or did not wait to the
    /// end. Returns `false` if that does not happen within `limit`. Never waits in an upcall or in
    /// an engine.
    pub fn wait_ended(&self, limit: Duration) -> bool {
        let core = &self.card.core;
        if core.is_foreign() {
            // In a child process nothing is ever delivered.
            return true;
        }
        let waits = !submitter::is_in_upcall() && !core.is_reaper() && !report::is_holding();
        core.wait_over(if waits { limit } else { Duration::ZERO })
    }

    /// The time on the card's clock.
    pub fn now(&self) -> Time {
        self.card.core.clock.now()
    }

    /// How many requests can be outstanding.
    pub fn capacity(&self) -> usize {
        self.card.core.table.capacity()
    }

    /// Returns whether the calling thread is the reaper, and so in an upcall.
    pub fn is_reaper(&self) -> bool {
        self.card.core.is_reaper()
    }

    fn ask<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut State<E>) -> R + Send + 'static,
    ) -> Result<R, Refused> {
        let core = &self.card.core;
        if core.is_foreign() {
            return Err(Refused::OtherProcess);
        }
        if report::is_holding() {
            return Err(Refused::InEngine);
        }
        if core.may_hold(core.clock.now()) || core.is_over() {
            Ok(self.card.with(act))
        } else {
            self.card.with_by_reaper(act).ok_or(Refused::Failed(Failure::Internal))
        }
    }
}

impl<E: Engine> Clone for Handle<E> {
    fn clone(&self) -> Self {
        Handle { card: Arc::clone(&self.card) }
    }
}

impl<E: Engine> fmt::Debug for Handle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
