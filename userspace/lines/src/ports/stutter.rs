//! The stutter dial tone: a telephone that is lifted hears that messages wait.

/// Samples of sound, and of the silence after it.
const STEP: u32 = 800;
/// How long it stutters before the tone is continuous: ten sounds.
const STUTTERS: u32 = 20 * STEP;

/// Interrupts a dial tone for two seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stutter(u32);

impl Stutter {
    /// A stutter that begins with sound.
    pub(super) const BEGIN: Stutter = Stutter(0);
    /// None: the tone is continuous.
    pub(super) const OVER: Stutter = Stutter(STUTTERS);

    /// Silences the parts of the next samples of the tone in which it pauses.
    pub(super) fn interrupt(&mut self, tone: &mut [i16]) {
        for sample in tone {
            if self.0 == STUTTERS {
                return;
            }
            if self.0 / STEP % 2 == 1 {
                *sample = 0;
            }
            self.0 += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_pauses_ten_times_and_then_is_continuous() {
        let mut stutter = Stutter::BEGIN;
        let mut samples = [1; 24_000];
        for piece in samples.chunks_mut(7) {
            stutter.interrupt(piece);
        }
        let runs: Vec<usize> = samples.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
        assert_eq!(runs, [[800; 20].as_slice(), &[8000]].concat());
        let mut tone = [1; 100];
        Stutter::OVER.clone().interrupt(&mut tone);
        assert_eq!(tone, [1; 100]);
    }
}
