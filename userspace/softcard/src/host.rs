//! The two ways out of the card: host memory, and the interrupt pin.
//!
//! Rule: the card calls these with none of its own locks held, so an implementation may take locks
//! of its own, block for a while, or call [`SoftCard::read`](crate::SoftCard::read) and
//! [`SoftCard::write`](crate::SoftCard::write). It must not call
//! [`SoftCard::tick`](crate::SoftCard::tick) from within a memory access: a tick is under way then.

/// Host memory as the card's bus master reaches it: 32-bit addresses, aligned 32-bit words.
pub trait HostMemory: Send + Sync {
    /// Reads one word. `None`: nobody answers at this address, a PCI master abort.
    fn read32(&self, bus_address: u32) -> Option<u32>;
    /// Writes one word. `false`: nobody answers at this address, a PCI master abort.
    fn write32(&self, bus_address: u32, value: u32) -> bool;
}

/// The interrupt pin INTA.
pub trait InterruptLine: Send + Sync {
    /// The pin is asserted: some status bit is set whose interrupt is enabled. Called once per
    /// millisecond for as long as that is so (the pin is level-triggered), never more often. (A
    /// clock that waits for its host calls it also while it waits.)
    fn raise(&self);
}
