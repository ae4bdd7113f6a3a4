//! Call-progress tones, the signals of an exchange to a caller: a generator and a detector.
//!
//! A [`Plan`] has the signals of one country as data: frequencies, cadences and levels
//! (`ringback_country`). The generator and the detector have no data of any country in them.
//!
//! spandsp's detector of such tones (`super_tone_rx`) was measured and not used: with the North
//! American plan it reports dial tone several times a minute in white noise, and with a plan of one
//! frequency it takes any sound for that frequency.

mod band;
mod confirmation;
mod detector;
mod generator;
mod pattern;
mod runs;
mod special_information;
mod spectrum;
mod stutter;

pub use confirmation::Confirmation;
pub use detector::{Detector, Heard, Pause};
pub use generator::Generator;
pub use special_information::{Refusal, refusal};
pub use stutter::StutterListener;

pub use ringback_country::{Cadence, CallProgress, Codes, Plan, Signal};
