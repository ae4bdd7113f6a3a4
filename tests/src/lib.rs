//! Tests of the whole, in `tests/`; this library is what they share.
//!
//! [`World`] is a host on a software card with an exchange and telephones; a [`Witness`] stands
//! between host and provider and judges everything that passes.

mod wait;
mod witness;
mod world;

pub use wait::{DEADLINE, eventually, state};
pub use witness::{Refusal, Watched, Witness};
pub use world::{FXO, FXS, SUPERVISED, World};
