//! Ringing voltage on an FXO line.
//!
//! The ring detector bits (Si3050 register 5, RDTP and RDTN) follow the half-cycles of 16 to 50 Hz,
//! so they are 0 around each zero crossing. A leaky bucket bridges that: 64 ms of samples with
//! voltage fill it, 256 ms without empty it. Dial pulses of a parallel telephone and a polarity
//! reversal do not fill it. Ringing also changes its sign, which the voltage of a neon lamp
//! (message waiting) does not: it stands on one of the bits.

use super::SAMPLE_MS;

const FULL: u32 = 256;
const HIT: u32 = FULL / (64 / SAMPLE_MS);
const LEAK: u32 = FULL / (256 / SAMPLE_MS);

/// How often the sign must have changed.
const CHANGES: u32 = 2;

/// Debounces the ring detector bits into ringing or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct RingDetector {
    level: u32,
    /// Whether the voltage was positive when there was one, and how often that has changed.
    positive: Option<bool>,
    changes: u32,
    ringing: bool,
}

impl RingDetector {
    /// Whether it rings, as it was last reported.
    pub(crate) const fn ringing(&self) -> bool {
        self.ringing
    }

    /// One sample: whether there is voltage, and then whether it is positive. `Some` when the
    /// debounced state changed.
    pub(crate) fn sample(&mut self, positive: Option<bool>) -> Option<bool> {
        if positive.is_some() {
            self.level = (self.level + HIT).min(FULL);
            let before = std::mem::replace(&mut self.positive, positive);
            self.changes += u32::from(before.is_some() && before != positive);
            self.changes = self.changes.min(CHANGES);
        } else {
            self.level = self.level.saturating_sub(LEAK);
        }
        if self.level == 0 {
            (self.positive, self.changes) = (None, 0);
        }
        let ringing = match self.level {
            FULL if self.changes >= CHANGES => true,
            0 => false,
            _ => self.ringing,
        };
        if ringing == self.ringing {
            return None;
        }
        self.ringing = ringing;
        Some(ringing)
    }

    /// The line is off-hook or dead: there is no ringing. `Some` if there was.
    pub(crate) fn clear(&mut self) -> Option<bool> {
        (self.level, self.positive, self.changes) = (0, None, 0);
        std::mem::take(&mut self.ringing).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at which the state changed, for voltage as a function of the tick. Its sign changes
    /// every 25 ms.
    fn changes(phase: u32, ticks: u32, voltage: impl Fn(u32) -> bool) -> Vec<(u32, bool)> {
        let sign = |tick: u32| voltage(tick).then_some((tick / 25).is_multiple_of(2));
        signed_changes(phase, ticks, sign)
    }

    fn signed_changes(
        phase: u32,
        ticks: u32,
        positive: impl Fn(u32) -> Option<bool>,
    ) -> Vec<(u32, bool)> {
        let mut detector = RingDetector::default();
        (0..ticks)
            .filter(|tick| tick % SAMPLE_MS == phase)
            .filter_map(|tick| detector.sample(positive(tick)).map(|ringing| (tick, ringing)))
            .collect()
    }

    #[test]
    fn steady_voltage_counts_after_64_ms_and_ends_after_256() {
        let changes = changes(0, 2000, |tick| (80..1080).contains(&tick));
        assert_eq!(changes, [(80 + 56, true), (1080 + 248, false)]);
    }

    #[test]
    fn twenty_hertz_with_dead_zero_crossings_is_one_ring() {
        for phase in 0..SAMPLE_MS {
            // 2 s on, 4 s off; 8 ms of each 25 ms half-cycle are below the threshold.
            let changes = changes(phase, 12_000, |tick| tick % 6000 < 2000 && tick % 25 >= 8);
            let states: Vec<bool> = changes.iter().map(|change| change.1).collect();
            assert_eq!(states, [true, false, true, false], "phase {phase}");
            assert!(changes[0].0 <= 160, "phase {phase}: {changes:?}");
        }
    }

    #[test]
    fn a_short_burst_is_no_ring() {
        assert_eq!(changes(0, 2000, |tick| (80..136).contains(&tick)), []);
    }

    #[test]
    fn the_voltage_of_a_neon_lamp_is_no_ring() {
        for positive in [false, true] {
            assert_eq!(signed_changes(0, 60_000, |_| Some(positive)), []);
            // Nor is one that blinks.
            let blinking = |tick| (tick % 1000 < 500).then_some(positive);
            assert_eq!(signed_changes(0, 60_000, blinking), []);
        }
    }

    #[test]
    fn every_frequency_of_ringing_is_seen_within_a_fifth_of_a_second() {
        for hz in [15, 17, 20, 25, 30, 33, 50] {
            let half = 500 / hz;
            for phase in 0..SAMPLE_MS {
                let ringing =
                    |tick: u32| (tick % half >= 2).then_some((tick / half).is_multiple_of(2));
                let changes = signed_changes(phase, 1000, ringing);
                assert_eq!(changes.len(), 1, "{hz} Hz, phase {phase}: {changes:?}");
                assert!(changes[0].0 <= 200, "{hz} Hz, phase {phase}: {changes:?}");
            }
        }
    }

    #[test]
    fn clearing_ends_a_ring_once() {
        let mut detector = RingDetector::default();
        let mut positive = false;
        while detector.sample(Some(positive)).is_none() {
            positive = !positive;
        }
        assert!(detector.ringing());
        assert_eq!(detector.clear(), Some(false));
        assert_eq!(detector.clear(), None);
        assert_eq!(detector.sample(Some(true)), None);
    }
}
