//! The Si3210 (ProSLIC), the chip of an FXS module: it feeds a telephone, rings it and sees its
//! hook. The Si3215 of Digium's S110M is the same but for its indirect registers.
//!
//! | file | what |
//! |---|---|
//! | `registers` | direct registers and the values written to them |
//! | `indirect` | the 16-bit registers behind a window of four direct ones |
//! | `bring_up` | from reset to a fed line; the quick way back after the chip lost its settings |
//! | `calibration` | the chip's own calibration; the manual one for chips that don't finish it |
//! | `countries` | a test: what the registers are in each country |
//! | `dump` | every register, and what they say of chip and line |
//! | `line` | what the status registers mean while the line is in service |
//!
//! Register facts are those of the Si3210 data sheet and of application note AN35.

mod bring_up;
mod calibration;
#[cfg(test)]
mod countries;
mod dump;
mod indirect;
mod indirect_registers;
mod line;
mod registers;
#[cfg(test)]
pub(crate) mod simulation;

pub(crate) use bring_up::{Calibration, Identity, bring_up, diagnose, identify, restore};
pub(crate) use dump::dump;
pub(crate) use line::FxsLine;
#[cfg(test)]
pub(crate) use registers::{LINE_STATE, LOOP_STATUS};
