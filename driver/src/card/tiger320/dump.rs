//! Reading all registers, a few in each tick.
//!
//! The modules are read one after the other with what a tick's budget has left after samples,
//! commands and repairs, so that a dump disturbs no call; it takes about a second. A module that is
//! being repaired is read from the beginning when that is over, so that no dump is a mixture of two
//! states. The card's own registers come last.

use super::dump_task::DumpTask;
use super::registers::{Bus, CPLD_VERSION, RX_CURRENT, TX_START, Tiger};
use super::ring::SLOTS;
use super::{Tiger320, spi};
use crate::PortNumber;
use crate::card::register::RegisterMap;
use crate::card::register_dump::{DumpedRegister, RegisterDump};
use crate::card::sequence::{Operation, SequenceProgress};
use crate::device::Device;

/// The addresses of the ring: the registers that hold one are in succession.
const ADDRESSES: std::ops::RangeInclusive<usize> = TX_START.number()..=RX_CURRENT.number();

impl<D: Device> Tiger320<D> {
    /// Goes on with a dump as far as the tick has room.
    pub(super) fn dump_registers(&mut self) {
        let Some(mut task) = self.dumping.take() else { return };
        while task.slot < SLOTS {
            if !self.dump_module(&mut task) {
                self.dumping = Some(task);
                return;
            }
        }
        if !self.budget.take(u32::try_from(Tiger::ROWS.len()).unwrap_or(u32::MAX)) {
            self.dumping = Some(task);
            return;
        }
        let mut card = Bus::new(self.device.registers()).dump();
        let value = |number: usize| {
            let found = card.iter().find(|one| usize::from(one.number) == number);
            found.map_or(u32::MAX, |register: &DumpedRegister| register.value)
        };
        let (base, cpld) = (value(TX_START.number()), value(CPLD_VERSION.number()) as u8);
        for register in card.iter_mut().filter(|one| ADDRESSES.contains(&one.number.into())) {
            register.value = register.value.wrapping_sub(base);
        }
        self.dump = Some(RegisterDump {
            chip: "Tiger320",
            card,
            cpld,
            modules: task.modules,
            counters: self.counters.named(),
        });
    }

    /// Goes on with the module in the next slot; returns whether it was read, or is none.
    fn dump_module(&mut self, task: &mut DumpTask) -> bool {
        let port = PortNumber::at(task.slot);
        let Some(module) = self.modules.get(task.slot).and_then(Option::as_ref) else {
            (task.slot, task.reading) = (task.slot + 1, None);
            return true;
        };
        if module.in_repair() {
            task.reading = None;
            return false;
        }
        let kind = module.kind();
        let (mut sequence, mut next) = task.reading.take().unwrap_or_else(|| (module.dump(), None));
        loop {
            let answer = match next {
                None => None,
                Some(operation) if self.budget.take(spi::cost(kind, operation)) => {
                    let r = Bus::new(self.device.registers());
                    Some(self.spi.perform(r, port, kind, operation))
                }
                Some(_) => {
                    task.reading = Some((sequence, next));
                    return false;
                }
            };
            match sequence.advance(answer) {
                // A wait is over at the next tick.
                SequenceProgress::Do(wait @ Operation::Wait(_)) => {
                    task.reading = Some((sequence, Some(wait)));
                    return false;
                }
                SequenceProgress::Do(operation) => next = Some(operation),
                SequenceProgress::Done(dump) => {
                    task.modules.push(dump);
                    task.slot += 1;
                    return true;
                }
            }
        }
    }
}
