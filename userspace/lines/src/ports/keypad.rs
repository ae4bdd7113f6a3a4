//! The keys of a telephone's keypad, by the tones that they send.

use ringback_driver::card::FRAME;
use ringback_media::dtmf;

/// Hears which key is held down.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    listener: dtmf::Detector,
    down: Option<u32>,
}

impl Keypad {
    /// Takes samples. Returns the buttons that have changed, in order: their ids, and whether they
    /// are down.
    pub(super) fn feed(&mut self, heard: &[i16; FRAME]) -> [Option<(u32, bool)>; 4] {
        let mut changes = [None; 4];
        let mut places = changes.iter_mut();
        let down = &mut self.down;
        self.listener.feed(heard, &mut |event| {
            // Every DOWN is followed by its UP, also where one key follows another at once.
            if let Some(id) = down.take()
                && let Some(place) = places.next()
            {
                *place = Some((id, false));
            }
            if let dtmf::Event::Down(digit) = event {
                *down = button(digit.as_char());
                if let (Some(id), Some(place)) = (*down, places.next()) {
                    *place = Some((id, true));
                }
            }
        });
        changes
    }

    /// Takes the key that is held down.
    pub(super) fn released(&mut self) -> Option<u32> {
        self.down.take()
    }
}

/// The button of a digit: 0 to 9, 10 for `*`, 11 for `#`. A plain telephone has no others.
fn button(digit: char) -> Option<u32> {
    match digit {
        '*' => Some(10),
        '#' => Some(11),
        other => other.to_digit(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The changes that a sequence of keys makes.
    fn changes(keys: &str) -> Vec<(u32, bool)> {
        let mut generator = dtmf::Generator::new();
        for key in keys.chars() {
            generator.push(dtmf::Digit::from_char(key).unwrap());
        }
        let (mut keypad, mut found, mut frame) = (Keypad::default(), Vec::new(), [0; FRAME]);
        loop {
            frame.fill(0);
            let more = generator.fill(&mut frame) > 0;
            found.extend(keypad.feed(&frame).into_iter().flatten());
            if !more {
                break;
            }
        }
        for _ in 0..100 {
            found.extend(keypad.feed(&[0; FRAME]).into_iter().flatten());
        }
        found
    }

    #[test]
    fn every_key_goes_down_and_up_and_letters_are_none_of_them() {
        let expected = [7, 0, 10, 11].into_iter().flat_map(|id| [(id, true), (id, false)]);
        assert_eq!(changes("7A0*D#"), expected.collect::<Vec<_>>());
    }
}
