//! The serial bus to the modules, made of AUX pins bit by bit.
//!
//! Each byte has a frame of its own: chip select low, eight bits with the most significant first,
//! chip select high. The module takes a bit at the rising clock edge and gives one at the falling
//! edge. A Si3210 access is two bytes (register, with bit 7 set to read; data), a Si3050 access
//! three (0x20 write or 0x60 read; register; data). Which module listens is chosen in the CPLD.
//!
//! The bus has no minimum speed, and accesses to the card's registers are slower than its maximum
//! speed, so there are no waits here. But writes are posted: two in succession can be as close as a
//! PCI write is long, 120 ns, and the chips want chip select to be high for a minimum of time
//! between two bytes. So a byte ends with a read, which takes longer and which no write overtakes.
//! The time of an access is that of its register accesses, which the budget of a tick counts
//! ([`cost`]).

use super::registers::{AUXD, AUXR, Aux, Bus, CPLD_SELECT};
use crate::PortNumber;
use crate::card::port::ModuleKind;
use crate::card::sequence::Operation;
use crate::device::Registers;

/// First byte of a Si3210 access, beside the register's number: a read.
const SI3210_READ: u8 = 0x80;
/// First byte of a Si3050 access: a read, a write.
const SI3050_READ: u8 = 0x60;
const SI3050_WRITE: u8 = 0x20;

/// Register accesses that send a byte.
const SEND: u32 = 19;
/// Register accesses that receive a byte.
const RECEIVE: u32 = 27;
/// Register accesses that choose the module, if it is another than before.
const SELECT: u32 = 1;
/// Register accesses that resynchronise.
const RESYNC: u32 = 8;

/// The most register accesses an operation takes.
pub(super) const fn cost(kind: ModuleKind, operation: Operation) -> u32 {
    let head = match kind {
        ModuleKind::Fxs => SEND,
        ModuleKind::Fxo => 2 * SEND,
    };
    match operation {
        Operation::Read(_) => SELECT + head + RECEIVE,
        Operation::Write(..) => SELECT + head + SEND,
        Operation::Resync => SELECT + RESYNC,
        Operation::Wait(_) => 0,
    }
}

/// The serial bus to the modules, and what was counted on it.
#[derive(Debug)]
pub(super) struct Spi {
    pins: Aux,
    selected: Option<PortNumber>,
    /// How many module registers were read.
    pub(super) reads: u64,
    /// How many module registers were written.
    pub(super) writes: u64,
    /// How many accesses to the card's registers that took.
    pub(super) accesses: u64,
}

impl Spi {
    /// The bus at rest.
    pub(super) const fn new() -> Spi {
        Spi { pins: Aux::IDLE, selected: None, reads: 0, writes: 0, accesses: 0 }
    }

    /// The card was reset: no module is chosen any more.
    pub(super) fn lost(&mut self) {
        (self.pins, self.selected) = (Aux::IDLE, None);
    }

    /// Performs one operation on the module in `slot` (0 to 3); gives what was read, else 0.
    /// Waiting is not done here.
    pub(super) fn perform(
        &mut self,
        r: Bus<'_, impl Registers>,
        slot: PortNumber,
        kind: ModuleKind,
        operation: Operation,
    ) -> u8 {
        match operation {
            Operation::Read(register) => {
                self.reads += 1;
                self.select(r, slot);
                match kind {
                    ModuleKind::Fxs => self.send(r, register.number() | SI3210_READ),
                    ModuleKind::Fxo => {
                        self.send(r, SI3050_READ);
                        self.send(r, register.number());
                    }
                }
                let value = self.receive(r);
                r.module_read(slot, register, value);
                value
            }
            Operation::Write(register, value) => {
                self.writes += 1;
                self.select(r, slot);
                if kind == ModuleKind::Fxo {
                    self.send(r, SI3050_WRITE);
                }
                self.send(r, register.number());
                self.send(r, value);
                r.module_written(slot, register, value);
                0
            }
            Operation::Resync => {
                self.select(r, slot);
                self.resync(r);
                0
            }
            Operation::Wait(_) => 0,
        }
    }

    fn select(&mut self, r: Bus<'_, impl Registers>, slot: PortNumber) {
        if self.selected != Some(slot) {
            self.selected = Some(slot);
            self.accesses += 1;
            r.write(CPLD_SELECT, 1 << (slot.0 & 3));
        }
    }

    fn send(&mut self, r: Bus<'_, impl Registers>, byte: u8) {
        self.begin(r);
        for bit in (0..8).rev() {
            let data = if byte >> bit & 1 != 0 { Aux::TO_MODULE } else { Aux::empty() };
            self.pins(r, self.pins & !(Aux::CLOCK | Aux::TO_MODULE) | data);
            self.pins(r, self.pins | Aux::CLOCK);
        }
        self.end(r);
    }

    fn receive(&mut self, r: Bus<'_, impl Registers>) -> u8 {
        self.begin(r);
        let mut byte = 0;
        for _ in 0..8 {
            self.pins(r, self.pins & !Aux::CLOCK);
            self.pins(r, self.pins | Aux::CLOCK);
            self.accesses += 1;
            byte = byte << 1 | u8::from(r.pins().read(AUXR).contains(Aux::FROM_MODULE));
        }
        self.end(r);
        byte
    }

    /// A frame with a single clock is no byte: the module begins to count bytes anew.
    fn resync(&mut self, r: Bus<'_, impl Registers>) {
        self.pins(r, self.pins | Aux::CLOCK);
        self.begin(r);
        self.pins(r, self.pins & !Aux::CLOCK | Aux::TO_MODULE);
        self.pins(r, self.pins | Aux::CLOCK);
        self.end(r);
        self.pins(r, self.pins & !Aux::CLOCK);
        self.pins(r, self.pins | Aux::CLOCK);
    }

    fn begin(&mut self, r: Bus<'_, impl Registers>) {
        self.pins(r, self.pins & !Aux::CHIP_SELECT);
    }

    fn end(&mut self, r: Bus<'_, impl Registers>) {
        self.pins(r, self.pins | Aux::CHIP_SELECT);
        self.accesses += 1;
        r.pins().read(AUXR);
    }

    fn pins(&mut self, r: Bus<'_, impl Registers>, pins: Aux) {
        self.pins = pins;
        self.accesses += 1;
        r.pins().write(AUXD, pins);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::card::register::Value;
    use crate::card::si3050::{DAA_CONTROL, LINE_VOLTAGE};
    use crate::card::si3210::{LINE_STATE, LOOP_STATUS};

    /// Writes of AUXD and CS, and an AUXR that plays a byte while chip select is low.
    #[derive(Default)]
    struct Pins {
        log: Mutex<Vec<(usize, u8)>>,
        bits: Mutex<Vec<bool>>,
    }

    impl Registers for Pins {
        fn len(&self) -> usize {
            256
        }
        fn read8(&self, offset: usize) -> u8 {
            assert_eq!(offset, AUXR.number());
            let mut log = self.log.lock().unwrap();
            let pins = log.iter().rev().find(|entry| entry.0 == AUXD.number()).unwrap().1;
            log.push((offset, 0));
            if Aux::from_raw(u32::from(pins)).contains(Aux::CHIP_SELECT) {
                return 0xFF;
            }
            if self.bits.lock().unwrap().remove(0) { 0xFF } else { Aux::OUTPUTS.bits() }
        }
        fn write8(&self, offset: usize, value: u8) {
            self.log.lock().unwrap().push((offset, value));
        }
        fn read32(&self, _: usize) -> u32 {
            unreachable!()
        }
        fn write32(&self, _: usize, _: u32) {
            unreachable!()
        }
    }

    /// The bytes that a module sees: of each chip-select frame the data bits at rising clocks.
    fn frames(log: &[(usize, u8)]) -> Vec<(usize, u8)> {
        let mut frames = Vec::new();
        let (mut before, mut bits, mut byte) = (Aux::IDLE, 0, 0);
        let rest = Aux::CHIP_SELECT | Aux::CLOCK;
        for &(_, pins) in log.iter().filter(|entry| entry.0 == AUXD.number()) {
            let pins = Aux::from_raw(u32::from(pins));
            let (rose, fell) = (pins.difference(before), before.difference(pins));
            let selected = !pins.contains(Aux::CHIP_SELECT);
            if fell.contains(Aux::CHIP_SELECT) {
                (bits, byte) = (0, 0);
            }
            if selected && rose.contains(Aux::CLOCK) {
                bits += 1;
                byte = byte << 1 | u8::from(pins.contains(Aux::TO_MODULE));
            }
            if rose.contains(Aux::CHIP_SELECT) {
                frames.push((bits, byte));
            }
            before = pins;
        }
        assert!(before.contains(rest), "at rest afterwards");
        frames
    }

    #[test]
    fn an_fxs_write_is_two_bytes_and_38_accesses() {
        let (pins, mut spi) = (Pins::default(), Spi::new());
        spi.perform(
            Bus::new(&pins),
            PortNumber(2),
            ModuleKind::Fxs,
            Operation::Write(LINE_STATE.address(), 0x05),
        );
        let log = pins.log.into_inner().unwrap();
        assert_eq!(log[0], (CPLD_SELECT.number(), 0x04));
        assert_eq!(log.len(), 39);
        assert_eq!(frames(&log), [(8, 64), (8, 0x05)]);
    }

    #[test]
    fn an_fxs_read_is_46_accesses() {
        let (pins, mut spi) = (Pins::default(), Spi::new());
        *pins.bits.lock().unwrap() = [1, 0, 1, 1, 0, 0, 1, 0].map(|bit| bit == 1).to_vec();
        assert_eq!(
            spi.perform(
                Bus::new(&pins),
                PortNumber(0),
                ModuleKind::Fxs,
                Operation::Read(LOOP_STATUS.address())
            ),
            0xB2
        );
        let log = pins.log.into_inner().unwrap();
        assert_eq!(log.len(), 47);
        assert_eq!(frames(&log)[0], (8, 0x80 | 68));
        assert_eq!(frames(&log)[1].0, 8);
    }

    #[test]
    fn fxo_accesses_have_a_control_byte() {
        let (pins, mut spi) = (Pins::default(), Spi::new());
        spi.perform(
            Bus::new(&pins),
            PortNumber(1),
            ModuleKind::Fxo,
            Operation::Write(DAA_CONTROL.address(), 0x09),
        );
        let log = std::mem::take(&mut *pins.log.lock().unwrap());
        assert_eq!(log.len(), 58);
        assert_eq!(frames(&log), [(8, 0x20), (8, 5), (8, 0x09)]);
        *pins.bits.lock().unwrap() = vec![false; 8];
        assert_eq!(
            spi.perform(
                Bus::new(&pins),
                PortNumber(1),
                ModuleKind::Fxo,
                Operation::Read(LINE_VOLTAGE.address())
            ),
            0
        );
        let log = pins.log.into_inner().unwrap();
        assert_eq!(log.len(), 65, "the module was chosen already");
        assert_eq!(frames(&log)[..2], [(8, 0x60), (8, 29)]);
    }

    #[test]
    fn chip_select_is_high_for_a_read_between_two_bytes() {
        let (pins, mut spi) = (Pins::default(), Spi::new());
        *pins.bits.lock().unwrap() = vec![true; 8];
        let read = Operation::Read(LINE_VOLTAGE.address());
        spi.perform(Bus::new(&pins), PortNumber(1), ModuleKind::Fxo, read);
        let log = pins.log.into_inner().unwrap();
        let select = usize::from(Aux::CHIP_SELECT.bits());
        let rises = log
            .windows(2)
            .filter(|pair| pair[0].0 == AUXD.number() && usize::from(pair[0].1) & select != 0);
        let (mut bytes, mut reads) = (0, 0);
        for pair in rises {
            bytes += 1;
            reads += u32::from(pair[1].0 == AUXR.number());
        }
        assert_eq!((bytes, reads), (3, 3), "and one after the last byte");
        assert_eq!(log.last().unwrap().0, AUXR.number());
    }

    #[test]
    fn resync_is_a_frame_of_one_clock() {
        let (pins, mut spi) = (Pins::default(), Spi::new());
        spi.perform(Bus::new(&pins), PortNumber(0), ModuleKind::Fxo, Operation::Resync);
        assert_eq!(frames(&pins.log.into_inner().unwrap()), [(1, 1)]);
    }

    #[test]
    fn cost_is_what_it_takes() {
        for kind in [ModuleKind::Fxs, ModuleKind::Fxo] {
            for operation in [
                Operation::Read(LOOP_STATUS.address()),
                Operation::Write(LINE_STATE.address(), 1),
                Operation::Resync,
            ] {
                let (pins, mut spi) = (Pins::default(), Spi::new());
                *pins.bits.lock().unwrap() = vec![false; 8];
                spi.perform(Bus::new(&pins), PortNumber(3), kind, operation);
                let taken = pins.log.into_inner().unwrap().len();
                assert_eq!(taken, cost(kind, operation) as usize, "{kind:?} {operation:?}");
                assert_eq!(spi.accesses, taken as u64);
            }
        }
    }
}
