//! What the card needs of its host: memory, and the interrupt pin.
//!
//! Rule: the card calls these with none of its own locks held, so that an implementation may take
//! locks of its own, block for a while, or call [`SoftCard::read`](crate::SoftCard::read) and
//! [`SoftCard::write`](crate::SoftCard::write). It must not call
//! [`SoftCard::tick`](crate::SoftCard::tick) within a memory access, because a tick is under way
//! then.

/// Host memory for the card's bus master: 32-bit addresses, aligned 32-bit words.
pub trait HostMemory: Send + Sync {
    /// Reads one word. `None` if no target responds at this address: a PCI master abort.
    fn read32(&self, bus_address: u32) -> Option<u32>;
    /// Writes one word. `false` if no target responds at this address: a PCI master abort.
    fn write32(&self, bus_address: u32, value: u32) -> bool;
}

/// The interrupt pin INTA.
pub trait InterruptLine: Send + Sync {
    /// Signals that the pin is asserted: a status bit is set whose interrupt is enabled. Called
    /// once per millisecond for as long as that is so, because the pin is level-triggered. A
    /// patient clock also calls it while it waits for the host.
    fn raise(&self);
}
