//! Telephony hardware in software: the TDM400P with an exchange and telephones behind it, and a
//! modem behind a serial port ([`SoftUart`], [`SoftModem`]).
//!
//! The TDM400P at the level of its registers: PCI configuration space, the Tiger320's registers and
//! DMA rings, the CPLD, the serial interface bit by bit, and the two module chips. A driver of the
//! real card works with this one. The crate depends on no driver and no operating system, except
//! for [`vfio_user`], which puts the card into a virtual machine and on which nothing else here
//! depends.
//!
//! ```text
//!  host memory, INTA                      HostMemory, InterruptLine
//!        |
//!  Tiger320 -- CPLD                       SoftCard::read, write, config_read, config_write
//!        |
//!  slots 0 to 3: Si3210 or Si3050
//!        |             |
//!   Telephone      Exchange -- Telephone
//! ```
//!
//! Rules of the whole crate, except for the serial port and its modem:
//! - Time advances only by [`SoftCard::tick`], which is one millisecond of everything.
//!   [`RealClock`] calls it in real time; a test or a simulation calls it itself and is then
//!   deterministic.
//! - The host is called with no lock held, and may call the card back.
//! - Nothing that a host writes can make the card panic.
//!
//! ```
//! use ringback_softcard::{CardConfig, ModuleKind, SoftCard};
//!
//! let card = SoftCard::new(CardConfig {
//!     modules: [ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Empty, ModuleKind::Empty],
//!     ..CardConfig::default()
//! });
//! assert_eq!(card.config_read(0, 4), 0x0001_E159);
//! card.write(0x00, 1, 0x01); // CNTL: leave external reset
//! assert_eq!(card.read(0xCC, 1), 0x73); // version of the CPLD
//! card.tick();
//! assert_eq!(card.now_ms(), 1);
//! ```

mod board;
mod card;
pub mod chips;
mod clock;
mod config_space;
pub mod control;
mod exchange;
mod fault;
mod host;
mod modem;
mod module;
pub mod scenery;
mod socket_path;
mod telephone;
mod uart16550;
pub mod vfio_user;

pub use card::{CardConfig, SoftCard};
pub use clock::RealClock;
pub use exchange::{Exchange, ExchangeConfig, ExchangeError, LineOptions, LineState};
pub use fault::{Fault, UnknownFault};
pub use host::{HostMemory, InterruptLine};
pub use modem::{Far, ModemFault, SoftModem};
pub use module::{ModuleKind, UnknownModule};
pub use socket_path::SocketPathError;
pub use telephone::{Behaviour, Step, Telephone};
pub use uart16550::{ModemSignals, SoftUart, UartModel};

/// The number of slots.
pub const SLOTS: usize = 4;
