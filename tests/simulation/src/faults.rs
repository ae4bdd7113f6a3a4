//! Faults by name, on and off at random.

use ringback_driver::Time;
use ringback_softcard::{Fault, SLOTS, SoftCard};

use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::journal::{Journal, note};

/// Switches faults on, and off again.
pub(crate) struct Faults {
    dice: Dice,
    journal: Journal,
    every_ms: Option<u64>,
    next: Time,
    /// Faults that are on, with when they end.
    on: Vec<(Time, Fault)>,
    /// When a fault was on last that concerned this slot.
    disturbed: [Time; SLOTS],
}

impl Faults {
    pub(crate) fn new(mut dice: Dice, journal: Journal, every_ms: Option<u64>) -> Faults {
        let first = every_ms.map_or(Time::NEVER, |every| Time::ZERO + dice.ms(0, 2 * every));
        let disturbed = [Time::ZERO; SLOTS];
        Faults { dice, journal, every_ms, next: first, on: Vec::new(), disturbed }
    }

    pub(crate) fn act(&mut self, now: Time, card: &SoftCard, coverage: &mut Coverage) {
        for (until, fault) in std::mem::take(&mut self.on) {
            if until <= now {
                note!(self.journal, "flt  {fault} ends");
                card.set_fault(fault, false);
            } else {
                self.on.push((until, fault));
            }
            self.disturb(fault, now);
        }
        let Some(every) = self.every_ms else { return };
        if now < self.next {
            return;
        }
        self.next = now + self.dice.ms(1, 2 * every);
        let slot = self.dice.index(SLOTS);
        let (fault, longest) = match self.dice.below(13) {
            0 => (Fault::LateInterrupt, 2000),
            1 => (Fault::LostInterrupts, 3000),
            2 => (Fault::DoubledInterrupts, 2000),
            3 => (Fault::LateTick, 2000),
            4 => (Fault::MasterAbort, 80),
            5 => (Fault::TargetAbort, 80),
            6 => (Fault::PartReset(slot), 1),
            7 => (Fault::PowerAlarm(slot), 3000),
            8 => (Fault::NoIsoLink(slot), 6000),
            9 => (Fault::StuckSpi(slot), 6000),
            10 => (Fault::StuckSpiLow(slot), 6000),
            11 => (Fault::NoPower(slot), 2000),
            _ => (Fault::LineUnplugged(slot), 6000),
        };
        if self.on.iter().any(|(_, on)| *on == fault) {
            return;
        }
        // Some last so long that the module, or the card, is given up.
        let longest = if self.dice.one_in(25) { longest * 10 } else { longest };
        let time = self.dice.mostly_short_ms(1, longest);
        note!(self.journal, "flt  {fault} for {time:?}");
        coverage
            .count_owned(format!("fault {}", fault.to_string().split(':').next().unwrap_or("")));
        card.set_fault(fault, true);
        self.on.push((now + time, fault));
        self.disturb(fault, now);
    }

    fn disturb(&mut self, fault: Fault, now: Time) {
        for (slot, disturbed) in self.disturbed.iter_mut().enumerate() {
            if fault.slot().is_none_or(|of| of == slot) {
                *disturbed = now;
            }
        }
    }

    /// When a fault last was on that concerned a slot.
    pub(crate) fn last_at(&self, slot: usize) -> Time {
        self.disturbed.get(slot).copied().unwrap_or_default()
    }

    /// Ends all, for good.
    pub(crate) fn end(&mut self, card: &SoftCard) {
        for (_, fault) in std::mem::take(&mut self.on) {
            note!(self.journal, "flt  {fault} ends");
            card.set_fault(fault, false);
        }
        self.every_ms = None;
    }
}
