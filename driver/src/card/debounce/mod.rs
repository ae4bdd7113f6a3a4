//! When a signal that bounces counts as changed.
//!
//! Each detector is fed with one sample of its register every [`SAMPLE_MS`] and says when what it
//! watches has changed for good. They know no registers, no ports and no clock: time is counted in
//! samples. A tick that was lost only makes them slower, never wrong.

mod battery;
mod hook;
mod polarity;
mod ring;

pub(crate) use battery::BatteryDetector;
pub(crate) use hook::HookDetector;
pub(crate) use polarity::PolarityDetector;
pub(crate) use ring::RingDetector;

/// Time between two samples of the same register of the same port, in ms: four ports with two
/// registers each, one register per tick.
pub(crate) const SAMPLE_MS: u32 = 8;
