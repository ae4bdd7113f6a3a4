//! The mailbox, in software or the module `uio_dummy`: complements, thousands at a time.

use std::sync::Mutex;
use std::time::Duration;

use ringback_driver::card::mailbox::{self, Complement};
use ringback_driver::device::{Device, Registers};
use ringback_driver::request::sync::EvenPoisoned;

use super::{Bare, Kind, words};
use crate::ways::CAPACITY;

const ENTRIES: usize = 0x04;
const SUBMITTED: usize = 0x08;
const ANSWERED: usize = 0x10;
const REAPED: usize = 0x14;
const CONTROL: usize = 0x18;
const RINGS: usize = 0x1000;
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Mailbox;

impl Kind for Mailbox {
    type Engine<D: Device> = mailbox::Mailbox<D>;
    type Bare<D: Device + Sync> = Registered<D>;

    const DOORBELL: usize = SUBMITTED;

    fn engine<D: Device>(device: D) -> Result<Self::Engine<D>, String> {
        mailbox::Mailbox::new(device, CAPACITY).map_err(words)
    }

    fn command<D: Device>(operand: u32) -> Complement {
        Complement { operand, time_limit: LIMIT }
    }

    fn bare<D: Device + Sync>(device: D) -> Result<Registered<D>, String> {
        let registers = device.registers();
        let entries = registers.read32(ENTRIES);
        let submitted = registers.read32(SUBMITTED);
        registers.write32(REAPED, registers.read32(ANSWERED));
        registers.write32(CONTROL, 1);
        Ok(Registered { device, entries, submitted: Mutex::new(submitted) })
    }

    fn answer(operand: u32) -> u32 {
        !operand
    }
}

pub(crate) struct Registered<D> {
    device: D,
    entries: u32,
    submitted: Mutex<u32>,
}

impl<D: Device> Registered<D> {
    fn entry(&self, number: u32) -> usize {
        RINGS + 8 * (number & (self.entries - 1)) as usize
    }
}

impl<D: Device + Sync> Bare for Registered<D> {
    fn ring(&self, tag: u32, operand: u32) {
        let mut submitted = self.submitted.lock().even_poisoned();
        *submitted = self.put(*submitted, tag, operand);
    }

    fn reap(&self, reaped: &mut u32, mut f: impl FnMut(u32, u32)) {
        let registers = self.device.registers();
        let answered = registers.read32(ANSWERED);
        while *reaped != answered {
            let entry = self.entry(*reaped) + 8 * self.entries as usize;
            let (tag, answer) = (registers.read32(entry), registers.read32(entry + 4));
            *reaped = reaped.wrapping_add(1);
            f(tag, answer);
        }
        registers.write32(REAPED, answered);
    }

    fn count(&self) -> u32 {
        *self.submitted.lock().even_poisoned()
    }

    fn put(&self, count: u32, tag: u32, operand: u32) -> u32 {
        let registers = self.device.registers();
        let entry = self.entry(count);
        registers.write32(entry, tag);
        registers.write32(entry + 4, operand);
        let submitted = count.wrapping_add(1);
        registers.write32(SUBMITTED, submitted);
        submitted
    }

    fn set_count(&self, count: u32) {
        *self.submitted.lock().even_poisoned() = count;
    }
}
