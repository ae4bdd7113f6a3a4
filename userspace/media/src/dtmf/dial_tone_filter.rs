//! Removes dial tone before the DTMF detector.

/// A high-pass filter. It attenuates by 35 dB or more up to 440 Hz, which removes the dial tone of
/// any country (350 + 440 Hz, 425 Hz, 350 + 450 Hz), and by less than 0.3 dB from 670 Hz up, which
/// does not change the levels of a digit. It settles within 9 ms, less than one block of the
/// detector.
///
/// An elliptic filter of order 4 at 8 kHz: 0.3 dB ripple, 35 dB stop band, pass band from 670 Hz;
/// in scipy `ellip(4, 0.3, 35, 670, "highpass", fs=8000, output="sos")`.
#[derive(Debug, Clone, Default)]
pub(crate) struct DialToneFilter {
    sections: [Section; 2],
}

/// The state of one second-order section, transposed direct form II.
#[derive(Debug, Clone, Copy, Default)]
struct Section {
    z1: f32,
    z2: f32,
}

/// Coefficients b0 b1 b2 a1 a2 of a section.
const SECTIONS: [[f32; 5]; 2] = [
    [0.537_062_07, -1.062_053_8, 0.537_062_07, -1.064_930_5, 0.379_814_86],
    [1.0, -1.893_794_1, 1.0, -1.646_479_8, 0.875_418_2],
];

impl DialToneFilter {
    /// Filters the next sample.
    pub(crate) fn next(&mut self, sample: i16) -> i16 {
        // The small constant keeps decaying values out of the subnormal range, where arithmetic is
        // slow.
        let mut x = f32::from(sample) + 1e-18;
        for (section, [b0, b1, b2, a1, a2]) in self.sections.iter_mut().zip(SECTIONS) {
            let y = b0 * x + section.z1;
            section.z1 = b1 * x - a1 * y + section.z2;
            section.z2 = b2 * x - a2 * y;
            x = y;
        }
        x.round() as i16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level;
    use crate::tone::Generator;

    /// The gain for a sine of -10 dBm0, in dB, after the filter has settled.
    fn gain(freq_hz: f32) -> f32 {
        let mut samples = [0; 1600];
        Generator::sine(freq_hz, -10.0).fill(&mut samples);
        let mut filter = DialToneFilter::default();
        for sample in &mut samples {
            *sample = filter.next(*sample);
        }
        level::power_at(&samples[400..], freq_hz) + 10.0
    }

    #[test]
    fn dial_tones_go_and_digits_stay() {
        for hz in [350.0, 400.0, 425.0, 440.0] {
            assert!(gain(hz) < -34.5, "{hz} Hz: {} dB", gain(hz));
        }
        assert!(gain(450.0) < -31.0);
        for hz in [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0] {
            assert!((-0.35..0.05).contains(&gain(hz)), "{hz} Hz: {} dB", gain(hz));
        }
    }

    #[test]
    fn a_constant_dies_away() {
        let mut filter = DialToneFilter::default();
        let last = (0..8000).map(|_| filter.next(10_000)).last();
        assert!(last.is_some_and(|sample| sample.abs() < 300));
    }
}
