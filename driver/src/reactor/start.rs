//! What all ways of starting a reaper have in common, on a thread of its own or on the
//! application's: creating the card, and the errors.

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
    /// The given file can't be an interrupt file.
    #[error(transparent)]
    InterruptFile(#[from] InterruptFileError),
    /// A system call of the start failed.
    #[error("the reaper could not start: {what} failed: {source}")]
    System {
        /// The name of the system call, for the error's text.
        what: &'static str,
        /// The error that the system call gave.
        source: io::Error,
    },
}

/// Makes an error for the system call `what`.
pub(super) fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::System { what, source }
}

/// Makes a card on the real clock, and the file that wakes its reaper.
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

/// Stops the engine of a card whose reaper could not be started, because its hardware may run.
pub(super) fn give_back<E: Engine>(card: &Card<E>) {
    card.close(State::bury);
}
