//! Detects DTMF digits.
//!
//! Every 6.4 ms the last 25.6 ms are correlated with the eight frequencies, under a Hann window, so
//! that one frequency of a digit does not disturb the other. How the phase of a frequency advances
//! from one window to the next tells how far off it is, to less than 0.5 %; that also corrects its
//! level. A window speaks for a digit if its two frequencies contain nearly all of its power, which
//! excludes speech, and are within the limits of twist and frequency.

use std::f32::consts::{PI, TAU};
use std::sync::LazyLock;

use super::dial_tone_filter::DialToneFilter;
use super::{DIGITS, Digit, HIGH_HZ, LOW_HZ};
use crate::level::amplitude;

/// An event of a [`Detector`]. `Down` is the start of a digit and `Up` its end; between two `Down`
/// there is always an `Up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A digit has begun, 32 to 39 ms before this event.
    Down(Digit),
    /// The digit has ended.
    Up(Digit),
}

/// A digit for which the last windows spoke.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    digit: Digit,
    hits: u32,
    /// The largest part of a window's power that its frequencies contained.
    purest: f32,
}

impl Candidate {
    fn is_certain(&self) -> bool {
        self.hits >= HITS && self.purest >= PUREST
    }
}

/// Samples of a window: 25.6 ms.
const WINDOW: usize = 205;
/// Samples from one window to the next: 6.4 ms.
const HOP: usize = 51;
const SAMPLE_RATE_HZ: f32 = crate::SAMPLE_RATE as f32;
/// How far off a frequency may be, as a part of it. 1.5 % must be a digit, and 3.5 % must not
/// (ITU-T Q.24).
const OFF: f32 = 0.021;
/// The high frequency may be 4 dB above to 8 dB below the low one; so much more may be measured, as
/// ratios of power.
const MOST_TWIST: f32 = 3.55;
const LEAST_TWIST: f32 = 0.112;
/// The part of the power that the two frequencies must contain: in one of the windows with which a
/// digit begins, which are all within its tones where it is long enough; in the others, which may
/// reach beyond; and for it to go on.
const PUREST: f32 = 0.9;
const PURE: f32 = 0.83;
const STILL: f32 = 0.6;
/// The least level of a frequency, in dBm0.
const LEAST_DBM0: f32 = -43.0;
/// A digit begins when so many windows in turn speak for it: with 40 ms of it they do at least,
/// with 23 ms they do not.
const HITS: u32 = 3;
/// A digit ends when so many windows in turn do not contain it: with a gap of 20 ms they do not,
/// with one of 13 ms they do.
const MISSES: u32 = 4;

/// Detects digits of 40 ms and longer with pauses of 40 ms (ITU-T Q.24), from -3 to -40 dBm0 per
/// frequency, with the high frequency up to 4 dB above or 8 dB below the low one, and both off by
/// 1.5 %. Tones of 23 ms are no digits, nor is what is off by 3 %, or has a twist of +7 or -11 dB.
/// An interruption of less than 13 ms does not end a digit.
#[derive(Debug)]
pub struct Detector {
    filter: Option<DialToneFilter>,
    /// The last samples, as far as they have come since the last hop.
    samples: [f32; WINDOW],
    filled: usize,
    before: Spectrum,
    candidate: Option<Candidate>,
    down: Option<Digit>,
    misses: u32,
}

impl Detector {
    /// Creates a detector without dial tone filter.
    pub fn new() -> Detector {
        Detector {
            filter: None,
            samples: [0.0; WINDOW],
            // As if silence had come before.
            filled: WINDOW - HOP,
            before: Spectrum::default(),
            candidate: None,
            down: None,
            misses: 0,
        }
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
        for &sample in samples {
            let sample = match &mut self.filter {
                Some(filter) => filter.next(sample),
                None => sample,
            };
            if let Some(place) = self.samples.get_mut(self.filled) {
                *place = f32::from(sample);
            }
            self.filled += 1;
            if self.filled >= WINDOW {
                let now = Spectrum::of(&self.samples);
                let before = std::mem::replace(&mut self.before, now);
                self.judge(now.pair(&before), on);
                self.samples.copy_within(HOP.., 0);
                self.filled = WINDOW - HOP;
            }
        }
    }

    /// Processes a window.
    fn judge(&mut self, pair: Option<Pair>, on: &mut dyn FnMut(Event)) {
        self.candidate = pair.as_ref().filter(|pair| pair.is_digit()).map(|pair| {
            let Pair { digit, part, .. } = *pair;
            match self.candidate.filter(|before| before.digit == digit) {
                Some(Candidate { hits, purest, .. }) => {
                    Candidate { digit, hits: hits.saturating_add(1), purest: purest.max(part) }
                }
                None => Candidate { digit, hits: 1, purest: part },
            }
        });
        let certain = self.candidate.filter(Candidate::is_certain).map(|certain| certain.digit);
        if let Some(down) = self.down {
            let goes_on = pair.is_some_and(|pair| pair.digit == down && pair.part >= STILL);
            self.misses = if goes_on { 0 } else { self.misses + 1 };
            if self.misses >= MISSES || certain.is_some_and(|digit| digit != down) {
                self.down = None;
                on(Event::Up(down));
            }
        }
        if self.down.is_none()
            && let Some(digit) = certain
        {
            self.down = Some(digit);
            self.misses = 0;
            on(Event::Down(digit));
        }
    }
}

impl Default for Detector {
    fn default() -> Detector {
        Detector::new()
    }
}

/// The windowed cosine and sine of the eight frequencies, sample by sample, and the window.
struct Tables {
    waves: [[f32; 16]; WINDOW],
    window: [f32; WINDOW],
    /// Sum of the window, and of its squares.
    sum: f32,
    squares: f32,
}

/// The frequencies, those of the low group first.
fn frequencies() -> [f32; 8] {
    let [a, b, c, d] = LOW_HZ;
    let [e, f, g, h] = HIGH_HZ;
    [a, b, c, d, e, f, g, h]
}

static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
    let mut tables = Box::new(Tables {
        waves: [[0.0; 16]; WINDOW],
        window: [0.0; WINDOW],
        sum: 0.0,
        squares: 0.0,
    });
    let Tables { waves, window, sum, squares } = &mut *tables;
    for (n, (waves, window)) in waves.iter_mut().zip(window).enumerate() {
        let at = n as f32 + 0.5;
        *window = 0.5 - 0.5 * (TAU * at / WINDOW as f32).cos();
        *sum += *window;
        *squares += *window * *window;
        let (cosines, sines) = waves.split_at_mut(8);
        for ((cosine, sine), hz) in cosines.iter_mut().zip(sines).zip(frequencies()) {
            let turn = TAU * hz * n as f32 / SAMPLE_RATE_HZ;
            (*cosine, *sine) = (*window * turn.cos(), *window * -turn.sin());
        }
    }
    tables
});

/// A window of samples at the eight frequencies.
#[derive(Debug, Clone, Copy, Default)]
struct Spectrum {
    /// The real parts, then the imaginary parts.
    parts: [f32; 16],
    /// The power of the windowed samples, summed.
    power: f32,
}

/// A frequency of a window.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Its place in its group.
    place: usize,
    /// How far it is off, as a part of the frequency.
    off: f32,
    /// The square of its amplitude.
    power: f32,
}

/// The strongest frequencies of a window, one of each group.
#[derive(Debug)]
struct Pair {
    digit: Digit,
    low: Line,
    high: Line,
    /// The part of the window's power that they contain.
    part: f32,
}

impl Spectrum {
    fn of(samples: &[f32; WINDOW]) -> Spectrum {
        let tables = &**TABLES;
        let mut spectrum = Spectrum::default();
        for ((sample, waves), window) in samples.iter().zip(&tables.waves).zip(&tables.window) {
            for (part, wave) in spectrum.parts.iter_mut().zip(waves) {
                *part += sample * wave;
            }
            let weighted = sample * window;
            spectrum.power += weighted * weighted;
        }
        spectrum
    }

    /// A frequency, by its number from 0 to 7.
    fn at(&self, number: usize) -> (f32, f32) {
        let part = |at: usize| self.parts.get(at).copied().unwrap_or_default();
        (part(number), part(number + 8))
    }

    /// The strongest frequency of a group, whose first one has this number.
    fn strongest(&self, group: usize, before: &Spectrum) -> Line {
        let power = |place: usize| {
            let (re, im) = self.at(group + place);
            re * re + im * im
        };
        let place = (0..4).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap_or_default();
        let hz = frequencies().get(group + place).copied().unwrap_or(1.0);
        let ((re, im), (re0, im0)) = (self.at(group + place), before.at(group + place));
        // How much more the phase has advanced than that of the exact frequency.
        let advance = (im * re0 - re * im0).atan2(re * re0 + im * im0);
        let exact = TAU * hz * HOP as f32 / SAMPLE_RATE_HZ;
        let advance = (advance - exact + PI).rem_euclid(TAU) - PI;
        let off_hz = advance * SAMPLE_RATE_HZ / (TAU * HOP as f32);
        // The window attenuates what is off.
        let bins = (off_hz * WINDOW as f32 / SAMPLE_RATE_HZ).clamp(-0.95, 0.95);
        let turn = PI * bins;
        let sinc = if turn.abs() < 1e-3 { 1.0 } else { turn.sin() / turn };
        let response = sinc / (1.0 - bins * bins);
        let amplitude = 2.0 / (TABLES.sum * response);
        Line { place, off: off_hz / hz, power: power(place) * amplitude * amplitude }
    }

    /// Its strongest frequencies, after the window before it; `None` in silence.
    fn pair(&self, before: &Spectrum) -> Option<Pair> {
        let least = amplitude(LEAST_DBM0) * amplitude(LEAST_DBM0);
        if self.power < least * TABLES.squares {
            return None;
        }
        let (low, high) = (self.strongest(0, before), self.strongest(4, before));
        let key = DIGITS.get(low.place * 4 + high.place)?;
        let digit = Digit::from_char(char::from(*key))?;
        let part = (low.power + high.power) / 2.0 * TABLES.squares / self.power;
        Some(Pair { digit, low, high, part })
            .filter(|pair| pair.low.power >= least && pair.high.power >= least)
    }
}

impl Pair {
    /// Whether they are a digit.
    fn is_digit(&self) -> bool {
        let twist = self.high.power / self.low.power;
        self.part >= PURE
            && (LEAST_TWIST..=MOST_TWIST).contains(&twist)
            && self.low.off.abs() <= OFF
            && self.high.off.abs() <= OFF
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
    fn a_long_number_is_heard() {
        let digits = "1234567890".repeat(40);
        let wanted: String = digits.chars().flat_map(|c| ['+', c, '-', c]).collect();
        assert_eq!(hear(&dial(&digits, 50, 50), 160), wanted);
    }
}
