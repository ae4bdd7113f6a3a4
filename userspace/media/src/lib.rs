//! Samples of telephony: G.711, DTMF, call-progress tones, WAV.
//!
//! What a line hears and says, as 16-bit linear samples at 8 kHz, mono. The room knows nothing of
//! cards, lines or calls. Rules that hold in it:
//!
//! * `feed` and `fill` take slices of any length, down to one sample, and give the same result for
//!   the same samples however they are cut.
//! * `feed` and `fill` do not allocate, block or do I/O: they may run in the 1 ms tick.
//! * Levels are in dBm0: a sine of full scale is +3.14 dBm0 (ITU-T G.711).
//! * Unsafe code is in one private file, the declarations of the system library spandsp, which
//!   detects DTMF. Everything else is written here.

pub mod dtmf;
mod ffi;
pub mod g711;
pub mod level;
mod oscillator;
pub mod tone;
pub mod wav;

/// Samples per second of all audio.
pub const SAMPLE_RATE: u32 = 8000;

/// Samples in `ms` milliseconds.
const fn samples_in(ms: u32) -> u32 {
    ms.saturating_mul(SAMPLE_RATE / 1000)
}
