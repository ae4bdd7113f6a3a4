//! The polarity with which the exchange feeds an FXO line.
//!
//! Many exchanges swap the wires when the far end answers or hangs up. The sign of the line voltage
//! (Si3050 register 29) must differ from the debounced one for 64 ms, which is more than a
//! half-cycle of ringing. The first polarity found is not reported as a change. Below 3 V the sign
//! means nothing: the register shows what wanders on a line without battery.

use super::SAMPLE_MS;
use crate::card::port::Polarity;

/// The least voltage whose sign counts.
const THRESHOLD: u8 = 3;
const STABLE: u32 = 64 / SAMPLE_MS;

/// Debounces the sign of the line voltage.
#[derive(Debug, Clone, Default)]
pub(crate) struct PolarityDetector {
    polarity: Option<Polarity>,
    candidate: Option<Polarity>,
    stable: u32,
}

impl PolarityDetector {
    /// The debounced polarity; `None` before the first finding.
    pub(crate) const fn polarity(&self) -> Option<Polarity> {
        self.polarity
    }

    /// One sample of the line voltage; `Some` when the polarity changed from one known to the
    /// other. A line without voltage has no polarity: it keeps the one it had.
    pub(crate) fn sample(&mut self, volts: i8) -> Option<Polarity> {
        let seen = match volts {
            _ if volts.unsigned_abs() < THRESHOLD => None,
            0.. => Some(Polarity::Forward),
            _ => Some(Polarity::Reverse),
        };
        if seen != self.candidate {
            self.candidate = seen;
            self.stable = 0;
        }
        self.stable = (self.stable + 1).min(STABLE);
        let (Some(seen), STABLE) = (seen, self.stable) else { return None };
        match self.polarity.replace(seen) {
            Some(before) if before != seen => Some(seen),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(detector: &mut PolarityDetector, volts: i8, samples: u32) -> Vec<Polarity> {
        (0..samples).filter_map(|_| detector.sample(volts)).collect()
    }

    #[test]
    fn the_first_polarity_is_no_change() {
        for (volts, polarity) in [(48, Polarity::Forward), (-48, Polarity::Reverse)] {
            let mut detector = PolarityDetector::default();
            assert_eq!(feed(&mut detector, volts, 7), []);
            assert_eq!(detector.polarity(), None);
            assert_eq!(feed(&mut detector, volts, 100), []);
            assert_eq!(detector.polarity(), Some(polarity));
        }
    }

    #[test]
    fn a_reversal_counts_after_64_ms() {
        let mut detector = PolarityDetector::default();
        feed(&mut detector, 48, 8);
        assert_eq!(feed(&mut detector, -48, 7), []);
        assert_eq!(detector.sample(-48), Some(Polarity::Reverse));
        assert_eq!(feed(&mut detector, -9, 100), []);
    }

    #[test]
    fn below_three_volts_there_is_no_polarity() {
        let mut detector = PolarityDetector::default();
        assert_eq!(feed(&mut detector, -2, 100), []);
        assert_eq!(detector.polarity(), None);
        feed(&mut detector, 48, 8);
        assert_eq!(feed(&mut detector, -2, 100), []);
        assert_eq!(detector.polarity(), Some(Polarity::Forward));
        assert_eq!(feed(&mut detector, -3, 8), [Polarity::Reverse]);
    }

    #[test]
    fn ringing_and_loss_of_battery_are_no_reversal() {
        let mut detector = PolarityDetector::default();
        feed(&mut detector, 48, 8);
        for _ in 0..50 {
            assert_eq!(feed(&mut detector, -90, 3), []);
            assert_eq!(feed(&mut detector, 120, 4), []);
        }
        assert_eq!(feed(&mut detector, 0, 100), []);
        assert_eq!(feed(&mut detector, 48, 100), []);
        assert_eq!(detector.polarity(), Some(Polarity::Forward));
    }
}
