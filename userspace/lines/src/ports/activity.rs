//! Detects speech: sound that is none of the exchange's tones.
//!
//! A plain analog line has no answer supervision. If a call is answered before any ringback tone
//! was heard, speech is the only sign of it.

use ringback_media::level::{power_at, rms_dbm0};
use ringback_media::tone::{CallProgress, Plan};

/// Samples that are judged together: 50 ms, which distinguishes tones 50 Hz apart.
const BLOCK: usize = 400;
const BLOCK_MS: u32 = 50;
/// Quieter than this is silence.
const QUIET_DBM0: f32 = -42.0;
/// A tone of the exchange has at least this share of the block's power.
const TONE_SHARE_DB: f32 = 7.0;
/// This much speech, minus half the time of anything else, is an answer.
const SPEECH_MS: u32 = 400;

/// Counts for how long sound other than a tone is heard.
#[derive(Debug)]
pub(super) struct Activity {
    plan: &'static Plan,
    block: [i16; BLOCK],
    filled: usize,
    speech_ms: u32,
}

impl Activity {
    pub(super) fn new(plan: &'static Plan) -> Self {
        Activity { plan, block: [0; BLOCK], filled: 0, speech_ms: 0 }
    }

    /// Forgets what was heard.
    pub(super) fn clear(&mut self) {
        self.filled = 0;
        self.speech_ms = 0;
    }

    /// Takes samples; `true` once there is speech.
    pub(super) fn feed(&mut self, samples: &[i16]) -> bool {
        for sample in samples {
            if let Some(place) = self.block.get_mut(self.filled) {
                *place = *sample;
            }
            self.filled += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                self.judge();
            }
        }
        self.speech_ms >= SPEECH_MS
    }

    fn judge(&mut self) {
        let level = rms_dbm0(&self.block);
        let tone = || {
            CallProgress::ALL
                .map(|what| self.plan.signal(what))
                .iter()
                .flat_map(|signal| [Some(signal.low_hz), signal.high_hz])
                .flatten()
                .any(|hz| power_at(&self.block, f32::from(hz)) > level - TONE_SHARE_DB)
        };
        self.speech_ms = if level > QUIET_DBM0 && !tone() {
            self.speech_ms + BLOCK_MS
        } else {
            self.speech_ms.saturating_sub(BLOCK_MS / 2)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_country::Country;
    use ringback_media::tone::Generator;

    fn heard(plan: &'static Plan, generator: &mut Generator, seconds: usize) -> bool {
        let mut activity = Activity::new(plan);
        let mut frame = [0; 8];
        (0..seconds * 1000).any(|_| {
            generator.fill(&mut frame);
            activity.feed(&frame)
        })
    }

    #[test]
    fn the_tones_of_the_exchange_are_no_speech() {
        for country in Country::all() {
            let plan = country.tones();
            for what in CallProgress::ALL {
                assert!(!heard(plan, &mut Generator::new(plan, what), 10), "{what:?}, {country}");
            }
        }
    }

    #[test]
    fn other_sound_is_speech_and_silence_is_not() {
        let plan = Country::default().tones();
        assert!(heard(plan, &mut Generator::sine(1000.0, -15.0), 1));
        assert!(!heard(plan, &mut Generator::sine(1000.0, -60.0), 5));
        assert!(!Activity::new(plan).feed(&[0; 8000]));
    }
}
