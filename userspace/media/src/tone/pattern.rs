//! One signal of a plan as runs of sound and rest, and what distinguishes it from the others.

use ringback_country::{CallProgress, Plan, Segment, Signal};

use crate::samples_in;
use crate::tone::band::Band;
use crate::tone::runs::{CLICK, EDGE, GAP, HISTORY, Kind, Run, Runs};
use crate::tone::spectrum::BLOCK;

/// A tone of this length is neither a syllable nor a note, in samples.
const STEADY: u32 = samples_in(400);

/// A sound of this length followed by [`REST`] counts as a whole cycle, in samples.
const LONG: u32 = samples_in(750);

/// How much silence has to follow such a sound, in samples.
const REST: u32 = samples_in(300);

/// How much of the next sound is needed to know that the rest before it is complete, in samples.
const NEXT: u32 = samples_in(100);

/// The sounds of an exchange's cadence are as loud as each other, to within so many dB; those of a
/// voice are not.
const SAME_LEVEL: f32 = 4.0;

/// The least number of steps of a signal whose sounds are in a band of several.
const MIXED: usize = 4;

/// Rests up to this length do not interrupt a sound, in ms: the runs have none so short.
const GAP_MS: u16 = 50;

/// A part of a signal as it is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    kind: Kind,
    samples: u32,
}

/// One signal of the plan, and what it has in common with the others.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) what: CallProgress,
    /// Its sounds and rests from the beginning of a sound; a single one if it is continuous.
    steps: Vec<Step>,
    /// What sounds before them, once.
    before: Vec<Step>,
    repeats: bool,
    /// Whether its sounds are in no signal of another meaning.
    alone: bool,
    /// The longest sound with rests of signals of another meaning in its bands, in samples.
    longest_rival: u32,
    /// The number of steps after which no signal of another meaning can look like this one.
    needed: usize,
    /// Whether it is the dial tone of waiting messages, and always differs from the usual one.
    pub(super) tells_messages: bool,
}

impl Pattern {
    /// The patterns of a plan's signals. A signal that sounds like an earlier one is left out.
    pub(super) fn of(plan: &Plan, bands: &[Band]) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> = Vec::new();
        for (what, signal) in plan.signals() {
            let pattern = Pattern::new(what, signal, bands);
            let same = |one: &Pattern| one.steps == pattern.steps && one.before == pattern.before;
            if !patterns.iter().any(same) {
                patterns.push(pattern);
            }
        }
        if let Some(stutter) = &plan.stutter {
            let stutter = Pattern::new(CallProgress::Dial, stutter, bands);
            let usual = Pattern::new(CallProgress::Dial, &plan.dial, bands);
            let tells = |one: &Pattern| one.what == stutter.what && one.steps == stutter.steps;
            for pattern in patterns.iter_mut().filter(|one| tells(one)) {
                pattern.tells_messages = stutter.steps != usual.steps;
            }
        }
        // Nobody is told of call waiting, but no other signal may be mistaken for it. Where it
        // sounds like the special information tone, only that can come before an answer.
        let special = CallProgress::SpecialInformation;
        let waiting = plan.waiting.as_ref().map(|signal| Pattern::new(special, signal, bands));
        for place in 0..patterns.len() {
            let (before, rest) = patterns.split_at_mut(place);
            if let Some((own, behind)) = rest.split_first_mut() {
                before.iter().chain(&*behind).chain(&waiting).for_each(|other| own.compare(other));
                let is_mixed = |step: &Step| match step.kind {
                    Kind::Tone(band) => bands.get(band).is_some_and(|band| !band.is_pure()),
                    Kind::Quiet | Kind::Sound => false,
                };
                if own.sounds().any(is_mixed) {
                    // A voice is more like such a sound than like a single sine.
                    own.needed = own.needed.max(MIXED);
                }
                if own.has_rests() {
                    // What follows a rest is a sound.
                    own.needed = own.needed.next_multiple_of(2);
                }
                own.needed = own.needed.min(HISTORY - 1);
            }
        }
        patterns
    }

    fn new(what: CallProgress, signal: &Signal, bands: &[Band]) -> Pattern {
        let repeats = signal.figure() == signal.repeated();
        let before = if repeats { steps(signal.once(), bands) } else { Vec::new() };
        let mut steps = steps(signal.figure(), bands);
        if !repeats && steps.last().is_some_and(|step| step.kind == Kind::Quiet) {
            steps.pop();
        }
        let (alone, longest_rival, needed) = (true, 0, steps.len());
        let tells_messages = false;
        Pattern { what, steps, before, repeats, alone, longest_rival, needed, tells_messages }
    }

    /// Takes note of what a signal of another meaning has in common with this one.
    fn compare(&mut self, other: &Pattern) {
        let shared = other.sounds().any(|step| self.sounds().any(|own| own.kind == step.kind));
        if other.what == self.what || !shared {
            return;
        }
        self.alone = false;
        let steps = other.before.iter().chain(other.steps.iter().filter(|_| other.has_rests()));
        let longest = steps.filter(|step| step.kind != Kind::Quiet).map(|step| step.samples).max();
        self.longest_rival = self.longest_rival.max(longest.unwrap_or(0));
        // Counts the steps that both have from the beginning of any sound.
        for own in 0..self.steps.len() {
            for start in 0..other.before.len() + other.steps.len() {
                let whole = other.before.iter().chain(other.steps.iter().cycle()).skip(start);
                let same = self
                    .from(own)
                    .zip(whole)
                    .take(HISTORY)
                    .take_while(|(a, b)| a.kind == b.kind && may_be(b.samples, a.samples))
                    .count();
                // Signals that never differ by more are told apart by which of them is nearer.
                if same < HISTORY {
                    self.needed = self.needed.max(same + 1);
                }
            }
        }
    }

    fn from(&self, place: usize) -> impl Iterator<Item = &Step> {
        self.steps.iter().cycle().skip(place)
    }

    fn sounds(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.kind != Kind::Quiet)
    }

    /// Whether a run consists of one of its sounds, however long it is.
    pub(super) fn sounds_like(&self, run: &Run) -> bool {
        self.sounds().any(|step| step.kind == run.kind)
    }

    /// Whether a run of one of its sounds, after the run `before`, ended within the cadence: it is
    /// shorter than every such sound, or the next one should follow it sooner than after the
    /// longest rest.
    pub(super) fn ends_early(&self, run: &Run, before: Option<&Run>) -> bool {
        let steps = || self.steps.iter().filter(|step| step.kind == run.kind);
        if steps()
            .all(|step| run.samples() < step.samples && !is_about(run.samples(), step.samples))
        {
            return true;
        }
        let rests = self.steps.iter().filter(|step| step.kind == Kind::Quiet);
        let most = rests.map(|step| step.samples).max().unwrap_or(0);
        let quiet = before.filter(|before| before.kind == Kind::Quiet);
        let quiet = quiet.map_or(0, |before| before.samples().min(most));
        let rest = |place: usize| match self.steps.get(place % self.steps.len()) {
            Some(step) if step.kind == Kind::Quiet => step.samples,
            _ => 0,
        };
        let mut possible = (0..self.steps.len()).filter(|&place| {
            let last = rest(place + self.steps.len() - 1);
            let step = self.steps.get(place).filter(|step| step.kind == run.kind);
            quiet <= longest(last) && step.is_some_and(|step| is_about(run.samples(), step.samples))
        });
        possible.next().is_some_and(|place| rest(place + 1) < most)
            && possible.all(|place| rest(place + 1) < most)
    }

    fn has_rests(&self) -> bool {
        self.steps.iter().any(|step| step.kind == Kind::Quiet)
    }

    fn is_continuous(&self) -> bool {
        self.repeats && self.steps.len() == 1
    }

    /// Whether the runs so far show that this signal, of these `all`, is on the line.
    pub(super) fn is_heard(&self, runs: &Runs, all: &[Pattern]) -> bool {
        let current = runs.current();
        if current.kind == Kind::Sound || self.too_long(current) {
            return false;
        }
        let special = self.what == CallProgress::SpecialInformation;
        if self.is_continuous() {
            return current.samples() >= STEADY.max(longest(self.longest_rival) + BLOCK as u32);
        }
        if special && self.alone && self.sounds().count() > 1 || !self.repeats {
            return self.is_sequence(runs);
        }
        if current.kind == Kind::Quiet {
            let Some(before) = runs.completed(0).filter(|_| current.samples() >= REST) else {
                return false;
            };
            // A sound that another signal has as well, or has nearer, needs the rest of the cycle.
            let others = all.iter().filter(|other| other.what != self.what);
            let others = others.flat_map(|other| other.sounds_about(before));
            return self.sounds_about(before).any(|(own, step, rest)| {
                step >= LONG
                    && rest >= REST
                    && others.clone().all(|(other, _, rest)| {
                        own < other || own == other && longest(rest) < current.samples()
                    })
            });
        }
        let shortest = self.sounds().map(|step| step.samples / 4 * 3).min().unwrap_or(0);
        let same_sound = self.sounds().all(|step| step.kind == current.kind);
        if self.alone && same_sound && !special {
            return current.samples() >= STEADY.min(shortest);
        }
        if current.samples() < NEXT.min(shortest) {
            return false;
        }
        // Of two signals that are possible it is the nearer one.
        let distance = |pattern: &Pattern| pattern.cycle(runs, self.needed);
        let others = || all.iter().filter(|other| other.what != self.what).filter_map(distance);
        distance(self).is_some_and(|own| others().all(|other| own <= other))
    }

    /// How far the latest runs, so many as `steps`, are from whole cycles that begin with a sound.
    /// `None` if they are none.
    fn cycle(&self, runs: &Runs, steps: usize) -> Option<u32> {
        // A sound whose beginning is not in the runs may be a part of a longer one.
        runs.completed(steps).filter(|before| before.samples() > 0)?;
        let sounds = (0..steps).filter_map(|back| runs.completed(back));
        let mut levels = sounds.filter(|run| run.kind != Kind::Quiet).map(Run::level);
        if levels.any(|level| (level - runs.current().level()).abs() > SAME_LEVEL) {
            return None;
        }
        let starts = (0..self.steps.len())
            .filter(|&start| self.from(start).next().is_some_and(|step| step.kind != Kind::Quiet));
        let of = |start: usize| {
            let next = self.from(start + steps).next()?;
            if runs.current().kind != next.kind {
                return None;
            }
            let cycle = self.from(start).take(steps).enumerate();
            cycle.map(|(n, step)| distance(runs.completed(steps - 1 - n)?, step)).sum()
        };
        starts.filter_map(of).min()
    }

    /// Whether the latest runs are its sounds, one after the other, up to the greater part of the
    /// last one.
    fn is_sequence(&self, runs: &Runs) -> bool {
        let last = self.steps.iter().rposition(|step| step.kind != Kind::Quiet).unwrap_or(0);
        let (before, rest) = self.steps.split_at(last);
        let current = runs.current();
        let ends = rest.first().is_some_and(|ending| {
            current.kind == ending.kind && current.samples() >= ending.samples / 4 * 3
        });
        let is_step =
            |(n, step)| runs.completed(n).is_some_and(|run| distance(run, step).is_some());
        ends && before.iter().rev().enumerate().all(is_step)
    }

    /// The sounds of this signal that a run may be: how far it is from each, its length and that of
    /// the rest behind it.
    fn sounds_about(&self, run: &Run) -> impl Iterator<Item = (u32, u32, u32)> + Clone {
        let rests = self.steps.iter().cycle().skip(1);
        self.steps.iter().zip(rests).filter_map(move |(step, rest)| {
            let rest = if rest.kind == Kind::Quiet { rest.samples } else { 0 };
            Some((distance(run, step)?, step.samples, rest))
        })
    }

    /// Returns whether this signal, which was on the line, still is; `changed` if the latest run
    /// has just begun.
    pub(super) fn goes_on(&self, runs: &Runs, changed: bool) -> bool {
        if self.too_long(runs.current()) {
            return false;
        }
        // Some exchanges use other rhythms for ringback than the plan's. They are accepted if the
        // frequencies alone identify the signal.
        if self.alone || self.is_continuous() || !changed {
            return true;
        }
        // What the current run will be is not known yet while it is a sound: perhaps a click.
        let before = runs.completed(0).filter(|_| runs.current().kind != Kind::Sound);
        let Some(before) = before else { return true };
        let mut same = self.steps.iter().filter(|step| step.kind == before.kind).peekable();
        same.peek().is_none() || same.any(|step| is_about(before.samples(), step.samples))
    }

    /// Returns whether a run is too long to be a part of this signal.
    fn too_long(&self, run: &Run) -> bool {
        let most = self.steps.iter().filter(|step| step.kind == run.kind).map(|step| step.samples);
        let limit = match (run.kind, most.max()) {
            (Kind::Tone(_), Some(_)) if self.is_continuous() => u32::MAX,
            (Kind::Tone(_) | Kind::Quiet, Some(most)) => longest(most),
            (Kind::Tone(_), None) => 0,
            (Kind::Quiet, None) => GAP * BLOCK as u32,
            (Kind::Sound, _) if self.has_rests() => CLICK * BLOCK as u32,
            (Kind::Sound, _) => EDGE * BLOCK as u32,
        };
        run.samples() > limit
    }
}

/// What can be observed of segments: their sounds as bands, without the gaps that are too short.
fn steps(segments: &[Segment], bands: &[Band]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for segment in segments {
        let samples = samples_in(u32::from(segment.ms.unwrap_or(0)));
        let kind = match segment.sound {
            Some(sound) => match bands.iter().position(|band| band.contains(sound)) {
                Some(band) => Kind::Tone(band),
                None => Kind::Sound,
            },
            None => Kind::Quiet,
        };
        let short = segment.ms.is_some_and(|ms| ms <= GAP_MS);
        match steps.last_mut() {
            Some(last) if last.kind == kind || kind == Kind::Quiet && short => {
                last.samples += samples;
            }
            Some(_) => steps.push(Step { kind, samples }),
            None if kind == Kind::Quiet => {}
            None => steps.push(Step { kind, samples }),
        }
    }
    steps
}

/// How far a run is from a step, in samples; `None` if it is not that step.
fn distance(run: &Run, step: &Step) -> Option<u32> {
    (run.kind == step.kind && is_about(run.samples(), step.samples))
        .then(|| run.samples().abs_diff(step.samples))
}

/// The longest run that can be a step of this length: exchanges differ by up to a quarter, and runs
/// are measured in blocks.
fn longest(step: u32) -> u32 {
    step.saturating_add(step / 4).saturating_add(BLOCK as u32)
}

/// Whether a step of another signal may be taken for this one, as exchanges differ by a tenth.
fn may_be(other: u32, step: u32) -> bool {
    [other - other / 10, other, other + other / 10].iter().any(|&length| is_about(length, step))
}

fn is_about(length: u32, step: u32) -> bool {
    length <= longest(step) && length.saturating_add(BLOCK as u32) >= step - step / 4
}
