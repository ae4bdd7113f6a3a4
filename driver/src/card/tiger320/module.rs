//! A module in service: what is commanded, what is sampled, and how it is repaired.
//!
//! A module has one control register (Si3210 register 64, Si3050 register 5), whose value follows
//! from what its line is commanded to be; so a command only changes the line and has the register
//! written when the tick has room. Two commands within one tick are one write: the last one. The
//! gains of an FXS module are a second register, which is written after the first.
//!
//! A sample that can't be right starts a repair: the chip is examined until what is found is
//! certain, and depending on that its control register is written again or the whole chip is set up
//! anew, both a few operations per tick. Meanwhile nothing is sampled. Each repair takes one of a
//! limited number of attempts. A chip that still has its registers is never reset: that would end
//! the call on its line.

use std::time::Duration;

use ringback_country::{Country, Daa};

use super::attempts::Attempts;
use super::counters::Counters;
use crate::card::module::{Diagnosis, ModuleError, Reaction, Sending};
use crate::card::port::{
    Gains, Hook, LineFeed, LineTuning, ModuleKind, Polarity, PortEvent, PortFault, PortStatus,
    Remedy,
};
use crate::card::register::Address;
use crate::card::register_dump::ModuleDump;
use crate::card::sequence::{Chip, Operation, Sequence, SequenceProgress};
use crate::card::si3050::{self, FxoLine};
use crate::card::si3210::{self, Calibration, FxsLine};
use crate::{PortNumber, Time};

/// How long a module that does not answer is left alone between attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// A module in service.
#[derive(Debug)]
pub(super) struct Module {
    slot: PortNumber,
    country: Country,
    /// The settings of an FXO line: the country's, until the line is tuned.
    daa: Daa,
    /// The line was tuned, and the chip does not have it yet.
    untuned: bool,
    pub(super) line: ModuleLine,
    /// The control register is to be written.
    unwritten: bool,
    /// The register of the gains is to be written.
    gains_unwritten: bool,
    repair: Option<Repair>,
    attempts: Attempts,
}

/// The line of a module, with what setting it up again needs.
#[derive(Debug)]
pub(super) enum ModuleLine {
    /// A Si3210, with the calibration that a repair sets again.
    Fxs(FxsLine, Calibration),
    /// A Si3050 with its line side.
    Fxo(FxoLine),
}

#[derive(Debug)]
struct Repair {
    task: Task,
    /// The next operation of the task; if it is a wait, `until` is the time at which it ends.
    next: Option<Operation>,
    until: Option<Time>,
}

#[derive(Debug)]
enum Task {
    Diagnose(Sequence<Diagnosis>),
    Restore(Fault, Sequence<Result<(), ModuleError>>),
    /// Sets impedance and hybrid.
    Tune(Sequence<()>),
    /// Puts the line of a module that is given up into its safe state, in case it still answers.
    Release(ModuleError, Sequence<()>),
}

/// How a chip is set up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restoration {
    /// At once: it has lost its registers, or its line side.
    Full,
    /// After a pause, if it turns out to have lost its registers.
    IfLost,
    /// After a pause: an attempt before has failed half-way.
    Repeated,
}

/// A [`PortFault`] that still lacks its remedy.
type Fault = fn(Remedy) -> PortFault;

impl Module {
    /// An FXS module as bring-up leaves it.
    pub(super) fn fxs(slot: PortNumber, country: Country, calibration: Calibration) -> Module {
        Module::new(slot, country, ModuleLine::Fxs(FxsLine::new(), calibration))
    }

    /// An FXO module as bring-up leaves it.
    pub(super) fn fxo(slot: PortNumber, country: Country) -> Module {
        Module::new(slot, country, ModuleLine::Fxo(FxoLine::new()))
    }

    fn new(slot: PortNumber, country: Country, line: ModuleLine) -> Module {
        Module {
            slot,
            country,
            daa: *country.daa(),
            untuned: false,
            line,
            unwritten: false,
            gains_unwritten: false,
            repair: None,
            attempts: Attempts::default(),
        }
    }

    /// Which of the two kinds of chip it has.
    pub(super) const fn kind(&self) -> ModuleKind {
        match self.line {
            ModuleLine::Fxs(..) => ModuleKind::Fxs,
            ModuleLine::Fxo(..) => ModuleKind::Fxo,
        }
    }

    /// The control register and what it is commanded to be.
    fn control(&self) -> Operation {
        match &self.line {
            ModuleLine::Fxs(line, _) => line.control(),
            ModuleLine::Fxo(line) => line.control(),
        }
    }

    /// The write that has the chip send samples in this way.
    pub(super) fn sending(&self, sending: Sending) -> Operation {
        match self.line {
            ModuleLine::Fxs(..) => FxsLine::sending(sending),
            ModuleLine::Fxo(..) => FxoLine::sending(sending),
        }
    }

    /// The status registers that are sampled, in turn: two often, two seldom.
    pub(super) const fn sampled(&self) -> [Option<Address>; 4] {
        match self.line {
            ModuleLine::Fxs(..) => FxsLine::SAMPLED,
            ModuleLine::Fxo(..) => FxoLine::SAMPLED,
        }
    }

    /// Whether the module is being repaired.
    pub(super) const fn in_repair(&self) -> bool {
        self.repair.is_some()
    }

    /// Whether the chip is being set up again, so that its samples are no sound.
    pub(super) const fn is_restoring(&self) -> bool {
        matches!(self.repair, Some(Repair { task: Task::Restore(..), .. }))
    }

    /// The card was reset, and with it the chip: it is to be set up again, for an idle line.
    pub(super) fn card_was_reset(&mut self, now: Time, event: &mut dyn FnMut(PortEvent)) {
        if let Some(Repair { task: Task::Release(error, _), .. }) = self.repair {
            return self.give_up(error);
        }
        event(PortEvent::Fault(PortFault::CardReset(Remedy::Restoring)));
        match &mut self.line {
            ModuleLine::Fxs(line, _) => {
                if line.hook() == Hook::Off {
                    event(PortEvent::Hook(Hook::On));
                }
                let gains = line.gains;
                *line = FxsLine::new();
                line.gains = gains;
            }
            ModuleLine::Fxo(line) => line.card_was_reset(),
        }
        let error = ModuleError::TooManyFaults;
        self.restore(PortFault::CardReset, Restoration::Full, error, now, event);
    }

    /// The write that is due, if any.
    pub(super) fn due(&self) -> Option<Operation> {
        if self.in_repair() {
            return None;
        }
        match &self.line {
            _ if self.unwritten => Some(self.control()),
            ModuleLine::Fxs(line, _) if self.gains_unwritten => Some(line.audio_gain()),
            _ => None,
        }
    }

    /// Notes that the write that was due was made.
    pub(super) fn written(&mut self) {
        if !std::mem::take(&mut self.unwritten) {
            self.gains_unwritten = false;
        }
    }

    /// The write that puts the line into its safe state: on-hook, no voltage.
    pub(super) fn release(&mut self) -> Operation {
        match &mut self.line {
            ModuleLine::Fxs(line, _) => line.feed = LineFeed::Open,
            ModuleLine::Fxo(line) => line.hook = Hook::On,
        }
        self.control()
    }

    /// One sample of a status register.
    pub(super) fn sample(
        &mut self,
        register: Address,
        value: u8,
        counters: &mut Counters,
        event: &mut dyn FnMut(PortEvent),
    ) {
        if self.unwritten {
            // The commanded value is not written yet, so the sample can't be compared with it.
            return;
        }
        let companding = self.country.companding();
        let reaction = match &mut self.line {
            ModuleLine::Fxs(line, _) => line.sample(register, value, event),
            ModuleLine::Fxo(line) => line.sample(register, value, event),
        };
        match reaction {
            Reaction::None => {}
            Reaction::Write => {
                if matches!(self.line, ModuleLine::Fxo(..)) {
                    counters.rewritten += 1;
                }
                self.unwritten = true;
            }
            Reaction::Suspect => {
                self.begin(Task::Diagnose(match self.line {
                    ModuleLine::Fxs(..) => {
                        Sequence::new(|chip| async move { si3210::diagnose(&chip).await })
                    }
                    ModuleLine::Fxo(..) => Sequence::new(move |chip| async move {
                        si3050::diagnose(&chip, companding).await
                    }),
                }))
            }
        }
    }

    /// Reads all registers of the chip, operation by operation.
    pub(super) fn dump(&self) -> Sequence<ModuleDump> {
        let slot = self.slot;
        match self.line {
            ModuleLine::Fxs(_, calibration) => Sequence::new(move |chip| async move {
                si3210::dump(&chip, slot, calibration.model).await
            }),
            ModuleLine::Fxo(_) => {
                Sequence::new(move |chip| async move { si3050::dump(&chip, slot).await })
            }
        }
    }

    /// Goes on with a repair as far as `perform` has room (`None` where it has not).
    ///
    /// # Errors
    /// The module is given up.
    pub(super) fn repair(
        &mut self,
        now: Time,
        perform: &mut dyn FnMut(ModuleKind, Operation) -> Option<u8>,
        counters: &mut Counters,
        event: &mut dyn FnMut(PortEvent),
    ) -> Result<(), ModuleError> {
        let kind = self.kind();
        if self.untuned && self.repair.is_none() {
            self.untuned = false;
            let daa = self.daa;
            self.begin(Task::Tune(Sequence::new(move |chip| async move {
                si3050::tune(&chip, daa).await;
            })));
        }
        while let Some(repair) = &mut self.repair {
            let answer = match repair.next {
                None => None,
                Some(Operation::Wait(time)) => {
                    if now < *repair.until.get_or_insert(now + time) {
                        return Ok(());
                    }
                    Some(0)
                }
                Some(operation) => match perform(kind, operation) {
                    Some(answer) => Some(answer),
                    None => return Ok(()),
                },
            };
            repair.until = None;
            match &mut repair.task {
                Task::Diagnose(sequence) => match sequence.advance(answer) {
                    SequenceProgress::Do(operation) => repair.next = Some(operation),
                    SequenceProgress::Done(diagnosis) => {
                        self.repair = None;
                        self.treat(diagnosis, now, counters, event);
                    }
                },
                Task::Restore(fault, sequence) => match sequence.advance(answer) {
                    SequenceProgress::Do(operation) => repair.next = Some(operation),
                    SequenceProgress::Done(result) => {
                        let fault = *fault;
                        self.repair = None;
                        match result {
                            Ok(()) => {
                                counters.restored += 1;
                                self.unwritten = true;
                                self.gains_unwritten = self.has_other_gains();
                                event(PortEvent::Fault(fault(Remedy::Restored)));
                            }
                            Err(error) => {
                                self.restore(fault, Restoration::Repeated, error, now, event);
                            }
                        }
                    }
                },
                Task::Tune(sequence) => match sequence.advance(answer) {
                    SequenceProgress::Do(operation) => repair.next = Some(operation),
                    SequenceProgress::Done(()) => self.repair = None,
                },
                Task::Release(error, sequence) => match sequence.advance(answer) {
                    SequenceProgress::Do(operation) => repair.next = Some(operation),
                    SequenceProgress::Done(()) => return Err(*error),
                },
            }
        }
        Ok(())
    }

    fn treat(
        &mut self,
        diagnosis: Diagnosis,
        now: Time,
        counters: &mut Counters,
        event: &mut dyn FnMut(PortEvent),
    ) {
        let (fault, counter, how, error): (Fault, _, _, _) = match diagnosis {
            Diagnosis::Sound => {
                counters.rewritten += 1;
                self.unwritten = true;
                return;
            }
            Diagnosis::PowerAlarm => {
                counters.power_alarms += 1;
                let remedy = self.feed_again(now);
                event(PortEvent::Fault(PortFault::PowerAlarm(remedy)));
                return;
            }
            Diagnosis::PartReset => (
                PortFault::PartReset,
                &mut counters.part_resets,
                Restoration::Full,
                ModuleError::TooManyFaults,
            ),
            Diagnosis::IsoLinkLost => (
                PortFault::IsoLinkLost,
                &mut counters.link_losses,
                Restoration::Full,
                ModuleError::NoIsoLink,
            ),
            Diagnosis::NotAnswering => (
                PortFault::NotAnswering,
                &mut counters.silences,
                Restoration::IfLost,
                ModuleError::NotAnswering,
            ),
        };
        *counter += 1;
        event(PortEvent::Fault(fault(Remedy::Restoring)));
        self.restore(fault, how, error, now, event);
    }

    /// After a power alarm: the line is fed as before (but not rung), if it may be tried again.
    fn feed_again(&mut self, now: Time) -> Remedy {
        let again = self.attempts.take(now);
        if let ModuleLine::Fxs(line, _) = &mut self.line {
            line.feed = match line.feed {
                _ if !again => LineFeed::Open,
                LineFeed::Ringing => LineFeed::Active,
                feed => feed,
            };
        }
        self.unwritten = true;
        if again { Remedy::Restored } else { Remedy::GaveUp }
    }

    /// Begins to set the chip up again, or gives it up for the reason given.
    fn restore(
        &mut self,
        fault: Fault,
        how: Restoration,
        error: ModuleError,
        now: Time,
        event: &mut dyn FnMut(PortEvent),
    ) {
        if !self.attempts.take(now) {
            event(PortEvent::Fault(fault(Remedy::GaveUp)));
            return self.give_up(error);
        }
        let (slot, country, daa) = (self.slot, self.country, self.daa);
        let companding = country.companding();
        let pause = if how == Restoration::Full { Duration::ZERO } else { PAUSE };
        let may_be_sound = how == Restoration::IfLost;
        let sequence = match self.line {
            ModuleLine::Fxs(_, calibration) => Sequence::new(move |chip| async move {
                chip.wait(pause).await;
                // An open line is no fault here: it is fed as commanded when this ends.
                if may_be_sound
                    && let Diagnosis::Sound | Diagnosis::PowerAlarm = si3210::diagnose(&chip).await
                {
                    return Ok(());
                }
                si3210::restore(&chip, slot, country, calibration).await
            }),
            ModuleLine::Fxo(_) => Sequence::new(move |chip| async move {
                chip.wait(pause).await;
                if may_be_sound && si3050::diagnose(&chip, companding).await == Diagnosis::Sound {
                    return Ok(());
                }
                si3050::bring_up(&chip, slot, daa, companding).await
            }),
        };
        self.begin(Task::Restore(fault, sequence));
    }

    /// The module is not serviced any more, so its line must not stay off-hook, fed or ringing. A
    /// module whose registers can't be parsed may still pass audio.
    fn give_up(&mut self, error: ModuleError) {
        let release = self.release();
        let sequence = Sequence::new(move |chip: Chip<()>| async move {
            chip.resync().await;
            chip.perform(release).await;
        });
        self.begin(Task::Release(error, sequence));
    }

    fn begin(&mut self, task: Task) {
        self.repair = Some(Repair { task, next: None, until: None });
    }

    /// How the port is.
    pub(super) fn status(&self) -> PortStatus {
        let restoring = self.is_restoring();
        match &self.line {
            ModuleLine::Fxs(line, _) => PortStatus {
                kind: ModuleKind::Fxs,
                hook: line.hook(),
                ringing: line.feed == LineFeed::Ringing,
                feed: Some(line.feed),
                battery: None,
                polarity: Some(line.polarity),
                voltage: None,
                current: None,
                restoring,
            },
            ModuleLine::Fxo(line) => PortStatus {
                kind: ModuleKind::Fxo,
                hook: line.hook,
                ringing: line.ringing(),
                feed: None,
                battery: line.battery(),
                polarity: line.polarity(),
                voltage: line.voltage(),
                current: line.current(),
                restoring,
            },
        }
    }

    /// Commands the hook of an FXO line; `false` for FXS.
    pub(super) fn set_hook(&mut self, hook: Hook) -> bool {
        let ModuleLine::Fxo(line) = &mut self.line else { return false };
        line.hook = hook;
        self.unwritten = true;
        true
    }

    /// Commands the feed of an FXS line; `false` for FXO.
    pub(super) fn set_feed(&mut self, feed: LineFeed) -> bool {
        let ModuleLine::Fxs(line, _) = &mut self.line else { return false };
        line.feed = feed;
        self.unwritten = true;
        true
    }

    /// Whether the gains are not those that the chip has after it was set up.
    fn has_other_gains(&self) -> bool {
        matches!(&self.line, ModuleLine::Fxs(line, _) if line.gains != Gains::default())
    }

    /// Commands the gains of an FXS line; `false` for FXO.
    pub(super) fn set_gains(&mut self, gains: Gains) -> bool {
        let ModuleLine::Fxs(line, _) = &mut self.line else { return false };
        line.gains = gains;
        self.gains_unwritten = true;
        true
    }

    /// Commands impedance and hybrid of an FXO line; `false` for FXS.
    pub(super) fn tune(&mut self, tuning: LineTuning) -> bool {
        if self.kind() == ModuleKind::Fxs {
            return false;
        }
        self.daa.ac_termination = tuning.ac_termination;
        self.daa.hybrid = tuning.hybrid;
        self.untuned = true;
        true
    }

    /// Commands the polarity of an FXS line; `false` for FXO.
    pub(super) fn set_polarity(&mut self, polarity: Polarity) -> bool {
        let ModuleLine::Fxs(line, _) = &mut self.line else { return false };
        line.polarity = polarity;
        self.unwritten = true;
        true
    }
}
