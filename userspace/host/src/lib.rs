//! The host: the TAPI side, as an application programmer likes it.
//!
//! ```no_run
//! use std::time::Duration;
//! use ringback_tspi::callstate::CallState;
//! use ringback_host::{CallOptions, Host, HostOptions, LineEvent};
//! use ringback_tspi::provider::Provider;
//!
//! # fn example(provider: Box<dyn Provider>) -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::start(provider, HostOptions::default())?;
//! let line = host.open(0)?;
//! let events = line.events();
//! // If nothing has come of it after 10 s, `?` gives the call up and leaves the line free.
//! let call = line.make_call("5551234", &CallOptions::default())?.wait(Duration::from_secs(10))?;
//! for event in events.within(Duration::from_secs(60)) {
//!     match event {
//!         LineEvent::State { state: CallState::Disconnected | CallState::Idle, .. } => break,
//!         LineEvent::State { state, .. } => println!("{state}"),
//!         _ => {}
//!     }
//! }
//! call.close()?;
//! line.close()?;
//! host.shutdown()?;
//! # Ok(())
//! # }
//! ```
//!
//! An asynchronous operation gives a [`Pending`]: wait for it, give it a callback, or `.await` it.
//! Events of a line come as [`LineEvent`]s from [`Line::events`]. A host, a line, and a call that
//! the application made or answered close when they are dropped, so every way out leaves the lines
//! free; closing them by their functions returns in addition whether that went well.
//!
//! # When something is delivered
//!
//! Nothing of a request is delivered before the function that made it has returned (G1), on other
//! threads neither. The provider's [`Ticket`](ringback_tspi::provider::Ticket) is released as soon
//! as its function has returned; what comes then waits in the host. A library can't observe its own
//! return, so it takes evidence: the application touches the [`Pending`]; the thread that asked
//! calls the host again, or ends; the callback in which it was asked has returned; or /proc shows
//! that the thread has slept or run since (`evidence`). An application that can't be overtaken
//! takes the id first ([`Line::reserve`], [`Call::reserve`]) and needs no evidence.
//!
//! # On which thread
//!
//! Callbacks, wakers and the observer are called with no lock held, one at a time, on the
//! provider's thread; what had to wait, on a thread of the host's. They are never called on a
//! thread that asks, which may hold locks that they want; only the observer is called there, when a
//! request is made. In a callback nothing waits: a close says so by its result, and a wait is an
//! error.
//!
//! # Rules that hold here
//!
//! Ids are 1 to 0x7FFFFFFF and unique while outstanding (T2, T3); a request's record is there
//! before the provider is called; a completion of no outstanding request is counted and does no
//! harm; events of a new call come after its completion (N9); after an asynchronous failure of
//! lineMakeCall the call is dead and lineCloseCall is not called (N8); until a call is made the
//! provider is asked nothing but to close it (G7). Closing returns when what it closes is closed,
//! and returns Ok only if no request of it is outstanding by the host's own counts (D1, D5, D12).
//! In a child that was forked, closing and dropping do nothing: the card is the parent's.
//!
//! | file | what |
//! |---|---|
//! | `host`, `line`, `call` | what the application holds |
//! | `start`, `shutdown`, `local` | how a host starts and ends; one on the application's thread |
//! | `reservation` | asking: an id, its record, the provider's function |
//! | `pending` | a request on its way |
//! | `requests` | ids, who waits, and when each may be delivered |
//! | `asked`, `evidence` | whether the function that asked has returned |
//! | `upward`, `delivery` | completions and events from the provider; their delivery in order |
//! | `hand` | the host's thread |
//! | `life` | a call: how far it has come, who has it |
//! | `ledger`, `closing` | what is still to be delivered; closing, and waiting for it |
//! | `events`, `mailbox` | the events of a line; their queue |
//! | `info` | the provider's structures as values |
//! | `trace` | the observer, and what is counted |
//! | `inside` | whether a thread is in an upcall |
//! | `guard` | the application's code, and its panics |

mod asked;
mod call;
mod closing;
mod delivery;
mod events;
mod evidence;
mod guard;
mod hand;
mod host;
mod info;
mod inside;
mod ledger;
mod life;
mod line;
mod local;
mod mailbox;
mod pending;
mod requests;
mod reservation;
mod shutdown;
mod start;
#[cfg(test)]
mod tests;
mod trace;
mod upward;

pub use call::Call;
pub use closing::{CloseError, Closed, Closing};
pub use events::LineEvent;
pub use host::Host;
pub use info::{CallInfo, CallOptions, CallStatus, LineCaps, LineInfo, LineStatus};
pub use line::Line;
pub use local::LocalHost;
pub use mailbox::Events;
pub use pending::{Pending, WaitError};
pub use reservation::Reservation;
pub use start::StartError;
pub use trace::{Counts, Trace, Traced};

use std::sync::Arc;

/// How a host works.
#[derive(Clone, Default)]
pub struct HostOptions {
    /// Called for every request and every event.
    pub trace: Option<Arc<Trace>>,
}

impl std::fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostOptions").field("trace", &self.trace.is_some()).finish()
    }
}
