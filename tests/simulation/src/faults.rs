//! Switches faults on and off at random: those of the card, a bus that lies, a kernel whose writes
//! fail, and messages of callers with a wrong bit.

use std::fmt;
use std::sync::Mutex;

use ringback_driver::{PortNumber, Time};
use ringback_softcard::{Fault, SLOTS};
use ringback_tspi::EvenPoisoned;

use crate::acts::Acts;
use crate::callers::{self, Callers};
use crate::cards::Cards;
use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::hardware::Tap;
use crate::journal::{Journal, note};
use crate::kernel::Kernel;
use crate::scenario::Scenario;

/// The most wrong reads in a row.
const LIES: u32 = 40;

/// Something that goes wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// A fault of one part of the card.
    Card(usize, Fault),
    /// Some reads return a wrong value. It ends when all of them were made.
    Lies,
    /// The kernel's writes for one part of the card fail.
    Writes(usize),
    /// A bit of each message about a caller to the line of a port is wrong.
    WrongBit(PortNumber, usize),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Card(part, fault) => write!(f, "{fault} on part {part}"),
            Trouble::Lies => f.write_str("a bus that lies"),
            Trouble::Writes(part) => write!(f, "failing writes on part {part}"),
            Trouble::WrongBit(port, bit) => write!(f, "a wrong bit {bit} to port {port}"),
        }
    }
}

/// What faults affect.
pub(crate) struct Affected<'a> {
    pub(crate) card: &'a Cards,
    pub(crate) tap: &'a Tap,
    pub(crate) callers: &'a Mutex<Callers>,
    /// One for each part, or none.
    pub(crate) kernels: &'a mut [Kernel],
}

impl Affected<'_> {
    fn set(&mut self, trouble: Trouble, on: bool, dice: &mut Dice) {
        match trouble {
            Trouble::Card(part, fault) => self.card.set_fault(part, fault, on),
            Trouble::Lies => self.tap.lie(if on { 1 + dice.below(LIES) } else { 0 }, dice.fork()),
            Trouble::Writes(part) => {
                if let Some(kernel) = self.kernels.get_mut(part) {
                    kernel.fails = on;
                }
            }
            Trouble::WrongBit(port, bit) => {
                let mut callers = self.callers.lock().even_poisoned();
                callers.spoil(self.card, port, on.then_some(bit));
            }
        }
    }
}

/// The faults of a world.
pub(crate) struct Faults {
    pub(crate) acts: Acts,
    journal: Journal,
    every_ms: Option<u64>,
    kernel: bool,
    dishonest: bool,
    next: Time,
    /// What is on, each with its end.
    on: Vec<(Time, Trouble)>,
    /// For each port when a fault was last on that affected it.
    disturbed: Vec<Time>,
}

impl Faults {
    pub(crate) fn new(acts: Acts, journal: Journal, ports: usize, scenario: &Scenario) -> Faults {
        let every_ms = scenario.faults_every_ms;
        let first = |every| Time::ZERO + acts.pause().ms(0, 2 * every);
        Faults {
            next: every_ms.map_or(Time::NEVER, first),
            acts,
            journal,
            every_ms,
            kernel: scenario.kernel,
            dishonest: scenario.dishonest,
            on: Vec::new(),
            disturbed: vec![Time::ZERO; ports],
        }
    }

    pub(crate) fn act(&mut self, now: Time, on: &mut Affected<'_>, coverage: &mut Coverage) {
        for (until, trouble) in std::mem::take(&mut self.on) {
            let lasts = match trouble {
                Trouble::Lies => on.tap.lies(),
                Trouble::Card(..) | Trouble::Writes(_) | Trouble::WrongBit(..) => until > now,
            };
            if lasts {
                self.on.push((until, trouble));
            } else {
                note!(self.journal, "flt  {trouble} ends");
                on.set(trouble, false, &mut Dice::new(0));
            }
            self.disturb(trouble, now);
        }
        let Some(every) = self.every_ms else { return };
        if now < self.next {
            return;
        }
        self.next = now + self.acts.pause().ms(1, 2 * every);
        let Some(mut dice) = self.acts.next() else { return };
        let (trouble, longest) = self.choose(&mut dice, on);
        let is_on = |other: &Trouble| match (*other, trouble) {
            (Trouble::WrongBit(port, _), Trouble::WrongBit(of, _)) => port == of,
            (other, trouble) => other == trouble,
        };
        if self.on.iter().any(|(_, on)| is_on(on)) {
            return;
        }
        // Some last so long that the driver gives the module, or the card, up.
        let longest = if dice.one_in(25) { longest * 10 } else { longest };
        let time = dice.mostly_short_ms(1, longest);
        note!(self.journal, "flt  {trouble} for {time:?}");
        let name = match trouble {
            Trouble::Card(_, fault) => fault.to_string(),
            Trouble::Lies => "a bus that lies".to_owned(),
            Trouble::Writes(_) => "failing writes".to_owned(),
            Trouble::WrongBit(..) => "a wrong bit".to_owned(),
        };
        coverage.count_owned(format!("fault {}", name.split(':').next().unwrap_or_default()));
        on.set(trouble, true, &mut dice);
        self.on.push((now + time, trouble));
        self.disturb(trouble, now);
    }

    fn choose(&self, dice: &mut Dice, on: &Affected<'_>) -> (Trouble, u64) {
        let parts = on.card.parts().len();
        if on.callers.lock().even_poisoned().tell() && dice.one_in(6) {
            let port = PortNumber::at(dice.index(on.card.ports()));
            return (Trouble::WrongBit(port, callers::a_bit(dice)), 20_000);
        }
        if self.dishonest && dice.one_in(3) {
            return (Trouble::Lies, 0);
        }
        let part = if parts > 1 { dice.index(parts) } else { 0 };
        if self.kernel && dice.one_in(10) {
            return (Trouble::Writes(part), 3000);
        }
        let slot = PortNumber::at(dice.index(SLOTS));
        let (fault, longest) = match dice.below(13) {
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
        (Trouble::Card(part, fault), longest)
    }

    fn disturb(&mut self, trouble: Trouble, now: Time) {
        // What concerns a part or the bus as a whole counts for all ports of the card.
        let concerned = |port: usize| match trouble {
            Trouble::Card(part, fault) => {
                fault.slot().is_none_or(|of| part * SLOTS + of.index() == port)
            }
            Trouble::Lies | Trouble::Writes(_) => true,
            // The samples are those that the exchange sends.
            Trouble::WrongBit(..) => false,
        };
        for (port, disturbed) in self.disturbed.iter_mut().enumerate() {
            if concerned(port) {
                *disturbed = now;
            }
        }
    }

    /// When a fault was last on that affected a port.
    pub(crate) fn last_at(&self, port: PortNumber) -> Time {
        self.disturbed.get(port.index()).copied().unwrap_or_default()
    }

    /// Switches all faults off, and no further ones on.
    pub(crate) fn end(&mut self, on: &mut Affected<'_>) {
        for (_, trouble) in std::mem::take(&mut self.on) {
            note!(self.journal, "flt  {trouble} ends");
            on.set(trouble, false, &mut Dice::new(0));
        }
        self.every_ms = None;
    }
}
