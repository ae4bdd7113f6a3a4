//! Requests: ids, the slot table, and the gate that holds early completions back.
//!
//! Rules that hold here: ids lie in 1..=0x7FFF_FFFF (T2) and are unique among outstanding requests
//! (T3); a slot is given back before its completion is reported, so the id may be reused at once
//! (T4); a request completes exactly once (C3) and a refused one never (R4); nothing is deliverable
//! before the ticket of the request is released (G1).
//!
//! No I/O, no clock, no unsafe, no allocation after creation.

mod free_list;
mod gate;
mod id;
#[cfg(all(test, loom))]
mod model;
mod table;

pub use gate::{Completed, Released};
pub use id::{RequestId, Token};
pub use table::{CapacityError, Completion, Full, MAX_CAPACITY, Table};
