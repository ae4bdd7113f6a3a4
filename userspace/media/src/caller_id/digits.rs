//! A caller in DTMF digits (ETSI EN 300 659-1 annex B, and what came before it in some countries).
//!
//! Most send `A`, the number, `C`, between which `D` begins the number of who has diverted the call
//! and `B` a code: 00 for a number that is not available, 10 for one that is withheld. Denmark ends
//! with `#`, and has `D1#` for withheld, `D2#` and `D3#` for not available. Some begin the number
//! with `D`. What has neither a beginning nor an end is no caller.

use super::{Caller, Party};
use crate::dtmf::{self, Digit, Event};
use crate::samples_in;

/// More than any of them has: two numbers and a code.
const MOST: usize = 48;
/// A digit that comes later belongs to something else: tones and pauses are of 70 ms.
const LATEST: u32 = samples_in(500);
/// Silence in ms behind digits that were cut off, by which the next ones are something else.
pub(super) const APART_MS: u32 = 600;

/// What is sent for a caller, with its last digit.
pub(super) fn write_digits(caller: &Caller, end: char) -> String {
    let danish = end == '#';
    match &caller.number {
        Party::Known(number) => {
            let digits = number.chars().filter(char::is_ascii_digit);
            format!("A{}{end}", digits.take(MOST - 2).collect::<String>())
        }
        Party::Withheld if danish => "D1#".to_owned(),
        Party::OutOfArea | Party::Unknown if danish => "D3#".to_owned(),
        Party::Withheld => format!("B10{end}"),
        Party::OutOfArea | Party::Unknown => format!("B00{end}"),
    }
}

/// The caller of digits up to the last one, which is `end`.
fn read_digits(digits: &str, end: char) -> Option<Caller> {
    let (kind, rest) = digits.split_at_checked(1)?;
    let number = rest.split(|digit: char| !digit.is_ascii_digit()).next()?;
    let code = digits.split_once('B').map(|(_, code)| code);
    let number = match (kind, code) {
        ("A" | "B", Some("10")) if number.is_empty() || kind == "B" => Party::Withheld,
        ("A" | "B", Some("00")) if number.is_empty() || kind == "B" => Party::OutOfArea,
        ("D", None) if end == '#' && number == "1" => Party::Withheld,
        ("D", None) if end == '#' && ["2", "3"].contains(&number) => Party::OutOfArea,
        ("D", None) if number.len() > 1 && number.bytes().all(|digit| digit == b'0') => {
            Party::OutOfArea
        }
        ("A", _) | ("D", None) if number.len() > 1 => Party::reported(number),
        _ => return None,
    };
    Some(Caller { number, ..Caller::default() })
}

/// Receives them.
#[derive(Debug)]
pub(super) struct DigitsReceiver {
    detector: dtmf::Detector,
    digits: String,
    /// Samples since the last digit.
    silent: u32,
}

impl DigitsReceiver {
    pub(super) fn new() -> DigitsReceiver {
        DigitsReceiver {
            detector: dtmf::Detector::new(),
            digits: String::with_capacity(MOST),
            silent: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.detector = dtmf::Detector::new();
        self.digits.clear();
    }

    pub(super) fn feed(&mut self, samples: &[i16], on: &mut dyn FnMut(Caller)) {
        let DigitsReceiver { detector, digits, silent } = self;
        *silent = silent.saturating_add(u32::try_from(samples.len()).unwrap_or(u32::MAX));
        detector.feed(samples, &mut |event| {
            let Event::Down(digit) = event else { return };
            let late = std::mem::take(silent) > LATEST || digits.len() >= MOST;
            if late {
                digits.clear();
            }
            match digit.as_char() {
                end @ ('C' | '#') => {
                    let caller = read_digits(digits, end);
                    digits.clear();
                    if let Some(caller) = caller {
                        on(caller);
                    }
                }
                digit => {
                    // One that begins anew was cut off before.
                    if digit == 'A' {
                        digits.clear();
                    }
                    digits.push(digit);
                }
            }
        });
    }
}

/// The generator that sends digits, of 70 ms with pauses of 70 ms.
pub(super) fn generator(digits: &str, dbm0: f32) -> dtmf::Generator {
    let mut generator = dtmf::Generator::new();
    generator.set_timing(70, 70);
    generator.set_levels(dbm0, dbm0);
    digits.chars().filter_map(Digit::from_char).for_each(|digit| generator.push(digit));
    generator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_are_cut_off_are_no_caller_of_the_next_ones() {
        let mut receiver = DigitsReceiver::new();
        let mut heard = Vec::new();
        // The second number begins while it is not known that the first one is over.
        let mut generator = generator("A03A20C", -10.0);
        let mut samples = [0; 160];
        while !generator.is_idle() {
            generator.fill(&mut samples);
            receiver.feed(&samples, &mut |caller| heard.push(caller.number));
        }
        assert_eq!(heard, [Party::Known("20".into())]);
    }

    #[test]
    fn each_form_is_read_and_written() {
        let read = |digits: &str| {
            let (digits, end) = digits.split_at(digits.len() - 1);
            read_digits(digits, end.chars().next().unwrap()).map(|caller| caller.number)
        };
        let known = Some(Party::Known("0301234".into()));
        assert_eq!(read("A0301234C"), known);
        assert_eq!(read("A0301234#"), known);
        assert_eq!(read("D0301234C"), known, "as some have it");
        assert_eq!(read("A0301234D0309B00C"), known, "diverted, and a code");
        for withheld in ["B10C", "AB10C", "D1#"] {
            assert_eq!(read(withheld), Some(Party::Withheld), "{withheld}");
        }
        for out_of_area in ["B00C", "AB00C", "D2#", "D3#", "D0000000000C"] {
            assert_eq!(read(out_of_area), Some(Party::OutOfArea), "{out_of_area}");
        }
        for none in ["C", "#", "0301234C", "AC", "A1C", "B77C", "D4#", "*12#", "DC", "D1C"] {
            assert_eq!(read(none), None, "{none}");
        }
        for number in [Party::Known("0301234".into()), Party::Withheld, Party::OutOfArea] {
            let caller = Caller { number, ..Caller::default() };
            for end in ['C', '#'] {
                assert_eq!(read(&write_digits(&caller, end)).as_ref(), Some(&caller.number));
            }
        }
    }
}
