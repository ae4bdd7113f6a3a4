//! Registers of the mailbox, 32 bits each, little-endian.

use crate::card::register::{Window, flags, registers};

registers! {
    /// The registers of a mailbox. They are not traced: this is the device on which the benchmark
    /// counts every instruction of a request, and all that it does is in those requests.
    pub(super) MailboxMap, "mailbox", traced: false;

    /// 0x58424D52, "RMBX".
    ID = 0x00: u32;
    /// Entries of each ring, a power of two up to 4096.
    ENTRIES = 0x04: u32;
    /// Commands that the driver has put in so far, modulo 2^32.
    SUBMITTED = 0x08: u32;
    /// Commands that the hardware has taken so far.
    ACCEPTED = 0x0C: u32;
    /// Answers that the hardware has put in so far.
    ANSWERED = 0x10: u32;
    /// Answers that the driver has taken so far.
    REAPED = 0x14: u32;
    /// Whether the hardware works.
    CONTROL = 0x18: Control;
}

// 0x1C FEATURES: bit 0, TIME is kept. 0x20, 0x24 TIME: when the last interrupt was, low and high
// half. The driver uses neither.

/// The register window of a mailbox.
pub(super) type Bus<'a, R> = Window<'a, MailboxMap, R>;

flags! {
    /// What CONTROL holds.
    pub(super) struct Control: u32 {
        /// The hardware runs and interrupts.
        const RUN = 1 << 0;
    }
}
