//! The surface between TAPI and a provider.
//!
//! TAPI calls a [`Provider`], and the provider calls a [`Tapi`]. What a provider in the same
//! program offers beside TSPI is in [`InProcess`]. The documentation of each says which rules hold
//! for it.

mod api;
mod beside;
mod completion;
mod message;
mod ticket;

pub use api::{Devices, Init, Provider, Tapi};
pub use beside::{Control, InProcess, Media, Runner};
pub use completion::Completion;
pub use message::{LineMessage, PhoneMessage};
pub use ticket::Ticket;
