//! A trace of the accesses to a card's registers, with their times: what happened on a card that is
//! elsewhere.
//!
//! A [`TracedDevice`] is any device whose accesses are noted in a [`RegisterTrace`]. What is noted
//! is what the code above says of an access ([`Registers::note`](super::Registers::note)): a
//! module's register is one access, not the hundred with which a serial bus carries it.
//! [`RecordedTrace`] reads a trace again; with it a test serves the recorded card to the driver.
//!
//! The form is text, a line each, and takes about 60 kB for a second of a card in service:
//!
//! | line | means |
//! |---|---|
//! | `ringback-trace 1` | the first line: the form's version |
//! | `# TEXT` | about the trace, for people |
//! | `chip a Tiger320` | `a` is the card's own chip from here on |
//! | `chip b Si3210 0` | `b` is the Si3210 in slot 0 from here on |
//! | `125 br64 11` | 125 us after the line before, register 64 of `b` read 0x11 |
//! | `0 aw1 1` | at once, 1 was written to register 1 of `a` |
//! | `lost 12` | here so many accesses are missing, because they were not fetched in time |
//!
//! Numbers of registers are decimal, values hexadecimal.

mod device;
mod reader;
mod recorder;

pub use device::TracedDevice;
pub use reader::{RecordedAccess, RecordedChip, RecordedTrace, TraceError, TraceFault};
pub use recorder::RegisterTrace;

use crate::PortNumber;

/// What an access to a register meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotedAccess {
    /// The name of the chip that has the register.
    pub chip: &'static str,
    /// The slot of the chip; `None` for the card's own.
    pub slot: Option<PortNumber>,
    /// The register's number, or its byte offset in the card's own window.
    pub number: u16,
    /// Whether it was written; else it was read.
    pub written: bool,
    /// What was read or written.
    pub value: u32,
}

/// The first line of a trace.
const FORMAT: &str = "ringback-trace 1";
/// The most chips that a trace can have: one for each letter.
const CHIPS: usize = 26;
