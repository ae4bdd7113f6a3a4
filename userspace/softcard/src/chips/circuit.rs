//! Tiger320, CPLD and four slots, joined by the wires of the board.
//!
//! Only levels matter: after each register write `settle` applies the chip's output pins to reset,
//! chip selects and serial pins, so it does not matter by which register, or in which order, a
//! level changed.

use std::cell::Cell;

use super::cpld::Cpld;
use super::spi::Pins;
use super::tiger320::{Tiger320, reg};
use crate::SLOTS;

const AUX_CS: u8 = 1 << 2;
const AUX_SCLK: u8 = 1 << 3;
const AUX_SDI: u8 = 1 << 4;
const AUX_SDO: u8 = 1 << 5;

/// The pins of a slot, or of the module in it.
pub trait SlotPins {
    /// Asserts the reset pin, which all modules share.
    fn reset(&mut self);
    /// Sets new levels at the serial pins.
    fn drive(&mut self, pins: Pins);
    /// The level of SDO while this slot is selected; high where nothing is driven.
    fn sdo(&self) -> bool;
}

/// The joined chips. Everything is as after power-on at first: external reset is asserted.
#[derive(Debug)]
pub struct Circuit<S> {
    /// The bus master.
    pub tiger: Tiger320,
    /// The slots by number.
    pub slots: [S; SLOTS],
    cpld: Cpld,
    /// Fault: modules miss a chip select that is high only from one access to the next.
    pub misses_short_selects: bool,
    /// The level of chip select as written, and whether the modules have not seen yet that it is
    /// high.
    select_was_high: bool,
    unseen: bool,
    /// The host has read since chip select rose.
    read_since: Cell<bool>,
    /// The level of external reset when the pins were settled last.
    modules_ran: bool,
}

impl<S: SlotPins> Circuit<S> {
    /// Joins the chips to these slots.
    pub fn new(slots: [S; SLOTS]) -> Circuit<S> {
        Circuit {
            tiger: Tiger320::default(),
            slots,
            cpld: Cpld::default(),
            misses_short_selects: false,
            select_was_high: true,
            unseen: false,
            read_since: Cell::new(false),
            modules_ran: false,
        }
    }

    /// Reads a byte of BAR1; 0 where there is no register.
    pub fn read8(&self, offset: u32) -> u8 {
        self.read_since.set(true);
        match offset {
            // The CPLD drives nothing while it is held in reset.
            reg::PIB..reg::PIB_END if !self.tiger.modules_run() => 0xFF,
            reg::PIB..reg::PIB_END => self.cpld.read8(offset - reg::PIB),
            0..reg::PIB => self.tiger.read8(offset, self.aux_in()),
            reg::PIB_END.. => 0,
        }
    }

    /// Writes a byte of BAR1.
    pub fn write8(&mut self, offset: u32, value: u8) {
        match offset {
            reg::PIB..reg::PIB_END if self.tiger.modules_run() => {
                self.cpld.write8(offset - reg::PIB, value);
            }
            0..reg::PIB => self.tiger.write8(offset, value),
            _ => {}
        }
        self.settle();
    }

    /// Resets the Tiger320, and by its external reset pin CPLD and modules.
    pub fn reset(&mut self) {
        self.tiger.reset();
        self.settle();
    }

    /// Levels at the AUX pins: only SDO comes from outside, the others float high.
    fn aux_in(&self) -> u8 {
        let sdo = self.cpld.selected().and_then(|slot| self.slots.get(slot)).map(S::sdo);
        if sdo.unwrap_or(true) { 0xFF } else { !AUX_SDO }
    }

    fn settle(&mut self) {
        let modules_run = self.tiger.modules_run();
        if self.modules_ran && !modules_run {
            self.cpld = Cpld::default();
            self.slots.iter_mut().for_each(S::reset);
        }
        self.modules_ran = modules_run;
        if modules_run {
            let aux = self.tiger.aux_out();
            let is_high = aux & AUX_CS != 0;
            let rises = is_high && !std::mem::replace(&mut self.select_was_high, is_high);
            if rises && self.misses_short_selects {
                self.unseen = true;
                self.read_since.set(false);
                return;
            }
            if std::mem::take(&mut self.unseen) && self.read_since.get() {
                self.drive(aux | AUX_CS);
            }
            self.drive(aux);
        }
    }

    /// Drives the modules' serial pins with these levels of the AUX pins.
    fn drive(&mut self, aux: u8) {
        {
            let selected = if aux & AUX_CS == 0 { self.cpld.selected() } else { None };
            for (number, slot) in self.slots.iter_mut().enumerate() {
                slot.drive(Pins {
                    selected: selected == Some(number),
                    sclk: aux & AUX_SCLK != 0,
                    sdi: aux & AUX_SDI != 0,
                });
            }
        }
    }
}
