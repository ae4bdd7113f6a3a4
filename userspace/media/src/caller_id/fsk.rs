//! Makes the sound of a data message: 1200 bit/s by two frequencies (Telcordia GR-30, ETSI EN 300
//! 659-1).
//!
//! First 300 bits of alternating 0 and 1 (channel seizure), then 180 bits of 1 (mark), or during a
//! conversation 80 bits of 1 alone, then the bytes, each with a start bit of 0 before it and a stop
//! bit of 1 behind it, the lowest bit first, and at the end some bits of 1.
//!
//! It is our own, beside spandsp's receiver: neither can hide a mistake of the other, and any bit
//! can be sent wrong.

use super::CallerIdCoding;
use crate::SAMPLE_RATE;
use crate::oscillator::{Oscillator, to_sample};

const BIT_RATE: u32 = 1200;
/// With start and stop bit.
const BITS_OF_BYTE: usize = 10;
const LAST_BITS: usize = 10;

/// The frequencies of a 1 and of a 0, in Hz.
#[derive(Debug, Clone, Copy)]
pub(super) struct FskTones {
    pub(super) mark_hz: f32,
    pub(super) space_hz: f32,
}

impl FskTones {
    pub(super) const BELL_202: FskTones = FskTones { mark_hz: 1200.0, space_hz: 2200.0 };
    pub(super) const V_23: FskTones = FskTones { mark_hz: 1300.0, space_hz: 2100.0 };

    /// Those of a message during a conversation; `None` where it is not known how exchanges send
    /// it.
    pub(super) fn of(coding: CallerIdCoding) -> Option<FskTones> {
        match coding {
            CallerIdCoding::Bell202 => Some(FskTones::BELL_202),
            CallerIdCoding::V23 => Some(FskTones::V_23),
            CallerIdCoding::Ntt | CallerIdCoding::Dtmf { .. } => None,
        }
    }
}

/// What is sent before a message, in bits: alternating ones, and ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preamble {
    seizure: usize,
    mark: usize,
}

impl Preamble {
    /// On a line that is on-hook.
    pub(super) const ON_HOOK: Preamble = Preamble { seizure: 300, mark: 180 };
    /// On a line that has answered: during a conversation, and in Japan.
    pub(super) const OFF_HOOK: Preamble = Preamble { seizure: 0, mark: 80 };
}

/// Sends one message.
#[derive(Debug)]
pub(super) struct Modulator {
    tones: FskTones,
    sine: Oscillator,
    preamble: Preamble,
    message: Vec<u8>,
    /// A bit of the message, counted from its first start bit, that is sent wrong.
    wrong: Option<usize>,
    /// The bit that is sent.
    at: usize,
    /// How much of that bit is over, in parts of a second / (bit rate * sample rate).
    over: u32,
}

impl Modulator {
    pub(super) fn new(
        tones: FskTones,
        dbm0: f32,
        preamble: Preamble,
        message: Vec<u8>,
    ) -> Modulator {
        let sine = Oscillator::new(tones.space_hz, dbm0);
        Modulator { tones, sine, preamble, message, wrong: None, at: 0, over: 0 }
    }

    /// Sends a bit of the message wrong; they are counted from 0, ten for each byte.
    pub(super) fn set_wrong(&mut self, bit: usize) {
        self.wrong = Some(bit);
    }

    /// A bit of what is sent; `None` behind its end.
    fn bit(&self, at: usize) -> Option<bool> {
        let Preamble { seizure, mark } = self.preamble;
        let Some(at) = at.checked_sub(seizure) else { return Some(at % 2 == 1) };
        let Some(at) = at.checked_sub(mark) else { return Some(true) };
        let right = match self.message.get(at / BITS_OF_BYTE) {
            Some(byte) => match at % BITS_OF_BYTE {
                0 => false,
                bit @ 1..=8 => byte >> (bit - 1) & 1 == 1,
                _ => true,
            },
            None if at < self.message.len() * BITS_OF_BYTE + LAST_BITS => true,
            None => return None,
        };
        Some(right != (self.wrong == Some(at)))
    }

    /// How many samples it has, from its beginning.
    pub(super) fn length(&self) -> u32 {
        let preamble = self.preamble.seizure + self.preamble.mark;
        let bits = preamble + self.message.len() * BITS_OF_BYTE + LAST_BITS;
        (bits as u32 * SAMPLE_RATE).div_ceil(BIT_RATE)
    }

    pub(super) fn is_over(&self) -> bool {
        self.bit(self.at).is_none()
    }

    /// Writes the next samples to the start of `out`, and returns how many there are.
    pub(super) fn fill(&mut self, out: &mut [i16]) -> usize {
        for (produced, sample) in out.iter_mut().enumerate() {
            let Some(bit) = self.bit(self.at) else { return produced };
            self.sine.set_frequency(if bit { self.tones.mark_hz } else { self.tones.space_hz });
            *sample = to_sample(self.sine.next());
            self.over += BIT_RATE;
            if self.over >= SAMPLE_RATE {
                self.over -= SAMPLE_RATE;
                self.at += 1;
            }
        }
        out.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_as_long_as_its_bits() {
        let mut modulator =
            Modulator::new(FskTones::V_23, -14.0, Preamble::ON_HOOK, vec![0x55; 12]);
        let mut samples = [0; 8];
        let (mut count, mut loudest) = (0, 0);
        loop {
            let filled = modulator.fill(&mut samples);
            count += filled;
            loudest = samples.iter().fold(loudest, |most: u16, one| most.max(one.unsigned_abs()));
            if filled < 8 {
                break;
            }
        }
        assert_eq!(count, (300 + 180 + 120 + 10) * 20 / 3 + 1);
        assert_eq!(count, modulator.length() as usize);
        assert!((4400..4600).contains(&loudest), "{loudest}: -14 dBm0");
        assert_eq!(modulator.fill(&mut samples), 0);
    }

    #[test]
    fn bits_are_in_order_and_one_can_be_wrong() {
        let new = |preamble| Modulator::new(FskTones::BELL_202, -14.0, preamble, vec![0b1000_0010]);
        let mut modulator = new(Preamble::ON_HOOK);
        let bits = |modulator: &Modulator| {
            let bits = (0..).map_while(|at| modulator.bit(at));
            bits.map(|bit| if bit { '1' } else { '0' }).collect::<String>()
        };
        let expected = "01".repeat(150) + &"1".repeat(180) + "0010000011" + &"1".repeat(10);
        assert_eq!(bits(&modulator), expected);
        modulator.set_wrong(1);
        let wrong = "01".repeat(150) + &"1".repeat(180) + "0110000011" + &"1".repeat(10);
        assert_eq!(bits(&modulator), wrong);
        let in_conversation = new(Preamble::OFF_HOOK);
        let expected = "1".repeat(80) + "0010000011" + &"1".repeat(10);
        assert_eq!(bits(&in_conversation), expected);
    }
}
