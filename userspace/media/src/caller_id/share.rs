//! Whether a sound consists of given frequencies.

use std::f32::consts::TAU;

use crate::{SAMPLE_RATE, level};

/// Half a window, in samples.
const HALF: usize = 80;
/// A window of 20 ms, in samples: frequencies that are 50 Hz away are others.
const WINDOW: usize = 2 * HALF;
/// The part of the power that the frequencies have. Half a percent beside one, at the edge of its
/// tolerance, a quarter of its power is missed.
const MOST_OF_IT: f32 = 0.65;
/// How much stronger than the weakest of the frequencies the strongest one may be: 8 dB.
const TWIST: f32 = 6.3;
/// The weakest level of each frequency, in dBm0.
const WEAKEST_DBM0: f32 = -38.0;

/// Looks every 10 ms whether the last 20 ms consist of all of these frequencies, and of little
/// else.
#[derive(Debug)]
pub(super) struct Share<const N: usize> {
    /// 2 cos(omega) of each frequency, for Goertzel's algorithm.
    coefficients: [f32; N],
    window: [f32; WINDOW],
    /// How many samples of the window's second half are there.
    filled: usize,
}

impl<const N: usize> Share<N> {
    /// As many samples as a window is later than the one before.
    pub(super) const STEP: usize = HALF;

    pub(super) fn new(hz: [f32; N]) -> Share<N> {
        let coefficients = hz.map(|hz| 2.0 * (TAU * hz / SAMPLE_RATE as f32).cos());
        Share { coefficients, window: [0.0; WINDOW], filled: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.window = [0.0; WINDOW];
        self.filled = 0;
    }

    /// Processes at most [`STEP`](Share::STEP) samples. Returns the result if a window has ended in
    /// them.
    pub(super) fn feed(&mut self, samples: &[i16]) -> Option<bool> {
        let mut found = None;
        for sample in samples {
            if let Some(place) = self.window.get_mut(HALF + self.filled) {
                *place = f32::from(*sample);
            }
            self.filled += 1;
            if self.filled == HALF {
                found = Some(self.judge());
                self.window.copy_within(HALF.., 0);
                self.filled = 0;
            }
        }
        found
    }

    fn judge(&self) -> bool {
        let all = self.window.iter().map(|sample| sample * sample).sum::<f32>() / WINDOW as f32;
        let powers = self.coefficients.map(|coefficient| self.power(coefficient));
        let weakest = powers.iter().copied().fold(f32::INFINITY, f32::min);
        let strongest = powers.iter().copied().fold(0.0, f32::max);
        let amplitude = level::amplitude(WEAKEST_DBM0);
        weakest >= amplitude * amplitude / 2.0
            && strongest <= weakest * TWIST
            && powers.iter().sum::<f32>() >= MOST_OF_IT * all
    }

    /// The mean power of a sine of a frequency in the window.
    fn power(&self, coefficient: f32) -> f32 {
        let (mut last, mut before) = (0.0, 0.0);
        for sample in &self.window {
            let next = sample + coefficient * last - before;
            before = last;
            last = next;
        }
        let energy = last * last + before * before - coefficient * last * before;
        2.0 * energy / (WINDOW * WINDOW) as f32
    }
}
