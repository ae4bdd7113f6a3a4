//! Measures what a line returns of what is sent into it, and fits the coefficients of a hybrid to
//! it.
//!
//! The signal is the sum of all tones of a grid over the band of telephony, with a period of
//! [`PERIOD`] samples, so that what is received has a complex amplitude at each tone, whatever the
//! delay between sending and receiving. Nothing is assumed about the hybrid but that each
//! coefficient has an effect in proportion to it: the effect is measured, too.

use std::f32::consts::TAU;
use std::ops::{Add, Mul, Sub};

/// Samples after which the signal repeats: 16 ms at 8 kHz.
pub const PERIOD: usize = 128;
/// The tones: multiples of 62.5 Hz, from 312.5 to 3375 Hz.
const TONES: std::ops::RangeInclusive<usize> = 5..=54;
/// The level of each tone, of a full scale of 1; all together have about -13 dBm0.
const AMPLITUDE: f32 = 0.022;
/// How many coefficients a hybrid has.
pub const TAPS: usize = 8;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    fn power(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// The real part of the product with the conjugate.
    fn dot(self, other: Complex) -> f64 {
        self.re * other.re + self.im * other.im
    }
}

impl Add for Complex {
    type Output = Complex;
    fn add(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Complex;
    fn sub(self, other: Complex) -> Complex {
        Complex { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul<f64> for Complex {
    type Output = Complex;
    fn mul(self, factor: f64) -> Complex {
        Complex { re: self.re * factor, im: self.im * factor }
    }
}

/// One period of the signal.
pub fn signal() -> [i16; PERIOD] {
    std::array::from_fn(|sample| {
        let sum: f32 = TONES
            .map(|tone| {
                // Phases that grow quadratically keep the peaks low (Schroeder).
                let phase = tone as f32 * tone as f32 / (2.0 * TONES.count() as f32);
                (TAU * (tone as f32 * sample as f32 / PERIOD as f32 + phase)).cos()
            })
            .sum();
        (sum * AMPLITUDE * 32_767.0).round() as i16
    })
}

/// What was received while the signal was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Response(Vec<Complex>);

impl Response {
    /// The response in samples that begin at a multiple of [`PERIOD`] after the first sample that
    /// was ever received. Only whole periods count; `None` without one.
    pub fn of(received: &[i16]) -> Option<Response> {
        let periods = received.chunks_exact(PERIOD);
        let count = periods.len();
        if count == 0 {
            return None;
        }
        let mut mean = [0.0; PERIOD];
        for period in periods {
            for (mean, sample) in mean.iter_mut().zip(period) {
                *mean += f64::from(*sample) / count as f64;
            }
        }
        let amplitude = |tone: usize| {
            mean.iter().zip(0_u32..).fold(Complex::default(), |sum, (sample, place)| {
                let turn = std::f64::consts::TAU * tone as f64 * f64::from(place) / PERIOD as f64;
                sum + Complex { re: turn.cos(), im: -turn.sin() } * *sample
            })
        };
        Some(Response(TONES.map(amplitude).collect()))
    }

    /// Its level compared with that of the signal, in dB; the lower, the less comes back.
    pub fn level_db(&self) -> f64 {
        let sent = Response::of(&signal()).map_or(1.0, |sent| sent.power());
        10.0 * (self.power().max(f64::MIN_POSITIVE) / sent).log10()
    }

    /// The level of the difference between two responses, compared with that of the signal, in dB.
    pub fn difference_db(&self, other: &Response) -> f64 {
        Response(self.0.iter().zip(&other.0).map(|(own, other)| *own - *other).collect()).level_db()
    }

    fn power(&self) -> f64 {
        self.0.iter().map(|amplitude| amplitude.power()).sum()
    }
}

/// The coefficients with which least is received. `without` is the response with all of them 0,
/// `each` are the responses with one of them at `step`, and the others 0.
pub fn fit(without: &Response, each: &[Response; TAPS], step: i8) -> [i8; TAPS] {
    let step = f64::from(step.max(1));
    // What one unit of each coefficient adds.
    let effects: Vec<Vec<Complex>> = each
        .iter()
        .map(|one| {
            one.0.iter().zip(&without.0).map(|(one, none)| (*one - *none) * (1.0 / step)).collect()
        })
        .collect();
    let dot = |one: &[Complex], other: &[Complex]| -> f64 {
        one.iter().zip(other).map(|(one, other)| one.dot(*other)).sum()
    };
    let mut rows = [[0.0; TAPS + 1]; TAPS];
    for (row, effect) in rows.iter_mut().zip(&effects) {
        for (cell, other) in row.iter_mut().zip(&effects) {
            *cell = dot(effect, other);
        }
        row[TAPS] = -dot(effect, &without.0);
    }
    // A coefficient without any effect stays 0.
    let most = rows.iter().zip(0..).map(|(row, place): (_, usize)| row[place]).fold(0.0, f64::max);
    for (place, row) in rows.iter_mut().enumerate() {
        row[place] += most * 1e-6 + f64::MIN_POSITIVE;
    }
    // A cast of floats saturates.
    solve(rows).map(|coefficient| coefficient.round() as i8)
}

/// Solves a system of linear equations whose matrix is symmetric and positive definite.
fn solve(mut rows: [[f64; TAPS + 1]; TAPS]) -> [f64; TAPS] {
    for place in 0..TAPS {
        let pivot = rows[place];
        for row in rows.iter_mut().skip(place + 1) {
            let factor = row[place] / pivot[place];
            for (cell, above) in row.iter_mut().zip(pivot) {
                *cell -= factor * above;
            }
        }
    }
    let mut solution = [0.0; TAPS];
    for place in (0..TAPS).rev() {
        let row = rows[place];
        let known: f64 = row.iter().zip(solution).skip(place + 1).map(|(cell, x)| cell * x).sum();
        solution[place] = (row[TAPS] - known) / row[place];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a line with this impulse response returns of the signal, after a delay.
    fn received(path: &[f64], delay: usize) -> Response {
        let signal = signal();
        let samples: Vec<i16> = (0..4 * PERIOD)
            .map(|sample| {
                let at =
                    |back: usize| f64::from(signal[(sample + 8 * PERIOD - delay - back) % PERIOD]);
                let sum: f64 = path.iter().enumerate().map(|(back, tap)| at(back) * tap).sum();
                sum.round() as i16
            })
            .collect();
        Response::of(&samples).unwrap()
    }

    #[test]
    fn the_signal_is_neither_too_loud_nor_too_quiet() {
        let signal = signal();
        let power = signal.iter().map(|s| (f64::from(*s) / 32_768.0).powi(2)).sum::<f64>() / 128.0;
        let level = 10.0 * power.log10();
        assert!((-25.0..-15.0).contains(&level), "{level} dB of full scale");
        let peak = signal.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!(peak < 20_000, "{peak}");
    }

    #[test]
    fn levels_are_compared_with_the_signal() {
        assert!(received(&[1.0], 0).level_db().abs() < 0.1);
        assert!((received(&[0.0, 0.1], 77).level_db() + 20.0).abs() < 0.2);
        assert!(received(&[0.0], 0).level_db() < -80.0);
        assert_eq!(Response::of(&[1; PERIOD - 1]), None);
        let (early, late) = (received(&[0.1], 0), received(&[0.1], 1));
        assert!(early.difference_db(&early) < -100.0 && early.difference_db(&late) > -25.0);
    }

    #[test]
    fn a_hybrid_is_fitted_whatever_its_steps_and_delays_are() {
        let line = [0.0, 0.1, 0.22, -0.15, 0.05, 0.0, 0.0, 0.03];
        for (step_size, late, sign) in [(1.0 / 128.0, 0, -1.0), (1.0 / 200.0, 1, 1.0)] {
            let with = |hybrid: [i8; 8]| {
                let mut path = [0.0; 12];
                for (place, tap) in line.iter().enumerate() {
                    path[place] += tap;
                }
                for (place, coefficient) in hybrid.iter().enumerate() {
                    path[place + late] += sign * step_size * f64::from(*coefficient);
                }
                received(&path, 41)
            };
            let without = with([0; 8]);
            let each = std::array::from_fn(|place| {
                let mut hybrid = [0; 8];
                hybrid[place] = 32;
                with(hybrid)
            });
            let hybrid = fit(&without, &each, 32);
            let (before, after) = (without.level_db(), with(hybrid).level_db());
            assert!(after < before - 20.0, "{before} {after} {hybrid:?}");
        }
    }

    #[test]
    fn a_hybrid_without_effect_stays_zero() {
        let line = received(&[0.3], 5);
        let each = std::array::from_fn(|_| line.clone());
        assert_eq!(fit(&line, &each, 32), [0; 8]);
    }
}
