//! A Si3050 with its line side for tests.

use std::time::Duration;

use crate::card::sequence::Operation;

/// The chip, with what can be wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Si3050 {
    pub(crate) registers: Vec<u8>,
    /// What every read gives if there is no chip.
    pub(crate) absent: Option<u8>,
    /// How long after power-up the line side answers; [`Duration::MAX`] is never.
    pub(crate) link_after: Duration,
    /// Time that passed, all in all and since the line side has power.
    pub(crate) waited: Duration,
    pub(crate) resyncs: u32,
    pub(crate) soft_resets: u32,
    powered: Duration,
}

impl Si3050 {
    pub(crate) fn new() -> Si3050 {
        let mut chip = Si3050 {
            registers: Vec::new(),
            absent: None,
            link_after: Duration::ZERO,
            waited: Duration::ZERO,
            resyncs: 0,
            soft_resets: 0,
            powered: Duration::ZERO,
        };
        chip.reset();
        chip
    }

    /// What the chip's reset does to its registers.
    pub(crate) fn reset(&mut self) {
        self.registers = vec![0; 256];
        for (register, value) in [(2, 0x03), (6, 0x10), (22, 0x96), (23, 0x2D), (24, 0x19)] {
            self.registers[register] = value;
        }
        self.powered = Duration::ZERO;
    }

    pub(crate) fn read(&mut self, register: u8) -> u8 {
        if let Some(nothing) = self.absent {
            return nothing;
        }
        let linked = self.registers[6] & 0x10 == 0 && self.powered >= self.link_after;
        match register {
            11 if linked => 0x31,
            11 => 0x01,
            12 if linked => 0x40,
            12 => 0x00,
            _ => self.registers[usize::from(register)],
        }
    }

    pub(crate) fn write(&mut self, register: u8, value: u8) {
        if self.absent.is_some() {
            return;
        }
        if register == 1 && value & 0x80 != 0 {
            self.soft_resets += 1;
            self.reset();
            return;
        }
        self.registers[usize::from(register)] = value;
    }

    /// Moves the simulated chip on by this time.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.waited += time;
        if self.registers[6] & 0x10 == 0 {
            self.powered += time;
        }
    }

    pub(crate) fn perform(&mut self, operation: Operation) -> u8 {
        match operation {
            Operation::Read(register) => return self.read(register.number()),
            Operation::Write(register, value) => self.write(register.number(), value),
            Operation::Resync => self.resyncs += 1,
            Operation::Wait(time) => self.pass(time),
        }
        0
    }
}
