//! Conceals what is missing of a stream of speech: packets that were lost, or came too late.
//!
//! What is missing is made of the last pitch periods that were received, fades to silence within
//! 50 ms, and is blended with what is received after it (spandsp's `plc`).

use crate::ffi::Plc;

/// Conceals losses of one stream.
#[derive(Debug)]
pub struct LossConcealer(Plc);

impl LossConcealer {
    /// Creates one that has received nothing yet: what it makes up is silence.
    pub fn new() -> LossConcealer {
        LossConcealer(Plc::new())
    }

    /// Takes in samples that were received. The first 4 ms after a loss are changed, so that they
    /// follow smoothly.
    pub fn receive(&mut self, samples: &mut [i16]) {
        for block in samples.chunks_mut(Plc::BLOCK) {
            self.0.take_in(block);
        }
    }

    /// Fills `samples` in place of those that are missing.
    pub fn conceal(&mut self, samples: &mut [i16]) {
        for block in samples.chunks_mut(Plc::BLOCK) {
            self.0.make_up(block);
        }
    }
}

impl Default for LossConcealer {
    fn default() -> LossConcealer {
        LossConcealer::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::rms_dbm0;
    use crate::tone::Generator;

    #[test]
    fn a_lost_packet_sounds_like_what_was_before_it_and_a_long_loss_is_silence() {
        let mut concealer = LossConcealer::new();
        let mut nothing = [7; 160];
        concealer.conceal(&mut nothing);
        assert_eq!(nothing, [0; 160], "nothing was received");
        let mut tone = Generator::sine(200.0, -10.0);
        for _ in 0..10 {
            let mut frame = [0; 160];
            tone.fill(&mut frame);
            concealer.receive(&mut frame);
        }
        let mut lost = [0; 160];
        concealer.conceal(&mut lost);
        assert!(rms_dbm0(&lost) > -16.0, "{} dBm0", rms_dbm0(&lost));
        let mut long = [0; 800];
        concealer.conceal(&mut long);
        assert!(long.ends_with(&[0; 160]), "50 ms later it is silent");
        let mut again = [0; 160];
        tone.fill(&mut again);
        concealer.receive(&mut again);
        assert!(rms_dbm0(&again) > -13.0, "what is received is heard");
    }
}
