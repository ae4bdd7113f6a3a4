//! Generates DTMF digits one after another.

use std::collections::VecDeque;

use crate::dtmf::Digit;
use crate::oscillator::{Oscillator, to_sample};
use crate::samples_in;

/// Generates digits, each a tone and a silence, in the order in which they were pushed.
#[derive(Debug, Clone)]
pub struct Generator {
    waiting: VecDeque<Item>,
    /// The two sines of the current digit.
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
    /// Silence for so many samples.
    Pause(u32),
}

impl Generator {
    /// Creates a generator without digits. Digits are 100 ms long with 100 ms of silence, the low
    /// frequency at -9 dBm0 and the high one at -7 dBm0, because a line attenuates the high one
    /// more.
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

    /// Sets the length of tone and silence of all digits that are not sent yet, in ms. Exchanges
    /// accept 40 ms and more of each (ITU-T Q.24); 0 ms of tone omits the tone.
    pub fn set_timing(&mut self, on_ms: u32, off_ms: u32) {
        self.on = samples_in(on_ms);
        self.off = samples_in(off_ms);
    }

    /// Sets the levels of the low and the high frequency of all digits that are not sent yet, in
    /// dBm0. Above -3 dBm0 each their sum is clipped.
    pub fn set_levels(&mut self, low_dbm0: f32, high_dbm0: f32) {
        self.low_dbm0 = low_dbm0;
        self.high_dbm0 = high_dbm0;
    }

    /// Appends a digit to those that are not sent yet.
    pub fn push(&mut self, digit: Digit) {
        self.waiting.push_back(Item::Digit(digit));
    }

    /// Appends a silence of `ms` milliseconds.
    pub fn pause(&mut self, ms: u32) {
        self.waiting.push_back(Item::Pause(samples_in(ms)));
    }

    /// Writes the next samples to the start of `out` and returns their number; the rest of `out` is
    /// not changed. The number is smaller than `out` if the last silence ends within it, and 0 if
    /// there is nothing to send.
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

    /// How many samples there are of what was pushed and is not begun yet.
    pub(crate) fn length(&self) -> u32 {
        let one = |item: &Item| match item {
            Item::Digit(_) => self.on + self.off,
            Item::Pause(samples) => *samples,
        };
        self.waiting.iter().map(one).fold(0, u32::saturating_add)
    }

    /// Returns whether everything has been sent, including the silence after the last digit.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.tone_left == 0 && self.silence_left == 0
    }

    /// Stops at once, and drops what is not sent yet. Timing and levels do not change.
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
