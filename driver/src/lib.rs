//! Userspace driver for PCI telephony cards.
//!
//! Submitting an asynchronous request returns its id at once. When the hardware is done, a
//! completion reports the result, exactly once and never before the submitting function has
//! returned.
//!
//! Imports go one way: `reactor` uses `engine`, `request` and `device`; `card` uses `engine` and
//! `device`; `device` uses nothing of the others. [`request`] is the crate `ringback-request`.
//! Every module uses [`mod@report`], by which everything is logged so that no subscriber can harm a
//! card, and [`guard`], by which a panic is contained.

#[cfg(feature = "cards")]
pub mod card;
pub mod device;
pub mod engine;
pub mod reactor;

#[doc = include_str!("../GUIDE.md")]
pub mod guide {}

/// Requests, their ids and their tokens: the crate `ringback-request`.
pub use ringback_request as request;
pub use ringback_request::{PortNumber, Time, guard, report};

use ringback_request::sync;
