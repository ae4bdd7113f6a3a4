//! Samples that are known on both sides: bytes of u-law without an order, so that a millisecond
//! that is lost, repeated or in the wrong place shows.

use ringback_media::g711;
use serde_json::Value;

use crate::Outcome;

/// Bytes in a millisecond.
const MS: usize = 8;
/// How long a pattern is.
const LENGTH: usize = 500 * MS;
/// How far a millisecond may be from its place: the driver's double buffer, twice.
const NEAR: usize = 8 * MS;

/// Half a second of known samples.
pub struct Pattern(Vec<u8>);

impl Pattern {
    /// Each seed gives another pattern.
    pub fn new(seed: u64) -> Pattern {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        // 0x7F and 0xFF are both 0 once they are linear.
        Pattern(
            std::iter::from_fn(|| Some(byte()))
                .filter(|byte| byte & 0x7F != 0x7F)
                .take(LENGTH)
                .collect(),
        )
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As the samples of the far end's commands.
    pub fn as_samples(&self) -> String {
        let samples = self.0.iter().map(|byte| g711::ulaw_decode(*byte).to_string());
        samples.collect::<Vec<_>>().join(" ")
    }

    /// Whether the last of it has been heard.
    pub fn has_ended_in(&self, heard: &[u8]) -> bool {
        let end = &self.0[LENGTH - MS..];
        heard.windows(MS).any(|window| window == end)
    }

    /// How much of it is in what was heard, in order: milliseconds found, the breaks between, and
    /// the milliseconds that are missing.
    fn find(&self, heard: &[u8]) -> (usize, usize, Vec<usize>) {
        let (mut found, mut breaks, mut at, mut missing) = (0, 0, 0, Vec::new());
        let mut searched = heard.len();
        for (ms, frame) in self.0.chunks_exact(MS).enumerate() {
            let ahead = heard.get(at..).unwrap_or_default();
            let ahead = &ahead[..ahead.len().min(searched)];
            match ahead.windows(MS).position(|window| window == frame) {
                Some(skipped) => {
                    breaks += usize::from(skipped > 0 && found > 0);
                    found += 1;
                    at += skipped + MS;
                    searched = NEAR;
                }
                None => {
                    missing.push(ms);
                    searched += if found > 0 { MS } else { 0 };
                }
            }
        }
        (found, breaks, missing)
    }

    /// How much of it is in what was heard, from its first millisecond that is, in percent.
    pub fn share_in(&self, heard: &[u8]) -> usize {
        self.find(heard).0 * 100 * MS / LENGTH
    }

    /// All of it has to have been heard, in one piece.
    pub fn check(&self, what: &str, heard: &[u8]) -> Outcome {
        let (found, breaks, missing) = self.find(heard);
        let all = self.0.len() / MS;
        println!("{what}: {found} of {all} ms, {breaks} breaks");
        if found == all && breaks == 0 {
            return Ok(());
        }
        Err(format!("of {all} ms {found} were {what}, with {breaks} breaks; not {missing:?}"))
    }
}

/// The samples of a reply, as bytes.
pub fn samples(reply: &Value) -> Vec<u8> {
    let samples = reply["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let samples = samples.iter().filter_map(|sample| i16::try_from(sample.as_i64()?).ok());
    samples.map(g711::ulaw_encode).collect()
}
