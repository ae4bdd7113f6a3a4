//! Detects speech: sound that is none of the exchange's tones.
//!
//! A plain analog line has no answer supervision. If a call is answered before any ringback tone
//! was heard, speech is the only sign of it.

use ringback_media::level::{power_at, rms_dbm0};
use ringback_media::tone::{CallProgress, Plan, Signal};

/// Samples that are judged together: 50 ms, which distinguishes tones 50 Hz apart.
const BLOCK: usize = 400;
const BLOCK_MS: u32 = 50;
/// Quieter than this is silence.
const QUIET_DBM0: f32 = -42.0;
/// A tone of the exchange has at least this share of the block's power.
const TONE_SHARE_DB: f32 = 7.0;
/// From this frequency on a tone may be so far from the plan's, because special information tones
/// differ from network to network; one that is further away is no tone of the exchange. In Hz.
const HIGH_HZ: f32 = 700.0;
const APART_HZ: f32 = 35.0;
const BEYOND_HZ: f32 = 50.0;
/// This much speech, minus half the time of anything else, is an answer.
const SPEECH_MS: u32 = 400;

/// Counts for how long sound other than a tone is heard.
#[derive(Debug)]
pub(super) struct Activity {
    /// The frequencies of the exchange's tones, in Hz.
    hz: Vec<f32>,
    block: [i16; BLOCK],
    filled: usize,
    speech_ms: u32,
}

impl Activity {
    pub(super) fn new(plan: &Plan) -> Self {
        // The further forms of dial tone do not come after dialling.
        let signals = CallProgress::ALL.into_iter().filter_map(|what| plan.signal(what));
        let sounds = signals.flat_map(Signal::sounds);
        let mut hz: Vec<u16> = sounds.flat_map(|sound| sound.hz().collect::<Vec<_>>()).collect();
        hz.sort_unstable();
        hz.dedup();
        let hz = hz.into_iter().map(f32::from).collect();
        Activity { hz, block: [0; BLOCK], filled: 0, speech_ms: 0 }
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

    /// The power of a tone of the plan's, which has to be near enough.
    fn power_about(&self, hz: f32) -> f32 {
        let power = |hz| power_at(&self.block, hz);
        if hz < HIGH_HZ {
            return power(hz);
        }
        let near = power(hz).max(power(hz - APART_HZ)).max(power(hz + APART_HZ));
        let beyond = power(hz - BEYOND_HZ).max(power(hz + BEYOND_HZ));
        if near < beyond { f32::MIN } else { near }
    }

    fn judge(&mut self) {
        let level = rms_dbm0(&self.block);
        let tone = || self.hz.iter().any(|&hz| self.power_about(hz) > level - TONE_SHARE_DB);
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

    fn heard(plan: &Plan, generator: &mut Generator, seconds: usize) -> bool {
        let mut activity = Activity::new(plan);
        let mut frame = [0; 8];
        (0..seconds * 1000).any(|_| {
            generator.fill(&mut frame);
            activity.feed(&frame)
        })
    }

    #[test]
    fn the_tones_of_the_exchange_are_no_speech() {
        for country in Country::each_zone() {
            let plan = country.tones();
            for what in CallProgress::ALL {
                let signal = plan.sent(what);
                let heard = heard(plan, &mut Generator::new(signal), 10);
                assert!(!heard, "{what:?} of {country}: {signal}");
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
