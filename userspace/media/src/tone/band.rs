//! Bands: sounds of a plan that a block is too short to tell apart.
//!
//! Two sounds are in one band if each frequency of the one is near a frequency of the other, or if
//! one is the other with a modulated amplitude. Signals whose sounds are in one band are
//! distinguished by their cadences.

use ringback_country::{Plan, Sound};

/// Frequencies that are no further apart than this can't be told apart in a block of 20 ms, in Hz.
const NEAR_HZ: u16 = 26;

/// From here on up exchanges differ by more than a block tells apart, in Hz: the special
/// information tone may be off by 50 Hz (ITU-T E.180).
const WIDE_HZ: u16 = 700;

/// Sounds of a plan that can't be told apart.
#[derive(Debug, Clone)]
pub(super) struct Band {
    sounds: Vec<Sound>,
}

impl Band {
    /// The bands of all sounds that characterise the signals of a plan.
    pub(super) fn of(plan: &Plan) -> Vec<Band> {
        let mut bands: Vec<Band> = Vec::new();
        for (_, signal) in plan.signals() {
            for sound in signal.figure().iter().filter_map(|segment| segment.sound) {
                match bands.iter_mut().find(|band| band.takes(sound)) {
                    Some(band) if band.sounds.contains(&sound) => {}
                    Some(band) => band.sounds.push(sound),
                    None => bands.push(Band::from_sound(sound)),
                }
            }
        }
        bands
    }

    /// The band of one sound.
    pub(super) fn from_sound(sound: Sound) -> Band {
        Band { sounds: vec![sound] }
    }

    /// Whether the sound can't be told from any of the band's.
    fn takes(&self, sound: Sound) -> bool {
        self.sounds.iter().all(|&own| alike(own, sound))
    }

    /// Whether the sound is one of the band's.
    pub(super) fn contains(&self, sound: Sound) -> bool {
        self.sounds.contains(&sound)
    }

    /// All frequencies of its sounds, in Hz, in ascending order, with their neighbours where
    /// they are high.
    pub(super) fn hz(&self) -> Vec<u16> {
        let mut all: Vec<u16> = self.sounds.iter().flat_map(Sound::spectrum_hz).collect();
        if all.iter().all(|&hz| hz >= WIDE_HZ) {
            all = all.iter().flat_map(|hz| [hz - NEAR_HZ, *hz, hz + NEAR_HZ]).collect();
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether it consists of one sound that is not modulated, so that its blocks have a steady
    /// level, and the parts of a pair are as loud as each other.
    pub(super) fn is_pure(&self) -> bool {
        matches!(self.sounds.as_slice(), [sound] if sound.modulation_hz().is_none())
            && self.hz().len() <= 2
    }
}

fn alike(one: Sound, other: Sound) -> bool {
    let near = |one: Sound, other: Sound| {
        one.spectrum_hz().all(|hz| other.spectrum_hz().any(|near| near.abs_diff(hz) <= NEAR_HZ))
    };
    one.hz().eq(other.hz()) || near(one, other) && near(other, one)
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;

    use super::*;

    fn bands(country: &str) -> Vec<Vec<u16>> {
        let plan = country.parse::<Country>().unwrap().tones();
        Band::of(plan).iter().map(Band::hz).collect()
    }

    #[test]
    fn sounds_that_differ_by_little_or_by_modulation_are_one_band() {
        let uk = bands("UK");
        assert_eq!(uk[..3], [vec![350, 440], vec![400, 450], vec![400]]);
        let india = bands("India");
        assert_eq!(
            india,
            [[375, 400, 425], [924, 950, 976], [1374, 1400, 1426], [1774, 1800, 1826]]
        );
        assert_eq!(bands("Australia"), [vec![413, 415, 425, 428, 438, 440]]);
        assert_eq!(bands("Thailand")[0], [350, 400, 450]);
    }
}
