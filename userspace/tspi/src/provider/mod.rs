//! The surface between TAPI and a provider.
//!
//! [`Provider`] is what TAPI calls, the functions under their names; [`Tapi`] is what TAPI gives in
//! return. What a provider in the same program offers beside TSPI it offers by [`InProcess`]. Each
//! says which rules hold for it.

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
