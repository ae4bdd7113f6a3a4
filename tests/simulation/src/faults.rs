//! Switches faults on and off at random.

use ringback_driver::{PortNumber, Time};
use ringback_softcard::{Fault, SLOTS};

use crate::cards::Cards;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::journal::{Journal, note};

/// The faults of a world.
pub(crate) struct Faults {
    dice: Dice,
    journal: Journal,
    every_ms: Option<u64>,
    next: Time,
    /// Faults that are on, each with its end and the part of the card that it affects.
    on: Vec<(Time, usize, Fault)>,
    /// For each port when a fault was last on that affected it.
    disturbed: Vec<Time>,
}

impl Faults {
    pub(crate) fn new(
        mut dice: Dice,
        journal: Journal,
        ports: usize,
        every_ms: Option<u64>,
    ) -> Faults {
        let first = every_ms.map_or(Time::NEVER, |every| Time::ZERO + dice.ms(0, 2 * every));
        let disturbed = vec![Time::ZERO; ports];
        Faults { dice, journal, every_ms, next: first, on: Vec::new(), disturbed }
    }

    pub(crate) fn act(&mut self, now: Time, card: &Cards, coverage: &mut Coverage) {
        for (until, part, fault) in std::mem::take(&mut self.on) {
            if until <= now {
                note!(self.journal, "flt  {fault} ends");
                card.set_fault(part, fault, false);
            } else {
                self.on.push((until, part, fault));
            }
            self.disturb(part, fault, now);
        }
        let Some(every) = self.every_ms else { return };
        if now < self.next {
            return;
        }
        self.next = now + self.dice.ms(1, 2 * every);
        let part = if card.parts().len() > 1 { self.dice.index(card.parts().len()) } else { 0 };
        let slot = PortNumber::at(self.dice.index(SLOTS));
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
        if self.on.iter().any(|(_, of, on)| (*of, *on) == (part, fault)) {
            return;
        }
        // Some last so long that the driver gives the module, or the card, up.
        let longest = if self.dice.one_in(25) { longest * 10 } else { longest };
        let time = self.dice.mostly_short_ms(1, longest);
        note!(self.journal, "flt  {fault} for {time:?} on part {part}");
        coverage
            .count_owned(format!("fault {}", fault.to_string().split(':').next().unwrap_or("")));
        card.set_fault(part, fault, true);
        self.on.push((now + time, part, fault));
        self.disturb(part, fault, now);
    }

    fn disturb(&mut self, part: usize, fault: Fault, now: Time) {
        // A fault of one part as a whole counts for all ports of the card.
        for (port, disturbed) in self.disturbed.iter_mut().enumerate() {
            if fault.slot().is_none_or(|of| part * SLOTS + of.index() == port) {
                *disturbed = now;
            }
        }
    }

    /// When a fault was last on that affected a port.
    pub(crate) fn last_at(&self, port: PortNumber) -> Time {
        self.disturbed.get(port.index()).copied().unwrap_or_default()
    }

    /// Switches all faults off, and no further ones on.
    pub(crate) fn end(&mut self, card: &Cards) {
        for (_, part, fault) in std::mem::take(&mut self.on) {
            note!(self.journal, "flt  {fault} ends");
            card.set_fault(part, fault, false);
        }
        self.every_ms = None;
    }
}
