//! The ticket: the caller's side of the gate.

use std::sync::Arc;

use crate::request::{Held, Holder, Released, RequestId, Token};

use super::core::Core;

/// The result of submitting. The caller drops it to signal that its function has returned.
///
/// Read the id, store what you need, then drop the ticket (or [`release`](Ticket::release) it).
/// Only that opens the gate: until then neither the completion nor any later upcall of the line is
/// delivered. This is stricter than TAPI, whose flag at the end of the function leaves a gap in
/// which the completion can come before the caller has stored the id.
#[derive(Debug)]
#[must_use = "while the ticket is held, its completion and everything behind it on the line is \
              held back; drop it once the id is stored"]
pub struct Ticket {
    id: RequestId,
    token: Token,
    /// `None` if a [`Held`] releases the request instead.
    core: Option<Arc<Core>>,
}

impl Ticket {
    pub(crate) fn new(id: RequestId, token: Token, core: Arc<Core>) -> Ticket {
        Ticket { id, token, core: Some(core) }
    }

    /// The id with which the request's completion will be delivered.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The token with which [`Handle::cancel`](super::Handle::cancel) names the request.
    pub fn token(&self) -> Token {
        self.token
    }

    #[cfg(all(test, loom))]
    pub(super) fn core(&self) -> &Core {
        self.core.as_ref().unwrap()
    }

    /// Opens the gate, as dropping does.
    pub fn release(self) {}
}

impl From<Ticket> for Option<Held> {
    /// Converts to a [`Held`], for code that does not depend on the reactor.
    fn from(mut ticket: Ticket) -> Option<Held> {
        let core = ticket.core.take()?;
        Some(Held::new(ticket.token, core))
    }
}

impl Drop for Ticket {
    #[inline]
    fn drop(&mut self) {
        if let Some(core) = &self.core {
            release(core, self.token);
        }
    }
}

/// Signals that the function of the request has returned.
#[inline(always)]
fn release(core: &Core, token: Token) {
    // After a fork both processes have the ticket. The child has its own copy of the gate, but the
    // reaper is the parent's.
    if core.table.release(token) == Released::Deliverable && !core.is_foreign() {
        core.wake();
    }
}

impl Holder for Core {
    fn release(&self, token: Token) {
        release(self, token);
    }
}
