//! A Si3210 for tests: registers, and what bring-up waits for.

use std::time::Duration;

use crate::card::sequence::Operation;

/// The chip, with what can be wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Si3210 {
    pub(crate) direct: Vec<u8>,
    pub(crate) indirect: [u16; 128],
    /// What every read gives if there is no chip.
    pub(crate) absent: Option<u8>,
    /// What the battery sense reaches (0xC8 is sound).
    pub(crate) powered: u8,
    /// This many calibrations will not end.
    pub(crate) failing_calibrations: u32,
    /// The gains at which a manual calibration finds no mismatch.
    pub(crate) matching_gains: [u8; 2],
    /// What the converter's calibration comes to.
    pub(crate) converter_result: u8,
    /// Indirect accesses do not end.
    pub(crate) stuck_indirect: bool,
    /// The converter was let down.
    pub(crate) was_run_down: bool,
    /// The time that sequences have waited, all together.
    pub(crate) waited: Duration,
    data_written: bool,
}

impl Si3210 {
    pub(crate) fn new() -> Si3210 {
        let mut chip = Si3210 {
            direct: Vec::new(),
            indirect: [0; 128],
            absent: None,
            powered: 0xC8,
            failing_calibrations: 0,
            matching_gains: [0x10, 0x10],
            converter_result: 8,
            stuck_indirect: false,
            was_run_down: false,
            waited: Duration::ZERO,
            data_written: false,
        };
        chip.reset();
        chip
    }

    /// What the chip's reset does to its registers.
    pub(crate) fn reset(&mut self) {
        self.direct = vec![0; 256];
        self.indirect = [0; 128];
        self.data_written = false;
        for (register, value) in [
            (0, 0x05),
            (1, 0x08),
            (8, 0x02),
            (10, 0x08),
            (11, 0x33),
            (14, 0x10),
            (66, 0x0B),
            (67, 0x1F),
            (107, 0x08),
        ] {
            self.direct[register] = value;
        }
    }

    pub(crate) fn read(&mut self, register: u8) -> u8 {
        if let Some(nothing) = self.absent {
            return nothing;
        }
        match register {
            31 => u8::from(self.stuck_indirect),
            82 if self.direct[14] & 0x10 == 0 => self.powered,
            82 => {
                self.was_run_down |= self.powered >= 0xC0;
                6
            }
            88 => u8::from(self.direct[98] != self.matching_gains[0]),
            89 => u8::from(self.direct[99] != self.matching_gains[1]),
            _ => self.direct[usize::from(register)],
        }
    }

    pub(crate) fn write(&mut self, register: u8, value: u8) {
        if self.absent.is_some() {
            return;
        }
        let stored = match register {
            18..=20 => 0,
            28 | 29 => {
                self.data_written = true;
                value
            }
            30 => {
                let slot = &mut self.indirect[usize::from(value & 0x7F)];
                if self.data_written {
                    *slot = u16::from_le_bytes([self.direct[28], self.direct[29]]);
                } else {
                    [self.direct[28], self.direct[29]] = slot.to_le_bytes();
                }
                self.data_written = false;
                value
            }
            64 => value & 7 | (value & 7) << 4,
            93 if value & 0x80 != 0 => {
                self.direct[107] = self.converter_result;
                value & 0x7F
            }
            // Only the whole calibration can fail to end; the steps of the manual one end.
            96 if value == 0x5F && self.failing_calibrations > 0 => {
                self.failing_calibrations -= 1;
                value
            }
            96 if value != 0x5F && self.failing_calibrations > 1000 => value,
            96 => 0,
            _ => value,
        };
        self.direct[usize::from(register)] = stored;
    }

    pub(crate) fn perform(&mut self, operation: Operation) -> u8 {
        match operation {
            Operation::Read(register) => return self.read(register.number()),
            Operation::Write(register, value) => self.write(register.number(), value),
            Operation::Resync => {}
            Operation::Wait(time) => self.waited += time,
        }
        0
    }
}
