//! Registers of a 16550 (PC16550D data sheet, table II), one byte each.

/// Receiver buffer (read) and transmitter holding register (write); divisor, low byte, under DLAB.
pub(super) const DATA: usize = 0;
/// Interrupt enable; divisor, high byte, under DLAB.
pub(super) const IER: usize = 1;
/// Interrupt identification (read).
pub(super) const IIR: usize = 2;
/// FIFO control (write).
pub(super) const FCR: usize = 2;
/// Line control: format of a byte, break, DLAB.
pub(super) const LCR: usize = 3;
/// Modem control: the outputs DTR and RTS, interrupt gate, loopback.
pub(super) const MCR: usize = 4;
/// Line status: bytes received, errors, room for bytes to send.
pub(super) const LSR: usize = 5;
/// Modem status: the inputs CTS, DSR, RI and DCD, and which have changed.
pub(super) const MSR: usize = 6;
/// Scratch: holds what is written and does nothing.
pub(super) const SCR: usize = 7;
/// Bytes of the register window.
pub(super) const WINDOW: usize = 8;

pub(super) const IER_RECEIVED: u8 = 1 << 0;
pub(super) const IER_TRANSMITTER_EMPTY: u8 = 1 << 1;
pub(super) const IER_MODEM_STATUS: u8 = 1 << 3;

/// Set while *no* interrupt is pending.
pub(super) const IIR_NONE: u8 = 1 << 0;
/// Both set: FIFOs that work. Only the upper one: those of the first 16550, which do not.
pub(super) const IIR_FIFOS: u8 = 0b11 << 6;

pub(super) const FCR_ENABLE: u8 = 1 << 0;
pub(super) const FCR_CLEAR: u8 = 0b11 << 1;
/// Interrupt at 8 received bytes, or 4 character times after the last one.
pub(super) const FCR_TRIGGER_8: u8 = 0b10 << 6;

pub(super) const LCR_TWO_STOP_BITS: u8 = 1 << 2;
pub(super) const LCR_PARITY: u8 = 1 << 3;
pub(super) const LCR_EVEN: u8 = 1 << 4;
/// Divisor latch access (DLAB): registers 0 and 1 are the divisor.
pub(super) const LCR_DLAB: u8 = 1 << 7;

pub(super) const MCR_DTR: u8 = 1 << 0;
pub(super) const MCR_RTS: u8 = 1 << 1;
/// On PC cards the gate between the chip and the interrupt line.
pub(super) const MCR_OUT2: u8 = 1 << 3;
/// Transmitter looped to receiver inside the chip; the wire sees nothing.
pub(super) const MCR_LOOP: u8 = 1 << 4;

pub(super) const LSR_DATA_READY: u8 = 1 << 0;
pub(super) const LSR_OVERRUN: u8 = 1 << 1;
pub(super) const LSR_PARITY: u8 = 1 << 2;
pub(super) const LSR_FRAMING: u8 = 1 << 3;
pub(super) const LSR_BREAK: u8 = 1 << 4;
/// The transmitter takes as many bytes as its FIFO holds.
pub(super) const LSR_TRANSMITTER_EMPTY: u8 = 1 << 5;

/// RI went from on to off since MSR was read last.
pub(super) const MSR_RING_ENDED: u8 = 1 << 2;
pub(super) const MSR_CTS: u8 = 1 << 4;
pub(super) const MSR_DSR: u8 = 1 << 5;
pub(super) const MSR_RI: u8 = 1 << 6;
pub(super) const MSR_DCD: u8 = 1 << 7;

/// Left in SCR, so that a chip that is gone (all ones) is told from one that is odd.
pub(super) const SIGNATURE: u8 = 0x55;
/// What every register of an absent chip reads.
pub(super) const ABSENT: u8 = u8::MAX;
