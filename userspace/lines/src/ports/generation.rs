//! What a line plays for the application: digits or a tone, one of them at a time (D17).

use ringback_country::{Country, Signal};
use ringback_media::dtmf;
use ringback_media::tone::Generator;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::key::Key;
use ringback_tspi::structs::LINEGENERATETONE;

use crate::Tone;

/// The level of a part of a tone at full volume; four parts together do not clip.
const FULL_DBM0: f32 = -10.0;
const BEEP_HZ: u32 = 1000;
/// Samples that are mixed at a time.
const PIECE: usize = 160;

/// Renders the samples of the digits or the tone, until it has ended.
#[derive(Debug)]
pub(super) enum Generation {
    Digits(dtmf::Generator),
    Tone(Mix),
}

impl Generation {
    /// Generates nothing.
    pub(super) fn none() -> Generation {
        Generation::Digits(dtmf::Generator::new())
    }

    /// Digits; `None` is a pause.
    pub(super) fn digits(digits: &[Option<Key>], timing: DialTiming) -> Generation {
        let mut generator = dtmf::Generator::new();
        generator.set_timing(timing.digit_ms, timing.gap_ms);
        for digit in digits {
            match digit {
                Some(key) => generator.push(tone_digit(*key)),
                None => generator.pause(timing.pause_ms),
            }
        }
        Generation::Digits(generator)
    }

    /// A tone of this many milliseconds; 0 is for ever.
    pub(super) fn tone(tone: &Tone, duration_ms: u32, country: Country) -> Generation {
        let plan = country.tones();
        let parts = match tone {
            Tone::Ringback => vec![Part::progress(&plan.ringback)],
            Tone::Busy => vec![Part::progress(&plan.busy)],
            Tone::Beep => vec![Part::new(&LINEGENERATETONE {
                frequency: BEEP_HZ,
                cadence_on: 1,
                cadence_off: 0,
                volume: FULL_VOLUME,
            })],
            Tone::Custom(parts) => parts.iter().map(Part::new).collect(),
        };
        let left = (duration_ms != 0).then(|| u64::from(duration_ms) * 8);
        Generation::Tone(Mix { parts, left })
    }

    /// Fills `play` with the next samples; returns how many there are, fewer at the end.
    pub(super) fn fill(&mut self, play: &mut [i16]) -> usize {
        match self {
            Generation::Digits(digits) => digits.fill(play),
            Generation::Tone(mix) => mix.fill(play),
        }
    }
}

/// The tones of a key.
pub(super) fn tone_digit(key: Key) -> dtmf::Digit {
    // Both types allow the same sixteen characters.
    dtmf::Digit::from_char(key.as_char()).unwrap_or(dtmf::Digit::ZERO)
}

/// dwVolume of the loudest tone.
const FULL_VOLUME: u32 = 0xFFFF;

/// Parts of a tone that sound together.
#[derive(Debug)]
pub(super) struct Mix {
    parts: Vec<Part>,
    /// Samples that are left; `None` if it has no end.
    left: Option<u64>,
}

impl Mix {
    fn fill(&mut self, play: &mut [i16]) -> usize {
        let left = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let count = play.len().min(left);
        let (now, rest) = play.split_at_mut(count);
        rest.fill(0);
        for piece in now.chunks_mut(PIECE) {
            piece.fill(0);
            for part in &mut self.parts {
                part.add(piece);
            }
        }
        self.left = self.left.map(|left| left.saturating_sub(count as u64));
        count
    }
}

/// A signal in its own cadence.
#[derive(Debug)]
struct Part {
    sound: Generator,
    /// Samples of sound and of silence; no silence for a continuous one.
    cadence: [u64; 2],
    at: u64,
}

impl Part {
    fn new(tone: &LINEGENERATETONE) -> Part {
        let volume = tone.volume.min(FULL_VOLUME) as f32 / FULL_VOLUME as f32;
        // A volume, frequency or time of sound of 0 is silence.
        let silent = tone.frequency == 0 || tone.cadence_on == 0 || tone.volume == 0;
        let level = if silent { f32::NEG_INFINITY } else { FULL_DBM0 + 20.0 * volume.log10() };
        Part {
            sound: Generator::sine(tone.frequency as f32, level),
            cadence: [tone.cadence_on, tone.cadence_off].map(|ms| u64::from(ms) * 8),
            at: 0,
        }
    }

    /// A tone of an exchange, which contains its cadence.
    fn progress(signal: &Signal) -> Part {
        Part { sound: Generator::new(signal), cadence: [1, 0], at: 0 }
    }

    /// Adds the next samples to those of the other parts.
    fn add(&mut self, piece: &mut [i16]) {
        let mut own = [0; PIECE];
        let own = own.get_mut(..piece.len()).unwrap_or_default();
        self.sound.fill(own);
        let [on, off] = self.cadence;
        for (sum, sample) in piece.iter_mut().zip(own) {
            if off == 0 || self.at < on {
                *sum = sum.saturating_add(*sample);
            }
            self.at = (self.at + 1) % (on + off).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_media::level::{power_at, rms_dbm0};

    fn custom(parts: &[LINEGENERATETONE], duration_ms: u32) -> Generation {
        Generation::tone(&Tone::Custom(parts.to_vec()), duration_ms, Country::default())
    }

    fn part(frequency: u32, cadence_on: u32, cadence_off: u32, volume: u32) -> LINEGENERATETONE {
        LINEGENERATETONE { frequency, cadence_on, cadence_off, volume }
    }

    #[test]
    fn parts_sound_together_each_in_its_cadence_and_at_its_volume() {
        let mut tone = custom(&[part(440, 100, 100, 0xFFFF), part(1000, 1, 0, 0x7FFF)], 400);
        let mut samples = vec![0; 4000];
        assert_eq!(tone.fill(&mut samples), 3200, "400 ms");
        assert_eq!(tone.fill(&mut [1; 8]), 0);
        assert!(samples[3200..].iter().all(|sample| *sample == 0));
        for (block, on) in [(0, true), (800, false), (1600, true), (2400, false)] {
            let block = &samples[block..block + 800];
            let (first, second) = (power_at(block, 440.0), power_at(block, 1000.0));
            assert!(if on { (first + 10.0).abs() < 0.5 } else { first < -40.0 }, "{first}");
            assert!((second + 16.0).abs() < 0.5, "half the volume is 6 dB less: {second}");
        }
    }

    #[test]
    fn no_volume_no_frequency_and_no_time_of_sound_are_silence() {
        for silent in [part(440, 100, 0, 0), part(0, 100, 0, 9), part(440, 0, 10, 0xFFFF)] {
            let mut samples = vec![9; 800];
            assert_eq!(custom(&[silent], 0).fill(&mut samples), 800);
            assert!(samples.iter().all(|sample| *sample == 0), "{silent:?}");
        }
    }

    #[test]
    fn a_tone_without_a_duration_has_no_end_and_four_parts_do_not_clip() {
        let four = [400, 700, 1100, 1700].map(|hz| part(hz, 1, 0, 0xFFFF));
        let mut tone = custom(&four, 0);
        for _ in 0..100 {
            let mut samples = vec![0; 8000];
            assert_eq!(tone.fill(&mut samples), 8000);
            assert!(samples.iter().all(|sample| sample.unsigned_abs() < 32_000));
        }
        let mut busy = Generation::tone(&Tone::Busy, 0, Country::default());
        let mut samples = vec![0; 8000];
        busy.fill(&mut samples);
        assert!(rms_dbm0(&samples[..3000]) > -25.0 && rms_dbm0(&samples[4100..7900]) < -60.0);
    }
}
