//! How much of a block of sound is a given tone.
//!
//! For each set of frequencies of a plan, a block is split into the part that sines of just these
//! frequencies can explain, whatever their levels and phases (a least-squares fit), and the rest.
//! Where nearly all is explained, and both frequencies carry their share, the block is that tone.
//! Unlike filters side by side this tells 440 + 480 Hz from 350 + 440 Hz in a block shorter than
//! the beat between them.

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;
use crate::level::power_to_dbm0;

/// Samples per block: 20 ms. Shorter blocks mix up the frequencies of a plan, longer ones refuse
/// exchanges whose tones are off by what their standards allow (425 +-15 Hz, 620 Hz +-1.5 %).
pub(super) const BLOCK: usize = 160;

/// The part of the power that has to be explained: a tone 5 dB over the noise.
const MIN_PURITY: f32 = 0.72;

/// The ratio of two levels that is allowed: 8 dB.
const MAX_TWIST: f32 = 2.5;

/// One or two frequencies, in Hz.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frequencies {
    pub(super) low_hz: u16,
    pub(super) high_hz: Option<u16>,
}

/// What one block was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// The frequencies it consisted of, by their place in the list given to [`Spectrum::new`].
    pub(super) tone: Option<usize>,
    /// Its level, in dBm0.
    pub(super) level: f32,
}

/// Splits sound into blocks and says what each was.
#[derive(Debug)]
pub(super) struct Spectrum {
    subspaces: Vec<Subspace>,
    position: usize,
    sum: f32,
    energy: f32,
}

impl Spectrum {
    pub(super) fn new(tones: &[Frequencies]) -> Spectrum {
        let subspaces = tones.iter().map(Subspace::new).collect();
        Spectrum { subspaces, position: 0, sum: 0.0, energy: 0.0 }
    }

    /// Takes one sample; a block with every [`BLOCK`]th.
    pub(super) fn push(&mut self, sample: i16) -> Option<Block> {
        let x = f32::from(sample);
        self.sum += x;
        self.energy += x * x;
        for subspace in &mut self.subspaces {
            subspace.push(self.position, x);
        }
        self.position += 1;
        (self.position == BLOCK).then(|| self.finish())
    }

    fn finish(&mut self) -> Block {
        // A line's constant voltage is no sound.
        let energy = self.energy - self.sum * self.sum / BLOCK as f32;
        let mut best = (MIN_PURITY * energy, None);
        for (index, subspace) in self.subspaces.iter_mut().enumerate() {
            let fit = subspace.take();
            if fit.balanced && fit.energy > best.0 {
                best = (fit.energy, Some(index));
            }
        }
        (self.position, self.sum, self.energy) = (0, 0.0, 0.0);
        Block { tone: best.1, level: power_to_dbm0(f64::from(energy) / BLOCK as f64) }
    }
}

/// How well a block is explained by a set of frequencies.
struct Fit {
    /// The explained energy, in sample units squared.
    energy: f32,
    /// Whether each frequency carries its share.
    balanced: bool,
}

/// The sines and cosines of one set of frequencies over a block.
#[derive(Debug)]
struct Subspace {
    /// Orthonormal vectors that span them.
    basis: Vec<[f32; BLOCK]>,
    /// `upper[j][i]`: how much of basis vector i is in wave j (the R of the QR decomposition).
    upper: [[f32; 4]; 4],
    /// The block so far, projected on each basis vector.
    projection: [f32; 4],
}

impl Subspace {
    fn new(frequencies: &Frequencies) -> Subspace {
        let high = frequencies.high_hz.filter(|&high| high != frequencies.low_hz);
        let hz = [Some(frequencies.low_hz), high];
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
            // Gram-Schmidt: take away what the vectors before it already span.
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
        Subspace { basis, upper, projection: [0.0; 4] }
    }

    fn push(&mut self, position: usize, x: f32) {
        for (sum, vector) in self.projection.iter_mut().zip(&self.basis) {
            *sum += x * vector.get(position).copied().unwrap_or(0.0);
        }
    }

    /// The fit of the block that ends here; the next begins.
    fn take(&mut self) -> Fit {
        let projection = std::mem::take(&mut self.projection);
        let energy = projection.iter().map(|p| p * p).sum();
        let balanced = match self.basis.len() {
            4 => {
                let [a, b, c, d] = self.waves(projection);
                let (low, high) = (a.hypot(b), c.hypot(d));
                low <= MAX_TWIST * high && high <= MAX_TWIST * low
            }
            _ => true,
        };
        Fit { energy, balanced }
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
