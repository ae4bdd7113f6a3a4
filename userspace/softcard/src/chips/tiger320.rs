//! The Tiger320 PCI chip: its own registers, the DMA pointers and the interrupt status.
//!
//! Only what is inside the chip is here. Its pins (external reset, AUX7..0, the peripheral window)
//! are joined to the rest of the board in `board`.
//!
//! Rules:
//! - The resets of CNTL bits 1 to 3 reload the DMA pointers and nothing else: addresses, masks, AUX
//!   and serial settings survive them.
//! - The status bits of the rings hold for one millisecond (CNTL bit 6 clear) or until they are
//!   written back (bit 6 set). The real chip's unlatched bits hold for one 125 us frame; this model
//!   has no shorter time than a tick. The abort bits stay until written back in both modes.
//! - The masks read 0: no public driver reads them, so that nothing says that they can be read.
//! - A bus cycle that was aborted halts the DMA until OPER bit 0 is cleared or the DMA logic is
//!   reset; nothing restarts by itself.
//! - A pointer shows the word moved last, so that after a millisecond it equals the INT or the END
//!   address (of a ring that is laid out in milliseconds).

use std::cell::Cell;

/// Offsets in BAR1.
pub(crate) mod reg {
    pub(crate) const CNTL: u32 = 0x00;
    pub(crate) const OPER: u32 = 0x01;
    pub(crate) const AUXC: u32 = 0x02;
    pub(crate) const AUXD: u32 = 0x03;
    pub(crate) const MASK0: u32 = 0x04;
    pub(crate) const MASK1: u32 = 0x05;
    pub(crate) const INTSTAT: u32 = 0x06;
    pub(crate) const AUXR: u32 = 0x07;
    pub(crate) const TX_START: u32 = 0x08;
    pub(crate) const TX_CURRENT: u32 = 0x14;
    pub(crate) const RX_START: u32 = 0x18;
    pub(crate) const RX_CURRENT: u32 = 0x24;
    pub(crate) const SERIAL: u32 = 0x28;
    pub(crate) const SERCTL: u32 = 0x2D;
    pub(crate) const SERIAL_END: u32 = 0x30;
    pub(crate) const PIB: u32 = 0xC0;
    pub(crate) const PIB_END: u32 = 0x100;
}

const CNTL_EXTRST: u8 = 0x01;
const CNTL_DMA_RESET: u8 = 0x02;
const CNTL_SERIAL_RESET: u8 = 0x04;
const CNTL_LATCHED: u8 = 0x40;
const CNTL_STOP_AT_END: u8 = 0x80;
const OPER_DMA: u8 = 0x01;
const STATUS_RINGS: u8 = 0x0F;
const SERCTL_IN_MSB_FIRST: u8 = 0x40;
const SERCTL_OUT_MSB_FIRST: u8 = 0x80;

/// How a bus cycle of the card failed; the bits of INTSTAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// No target answered.
    Master = 0x10,
    /// The target aborted the cycle.
    Target = 0x20,
}

/// One direction of DMA: the ring's addresses and where it stands.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    start: u32,
    interrupt: u32,
    end: u32,
    current: u32,
    next: u32,
    ended: bool,
}

impl Channel {
    fn rewind(&mut self) {
        self.current = self.start;
        self.next = self.start;
        self.ended = false;
    }

    /// The word that the pointer shows: the one that was moved last, or the first of the ring.
    pub fn current(&self) -> u32 {
        self.current & !3
    }

    /// The address of the next transfer; `None` once a ring that does not wrap has ended.
    pub fn next(&self) -> Option<u32> {
        (!self.ended).then_some(self.next & !3)
    }

    /// Moves on by one word. Returns bit 0 for the INT address, bit 1 for the END address.
    pub fn advance(&mut self, stop_at_end: bool) -> u8 {
        if self.ended {
            return 0;
        }
        self.current = self.next;
        let word = self.current & !3;
        let at_end = word == self.end & !3;
        if at_end {
            self.next = self.start;
            self.ended = stop_at_end;
        } else {
            self.next = self.current.wrapping_add(4);
        }
        u8::from(word == self.interrupt & !3) | u8::from(at_end) << 1
    }

    /// Bit 0 if the word that was moved last is that of the INT address, bit 1 for the END address.
    fn bits(&self) -> u8 {
        let word = self.current & !3;
        u8::from(word == self.interrupt & !3) | u8::from(word == self.end & !3) << 1
    }

    fn word(&self, index: u32) -> u32 {
        match index {
            0 => self.start,
            1 => self.interrupt,
            2 => self.end,
            _ => self.current,
        }
    }

    fn write8(&mut self, offset: u32, value: u8) {
        let word = match offset / 4 {
            0 => &mut self.start,
            1 => &mut self.interrupt,
            2 => &mut self.end,
            _ => return,
        };
        let lane = 8 * (offset % 4);
        *word = (*word & !(0xFF << lane)) | u32::from(value) << lane;
    }
}

/// The chip's registers. Everything is 0 after power-on: external reset asserted, nothing enabled.
#[derive(Debug, Clone, Default)]
pub struct Tiger320 {
    cntl: u8,
    oper: u8,
    auxc: u8,
    auxd: u8,
    mask0: u8,
    mask1: u8,
    intstat: u8,
    serial: [u8; (reg::SERIAL_END - reg::SERIAL) as usize],
    /// DMA from memory to the serial port.
    pub tx: Channel,
    /// DMA from the serial port to memory.
    pub rx: Channel,
    halted: bool,
    /// Fault: a bit of the rings stays set although it is written back, while a pointer equals the
    /// INT or the END address. Whether the chip does so where its status is not latched is not
    /// known; `wctdm`, which does not latch it, would take such a bit for another period.
    pub stands: bool,
    /// Fault: the serial port begins a byte late when its reset ends. No public document says that
    /// it does, but cards with other chips carry a mark in their samples because of this.
    pub begins_late: bool,
    /// The serial port has begun a byte late.
    shifted: bool,
    /// Fault: a status of the rings that is not written back with the access that follows its
    /// reading costs the status of the next period. The one public quote of the chip's
    /// specification says to write back at once what was read; what the chip does otherwise is not
    /// known.
    pub hastens: bool,
    /// The status of the rings that was read, and not written back yet.
    read: Cell<u8>,
    /// Another access came before the status was written back.
    overdue: Cell<bool>,
    /// The host has acknowledged an interrupt of the rings, and has not read the status since.
    unserved: Cell<bool>,
}

impl Tiger320 {
    /// Everything as after power-on, but for the faults.
    pub fn reset(&mut self) {
        let Tiger320 { stands, begins_late, hastens, .. } = *self;
        *self = Tiger320 { stands, begins_late, hastens, ..Tiger320::default() };
    }

    /// Reads a register of the chip; `aux_in` are the levels at the AUX pins.
    pub fn read8(&self, offset: u32, aux_in: u8) -> u8 {
        let byte_of = |word: u32| (word >> (8 * (offset % 4))) as u8;
        self.note_access(offset);
        match offset {
            reg::CNTL => self.cntl,
            reg::OPER => self.oper,
            reg::AUXC => self.auxc,
            reg::AUXD => self.auxd,
            reg::MASK0 | reg::MASK1 => 0,
            reg::INTSTAT => {
                self.unserved.set(false);
                self.read.set(self.intstat & STATUS_RINGS);
                self.intstat
            }
            reg::AUXR => (self.aux_out() & self.auxc) | (aux_in & !self.auxc),
            reg::TX_START..reg::RX_START => byte_of(self.tx.word((offset - reg::TX_START) / 4)),
            reg::RX_START..reg::SERIAL => byte_of(self.rx.word((offset - reg::RX_START) / 4)),
            reg::SERIAL..reg::SERIAL_END => self.serial_register(offset),
            _ => 0,
        }
    }

    /// Writes a register of the chip.
    pub fn write8(&mut self, offset: u32, value: u8) {
        self.note_access(offset);
        match offset {
            reg::CNTL => {
                if self.cntl & !value & CNTL_SERIAL_RESET != 0 {
                    self.shifted = self.begins_late;
                }
                self.cntl = value;
                if value & CNTL_DMA_RESET != 0 {
                    self.stop();
                }
            }
            reg::OPER => {
                let starts = self.oper & OPER_DMA == 0 && value & OPER_DMA != 0;
                self.oper = value;
                if value & OPER_DMA == 0 {
                    self.stop();
                } else if starts {
                    // The ring may have been set up after the last stop.
                    self.rewind();
                }
            }
            reg::AUXC => self.auxc = value,
            reg::AUXD => self.auxd = value,
            reg::MASK0 => {
                self.unserved.set(false);
                self.mask0 = value;
            }
            reg::MASK1 => self.mask1 = value,
            reg::INTSTAT => {
                let stands = if self.stands { self.tx.bits() | self.rx.bits() << 2 } else { 0 };
                if self.intstat & self.mask0 & value & STATUS_RINGS != 0 {
                    self.unserved.set(true);
                }
                self.intstat &= !value | stands;
                self.read.set(self.read.get() & !value);
            }
            reg::TX_START..reg::TX_CURRENT => self.tx.write8(offset - reg::TX_START, value),
            reg::RX_START..reg::RX_CURRENT => self.rx.write8(offset - reg::RX_START, value),
            reg::SERIAL..reg::SERIAL_END => {
                if let Some(byte) = self.serial.get_mut((offset - reg::SERIAL) as usize) {
                    *byte = value;
                }
            }
            _ => {}
        }
    }

    /// Whether the host, as far as the card can tell, is done with what it acknowledged: it has
    /// looked since whether there is more.
    pub fn is_served(&self) -> bool {
        !self.unserved.get()
    }

    fn note_access(&self, offset: u32) {
        if offset != reg::INTSTAT && self.read.get() != 0 {
            self.overdue.set(true);
        }
    }

    fn serial_register(&self, offset: u32) -> u8 {
        self.serial.get((offset - reg::SERIAL) as usize).copied().unwrap_or(0)
    }

    fn rewind(&mut self) {
        self.tx.rewind();
        self.rx.rewind();
    }

    fn stop(&mut self) {
        self.rewind();
        self.unserved.set(false);
        self.halted = false;
        if self.cntl & CNTL_LATCHED == 0 {
            // Unlatched bits say where the pointers are, and they are at the start now.
            self.intstat &= !STATUS_RINGS;
        }
    }

    /// Level of the external reset pin: true lets modules and CPLD run.
    pub fn modules_run(&self) -> bool {
        self.cntl & CNTL_EXTRST != 0
    }

    /// Levels that the chip puts on the AUX pins; pins that are inputs float high.
    pub fn aux_out(&self) -> u8 {
        self.auxd | !self.auxc
    }

    /// Whether the rings move: DMA is on, not held in reset, and not halted by an abort.
    pub fn dma_runs(&self) -> bool {
        self.oper & OPER_DMA != 0
            && self.cntl & (CNTL_DMA_RESET | CNTL_SERIAL_RESET) == 0
            && !self.halted
    }

    /// Whether the rings end at their END addresses instead of wrapping (CNTL bit 7).
    pub fn stops_at_end(&self) -> bool {
        self.cntl & CNTL_STOP_AT_END != 0
    }

    /// Ends a millisecond of transfers in which the rings raised `crossed`.
    pub fn end_period(&mut self, crossed: u8) {
        if self.cntl & CNTL_LATCHED == 0 {
            self.intstat &= !STATUS_RINGS;
        }
        if !self.overdue.replace(false) || !self.hastens {
            self.intstat |= crossed;
        }
        self.read.set(0);
    }

    /// A bus cycle failed: the status bit is set and the rings stand still.
    pub fn abort(&mut self, abort: Abort) {
        self.intstat |= abort as u8;
        self.halted = true;
    }

    /// What may interrupt: the value of MASK0, which the host can't read.
    pub fn enabled(&self) -> u8 {
        self.mask0
    }

    /// Whether INTA is asserted.
    pub fn interrupt(&self) -> bool {
        self.intstat & self.mask0 != 0
    }

    /// A word from memory as the serial port shifts it out, first bit in bit 31.
    pub fn shift_out(&self, word: u32) -> u32 {
        self.in_place(self.in_order(word, SERCTL_OUT_MSB_FIRST))
    }

    /// The 32 bits that the serial port took in, first bit in bit 31, as the word for memory.
    pub fn shift_in(&self, bits: u32) -> u32 {
        self.in_order(self.in_place(bits), SERCTL_IN_MSB_FIRST)
    }

    fn in_place(&self, word: u32) -> u32 {
        if self.shifted { word.rotate_left(8) } else { word }
    }

    fn in_order(&self, word: u32, msb_first: u8) -> u32 {
        if self.serial_register(reg::SERCTL) & msb_first != 0 { word } else { word.reverse_bits() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write32(chip: &mut Tiger320, offset: u32, value: u32) {
        for lane in 0..4 {
            chip.write8(offset + lane, (value >> (8 * lane)) as u8);
        }
    }

    fn read32(chip: &Tiger320, offset: u32) -> u32 {
        (0..4).fold(0, |word, lane| word | u32::from(chip.read8(offset + lane, 0xFF)) << (8 * lane))
    }

    /// A chip with wctdm's rings at 0x1000, running.
    fn running(cntl: u8) -> Tiger320 {
        let mut chip = Tiger320::default();
        for (offset, value) in
            [(0x08, 0x1000), (0x0C, 0x101C), (0x10, 0x103C), (0x18, 0x1040), (0x1C, 0x105C)]
        {
            write32(&mut chip, offset, value);
        }
        write32(&mut chip, 0x20, 0x107C);
        chip.write8(reg::CNTL, cntl);
        chip.write8(reg::OPER, 1);
        chip
    }

    fn period(chip: &mut Tiger320) {
        let mut crossed = 0;
        for _ in 0..8 {
            crossed |= chip.tx.advance(false) | chip.rx.advance(false) << 2;
        }
        chip.end_period(crossed);
    }

    #[test]
    fn unlatched_status_is_replaced_every_period() {
        let mut chip = running(0x01);
        period(&mut chip);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x05);
        assert_eq!((read32(&chip, 0x14), read32(&chip, 0x24)), (0x101C, 0x105C));
        period(&mut chip);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x0A);
        assert_eq!((read32(&chip, 0x14), read32(&chip, 0x24)), (0x103C, 0x107C));
        period(&mut chip);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x05);
    }

    #[test]
    fn a_status_that_stands_does_so_while_the_pointer_does() {
        let mut chip = running(0x01);
        period(&mut chip);
        chip.write8(reg::INTSTAT, 0xFF);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0);
        chip.stands = true;
        period(&mut chip);
        chip.write8(reg::INTSTAT, 0xFF);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x0A, "at the last word");
        let crossed = chip.tx.advance(false) | chip.rx.advance(false) << 2;
        chip.end_period(crossed);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0, "it has moved on");
    }

    #[test]
    fn latched_status_stays_until_written_back() {
        let mut chip = running(0x41);
        period(&mut chip);
        period(&mut chip);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x0F);
        chip.write8(reg::INTSTAT, 0x05);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x0A);
        chip.write8(reg::OPER, 0);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x0A, "stopping does not acknowledge");
    }

    #[test]
    fn an_interrupt_is_served_when_the_status_is_read_after_it_was_written_back() {
        let mut chip = running(0x41);
        chip.write8(reg::MASK0, 0x0C);
        period(&mut chip);
        let status = chip.read8(reg::INTSTAT, 0);
        chip.write8(reg::INTSTAT, status);
        read32(&chip, 0x24);
        assert!(!chip.is_served(), "it may be at its samples");
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0);
        assert!(chip.is_served());
        chip.write8(reg::INTSTAT, 0x0C);
        assert!(chip.is_served(), "nothing was acknowledged");
        period(&mut chip);
        chip.write8(reg::INTSTAT, 0xFF);
        assert!(!chip.is_served());
        chip.write8(reg::OPER, 0);
        assert!(chip.is_served(), "nothing moves that it could wait for");
    }

    #[test]
    fn dma_reset_reloads_the_pointers_and_nothing_else() {
        let mut chip = running(0x41);
        chip.write8(reg::MASK0, 0x3F);
        chip.write8(reg::AUXC, 0xDF);
        chip.write8(reg::AUXD, 0x1C);
        chip.write8(reg::SERCTL, 0xC1);
        period(&mut chip);
        chip.write8(reg::CNTL, 0x0F);
        assert!(!chip.dma_runs());
        assert_eq!(read32(&chip, 0x14), 0x1000);
        for (offset, value) in
            [(0x08, 0x1000), (0x0C, 0x101C), (0x10, 0x103C), (0x18, 0x1040), (0x20, 0x107C)]
        {
            assert_eq!(read32(&chip, offset), value);
        }
        for (offset, value) in [(reg::AUXC, 0xDF), (reg::AUXD, 0x1C), (reg::SERCTL, 0xC1)] {
            assert_eq!(chip.read8(offset, 0), value);
        }
        assert_eq!((chip.enabled(), chip.read8(reg::MASK0, 0)), (0x3F, 0));
        chip.write8(reg::CNTL, 0x01);
        assert!(chip.dma_runs());
    }

    #[test]
    fn an_abort_halts_until_the_dma_is_restarted() {
        let mut chip = running(0x41);
        chip.abort(Abort::Master);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x10);
        chip.write8(reg::INTSTAT, 0xFF);
        assert!(!chip.dma_runs(), "acknowledging does not restart");
        chip.write8(reg::OPER, 0);
        chip.write8(reg::OPER, 1);
        assert!(chip.dma_runs());
        chip.abort(Abort::Target);
        assert_eq!(chip.read8(reg::INTSTAT, 0), 0x20);
        chip.write8(reg::CNTL, 0x43);
        chip.write8(reg::CNTL, 0x41);
        assert!(chip.dma_runs());
    }

    #[test]
    fn a_ring_that_does_not_wrap_ends() {
        let mut chip = running(0x81);
        let mut seen = Vec::new();
        while let Some(address) = chip.tx.next() {
            seen.push(address);
            chip.tx.advance(true);
        }
        assert_eq!(seen.len(), 16);
        assert_eq!(seen.last(), Some(&0x103C));
    }

    #[test]
    fn aux_inputs_show_the_pins_and_outputs_their_level() {
        let mut chip = Tiger320::default();
        chip.write8(reg::AUXC, 0xDF);
        chip.write8(reg::AUXD, 0x1C);
        assert_eq!(chip.read8(reg::AUXR, 0xFF), 0x3C);
        assert_eq!(chip.read8(reg::AUXR, 0xDF), 0x1C);
    }

    #[test]
    fn a_serial_port_that_begins_late_shifts_its_words_until_it_is_reset_again() {
        let mut chip = running(0x41);
        chip.write8(reg::SERCTL, 0xC1);
        chip.begins_late = true;
        assert_eq!(chip.shift_in(0x0403_0201), 0x0403_0201, "it began before");
        for (reset, word) in [(0x02, 0x0403_0201), (0x04, 0x0302_0104), (0x06, 0x0302_0104)] {
            chip.write8(reg::CNTL, 0x41 | reset);
            chip.write8(reg::CNTL, 0x41);
            assert_eq!(chip.shift_in(0x0403_0201), word, "{reset}");
            assert_eq!(chip.shift_out(0x0403_0201), word, "{reset}");
        }
        chip.begins_late = false;
        assert_eq!(chip.shift_in(0x0403_0201), 0x0302_0104);
        chip.write8(reg::CNTL, 0x45);
        chip.write8(reg::CNTL, 0x41);
        assert_eq!(chip.shift_in(0x0403_0201), 0x0403_0201);
    }

    #[test]
    fn words_are_bit_reversed_unless_shifted_msb_first() {
        let mut chip = Tiger320::default();
        assert_eq!(chip.shift_out(1), 0x8000_0000);
        chip.write8(reg::SERCTL, 0xC1);
        assert_eq!(chip.shift_out(1), 1);
        assert_eq!(chip.shift_in(1), 1);
    }
}
