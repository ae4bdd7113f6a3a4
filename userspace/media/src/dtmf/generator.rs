//! DTMF digits, made one after the other.

use std::collections::VecDeque;

use crate::dtmf::Digit;
use crate::oscillator::{Oscillator, to_sample};
use crate::samples_in;

/// Sends digits: each a tone and a silence, in the order they were pushed.
#[derive(Debug, Clone)]
pub struct Generator {
    waiting: VecDeque<Item>,
    /// The two sines of the digit that is being sent.
    tones: [Oscillator; 2],
    tone_left: u32,
    silence_left: u32,
    on: u32,
    off: u32,
    low_dbm0: f32,
    high_dbm0: f32,
}

#[derive(Debug, Clone, Copy)]
enum Item {
    Digit(Digit),
    /// Silence of as many samples.
    Pause(u32),
}

impl Generator {
    /// Nothing to send yet; digits of 100 ms with 100 ms between, low frequency at -9 dBm0, high at
    /// -7 dBm0 (the line takes more of the high one).
    pub fn new() -> Generator {
        let silent = Oscillator::new(0.0, 0.0);
        Generator {
            waiting: VecDeque::new(),
            tones: [silent; 2],
            tone_left: 0,
            silence_left: 0,
            on: samples_in(100),
            off: samples_in(100),
            low_dbm0: -9.0,
            high_dbm0: -7.0,
        }
    }

    /// How long the digits that are not sent yet sound and how long the silence after each is, in
    /// ms. Exchanges take 40 ms and up of each (ITU-T Q.24); 0 ms of sound skips a digit's tone.
    pub fn set_timing(&mut self, on_ms: u32, off_ms: u32) {
        self.on = samples_in(on_ms);
        self.off = samples_in(off_ms);
    }

    /// The levels of the low and the high frequency of the digits that are not sent yet, in dBm0.
    /// Together they clip above -3 dBm0 each.
    pub fn set_levels(&mut self, low_dbm0: f32, high_dbm0: f32) {
        self.low_dbm0 = low_dbm0;
        self.high_dbm0 = high_dbm0;
    }

    /// Adds a digit behind what waits.
    pub fn push(&mut self, digit: Digit) {
        self.waiting.push_back(Item::Digit(digit));
    }

    /// Adds a silence of `ms` milliseconds behind what waits.
    pub fn pause(&mut self, ms: u32) {
        self.waiting.push_back(Item::Pause(samples_in(ms)));
    }

    /// Writes the next samples to the start of `out` and says how many; the rest of `out` is left
    /// as it is. Fewer than asked when the last silence ends inside `out`, 0 when there is nothing
    /// (more) to send.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        for (produced, sample) in out.iter_mut().enumerate() {
            while self.tone_left == 0 && self.silence_left == 0 {
                match self.waiting.pop_front() {
                    Some(item) => self.start(item),
                    None => return produced,
                }
            }
            *sample = if self.tone_left > 0 {
                self.tone_left -= 1;
                to_sample(self.tones.iter_mut().map(Oscillator::next).sum())
            } else {
                self.silence_left -= 1;
                0
            };
        }
        out.len()
    }

    /// Whether everything has been sent, the silence after the last digit included.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.tone_left == 0 && self.silence_left == 0
    }

    /// Stops at once, and forgets what waits. Timing and levels stay.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.tone_left = 0;
        self.silence_left = 0;
    }

    fn start(&mut self, item: Item) {
        match item {
            Item::Digit(digit) => {
                let (low, high) = digit.frequencies();
                self.tones =
                    [Oscillator::new(low, self.low_dbm0), Oscillator::new(high, self.high_dbm0)];
                self.tone_left = self.on;
                self.silence_left = self.off;
            }
            Item::Pause(samples) => self.silence_left = samples,
        }
    }
}

impl Default for Generator {
    fn default() -> Generator {
        Generator::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{power_at, rms_dbm0};

    fn digit(c: char) -> Digit {
        Digit::from_char(c).unwrap()
    }

    fn drain(generator: &mut Generator, piece: usize) -> Vec<i16> {
        let mut all = Vec::new();
        let mut out = vec![0; piece];
        loop {
            match generator.fill(&mut out) {
                0 => return all,
                produced => all.extend_from_slice(&out[..produced]),
            }
        }
    }

    #[test]
    fn a_digit_is_its_two_frequencies_then_silence() {
        let mut generator = Generator::new();
        generator.push(digit('5'));
        let samples = drain(&mut generator, 8);
        assert_eq!(samples.len(), 1600);
        let (tone, silence) = samples.split_at(800);
        assert!((power_at(tone, 770.0) + 9.0).abs() < 0.2);
        assert!((power_at(tone, 1336.0) + 7.0).abs() < 0.2);
        assert!(power_at(tone, 852.0) < -40.0);
        assert!(power_at(tone, 1209.0) < -40.0);
        assert!(silence.iter().all(|&s| s == 0));
        assert!(generator.is_idle());
    }

    #[test]
    fn timing_pauses_and_order_are_kept() {
        let mut generator = Generator::new();
        generator.set_timing(40, 60);
        generator.push(digit('1'));
        generator.pause(500);
        generator.push(digit('d'));
        assert!(!generator.is_idle());
        let samples = drain(&mut generator, 160);
        assert_eq!(samples.len(), 8 * (40 + 60 + 500 + 40 + 60));
        assert!(power_at(&samples[..320], 1209.0) > -8.0);
        assert!(samples[320..8 * 600].iter().all(|&s| s == 0));
        assert!(power_at(&samples[8 * 600..8 * 640], 1633.0) > -8.0);
    }

    #[test]
    fn the_pieces_do_not_matter() {
        let mut generator = Generator::new();
        generator.set_timing(43, 37);
        "159D*0#".chars().map(digit).for_each(|d| generator.push(d));
        let whole = drain(&mut generator.clone(), 100_000);
        for piece in [1, 7, 8, 160, 333] {
            assert_eq!(drain(&mut generator.clone(), piece), whole, "pieces of {piece}");
        }
    }

    #[test]
    fn what_is_not_produced_is_left_alone() {
        let mut generator = Generator::new();
        let mut out = [77; 8];
        assert_eq!(generator.fill(&mut out), 0);
        assert_eq!(out, [77; 8]);
        generator.pause(0);
        generator.set_timing(0, 0);
        generator.push(digit('1'));
        assert_eq!(generator.fill(&mut out), 0);
        generator.set_timing(0, 1);
        generator.push(digit('1'));
        let mut out = [77; 10];
        assert_eq!(generator.fill(&mut out), 8);
        assert_eq!(out, [0, 0, 0, 0, 0, 0, 0, 0, 77, 77]);
    }

    #[test]
    fn clear_stops_at_once_and_keeps_the_settings() {
        let mut generator = Generator::new();
        generator.set_timing(50, 50);
        generator.set_levels(-20.0, -18.0);
        generator.push(digit('1'));
        generator.push(digit('2'));
        generator.fill(&mut [0; 100]);
        generator.clear();
        assert!(generator.is_idle());
        assert_eq!(generator.fill(&mut [0; 8]), 0);
        generator.push(digit('3'));
        let samples = drain(&mut generator, 8);
        assert_eq!(samples.len(), 800);
        let power = 10f32.powf(-2.0) + 10f32.powf(-1.8);
        assert!((rms_dbm0(&samples[..400]) - 10.0 * power.log10()).abs() < 0.3);
    }
}
