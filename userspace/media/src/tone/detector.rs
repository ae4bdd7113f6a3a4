//! Detects call-progress tones.
//!
//! A signal whose frequencies no other signal of the plan has is recognised as soon as it is
//! steady. Signals that share their frequencies are recognised by their cadence: dial tone because
//! it sounds longer than any of the others, the others by whole cycles.

use std::collections::VecDeque;

use crate::samples_in;
use crate::tone::runs::{CLICK, EDGE, Kind, Run, Runs};
use crate::tone::spectrum::{BLOCK, Frequencies, Spectrum};
use crate::tone::{Cadence, CallProgress, Plan, steps};

/// A tone of this length is neither a syllable nor a note, in samples.
const STEADY: u32 = samples_in(400);

/// A sound of this length followed by [`REST`] counts as a whole cycle, in samples.
const LONG: u32 = samples_in(750);

/// How much silence has to follow such a sound, in samples.
const REST: u32 = samples_in(300);

/// How much of the next sound is needed to know that the rest before it is complete, in samples.
const NEXT: u32 = samples_in(100);

/// A result of a [`Detector`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// This signal is on the line.
    Tone(CallProgress),
    /// The signal is no longer on the line: it stopped, its cadence changed, or something else
    /// sounds in its rests.
    Ended(CallProgress),
}

/// Detects the signals of a plan, from -38 dBm0 up.
///
/// Time to recognise a signal: dial tone takes 0.4 s if no other signal has its frequencies,
/// otherwise a quarter more than the longest sound of those signals. Ringback takes 0.4 s if no
/// other signal has its frequencies, otherwise its first whole sound and 0.3 s. Busy and reorder
/// take one whole cycle and the beginning of the next, or two cycles if another signal of their
/// frequencies has a double cadence.
///
/// `Ended` comes at most 0.12 s after the end of dial tone; for the other signals as soon as a
/// sound or a rest is longer than the cadence allows, or another sound lasts for 0.2 s.
#[derive(Debug)]
pub struct Detector {
    spectrum: Spectrum,
    runs: Runs,
    patterns: [Pattern; 4],
    /// The signal that is on the line.
    active: Option<Pattern>,
    /// Results that are not returned yet.
    heard: VecDeque<Heard>,
}

impl Detector {
    /// Creates a detector of the signals of `plan`.
    pub fn new(plan: &Plan) -> Detector {
        let frequencies = |what| Frequencies::of(plan.signal(what));
        let mut tones: Vec<Frequencies> = Vec::new();
        for tone in CallProgress::ALL.map(frequencies) {
            if !tones.contains(&tone) {
                tones.push(tone);
            }
        }
        let patterns = CallProgress::ALL.map(|what| {
            let tone = frequencies(what);
            let sharing = || CallProgress::ALL.into_iter().filter(|&w| frequencies(w) == tone);
            let longest_sound = |w| sounds(&plan.signal(w).cadence).max().unwrap_or(0);
            let steps_of = |w| steps(&plan.signal(w).cadence).len();
            Pattern {
                what,
                tone: tones.iter().position(|&known| known == tone).unwrap_or(0),
                cadence: plan.signal(what).cadence,
                alone: sharing().count() == 1,
                longest_shared: sharing().map(longest_sound).max().unwrap_or(0),
                steps: sharing().map(steps_of).max().unwrap_or(0),
            }
        });
        Detector {
            spectrum: Spectrum::new(&tones),
            runs: Runs::new(),
            patterns,
            active: None,
            heard: VecDeque::with_capacity(16),
        }
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

    /// Compares the runs with the signals; `changed` if the latest run has just begun.
    fn judge(&mut self, changed: bool) {
        match self.active {
            Some(pattern) if !pattern.goes_on(&self.runs, changed) => {
                self.active = None;
                self.heard.push_back(Heard::Ended(pattern.what));
            }
            Some(_) => {}
            None => {
                self.active = self.patterns.iter().find(|p| p.is_heard(&self.runs)).copied();
                self.heard.extend(self.active.map(|pattern| Heard::Tone(pattern.what)));
            }
        }
    }
}

/// One signal of the plan, and what it has in common with the others.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    what: CallProgress,
    /// The index of its frequencies.
    tone: usize,
    cadence: Cadence,
    /// Whether no other signal has its frequencies.
    alone: bool,
    /// The longest sound of all signals of its frequencies that have rests, in samples.
    longest_shared: u32,
    /// The number of steps of the longest cadence of all signals of its frequencies. A shorter
    /// cadence has to be observed for as many steps, because it may look like a part of the longer
    /// one.
    steps: usize,
}

impl Pattern {
    /// Returns whether the runs so far show that this signal is on the line.
    fn is_heard(&self, runs: &Runs) -> bool {
        let current = runs.current();
        let length = current.samples();
        match current.kind {
            Kind::Tone(tone) if tone != self.tone => false,
            Kind::Tone(_) if self.cadence.is_continuous() => {
                length >= STEADY.max(longest(self.longest_shared) + BLOCK as u32)
            }
            Kind::Tone(_) if self.alone => {
                let shortest = sounds(&self.cadence).min().unwrap_or(0);
                length >= STEADY.min(shortest / 4 * 3) && !self.too_long(current)
            }
            Kind::Tone(_) => length >= NEXT && !self.too_long(current) && self.is_cycle(runs),
            Kind::Quiet => {
                length >= REST
                    && !self.too_long(current)
                    && runs.completed(0).is_some_and(|before| self.is_long_sound(before))
            }
            Kind::Sound => false,
        }
    }

    /// Returns whether the latest runs are whole cycles, from a sound to the end of a rest.
    fn is_cycle(&self, runs: &Runs) -> bool {
        let fits = |first: usize| {
            let cycle = steps(&self.cadence).cycle().skip(first).take(self.steps);
            cycle.enumerate().all(|(i, step)| {
                let kind = if i % 2 == 0 { Kind::Tone(self.tone) } else { Kind::Quiet };
                runs.completed(self.steps - 1 - i)
                    .is_some_and(|run| run.kind == kind && is_about(run.samples(), step))
            })
        };
        // A sound whose beginning is not in the runs may be a short one of a double cadence.
        let is_whole = || runs.completed(self.steps).is_some_and(|before| before.samples() > 0);
        (self.steps <= 2 || is_whole()) && (0..steps(&self.cadence).len()).step_by(2).any(fits)
    }

    /// Returns whether a run is a sound of this signal that is longer than those of the others.
    fn is_long_sound(&self, run: &Run) -> bool {
        run.kind == Kind::Tone(self.tone)
            && sounds(&self.cadence).any(|step| {
                step >= LONG && step == self.longest_shared && is_about(run.samples(), step)
            })
    }

    /// Returns whether this signal, which was on the line, still is.
    fn goes_on(&self, runs: &Runs, changed: bool) -> bool {
        let current = runs.current();
        if self.too_long(current) {
            return false;
        }
        // Some exchanges use other rhythms for ringback than the plan's. They are accepted if the
        // frequencies alone identify the signal.
        if self.alone || self.cadence.is_continuous() || !changed {
            return true;
        }
        match (runs.completed(0), current.kind) {
            (Some(before), Kind::Quiet) if before.kind == Kind::Tone(self.tone) => {
                sounds(&self.cadence).any(|step| is_about(before.samples(), step))
            }
            (Some(before), Kind::Tone(_)) if before.kind == Kind::Quiet => {
                rests(&self.cadence).any(|step| is_about(before.samples(), step))
            }
            _ => true,
        }
    }

    /// Returns whether a run is too long to be a part of this signal.
    fn too_long(&self, run: &Run) -> bool {
        let continuous = self.cadence.is_continuous();
        let limit = match run.kind {
            Kind::Tone(tone) if tone != self.tone => 0,
            Kind::Tone(_) if continuous => u32::MAX,
            Kind::Tone(_) => longest(sounds(&self.cadence).max().unwrap_or(0)),
            Kind::Quiet if continuous => 0,
            Kind::Quiet => longest(rests(&self.cadence).max().unwrap_or(0)),
            Kind::Sound if continuous => EDGE * BLOCK as u32,
            Kind::Sound => CLICK * BLOCK as u32,
        };
        run.samples() > limit
    }
}

fn sounds(cadence: &Cadence) -> impl Iterator<Item = u32> + '_ {
    steps(cadence).step_by(2)
}

fn rests(cadence: &Cadence) -> impl Iterator<Item = u32> + '_ {
    steps(cadence).skip(1).step_by(2)
}

/// The longest run that can be a step of this length: exchanges differ by up to a quarter, and runs
/// are measured in blocks.
fn longest(step: u32) -> u32 {
    step + step / 4 + BLOCK as u32
}

fn is_about(length: u32, step: u32) -> bool {
    length <= longest(step) && length + BLOCK as u32 >= step - step / 4
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;

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

    fn signal(plan: &Plan, what: CallProgress, ms: usize) -> Vec<i16> {
        let mut samples = vec![0; ms * 8];
        Generator::new(plan, what).fill(&mut samples);
        samples
    }

    /// Every signal of every country is recognised as itself and as no other, and ends once.
    #[test]
    fn the_signals_of_every_country_are_distinguished() {
        for country in Country::all() {
            for what in CallProgress::ALL {
                let mut samples = vec![0; 8 * 200];
                samples.extend(signal(country.tones(), what, 13_000));
                samples.extend([0; 8 * 8000]);
                let heard = hear(country.tones(), &samples, 8);
                let [(from, Heard::Tone(first)), (to, Heard::Ended(last))] = heard[..] else {
                    panic!("{what:?} of {country}: {heard:?}");
                };
                assert_eq!((first, last), (what, what), "{country}");
                assert!(from < 200 + 3500 && to > 13_200, "{what:?} of {country}: {heard:?}");
            }
        }
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
    fn the_pieces_do_not_matter() {
        let plan = plan("FCC");
        let mut samples = Vec::new();
        for what in CallProgress::ALL {
            samples.extend(signal(plan, what, 5000));
            samples.extend([0; 8 * 1000]);
        }
        let order = |piece| hear(plan, &samples, piece).into_iter().map(|(_, heard)| heard);
        let wanted: Vec<Heard> = order(8).collect();
        assert_eq!(wanted.len(), 8);
        for piece in [1, 7, 160, 1000, samples.len()] {
            assert!(order(piece).eq(wanted.iter().copied()), "pieces of {piece}");
        }
    }
}
