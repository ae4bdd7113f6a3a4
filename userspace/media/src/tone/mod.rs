//! Call-progress tones: what an exchange tells a caller, made and heard.
//!
//! A [`Plan`] is one country's signals as data: their frequencies, cadences and levels. The
//! generator and the detector know no country.
//!
//! spandsp's detector of such tones (`super_tone_rx`) was measured and not taken: with the North
//! American plan it hears dial tone several times a minute in white noise, and with a plan of one
//! frequency it takes any sound for that frequency.

mod detector;
mod generator;
mod runs;
mod spectrum;

pub use detector::{Detector, Heard};
pub use generator::Generator;

use crate::samples_in;

/// What an exchange tells with a tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    /// Dial now.
    Dial,
    /// The other side is being rung.
    Ringback,
    /// The other side is in use.
    Busy,
    /// No way through, or off-hook too long: congestion, fast busy.
    Reorder,
}

impl CallProgress {
    /// All of them.
    pub const ALL: [CallProgress; 4] =
        [CallProgress::Dial, CallProgress::Ringback, CallProgress::Busy, CallProgress::Reorder];
}

/// When a signal sounds and when it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Sound, rest, sound, rest in ms, beginning anew after the last that is not 0.
    steps_ms: [u16; 4],
}

impl Cadence {
    /// Sounds without rest.
    pub const CONTINUOUS: Cadence = Cadence { steps_ms: [0; 4] };

    /// Sounds for `on_ms`, rests for `off_ms`, for ever. Without rest it is continuous.
    pub const fn on_off(on_ms: u16, off_ms: u16) -> Cadence {
        Cadence::double(on_ms, off_ms, 0, 0)
    }

    /// Two sounds of different length, or with rests of different length, for ever; in ms.
    pub const fn double(on_ms: u16, off_ms: u16, second_on_ms: u16, second_off_ms: u16) -> Cadence {
        if on_ms == 0 || off_ms == 0 {
            return Cadence::CONTINUOUS;
        }
        if second_on_ms == 0 || second_off_ms == 0 {
            return Cadence { steps_ms: [on_ms, off_ms, 0, 0] };
        }
        Cadence { steps_ms: [on_ms, off_ms, second_on_ms, second_off_ms] }
    }

    /// The lengths of sound and rest in turn, in samples; empty where it is continuous.
    fn steps(&self) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
        let used = self.steps_ms.iter().take_while(|&&ms| ms != 0).count();
        self.steps_ms.iter().take(used).map(|&ms| samples_in(u32::from(ms)))
    }

    fn is_continuous(&self) -> bool {
        *self == Cadence::CONTINUOUS
    }
}

/// One signal of a plan: one or two frequencies in a cadence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// The frequency, or the lower of two, in Hz.
    pub low_hz: u16,
    /// The higher frequency, where there are two, in Hz.
    pub high_hz: Option<u16>,
    /// When it sounds.
    pub cadence: Cadence,
    /// The level it is sent with, of each frequency, in dBm0.
    pub level_dbm0: f32,
}

/// The call-progress signals of one country.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Dial tone.
    pub dial: Signal,
    /// Ringback, audible ringing.
    pub ringback: Signal,
    /// Busy.
    pub busy: Signal,
    /// Reorder, congestion.
    pub reorder: Signal,
}

impl Plan {
    /// The precise tone plan of North America (Telcordia GR-506), and of the Tiger320 cards' usual
    /// home.
    pub const NORTH_AMERICA: Plan = Plan {
        dial: pair(350, 440, Cadence::CONTINUOUS, -13.0),
        ringback: pair(440, 480, Cadence::on_off(2000, 4000), -19.0),
        busy: pair(480, 620, Cadence::on_off(500, 500), -24.0),
        reorder: pair(480, 620, Cadence::on_off(250, 250), -24.0),
    };

    /// 425 Hz for everything, as most of Europe has it (ETSI TR 101 041-2, ITU-T E.180).
    pub const EUROPE: Plan = Plan {
        dial: single(425, Cadence::CONTINUOUS, -10.0),
        ringback: single(425, Cadence::on_off(1000, 4000), -10.0),
        busy: single(425, Cadence::on_off(500, 500), -10.0),
        reorder: single(425, Cadence::on_off(250, 250), -10.0),
    };

    /// The signal that says `what`.
    pub const fn signal(&self, what: CallProgress) -> &Signal {
        match what {
            CallProgress::Dial => &self.dial,
            CallProgress::Ringback => &self.ringback,
            CallProgress::Busy => &self.busy,
            CallProgress::Reorder => &self.reorder,
        }
    }
}

const fn pair(low_hz: u16, high_hz: u16, cadence: Cadence, level_dbm0: f32) -> Signal {
    Signal { low_hz, high_hz: Some(high_hz), cadence, level_dbm0 }
}

const fn single(hz: u16, cadence: Cadence, level_dbm0: f32) -> Signal {
    Signal { low_hz: hz, high_hz: None, cadence, level_dbm0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cadences_without_sound_or_rest_are_continuous() {
        assert!(Cadence::on_off(0, 500).is_continuous());
        assert!(Cadence::on_off(500, 0).is_continuous());
        assert_eq!(Cadence::double(400, 200, 400, 0), Cadence::on_off(400, 200));
        assert_eq!(Cadence::on_off(1, 2).steps().collect::<Vec<_>>(), [8, 16]);
        assert_eq!(Cadence::double(1, 2, 3, 4).steps().count(), 4);
        assert_eq!(Cadence::CONTINUOUS.steps().count(), 0);
    }
}
