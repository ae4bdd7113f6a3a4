//! The hook of a telephone on an FXS port.
//!
//! The chip debounces by itself (Si3210 register 69, 12.5 ms), so a change counts when a second
//! sample confirms it, which excludes a misread register. That takes 8 to 16 ms, which is short
//! enough for the line above to distinguish dial pulses (33 ms at the shortest) and flashes.

use crate::card::port::Hook;

/// Debounces the loop bit of register 68 into off-hook or on-hook.
#[derive(Debug, Clone)]
pub(crate) struct HookDetector {
    hook: Hook,
    seen: bool,
}

impl HookDetector {
    /// A detector for a telephone that is assumed to be on-hook.
    pub(crate) const fn new() -> HookDetector {
        HookDetector { hook: Hook::On, seen: false }
    }

    /// The hook as it was last reported.
    pub(crate) const fn hook(&self) -> Hook {
        self.hook
    }

    /// One sample; `Some` when the debounced state changed.
    pub(crate) fn sample(&mut self, hook: Hook) -> Option<Hook> {
        if hook == self.hook {
            self.seen = false;
            None
        } else if self.seen {
            self.seen = false;
            self.hook = hook;
            Some(hook)
        } else {
            self.seen = true;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SAMPLE_MS;
    use super::*;

    #[test]
    fn one_odd_sample_is_no_change() {
        let mut detector = HookDetector::new();
        for sample in [Hook::Off, Hook::On, Hook::Off, Hook::On, Hook::On] {
            assert_eq!(detector.sample(sample), None);
        }
        assert_eq!(detector.hook(), Hook::On);
    }

    #[test]
    fn two_samples_are_a_change() {
        let mut detector = HookDetector::new();
        assert_eq!(detector.sample(Hook::Off), None);
        assert_eq!(detector.sample(Hook::Off), Some(Hook::Off));
        assert_eq!(detector.sample(Hook::Off), None);
        assert_eq!(detector.hook(), Hook::Off);
    }

    /// Tries every phase of the dial relative to the samples, at 10 pulses per second with the
    /// shortest make (33 ms).
    #[test]
    fn all_ten_pulses_of_a_dialled_zero_come_through() {
        for phase in 0..SAMPLE_MS {
            let mut detector = HookDetector::new();
            let mut opened = Vec::new();
            let mut closed = Vec::new();
            for tick in 0..1500 {
                // Off-hook from 50 ms on; ten breaks of 67 ms, 100 ms apart, from 200 ms on.
                let broken = (200..1200).contains(&tick) && (tick - 200) % 100 < 67;
                let off = tick >= 50 && !broken;
                if tick % SAMPLE_MS == phase {
                    match detector.sample(if off { Hook::Off } else { Hook::On }) {
                        Some(Hook::On) => opened.push(tick),
                        Some(Hook::Off) => closed.push(tick),
                        None => {}
                    }
                }
            }
            assert_eq!((opened.len(), closed.len()), (10, 11), "phase {phase}");
            for (n, &tick) in (0..).zip(&opened) {
                assert!(tick - (200 + 100 * n) <= 16, "phase {phase} pulse {n} at {tick}");
            }
        }
    }
}
