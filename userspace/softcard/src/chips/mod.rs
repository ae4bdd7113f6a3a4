//! The chips of the TDM400P, and the wires between them.
//!
//! Each chip is a state machine: registers and pins on one side, a millisecond of its line on the
//! other. Nothing here knows a host, a clock, a telephone or an exchange. [`SoftCard`] is made of
//! these chips, and so are the small cards against which a driver tests what the whole card does
//! not offer: DMA word by word, and chips that fail half-way.
//!
//! Rule: nothing that a host writes can make a chip panic.
//!
//! [`SoftCard`]: crate::SoftCard

pub(crate) mod bank;
mod circuit;
mod cpld;
pub(crate) mod pcm;
pub(crate) mod si3050;
pub(crate) mod si3210;
pub(crate) mod spi;
pub(crate) mod tiger320;
pub(crate) mod wire;

pub use circuit::{Circuit, SlotPins};
pub use si3050::Si3050;
pub use si3210::Si3210;
pub use spi::{Framing, Pins, RegisterFile, SpiPort};
pub use tiger320::{Abort, Channel, Tiger320};
pub use wire::{Battery, FRAME, Feed, Frame, Load};
