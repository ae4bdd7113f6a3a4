//! The ticket: the caller's side of the gate.

use std::sync::Arc;

use crate::request::{Held, Holder, Released, RequestId, Token};

use super::core::Core;

/// What submitting returns. The caller drops it to say that its function has returned.
///
/// Read the id, store what you want, then drop the ticket (or [`release`](Ticket::release) it).
/// Only that opens the gate: until then neither the completion nor any later upcall of the line is
/// delivered. That is stricter than TAPI, whose flag at the end of the function leaves a gap in
/// which the completion can come before the caller has stored the id.
#[derive(Debug)]
#[must_use = "while the ticket is held, its completion and everything behind it on the line is \
              held back; drop it once the id is stored"]
pub struct Ticket {
    id: RequestId,
    token: Token,
    /// `None` once a [`Held`] releases the request instead.
    core: Option<Arc<Core>>,
}

impl Ticket {
    pub(crate) fn new(id: RequestId, token: Token, core: Arc<Core>) -> Ticket {
        Ticket { id, token, core: Some(core) }
    }

    /// The id under which the request's completion will be delivered.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The token by which [`Handle::cancel`](super::Handle::cancel) names the request.
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
    /// The same right as a [`Held`], for code that does not know the reactor.
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

/// The function that asked has returned.
#[inline(always)]
fn release(core: &Core, token: Token) {
    // After a fork both processes have the ticket. The child has a gate of its own, but the
    // reaper is its parent's.
    if core.table.release(token) == Released::Deliverable && !core.is_foreign() {
        core.wake();
    }
}

impl Holder for Core {
    fn release(&self, token: Token) {
        release(self, token);
    }
}
