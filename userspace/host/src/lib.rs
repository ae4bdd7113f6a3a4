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
//! # The files
//!
//! Each imports only from those below it; `tests/tests/structure.rs` finds a circle.
//!
//! | file | what |
//! |---|---|
//! | `local` | a host on the application's thread |
//! | `start`, `shutdown` | how a host starts and ends |
//! | `host`, `line` | what the application opens |
//! | `upward` | completions and events from the provider |
//! | `reservation`, `pending` | asking by an id that is taken first; the request on its way |
//! | `delivery` | completions and events to the application, in order |
//! | `outlet` | what an open line delivers: its queue, its subscribers, the observer |
//! | `trace`, `mailbox` | what the observer gets; the queue of a subscriber |
//! | `events`, `call` | the events of a line; a call, as the application handles it |
//! | `inner` | a line and its calls: handles, how far a call has come, who has it |
//! | `closing` | closing, and waiting for it |
//! | `service`, `shared` | one of the providers; what everything of a host keeps alive |
//! | `baton`, `hand`, `closer` | the right to deliver; the host's thread; the one that closes |
//! | `queue` | what is to be delivered on a line |
//! | `asked` | the latest request of each thread, released when it comes back |
//! | `requests`, `record` | the outstanding requests; one of them, and when it may be delivered |
//! | `ledger` | what is still to be delivered |
//! | `evidence`, `inside` | whether a thread has returned; whether it is in an upcall |
//! | `info`, `counts`, `guard` | the provider's structures as values; numbers; panics |

mod asked;
mod baton;
mod call;
mod closer;
mod closing;
mod counts;
mod delivery;
mod events;
mod evidence;
mod guard;
mod hand;
mod host;
mod info;
mod inner;
mod inside;
mod ledger;
mod line;
mod local;
mod mailbox;
mod outlet;
mod pending;
mod queue;
mod record;
mod requests;
mod reservation;
mod service;
mod shared;
mod shutdown;
mod start;
#[cfg(test)]
mod tests;
mod trace;
mod upward;

pub use call::Call;
pub use closing::{CloseError, Closed, Closing};
pub use counts::Counts;
pub use events::LineEvent;
pub use host::Host;
pub use info::{CallInfo, CallOptions, CallStatus, LineCaps, LineInfo, LineStatus};
pub use line::Line;
pub use local::LocalHost;
pub use mailbox::Events;
pub use pending::{Pending, WaitError};
pub use reservation::Reservation;
pub use start::{HostOptions, StartError};
pub use trace::{Trace, Traced};
