//! The kinds of devices that are measured, each with Ringback's engine, and with its bare registers
//! for the other ways.
//!
//! A request is a number with a tag, and its answer is known in advance.

mod edu;
mod mailbox;
mod uart;

use ringback_driver::device::Device;
use ringback_driver::engine::Engine;

pub(crate) use edu::Edu;
pub(crate) use mailbox::Mailbox;
pub(crate) use uart::Uart;

pub(crate) trait Kind: Send + Sync + 'static {
    /// Ringback's engine for this kind.
    type Engine<D: Device>: Engine;
    /// The registers; of a request they have only the tag.
    type Bare<D: Device + Sync>: Bare;

    /// The register whose write starts the hardware.
    const DOORBELL: usize;

    /// Starts the engine.
    fn engine<D: Device>(device: D) -> Result<Self::Engine<D>, String>;
    /// The engine's command for the answer to a number.
    fn command<D: Device>(operand: u32) -> <Self::Engine<D> as Engine>::Command;
    /// Starts the hardware, and returns its registers.
    fn bare<D: Device + Sync>(device: D) -> Result<Self::Bare<D>, String>;
    /// The answer to a number.
    fn answer(operand: u32) -> u32;
}

/// A device, used by its registers.
pub(crate) trait Bare: Send + Sync + 'static {
    /// Requests the answer to a number. May be called from any thread.
    fn ring(&self, tag: u32, operand: u32);

    /// Calls `f` with the tag and answer of each new answer, and enables the next interrupt. Only
    /// for the thread that reaps; `reaped` begins with 0 and keeps its state.
    fn reap(&self, reaped: &mut u32, f: impl FnMut(u32, u32));

    /// The number of requests so far, if the device counts them.
    fn count(&self) -> u32 {
        0
    }

    /// Like [`Bare::ring`], for the only submitting thread: takes the count and returns the next
    /// one.
    fn put(&self, count: u32, tag: u32, operand: u32) -> u32 {
        self.ring(tag, operand);
        count
    }

    /// Sets the number of requests, after they were submitted by [`Bare::put`].
    fn set_count(&self, _: u32) {}
}

/// Converts an error to its text.
fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
