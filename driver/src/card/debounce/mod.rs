//! Debouncing of signals: when a change counts.
//!
//! Each detector gets one sample of its register every [`SAMPLE_MS`] and reports when its debounced
//! state changes. Detectors use no registers, ports or clock: they measure time in samples, so a
//! lost tick delays a change but does not cause a wrong one.

mod battery;
mod hook;
mod lamp;
mod polarity;
mod ring;

pub(crate) use battery::BatteryDetector;
pub(crate) use hook::HookDetector;
pub(crate) use lamp::LampDetector;
pub(crate) use polarity::PolarityDetector;
pub(crate) use ring::RingDetector;

/// Time between two samples of the same register of the same port, in ms: four ports with two
/// registers each, one register per tick.
pub(crate) const SAMPLE_MS: u32 = 8;
