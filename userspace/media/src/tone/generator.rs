//! Generates call-progress tones.

use ringback_country::{Segment, Signal, Sound};

use crate::oscillator::{Oscillator, to_sample};
use crate::samples_in;

/// Generates one signal without end.
#[derive(Debug, Clone)]
pub struct Generator {
    parts: Vec<Part>,
    /// The first of the parts that are repeated.
    cycle: usize,
    /// The part that is sounding, and the samples of it that are left; `None` for ever.
    part: usize,
    left: Option<u32>,
}

impl Generator {
    /// Generates a signal from the beginning of its cadence.
    pub fn new(signal: &Signal) -> Generator {
        let part = |segment: &Segment| Part::new(segment, signal.level_dbm0);
        let parts = signal.once().iter().chain(signal.repeated()).map(part).collect();
        Generator::of(parts, signal.once().len())
    }

    /// Generates a continuous sine of `freq_hz` (up to 4000 Hz) at `level_dbm0` (full scale is
    /// +3.14).
    pub fn sine(freq_hz: f32, level_dbm0: f32) -> Generator {
        let mut sines = [None; Sound::MOST];
        sines[0] = Some(Oscillator::new(freq_hz, level_dbm0));
        Generator::of(vec![Part { sines, modulation: None, samples: None }], 0)
    }

    fn of(parts: Vec<Part>, cycle: usize) -> Generator {
        let left = parts.first().and_then(|part| part.samples);
        Generator { parts, cycle, part: 0, left }
    }

    /// Fills `out` with the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            if self.left == Some(0) {
                self.part =
                    if self.part + 1 < self.parts.len() { self.part + 1 } else { self.cycle };
                self.left = self.parts.get(self.part).and_then(|part| part.samples);
            }
            self.left = self.left.map(|left| left.saturating_sub(1));
            *sample = self.parts.get_mut(self.part).map_or(0, Part::next);
        }
    }
}

/// A segment of the signal.
#[derive(Debug, Clone)]
struct Part {
    sines: [Option<Oscillator>; Sound::MOST],
    /// The amplitude's rise and fall, as a share of its mean.
    modulation: Option<Oscillator>,
    /// How long it is; `None` for ever.
    samples: Option<u32>,
}

impl Part {
    fn new(segment: &Segment, level_dbm0: f32) -> Part {
        let mut sines = [None; Sound::MOST];
        let frequencies = segment.sound.iter().flat_map(Sound::hz);
        for (sine, hz) in sines.iter_mut().zip(frequencies) {
            *sine = Some(Oscillator::new(f32::from(hz), level_dbm0));
        }
        let modulation = segment.sound.and_then(|sound| sound.modulation_hz());
        Part {
            sines,
            modulation: modulation.map(|hz| Oscillator::of(f32::from(hz), Sound::DEPTH)),
            samples: segment.ms.map(|ms| samples_in(u32::from(ms))),
        }
    }

    fn next(&mut self) -> i16 {
        let mix: f32 = self.sines.iter_mut().flatten().map(Oscillator::next).sum();
        let amplitude = 1.0 + self.modulation.as_mut().map_or(0.0, Oscillator::next);
        to_sample(mix * amplitude)
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::{CallProgress, Country};

    use super::*;
    use crate::level::power_at;

    fn make(generator: &mut Generator, ms: usize) -> Vec<i16> {
        let mut samples = vec![0; ms * 8];
        generator.fill(&mut samples);
        samples
    }

    fn signal(notation: &str) -> Signal {
        Signal::parse(notation, -10.0).unwrap()
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
            let samples = make(&mut Generator::new(plan.signal(what).unwrap()), 200);
            for (hz, wanted) in [(low, level), (high, level), (550.0, -60.0)] {
                let measured = power_at(&samples[..1600], hz);
                assert!(
                    (measured - wanted).abs() < 0.7 || wanted == -60.0 && measured < -40.0,
                    "{what:?}: {measured} at {hz} Hz"
                );
            }
        }
        let cadence_of =
            |what, ms| cadence(&make(&mut Generator::new(plan.signal(what).unwrap()), ms));
        assert_eq!(cadence_of(CallProgress::Dial, 5000), [5000]);
        assert_eq!(cadence_of(CallProgress::Ringback, 13000), [2000, 4000, 2000, 4000, 1000]);
        assert_eq!(cadence_of(CallProgress::Busy, 2000), [500; 4]);
        assert_eq!(cadence_of(CallProgress::Reorder, 1000), [250; 4]);
    }

    #[test]
    fn a_cadence_goes_round_after_what_sounds_once() {
        let samples = make(&mut Generator::new(&signal("400/400,0/200,400/400,0/2000")), 6000);
        assert_eq!(cadence(&samples), [400, 200, 400, 2000, 400, 200, 400, 2000]);
        let samples = make(&mut Generator::new(&signal("!400/100,!0/50,400/300,0/200")), 1150);
        assert_eq!(cadence(&samples), [100, 50, 300, 200, 300, 200]);
        let samples = make(&mut Generator::new(&signal("!400/100,0")), 1000);
        assert_eq!(cadence(&samples), [100, 900]);
    }

    #[test]
    fn each_segment_has_its_own_sound() {
        let samples = make(&mut Generator::new(&signal("950/200,1400/200,1800/200")), 600);
        for (part, hz) in samples.chunks(1600).zip([950.0, 1400.0, 1800.0]) {
            assert!((power_at(part, hz) + 10.0).abs() < 0.5, "{hz} Hz");
        }
        let samples = make(&mut Generator::new(&signal("350+375+400")), 400);
        for hz in [350.0, 375.0, 400.0] {
            assert!((power_at(&samples, hz) + 10.0).abs() < 0.5, "{hz} Hz");
        }
    }

    #[test]
    fn a_modulated_sound_has_a_carrier_and_two_sidebands() {
        let samples = make(&mut Generator::new(&signal("400*25")), 400);
        // Each sideband has half of the depth's amplitude.
        let sideband = -10.0 + 20.0 * (Sound::DEPTH / 2.0).log10();
        for (hz, wanted) in [(375.0, sideband), (400.0, -10.0), (425.0, sideband)] {
            let measured = power_at(&samples, hz);
            assert!((measured - wanted).abs() < 0.5, "{measured} at {hz} Hz");
        }
    }

    #[test]
    fn the_pieces_do_not_matter() {
        for country in Country::each_zone() {
            let plan = country.tones();
            for (what, signal) in plan.signals() {
                let generator = Generator::new(signal);
                let whole = make(&mut generator.clone(), 7000);
                for piece in [1, 8, 999] {
                    let mut again = vec![0; whole.len()];
                    let mut generator = generator.clone();
                    again.chunks_mut(piece).for_each(|out| generator.fill(out));
                    assert!(again == whole, "{what:?} of {country} in pieces of {piece}");
                }
            }
        }
    }
}
