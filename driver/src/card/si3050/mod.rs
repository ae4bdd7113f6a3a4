//! The Si3050 with its line side Si3018 or Si3019 (VoiceDAA), the chips of an FXO module: they are
//! a telephone to an exchange.
//!
//! The Si3050 sits on our side of the isolation barrier; the line side is powered and read over
//! capacitors, the "ISO link", which needs up to 2 s to come up.
//!
//! | file | what |
//! |---|---|
//! | `registers` | registers and the values written to them |
//! | `settings` | what a country's settings become on the line side that is there |
//! | `bring_up` | from reset to an on-hook line; what to do when the chip lost its settings |
//! | `dump` | every register, and what they say of chips and line |
//! | `line` | what the status registers mean while the line is in service |
//!
//! Register facts are those of the Si3050 data sheet.

mod bring_up;
mod dump;
mod line;
mod registers;
mod settings;
#[cfg(test)]
pub(crate) mod simulation;

pub(crate) use bring_up::{bring_up, diagnose, identify, tune};
pub(crate) use dump::dump;
pub(crate) use line::FxoLine;
#[cfg(test)]
pub(crate) use registers::{DAA_CONTROL, LINE_VOLTAGE};
