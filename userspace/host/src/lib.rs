//! The host: the TAPI side of the contract, as a Rust interface for applications.
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
//! Events of a line come as [`LineEvent`]s from [`Line::events`], those of a phone as
//! [`PhoneEvent`]s from [`Phone::events`]. A host can have several providers ([`Host::add`]). A
//! host, a line, and a call that the application made or answered close when they are dropped, so
//! that an early return leaves the lines free; `close` and `shutdown` also return whether that
//! succeeded.
//!
//! # When something is delivered
//!
//! Nothing of a request is delivered before the function that made it has returned (G1), not even
//! on other threads. The provider's [`Ticket`](ringback_tspi::provider::Ticket) is released as soon
//! as its function has returned; what comes after that waits in the host. A library can't observe
//! its own return, so it takes evidence: the application uses the [`Pending`]; the thread that made
//! the request calls the host again, or ends; the callback in which the request was made has
//! returned; or /proc shows that the thread has slept or run since (`evidence`). For an application
//! that takes the id first ([`Line::reserve`], [`Call::reserve`]) no evidence is needed.
//!
//! # On which thread
//!
//! Callbacks, wakers and the observer are called with no lock held, one at a time, on the
//! provider's thread. A thread of the host's calls them for what had to wait, and for everything
//! from a provider that may hold locks in its upcalls (C8). They are never called on a thread that
//! makes a request, which may hold locks that they need; only the observer is called there, when a
//! request is made. In a callback nothing waits: a close returns [`Closed::AfterUpcall`], and a
//! wait is an error.
//!
//! # Rules that hold here
//!
//! Ids are 1 to 0x7FFFFFFF and unique while outstanding (T2, T3); a request's record is stored
//! before the provider is called; a completion of no outstanding request is only counted; events of
//! a new call come after its completion (N9); after an asynchronous failure of lineMakeCall the
//! call is dead and lineCloseCall is not called (N8); until a call is made, the only function
//! called for it is the one that closes it (G7). Closing returns when what it closes is closed, and
//! returns Ok only if no request of it is outstanding by the host's own counts (D1, D5, D12). In a
//! child that was forked, closing and dropping do nothing: the card is the parent's.
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
//! | `phone_requests` | asking something of a phone |
//! | `reservation`, `pending` | asking by an id that is taken first; the request on its way |
//! | `phone`, `phone_inner` | an open phone: as the application handles it; what it delivers |
//! | `delivery` | completions and events to the application, in order |
//! | `outlet` | what an open line delivers: its queue, its subscribers, the observer |
//! | `trace`, `mailbox` | what the observer gets; the queue of a subscriber |
//! | `events`, `phone_events`, `call` | the events; a call, as the application handles it |
//! | `inner` | a line and its calls: handles, the phase of a call, its owner |
//! | `closing` | closing, and waiting for it |
//! | `service`, `shared` | one of the providers; what everything of a host keeps alive |
//! | `baton`, `hand`, `closer` | the right to deliver; the host's thread; the one that closes |
//! | `queue` | what is to be delivered on a line or phone |
//! | `asked` | the latest request of each thread, released when the thread calls again |
//! | `requests`, `record` | the outstanding requests; one of them, and when it may be delivered |
//! | `ledger` | what is still to be delivered |
//! | `evidence`, `inside` | whether a thread has returned; whether it is in an upcall |
//! | `open` | what is open in a host, by its handle |
//! | `info`, `phone_info` | the provider's structures as values |
//! | `counts`, `guard` | how many requests ended in which way; panics of the application's code |

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
mod open;
mod outlet;
mod pending;
mod phone;
mod phone_events;
mod phone_info;
mod phone_inner;
mod phone_requests;
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
pub use events::{Event, LineEvent};
pub use host::Host;
pub use info::{CallInfo, CallOptions, CallStatus, LineCaps, LineInfo, LineStatus};
pub use line::Line;
pub use local::LocalHost;
pub use mailbox::Events;
pub use pending::{Pending, WaitError};
pub use phone::Phone;
pub use phone_events::PhoneEvent;
pub use phone_info::{HookSwitch, PhoneCaps, PhoneInfo, PhoneStatus};
pub use reservation::Reservation;
pub use start::{HostOptions, StartError};
pub use trace::{Trace, Traced};
