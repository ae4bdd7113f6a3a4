//! Whether the exchange feeds an FXO line.
//!
//! The line voltage (Si3050 register 29, 1 V per bit, 0 below about 3 V) must be on the other side
//! of the threshold for 64 ms. The first finding counts as a change.

use super::SAMPLE_MS;

/// Below this many volts there is no battery.
const THRESHOLD: u8 = 3;
const STABLE: u32 = 64 / SAMPLE_MS;

/// Debounces the line voltage into battery or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct BatteryDetector {
    battery: Option<bool>,
    candidate: bool,
    stable: u32,
}

impl BatteryDetector {
    /// The debounced state; `None` before the first finding.
    pub(crate) const fn battery(&self) -> Option<bool> {
        self.battery
    }

    /// One sample of the line voltage; `Some` when the debounced state changed.
    pub(crate) fn sample(&mut self, volts: i8) -> Option<bool> {
        let present = volts.unsigned_abs() >= THRESHOLD;
        if present != self.candidate {
            self.candidate = present;
            self.stable = 0;
        }
        self.stable = (self.stable + 1).min(STABLE);
        if self.stable < STABLE || self.battery == Some(present) {
            return None;
        }
        self.battery = Some(present);
        Some(present)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(detector: &mut BatteryDetector, volts: i8, samples: u32) -> Vec<bool> {
        (0..samples).filter_map(|_| detector.sample(volts)).collect()
    }

    #[test]
    fn the_first_finding_is_reported_after_64_ms() {
        for (volts, battery) in [(48, true), (-48, true), (0, false)] {
            let mut detector = BatteryDetector::default();
            assert!(feed(&mut detector, volts, 7).is_empty());
            assert_eq!(detector.battery(), None);
            assert_eq!(feed(&mut detector, volts, 100), [battery]);
            assert_eq!(detector.battery(), Some(battery));
        }
    }

    #[test]
    fn the_threshold_is_three_volts_either_way() {
        for (volts, battery) in [(2, false), (-2, false), (3, true), (-3, true), (i8::MIN, true)] {
            let mut detector = BatteryDetector::default();
            assert_eq!(feed(&mut detector, volts, 8), [battery], "{volts} V");
        }
    }

    #[test]
    fn a_dip_below_64_ms_is_no_loss() {
        let mut detector = BatteryDetector::default();
        feed(&mut detector, 48, 8);
        for _ in 0..10 {
            assert!(feed(&mut detector, 0, 7).is_empty());
            assert!(feed(&mut detector, 48, 1).is_empty());
        }
        assert_eq!(feed(&mut detector, 0, 8), [false]);
        assert_eq!(feed(&mut detector, 9, 8), [true]);
    }
}
