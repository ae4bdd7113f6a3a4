//! The FXS module: an Si3210 ProSLIC, which feeds a telephone, or an Si3215.
//!
//! An Si3215 differs in bit 7 of register 1, and in its indirect registers: it has 0 to 9 (13 to 22
//! of an Si3210), 13 to 27 (26 to 40), 64 (41) and 66 (43). Those that it lacks store nothing.
//!
//! The registers are here, the line behind them is in `line`.
//!
//! Some operations take no time in this model: the converter is up as soon as register 14 switches
//! it on (and falls to exactly the 6 counts that a leak test expects), calibrations end at once,
//! and indirect accesses never leave register 31 busy. What is not modelled: tone generators, the
//! DTMF decoder, digital gains and filters; their registers only store.

mod debounced;
mod line;

use crate::chips::bank::Bank;
use crate::chips::spi::RegisterFile;
use crate::chips::wire::Load;
use debounced::Debounced;

/// Direct registers.
mod reg {
    pub(super) const ID: u8 = 0;
    pub(super) const PCM_MODE: u8 = 1;
    pub(super) const TX_COUNT: u8 = 2;
    pub(super) const RX_COUNT: u8 = 4;
    pub(super) const LOOPBACK: u8 = 8;
    pub(super) const AUDIO_GAIN: u8 = 9;
    pub(super) const POWER_DOWN: u8 = 14;
    pub(super) const IRQ_STATUS_1: u8 = 18;
    pub(super) const IRQ_STATUS_2: u8 = 19;
    pub(super) const IRQ_STATUS_3: u8 = 20;
    pub(super) const DTMF: u8 = 24;
    pub(super) const IDA_LOW: u8 = 28;
    pub(super) const IDA_HIGH: u8 = 29;
    pub(super) const IAA: u8 = 30;
    pub(super) const INDIRECT_STATUS: u8 = 31;
    pub(super) const LINE_FEED: u8 = 64;
    pub(super) const AUTO_STATE: u8 = 67;
    pub(super) const LOOP_STATUS: u8 = 68;
    pub(super) const LOOP_DEBOUNCE: u8 = 69;
    pub(super) const TRIP_DEBOUNCE: u8 = 70;
    pub(super) const LOOP_LIMIT: u8 = 71;
    pub(super) const ON_HOOK_VOLTAGE: u8 = 72;
    pub(super) const COMMON_MODE: u8 = 73;
    pub(super) const VBAT_HIGH: u8 = 74;
    pub(super) const LOOP_VOLTAGE: u8 = 78;
    pub(super) const LOOP_CURRENT: u8 = 79;
    pub(super) const TIP_SENSE: u8 = 80;
    pub(super) const RING_SENSE: u8 = 81;
    pub(super) const VBAT1_SENSE: u8 = 82;
    pub(super) const VBAT2_SENSE: u8 = 83;
    pub(super) const Q6_CURRENT: u8 = 89;
    pub(super) const DCDC_CONTROL: u8 = 93;
    pub(super) const CALIBRATION_1: u8 = 96;
    pub(super) const DCDC_RESULT: u8 = 107;
    pub(super) const COUNT: usize = 128;
}

/// Values after reset that are not 0.
const RESET: [(u8, u8); 28] = [
    (reg::ID, 0x05), // Si3210 revision E
    (reg::PCM_MODE, 0x08),
    (reg::LOOPBACK, 0x02),
    (10, 0x08),
    (11, 0x33),
    (reg::POWER_DOWN, 0x10),
    (63, 0x54),
    (65, 0x61),
    (66, 0x0B),
    (reg::AUTO_STATE, 0x1F),
    (reg::LOOP_DEBOUNCE, 0x0A),
    (reg::TRIP_DEBOUNCE, 0x0A),
    (reg::ON_HOOK_VOLTAGE, 0x20),
    (reg::COMMON_MODE, 0x02),
    (reg::VBAT_HIGH, 0x32),
    (75, 0x10),
    (92, 0xFF),
    (reg::DCDC_CONTROL, 0x14),
    (96, 0x1F),
    (97, 0x1F),
    (98, 0x10),
    (99, 0x10),
    (100, 0x11),
    (101, 0x11),
    (102, 0x08),
    (103, 0x88),
    (106, 0x20),
    (reg::DCDC_RESULT, 0x08),
];

/// Indirect registers.
const INDIRECT: usize = 105;

/// In register 1: the chip is an Si3215.
const MODEL: u8 = 0x80;
const IRQ_CALIBRATED: u8 = 0x04;
const IRQ_INDIRECT: u8 = 0x02;
const CALIBRATE: u8 = 0x40;
const CALIBRATE_CONVERTER: u8 = 0x80;

/// The chip with its end of the line.
#[derive(Debug, Clone)]
pub struct Si3210 {
    is_si3215: bool,
    registers: Bank<{ reg::COUNT }>,
    indirect: [u16; INDIRECT],
    /// Indirect data was written since the last indirect access: the next one stores.
    store: bool,
    loop_closure: Debounced,
    ring_trip: Debounced,
    load: Load,
    /// Fault: the board's power cable is not plugged in.
    pub unpowered: bool,
    /// Fault: a transistor is over its power limit.
    pub power_alarm: bool,
}

impl Default for Si3210 {
    /// A chip after power-on: the line is open, the converter is off.
    fn default() -> Si3210 {
        Si3210 {
            is_si3215: false,
            registers: Bank::new(&RESET),
            indirect: [0; INDIRECT],
            store: false,
            loop_closure: Debounced::default(),
            ring_trip: Debounced::default(),
            load: Load::default(),
            unpowered: false,
            power_alarm: false,
        }
    }
}

impl Si3210 {
    /// An Si3215 after power-on.
    pub fn si3215() -> Si3210 {
        Si3210 { is_si3215: true, ..Si3210::default() }
    }

    /// The reset pin: every register at its reset value, the line open.
    pub fn reset(&mut self) {
        self.registers = Bank::new(&RESET);
        self.indirect = [0; INDIRECT];
        self.store = false;
        self.loop_closure = Debounced::default();
        self.ring_trip = Debounced::default();
    }

    fn get(&self, register: u8) -> u8 {
        self.registers.get(register)
    }

    fn set(&mut self, register: u8, value: u8) {
        self.registers.set(register, value);
    }

    fn raise(&mut self, status: u8, bits: u8) {
        self.set(status, self.get(status) | bits);
    }

    /// The value of an indirect register; 0 beyond the last, which is 104.
    pub fn indirect(&self, register: u8) -> u16 {
        self.indirect.get(usize::from(register)).copied().unwrap_or(0)
    }

    /// The value of an indirect register by its number in an Si3210.
    fn coefficient(&self, register: u8) -> u16 {
        match (self.is_si3215, register) {
            (false, _) => self.indirect(register),
            (true, 13..=22 | 26..=40) => self.indirect(register - 13),
            (true, 41) => self.indirect(64),
            (true, 43) => self.indirect(66),
            (true, _) => 0,
        }
    }

    fn indirect_access(&mut self, address: u8) {
        if std::mem::take(&mut self.store) {
            let value = u16::from_le_bytes([self.get(reg::IDA_LOW), self.get(reg::IDA_HIGH)]);
            let exists = !self.is_si3215 || !matches!(address, 10..=12 | 28..=63 | 65);
            if let Some(word) = self.indirect.get_mut(usize::from(address))
                && exists
            {
                *word = value;
            }
        } else {
            let word = self.indirect(address);
            let [low, high] = word.to_le_bytes();
            self.set(reg::IDA_LOW, low);
            self.set(reg::IDA_HIGH, high);
        }
        self.raise(reg::IRQ_STATUS_3, IRQ_INDIRECT);
    }
}

impl RegisterFile for Si3210 {
    fn read(&mut self, register: u8) -> u8 {
        let model = if register == reg::PCM_MODE && self.is_si3215 { MODEL } else { 0 };
        self.sensed(register).unwrap_or_else(|| self.get(register)) | model
    }

    fn write(&mut self, register: u8, value: u8) {
        match register {
            reg::ID | reg::DTMF | reg::INDIRECT_STATUS | reg::LOOP_STATUS => {}
            reg::LOOP_VOLTAGE..=reg::Q6_CURRENT => {}
            reg::IRQ_STATUS_1..=reg::IRQ_STATUS_3 => {
                self.set(register, self.get(register) & !value)
            }
            reg::IDA_LOW | reg::IDA_HIGH => {
                self.set(register, value);
                self.store = true;
            }
            reg::IAA => {
                self.set(register, value);
                self.indirect_access(value);
            }
            reg::PCM_MODE => self.set(register, value & !MODEL),
            reg::LINE_FEED => self.set_line_feed(value),
            reg::DCDC_CONTROL => {
                self.set(register, value & !CALIBRATE_CONVERTER);
                if value & CALIBRATE_CONVERTER != 0 {
                    self.set(reg::DCDC_RESULT, 0x08);
                }
            }
            reg::CALIBRATION_1 if value & CALIBRATE != 0 => {
                self.set(register, 0);
                self.raise(reg::IRQ_STATUS_3, IRQ_CALIBRATED);
            }
            _ => self.set(register, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(chip: &mut Si3210, index: u8, value: u16) {
        let [low, high] = value.to_le_bytes();
        chip.write(reg::IDA_LOW, low);
        chip.write(reg::IDA_HIGH, high);
        chip.write(reg::IAA, index);
    }

    fn fetch(chip: &mut Si3210, index: u8) -> u16 {
        chip.write(reg::IAA, index);
        u16::from_le_bytes([chip.read(reg::IDA_LOW), chip.read(reg::IDA_HIGH)])
    }

    #[test]
    fn indirect_address_stores_after_data_and_fetches_alone() {
        let mut chip = Si3210::default();
        store(&mut chip, 20, 0x7EF0);
        store(&mut chip, 21, 0x0160);
        assert_eq!(fetch(&mut chip, 20), 0x7EF0);
        assert_eq!(fetch(&mut chip, 20), 0x7EF0, "a fetch does not store");
        assert_eq!(fetch(&mut chip, 21), 0x0160);
        // One byte of data is enough to make a store of it.
        chip.write(reg::IDA_LOW, 0x61);
        chip.write(reg::IAA, 20);
        assert_eq!(fetch(&mut chip, 20), 0x0161);
        assert_eq!(chip.read(reg::INDIRECT_STATUS), 0);
        store(&mut chip, 200, 0xFFFF);
        assert_eq!(fetch(&mut chip, 200), 0, "there is no such register");
    }

    #[test]
    fn a_si3215_lacks_what_it_lacks() {
        let mut chip = Si3210::si3215();
        chip.write(reg::PCM_MODE, 0x28);
        assert_eq!(chip.read(reg::PCM_MODE), 0xA8);
        for index in 0..=104 {
            store(&mut chip, index, 0x1234);
            let exists = !matches!(index, 10..=12 | 28..=63 | 65);
            assert_eq!(fetch(&mut chip, index), if exists { 0x1234 } else { 0 }, "{index}");
        }
        chip.reset();
        assert_eq!(chip.read(reg::PCM_MODE), 0x88);
    }

    #[test]
    fn reset_undoes_everything_and_leaves_the_fault() {
        let mut chip = Si3210::default();
        let fresh = chip.registers.clone();
        chip.unpowered = true;
        for register in 0..=u8::MAX {
            chip.write(register, 0x55);
        }
        store(&mut chip, 0, 0x1234);
        chip.reset();
        assert_eq!(chip.registers, fresh);
        assert_eq!(fetch(&mut chip, 0), 0);
        assert!(chip.unpowered);
    }

    #[test]
    fn identity_and_measurements_are_read_only() {
        let mut chip = Si3210::default();
        for register in [0, 24, 31, 68].into_iter().chain(78..=89) {
            let before = chip.read(register);
            chip.write(register, !before);
            assert_eq!(chip.read(register), before, "register {register}");
        }
    }

    #[test]
    fn calibrations_end_at_once_automatic_and_manual() {
        let mut chip = Si3210::default();
        for start in [0x5F, 0x47] {
            chip.write(97, 0x1F);
            chip.write(96, start);
            assert_eq!(chip.read(96), 0);
        }
        assert_eq!((chip.read(88), chip.read(89)), (0, 0), "transistors matched");
        chip.write(107, 0x3F);
        chip.write(93, 0x99);
        assert_eq!((chip.read(93), chip.read(107)), (0x19, 0x08));
        assert_eq!(chip.read(20) & 0x04, 0x04);
        chip.write(20, 0xFF);
        assert_eq!(chip.read(20), 0);
    }

    #[test]
    fn battery_follows_the_converter() {
        let mut chip = Si3210::default();
        assert_eq!(chip.read(82), 6);
        chip.write(14, 0x00);
        assert_eq!(chip.read(82), 0xC8);
        chip.write(74, 0x3F);
        assert_eq!(chip.read(82), 0xFC, "94.5 V");
        chip.write(14, 0x10);
        assert_eq!(chip.read(82), 6, "exactly what a leak test waits for");
        chip.unpowered = true;
        chip.write(14, 0x00);
        assert_eq!(chip.read(82), 0);
    }
}
