//! The ticket of a request at the level of TSPI.

use ringback_request::{Held, RequestId};

/// What an asynchronous function returns. Dropping it confirms that the caller has stored the id.
///
/// Store the id, then drop the ticket or [`release`](Ticket::release) it. Until then a gated
/// provider delivers neither the completion nor any later upcall of the line (G1).
#[derive(Debug)]
#[must_use = "while the ticket is held, its completion and everything behind it on the \
              line is held back; drop it once the id is stored"]
pub struct Ticket {
    id: RequestId,
    held: Option<Held>,
}

impl Ticket {
    /// The ticket of a provider that may complete before its function has returned (C4). The caller
    /// has to hold the completion back.
    pub fn ungated(id: RequestId) -> Ticket {
        Ticket { id, held: None }
    }

    /// The ticket of a request whose completion, and everything behind it on the line, is held back
    /// until the ticket is dropped.
    pub fn gated(id: RequestId, held: Option<Held>) -> Ticket {
        Ticket { id, held }
    }

    /// The id under which the request completes.
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// Whether the provider holds back what comes before this is dropped.
    pub fn is_gated(&self) -> bool {
        self.held.is_some()
    }

    /// Opens the gate, as dropping does.
    pub fn release(self) {}
}
