//! DTMF digits, heard.

use crate::dtmf::Digit;
use crate::dtmf::dial_tone_filter::DialToneFilter;
use crate::ffi::DtmfReceiver;

/// What a [`Detector`] hears. A digit comes down, stays for as long as it sounds, and goes up;
/// between two `Down` there is always an `Up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A digit has begun, 26 to 39 ms before.
    Down(Digit),
    /// The digit has ended.
    Up(Digit),
}

/// Hears digits of 40 ms and longer (ITU-T Q.24), from -4 to -40 dBm0 per frequency, the high
/// frequency up to 4 dB above or 8 dB below the low one. A digit interrupted for less than 13 ms is
/// still the same digit.
///
/// Frequencies that are off by 1 % are heard, off by 2.5 % they are not. Q.24 asks for 1.5 % and
/// 3.5 %; a telephone's keys (not A-D) are also heard with one of the two frequencies 1.5 % off.
#[derive(Debug)]
pub struct Detector {
    receiver: DtmfReceiver,
    filter: Option<DialToneFilter>,
    down: Option<Digit>,
}

impl Detector {
    /// A detector that has heard nothing, without dial tone filter.
    pub fn new() -> Detector {
        Detector { receiver: DtmfReceiver::new(), filter: None, down: None }
    }

    /// Whether dial tone may sound under the digits: without the filter it hides them. On costs a
    /// little resistance to speech, so it is for the time until the first digit.
    pub fn set_dial_tone_filter(&mut self, on: bool) {
        self.filter = match self.filter.take() {
            filter if on => filter.or_else(|| Some(DialToneFilter::default())),
            _ => None,
        };
    }

    /// Listens to samples, and calls `on` for every digit that begins or ends in them, in order.
    pub fn feed(&mut self, samples: &[i16], on: &mut dyn FnMut(Event)) {
        let mut block = [0; DtmfReceiver::BLOCK];
        for piece in samples.chunks(DtmfReceiver::BLOCK) {
            for (to, &from) in block.iter_mut().zip(piece) {
                *to = match &mut self.filter {
                    Some(filter) => filter.next(from),
                    None => from,
                };
            }
            let heard = self.receiver.listen(&block, piece.len());
            let heard = heard.and_then(|ascii| Digit::from_char(char::from(ascii)));
            if heard != self.down {
                let before = std::mem::replace(&mut self.down, heard);
                before.into_iter().for_each(|digit| on(Event::Up(digit)));
                heard.into_iter().for_each(|digit| on(Event::Down(digit)));
            }
        }
    }
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtmf::Generator;

    const ALL: &str = "0123456789ABCD*#";

    /// What a detector makes of samples in pieces of `piece`: `+5` for 5 down, `-5` for up.
    fn hear(samples: &[i16], piece: usize) -> String {
        let mut detector = Detector::new();
        let mut heard = String::new();
        for piece in samples.chunks(piece) {
            detector.feed(piece, &mut |event| match event {
                Event::Down(digit) => heard.extend(['+', digit.as_char()]),
                Event::Up(digit) => heard.extend(['-', digit.as_char()]),
            });
        }
        heard
    }

    fn dial(digits: &str, on_ms: u32, off_ms: u32) -> Vec<i16> {
        let mut generator = Generator::new();
        generator.set_timing(on_ms, off_ms);
        digits.chars().filter_map(Digit::from_char).for_each(|digit| generator.push(digit));
        generator.pause(100);
        let mut samples = vec![0; digits.len() * (on_ms + off_ms) as usize * 8 + 800];
        assert_eq!(generator.fill(&mut samples), samples.len());
        samples
    }

    #[test]
    fn every_digit_is_heard_down_and_up() {
        let wanted: String = ALL.chars().flat_map(|c| ['+', c, '-', c]).collect();
        for (on, off) in [(40, 50), (100, 100), (1000, 40)] {
            for piece in [1, 8, 101, 102, 103, 160, 100_000] {
                let heard = hear(&dial(ALL, on, off), piece);
                assert_eq!(heard, wanted, "{on} ms on, {off} ms off, pieces of {piece}");
            }
        }
    }

    #[test]
    fn digits_without_rest_between_go_up_before_the_next_comes_down() {
        assert_eq!(hear(&dial("159", 100, 0), 8), "+1-1+5-5+9-9");
    }

    #[test]
    fn more_digits_than_the_receiver_can_store_are_heard() {
        let digits = "1234567890".repeat(40);
        let wanted: String = digits.chars().flat_map(|c| ['+', c, '-', c]).collect();
        assert_eq!(hear(&dial(&digits, 50, 50), 160), wanted);
    }
}
