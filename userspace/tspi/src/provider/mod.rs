//! The surface between TAPI and a provider.
//!
//! [`Provider`] is what TAPI calls, the functions under their names; [`Tapi`] is what TAPI gives in
//! return. Each says which rules hold for it.

mod api;
mod ticket;

pub use api::{Devices, Init, Provider, Runner, Tapi};
pub use ticket::Ticket;
