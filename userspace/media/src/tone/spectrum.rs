//! Decides whether a block of sound is a given tone.
//!
//! For each set of frequencies of a plan, a block is split into the part that sines of these
//! frequencies can explain, with any levels and phases (a least-squares fit), and the rest. The
//! block is that tone if nearly all of it is explained, both frequencies have enough of it, and
//! both continue in phase from the block before. Unlike a bank of filters, this distinguishes 440 +
//! 480 Hz from 350 + 440 Hz in a block that is shorter than the beat between them.

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;
use crate::level::power_to_dbm0;
use crate::tone::Signal;

/// Samples per block: 20 ms. Shorter blocks can't separate the frequencies of a plan, and longer
/// ones reject exchanges whose tones are off by what their standards allow (425 +-15 Hz, 620 Hz
/// +-1.5 %).
pub(super) const BLOCK: usize = 160;

/// The part of the power that a pair of frequencies has to explain: a tone 6 dB above the noise.
const MIN_PURITY_PAIR: f32 = 0.8;

/// The same for a single frequency, which may be off by more: 425 +-15 Hz.
const MIN_PURITY_SINGLE: f32 = 0.72;

/// The largest ratio of the amplitudes of a pair: 8 dB.
const MAX_TWIST: f32 = 2.5;

/// One or two frequencies, in Hz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frequencies {
    low_hz: u16,
    high_hz: Option<u16>,
}

impl Frequencies {
    /// The frequencies of a signal.
    pub(super) fn of(signal: &Signal) -> Frequencies {
        let high_hz = signal.high_hz.filter(|&high| high != signal.low_hz);
        Frequencies { low_hz: signal.low_hz, high_hz }
    }
}

/// The result for one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// The tone, as the index of its frequencies in the list given to [`Spectrum::new`].
    pub(super) tone: Option<usize>,
    pub(super) level: f32,
}

/// Splits sound into blocks and analyses each.
#[derive(Debug)]
pub(super) struct Spectrum {
    subspaces: Vec<Subspace>,
    /// The last sample, before and after the DC component was removed.
    raw: f32,
    centred: f32,
    position: usize,
    energy: f32,
}

/// How much of the DC component remains after each sample: the corner frequency is 25 Hz.
const CONSTANT: f32 = 0.98;

/// Keeps decaying values out of the subnormal range, where arithmetic is slow.
const TINY: f32 = 1e-18;

impl Spectrum {
    pub(super) fn new(tones: &[Frequencies]) -> Spectrum {
        let subspaces = tones.iter().map(Subspace::new).collect();
        Spectrum { subspaces, raw: 0.0, centred: 0.0, position: 0, energy: 0.0 }
    }

    /// Adds one sample; returns a block with every [`BLOCK`]th.
    pub(super) fn push(&mut self, sample: i16) -> Option<Block> {
        // Removes the DC component, which is not sound.
        let before = std::mem::replace(&mut self.raw, f32::from(sample));
        self.centred = CONSTANT * self.centred + self.raw - before + TINY;
        let x = self.centred;
        self.energy += x * x;
        for subspace in &mut self.subspaces {
            subspace.push(self.position, x);
        }
        self.position += 1;
        (self.position == BLOCK).then(|| self.finish())
    }

    fn finish(&mut self) -> Block {
        let energy = std::mem::take(&mut self.energy);
        self.position = 0;
        let mut best = (0.0, None);
        for (index, subspace) in self.subspaces.iter_mut().enumerate() {
            let explained = subspace.take(energy);
            if explained > best.0 {
                best = (explained, Some(index));
            }
        }
        Block { tone: best.1, level: power_to_dbm0(f64::from(energy) / BLOCK as f64) }
    }
}

/// The sines and cosines of one set of frequencies over a block.
#[derive(Debug)]
struct Subspace {
    /// An orthonormal basis of the space that they span.
    basis: Vec<[f32; BLOCK]>,
    /// `upper[j][i]`: how much of basis vector i is in wave j (the R of the QR decomposition).
    upper: [[f32; 4]; 4],
    /// The projection of the current block on each basis vector.
    projection: [f32; 4],
    /// The sines of the last block, continued into this one: cosine and sine of the lower
    /// frequency, then of the higher.
    expected: [f32; 4],
    /// By how much the phase of each frequency advances in a block: cosine and sine.
    advance: [[f32; 2]; 2],
}

impl Subspace {
    fn new(frequencies: &Frequencies) -> Subspace {
        let hz = [Some(frequencies.low_hz), frequencies.high_hz];
        let waves = hz.into_iter().flatten().flat_map(|hz| {
            let omega = TAU * f64::from(hz) / f64::from(SAMPLE_RATE);
            [
                std::array::from_fn::<f64, BLOCK, _>(|n| (omega * n as f64).cos()),
                std::array::from_fn(|n| (omega * n as f64).sin()),
            ]
        });
        let mut basis: Vec<[f64; BLOCK]> = Vec::new();
        let mut upper = [[0.0; 4]; 4];
        for (mut wave, column) in waves.zip(&mut upper) {
            // Gram-Schmidt: subtract the part that the earlier vectors span.
            for (vector, part) in basis.iter().zip(column.iter_mut()) {
                let share = dot(&wave, vector);
                *part = share as f32;
                wave.iter_mut().zip(vector).for_each(|(w, v)| *w -= share * v);
            }
            let length = dot(&wave, &wave).sqrt();
            column[basis.len()] = length as f32;
            basis.push(wave.map(|w| w / length));
        }
        let basis = basis.iter().map(|vector| vector.map(|v| v as f32)).collect();
        let advance = hz.map(|hz| {
            let angle = TAU * f64::from(hz.unwrap_or(0)) * BLOCK as f64 / f64::from(SAMPLE_RATE);
            [angle.cos() as f32, angle.sin() as f32]
        });
        Subspace { basis, upper, projection: [0.0; 4], expected: [0.0; 4], advance }
    }

    fn push(&mut self, position: usize, x: f32) {
        for (sum, vector) in self.projection.iter_mut().zip(&self.basis) {
            *sum += x * vector.get(position).copied().unwrap_or(0.0);
        }
    }

    /// Returns how much of the energy of the block that ends here is explained; 0 if the block is
    /// not this tone. Begins the next block.
    fn take(&mut self, energy: f32) -> f32 {
        let projection = std::mem::take(&mut self.projection);
        let explained = projection.iter().map(|p| p * p).sum();
        let is_tone = if self.basis.len() == 4 {
            self.is_pair(self.waves(projection)) && explained > MIN_PURITY_PAIR * energy
        } else {
            explained > MIN_PURITY_SINGLE * energy
        };
        if is_tone { explained } else { 0.0 }
    }

    /// Returns whether two sines have similar levels and continue those of the last block in phase.
    /// A sine of 460 Hz looks like 440 + 480 Hz within one block, but its phase advances
    /// differently: a frequency that is off by more than 12.5 Hz is rejected.
    fn is_pair(&mut self, [a, b, c, d]: [f32; 4]) -> bool {
        let (low, high) = (a.hypot(b), c.hypot(d));
        let balanced = low <= MAX_TWIST * high && high <= MAX_TWIST * low;
        let [ea, eb, ec, ed] = self.expected;
        let in_phase = a * ea + b * eb > 0.0 && c * ec + d * ed > 0.0;
        // cos(w(t + T)) = cos wT cos wt - sin wT sin wt, and sin alike.
        let [[low_cos, low_sin], [high_cos, high_sin]] = self.advance;
        self.expected = [
            a * low_cos + b * low_sin,
            b * low_cos - a * low_sin,
            c * high_cos + d * high_sin,
            d * high_cos - c * high_sin,
        ];
        balanced && in_phase
    }

    /// The amplitudes of the four waves, by back substitution.
    fn waves(&self, projection: [f32; 4]) -> [f32; 4] {
        let mut waves = projection;
        for j in (0..4).rev() {
            waves[j] /= self.upper[j][j];
            for i in 0..j {
                waves[i] -= self.upper[j][i] * waves[j];
            }
        }
        waves
    }
}

fn dot(a: &[f64; BLOCK], b: &[f64; BLOCK]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;

    use super::*;
    use crate::tone::Generator;

    /// Returns the tones of the blocks of sines of these frequencies at -15 dBm0, after the first
    /// ones.
    fn tones_in(hz: &[f32], constant: i16) -> Vec<Option<usize>> {
        let plan = Country::default().tones();
        let europe = "TBR21".parse::<Country>().unwrap().tones();
        let signals = [plan.dial, plan.ringback, plan.busy, europe.dial];
        let mut spectrum = Spectrum::new(&signals.map(|signal| Frequencies::of(&signal)));
        let mut generators: Vec<_> = hz.iter().map(|&hz| Generator::sine(hz, -15.0)).collect();
        let blocks = (0..100 * BLOCK).filter_map(|_| {
            let mut sum = constant;
            for generator in &mut generators {
                let mut sample = [0];
                generator.fill(&mut sample);
                sum += sample[0];
            }
            spectrum.push(sum).map(|block| block.tone)
        });
        blocks.skip(1).collect()
    }

    #[test]
    fn every_block_of_a_tone_is_that_tone() {
        let tones: [&[f32]; 4] = [&[350.0, 440.0], &[440.0, 480.0], &[480.0, 620.0], &[425.0]];
        for constant in [0, 1000] {
            for (index, hz) in tones.into_iter().enumerate() {
                assert_eq!(tones_in(hz, constant), [Some(index); 99], "{hz:?} Hz");
            }
        }
    }

    #[test]
    fn a_sine_between_two_frequencies_is_neither() {
        for hz in [395.0, 460.0, 550.0] {
            let tones = tones_in(&[hz], 0);
            let mistaken = tones.iter().filter(|tone| tone.is_some()).count();
            assert_eq!(mistaken, 0, "{hz} Hz: {tones:?}");
        }
    }

    #[test]
    fn silence_and_a_constant_are_no_tone() {
        assert_eq!(tones_in(&[], 0), [None; 99]);
        assert_eq!(tones_in(&[], 5000), [None; 99]);
    }
}
