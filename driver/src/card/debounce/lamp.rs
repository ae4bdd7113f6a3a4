//! The voltage of a neon lamp on an FXO line, by which an exchange tells that messages wait.
//!
//! Such lamps need 90 V, steady or in pulses; battery has up to 56 V. The line voltage (Si3050
//! register 29, 1 V per bit) must be above 75 V for 100 ms without varying by more than 10 V, which
//! ringing does. The lamp counts as dark when that has not come for 16 s, which is longer than the
//! pause of any that blinks. (The figures are those of the options neonmwi_level, neonmwi_envelope
//! and neonmwi_offlimit of DAHDI's drivers of the same chip.)

use super::SAMPLE_MS;

/// More than so many volts light a lamp.
const THRESHOLD: u8 = 75;
/// Successive samples differ by at most so many volts.
const ENVELOPE: u8 = 10;
const STABLE: u32 = 100 / SAMPLE_MS;
const DARK: u32 = 16_000 / SAMPLE_MS;

/// Debounces the line voltage into a lamp that is lit or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct LampDetector {
    lit: bool,
    before: Option<i8>,
    stable: u32,
    /// How many samples ago the lamp was last seen lit.
    dark: u32,
}

impl LampDetector {
    /// One sample of the line voltage; `Some` when the debounced state changed.
    pub(crate) fn sample(&mut self, volts: i8) -> Option<bool> {
        let near = |before: i8| before.abs_diff(volts) <= ENVELOPE;
        if volts.unsigned_abs() > THRESHOLD {
            self.stable = if self.before.is_none_or(near) { self.stable + 1 } else { 1 };
            self.stable = self.stable.min(STABLE);
            self.before = Some(volts);
        } else {
            (self.stable, self.before) = (0, None);
        }
        self.dark = if self.stable < STABLE { self.dark.saturating_add(1) } else { 0 };
        let lit = self.stable >= STABLE || self.lit && self.dark < DARK;
        (std::mem::replace(&mut self.lit, lit) != lit).then_some(lit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(detector: &mut LampDetector, volts: i8, samples: u32) -> Vec<bool> {
        (0..samples).filter_map(|_| detector.sample(volts)).collect()
    }

    #[test]
    fn a_lamp_is_lit_after_100_ms_and_dark_after_16_s() {
        for volts in [76, -76, 95, i8::MIN, i8::MAX] {
            let mut detector = LampDetector::default();
            assert_eq!(feed(&mut detector, volts, STABLE - 1), [false; 0]);
            assert_eq!(feed(&mut detector, volts, 5000), [true]);
            assert_eq!(feed(&mut detector, 48, DARK - 1), [false; 0]);
            assert_eq!(feed(&mut detector, 48, 5000), [false]);
        }
    }

    #[test]
    fn a_lamp_that_blinks_is_lit_all_the_time() {
        let mut detector = LampDetector::default();
        let mut told = Vec::new();
        for _ in 0..100 {
            told.extend(feed(&mut detector, -92, 25));
            told.extend(feed(&mut detector, -48, 100));
        }
        assert_eq!(told, [true]);
    }

    #[test]
    fn battery_and_ringing_light_no_lamp() {
        let mut detector = LampDetector::default();
        for volts in [0, 48, -56, 75, -75] {
            assert_eq!(feed(&mut detector, volts, 1000), [false; 0], "{volts} V");
        }
        // 20 Hz on top of battery, as it is seen every 8 ms.
        for volts in [48, 110, 127, 90, 10, -40, -20].into_iter().cycle().take(5000) {
            assert_eq!(detector.sample(volts), None);
        }
    }
}
