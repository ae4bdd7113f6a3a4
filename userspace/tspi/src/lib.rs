//! The TSPI contract, for providers and for hosts.
//!
//! TSPI is the interface between a telephony server and the driver of a telephony device. It is
//! asynchronous: a function takes a request id and returns it at once; the device works on; one
//! completion with that id reports the result.
//!
//! The definitions of the contract are here, under the names of the C headers, and checked against
//! them by tests: [`types`], [`constants`], [`error`], the table of all [`functions`], the
//! [`structs`] that cross the interface. [`dialstring`] parses what is to be dialled, [`callstate`]
//! has the states that a call passes, and a monitor that watches upcalls for violations.
//!
//! Rules of the contract are cited by key (R1, C3, N4 ...) where they are kept or proved.

pub mod callstate;
pub mod constants;
pub mod dev_specific;
pub mod dial_timing;
pub mod dialstring;
pub mod error;
pub mod ffi;
pub mod functions;
pub mod key;
pub mod late;
pub mod layer;
pub mod media;
pub mod provider;
pub mod structs;
pub mod types;

/// The way in which all of Ringback enters its locks, for crates that do not depend on
/// `ringback-request` themselves.
pub use ringback_request::sync::EvenPoisoned;
