//! Userspace driver for PCI telephony cards.
//!
//! An asynchronous request returns its id at once, the hardware works on, and a completion reports
//! the result exactly once and never before the function that asked has returned.
//!
//! Imports go one way: `reactor` uses `engine`, `request` and `device`; `card` uses `engine` and
//! `device`; `request` and `device` use nothing of the others. `report` and `guard` are everybody's:
//! by the one everything is logged, so that no subscriber can harm a card, by the other a panic is
//! contained.

pub mod card;
pub mod device;
pub mod engine;
pub mod guard;
pub mod reactor;
pub mod report;
pub mod request;
mod sync;
mod time;

pub use time::Time;
