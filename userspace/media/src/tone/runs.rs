//! Joins blocks of sound to runs, which have the lengths of sounds and rests.

use super::spectrum::{BLOCK, Block};

/// Below this level nothing is a tone, in dBm0. The weakest signal of a plan (-24 dBm0 per
/// frequency) may be attenuated by 16 dB.
const MIN_LEVEL: f32 = -38.0;

/// A block that is this much quieter than the last tone is part of its rest, in dB.
const REST: f32 = 12.0;

/// A block whose level differs by more than this from the run's is not the same tone, in dB: an
/// exchange's tone has a steady level, a voice has not.
const STEADY: f32 = 3.0;

/// The same for a tone that is modulated, or whose frequencies beat.
const WAVERING: f32 = 12.0;

/// The longest sound in a rest that does not end the rest, in blocks: a click, but not a word.
pub(super) const CLICK: u32 = 10;

/// The longest sound that is part of the change from a tone to its rest, and the longest that may
/// interrupt a tone, in blocks.
pub(super) const EDGE: u32 = 4;

/// The longest silence that does not end a tone, in blocks: the stutter of some dial tones, and the
/// gaps between the parts of others.
pub(super) const GAP: u32 = 3;

/// The number of runs that are kept: a cadence of four sounds and four rests, and the run before
/// it.
pub(super) const HISTORY: usize = 9;

/// What a run consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The tone with this index.
    Tone(usize),
    /// Silence, or after a tone a block that is much quieter.
    Quiet,
    Sound,
}

/// A sequence of blocks of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) kind: Kind,
    blocks: u32,
    /// Number of blocks of another kind that count as disturbances.
    disturbed: u32,
    /// The mean level, in dBm0.
    level: f32,
}

impl Run {
    /// Its mean level, in dBm0.
    pub(super) fn level(&self) -> f32 {
        self.level
    }

    /// Its length in samples, to within a block.
    pub(super) fn samples(&self) -> u32 {
        self.blocks.saturating_mul(BLOCK as u32)
    }
}

/// The current run, and those before it.
#[derive(Debug)]
pub(super) struct Runs {
    current: Run,
    /// In order, with the latest last.
    completed: [Option<Run>; HISTORY],
    /// Number of blocks since the last one of the current kind, and the kind of the latest of them.
    doubt: u32,
    doubted: Kind,
    /// The level of the latest tone.
    reference: f32,
}

impl Runs {
    pub(super) fn new() -> Runs {
        let silence = Run { kind: Kind::Quiet, blocks: 0, disturbed: 0, level: MIN_LEVEL };
        Runs {
            current: silence,
            completed: [None; HISTORY],
            doubt: 0,
            doubted: Kind::Quiet,
            reference: MIN_LEVEL,
        }
    }

    /// The run that has not ended.
    pub(super) fn current(&self) -> &Run {
        &self.current
    }

    /// The run that ended `back` runs ago, 0 for the latest.
    pub(super) fn completed(&self, back: usize) -> Option<&Run> {
        self.completed.iter().rev().nth(back)?.as_ref()
    }

    /// Adds the next block. Returns whether a run has begun with it: one block of another kind is a
    /// disturbance, two of the same other kind are a change.
    pub(super) fn push(&mut self, block: Block) -> bool {
        let kind = self.classify(block);
        if kind == self.current.kind {
            self.extend(block);
            return false;
        }
        self.doubt += 1;
        let before = std::mem::replace(&mut self.doubted, kind);
        let kind = match self.doubt {
            1 => return false,
            _ if kind == before => kind,
            2 => return false,
            _ => Kind::Sound,
        };
        let blocks = std::mem::take(&mut self.doubt);
        self.begin(Run { kind, blocks, disturbed: 0, level: block.level });
        true
    }

    fn classify(&self, block: Block) -> Kind {
        match block.tone {
            Some(tone) if block.level >= MIN_LEVEL => {
                let same = self.current.kind == Kind::Tone(tone);
                let steady = if block.wavers { WAVERING } else { STEADY };
                if same && (block.level - self.current.level).abs() > steady {
                    Kind::Sound
                } else {
                    Kind::Tone(tone)
                }
            }
            _ if block.level < MIN_LEVEL.max(self.reference - REST) => Kind::Quiet,
            _ => Kind::Sound,
        }
    }

    fn extend(&mut self, block: Block) {
        let run = &mut self.current;
        run.blocks = run.blocks.saturating_add(1 + self.doubt);
        run.disturbed = run.disturbed.saturating_add(self.doubt);
        self.doubt = 0;
        run.level += (block.level - run.level) / 8.0;
        if let Kind::Tone(_) = run.kind {
            self.reference = run.level;
            // A tone that is disturbed all the time is not a tone.
            if run.disturbed * 4 > run.blocks + 4 {
                run.kind = Kind::Sound;
            }
        }
    }

    /// Ends the current run and begins another. A sound or a silence that is too short for a run is
    /// merged into those around it.
    fn begin(&mut self, run: Run) {
        let ended = std::mem::replace(&mut self.current, run);
        let is_tone = |run: &Run| matches!(run.kind, Kind::Tone(_));
        let gap = ended.kind == Kind::Quiet && ended.blocks <= GAP && is_tone(&run);
        let around = self.completed(0).filter(|before| match (run.kind, ended.kind) {
            _ if before.kind != run.kind => false,
            (Kind::Quiet, Kind::Sound) => ended.blocks <= CLICK,
            (_, Kind::Sound) => ended.blocks <= EDGE && (before.level - run.level).abs() <= STEADY,
            _ => gap,
        });
        let joined = gap && self.completed(0).is_some_and(is_tone);
        if let Some(&before) = around {
            let interrupted = ended.blocks;
            let blocks = before.blocks.saturating_add(interrupted + run.blocks);
            let disturbed = before.disturbed + if gap { 0 } else { interrupted };
            self.current = Run { blocks, disturbed, ..before };
            self.completed.rotate_right(1);
            self.completed[0] = None;
        } else if joined || ended.kind == Kind::Sound && ended.blocks <= EDGE {
            self.current.blocks += ended.blocks;
        } else {
            self.completed.rotate_left(1);
            self.completed[HISTORY - 1] = Some(ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds blocks: `t` a tone at -15 dBm0, `T` the same at -9, `u` another tone, `.` silence, `x`
    /// another sound.
    fn runs_of(blocks: &str) -> Runs {
        let mut runs = Runs::new();
        for c in blocks.chars() {
            let (tone, level) = match c {
                't' => (Some(0), -15.0),
                'T' => (Some(0), -9.0),
                'u' => (Some(1), -15.0),
                'x' => (None, -15.0),
                _ => (None, -70.0),
            };
            runs.push(Block { tone, level, wavers: false });
        }
        runs
    }

    /// The current run and those before it, the latest first, as kind and length.
    fn lengths(blocks: &str) -> Vec<(Kind, u32)> {
        let runs = runs_of(blocks);
        let before = (0..HISTORY).map_while(|back| runs.completed(back));
        [runs.current()].into_iter().chain(before).map(|run| (run.kind, run.blocks)).collect()
    }

    const TONE: Kind = Kind::Tone(0);
    const QUIET: Kind = Kind::Quiet;
    const SOUND: Kind = Kind::Sound;

    #[test]
    fn lengths_count_from_change_to_change() {
        assert_eq!(lengths("....tttttt..."), [(QUIET, 3), (TONE, 6), (QUIET, 4)]);
    }

    #[test]
    fn the_way_from_tone_to_rest_is_no_run() {
        assert_eq!(lengths("...xttttttxx..."), [(QUIET, 5), (TONE, 7), (QUIET, 3)]);
    }

    #[test]
    fn disturbances_do_not_break_a_run() {
        assert_eq!(lengths("..tttttttxtttt"), [(TONE, 12), (QUIET, 2)]);
        assert_eq!(lengths("..tttttttxxxtttt"), [(TONE, 14), (QUIET, 2)]);
        assert_eq!(lengths("..tttt....xxxx...."), [(QUIET, 12), (TONE, 4), (QUIET, 2)]);
    }

    #[test]
    fn a_short_gap_is_no_rest() {
        assert_eq!(lengths("...tttttt..ttttt"), [(TONE, 13), (QUIET, 3)]);
        assert_eq!(lengths("...tttttt....ttt"), [(TONE, 3), (QUIET, 4), (TONE, 6), (QUIET, 3)]);
        let other = Kind::Tone(1);
        assert_eq!(lengths("...tttttt..uuuu"), [(other, 6), (TONE, 6), (QUIET, 3)]);
    }

    #[test]
    fn what_is_disturbed_all_the_time_is_no_tone() {
        let blocks = "txt".repeat(40);
        for end in 0..blocks.len() {
            let (kind, length) = lengths(&blocks[..end])[0];
            assert!(kind != TONE || length < 18, "{length} blocks");
        }
    }

    #[test]
    fn what_changes_its_level_is_not_one_tone() {
        let tones = lengths("..ttttttttttTTTTTTTTTT");
        assert!(tones.iter().all(|&(_, blocks)| blocks <= 12), "{tones:?}");
    }

    #[test]
    fn words_in_a_rest_are_sound() {
        let words = "..tttttt..".to_owned() + &"x".repeat(11);
        assert_eq!(lengths(&words)[0], (SOUND, 11));
    }
}
