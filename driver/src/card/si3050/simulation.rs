//! A Si3050 for tests: the chip of the software card, with faults that only tests need.

use std::time::Duration;

use ringback_softcard::chips::{self, Feed, RegisterFile};

use crate::card::sequence::Operation;

/// The chip, the line at its end, and its faults.
#[derive(Debug, Clone)]
pub(crate) struct Si3050 {
    chip: chips::Si3050,
    /// How the exchange feeds the line; the chip sees a change when time passes.
    pub(crate) line: Feed,
    /// What every read gives if there is no chip.
    pub(crate) absent: Option<u8>,
    /// How long after power-up the line side answers; [`Duration::MAX`] is never.
    pub(crate) link_after: Duration,
    /// The time that has passed, all in all.
    pub(crate) waited: Duration,
    pub(crate) resyncs: u32,
    pub(crate) soft_resets: u32,
    /// The time that has passed since the line side has power.
    powered: Duration,
}

impl Si3050 {
    pub(crate) fn new() -> Si3050 {
        Si3050 {
            chip: chips::Si3050::default(),
            line: Feed::default(),
            absent: None,
            link_after: Duration::ZERO,
            waited: Duration::ZERO,
            resyncs: 0,
            soft_resets: 0,
            powered: Duration::ZERO,
        }
    }

    /// The same with a Si3018.
    pub(crate) fn with_si3018() -> Si3050 {
        Si3050 { chip: chips::Si3050::with_si3018(), ..Si3050::new() }
    }

    /// Asserts the reset pin.
    pub(crate) fn reset(&mut self) {
        self.chip.reset();
        self.powered = Duration::ZERO;
    }

    /// Lets this time pass, in whole milliseconds for the line.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.waited += time;
        if self.chip.read(6) & 0x10 == 0 {
            self.powered += time;
        }
        for _ in 0..time.as_millis() {
            self.chip.tick(self.line, None);
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

impl RegisterFile for Si3050 {
    fn read(&mut self, register: u8) -> u8 {
        self.chip.no_link = self.powered < self.link_after;
        self.absent.unwrap_or_else(|| self.chip.read(register))
    }

    fn write(&mut self, register: u8, value: u8) {
        if self.absent.is_some() {
            return;
        }
        if register == 1 && value & 0x80 != 0 {
            self.soft_resets += 1;
            self.powered = Duration::ZERO;
        }
        self.chip.write(register, value);
    }
}
