//! The TDM400P and its clones (A400P, A400E): four slots for FXS and FXO modules behind a Tiger320.
//!
//! The Tiger320 is a PCI bus master that carries the samples of four slots to and from a ring of
//! 128 bytes and interrupts every millisecond. The modules' registers are reached over a serial bus
//! of AUX pins, bit by bit. That is slow, so the rule of this module is: **no tick makes more
//! register accesses than [`ACCESSES_PER_TICK`]**, whatever happens.
//!
//! In each tick [`PortCard::service`] does, in this order: find the place in the ring; exchange the
//! frame that is due (its deadline comes first); acknowledge; sample a status register of one port,
//! so that each is sampled every 8 ms; write what was commanded and had no room before; go on with
//! repairs; let the next interrupt come.
//!
//! Where the kernel moves the samples, `poll` samples, commands and repairs the modules every 8 ms.
//!
//! | file | what |
//! |---|---|
//! | `kind` | how a card is recognised and opened |
//! | `registers` | the register map |
//! | `bring_up` | from any state to four slots with their modules up |
//! | `spi` | the serial bus |
//! | `ring` | the DMA ring |
//! | `service` | the interrupt service, removal |
//! | `alignment` | which byte of a word is which slot's |
//! | `recovery` | the card after bus errors, after a standstill, and after it was reset |
//! | `module` | a module in service: commands, samples, repairs |
//! | `dump`, `dump_task` | reading all registers, a few in each tick |
//! | `ports` | the card as a [`PortCard`] |
//! | `budget`, `attempts` | how much in a tick; how often before giving up |

mod alignment;
mod attempts;
mod bring_up;
mod budget;
mod counters;
mod dump;
mod dump_task;
mod error;
#[cfg(test)]
mod fake;
mod kind;
mod module;
mod ports;
mod recovery;
mod registers;
mod ring;
mod service;
mod spi;
#[cfg(test)]
mod tests;

pub use budget::ACCESSES_PER_TICK;
pub use counters::Counters;
pub use error::{Failure, OpenError};
pub use kind::{KIND, OTHER_KIND, Tdm400p};

use std::time::Duration;

use ringback_country::Country;

use self::attempts::Attempts;
use self::bring_up::{Recovery, Settings};
use self::budget::Budget;
use self::dump_task::DumpTask;
use self::module::Module;
use self::registers::Bus;
use self::ring::{Ring, SLOTS};
use self::spi::Spi;
use super::delay::Delay;
use super::port::PortError;
use super::port_card::{PortCard, Slot};
use super::register_dump::RegisterDump;
use crate::device::Device;
use crate::{PortNumber, Time};

/// How a card is to be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The country whose lines the modules are to fit.
    pub country: Country,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Modules are up, DMA is off.
    Ready,
    Running,
    /// Made safe, on command or because the card is lost.
    Closed,
}

/// A TDM400P whose registers are those of the device `D`.
///
/// Dropping it makes it safe.
#[derive(Debug)]
pub struct Tiger320<D: Device> {
    device: D,
    country: Country,
    state: State,
    slots: [Slot; SLOTS],
    modules: [Option<Module>; SLOTS],
    spi: Spi,
    budget: Budget,
    ring: Ring,
    counters: Counters,
    /// Number of ticks whose module work was done; it determines what is sampled next.
    tick: u32,
    /// When module work was done last.
    worked: Time,
    /// When the card moved last, or was started anew last.
    moved: Time,
    /// When a frame was exchanged last, and how often DMA was started anew since.
    exchanged: Time,
    restarts: u32,
    /// Where the kernel moves the samples: the last look found the card where it was before.
    stood: bool,
    /// Interrupts in succession that were acknowledged and stand.
    standing: u32,
    /// What a card that reads back its settings reads.
    settings: Settings,
    /// The step of a recovery that is under way, and when the next one is due.
    recovery: Option<(Recovery, Time)>,
    /// No trial has proved the alignment since the card was reset.
    unproved: bool,
    /// How often in succession the card was found shifted.
    shifts: u32,
    /// How often a card that was reset is set up again.
    resets: Attempts,
    /// A dump of the registers that is under way, and the last complete one.
    dumping: Option<DumpTask>,
    dump: Option<RegisterDump>,
    failure: Option<Failure>,
}

impl<D: Device> Tiger320<D> {
    /// Brings the card and its modules up. DMA and interrupt stay off until [`PortCard::start`],
    /// but for a moment in which DMA shows whose samples are where.
    ///
    /// This takes about half a second, another for each module, and up to 10 s for one that has to
    /// be calibrated by hand; all of it is passed with `delay`. A module that does not work is no
    /// error; [`PortCard::slots`] reports it.
    ///
    /// # Errors
    /// The device is no TDM400P, does not answer, or offers no suitable DMA memory.
    pub fn open(
        device: D,
        options: Options,
        delay: &mut dyn Delay,
    ) -> Result<Tiger320<D>, OpenError> {
        let ring = bring_up::check(&device, options.country.companding())?;
        // From here on an error drops the card, which makes it safe.
        let mut card = Tiger320 {
            device,
            country: options.country,
            state: State::Ready,
            slots: [Slot::Empty; SLOTS],
            modules: [const { None }; SLOTS],
            spi: Spi::new(),
            budget: Budget::new(),
            ring,
            counters: Counters::default(),
            tick: 0,
            worked: Time::ZERO,
            moved: Time::ZERO,
            exchanged: Time::ZERO,
            restarts: 0,
            stood: false,
            standing: 0,
            settings: Settings::default(),
            recovery: None,
            unproved: false,
            shifts: 0,
            resets: Attempts::default(),
            dumping: None,
            dump: None,
            failure: None,
        };
        let r = Bus::new(card.device.registers());
        bring_up::initialise(r, &card.ring, delay)?;
        let slots = card.slots.iter_mut().zip(&mut card.modules);
        for (number, (slot, module)) in PortNumber::each().zip(slots) {
            (*slot, *module) = bring_up::probe(r, &mut card.spi, number, options.country, delay);
        }
        card.align(delay)?;
        card.settings = Settings::read(Bus::new(card.device.registers()));
        card.count_spi();
        Ok(card)
    }

    /// What was counted since the card was opened.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Why the card is lost, after [`Service::Gone`](super::Service::Gone).
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The device, e.g. for its interrupt.
    pub const fn device(&self) -> &D {
        &self.device
    }

    fn command(
        &mut self,
        port: PortNumber,
        set: impl FnOnce(&mut Module) -> bool,
    ) -> Result<(), PortError> {
        if self.state == State::Closed {
            return Err(PortError::Gone);
        }
        let module = self
            .modules
            .get_mut(port.index())
            .and_then(Option::as_mut)
            .ok_or(PortError::NoPort(port))?;
        if !set(module) {
            return Err(PortError::WrongKind { port, kind: module.kind() });
        }
        if self.state == State::Ready {
            // While the card is not started there are no ticks, and so no limit.
            self.budget = Budget::new();
        }
        self.write_due(port);
        self.count_spi();
        Ok(())
    }

    /// Writes a port's control register if that is due and there is room.
    fn write_due(&mut self, port: PortNumber) {
        let Some(module) = self.modules.get_mut(port.index()).and_then(Option::as_mut) else {
            return;
        };
        let Some(operation) = module.due() else { return };
        if self.budget.take(spi::cost(module.kind(), operation)) {
            let r = Bus::new(self.device.registers());
            self.spi.perform(r, port, module.kind(), operation);
            module.written();
        }
    }

    fn count_spi(&mut self) {
        self.counters.module_reads = self.spi.reads;
        self.counters.module_writes = self.spi.writes;
        self.counters.spi_accesses = self.spi.accesses;
    }
}

impl<D: Device> Drop for Tiger320<D> {
    fn drop(&mut self) {
        self.safe();
    }
}

/// One frame of every slot.
const TICK: Duration = Duration::from_millis(1);
