//! Tells the lines that the exchange rings who calls, in the way of its country.
//!
//! After the first ring that is in the pause behind it; before the first ring it delays the
//! ringing, and battery is reversed meanwhile where the country's exchanges do that. In Japan a
//! line is told that answers a short ringing signal; when it has hung up, or if it does not answer
//! for six seconds, it is rung as usual.

use ringback_country::{Cadence, CallerIdMoment, Country};
use ringback_media::caller_id::{Caller, CallerIdSender};

use crate::chips::Frame;

/// A pause that is long enough for a message: the one inside a double ring is not.
const PAUSE_MS: u16 = 1000;

/// What the exchange says of one party when it calls, and how it says it to one that is called.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// `None` for the number of its line.
    pub(super) caller: Option<Caller>,
    /// A bit of each data message to it that is sent wrong.
    pub(super) wrong_bit: Option<usize>,
}

/// The short ringing signal that a line is to answer, how long after the reversal it begins, and
/// how long it is sent, in ms.
const SHORT_RING: Cadence = Cadence::on_off(500, 500);
const SHORT_RING_AFTER_MS: u64 = 200;
const SHORT_RINGS_MS: u64 = 6000;

/// What becomes of a line that is told off-hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OffHook {
    /// It is to answer the short ringing signal.
    Answers,
    /// It has answered, is told, and is to hang up then.
    Hears,
    /// It rings.
    Rings,
}

/// What a line is told that rings.
#[derive(Debug)]
pub(super) struct Telling {
    sender: CallerIdSender,
    moment: CallerIdMoment,
    /// When it begins, in ms of ringing, if it comes after a ring.
    after_ms: u64,
    /// How long it took before the first ring, in ms.
    took_ms: u64,
    off_hook: OffHook,
}

impl Telling {
    /// What a country's exchanges send; `None` where that is not known.
    pub(super) fn new(
        country: Country,
        caller: &Caller,
        wrong_bit: Option<usize>,
    ) -> Option<Telling> {
        let method = country.caller_id()?;
        let mut sender = CallerIdSender::new(method, caller);
        if let Some(bit) = wrong_bit {
            sender.set_wrong_bit(bit);
        }
        let after_ms = first_ring_ms(country.ring());
        let off_hook = OffHook::Answers;
        Some(Telling { sender, moment: method.moment, after_ms, took_ms: 0, off_hook })
    }

    fn is_before_ring(&self) -> bool {
        self.moment != CallerIdMoment::AfterRing
    }

    fn is_off_hook(&self) -> bool {
        self.moment == CallerIdMoment::OffHook
    }

    /// Follows the hook of a line that is told off-hook. Returns whether it does not ring yet, so
    /// that to lift it is not to answer the call.
    pub(super) fn watch(&mut self, off_hook: bool) -> bool {
        if !self.is_off_hook() {
            return false;
        }
        match (self.off_hook, off_hook) {
            (OffHook::Answers, true) => self.off_hook = OffHook::Hears,
            (OffHook::Hears, false) => self.off_hook = OffHook::Rings,
            _ => {}
        }
        self.off_hook != OffHook::Rings
    }

    /// Adds the next millisecond to a line for which the exchange has called for so long.
    pub(super) fn tell(&mut self, called_ms: u64, audio: &mut Frame) {
        if self.is_off_hook() {
            if self.off_hook == OffHook::Answers && called_ms >= SHORT_RINGS_MS {
                self.off_hook = OffHook::Rings;
            }
            if self.off_hook != OffHook::Rings {
                self.took_ms = called_ms;
            }
            if self.off_hook == OffHook::Hears && !self.sender.is_over() {
                self.sender.fill(audio);
            }
            return;
        }
        if self.sender.is_over() || !self.is_before_ring() && called_ms < self.after_ms {
            return;
        }
        self.sender.fill(audio);
        self.took_ms += 1;
    }

    /// Whether the line rings, with the cadence of its country, after it was called for so long.
    pub(super) fn rings(&self, called_ms: u64, country: Cadence) -> bool {
        match self.off_hook {
            OffHook::Answers if self.is_off_hook() => {
                let ms = called_ms.checked_sub(SHORT_RING_AFTER_MS);
                ms.is_some_and(|ms| SHORT_RING.sounds_at(ms))
            }
            _ => self.rung_ms(called_ms).is_some_and(|ms| country.sounds_at(ms)),
        }
    }

    /// How long the line has been rung; `None` before.
    fn rung_ms(&self, called_ms: u64) -> Option<u64> {
        match self.is_before_ring() {
            true if self.is_off_hook() => {
                let rings = self.off_hook == OffHook::Rings;
                rings.then(|| called_ms.saturating_sub(self.took_ms))
            }
            true => self.sender.is_over().then(|| called_ms.saturating_sub(self.took_ms)),
            false => Some(called_ms),
        }
    }

    /// Whether battery is reversed.
    pub(super) fn reverses(&self) -> bool {
        match self.moment {
            CallerIdMoment::AfterReversal => !self.sender.has_told(),
            CallerIdMoment::OffHook => self.off_hook != OffHook::Rings,
            CallerIdMoment::AfterRing | CallerIdMoment::BeforeRing => false,
        }
    }
}

/// When the first ring has ended, in ms.
fn first_ring_ms(cadence: Cadence) -> u64 {
    let steps: Vec<u16> = cadence.steps_ms().collect();
    let pairs = steps.chunks(2).map(|pair| match pair {
        [on, off] => (*on, *off),
        _ => (0, 0),
    });
    let mut ms = 0;
    for (on, off) in pairs {
        ms += u64::from(on);
        if off >= PAUSE_MS {
            break;
        }
        ms += u64::from(off);
    }
    ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ring_ends_before_a_long_pause() {
        assert_eq!(first_ring_ms(Cadence::on_off(2000, 4000)), 2000);
        assert_eq!(first_ring_ms(Cadence::double(400, 200, 400, 2000)), 1000);
    }
}
