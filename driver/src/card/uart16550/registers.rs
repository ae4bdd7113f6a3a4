//! Registers of a 16550 (PC16550D data sheet, table II), one byte each.

use crate::card::register::{Window, flags, registers};

registers! {
    /// The registers of a 16550.
    pub(super) Uart, "16550";

    /// Receiver buffer (read) and transmitter holding register (write).
    DATA = 0: u8;
    /// Interrupt enable: what may interrupt.
    IER = 1: Ier;
    /// Interrupt identification: why the chip interrupts (read).
    IIR = 2: Iir;
    /// FIFO control: on, empty, trigger level (write).
    FCR = 2: Fcr;
    /// Line control: format of a byte, break, DLAB.
    LCR = 3: Lcr;
    /// Modem control: the outputs DTR and RTS, interrupt gate, loopback.
    MCR = 4: Mcr;
    /// Line status: bytes received, errors, room for bytes to send.
    LSR = 5: Lsr;
    /// Modem status: the inputs CTS, DSR, RI and DCD, and which have changed.
    MSR = 6: Msr;
    /// Scratch: holds what is written and does nothing.
    SCR = 7: u8;
    /// Under DLAB: divisor, low byte.
    DIVISOR_LOW = 0: u8;
    /// Under DLAB: divisor, high byte.
    DIVISOR_HIGH = 1: u8;
}

/// The register window of a UART.
pub(super) type Bus<'a, R> = Window<'a, Uart, R>;

/// Bytes of the register window.
pub(super) const WINDOW: usize = SCR.number() + 1;

flags! {
    /// What register 1 holds.
    pub(super) struct Ier: u8 {
        /// There are received bytes to fetch.
        const RECEIVED = 1 << 0;
        /// The transmitter takes bytes.
        const TRANSMITTER_EMPTY = 1 << 1;
        /// An input of the modem has changed.
        const MODEM_STATUS = 1 << 3;
    }
}

flags! {
    /// Interrupt identification: why the chip interrupts, and whether it has FIFOs.
    pub(super) struct Iir: u8 {
        /// Set while *no* interrupt is pending.
        const NONE = 1 << 0;
        /// The transmitter takes bytes.
        const TRANSMITTER_EMPTY = 1 << 1;
        /// There are received bytes to fetch.
        const RECEIVED = 1 << 2;
        /// With `RECEIVED`: fewer than asked for, but no more have come.
        const TIMED_OUT = 1 << 3;
        /// Alone: FIFOs of the first 16550, which do not work.
        const FIFOS_BROKEN = 1 << 7;
        /// Both bits: FIFOs that work.
        const FIFOS = 0b11 << 6;
    }
}

flags! {
    /// What register 2 takes.
    pub(super) struct Fcr: u8 {
        /// Both FIFOs are used.
        const ENABLE = 1 << 0;
        /// Empties both FIFOs; clears itself.
        const CLEAR = 0b11 << 1;
        /// Interrupt at 8 received bytes, or 4 character times after the last one.
        const TRIGGER_8 = 0b10 << 6;
    }
}

flags! {
    /// What register 3 holds.
    pub(super) struct Lcr: u8 {
        /// Data bits less 5.
        const DATA_BITS = 0b11;
        /// Two stop bits rather than one.
        const TWO_STOP_BITS = 1 << 2;
        /// A parity bit behind the data bits.
        const PARITY = 1 << 3;
        /// An even number of ones, parity bit included.
        const EVEN = 1 << 4;
        /// Divisor latch access: registers 0 and 1 are the divisor.
        const DLAB = 1 << 7;
    }
}

flags! {
    /// What register 4 holds.
    pub(super) struct Mcr: u8 {
        /// Data terminal ready (V.24 circuit 108/2).
        const DTR = 1 << 0;
        /// Request to send (V.24 circuit 105).
        const RTS = 1 << 1;
        /// An output that PC cards do not use.
        const OUT1 = 1 << 2;
        /// On PC cards the gate between the chip and the interrupt line.
        const OUT2 = 1 << 3;
        /// Transmitter looped to receiver inside the chip; the wire sees nothing.
        const LOOP = 1 << 4;
    }
}

flags! {
    /// What register 5 holds.
    pub(super) struct Lsr: u8 {
        /// A received byte can be read.
        const DATA_READY = 1 << 0;
        /// A byte was lost, because those before it were not read in time.
        const OVERRUN = 1 << 1;
        /// The byte has the wrong parity.
        const PARITY = 1 << 2;
        /// The byte has no stop bit.
        const FRAMING = 1 << 3;
        /// The byte is a break.
        const BREAK = 1 << 4;
        /// The transmitter takes as many bytes as its FIFO holds.
        const TRANSMITTER_EMPTY = 1 << 5;
        /// And its shift register has sent everything.
        const SHIFTER_EMPTY = 1 << 6;
    }
}

flags! {
    /// Modem status: the inputs, and below them which have changed since it was read last.
    pub(super) struct Msr: u8 {
        /// CTS has changed since.
        const CTS_CHANGED = 1 << 0;
        /// DSR has changed since.
        const DSR_CHANGED = 1 << 1;
        /// RI went from on to off.
        const RING_ENDED = 1 << 2;
        /// DCD has changed since.
        const DCD_CHANGED = 1 << 3;
        /// Clear to send (V.24 circuit 106).
        const CTS = 1 << 4;
        /// Data set ready (V.24 circuit 107).
        const DSR = 1 << 5;
        /// Ring indicator (V.24 circuit 125).
        const RI = 1 << 6;
        /// Data carrier detect (V.24 circuit 109).
        const DCD = 1 << 7;
    }
}

/// Left in SCR, so that a chip that is gone (all ones) is distinguished from a faulty one.
pub(super) const SIGNATURE: u8 = 0x55;
/// What every register of an absent chip reads.
pub(super) const ABSENT: u8 = u8::MAX;
