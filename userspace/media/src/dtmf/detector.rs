//! Detects DTMF digits.

use crate::dtmf::Digit;
use crate::dtmf::dial_tone_filter::DialToneFilter;
use crate::ffi::DtmfReceiver;

/// An event of a [`Detector`]. `Down` is the start of a digit and `Up` its end; between two `Down`
/// there is always an `Up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A digit has begun, 26 to 39 ms before this event.
    Down(Digit),
    /// The digit has ended.
    Up(Digit),
}

/// Detects digits of 40 ms and longer (ITU-T Q.24), from -4 to -40 dBm0 per frequency, with the
/// high frequency up to 4 dB above or 8 dB below the low one. An interruption of less than 13 ms
/// does not end a digit.
///
/// A digit is detected if its frequencies are off by 1 %, and not if they are off by 2.5 %. Q.24
/// asks for 1.5 % and 3.5 %; digits of a telephone's keys (not A-D) are also detected if one of the
/// two frequencies is off by 1.5 %.
#[derive(Debug)]
pub struct Detector {
    receiver: DtmfReceiver,
    filter: Option<DialToneFilter>,
    down: Option<Digit>,
}

impl Detector {
    /// Creates a detector without dial tone filter.
    pub fn new() -> Detector {
        Detector { receiver: DtmfReceiver::new(), filter: None, down: None }
    }

    /// Switches the dial tone filter on or off. It is needed as long as dial tone may be present,
    /// which hides digits otherwise. As it makes the detector a little more sensitive to speech, it
    /// should be off after the first digit.
    pub fn set_dial_tone_filter(&mut self, on: bool) {
        self.filter = match self.filter.take() {
            filter if on => filter.or_else(|| Some(DialToneFilter::default())),
            _ => None,
        };
    }

    /// Processes samples, and calls `on` for each digit that begins or ends in them, in order.
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

    /// Returns the events for samples that are fed in pieces of `piece`: `+5` for 5 down, `-5` for
    /// up.
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
