//! Ringing voltage on an FXO line.
//!
//! The ring detector bits (Si3050 register 5, RDTP and RDTN) follow the half-cycles of 16 to 50 Hz,
//! so they are 0 around each zero crossing. A leaky bucket bridges that: 64 ms of samples with
//! voltage fill it, 256 ms without empty it. Dial pulses of a parallel telephone and a polarity
//! reversal do not fill it.

use super::SAMPLE_MS;

const FULL: u32 = 256;
const HIT: u32 = FULL / (64 / SAMPLE_MS);
const LEAK: u32 = FULL / (256 / SAMPLE_MS);

/// Debounces the ring detector bits into ringing or none.
#[derive(Debug, Clone, Default)]
pub(crate) struct RingDetector {
    level: u32,
    ringing: bool,
}

impl RingDetector {
    /// Whether it rings, as it was last reported.
    pub(crate) const fn ringing(&self) -> bool {
        self.ringing
    }

    /// One sample; `Some` when the debounced state changed.
    pub(crate) fn sample(&mut self, voltage: bool) -> Option<bool> {
        if voltage {
            self.level = (self.level + HIT).min(FULL);
        } else {
            self.level = self.level.saturating_sub(LEAK);
        }
        let ringing = match self.level {
            FULL => true,
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
        self.level = 0;
        std::mem::take(&mut self.ringing).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks at which the state changed, for voltage as a function of the tick.
    fn changes(phase: u32, ticks: u32, voltage: impl Fn(u32) -> bool) -> Vec<(u32, bool)> {
        let mut detector = RingDetector::default();
        (0..ticks)
            .filter(|tick| tick % SAMPLE_MS == phase)
            .filter_map(|tick| detector.sample(voltage(tick)).map(|ringing| (tick, ringing)))
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
    fn clearing_ends_a_ring_once() {
        let mut detector = RingDetector::default();
        while detector.sample(true).is_none() {}
        assert!(detector.ringing());
        assert_eq!(detector.clear(), Some(false));
        assert_eq!(detector.clear(), None);
        assert_eq!(detector.sample(true), None);
    }
}
