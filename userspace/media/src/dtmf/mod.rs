//! DTMF digits (ITU-T Q.23): detector and generator.
//!
//! spandsp's receiver was measured and not used: of digits of 40 ms with a twist of -8 or +4 dB,
//! which Q.24 allows, it misses half.
//!
//! A digit is one of four low frequencies (697, 770, 852, 941 Hz) with one of four high ones (1209,
//! 1336, 1477, 1633 Hz).

mod detector;
mod dial_tone_filter;
mod generator;

use std::fmt;

pub use detector::{Detector, Event};
pub use generator::Generator;

const DIGITS: &[u8; 16] = b"123A456B789C*0#D";
const LOW_HZ: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH_HZ: [f32; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

/// One of the sixteen DTMF digits: 0-9, A-D, * and #.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

impl Digit {
    /// The digit 0, which is 941 and 1336 Hz.
    pub const ZERO: Digit = Digit(b'0');

    /// Converts a character; `a` to `d` are taken as `A` to `D`. Returns `None` for a character
    /// without a key.
    pub const fn from_char(c: char) -> Option<Digit> {
        match c {
            '0'..='9' | 'A'..='D' | '*' | '#' => Some(Digit(c as u8)),
            'a'..='d' => Some(Digit(c.to_ascii_uppercase() as u8)),
            _ => None,
        }
    }

    /// The character of the digit, letters in upper case.
    pub const fn as_char(self) -> char {
        self.0 as char
    }

    /// The digit's low and high frequency, in Hz.
    pub fn frequencies(self) -> (f32, f32) {
        // Each digit has a key, because `from_char` accepts no other character.
        let key = DIGITS.iter().position(|&digit| digit == self.0).unwrap_or(0);
        (LOW_HZ[key / 4 % 4], HIGH_HZ[key % 4])
    }
}

impl fmt::Display for Digit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Write::write_char(f, self.as_char())
    }
}

impl TryFrom<char> for Digit {
    type Error = NotADigit;

    fn try_from(c: char) -> Result<Digit, NotADigit> {
        Digit::from_char(c).ok_or(NotADigit(c))
    }
}

/// The error for a character without a DTMF key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a DTMF digit: use 0-9, A-D, * and #")]
pub struct NotADigit(pub char);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_characters_are_digits_and_no_other() {
        let digits: Vec<char> = (0..=u32::from(char::MAX))
            .filter_map(char::from_u32)
            .filter_map(Digit::from_char)
            .map(Digit::as_char)
            .collect();
        assert_eq!(digits.len(), 20);
        assert_eq!(String::from_iter(&digits), "#*0123456789ABCDABCD");
        assert_eq!(Digit::try_from('x'), Err(NotADigit('x')));
        assert_eq!(Digit::try_from('d').map(|d| d.to_string()), Ok("D".to_owned()));
    }

    /// The keypad of Q.23.
    #[test]
    fn frequencies_are_those_of_the_keypad() {
        let frequencies = |c| Digit::from_char(c).map(Digit::frequencies);
        assert_eq!(frequencies('1'), Some((697.0, 1209.0)));
        assert_eq!(frequencies('5'), Some((770.0, 1336.0)));
        assert_eq!(frequencies('9'), Some((852.0, 1477.0)));
        assert_eq!(frequencies('0'), Some((941.0, 1336.0)));
        assert_eq!(frequencies('*'), Some((941.0, 1209.0)));
        assert_eq!(frequencies('#'), Some((941.0, 1477.0)));
        assert_eq!(frequencies('A'), Some((697.0, 1633.0)));
        assert_eq!(frequencies('D'), Some((941.0, 1633.0)));
    }
}
