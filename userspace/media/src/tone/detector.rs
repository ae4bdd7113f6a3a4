//! Detects call-progress tones.
//!
//! A signal whose sounds no other signal of the plan has is recognised as soon as it is steady.
//! Signals that share their sounds are recognised by their cadence: a continuous dial tone because
//! it sounds longer than any of the others, the others by so many steps of their cadence as no
//! other signal has, and of two that are possible the nearer one. A special information tone is
//! recognised by its sounds in their order.

use std::collections::VecDeque;

use crate::samples_in;
use crate::tone::band::Band;
use crate::tone::pattern::Pattern;
use crate::tone::runs::{Kind, Runs};
use crate::tone::spectrum::Spectrum;
use crate::tone::{CallProgress, Plan};

/// A shorter sound says nothing about what it belongs to, in samples.
const SHORT: u32 = samples_in(200);

/// A result of a [`Detector`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// This signal is on the line.
    Tone(CallProgress),
    /// The signal is no longer on the line: it stopped, its cadence changed, or something else
    /// sounds in its rests.
    Ended(CallProgress),
}

/// The silence behind a sound of ringback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How long it has lasted, in ms.
    pub ms: u32,
    /// The cadence was not at its rest when it began, as when the call was answered just then.
    pub ends_early: bool,
}

/// Detects the signals of a plan, from -38 dBm0 up.
///
/// Time to recognise a signal: a continuous dial tone takes 0.4 s if no other signal has its
/// sounds, otherwise a quarter more than the longest sound of those signals; one with a cadence
/// takes up to two cycles. Ringback takes 0.4 s if no other signal has its sounds, otherwise its
/// first whole sound and 0.3 s, or a cycle. Busy and reorder take one whole cycle and the beginning
/// of the next, or more if another signal of their sounds has parts of the same lengths.
///
/// `Ended` comes at most 0.12 s after the end of dial tone; for the other signals as soon as a
/// sound or a rest is longer than the cadence allows, or another sound lasts for 0.2 s.
///
/// Where reorder is the same as busy, busy is reported. The further forms of dial tone (after a
/// flash, and with messages waiting) are reported as dial tone.
#[derive(Debug)]
pub struct Detector {
    spectrum: Spectrum,
    runs: Runs,
    patterns: Vec<Pattern>,
    /// The signal that is on the line, as its place in the patterns.
    active: Option<usize>,
    /// Results that are not returned yet.
    heard: VecDeque<Heard>,
}

impl Detector {
    /// Creates a detector of the signals of `plan`.
    pub fn new(plan: &Plan) -> Detector {
        let bands = Band::of(plan);
        Detector {
            spectrum: Spectrum::new(&bands),
            runs: Runs::new(),
            patterns: Pattern::of(plan, &bands),
            active: None,
            heard: VecDeque::with_capacity(16),
        }
    }

    /// Forgets what it has heard, as if it were new, but without the time that making one takes.
    pub fn reset(&mut self) {
        self.spectrum.reset();
        self.runs = Runs::new();
        self.active = None;
        self.heard.clear();
    }

    /// Processes samples, and returns a result if there is one.
    ///
    /// There can be several results if the slice is longer than a signal takes to be recognised.
    /// The next calls return the others in order, also with an empty slice.
    pub fn feed(&mut self, samples: &[i16]) -> Option<Heard> {
        for &sample in samples {
            if let Some(block) = self.spectrum.push(sample) {
                let changed = self.runs.push(block);
                self.judge(changed);
            }
        }
        self.heard.pop_front()
    }

    /// Whether the signal that is on the line is a dial tone with sounds of its own that tells of
    /// waiting messages. One that is only interrupted is found by
    /// [`StutterListener`](super::StutterListener).
    pub fn tells_messages(&self) -> bool {
        let pattern = self.active.and_then(|place| self.patterns.get(place));
        pattern.is_some_and(|pattern| pattern.tells_messages)
    }

    /// The silence that the line is in, if what sounded before it may have been ringback, of which
    /// a fifth of a second is enough.
    pub fn ringback_pause(&self) -> Option<Pause> {
        let silence = Some(self.runs.current()).filter(|run| run.kind == Kind::Quiet)?;
        let sound = self.runs.completed(0).filter(|run| run.samples() >= SHORT)?;
        let before = self.runs.completed(1);
        let mut forms = self.forms(CallProgress::Ringback).filter(|form| form.sounds_like(sound));
        let early = |form: &Pattern| form.ends_early(sound, before);
        let ends_early = early(forms.next()?) && forms.all(early);
        Some(Pause { ms: silence.samples() / samples_in(1), ends_early })
    }

    /// Whether what sounds now may be this signal, or its rest.
    pub fn suggests(&self, what: CallProgress) -> bool {
        let current = self.runs.current();
        self.forms(what).any(|form| {
            let before = self.runs.completed(0);
            let rests = current.kind == Kind::Quiet && form.goes_on(&self.runs, false);
            form.sounds_like(current) || rests && before.is_some_and(|run| form.sounds_like(run))
        })
    }

    fn forms(&self, what: CallProgress) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter().filter(move |pattern| pattern.what == what)
    }

    /// Compares the runs with the signals; `changed` if the latest run has just begun.
    fn judge(&mut self, changed: bool) {
        if let Some(pattern) = self.active.and_then(|place| self.patterns.get(place)) {
            if !pattern.goes_on(&self.runs, changed) {
                // Another form of the same signal may begin with the same sound.
                let form =
                    |other: &Pattern| other.what == pattern.what && other.goes_on(&self.runs, true);
                self.active = self.patterns.iter().position(form);
                if self.active.is_none() {
                    self.heard.push_back(Heard::Ended(pattern.what));
                }
            }
            return;
        }
        let heard = |pattern: &Pattern| pattern.is_heard(&self.runs, &self.patterns);
        self.active = self.patterns.iter().position(heard);
        let pattern = self.active.and_then(|place| self.patterns.get(place));
        self.heard.extend(pattern.map(|pattern| Heard::Tone(pattern.what)));
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::{Country, Signal};

    use super::*;
    use crate::tone::Generator;

    /// Returns the detector's results, each with its time in ms, for samples that are fed in
    /// pieces.
    fn hear(plan: &Plan, samples: &[i16], piece: usize) -> Vec<(usize, Heard)> {
        let mut detector = Detector::new(plan);
        let mut heard = Vec::new();
        for (n, piece) in samples.chunks(piece).enumerate() {
            let ms = (n + 1) * piece.len() / 8;
            heard.extend(detector.feed(piece).map(|h| (ms, h)));
        }
        heard.extend(std::iter::from_fn(|| detector.feed(&[])).map(|h| (samples.len() / 8, h)));
        heard
    }

    fn plan(country: &str) -> &'static Plan {
        country.parse::<Country>().unwrap().tones()
    }

    fn sent(signal: &Signal, ms: usize) -> Vec<i16> {
        let mut samples = vec![0; ms * 8];
        Generator::new(signal).fill(&mut samples);
        samples
    }

    fn signal(plan: &Plan, what: CallProgress, ms: usize) -> Vec<i16> {
        sent(plan.signal(what).unwrap(), ms)
    }

    /// Every signal of every zone is recognised as itself and as no other, and ends once.
    #[test]
    fn the_signals_of_every_country_are_distinguished() {
        let mut wrong = Vec::new();
        for country in Country::each_zone() {
            let plan = country.tones();
            for (what, signal) in plan.signals() {
                let mut samples = vec![0; 8 * 200];
                // Ends in a sound that has just begun: a whole one and silence may be a ring.
                let ms = signal.figure_ms().max(1);
                samples.extend(sent(signal, (18_000_u32.next_multiple_of(ms) + 300) as usize));
                samples.extend([0; 8 * 8000]);
                let heard = hear(plan, &samples, 8);
                let wanted = plan.understood(what);
                let once = signal.figure() != signal.repeated();
                let is_right = match heard[..] {
                    [(from, Heard::Tone(first)), (to, Heard::Ended(last))] => {
                        (first, last) == (wanted, wanted) && from < 8000 && (to > 18_200 || once)
                    }
                    _ => false,
                };
                if !is_right {
                    wrong.push(format!("{what:?} of {country} ({signal}): {heard:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// The signals of two plans are recognised within their times.
    #[test]
    fn signals_are_recognised_and_end() {
        use CallProgress::{Busy, Dial, Reorder, Ringback};
        for (country, recognised) in [
            ("FCC", [(Dial, 420), (Ringback, 420), (Busy, 1140), (Reorder, 640)]),
            ("TBR21", [(Dial, 1320), (Ringback, 1320), (Busy, 1140), (Reorder, 640)]),
        ] {
            let plan = plan(country);
            for (what, within) in recognised {
                let mut samples = vec![0; 8 * 200];
                samples.extend(signal(plan, what, 13_000));
                samples.extend([0; 8 * 6000]);
                let heard = hear(plan, &samples, 8);
                let [(from, Heard::Tone(first)), (to, Heard::Ended(last))] = heard[..] else {
                    panic!("{what:?}: {heard:?}");
                };
                assert_eq!((first, last), (what, what));
                assert!((200..=200 + within).contains(&from), "{what:?} after {} ms", from - 200);
                assert!(to > 13_200, "{what:?} ended early");
            }
        }
    }

    #[test]
    fn a_detector_that_is_reset_is_as_new() {
        let plan = plan("UK");
        let samples = signal(plan, CallProgress::Ringback, 5000);
        let mut detector = Detector::new(plan);
        let listen = |detector: &mut Detector, count: usize| -> Vec<Option<Heard>> {
            samples[..count].chunks(8).map(|piece| detector.feed(piece)).collect()
        };
        let first = listen(&mut detector, samples.len());
        // In the middle of a block, and while the signal is on the line.
        detector.reset();
        listen(&mut detector, 3700 * 8 + 5);
        detector.reset();
        assert_eq!(listen(&mut detector, samples.len()), first);
    }

    #[test]
    fn the_pieces_do_not_matter() {
        let plan = plan("FCC");
        let mut samples = Vec::new();
        for what in [CallProgress::Dial, CallProgress::Ringback, CallProgress::Busy] {
            samples.extend(signal(plan, what, 5000));
            samples.extend([0; 8 * 1000]);
        }
        let order = |piece| hear(plan, &samples, piece).into_iter().map(|(_, heard)| heard);
        let wanted: Vec<Heard> = order(8).collect();
        assert_eq!(wanted.len(), 6);
        for piece in [1, 7, 160, 1000, samples.len()] {
            assert!(order(piece).eq(wanted.iter().copied()), "pieces of {piece}");
        }
    }
}
