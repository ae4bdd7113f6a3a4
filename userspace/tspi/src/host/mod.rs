//! The host: the TAPI side, as an application programmer likes it.
//!
//! ```no_run
//! use std::time::Duration;
//! use ringback_tspi::host::{CallOptions, Host, LineEvent, Options};
//! use ringback_tspi::provider::Provider;
//!
//! # fn example(provider: Box<dyn Provider>) -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::start(provider, Options::default())?;
//! let line = host.open(0)?;
//! let events = line.events();
//! let call = line.make_call("5551234", &CallOptions::default())?.wait(Duration::from_secs(10))?;
//! for event in events.within(Duration::from_secs(60)) {
//!     if let LineEvent::State { state, .. } = event {
//!         println!("{state}");
//!     }
//! }
//! call.drop_call()?.wait(Duration::from_secs(5))?;
//! call.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! An asynchronous operation gives a [`Pending`]: wait for it, give it a callback, or `.await` it. Each
//! opens the gate only after whoever waits has been stored, so that no completion can overtake the
//! application (G1). What a line tells comes as [`LineEvent`]s from [`Line::events`].
//!
//! Rules that hold here: ids are 1 to 0x7FFFFFFF and unique while outstanding (T2, T3); a request's
//! record is there before the provider is called; a completion of no outstanding request is counted
//! and does no harm; events of a new call come after its completion (N9); after an asynchronous
//! failure of lineMakeCall the call is dead and lineCloseCall is not called (N8); until a call is made
//! the provider is asked nothing but to close it (G7). Callbacks and the observer run with no lock
//! held, callbacks on the reaper's thread.
//!
//! | file | what |
//! |---|---|
//! | `host`, `line`, `call` | what the application holds |
//! | `pending` | a request on its way |
//! | `requests` | ids, and who waits |
//! | `events` | what a line tells |
//! | `upward` | completions and events from the provider |
//! | `info` | the provider's structures as values |
//! | `trace` | the observer, and what is counted |
//! | `inside` | whether a thread is in an upcall |

mod call;
mod events;
#[allow(clippy::module_inception, reason = "the room's main thing is in a file of its name")]
mod host;
mod info;
mod inside;
mod line;
mod pending;
mod requests;
#[cfg(test)]
mod tests;
mod trace;
mod upward;

pub use call::Call;
pub use events::{Events, LineEvent};
pub use host::Host;
pub use info::{CallInfo, CallOptions, CallStatus, LineCaps, LineInfo, LineStatus};
pub use line::Line;
pub use pending::{Pending, WaitError};
pub use trace::{Counts, Trace, Traced};

use std::sync::Arc;

/// How a host works.
#[derive(Clone, Default)]
pub struct Options {
    /// Told every request and every event.
    pub trace: Option<Arc<Trace>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("trace", &self.trace.is_some()).finish()
    }
}
