//! Requests: ids, the slot table, and the gate that holds early completions back; and what all
//! crates of Ringback need: [`Time`], [`PortNumber`], the log ([`report!`]), the containment of
//! panics ([`guard`]), and the synchronisation that models can replace ([`sync`]).
//!
//! Rules that hold here: ids lie in 1..=0x7FFF_FFFF (T2) and are unique among outstanding requests
//! (T3); a slot is given back before its completion is reported, so the id may be reused at once
//! (T4); a request completes exactly once (C3) and a refused one never (R4); nothing is deliverable
//! before the ticket of the request is released (G1).
//!
//! This crate depends on no other of Ringback. The table does no I/O, reads no clock and allocates
//! nothing after its creation; nothing here is unsafe.

mod error_code;
mod free_list;
mod gate;
pub mod guard;
mod held;
mod id;
#[cfg(all(test, loom))]
mod model;
mod number;
pub mod report;
pub mod sync;
mod table;
mod time;

pub use error_code::ErrorCode;
pub use gate::{Completed, Released};
pub use held::{Held, Holder};
pub use id::{RequestId, Token};
pub use number::{LineNumber, PortNumber, RequestSlot};
pub use table::{CapacityError, Completion, Full, MAX_CAPACITY, Table};
pub use time::Time;
