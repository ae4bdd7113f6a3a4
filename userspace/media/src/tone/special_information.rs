//! The kinds of special information tone.
//!
//! Networks of North America say by the tone's first two sounds what the announcement behind it is
//! about: each is short (274 ms) or long (380 ms), and low or high. The third is always the same.
//!
//! | announcement | lengths | pitches |
//! |---|---|---|
//! | intercept | short, short | low, low |
//! | vacant code | long, short | high, low |
//! | reorder | short, long | low, high within the region, high, low between networks |
//! | no circuit | long, long | high, high within the region, low, low between networks |
//! | reserved | long, short; short, short | low, high; high, high |
//!
//! Source: "Special Information Tones" (W4ZT, w4zt.com/freqs/sit.html) for lengths, frequencies and
//! categories; the table of an announcement system's manual of 1983, printed in 2600 ("Touch-Tone
//! Frequencies"), and D. Bonney in TELECOM Digest of August 1990 for what belongs to which, which
//! agree. The tone of ITU-T E.180, whose sounds have 330 ms, says nothing more.

use crate::level::{power_at, rms_dbm0};

/// Samples that are judged together: 10 ms.
const BLOCK: usize = 80;
/// The frequencies of the three sounds, in Hz; those of networks are less than 40 Hz away.
const SOUNDS: [f32; 3] = [950.0, 1400.0, 1790.0];
/// A sound has at least this share of a block's power.
const SHARE_DB: f32 = 4.0;
/// The two pitches that the first sound and the second can have, in Hz. The third has one.
const PITCHES: [[f32; 2]; 2] = [[913.8, 985.2], [1370.6, 1428.5]];
/// Samples from the middle of a sound that show its pitch: 50 ms.
const MIDDLE: usize = 400;
/// What is quieter is silence.
const QUIET_DBM0: f32 = -42.0;
/// The most blocks between two of the sounds: a gap, and their edges.
const MOST_GAP: usize = 5;
/// A sound of so many blocks is short, and of so many long; one in between is neither.
const SHORT: std::ops::RangeInclusive<usize> = 24..=30;
const LONG: std::ops::RangeInclusive<usize> = 35..=41;

/// Why a call was not put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has the number, it has changed, or it was dialled wrongly: intercept, vacant code.
    Number,
    /// The equipment has failed: reorder.
    Equipment,
    /// All trunks are busy: no circuit.
    NoCircuit,
}

/// What a special information tone is about: `heard` ends in its third sound, and contains the
/// first two. `None` if it does not say.
pub fn refusal(heard: &[i16]) -> Option<Refusal> {
    let blocks: Vec<Option<usize>> = heard.rchunks_exact(BLOCK).map(sound).collect();
    let mut at = 0;
    let mut sounds = [(0, None); SOUNDS.len()];
    // From the end to the beginning.
    for (wanted, (length, is_high)) in sounds.iter_mut().enumerate().rev() {
        let is_wanted = |block: &&Option<usize>| **block == Some(wanted);
        let gap = blocks.iter().skip(at).take_while(|block| !is_wanted(block)).count();
        if gap > MOST_GAP {
            return None;
        }
        *length = blocks.iter().skip(at + gap).take_while(is_wanted).count();
        let end = heard.len() - (at + gap) * BLOCK;
        at += gap + *length;
        let samples = heard.get(heard.len() - at * BLOCK..end).unwrap_or_default();
        *is_high = PITCHES.get(wanted).and_then(|pitches| is_higher(samples, *pitches));
    }
    let [first, second, _] = sounds;
    let is_long = |length: usize| match length {
        short if SHORT.contains(&short) => Some(false),
        long if LONG.contains(&long) => Some(true),
        _ => None,
    };
    // Whether each of the first two is long, and whether it is high.
    match [(is_long(first.0)?, first.1?), (is_long(second.0)?, second.1?)] {
        // Intercept, and vacant code.
        [(false, false), (false, false)] | [(true, true), (false, false)] => Some(Refusal::Number),
        [(false, true), (true, false)] | [(false, false), (true, true)] => Some(Refusal::Equipment),
        [(true, false), (true, false)] | [(true, true), (true, true)] => Some(Refusal::NoCircuit),
        // Not assigned.
        _ => None,
    }
}

/// Which of two pitches samples have; `None` if they are in between.
fn is_higher(samples: &[i16], pitches: [f32; 2]) -> Option<bool> {
    let from = (samples.len() / 2).saturating_sub(MIDDLE / 2);
    let middle = samples.get(from..from + MIDDLE)?;
    let [low, high] = pitches.map(|hz| power_at(middle, hz) > rms_dbm0(middle) - SHARE_DB);
    (low != high).then_some(high)
}

/// Which of the sounds a block is.
fn sound(block: &[i16]) -> Option<usize> {
    let level = rms_dbm0(block);
    if level < QUIET_DBM0 {
        return None;
    }
    SOUNDS.iter().position(|&hz| power_at(block, hz) > level - SHARE_DB)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Generator;

    fn heard(sounds: [(f32, usize); 3]) -> Vec<i16> {
        let mut samples = vec![0; 1000];
        for (hz, ms) in sounds {
            let start = samples.len();
            samples.resize(start + ms * 8, 0);
            Generator::sine(hz, -24.0).fill(&mut samples[start..]);
        }
        // The tone is recognised before its end.
        samples.truncate(samples.len() - 50 * 8);
        samples
    }

    #[test]
    fn lengths_and_pitches_of_the_first_two_sounds_are_the_kind() {
        use Refusal::{Equipment, NoCircuit, Number};
        for (first, second, kind) in [
            ((913.8, 274), (1370.6, 274), Some(Number)),
            ((985.2, 380), (1370.6, 274), Some(Number)),
            ((913.8, 274), (1428.5, 380), Some(Equipment)),
            ((985.2, 274), (1370.6, 380), Some(Equipment)),
            ((985.2, 380), (1428.5, 380), Some(NoCircuit)),
            ((913.8, 380), (1370.6, 380), Some(NoCircuit)),
            ((950.0, 330), (1400.0, 330), None),
            // Of every length, the pitches of ITU-T E.180 say nothing.
            ((950.0, 380), (1400.0, 380), None),
            // The two that are reserved.
            ((913.8, 380), (1428.5, 274), None),
            ((985.2, 274), (1428.5, 274), None),
        ] {
            let mut samples = heard([first, second, (1776.7, 380)]);
            for shift in 0..8 {
                assert_eq!(refusal(&samples), kind, "{first:?} {second:?}, {shift}");
                samples.truncate(samples.len() - 10);
            }
        }
        assert_eq!(refusal(&heard([(1400.0, 380), (950.0, 380), (1800.0, 380)])), None);
        assert_eq!(refusal(&[0; 9600]), None);
        assert_eq!(refusal(&[]), None);
    }
}
