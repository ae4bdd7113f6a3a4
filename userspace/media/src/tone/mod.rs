//! Call-progress tones: what an exchange tells a caller, made and heard.
//!
//! A [`Plan`] is one country's signals as data: their frequencies, cadences and levels
//! (`ringback_country`). The generator and the detector know no country.
//!
//! spandsp's detector of such tones (`super_tone_rx`) was measured and not taken: with the North
//! American plan it hears dial tone several times a minute in white noise, and with a plan of one
//! frequency it takes any sound for that frequency.

mod detector;
mod generator;
mod runs;
mod spectrum;

pub use detector::{Detector, Heard};
pub use generator::Generator;

use crate::samples_in;

pub use ringback_country::{Cadence, CallProgress, Plan, Signal};

/// The lengths of sound and rest in turn, in samples; empty where it is continuous.
fn steps(cadence: &Cadence) -> impl ExactSizeIterator<Item = u32> + Clone + '_ {
    cadence.steps_ms().map(|ms| samples_in(u32::from(ms)))
}
