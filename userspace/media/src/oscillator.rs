//! Sines that start at phase zero and do not drift.

use std::f32::consts::PI;

use crate::{SAMPLE_RATE, level};

/// The phase of a full turn.
const TURN: f64 = 4_294_967_296.0;

/// One sine. The phase is an integer that wraps after each turn, so that it does not lose precision
/// however long the tone is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oscillator {
    phase: i32,
    step: i32,
    amplitude: f32,
}

impl Oscillator {
    /// A sine of `freq_hz` (0 to 4000 Hz; others alias) at `level_dbm0`.
    pub(crate) fn new(freq_hz: f32, level_dbm0: f32) -> Oscillator {
        Oscillator::of(freq_hz, level::amplitude(level_dbm0))
    }

    /// A sine of `freq_hz` with this amplitude.
    pub(crate) fn of(freq_hz: f32, amplitude: f32) -> Oscillator {
        Oscillator { phase: 0, step: step(freq_hz), amplitude }
    }

    /// Goes on with another frequency, without a jump.
    pub(crate) fn set_frequency(&mut self, freq_hz: f32) {
        self.step = step(freq_hz);
    }

    /// The next sample, before rounding.
    pub(crate) fn next(&mut self) -> f32 {
        let angle = self.phase as f32 * (PI / 2_147_483_648.0);
        self.phase = self.phase.wrapping_add(self.step);
        self.amplitude * angle.sin()
    }
}

/// How far the phase advances with a sample.
fn step(freq_hz: f32) -> i32 {
    let turns = f64::from(freq_hz) / f64::from(SAMPLE_RATE);
    (turns * TURN).round() as i64 as i32
}

/// Rounds a mix of sines to a sample, with clipping.
pub(crate) fn to_sample(mix: f32) -> i16 {
    mix.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequency_holds_over_hours() {
        let mut oscillator = Oscillator::new(1000.0, 0.0);
        // After ten hours every eighth sample of 1000 Hz is still a zero crossing upwards.
        oscillator.phase = oscillator.step.wrapping_mul(8000).wrapping_mul(36_000);
        assert!(oscillator.next().abs() < 0.02 * level::amplitude(0.0));
        assert!(oscillator.next() > 0.0);
    }

    #[test]
    fn too_loud_is_clipped() {
        assert_eq!(to_sample(1e9), i16::MAX);
        assert_eq!(to_sample(-1e9), i16::MIN);
        assert_eq!(to_sample(f32::NAN), 0);
    }
}
