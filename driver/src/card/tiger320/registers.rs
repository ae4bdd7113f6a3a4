//! Registers of the Tiger320 and of the TDM400P's CPLD behind it (byte offsets in BAR1 or BAR0).
//!
//! "TX" is from memory to the line, "RX" from the line to memory.

use crate::card::register::{Window, flags, registers};

registers! {
    /// The registers of the Tiger320 and of the CPLD.
    pub(super) Tiger, "Tiger320";

    /// Control: resets, and modes of the rings.
    CNTL = 0x00: Control;
    /// Operation: whether DMA runs.
    OPER = 0x01: Operate;
    /// Direction of the AUX pins, 1 = output.
    AUXC = 0x02: Aux;
    /// Output of the AUX pins.
    AUXD = 0x03: Aux;
    /// Interrupt enables, laid out as [`INTSTAT`].
    MASK0 = 0x04: Interrupts;
    /// Interrupt enables of the AUX pins.
    MASK1 = 0x05: Aux;
    /// Interrupt status. Writing back what was read acknowledges.
    INTSTAT = 0x06: Interrupts;
    /// Input levels of the AUX pins.
    AUXR = 0x07: Aux;
    /// Bus address of the TX ring's first word.
    TX_START = 0x08: u32;
    /// Bus address of the word at which the TX ring interrupts.
    TX_INTERRUPT = 0x0C: u32;
    /// Bus address of the TX ring's last word.
    TX_END = 0x10: u32;
    /// Bus address that the TX side is at.
    TX_CURRENT = 0x14: u32;
    /// Bus address of the RX ring's first word.
    RX_START = 0x18: u32;
    /// Bus address of the word at which the RX ring interrupts.
    RX_INTERRUPT = 0x1C: u32;
    /// Bus address of the RX ring's last word.
    RX_END = 0x20: u32;
    /// Bus address that the RX side is at.
    RX_CURRENT = 0x24: u32;
    /// Alternate functions of AUX pins.
    AUXFUNC = 0x2B: AuxFunction;
    /// The serial port of the samples.
    SERCTL = 0x2D: SerialControl;
    /// Frame sync delay in clocks.
    FSCDELAY = 0x2F: u8;

    /// CPLD: frame sync of the samples.
    CPLD_SYNC = 0xC0: Sync;
    /// CPLD: scratch, tested on old cards.
    CPLD_TEST = 0xC4: u8;
    /// CPLD: module that the serial bus goes to, one bit per slot.
    CPLD_SELECT = 0xC8: u8;
    /// CPLD: its version, which distinguishes a TDM400P from other cards with its PCI id.
    CPLD_VERSION = 0xCC: u8;
}

/// The register window of a card.
pub(super) type Bus<'a, R> = Window<'a, Tiger, R>;

/// Bytes that the window must have: the CPLD's registers are 4 bytes apart.
pub(super) const WINDOW: usize = CPLD_VERSION.number() + 4;

/// What every register of a card that is not there reads, byte by byte.
pub(super) const ABSENT: u8 = u8::MAX;

flags! {
    /// What CNTL holds.
    pub(super) struct Control: u8 {
        /// Modules and CPLD run; otherwise they are in reset (EXTRST).
        const RUN = 0x01;
        /// DMA logic in reset; current addresses go back to the start addresses.
        const DMA_RESET = 0x02;
        /// Serial port in reset.
        const SERIAL_RESET = 0x04;
        /// Pulse counter in reset.
        const PULSE_RESET = 0x08;
        /// The slowest accesses to the CPLD.
        const SLOW = 0x30;
        /// Interrupt status is latched until acknowledged.
        const LATCH = 0x40;
        /// The rings end instead of wrapping.
        const STOP_AT_END = 0x80;
    }
}

impl Control {
    /// DMA and serial port in reset.
    pub(super) const RESETS: Control = Control::DMA_RESET.union(Control::SERIAL_RESET);
    /// In service: run, status latched, rings that wrap.
    pub(super) const SERVICE: Control = Control::RUN.union(Control::LATCH);
    /// As in service, with DMA logic, serial port and pulse counter in reset.
    pub(super) const PORTS_RESET: Control =
        Control::SERVICE.union(Control::RESETS).union(Control::PULSE_RESET);
    /// Everything in reset, modules included: every line on-hook.
    pub(super) const SAFE: Control = Control::PORTS_RESET.difference(Control::RUN);
}

flags! {
    /// What OPER holds.
    pub(super) struct Operate: u8 {
        /// The rings move.
        const DMA = 0x01;
    }
}

flags! {
    /// What INTSTAT and MASK0 hold.
    pub(super) struct Interrupts: u8 {
        /// TX reached the interrupt word.
        const TX_HALF = 0x01;
        /// TX reached the end word.
        const TX_END = 0x02;
        /// RX reached the interrupt word.
        const RX_HALF = 0x04;
        /// RX reached the end word.
        const RX_END = 0x08;
        /// No device answered on the bus (bus master off, address unmapped).
        const MASTER_ABORT = 0x10;
        /// The memory refused on the bus.
        const TARGET_ABORT = 0x20;
    }
}

impl Interrupts {
    /// Bus errors, which stop the DMA.
    pub(super) const ABORTS: Interrupts = Interrupts::MASTER_ABORT.union(Interrupts::TARGET_ABORT);
    /// What interrupts: RX and TX move together, so one of them is enough for one interrupt per
    /// tick.
    pub(super) const USED: Interrupts =
        Interrupts::RX_HALF.union(Interrupts::RX_END).union(Interrupts::ABORTS);
    /// Written to INTSTAT: acknowledges whatever there is, bits without a name included.
    pub(super) const EVERY: Interrupts = Interrupts::from_bits_retain(u8::MAX);
}

flags! {
    /// The AUX pins, of which four are the serial bus to the modules.
    pub(super) struct Aux: u8 {
        /// Chip select, active low; the CPLD passes it on to one module.
        const CHIP_SELECT = 0x04;
        /// Clock of the serial bus.
        const CLOCK = 0x08;
        /// Data to the module.
        const TO_MODULE = 0x10;
        /// Data from the module.
        const FROM_MODULE = 0x20;
    }
}

impl Aux {
    /// The serial bus at rest.
    pub(super) const IDLE: Aux = Aux::CHIP_SELECT.union(Aux::CLOCK).union(Aux::TO_MODULE);
    /// In AUXC: all pins are outputs but the data from the module.
    pub(super) const OUTPUTS: Aux = Aux::from_bits_retain(!Aux::FROM_MODULE.bits());
}

flags! {
    /// What AUXFUNC holds.
    pub(super) struct AuxFunction: u8 {
        /// AUX0 is the clock's input.
        const CLOCK_INPUT = 0x04;
    }
}

flags! {
    /// What SERCTL holds.
    pub(super) struct SerialControl: u8 {
        /// The clock has the double rate of the bits.
        const DOUBLE_RATE = 0x01;
        /// Bits come in with the most significant first.
        const IN_MSB_FIRST = 0x40;
        /// Bits go out with the most significant first.
        const OUT_MSB_FIRST = 0x80;
    }
}

flags! {
    /// Frame sync of the CPLD.
    pub(super) struct Sync: u8 {
        /// The sync pulse lasts half a frame.
        const HALF_DUTY = 0x01;
        /// Slot 0 is in use.
        const SLOT_0 = 0x02;
        /// Slot 1 is in use.
        const SLOT_1 = 0x04;
        /// Slot 2 is in use.
        const SLOT_2 = 0x08;
        /// Slot 3 is in use.
        const SLOT_3 = 0x10;
    }
}

impl Sync {
    /// The bits of the four slots, in their order.
    pub(super) const SLOTS: [Sync; 4] = [Sync::SLOT_0, Sync::SLOT_1, Sync::SLOT_2, Sync::SLOT_3];
}
