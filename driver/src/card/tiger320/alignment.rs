//! The proof that the samples of each slot are in their own byte of the DMA words.
//!
//! Nothing in the words says where a frame begins, so after each reset of the serial port it is
//! tried: for some milliseconds one module, the witness, sends A-law, whatever the law of its
//! country, and the others send nothing. Their bytes are ones then, as those of empty slots; the
//! witness's are not, because in A-law ones are a voltage that no line has for so long. Samples are
//! exchanged only after that.
//!
//! A card is only taken for shifted if the witness's byte is all ones and exactly one other is not.
//! Whatever else is found proves nothing and changes nothing: that a slot that sends nothing reads
//! as ones is known of the software card alone. A module that is being set up sends nothing until
//! that is done (the PCM mode is written last), and so disturbs no trial.
//!
//! Sound towards the lines is not tried, because nothing can be read back; it moves with the same
//! frames.

use std::time::Duration;

use ringback_country::Companding;

use super::Tiger320;
use super::bring_up;
use super::budget::Budget;
use super::error::OpenError;
use super::registers::{Bus, INTSTAT, Interrupts, OPER, Operate};
use super::ring::SLOTS;
use super::spi;
use crate::card::Delay;
use crate::card::module::Sending;
use crate::device::Device;
use crate::{PortNumber, Time};

/// How long the witness sends by itself: five rounds of the ring.
pub(super) const TRIAL: Duration = Duration::from_millis(10);
/// The serial port of a card that is shifted is reset again, so often in succession.
pub(super) const MOST_SHIFTS: u32 = 5;

/// What a trial has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    /// Each slot's samples are in its byte.
    Proved,
    /// The witness's samples are in another slot's byte.
    Shifted,
    /// It is not known.
    Unknown,
}

/// Judges the words that came in while only the witness sent.
pub(super) fn judge(words: &[u32], witness: PortNumber) -> Alignment {
    let active: [bool; SLOTS] =
        std::array::from_fn(|slot| words.iter().any(|word| word.to_le_bytes()[slot] != u8::MAX));
    let others = active.iter().enumerate().filter(|(slot, _)| *slot != witness.index());
    let others = others.filter(|(_, active)| **active).count();
    match (active.get(witness.index()), others) {
        (Some(true), 0) => Alignment::Proved,
        (Some(false), 1) => Alignment::Shifted,
        _ => Alignment::Unknown,
    }
}

impl<D: Device> Tiger320<D> {
    /// The module that is to send by itself: the first that is not being repaired.
    pub(super) fn witness(&self) -> Option<PortNumber> {
        let mut modules = PortNumber::each().zip(&self.modules);
        modules.find_map(|(slot, module)| {
            module.as_ref().is_some_and(|module| !module.in_repair()).then_some(slot)
        })
    }

    /// Begins a trial, which takes [`TRIAL`]. The ports have left their reset.
    pub(super) fn begin_trial(&mut self, witness: PortNumber, now: Time) {
        self.send(|slot| {
            if slot == witness { Sending::Samples(Companding::ALaw) } else { Sending::Nothing }
        });
        let r = Bus::new(self.device.registers());
        let Some(memory) = self.device.dma() else { return };
        self.ring.restart(memory, 0, now);
        self.ring.clear_received(memory);
        r.write(INTSTAT, Interrupts::EVERY);
        r.write(OPER, Operate::DMA);
    }

    /// Ends a trial: DMA stands still, and the modules send as usual.
    pub(super) fn end_trial(&mut self, witness: PortNumber) -> Alignment {
        Bus::new(self.device.registers()).write(OPER, Operate::empty());
        let companding = self.country.companding();
        self.send(|_| Sending::Samples(companding));
        let Some(memory) = self.device.dma() else { return Alignment::Unknown };
        let alignment = judge(&self.ring.every_received(memory), witness);
        match alignment {
            Alignment::Proved => {
                self.unproved = false;
                self.shifts = 0;
            }
            Alignment::Shifted => {
                self.shifts += 1;
                self.counters.shifted += 1;
            }
            Alignment::Unknown => {}
        }
        alignment
    }

    /// Ends bring-up with a trial, which is repeated while the card is shifted.
    pub(super) fn align(&mut self, delay: &mut dyn Delay) -> Result<(), OpenError> {
        loop {
            bring_up::finish(Bus::new(self.device.registers()), &self.slots, delay)?;
            let Some(witness) = self.witness() else { return Ok(()) };
            // What refuses it now refuses it when the card is started, which says so.
            if self.device.enable_bus_master().is_err() {
                return Ok(());
            }
            self.begin_trial(witness, Time::ZERO);
            delay.delay(TRIAL);
            match self.end_trial(witness) {
                Alignment::Shifted if self.shifts < MOST_SHIFTS => {}
                Alignment::Shifted => return Err(OpenError::Shifted),
                Alignment::Proved | Alignment::Unknown => return Ok(()),
            }
        }
    }

    /// Has the modules that are not being repaired send their samples in this way. While a card is
    /// started anew there are no ticks, so that this begins a budget. Commands that have no room in
    /// the rest of it wait for the first tick.
    fn send(&mut self, how: impl Fn(PortNumber) -> Sending) {
        self.budget = Budget::of_trial();
        let r = Bus::new(self.device.registers());
        for (slot, module) in PortNumber::each().zip(&self.modules) {
            if let Some(module) = module.as_ref().filter(|module| !module.in_repair()) {
                let (kind, operation) = (module.kind(), module.sending(how(slot)));
                if self.budget.take(spi::cost(kind, operation)) {
                    self.spi.perform(r, slot, kind, operation);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sound_at_another_place_alone_is_a_shift() {
        use Alignment::{Proved, Shifted, Unknown};
        let word = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
        for (bytes, wanted) in [
            ([0xD5, 0xFF, 0xFF, 0xFF], [Proved, Shifted, Shifted, Shifted]),
            ([0xFF, 0xFF, 0x55, 0xFF], [Shifted, Shifted, Proved, Shifted]),
            ([0xD5, 0x7F, 0xFF, 0xFF], [Unknown; 4]),
            ([0xD5, 0xD5, 0xFF, 0x00], [Unknown; 4]),
            ([0; 4], [Unknown; 4]),
            ([0xFF; 4], [Unknown; 4]),
        ] {
            let words = [u32::MAX, word(bytes), u32::MAX];
            let judged: Vec<_> =
                PortNumber::each().take(4).map(|slot| judge(&words, slot)).collect();
            assert_eq!(judged, wanted, "{bytes:02x?}");
        }
    }
}
