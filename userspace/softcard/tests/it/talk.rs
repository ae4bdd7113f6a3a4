//! A host that sends and receives sound on the slots of a running card.

use std::cell::RefCell;
use std::collections::VecDeque;

use ringback_media::dtmf::{self, Digit};
use ringback_media::g711;
use ringback_media::tone::{self, CallProgress};

use crate::host::Host;

/// What the host has to send on one slot, and what it has received there.
#[derive(Default)]
struct Voice {
    to_say: VecDeque<i16>,
    heard: Vec<i16>,
}

/// A running card with the host's voice on each slot (u-law).
pub struct Talk {
    pub host: Host,
    voices: RefCell<[Voice; 4]>,
}

impl Talk {
    pub fn new(host: Host) -> Talk {
        Talk { host, voices: RefCell::default() }
    }

    pub fn run_until(&self, ms: u32, mut done: impl FnMut() -> bool) -> bool {
        (0..ms).any(|_| {
            let mut voices = self.voices.borrow_mut();
            let to_line = std::array::from_fn(|slot| {
                let voice: &mut Voice = &mut voices[slot];
                std::array::from_fn(|_| {
                    g711::ulaw_encode(voice.to_say.pop_front().unwrap_or_default())
                })
            });
            let from_line = self.host.millisecond(to_line);
            for (voice, bytes) in voices.iter_mut().zip(from_line) {
                voice.heard.extend(bytes.map(g711::ulaw_decode));
            }
            drop(voices);
            done()
        })
    }

    pub fn run(&self, ms: u32) {
        self.run_until(ms, || false);
    }

    pub fn say(&self, slot: usize, samples: &[i16]) {
        self.voices.borrow_mut()[slot].to_say.extend(samples);
    }

    pub fn dial(&self, slot: usize, digits: &str) {
        self.say(slot, &dtmf_samples(digits));
    }

    pub fn take_heard(&self, slot: usize) -> Vec<i16> {
        std::mem::take(&mut self.voices.borrow_mut()[slot].heard)
    }

    /// Returns the digits that the host receives on a slot in the next `ms`.
    pub fn digits(&self, slot: usize, ms: u32) -> String {
        self.take_heard(slot);
        self.run(ms);
        digits_in(&self.take_heard(slot))
    }

    /// Returns the tone that the host receives on a slot in the next `ms`.
    pub fn tone(&self, slot: usize, ms: u32) -> Option<CallProgress> {
        self.take_heard(slot);
        self.run(ms);
        tone_in(&self.take_heard(slot))
    }
}

pub fn dtmf_samples(digits: &str) -> Vec<i16> {
    let mut generator = dtmf::Generator::new();
    for digit in digits.chars() {
        generator.push(Digit::from_char(digit).expect("a key"));
    }
    let mut samples = vec![0; digits.len() * 1600];
    assert_eq!(generator.fill(&mut samples), samples.len());
    samples
}

pub fn digits_in(samples: &[i16]) -> String {
    let mut digits = String::new();
    dtmf::Detector::new().feed(samples, &mut |event| {
        if let dtmf::Event::Down(digit) = event {
            digits.push(digit.as_char());
        }
    });
    digits
}

/// Returns the first call-progress tone in the samples.
pub fn tone_in(samples: &[i16]) -> Option<CallProgress> {
    let mut detector = tone::Detector::new(ringback_country::Country::default().tones());
    samples.chunks(8).find_map(|piece| match detector.feed(piece) {
        Some(tone::Heard::Tone(tone)) => Some(tone),
        _ => None,
    })
}

pub fn sine(freq_hz: f32, ms: usize) -> Vec<i16> {
    let mut samples = vec![0; ms * 8];
    tone::Generator::sine(freq_hz, -10.0).fill(&mut samples);
    samples
}
