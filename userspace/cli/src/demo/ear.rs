//! Detects tones and exchange signals in the samples that a far end has heard.

use ringback_country::Country;
use ringback_media::level::{power_at, rms_dbm0};
use ringback_media::tone::{CallProgress, Detector, Heard};

/// Samples that are judged at a time: 50 ms, which separates tones 50 Hz apart.
const BLOCK: usize = 400;
const BLOCK_MS: u32 = 50;
/// A block below this level is silence.
const QUIET_DBM0: f32 = -35.0;
/// A block is the tone if the tone's power is within this of the whole block's power.
const SHARE_DB: f32 = 1.5;

/// Returns for how many milliseconds only a tone of this frequency was heard.
pub(super) fn tone_ms(samples: &[i16], hz: f32) -> u32 {
    let blocks = samples.chunks_exact(BLOCK).filter(|block| {
        let level = rms_dbm0(block);
        level > QUIET_DBM0 && power_at(block, hz) > level - SHARE_DB
    });
    blocks.map(|_| BLOCK_MS).sum()
}

/// Returns whether this signal of an exchange was heard.
pub(super) fn hears(samples: &[i16], country: Country, signal: CallProgress) -> bool {
    let mut detector = Detector::new(country.tones());
    let heard = samples.chunks(BLOCK).filter_map(|piece| detector.feed(piece));
    heard.into_iter().any(|heard| heard == Heard::Tone(signal))
}

#[cfg(test)]
mod tests {
    use ringback_media::tone::Generator;

    use super::*;
    use crate::scenery::tone;

    #[test]
    fn a_tone_is_heard_for_as_long_as_it_sounds() {
        let mut samples = vec![0; 4000];
        samples.extend(tone(1400.0, 1000));
        assert_eq!(tone_ms(&samples, 1400.0), 1000);
        assert_eq!(tone_ms(&samples, 1300.0), 0, "another tone is not it");
        assert_eq!(tone_ms(&[0; 8000], 1400.0), 0, "silence is not it");
        let mixed: Vec<i16> =
            tone(1400.0, 500).iter().zip(tone(850.0, 500)).map(|(a, b)| a / 2 + b / 2).collect();
        assert_eq!(tone_ms(&mixed, 1400.0), 0, "beside another it is not it");
    }

    #[test]
    fn signals_of_the_exchange_are_distinguished() {
        for country in ["FCC", "UK", "GERMANY"].map(|name| name.parse::<Country>().unwrap()) {
            let mut samples = vec![0; 32_000];
            Generator::new(&country.tones().reorder).fill(&mut samples);
            assert!(hears(&samples, country, CallProgress::Reorder), "{country}");
            assert!(!hears(&samples, country, CallProgress::Busy), "{country}");
            assert!(!hears(&[0; 16_000], country, CallProgress::Reorder));
        }
    }
}
