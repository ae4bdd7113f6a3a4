//! Recognises the tone by which an exchange confirms that it has done what a code asks for: it has
//! the sound of dial tone, and sounds some times for a moment.

use ringback_country::{Bursts, Sound};

use super::band::Band;
use super::spectrum::{BLOCK, Subspace};
use crate::level::rms_dbm0;

/// How long a block is that is judged as a whole.
const BLOCK_MS: u32 = 20;
/// What is quieter is silence.
const QUIET_DBM0: f32 = -38.0;
/// Sines of the sound's frequencies explain at least this share of a block's power, also where they
/// nearly cancel each other.
const SHARE: f32 = 0.5;

/// Listens for one confirming tone.
#[derive(Debug)]
pub struct Confirmation {
    bursts: Bursts,
    sound: Subspace,
    block: [i16; BLOCK],
    filled: usize,
    /// Whether the sound is on the line, and for how many ms it has been so.
    sounds: bool,
    ms: u32,
    /// The latest block differed; one alone is where the frequencies of a sound cancel each other.
    doubtful: bool,
    /// How often it has sounded as it should.
    heard: u8,
}

impl Confirmation {
    /// Listens for bursts of this sound. One that sounds already is no whole one, whatever is left
    /// of it: it belongs to what was asked for before. So listening begins as if the sound had been
    /// there for ever, and counts bursts after 40 ms without it.
    pub fn new(bursts: Bursts, sound: Sound) -> Confirmation {
        Confirmation {
            bursts,
            sound: Subspace::new(&Band::from_sound(sound)),
            block: [0; BLOCK],
            filled: 0,
            sounds: true,
            ms: u32::MAX,
            doubtful: false,
            heard: 0,
        }
    }

    /// Processes samples; returns whether the tone was heard in them, up to the end of the last
    /// burst that is needed.
    pub fn feed(&mut self, samples: &[i16]) -> bool {
        let mut confirmed = false;
        for &sample in samples {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = sample;
            }
            self.filled += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                confirmed |= self.judge();
            }
        }
        confirmed
    }

    fn judge(&mut self) -> bool {
        let sounds = self.is_sound();
        if sounds == self.sounds {
            let blocks = 1 + u32::from(std::mem::take(&mut self.doubtful));
            self.ms = self.ms.saturating_add(blocks * BLOCK_MS);
            return false;
        }
        self.doubtful = !self.doubtful;
        if self.doubtful {
            return false;
        }
        let (ended, ms) = (self.sounds, self.ms);
        (self.sounds, self.ms) = (sounds, 2 * BLOCK_MS);
        if !ended {
            if !is_about(ms, self.bursts.off_ms) {
                self.heard = 0;
            }
            return false;
        }
        let fits = is_about(ms, self.bursts.on_ms);
        self.heard = if fits { self.heard.saturating_add(1) } else { 0 };
        self.heard >= self.bursts.times
    }

    fn is_sound(&mut self) -> bool {
        rms_dbm0(&self.block) >= QUIET_DBM0 && self.sound.share(&self.block) >= SHARE
    }
}

/// Exchanges differ by a quarter, and lengths are measured in blocks.
fn is_about(ms: u32, wanted: u16) -> bool {
    let wanted = u32::from(wanted);
    ms.abs_diff(wanted) <= wanted / 4 + BLOCK_MS
}

#[cfg(test)]
mod tests {
    use ringback_country::{CallProgress, Codes, Country, Profile};

    use super::*;
    use crate::tone::Generator;

    fn listen(codes: &Codes, country: Country, samples: &[i16]) -> bool {
        let sound = Codes::sound(country.tones()).unwrap();
        let mut confirmation = Confirmation::new(codes.confirmation, sound);
        samples.chunks(8).any(|piece| confirmation.feed(piece))
    }

    #[test]
    fn what_confirms_is_heard_in_every_country_and_what_refuses_is_not_taken_for_it() {
        use CallProgress::{Busy, Dial, Reorder, SpecialInformation};
        for country in Country::each_zone() {
            let plan = country.tones();
            for profile in Profile::ALL {
                let codes = &profile.codes;
                let signal = codes.confirmation(plan).unwrap();
                // Every phase of the blocks, by half a millisecond.
                for silence in 80..120 {
                    let mut samples = vec![0; silence * 4];
                    let start = samples.len();
                    samples.resize(start + 16_000, 0);
                    Generator::new(&signal).fill(&mut samples[start..]);
                    let name = profile.name;
                    assert!(listen(codes, country, &samples), "{name} in {country}, {silence}");
                }
                for what in [Busy, Dial, Reorder, SpecialInformation] {
                    let Some(signal) = plan.signal(what) else { continue };
                    // Where a part of dial tone is a second long it is told by its repetition.
                    let long = signal.figure().iter().filter(|part| part.sound.is_some());
                    let on_ms = codes.confirmation.on_ms;
                    if long.filter_map(|part| part.ms).any(|ms| is_about(u32::from(ms), on_ms)) {
                        continue;
                    }
                    let mut samples = vec![0; 8000 * 8];
                    Generator::new(signal).fill(&mut samples[800..]);
                    let heard = listen(codes, country, &samples);
                    assert!(!heard, "{what:?} of {country} for {}", profile.name);
                }
            }
        }
    }

    #[test]
    fn what_is_left_of_a_tone_that_sounds_already_confirms_nothing() {
        for country in Country::each_zone() {
            for profile in Profile::ALL {
                let codes = &profile.codes;
                let signal = codes.confirmation(country.tones()).unwrap();
                let mut whole = vec![0; 3 * 8000];
                Generator::new(&signal).fill(&mut whole);
                let on_ms = usize::from(codes.confirmation.on_ms);
                for missed_ms in [1, 10, on_ms / 8, on_ms / 5, on_ms / 2] {
                    let rest = &whole[missed_ms * 8..];
                    let heard = listen(codes, country, rest);
                    assert!(!heard, "{missed_ms} ms of {} in {country}", profile.name);
                    // The next one, for what was asked for now, is heard.
                    let both = [rest, &vec![0; missed_ms * 8], &whole].concat();
                    assert!(listen(codes, country, &both), "{} in {country}", profile.name);
                }
            }
        }
    }

    #[test]
    fn silence_and_noise_confirm_nothing() {
        let codes = &Profile::NORTH_AMERICA.codes;
        let country = Country::default();
        assert!(!listen(codes, country, &[0; 16_000]));
        let mut state = 1_u32;
        let noise: Vec<i16> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 8
        })
        .take(80_000)
        .collect();
        assert!(!listen(codes, country, &noise));
    }
}
