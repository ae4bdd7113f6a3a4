//! Why a card could not be opened or started, with what to do about it.

use std::io;

use ringback_driver::card::{OpenCardError, StartCardError, uart16550};
use ringback_driver::device::shim::ShimError;
use ringback_driver::device::uio::UioError;
use ringback_driver::device::vfio::VfioError;
use ringback_driver::reactor;
use thiserror::Error;

/// Why a card could not be opened or started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its UIO device can't be used.
    #[error(transparent)]
    Uio(#[from] UioError),
    /// The `ringback` module can't be used for its samples.
    #[error(transparent)]
    Shim(#[from] ShimError),
    /// Its VFIO device can't be used.
    #[error(transparent)]
    Vfio(#[from] VfioError),
    /// The software card's interrupt could not be made.
    #[error("the software card's interrupt (an eventfd) can't be made: {0}")]
    Soft(#[source] io::Error),
    /// `soft` without a software card.
    #[error("`soft` is a software card in this program, and the program has created none")]
    NoSoftCard,
    /// The card does not come up.
    #[error(transparent)]
    Card(#[from] OpenCardError),
    /// The serial port of the modem can't be used.
    #[error(transparent)]
    Uart(#[from] uart16550::OpenError),
    /// The card has no module that works.
    #[error("there is no working module on the card: {0}")]
    NoModules(String),
    /// The card does not start.
    #[error(transparent)]
    Start(#[from] StartCardError),
    /// There is no interrupt file.
    #[error("the card's interrupt file can't be opened: {0}")]
    Interrupt(#[source] io::Error),
    /// It was shut down, and a callback has not returned since.
    #[error(
        "the card is still being shut down: a callback has not returned; it can be started again \
         once it has"
    )]
    StillRunning,
    /// The modules are not the same as before.
    #[error(
        "the card's modules are not those that were there when it was opened first; open it anew"
    )]
    OtherModules,
    /// The ring does not start.
    #[error(transparent)]
    Reactor(#[from] reactor::StartError),
}

impl OpenError {
    /// Whether the card is gone: it was there, and does not answer.
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            OpenError::Card(OpenCardError { is_gone: true, .. })
                | OpenError::Uart(uart16550::OpenError::AllOnes)
                | OpenError::Uio(UioError::Gone { .. })
                | OpenError::Shim(ShimError::Uio(UioError::Gone { .. }))
                | OpenError::Start(StartCardError::Closed)
        )
    }
}
