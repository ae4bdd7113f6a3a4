//! Registers of the Tiger320 and of the TDM400P's CPLD behind it (byte offsets in BAR1 or BAR0).
//!
//! "TX" is from memory to the line, "RX" from the line to memory.

/// Reset and modes: see the `CNTL_` values.
pub(super) const CNTL: usize = 0x00;
/// Bit 0 runs DMA.
pub(super) const OPER: usize = 0x01;
/// Direction of the AUX pins, 1 = output.
pub(super) const AUXC: usize = 0x02;
/// Output of the AUX pins.
pub(super) const AUXD: usize = 0x03;
/// Interrupt enables, laid out as [`INTSTAT`].
pub(super) const MASK0: usize = 0x04;
/// Interrupt enables of the AUX pins.
pub(super) const MASK1: usize = 0x05;
/// Interrupt status: see the `INT_` values. Writing back what was read acknowledges.
pub(super) const INTSTAT: usize = 0x06;
/// Input levels of the AUX pins.
pub(super) const AUXR: usize = 0x07;
/// Bus addresses of the TX ring: first word, interrupt word, last word.
pub(super) const TX_START: usize = 0x08;
pub(super) const TX_INTERRUPT: usize = 0x0C;
pub(super) const TX_END: usize = 0x10;
/// Bus address the TX side is at.
pub(super) const TX_CURRENT: usize = 0x14;
/// Bus addresses of the RX ring: first word, interrupt word, last word.
pub(super) const RX_START: usize = 0x18;
pub(super) const RX_INTERRUPT: usize = 0x1C;
pub(super) const RX_END: usize = 0x20;
/// Bus address the RX side is at.
pub(super) const RX_CURRENT: usize = 0x24;
/// Alternate functions of AUX pins: 0x04 takes AUX0 as the clock.
pub(super) const AUXFUNC: usize = 0x2B;
/// Serial port: 0xC1 is double-rate clock, MSB first both ways.
pub(super) const SERCTL: usize = 0x2D;
/// Frame sync delay in clocks.
pub(super) const FSCDELAY: usize = 0x2F;

/// CPLD: frame sync; bit 0 half-duty, bits 4:1 the slots that are in use.
pub(super) const SYNC: usize = 0xC0;
/// CPLD: scratch, tested on old cards.
pub(super) const TEST: usize = 0xC4;
/// CPLD: module that the serial bus goes to, one bit per slot.
pub(super) const CS: usize = 0xC8;
/// CPLD: its version, by which a TDM400P is told from other cards of its PCI id.
pub(super) const VER: usize = 0xCC;

/// The window must reach to here.
pub(super) const WINDOW: usize = VER + 4;

/// CNTL: leave the external reset, nothing else.
pub(super) const CNTL_RUN: u8 = 0x01;
/// CNTL: modules, DMA and serial port in reset.
pub(super) const CNTL_RESET: u8 = 0x06;
/// CNTL: run with slow CPLD accesses, for bring-up.
pub(super) const CNTL_SLOW: u8 = 0x31;
/// CNTL: the bits that hold DMA and serial port in reset.
pub(super) const CNTL_RESETS: u8 = 0x06;
/// CNTL in service: run, interrupt status latched until acknowledged, ring wraps.
pub(super) const CNTL_SERVICE: u8 = 0x41;
/// CNTL: as in service, DMA logic in reset (current addresses go back to start).
pub(super) const CNTL_DMA_RESET: u8 = 0x43;
/// CNTL: as in service, DMA logic, serial port and pulse counter in reset.
pub(super) const CNTL_PORTS_RESET: u8 = 0x4F;
/// CNTL: everything in reset, modules included: every line on-hook.
pub(super) const CNTL_SAFE: u8 = 0x4E;

/// INTSTAT: RX reached the interrupt word.
pub(super) const INT_RX_HALF: u8 = 0x04;
/// INTSTAT: RX reached the end word.
pub(super) const INT_RX_END: u8 = 0x08;
/// INTSTAT: nobody answered on the bus (bus master off, address unmapped).
pub(super) const INT_MASTER_ABORT: u8 = 0x10;
/// INTSTAT: the memory refused on the bus.
pub(super) const INT_TARGET_ABORT: u8 = 0x20;
/// What interrupts: RX and TX move together, so one of them is enough for one interrupt per tick.
pub(super) const INTERRUPTS: u8 = INT_RX_HALF | INT_RX_END | INT_MASTER_ABORT | INT_TARGET_ABORT;

/// AUX pins of the serial bus: chip select (active low), clock, data to the module, data from it.
pub(super) const AUX_CS: u8 = 0x04;
pub(super) const AUX_CLOCK: u8 = 0x08;
pub(super) const AUX_TO_MODULE: u8 = 0x10;
pub(super) const AUX_FROM_MODULE: u8 = 0x20;
/// The serial bus at rest.
pub(super) const AUX_IDLE: u8 = AUX_CS | AUX_CLOCK | AUX_TO_MODULE;
/// All pins are outputs but the data from the module.
pub(super) const AUX_OUTPUTS: u8 = !AUX_FROM_MODULE;
