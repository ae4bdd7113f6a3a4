//! Cancels the echo of what a line sends from what it receives: the hybrids that join two wires to
//! four return a part of it.
//!
//! The canceller is speexdsp's, which adapts in the frequency domain and so survives both sides
//! speaking at once. Those of spandsp 0.0.6 and of webrtc-audio-processing do not suit: the one
//! prints on the standard output for every sample, the other suppresses the near side as well.

mod ffi;

use ffi::EchoState;

/// How many samples are processed at a time.
const BLOCK: usize = EchoState::BLOCK;
/// The canceller is given quarters: at full scale it takes high tones for a fault of its own.
const SCALE: i16 = 4;
/// After so many blocks in succession in which it adds more than it takes away it begins anew. By
/// itself it does so after 50 of them, and then prints a warning.
const ASTRAY: u32 = 25;
/// A sum of squares of a block below which nothing counts as added.
const FLOOR: u64 = BLOCK as u64 * 100;

/// Cancels the echo of one line.
///
/// Within three seconds of speech the echo is lower by 20 dB or more, on every echo path of ITU-T
/// G.168 (`tests/echo.rs` measures it). Frequencies below about 100 Hz are attenuated, also while
/// nothing is sent.
#[derive(Debug)]
pub struct EchoCanceller {
    state: EchoState,
    sent: [i16; BLOCK],
    heard: [i16; BLOCK],
    clean: [i16; BLOCK],
    /// How many samples of the current block there are.
    filled: usize,
    /// In how many blocks, up to the last, it has added more than it has taken away.
    astray: u32,
}

fn energy(samples: &[i16; BLOCK]) -> u64 {
    samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum()
}

impl EchoCanceller {
    /// What comes out of it is so many samples late.
    pub const DELAY: usize = BLOCK;

    /// Creates a canceller that knows nothing of its line yet. This allocates; nothing else does.
    pub fn new() -> EchoCanceller {
        EchoCanceller {
            state: EchoState::new(),
            sent: [0; BLOCK],
            heard: [0; BLOCK],
            clean: [0; BLOCK],
            filled: 0,
            astray: 0,
        }
    }

    /// Replaces received samples by those without echo, [`DELAY`](EchoCanceller::DELAY) samples
    /// later. `sent` are the samples that were sent in the same time, or somewhat earlier, but
    /// always by the same; where they are fewer, nothing was sent.
    pub fn feed(&mut self, sent: &[i16], heard: &mut [i16]) {
        let sent = sent.iter().copied().chain(std::iter::repeat(0));
        for (heard, sent) in heard.iter_mut().zip(sent) {
            if self.filled == BLOCK {
                self.cancel();
                self.filled = 0;
            }
            let places = (
                self.sent.get_mut(self.filled),
                self.heard.get_mut(self.filled),
                self.clean.get(self.filled),
            );
            if let (Some(sent_place), Some(heard_place), Some(clean)) = places {
                *sent_place = sent / SCALE;
                *heard_place = std::mem::replace(heard, clean.saturating_mul(SCALE)) / SCALE;
            }
            self.filled += 1;
        }
    }

    /// Processes the block that is full.
    fn cancel(&mut self) {
        self.state.cancel(&self.sent, &self.heard, &mut self.clean);
        let adds = energy(&self.clean) > 2 * energy(&self.heard) + FLOOR;
        self.astray = if adds { self.astray + 1 } else { 0 };
        if self.astray == ASTRAY {
            self.state.reset();
            self.astray = 0;
        }
    }

    /// Forgets the line and what was heard on it.
    pub fn reset(&mut self) {
        self.state.reset();
        (self.sent, self.heard, self.clean) = ([0; BLOCK], [0; BLOCK], [0; BLOCK]);
        (self.filled, self.astray) = (0, 0);
    }
}

impl Default for EchoCanceller {
    fn default() -> EchoCanceller {
        EchoCanceller::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::rms_dbm0;

    /// Noise, and its echo of half the amplitude 2 ms later.
    fn noise_and_echo(len: usize) -> (Vec<i16>, Vec<i16>) {
        let mut random = 7u32;
        let sent: Vec<i16> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 18) as i16 - 8192
        })
        .take(len)
        .collect();
        let heard = [0; 16].into_iter().chain(sent.iter().map(|sample| sample / 2)).take(len);
        let heard = heard.collect();
        (sent, heard)
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_samples_are_cut() {
        let (sent, heard) = noise_and_echo(4000);
        let cancelled = |piece: usize| {
            let (mut canceller, mut heard) = (EchoCanceller::new(), heard.clone());
            for (sent, heard) in sent.chunks(piece).zip(heard.chunks_mut(piece)) {
                canceller.feed(sent, heard);
            }
            heard
        };
        let whole = cancelled(4000);
        assert!(rms_dbm0(&whole[2000..]) < rms_dbm0(&heard[2000..]) - 10.0);
        for piece in [1, 8, 63, 64, 65, 160] {
            assert_eq!(cancelled(piece), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn while_nothing_is_sent_what_is_heard_passes_late_and_a_reset_forgets_the_rest() {
        let (_, heard) = noise_and_echo(8000);
        let mut passed = heard.clone();
        let mut canceller = EchoCanceller::new();
        canceller.feed(&[], &mut passed);
        assert_eq!(passed[..EchoCanceller::DELAY], [0; EchoCanceller::DELAY]);
        let level = |samples: &[i16]| rms_dbm0(&samples[1000..]);
        assert!((level(&passed) - level(&heard)).abs() < 0.5);
        canceller.reset();
        let mut silence = [0; 256];
        canceller.feed(&[], &mut silence);
        assert_eq!(silence, [0; 256]);
    }
}
