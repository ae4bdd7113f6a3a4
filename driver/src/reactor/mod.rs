//! The one thread that owns the ring: interrupts, deadlines, delivery.
//!
//! Callers submit through a [`Handle`]. The engine runs on their thread if the card is free;
//! otherwise the thread that holds the card starts the command. Every upcall is made by the reaper,
//! one at a time and never nested (C6), in order within a line (O1), with no lock held. A
//! completion whose ticket is still held is not delivered, and neither is anything behind it on its
//! line (G1). Every request has a deadline, which is a TIMEOUT in the ring under the request's own
//! id. Closing settles (D1, D12).
//!
//! How the reaper waits is chosen at the start ([`Waiting`]); with [`Local`] the application's own
//! thread is the reaper. The rules are the same in all cases.
//!
//! The reactor has nothing of telephony in it: it is generic over
//! [`Engine`](crate::engine::Engine). It is the only module that uses the ring, through the safe
//! interface in `device::ring`.

mod arrived;
mod bits;
mod card;
mod client;
mod clock;
mod commands;
mod complaints;
mod core;
mod deadlines;
mod delivery;
mod doze;
mod driver;
mod found;
mod handle;
mod handover;
mod intake;
mod kick;
mod latch;
mod local;
mod mark;
#[cfg(all(test, loom))]
mod model;
mod outbox;
mod realtime;
mod reaper;
mod samples;
mod start;
mod state;
mod stepper;
mod submitter;
#[cfg(all(test, not(loom)))]
mod tests;
mod ticket;
mod user_data;
mod waiting;

pub use client::{Client, ClientUpcalls, Outcome, Pending, Unconnected};
pub use driver::Driver;
pub use handle::{Handle, Refused, Settled};
pub use local::Local;
pub use realtime::{Answer, Granted, Realtime, Setting};
pub use start::StartError;
pub use stepper::{PortOrder, Stepper};
pub use submitter::is_in_upcall;
pub use ticket::Ticket;
pub use waiting::{Options, Waiting};

use std::time::Duration;

use crate::engine::Failure;
use crate::request::{Completion, LineNumber};

/// Receives completions and events. There is one per card; only the reaper calls it, never nested,
/// with no lock held (C6).
///
/// Upcalls should be short, because everything else on the card waits for them. They may submit,
/// cancel and settle; they can't wait for a card, neither for this one nor for another. A panic is
/// contained and logged; the next upcall is made as if nothing had happened.
pub trait Upcalls<Event, Output = ()>: Send + 'static {
    /// A request is over. Its id may be in use again already (T4).
    fn completed(&mut self, completion: Completion<Output>);
    /// An event has happened on a line.
    fn event(&mut self, line: LineNumber, event: Event);
    /// The card is shut down and everything is delivered. This is the last upcall and made exactly
    /// once. `cause` is [`Failure::Closed`] if a shutdown was asked for and the engine has stopped
    /// in order; otherwise the card has failed.
    fn over(&mut self, cause: Failure) {
        let _ = cause;
    }
}

/// An upcall, or the start of a command, that takes longer than this is logged, because everything
/// else on the card waits for it.
const SLOW: Duration = Duration::from_millis(5);

/// A completion whose ticket is held for longer than this is logged.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest sleep of the reaper, and the interval at which all running requests without a
/// TIMEOUT get one in the ring. A request with a later deadline need not wake the reaper, so that
/// submitting it costs no system call; one with an earlier deadline gets its TIMEOUT at once.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How long a close waits for what has to be delivered before it.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);

/// How long a shutdown waits: for held tickets, and then a little for the last upcalls.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(3);
