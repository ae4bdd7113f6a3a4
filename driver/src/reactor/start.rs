//! What every start of a reaper has in common, on a thread of its own or on the application's: the
//! card it is for, and why there may be none.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::device::InterruptFileError;
use crate::device::ring::RingError;
use crate::engine::Engine;
use crate::request::{CapacityError, Table};

use super::card::Card;
use super::clock::Clock;
use super::core::Core;
use super::kick::Kick;
use super::state::State;

/// Why the reaper could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The capacity is out of range.
    #[error(transparent)]
    Capacity(#[from] CapacityError),
    /// io_uring is missing, disabled or blocked.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// What was given as the interrupt file can't be one.
    #[error(transparent)]
    InterruptFile(#[from] InterruptFileError),
    /// A system call of the start failed.
    #[error("the reaper could not start: {what} failed: {source}")]
    System {
        /// The system call, as the error names it.
        what: &'static str,
        /// The error that the system call gave.
        source: io::Error,
    },
}

/// Names the system call of the start that failed.
pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::System { what, source }
}

/// A card on the real clock, and the file by which its reaper is woken.
pub(super) fn card<E: Engine>(
    engine: E,
    capacity: usize,
) -> Result<(Arc<Card<E>>, OwnedFd), StartError> {
    let table = Table::with_capacity(capacity)?;
    let kick = Kick::new().map_err(system("eventfd"))?;
    let kicked = kick.file().map_err(system("duplicating an eventfd"))?;
    let core = Core::new(table, Clock::Monotonic, Some(kick));
    Ok((Arc::new(Card::new(engine, core)), kicked))
}

/// No reaper could be started for a card: its hardware may run already, and is stopped.
pub(super) fn give_back<E: Engine>(card: &Card<E>) {
    card.close(State::bury);
}
