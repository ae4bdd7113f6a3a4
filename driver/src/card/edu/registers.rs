//! Registers of the edu device (QEMU's `docs/specs/edu.rst`), 32 bits each, little-endian.

use crate::card::register::{Window, flags, registers};

registers! {
    /// The registers of an edu device.
    pub(super) EduMap, "edu";

    /// 0xRRrr00ED, with the revision in the high half.
    ID = 0x00: u32;
    /// Reads the complement of what was written.
    LIVENESS = 0x04: u32;
    /// Operand; read once no factorial is computed: its factorial modulo 2^32.
    FACTORIAL = 0x08: u32;
    /// State of the factorial unit.
    STATUS = 0x20: Status;
    /// What has ended and was not acknowledged.
    INTERRUPTS = 0x24: Interrupts;
    /// Clears the written bits of [`INTERRUPTS`]; before the handler ends.
    ACKNOWLEDGE = 0x64: Interrupts;
    /// DMA address to copy from; the card's own 4096 bytes are at 0x40000.
    SOURCE = 0x80: u32;
    /// DMA address to copy to.
    DESTINATION = 0x88: u32;
    /// Length of the copy, in bytes.
    COUNT = 0x90: u32;
    /// Starts a copy, and shows whether one runs.
    COMMAND = 0x98: Command;
}

/// The register window of an edu device.
pub(super) type Bus<'a, R> = Window<'a, EduMap, R>;

/// What every register of an absent device reads.
pub(super) const ABSENT: u32 = u32::MAX;

flags! {
    /// What STATUS holds.
    pub(super) struct Status: u32 {
        /// A factorial is being computed.
        const COMPUTING = 1 << 0;
        /// Interrupt at the end of a factorial.
        const INTERRUPT = 1 << 7;
    }
}

flags! {
    /// What INTERRUPTS and ACKNOWLEDGE hold.
    pub(super) struct Interrupts: u32 {
        /// A factorial was computed.
        const FACTORIAL_DONE = 1 << 0;
        /// A copy has ended.
        const DMA_DONE = 1 << 8;
    }
}

flags! {
    /// What COMMAND holds.
    pub(super) struct Command: u32 {
        /// Starts a copy; set while it runs.
        const GO = 1 << 0;
        /// The copy is out of the card's memory.
        const FROM_CARD = 1 << 1;
        /// Interrupt at the end of the copy.
        const INTERRUPT = 1 << 2;
    }
}
