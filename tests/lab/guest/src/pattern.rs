//! Samples that both sides can compute: u-law bytes without an order, so that a lost, repeated or
//! misplaced millisecond is noticed.

use ringback_media::g711;
use serde_json::Value;

use crate::Outcome;

/// The number of bytes in a millisecond.
pub const MS: usize = 8;
/// The length of a pattern in bytes.
const LENGTH: usize = 500 * MS;
/// How far a millisecond may be from its place, in bytes: the driver's double buffer, twice.
const NEAR: usize = 8 * MS;

/// Half a second of known samples.
pub struct Pattern(Vec<u8>);

impl Pattern {
    /// Makes a pattern, different for each seed.
    pub fn new(seed: u64) -> Pattern {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        // 0x7F and 0xFF both decode to 0 and are left out.
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

    /// The samples as the far end's commands take them.
    pub fn as_samples(&self) -> String {
        let samples = self.0.iter().map(|byte| g711::ulaw_decode(*byte).to_string());
        samples.collect::<Vec<_>>().join(" ")
    }

    /// Returns whether its end was received.
    pub fn has_ended_in(&self, heard: &[u8]) -> bool {
        let end = &self.0[LENGTH - MS..];
        heard.windows(MS).any(|window| window == end)
    }

    /// Looks for the pattern in received samples, in order: returns the number of milliseconds
    /// found, the number of breaks between them, and the milliseconds that are missing.
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

    /// Returns how many milliseconds of it were received, in order.
    pub fn milliseconds_in(&self, heard: &[u8]) -> usize {
        self.find(heard).0
    }

    /// Checks that all of it was received, in one piece.
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

/// Returns the samples of a reply, as bytes.
pub fn samples(reply: &Value) -> Vec<u8> {
    let samples = reply["samples"].as_array().map(Vec::as_slice).unwrap_or_default();
    let samples = samples.iter().filter_map(|sample| i16::try_from(sample.as_i64()?).ok());
    samples.map(g711::ulaw_encode).collect()
}
