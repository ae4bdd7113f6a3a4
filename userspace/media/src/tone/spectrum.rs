//! Decides whether a block of sound is a given tone.
//!
//! For each band of a plan, a block is split into the part that sines of its frequencies can
//! explain, with any levels and phases (a least-squares fit), and the rest. The block is in that
//! band if nearly all of it is explained. Of a pair of frequencies both have to have enough of it,
//! and both have to continue in phase from the block before. Unlike a bank of filters, this
//! distinguishes 440 + 480 Hz from 350 + 440 Hz in a block that is shorter than the beat between
//! them, and it explains a modulated tone by its carrier and sidebands.

use std::f64::consts::TAU;

use crate::SAMPLE_RATE;
use crate::level::power_to_dbm0;
use crate::tone::band::Band;

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

/// The part of the power that a band of several sounds has to explain: it has more sines to do it
/// with.
const MIN_PURITY_MIXED: f32 = 0.85;

/// A wave of which no more than this share is new adds nothing to a fit.
const MIN_NEW: f64 = 0.001;

/// The result for one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    /// The tone, as the index of its band in the list given to [`Spectrum::new`].
    pub(super) tone: Option<usize>,
    pub(super) level: f32,
    /// Whether the level of the tone rises and falls by itself, because it is modulated or beats.
    pub(super) wavers: bool,
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
    pub(super) fn new(bands: &[Band]) -> Spectrum {
        let subspaces = bands.iter().map(Subspace::new).collect();
        Spectrum { subspaces, raw: 0.0, centred: 0.0, position: 0, energy: 0.0 }
    }

    /// Forgets all samples.
    pub(super) fn reset(&mut self) {
        (self.raw, self.centred, self.position, self.energy) = (0.0, 0.0, 0, 0.0);
        for subspace in &mut self.subspaces {
            subspace.projection.fill(0.0);
            if let Some(pair) = &mut subspace.pair {
                pair.expected = [0.0; 4];
            }
        }
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
        let (mut best, mut tone, mut wavers) = (0.0, None, false);
        for (index, subspace) in self.subspaces.iter_mut().enumerate() {
            let explained = subspace.take(energy);
            if explained > best {
                (best, tone, wavers) = (explained, Some(index), !subspace.pure);
            }
        }
        Block { tone, level: power_to_dbm0(f64::from(energy) / BLOCK as f64), wavers }
    }
}

/// The sines and cosines of one band over a block.
#[derive(Debug)]
pub(super) struct Subspace {
    /// An orthonormal basis of the space that they span, and the projection of the current block on
    /// each of its vectors.
    basis: Vec<[f32; BLOCK]>,
    projection: Vec<f32>,
    /// Whether it is a single sound, see [`Band::is_pure`].
    pure: bool,
    pair: Option<Pair>,
}

impl Subspace {
    pub(super) fn new(band: &Band) -> Subspace {
        let hz = band.hz();
        let waves = hz.iter().flat_map(|&hz| {
            let omega = TAU * f64::from(hz) / f64::from(SAMPLE_RATE);
            [
                std::array::from_fn::<f64, BLOCK, _>(|n| (omega * n as f64).cos()),
                std::array::from_fn(|n| (omega * n as f64).sin()),
            ]
        });
        let mut basis: Vec<[f64; BLOCK]> = Vec::new();
        let mut upper = [[0.0; 4]; 4];
        for (n, mut wave) in waves.enumerate() {
            let whole = dot(&wave, &wave);
            let mut column = [0.0; 4];
            // Gram-Schmidt: subtract the part that the earlier vectors span.
            for (place, vector) in basis.iter().enumerate() {
                let share = dot(&wave, vector);
                if let Some(part) = column.get_mut(place) {
                    *part = share as f32;
                }
                wave.iter_mut().zip(vector).for_each(|(w, v)| *w -= share * v);
            }
            let rest = dot(&wave, &wave);
            if rest < MIN_NEW * whole {
                continue;
            }
            if let Some(part) = column.get_mut(basis.len()) {
                *part = rest.sqrt() as f32;
            }
            if let Some(place) = upper.get_mut(n) {
                *place = column;
            }
            basis.push(wave.map(|w| w / rest.sqrt()));
        }
        let pure = band.is_pure();
        let pair = match hz.as_slice() {
            &[low, high] if pure && basis.len() == 4 => Some(Pair::new([low, high], upper)),
            _ => None,
        };
        let basis: Vec<_> = basis.iter().map(|vector| vector.map(|v| v as f32)).collect();
        Subspace { projection: vec![0.0; basis.len()], basis, pure, pair }
    }

    /// Returns which share of a block is explained, whatever came before it; 0 for silence.
    pub(super) fn share(&mut self, block: &[i16; BLOCK]) -> f32 {
        self.projection.fill(0.0);
        let mut energy = 0.0;
        for (position, &sample) in block.iter().enumerate() {
            let x = f32::from(sample);
            energy += x * x;
            self.push(position, x);
        }
        let explained: f32 = self.projection.iter().map(|p| p * p).sum();
        self.projection.fill(0.0);
        if energy > 0.0 { explained / energy } else { 0.0 }
    }

    fn push(&mut self, position: usize, x: f32) {
        for (sum, vector) in self.projection.iter_mut().zip(&self.basis) {
            *sum += x * vector.get(position).copied().unwrap_or(0.0);
        }
    }

    /// Returns how much of the energy of the block that ends here is explained; 0 if the block is
    /// not this tone. Begins the next block.
    fn take(&mut self, energy: f32) -> f32 {
        let explained = self.projection.iter().map(|p| p * p).sum();
        let is_tone = match (&mut self.pair, self.projection.as_slice()) {
            (Some(pair), &[a, b, c, d]) => {
                pair.goes_on([a, b, c, d]) && explained > MIN_PURITY_PAIR * energy
            }
            _ if self.pure => explained > MIN_PURITY_SINGLE * energy,
            _ => explained > MIN_PURITY_MIXED * energy,
        };
        self.projection.fill(0.0);
        if is_tone { explained } else { 0.0 }
    }
}

/// What a pair of frequencies has to fulfil from block to block.
#[derive(Debug)]
struct Pair {
    /// `upper[j][i]`: how much of basis vector i is in wave j (the R of the QR decomposition).
    upper: [[f32; 4]; 4],
    /// The sines of the last block, continued into this one: cosine and sine of the lower
    /// frequency, then of the higher.
    expected: [f32; 4],
    /// By how much the phase of each frequency advances in a block: cosine and sine.
    advance: [[f32; 2]; 2],
}

impl Pair {
    fn new(hz: [u16; 2], upper: [[f32; 4]; 4]) -> Pair {
        let advance = hz.map(|hz| {
            let angle = TAU * f64::from(hz) * BLOCK as f64 / f64::from(SAMPLE_RATE);
            [angle.cos() as f32, angle.sin() as f32]
        });
        Pair { upper, expected: [0.0; 4], advance }
    }

    /// Returns whether two sines have similar levels and continue those of the last block in phase.
    /// A sine of 460 Hz looks like 440 + 480 Hz within one block, but its phase advances
    /// differently: a frequency that is off by more than 12.5 Hz is rejected.
    fn goes_on(&mut self, projection: [f32; 4]) -> bool {
        let [a, b, c, d] = self.waves(projection);
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
    use ringback_country::{Country, Signal};

    use super::*;
    use crate::tone::Generator;

    /// A plan with the tones 350 + 440, 440 + 480, 480 + 620 and 425 Hz, in this order.
    fn spectrum() -> Spectrum {
        let mut plan = Country::default().tones().clone();
        plan.reorder = Signal::parse("425/250,0/250", -10.0).unwrap();
        (plan.special_information, plan.recall, plan.stutter) = (None, None, None);
        Spectrum::new(&Band::of(&plan))
    }

    /// Returns the tones of the blocks of sines of these frequencies at -15 dBm0, after the first
    /// ones.
    fn tones_in(hz: &[f32], constant: i16) -> Vec<Option<usize>> {
        let mut spectrum = spectrum();
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
    fn a_modulated_tone_is_one_tone_in_every_block() {
        for country in ["India", "Japan", "South Africa", "Singapore", "Thailand", "FCC/US-OLD"] {
            let plan = country.parse::<Country>().unwrap().tones();
            for sound in plan.signals().flat_map(|(_, signal)| signal.sounds()) {
                let Some(by) = sound.modulation_hz() else { continue };
                let notation = format!("{}*{by}", sound.hz().next().unwrap());
                let signal = Signal::parse(&notation, -20.0).unwrap();
                let bands = Band::of(plan);
                let wanted = bands.iter().position(|band| band.contains(sound));
                let mut spectrum = Spectrum::new(&bands);
                let mut samples = vec![0; 100 * BLOCK];
                Generator::new(&signal).fill(&mut samples);
                let tones = samples.iter().filter_map(|&sample| spectrum.push(sample));
                for (n, block) in tones.enumerate().skip(1) {
                    assert_eq!(block.tone, wanted, "{country}: {notation} in block {n}");
                }
            }
        }
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
