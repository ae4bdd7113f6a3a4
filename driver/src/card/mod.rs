//! Cards: registers, DMA ring, interrupt service; no policy.
//!
//! A card makes ports of its chips: an FXS port has a telephone on it, an FXO port a line of an
//! exchange, and both are described by hook, ring, battery, polarity and frames of 8 samples.
//! Nothing here deals with calls, reads a clock (the caller passes the time) or starts a thread.
//!
//! | module | what |
//! |---|---|
//! | [`port`] | the events, commands and states of a port |
//! | [`PortCard`] | a card with ports, as lines need it |
//! | [`tiger320`] | the TDM400P family: four slots behind a Tiger320 bus master |
//! | `si3210`, `si3050` | its FXS and FXO modules: bring-up, self-check, meaning of registers |
//! | [`uart16550`] | a UART with a modem behind it: PCI modems and serial cards, mtty |
//! | [`mailbox`] | a device with one command register: a whole engine, to learn from |
//! | [`edu`] | QEMU's example device: a whole engine with DMA and a queue |
//! | `debounce` | when a signal that bounces counts as changed |
//! | `register_dump` | what all registers of a card read, and what that says of its modules |
//! | `register` | registers with names and types, and the trace of every access |
//! | `sequence` | register sequences that run at once or a few accesses per tick |

mod debounce;
mod delay;
pub mod edu;
pub mod mailbox;
mod module;
pub mod port;
mod port_card;
mod register;
mod register_dump;
mod sequence;
mod si3050;
mod si3210;
pub mod tiger320;
pub mod uart16550;

pub use delay::{Delay, ThreadDelay};
pub use module::ModuleError;
pub use port::{
    FRAME, Gain, Gains, Hook, LineFeed, LineTuning, ModuleKind, Polarity, PortError, PortEvent,
    PortFault, PortSink, PortStatus, Remedy,
};
pub use port_card::{OpenCardError, PortCard, PortCardKind, Service, Slot, StartCardError};
pub use register_dump::{
    DumpedRegister, FxoDetails, FxsDetails, ModuleDetails, ModuleDump, RegisterDump,
};
pub use ringback_country::{Country, CountryError};

use crate::device::Kind;

/// All kinds of cards, in the order in which a device is compared with them.
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    tiger320::KIND,
    tiger320::OTHER_KIND,
    edu::KIND,
    mailbox::KIND,
    uart16550::KIND,
];
