//! Userspace driver for PCI telephony cards.
//!
//! An asynchronous request returns its id at once, the hardware works on, and a completion reports
//! the result exactly once and never before the function that asked has returned.

pub mod card;
pub mod device;
mod time;

pub use time::Time;
