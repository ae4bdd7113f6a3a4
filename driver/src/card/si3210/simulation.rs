//! A Si3210 for tests: the chip of the software card, with faults that only tests need.

use std::time::Duration;

use ringback_softcard::chips::{self, Load, RegisterFile};

use crate::card::sequence::Operation;

/// The whole calibration, started in register 96; other values start steps of the manual one.
const CALIBRATE_ALL: u8 = 0x5F;

/// The chip, the telephone at its end, and its faults.
#[derive(Debug, Clone)]
pub(crate) struct Si3210 {
    chip: chips::Si3210,
    /// What the telephone does; the chip sees a change when time passes.
    pub(crate) telephone: Load,
    /// What every read gives if there is no chip.
    pub(crate) absent: Option<u8>,
    /// What the battery sense reaches at most, in steps of 0.376 V, if the supply is too weak.
    pub(crate) weak_battery: Option<u8>,
    /// The number of calibrations that will not end; above 1000 the steps of the manual one do not
    /// end either.
    pub(crate) failing_calibrations: u32,
    /// The gains at which a manual calibration finds no mismatch.
    pub(crate) matching_gains: [u8; 2],
    /// The odd result to which the converter's calibration comes.
    pub(crate) converter_result: Option<u8>,
    /// Indirect accesses do not end.
    pub(crate) stuck_indirect: bool,
    /// The leak test has read the battery sense with the converter off.
    pub(crate) was_run_down: bool,
    /// The time that has passed, all in all.
    pub(crate) waited: Duration,
    /// What register 96 reads while a calibration does not end.
    calibrating: Option<u8>,
}

impl Si3210 {
    pub(crate) fn new() -> Si3210 {
        Si3210 {
            chip: chips::Si3210::default(),
            telephone: Load::default(),
            absent: None,
            weak_battery: None,
            failing_calibrations: 0,
            matching_gains: [0x10, 0x10],
            converter_result: None,
            stuck_indirect: false,
            was_run_down: false,
            waited: Duration::ZERO,
            calibrating: None,
        }
    }

    /// A Si3215.
    pub(crate) fn si3215() -> Si3210 {
        Si3210 { chip: chips::Si3210::si3215(), ..Si3210::new() }
    }

    /// Asserts the reset pin.
    pub(crate) fn reset(&mut self) {
        self.chip.reset();
        self.calibrating = None;
    }

    /// The indirect registers from 0 on.
    pub(crate) fn indirect<const N: usize>(&self) -> [u16; N] {
        std::array::from_fn(|register| self.chip.indirect(register as u8))
    }

    /// The direct registers from this one on.
    pub(crate) fn direct<const N: usize>(&mut self, from: u8) -> [u8; N] {
        std::array::from_fn(|register| self.read(from + register as u8))
    }

    /// Lets this time pass, in whole milliseconds for the line.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.waited += time;
        for _ in 0..time.as_millis() {
            self.chip.tick(self.telephone, None);
        }
    }

    pub(crate) fn perform(&mut self, operation: Operation) -> u8 {
        match operation {
            Operation::Read(register) => return self.read(register.number()),
            Operation::Write(register, value) => self.write(register.number(), value),
            Operation::Resync => {}
            Operation::Wait(time) => self.pass(time),
        }
        0
    }
}

impl RegisterFile for Si3210 {
    fn read(&mut self, register: u8) -> u8 {
        if let Some(nothing) = self.absent {
            return nothing;
        }
        let value = self.chip.read(register);
        let converter_is_on = self.chip.read(14) & 0x10 == 0;
        match register {
            31 => u8::from(self.stuck_indirect),
            82 if converter_is_on => self.weak_battery.unwrap_or(value),
            82 => {
                self.was_run_down |= self.weak_battery.is_none();
                value
            }
            88 => u8::from(self.chip.read(98) != self.matching_gains[0]),
            89 => u8::from(self.chip.read(99) != self.matching_gains[1]),
            96 => self.calibrating.unwrap_or(value),
            _ => value,
        }
    }

    fn write(&mut self, register: u8, value: u8) {
        if self.absent.is_some() {
            return;
        }
        if register == 96 {
            self.calibrating = None;
            if self.failing_calibrations > 0 && value == CALIBRATE_ALL {
                self.failing_calibrations -= 1;
                self.calibrating = Some(value);
            } else if self.failing_calibrations > 1000 {
                self.calibrating = Some(value);
            }
        }
        self.chip.write(register, value);
        if let Some(result) = self.converter_result
            && register == 93
            && value & 0x80 != 0
        {
            self.chip.write(107, result);
        }
    }
}
