//! Call-progress tones, heard.
//!
//! A signal whose frequencies no other signal of the plan has is known by them as soon as it is
//! steady. Signals that share their frequencies are told apart by their cadence: dial tone by
//! sounding longer than any of them, the others by whole cycles.

use std::collections::VecDeque;

use crate::samples_in;
use crate::tone::runs::{CLICK, EDGE, Kind, Run, Runs};
use crate::tone::spectrum::{BLOCK, Frequencies, Spectrum};
use crate::tone::{Cadence, CallProgress, Plan, steps};

/// A tone that lasts so long is no syllable and no note, in samples.
const STEADY: u32 = samples_in(400);

/// A sound of this length with quiet after it is as good as a whole cycle of shorter ones.
const LONG: u32 = samples_in(750);

/// How much of the rest has to be there after such a sound.
const REST: u32 = samples_in(300);

/// How much of the next sound has to be there for the rest before it to be complete.
const NEXT: u32 = samples_in(100);

/// What a [`Detector`] has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// This signal is on the line.
    Tone(CallProgress),
    /// The signal that was on the line no longer is: it stopped, broke its cadence, or something
    /// else sounds in its rests.
    Ended(CallProgress),
}

/// Hears the signals of a plan, from -38 dBm0 up.
///
/// How long it takes: dial tone 0.4 s where it has its own frequencies, else a quarter more than
/// the longest sound of the signals it shares them with. Ringback 0.4 s where it has its own, else
/// its first whole sound and 0.3 s. Busy and reorder one whole cycle and the beginning of the next,
/// two cycles where another signal of their frequencies has a double cadence.
///
/// `Ended` comes 0.12 s after a dial tone at the latest, and for the others as soon as a sound or a
/// rest is longer than the cadence allows, or something else sounds for 0.2 s.
#[derive(Debug)]
pub struct Detector {
    spectrum: Spectrum,
    runs: Runs,
    patterns: [Pattern; 4],
    /// The signal that is on the line.
    active: Option<Pattern>,
    /// What was heard and is not returned yet.
    heard: VecDeque<Heard>,
}

impl Detector {
    /// A detector of the signals of `plan` that has heard nothing.
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

    /// Listens to samples, and returns what was heard.
    ///
    /// If more was heard than one thing, which needs slices longer than a signal takes to be
    /// recognised, the rest is returned by the next calls, first things first; an empty slice will
    /// do.
    pub fn feed(&mut self, samples: &[i16]) -> Option<Heard> {
        for &sample in samples {
            if let Some(block) = self.spectrum.push(sample) {
                let changed = self.runs.push(block);
                self.judge(changed);
            }
        }
        self.heard.pop_front()
    }

    /// Holds the runs against the signals; `changed` if the latest run has only begun.
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

/// One signal of the plan, as the detector sees it.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    what: CallProgress,
    /// The number of its frequencies.
    tone: usize,
    cadence: Cadence,
    /// Whether no other signal has its frequencies.
    alone: bool,
    /// The longest sound of all signals of its frequencies that rest, in samples.
    longest_shared: u32,
    /// The steps of the longest cadence of all signals of its frequencies: a shorter one has to be
    /// heard as long, because a part of that one may be just like it.
    steps: usize,
}

impl Pattern {
    /// Whether the runs so far say that this signal is on the line.
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

    /// Whether the latest runs are whole cycles, from a sound to the end of a rest.
    fn is_cycle(&self, runs: &Runs) -> bool {
        let fits = |first: usize| {
            let cycle = steps(&self.cadence).cycle().skip(first).take(self.steps);
            cycle.enumerate().all(|(i, step)| {
                let kind = if i % 2 == 0 { Kind::Tone(self.tone) } else { Kind::Quiet };
                runs.completed(self.steps - 1 - i)
                    .is_some_and(|run| run.kind == kind && is_about(run.samples(), step))
            })
        };
        // A sound whose beginning was not heard may be as short as one of a double cadence.
        let is_whole = || runs.completed(self.steps).is_some_and(|before| before.samples() > 0);
        (self.steps <= 2 || is_whole()) && (0..steps(&self.cadence).len()).step_by(2).any(fits)
    }

    /// Whether a run is a sound of this signal that is longer than those of the others.
    fn is_long_sound(&self, run: &Run) -> bool {
        run.kind == Kind::Tone(self.tone)
            && sounds(&self.cadence).any(|step| {
                step >= LONG && step == self.longest_shared && is_about(run.samples(), step)
            })
    }

    /// Whether this signal, which was on the line, still is.
    fn goes_on(&self, runs: &Runs, changed: bool) -> bool {
        let current = runs.current();
        if self.too_long(current) {
            return false;
        }
        // Exchanges of one company ring in other rhythms than the plan's; what is known by its
        // frequencies alone may do so.
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

    /// Whether a run can't be, or no longer be, a part of this signal.
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

/// The longest run that can be a step of this length: exchanges are off by a quarter, and runs are
/// measured in blocks.
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

    /// What a detector hears, with the ms when, fed in pieces as the driver's tick does.
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

    /// Every signal of every country is heard as what it is and as nothing else, and ends once.
    #[test]
    fn the_signals_of_every_country_are_told_apart() {
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

    /// The signals of two plans are heard in time.
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
