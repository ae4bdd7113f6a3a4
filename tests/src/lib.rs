//! Tests of the whole system, in `tests/`; this library is what they share.
//!
//! A [`Bench`] is a software card with an exchange and telephones, and its provider; a [`Witness`]
//! sees everything that passes the provider and checks it. [`World`] has a host on it, [`Desk`]
//! calls the provider as TAPI does, [`Solo`] does so on the test's own thread and advances the
//! card's clock itself. A [`Rack`] is a modem in software instead of a card, with a host on it.

mod desk;
pub mod dice;
mod executor;
mod member;
mod rack;
mod solo;
mod wait;
mod witness;
mod world;

pub use desk::{Desk, Told, call, id};
pub use executor::{block_on, waker};
pub use member::member_of;
pub use rack::Rack;
pub use solo::Solo;
pub use wait::{DEADLINE, SLOW, assert_walk, eventually, incoming, make, refusal, state};
pub use witness::{Refusal, Watch, Watched, Witness, watched};
pub use world::{Bench, FXO, FXS, SUPERVISED, World};
