//! What lines need of a card that has ports, with any chips.
//!
//! A card implements [`PortCard`], and lines work on it: any number of ports, each FXS or FXO, with
//! the types of [`port`](super::port). The caller passes the time; the card starts no thread and
//! waits for nothing. Commands and status queries may come between any two services.

use std::error::Error;
use std::io;
use std::time::Duration;

use ringback_country::Country;
use thiserror::Error;

use super::delay::Delay;
use super::module::ModuleError;
use super::port::{
    Gains, Hook, LineFeed, LineTuning, ModuleKind, Polarity, PortError, PortSink, PortStatus,
};
use super::register_dump::RegisterDump;
use crate::device::{Device, Files, Kind};
use crate::{PortNumber, Time};

/// What is in a slot. The slot's number is the port's, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// A module of this kind, which works.
    Module(ModuleKind),
    /// No module answers in the slot.
    Empty,
    /// A module that does not work, and why.
    Failed(ModuleError),
}

impl Slot {
    /// The kind of a working module.
    pub const fn kind(&self) -> Option<ModuleKind> {
        match self {
            Slot::Module(kind) => Some(*kind),
            Slot::Empty | Slot::Failed(_) => None,
        }
    }
}

/// The result of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// No frame was due since the last service.
    Idle,
    /// Frames of samples were exchanged with the card.
    Frames {
        /// How many frames every port got.
        frames: u32,
        /// How many were lost before them, because the service came late.
        missed: u32,
    },
    /// The card could not reach memory or stood still, and was started anew. Samples were lost.
    Recovered,
    /// The card is lost, and closed from now on. Returned only once.
    Gone,
}

/// Why a card could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartCardError {
    /// It has been made safe, or is gone.
    #[error("the card was shut down or is gone: open it again")]
    Closed,
    /// Bus mastering could not be switched on.
    #[error("the card can't be allowed to reach memory (PCI bus master): {0}")]
    BusMaster(#[source] io::Error),
    /// The interrupt could not be enabled.
    #[error("the card's interrupt can't be enabled: {0}")]
    Interrupt(#[source] io::Error),
}

/// A card with ports that was brought up.
///
/// Dropping it makes it safe.
pub trait PortCard: Send + 'static {
    /// The short name of its device, for people.
    fn name(&self) -> &str;

    /// The country whose lines its modules were set up for.
    fn country(&self) -> Country;

    /// What is in its slots, which are the ports in their order. Their number never changes.
    fn slots(&self) -> &[Slot];

    /// The state of a port, as last sampled and commanded; the hardware is not accessed. `None` for
    /// a port without a working module, and once the card is lost.
    fn status(&self, port: PortNumber) -> Option<PortStatus>;

    /// The files that the reaper reads and writes for it.
    ///
    /// # Errors
    /// The error of the system call.
    fn files(&self) -> io::Result<Files>;

    /// Whether the kernel moves the samples. Then `frame` of a sink is never called; the samples
    /// come and go with [`Engine::received`](crate::engine::Engine::received) and
    /// [`Context::play`](crate::engine::Context::play), under the port's number.
    fn kernel_moves_samples(&self) -> bool;

    /// The longest time between two services: without an interrupt for this long,
    /// [`look_after`](PortCard::look_after) is called. It is shorter during a recovery, so that it
    /// is to be asked after every service.
    fn look_interval(&self) -> Duration;

    /// Lets samples flow and interrupts come. Nothing happens if the card runs already.
    ///
    /// # Errors
    /// The card was closed, or the operating system refuses bus mastering or the interrupt.
    fn start(&mut self, now: Time) -> Result<(), StartCardError>;

    /// Serves an interrupt, or several that came as one.
    fn service(&mut self, now: Time, sink: &mut impl PortSink) -> Service;

    /// Serves a card that has not interrupted for its [interval](PortCard::look_interval).
    fn look_after(&mut self, now: Time, sink: &mut impl PortSink) -> Service;

    /// Takes an FXO line off-hook or puts it on-hook.
    ///
    /// # Errors
    /// There is no such port, it is FXS, or the card is closed.
    fn set_hook(&mut self, port: PortNumber, hook: Hook) -> Result<(), PortError>;

    /// Feeds an FXS line. [`LineFeed::Ringing`] switches the ring generator on until another feed
    /// is commanded or the telephone is lifted.
    ///
    /// # Errors
    /// There is no such port, it is FXO, or the card is closed.
    fn set_line_feed(&mut self, port: PortNumber, feed: LineFeed) -> Result<(), PortError>;

    /// Sets the polarity with which an FXS line is fed, whatever the feed.
    ///
    /// # Errors
    /// There is no such port, it is FXO, or the card is closed.
    fn set_polarity(&mut self, port: PortNumber, polarity: Polarity) -> Result<(), PortError>;

    /// Sets how loud an FXS port passes sound, until the card is opened anew.
    ///
    /// # Errors
    /// There is no such port, it is FXO, or the card is closed.
    fn set_gains(&mut self, port: PortNumber, gains: Gains) -> Result<(), PortError>;

    /// Fits an FXO port to its line, until the card is opened anew.
    ///
    /// # Errors
    /// There is no such port, it is FXS, or the card is closed.
    fn tune(&mut self, port: PortNumber, tuning: LineTuning) -> Result<(), PortError>;

    /// Begins to read all registers of card and modules, a few in each round in which their status
    /// is sampled, so that calls are not disturbed; [`dump`](PortCard::dump) has the result. A dump
    /// that is under way begins anew. Returns whether the card can do this, and is in service.
    fn begin_dump(&mut self) -> bool {
        false
    }

    /// What the registers read, once a dump is complete; `None` until then.
    fn dump(&self) -> Option<&RegisterDump> {
        None
    }

    /// Puts every line on-hook and ringing off, stops DMA and interrupts, and leaves the card in
    /// that state. Has no effect when repeated or when the card is gone.
    fn safe(&mut self);
}

/// Why a card with ports could not be opened. Its text is for the owner of the card.
#[derive(Debug, Error)]
#[error("{cause}")]
pub struct OpenCardError {
    /// Whether the card is gone: it was there, and does not answer.
    pub is_gone: bool,
    /// The card's own error.
    pub cause: Box<dyn Error + Send + Sync>,
}

/// A kind of card with ports: how it is opened on any device.
pub trait PortCardKind {
    /// Its name, and how it is recognised.
    const KIND: Kind;
    /// The card on a device.
    type Card<D: Device>: PortCard;

    /// Brings a card up for a country's lines, which may take seconds; it waits by `delay`.
    ///
    /// # Errors
    /// The device is no such card, or does not answer.
    fn open<D: Device>(
        device: D,
        country: Country,
        delay: &mut dyn Delay,
    ) -> Result<Self::Card<D>, OpenCardError>;
}
