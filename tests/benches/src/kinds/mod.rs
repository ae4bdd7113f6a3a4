//! The kinds of devices that are measured: each as Ringback's engine drives it, and as those write
//! who have nothing but its registers.
//!
//! A request is a number with a tag; the answer to the number is known beforehand.

mod edu;
mod mailbox;
mod uart;

use ringback_driver::device::Device;
use ringback_driver::engine::Engine;

pub(crate) use edu::Edu;
pub(crate) use mailbox::Mailbox;
pub(crate) use uart::Uart;

/// One kind of device.
pub(crate) trait Kind: Send + Sync + 'static {
    /// Ringback's engine for it.
    type Engine<D: Device>: Engine;
    /// Its registers, without any notion of a request beyond its tag.
    type Bare<D: Device + Sync>: Bare;

    /// The register whose writing sets the hardware to work.
    const DOORBELL: usize;

    /// The engine, started.
    fn engine<D: Device>(device: D) -> Result<Self::Engine<D>, String>;
    /// Asks the engine for the answer to a number.
    fn command<D: Device>(operand: u32) -> <Self::Engine<D> as Engine>::Command;
    /// The registers, with the hardware set going.
    fn bare<D: Device + Sync>(device: D) -> Result<Self::Bare<D>, String>;
    /// The answer to a number.
    fn answer(operand: u32) -> u32;
}

/// A device by its registers.
pub(crate) trait Bare: Send + Sync + 'static {
    /// Asks for the answer to a number. From any thread.
    fn ring(&self, tag: u32, operand: u32);

    /// Hands each new answer to `f`, tag and answer, and lets the next interrupt come. Only for the
    /// one thread that reaps; `reaped` is 0 at first and its own to keep.
    fn reap(&self, reaped: &mut u32, f: impl FnMut(u32, u32));

    /// How many were asked for, where that is counted.
    fn count(&self) -> u32 {
        0
    }

    /// As [`Bare::ring`], for the only thread that submits: takes the count and gives the next.
    fn put(&self, count: u32, tag: u32, operand: u32) -> u32 {
        self.ring(tag, operand);
        count
    }

    /// For who has submitted by [`Bare::put`].
    fn set_count(&self, _: u32) {}
}

/// An error in its words.
fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
