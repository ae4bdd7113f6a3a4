//! Generates call-progress tones.

use crate::oscillator::{Oscillator, to_sample};
use crate::tone::{Cadence, CallProgress, Plan, steps};

/// Generates one signal without end.
#[derive(Debug, Clone)]
pub struct Generator {
    low: Oscillator,
    high: Option<Oscillator>,
    cadence: Cadence,
    /// Number of samples since the cycle of the cadence began.
    position: u32,
}

impl Generator {
    /// Generates a signal of a plan, from the beginning of its cadence.
    pub fn new(plan: &Plan, what: CallProgress) -> Generator {
        let signal = plan.signal(what);
        let oscillator = |hz: u16| Oscillator::new(f32::from(hz), signal.level_dbm0);
        Generator {
            low: oscillator(signal.low_hz),
            high: signal.high_hz.map(oscillator),
            cadence: signal.cadence,
            position: 0,
        }
    }

    /// Generates a continuous sine of `freq_hz` (up to 4000 Hz) at `level_dbm0` (full scale is
    /// +3.14).
    pub fn sine(freq_hz: f32, level_dbm0: f32) -> Generator {
        Generator {
            low: Oscillator::new(freq_hz, level_dbm0),
            high: None,
            cadence: Cadence::CONTINUOUS,
            position: 0,
        }
    }

    /// Fills `out` with the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            let mix = self.low.next() + self.high.as_mut().map_or(0.0, Oscillator::next);
            *sample = if self.sounds() { to_sample(mix) } else { 0 };
        }
    }

    /// Returns whether the cadence sounds at this sample, and advances by one sample.
    fn sounds(&mut self) -> bool {
        if self.cadence.is_continuous() {
            return true;
        }
        let mut left = self.position;
        let mut sounds = true;
        for step in steps(&self.cadence) {
            if left < step {
                self.position += 1;
                return sounds;
            }
            left -= step;
            sounds = !sounds;
        }
        // The cycle is over. This is the first sample of the next one, which sounds.
        self.position = 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;

    use super::*;
    use crate::level::power_at;

    fn make(generator: &mut Generator, ms: usize) -> Vec<i16> {
        let mut samples = vec![0; ms * 8];
        generator.fill(&mut samples);
        samples
    }

    /// The lengths of sounds and rests, in ms.
    fn cadence(samples: &[i16]) -> Vec<usize> {
        let sounding: Vec<bool> = samples.chunks(80).map(|c| c.iter().any(|&s| s != 0)).collect();
        sounding.chunk_by(|a, b| a == b).map(|run| run.len() * 10).collect()
    }

    #[test]
    fn north_america_has_the_precise_tone_plan() {
        let plan = Country::default().tones();
        for (what, low, high, level) in [
            (CallProgress::Dial, 350.0, 440.0, -13.0),
            (CallProgress::Ringback, 440.0, 480.0, -19.0),
            (CallProgress::Busy, 480.0, 620.0, -24.0),
            (CallProgress::Reorder, 480.0, 620.0, -24.0),
        ] {
            // In all of them 200 ms are within the first sound.
            let samples = make(&mut Generator::new(plan, what), 200);
            for (hz, wanted) in [(low, level), (high, level), (550.0, -60.0)] {
                let measured = power_at(&samples[..1600], hz);
                assert!(
                    (measured - wanted).abs() < 0.7 || wanted == -60.0 && measured < -40.0,
                    "{what:?}: {measured} at {hz} Hz"
                );
            }
        }
        let cadence_of = |what, ms| cadence(&make(&mut Generator::new(plan, what), ms));
        assert_eq!(cadence_of(CallProgress::Dial, 5000), [5000]);
        assert_eq!(cadence_of(CallProgress::Ringback, 13000), [2000, 4000, 2000, 4000, 1000]);
        assert_eq!(cadence_of(CallProgress::Busy, 2000), [500; 4]);
        assert_eq!(cadence_of(CallProgress::Reorder, 1000), [250; 4]);
    }

    #[test]
    fn a_double_cadence_goes_round() {
        let ringback = Cadence::double(400, 200, 400, 2000);
        let mut plan = *Country::default().tones();
        plan.ringback.cadence = ringback;
        let samples = make(&mut Generator::new(&plan, CallProgress::Ringback), 6000);
        assert_eq!(cadence(&samples), [400, 200, 400, 2000, 400, 200, 400, 2000]);
    }

    #[test]
    fn the_pieces_do_not_matter() {
        for what in CallProgress::ALL {
            let generator = Generator::new(Country::default().tones(), what);
            let whole = make(&mut generator.clone(), 7000);
            for piece in [1, 8, 160, 999] {
                let mut again = vec![0; whole.len()];
                let mut generator = generator.clone();
                again.chunks_mut(piece).for_each(|out| generator.fill(out));
                assert!(again == whole, "{what:?} in pieces of {piece}");
            }
        }
    }
}
