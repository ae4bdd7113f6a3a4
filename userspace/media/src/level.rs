//! Levels of blocks of samples in dBm0, in total and at one frequency.
//!
//! 0 dBm0 is 1 mW at the reference point of the network; a sine whose peak is the largest sample is
//! at +3.14 dBm0 (ITU-T G.711, A-law; u-law differs by an inaudible 0.03 dB).

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;

/// The level of a sine of full scale.
#[expect(clippy::approx_constant, reason = "decibels, not half a turn")]
pub const FULL_SCALE_SINE_DBM0: f32 = 3.14;

/// The level that is returned for silence and for an empty block, below any that 16 bits can have.
pub const FLOOR_DBM0: f32 = -100.0;

/// The peak of a sine of the given level, in sample units (0 dBm0 is 22 826).
pub fn amplitude(level_dbm0: f32) -> f32 {
    f32::from(i16::MAX) * 10f32.powf((level_dbm0 - FULL_SCALE_SINE_DBM0) / 20.0)
}

/// The level of a block, by its mean power, in dBm0.
pub fn rms_dbm0(samples: &[i16]) -> f32 {
    let sum: f64 = samples.iter().map(|&s| f64::from(s) * f64::from(s)).sum();
    power_to_dbm0(sum / samples.len() as f64)
}

/// The mean level of samples of which the number and the sum of the squares are known, in dBm0.
pub fn mean_dbm0(energy: u64, samples: u64) -> f32 {
    power_to_dbm0(energy as f64 / samples as f64)
}

/// The level at one frequency, in dBm0: that of a sine of `freq_hz` in the block.
///
/// A Goertzel filter over the block with a Hann window. Another frequency is attenuated by 31 dB or
/// more if it is at least 20 000 / `samples.len()` Hz away: 50 Hz for 400 samples (50 ms).
pub fn power_at(samples: &[i16], freq_hz: f32) -> f32 {
    let turn = TAU / samples.len() as f64;
    let omega = TAU * f64::from(freq_hz) / f64::from(SAMPLE_RATE);
    let coefficient = 2.0 * omega.cos();
    let (mut last, mut before) = (0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        let window = 1.0 - (turn * (i as f64 + 0.5)).cos();
        let next = f64::from(sample) * window + coefficient * last - before;
        before = last;
        last = next;
    }
    let energy = last * last + before * before - coefficient * last * before;
    // A sine of peak A gives A * len / 2 here, because the window's mean is 1.
    power_to_dbm0(2.0 * energy / (samples.len() as f64 * samples.len() as f64))
}

/// Converts mean power in squared sample units to dBm0. Not-a-number (an empty block) becomes the
/// floor.
pub(crate) fn power_to_dbm0(power: f64) -> f32 {
    let full_scale = f64::from(i16::MAX) * f64::from(i16::MAX) / 2.0;
    let level = 10.0 * (power / full_scale).log10() as f32 + FULL_SCALE_SINE_DBM0;
    level.max(FLOOR_DBM0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Generator;

    fn sine(freq_hz: f32, level: f32, len: usize) -> Vec<i16> {
        let mut samples = vec![0; len];
        Generator::sine(freq_hz, level).fill(&mut samples);
        samples
    }

    #[test]
    fn a_sine_measures_its_level() {
        for level in [3.0, 0.0, -10.0, -25.0, -45.0] {
            let block = sine(1000.0, level, 800);
            assert!((rms_dbm0(&block) - level).abs() < 0.1, "rms at {level}");
            assert!((power_at(&block, 1000.0) - level).abs() < 0.1, "power at {level}");
            let energy = block.iter().map(|s| u64::from(s.unsigned_abs()).pow(2)).sum();
            assert!((mean_dbm0(energy, 800) - level).abs() < 0.1, "mean at {level}");
        }
        assert!((amplitude(0.0) - 22_826.0).abs() < 1.0);
    }

    #[test]
    fn one_frequency_is_distinguished_from_its_neighbours() {
        let block: Vec<i16> = sine(697.0, -10.0, 400)
            .into_iter()
            .zip(sine(1209.0, -16.0, 400))
            .map(|(low, high)| low + high)
            .collect();
        assert!((power_at(&block, 697.0) + 10.0).abs() < 0.2);
        assert!((power_at(&block, 1209.0) + 16.0).abs() < 0.2);
        for absent in [350.0, 640.0, 770.0, 941.0, 1150.0, 1336.0, 2000.0] {
            assert!(power_at(&block, absent) < -40.0, "{absent} Hz");
        }
    }

    #[test]
    fn silence_and_nothing_are_the_floor() {
        for block in [&[] as &[i16], &[0; 160]] {
            assert_eq!(rms_dbm0(block), FLOOR_DBM0);
            assert_eq!(power_at(block, 440.0), FLOOR_DBM0);
        }
        assert_eq!([mean_dbm0(0, 0), mean_dbm0(0, 8)], [FLOOR_DBM0; 2]);
    }
}
