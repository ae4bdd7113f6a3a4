//! Hears that dial tone is interrupted, by which exchanges tell that messages wait.
//!
//! In most countries sound and rest of given lengths come several times, at the beginning or all
//! the time; in some there are two frequencies instead of one, which are so near to each other that
//! they beat. Both are found by the level alone, and so count only together with dial tone, which
//! [`Detector`](super::Detector) recognises; that one knows the forms of dial tone, too, that have
//! sounds of their own ([`Detector::tells_messages`](super::Detector::tells_messages)).

use ringback_country::{Plan, Segment, Signal, Sound};

use crate::level::amplitude;
use crate::samples_in;

/// The level is measured in windows of this length: shorter than the shortest rest (25 ms), longer
/// than half a beat of two frequencies.
const WINDOW_MS: u32 = 5;
const WINDOW: u32 = samples_in(WINDOW_MS);
/// What is quieter is no tone, in dBm0.
const MIN_DBM0: f32 = -38.0;
/// A window with less than this share of the tone's power (12 dB) belongs to a rest.
const REST: f32 = 1.0 / 16.0;
/// What is left of the power with which a window is compared, from one window to the next.
const FADES: f32 = 0.98;
/// As many sounds of up to 200 ms with their rests are a stutter, as many longer ones, and as many
/// beats.
const SHORT_MS: u32 = 200;
const SHORT_PAIRS: u32 = 3;
const LONG_PAIRS: u32 = 2;
const BEATS: u32 = 10;
/// Frequencies that differ by as much beat so slowly that the windows follow it, in Hz.
const BEATING: std::ops::RangeInclusive<u16> = 15..=40;

/// A sound and the rest behind it, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interruption {
    sound: u32,
    rest: u32,
    /// How often it has to come.
    needed: u32,
}

impl Interruption {
    fn new(sound: u32, rest: u32) -> Interruption {
        let needed = if sound <= SHORT_MS { SHORT_PAIRS } else { LONG_PAIRS };
        Interruption { sound, rest, needed }
    }

    /// The beat of a sound; `None` if it has none.
    fn beat(sound: Sound) -> Option<Interruption> {
        let mut hz = sound.hz();
        let (one, other) = (hz.next()?, hz.next()?);
        let difference = one.abs_diff(other);
        // Below a 16th of its power it is for about one window.
        let sound = || 1000 / u32::from(difference.max(1)) - WINDOW_MS;
        (hz.next().is_none() && BEATING.contains(&difference)).then(|| Interruption {
            sound: sound(),
            rest: WINDOW_MS,
            needed: BEATS,
        })
    }

    /// Whether it is heard as this one: exchanges differ by a quarter.
    fn is_like(self, other: Interruption) -> bool {
        let near = |one: u32, other: u32, least: u32| one.abs_diff(other) <= (other / 4).max(least);
        near(self.sound, other.sound, 15) && near(self.rest, other.rest, 10)
    }
}

/// Listens to the beginning of a dial tone.
#[derive(Debug)]
pub struct StutterListener {
    /// What is heard while messages wait, and not in dial tone otherwise.
    expected: Vec<Interruption>,
    /// What is heard in dial tone otherwise, where it has a cadence.
    usual: Vec<Interruption>,
    /// A shorter rest is none, in ms.
    least_rest: u32,
    /// A sound of this length, in ms, is none of a stutter.
    plain_after: u32,
    energy: f32,
    samples: u32,
    /// The power of the tone.
    reference: f32,
    /// The lengths of the sound and of the silence behind it so far, in ms.
    sound: u32,
    rest: u32,
    longest_sound: u32,
    /// So many expected or usual ones have come one after the other.
    pairs: u32,
    usual_pairs: u32,
    stutters: bool,
    is_usual: bool,
}

impl StutterListener {
    /// Creates a listener for the exchanges of `plan`.
    pub fn new(plan: &Plan) -> StutterListener {
        let waiting = plan.messages_waiting();
        let segments = |once: &[Segment], repeated: &[Segment]| -> Vec<Segment> {
            once.iter().chain(repeated).chain(repeated).copied().collect()
        };
        let usual = interruptions(&segments(plan.dial.once(), plan.dial.repeated()));
        let mut expected = interruptions(&segments(waiting.once(), waiting.repeated()));
        expected.retain(|one| !usual.iter().any(|other| one.is_like(*other)));
        let beat = |sounds: &Signal| sounds.sounds().next().and_then(Interruption::beat);
        if expected.is_empty() && beat(&plan.dial).is_none() {
            expected.extend(beat(&waiting));
        }
        let shortest = expected.iter().chain(&usual).map(|one| one.rest).min().unwrap_or(0);
        // A tone with a sound of its own is known by that.
        let same_sound = waiting.sounds().next() == plan.dial.sounds().next();
        let first = waiting.once().iter().chain(waiting.repeated()).next();
        let first_ms = first.and_then(|segment| segment.ms).filter(|_| same_sound);
        StutterListener {
            expected,
            usual,
            least_rest: shortest * 3 / 5,
            plain_after: first_ms.map_or(0, |ms| u32::from(ms) * 5 / 4),
            energy: 0.0,
            samples: 0,
            reference: 0.0,
            sound: 0,
            rest: 0,
            longest_sound: 0,
            pairs: 0,
            usual_pairs: 0,
            stutters: false,
            is_usual: false,
        }
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        (self.energy, self.samples, self.reference) = (0.0, 0, 0.0);
        (self.sound, self.rest, self.longest_sound) = (0, 0, 0);
        (self.pairs, self.usual_pairs) = (0, 0);
        (self.stutters, self.is_usual) = (false, false);
    }

    /// Processes samples.
    pub fn feed(&mut self, samples: &[i16]) {
        for &sample in samples {
            self.energy += f32::from(sample) * f32::from(sample);
            self.samples += 1;
            if self.samples >= WINDOW {
                let power = self.energy / WINDOW as f32;
                (self.energy, self.samples) = (0.0, 0);
                self.window(power);
            }
        }
    }

    fn window(&mut self, power: f32) {
        let peak = amplitude(MIN_DBM0);
        self.reference = (self.reference * FADES).max(power);
        if power < (peak * peak / 2.0).max(self.reference * REST) {
            self.rest += WINDOW_MS;
            return;
        }
        if self.rest > 0 && self.rest >= self.least_rest {
            self.interrupted(Interruption::new(self.sound, self.rest));
            self.sound = 0;
        } else {
            self.sound += self.rest;
        }
        self.rest = 0;
        self.sound += WINDOW_MS;
        self.longest_sound = self.longest_sound.max(self.sound);
    }

    fn interrupted(&mut self, heard: Interruption) {
        let count = |all: &[Interruption], pairs: &mut u32| {
            let one = all.iter().find(|one| heard.is_like(**one));
            *pairs = one.map_or(0, |_| *pairs + 1);
            one.is_some_and(|one| *pairs >= one.needed)
        };
        self.stutters |= count(&self.expected, &mut self.pairs);
        self.is_usual |= count(&self.usual, &mut self.usual_pairs);
    }

    /// Whether what has sounded since the last reset stutters.
    pub fn stutters(&self) -> bool {
        self.stutters
    }

    /// Whether no messages wait, if it was dial tone: it has its usual cadence, or a sound that is
    /// longer than those of a stutter.
    pub fn is_plain(&self) -> bool {
        let long = self.longest_sound > 0 && self.longest_sound >= self.plain_after;
        !self.stutters && (self.is_usual || long)
    }
}

/// The sounds with rests behind them in a signal.
fn interruptions(segments: &[Segment]) -> Vec<Interruption> {
    let mut runs: Vec<(bool, Option<u32>)> = Vec::new();
    for Segment { sound, ms } in segments {
        let ms = ms.map(u32::from);
        match runs.last_mut() {
            Some((sounds, length)) if *sounds == sound.is_some() => {
                *length = length.zip(ms).map(|(one, other)| one + other);
            }
            _ => runs.push((sound.is_some(), ms)),
        }
    }
    let mut found = Vec::new();
    for (run, behind) in runs.iter().zip(runs.iter().skip(1)) {
        if let ((true, Some(sound)), (false, Some(rest))) = (*run, *behind) {
            found.push(Interruption::new(sound, rest));
        }
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use ringback_country::{CallProgress, Country};

    use super::*;
    use crate::tone::{Detector, Generator, Heard};

    /// When dial tone is recognised, whether messages wait as far as is known then, whether it is
    /// known that none do, and whether they do in the end; times in ms.
    fn hear(plan: &Plan, signal: &Signal, db: f32) -> (Option<usize>, bool, bool, bool) {
        let mut samples = vec![0; 8 * 10_000];
        Generator::new(signal).fill(&mut samples[8 * 120..]);
        let gain = 10f32.powf(db / 20.0);
        samples.iter_mut().for_each(|sample| *sample = (f32::from(*sample) * gain) as i16);
        let (mut detector, mut listener) = (Detector::new(plan), StutterListener::new(plan));
        let (mut recognised, mut then, mut plain) = (None, false, false);
        for (ms, piece) in samples.chunks(8).enumerate() {
            let heard = detector.feed(piece);
            listener.feed(piece);
            let waits = listener.stutters() || detector.tells_messages();
            if recognised.is_none() && heard == Some(Heard::Tone(CallProgress::Dial)) {
                (recognised, then) = (Some(ms), waits);
                plain = listener.is_plain() && !waits;
            }
        }
        (recognised, then, plain, listener.stutters() || detector.tells_messages())
    }

    #[test]
    fn in_every_country_messages_wait_when_dial_tone_says_so_and_otherwise_never() {
        let (mut late, mut wrong) = (Vec::new(), Vec::new());
        for country in Country::each_zone() {
            let plan = country.tones();
            for db in [0.0, -12.0] {
                let heard = hear(plan, &plan.dial, db);
                if heard.0.is_none() || heard.1 || heard.3 {
                    wrong.push(format!("{country} {db}: {heard:?} for {}", plan.dial));
                }
                let waiting = plan.messages_waiting();
                let heard = hear(plan, &waiting, db);
                if heard.0.is_none() || heard.2 || !heard.3 {
                    wrong.push(format!("{country} {db}: {heard:?} for {waiting}"));
                } else if !heard.1 && db == 0.0 {
                    late.push(country.to_string());
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // There dial tone is recognised before it differs: who dials at once is not told by it.
        assert_eq!(late, ["BULGARIA", "FINLAND", "UK"]);
    }

    #[test]
    fn what_is_no_stutter_of_the_country_is_none() {
        let us: Country = "us".parse().unwrap();
        let plan = us.tones();
        for notation in ["480+620/500,0/500", "350+440/100,0/300", "350+440/1000,0/100"] {
            let signal = Signal::parse(notation, -10.0).unwrap();
            let mut listener = StutterListener::new(plan);
            let mut samples = vec![0; 8 * 6000];
            Generator::new(&signal).fill(&mut samples);
            listener.feed(&samples);
            assert!(!listener.stutters(), "{notation}");
        }
        let mut listener = StutterListener::new(plan);
        assert!(!listener.is_plain(), "nothing was heard");
        let mut samples = vec![0; 8 * 3000];
        Generator::new(&plan.messages_waiting()).fill(&mut samples);
        listener.feed(&samples);
        assert!(listener.stutters() && !listener.is_plain());
        listener.reset();
        assert!(!listener.stutters() && !listener.is_plain());
    }
}
