//! Tells the lines that the exchange rings who calls, in the way of its country.
//!
//! After the first ring that is in the pause behind it; before the first ring it delays the
//! ringing, and battery is reversed meanwhile where the country's exchanges do that.

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

/// What a line is told that rings.
#[derive(Debug)]
pub(super) struct Telling {
    sender: CallerIdSender,
    moment: CallerIdMoment,
    /// When it begins, in ms of ringing, if it comes after a ring.
    after_ms: u64,
    /// How long it took before the first ring, in ms.
    took_ms: u64,
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
        Some(Telling { sender, moment: method.moment, after_ms, took_ms: 0 })
    }

    fn is_before_ring(&self) -> bool {
        self.moment != CallerIdMoment::AfterRing
    }

    /// Adds the next millisecond to a line for which the exchange has called for so long.
    pub(super) fn tell(&mut self, called_ms: u64, audio: &mut Frame) {
        if self.sender.is_over() || !self.is_before_ring() && called_ms < self.after_ms {
            return;
        }
        self.sender.fill(audio);
        self.took_ms += 1;
    }

    /// How long the line has been rung; `None` before.
    pub(super) fn rung_ms(&self, called_ms: u64) -> Option<u64> {
        match self.is_before_ring() {
            true => self.sender.is_over().then(|| called_ms.saturating_sub(self.took_ms)),
            false => Some(called_ms),
        }
    }

    /// Whether battery is reversed.
    pub(super) fn reverses(&self) -> bool {
        self.moment == CallerIdMoment::AfterReversal && !self.sender.has_told()
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
