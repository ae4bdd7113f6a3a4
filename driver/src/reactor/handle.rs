//! The caller's side: submit, ask, cancel, settle.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::Time;
use crate::engine::{Context, Engine, Failure};
use crate::request::{Full, RequestId, Token};

use super::SETTLE_LIMIT;
use super::card::{Card, Start, Wait};
use super::ticket::Ticket;

/// Why a request was not started. It has no id and gets no completion (R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Too many requests are outstanding.
    #[error(transparent)]
    Full(#[from] Full),
    /// The card has no such line.
    #[error("the card has no line {0}")]
    NoSuchLine(usize),
    /// The engine refused, or is stopped; its negative result.
    #[error("refused with result {0}")]
    Rejected(i32),
}

/// How settling a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// All that could be delivered has been.
    Delivered,
    /// Called from an upcall: it is delivered as soon as that upcall has returned, before anything
    /// else; waiting for it here would be waiting for oneself, and upcalls do not nest (C6). The
    /// thread of a [`Local`](super::Local) outside of an upcall delivers it when it runs next.
    AfterThisUpcall,
    /// An upcall has not returned for so long that waiting was given up.
    TimedOut,
}

/// A way to a card; clone it for every thread that wants one.
pub struct Handle<E: Engine> {
    pub(super) card: Arc<Card<E>>,
}

impl<E: Engine> Handle<E> {
    /// Submits a command to a line under an id that no other outstanding request has.
    ///
    /// # Errors
    /// [`Refused`]; then nothing was started and no completion comes (R4).
    pub fn submit(&self, line: usize, command: E::Command) -> Result<Ticket, Refused> {
        self.submit_as(None, line, command)
    }

    /// Submits a command under the caller's id, who answers for it being unique (T3).
    ///
    /// # Errors
    /// [`Refused`]; then nothing was started and no completion comes (R4).
    pub fn submit_as(
        &self,
        id: Option<RequestId>,
        line: usize,
        command: E::Command,
    ) -> Result<Ticket, Refused> {
        if line >= self.card.lines {
            return Err(Refused::NoSuchLine(line));
        }
        let core = &self.card.core;
        let now = core.clock.now();
        let deadline = now + E::time_limit(&command);
        let (id, request) = core.table.reserve(id, line, now, deadline)?;
        let start = Start { request, command, now, deadline };
        let (outcome, wake) = self.card.state.submit(start);
        if wake {
            core.wake();
        }
        match outcome {
            // An engine that completes and refuses has completed: the first word counts.
            Some(Err(result)) if core.table.abandon(request) => Err(Refused::Rejected(result)),
            _ => Ok(Ticket::new(id, request, Arc::clone(core))),
        }
    }

    /// Calls into the engine for something that needs no request: a synchronous function (K2).
    /// Waits while another thread is in the engine. `None` if the engine has stopped or failed.
    pub fn with<R>(&self, act: impl FnOnce(&mut E, &mut Context<'_, E::Event>) -> R) -> Option<R> {
        self.card.with(|state| state.call_now(act))
    }

    /// Ends a request now, with [`Failure::Cancelled`]; `false` if it is over already.
    pub fn cancel(&self, request: Token) -> bool {
        self.card.with(|state| state.end(request, Failure::Cancelled))
    }

    /// Waits until everything told on the line so far is delivered, but for what a ticket still
    /// holds back: that comes when the ticket is released. For the end of a close (D1, D2).
    pub fn settle(&self, line: usize) -> Settled {
        let core = &self.card.core;
        let is_reaper = core.is_reaper();
        let until = Instant::now() + SETTLE_LIMIT;
        loop {
            let (waits, round) = self.card.with(|state| state.settled_by(line, !is_reaper));
            if is_reaper {
                return if waits { Settled::AfterThisUpcall } else { Settled::Delivered };
            }
            core.wake();
            match core.wait_delivered(round, until) {
                // The reaper has ended: what it took is delivered, and it takes no more.
                Wait::Over if !waits => return Settled::Delivered,
                Wait::Over | Wait::TimedOut => return Settled::TimedOut,
                // That round may have gone to other lines.
                Wait::Delivered if waits => {}
                Wait::Delivered => return Settled::Delivered,
            }
        }
    }

    /// The time on the card's clock.
    pub fn now(&self) -> Time {
        self.card.core.clock.now()
    }

    /// How many requests can be outstanding.
    pub fn capacity(&self) -> usize {
        self.card.core.table.capacity()
    }

    /// Whether the calling thread is the reaper, that is: inside an upcall.
    pub fn is_reaper(&self) -> bool {
        self.card.core.is_reaper()
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
