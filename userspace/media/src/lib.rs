//! Audio of telephony: G.711, DTMF, call-progress tones, tones of fax machines and modems, echo
//! cancellation, concealment of losses, caller id, WAV.
//!
//! All audio is 16-bit linear samples at 8 kHz, mono. This crate does not depend on cards, lines or
//! calls. Rules that hold in it:
//!
//! * `feed` and `fill` take slices of any length, down to one sample, and the result does not
//!   depend on how the samples are cut into slices.
//! * `feed` and `fill` do not allocate, block or do I/O: they may run in the 1 ms tick. Only the
//!   receiver of caller id allocates, when it has received a caller.
//! * Levels are in dBm0: a sine of full scale is +3.14 dBm0 (ITU-T G.711).
//! * Unsafe code is in private files, which declare functions of system libraries: those of
//!   spandsp that detect the tones of equipment, that receive caller id by FSK and that conceal
//!   lost packets, and the echo canceller of speexdsp. Everything else is our own.
//!
//! ```
//! use ringback_media::dtmf::{Detector, Digit, Event, Generator};
//!
//! let mut generator = Generator::new();
//! "1800".chars().filter_map(Digit::from_char).for_each(|digit| generator.push(digit));
//!
//! let mut detector = Detector::new();
//! let mut heard = String::new();
//! let mut samples = [0; 8];
//! while generator.fill(&mut samples) > 0 {
//!     detector.feed(&samples, &mut |event| {
//!         if let Event::Down(digit) = event {
//!             heard.push(digit.as_char());
//!         }
//!     });
//! }
//! assert_eq!(heard, "1800");
//! ```

pub mod caller_id;
pub mod dtmf;
pub mod echo;
pub mod equipment;
mod ffi;
pub mod g711;
pub mod hybrid_fit;
pub mod level;
pub mod loss;
mod oscillator;
pub mod tone;
pub mod wav;

/// The sample rate of all audio, in Hz.
pub const SAMPLE_RATE: u32 = 8000;

/// The number of samples in `ms` milliseconds.
const fn samples_in(ms: u32) -> u32 {
    ms.saturating_mul(SAMPLE_RATE / 1000)
}

#[cfg(test)]
mod tests {
    /// Detectors and generators are sent to the thread that serves their line.
    #[test]
    fn everything_can_be_sent_to_another_thread() {
        fn is_send<T: Send>() {}
        is_send::<crate::caller_id::CallerIdReceiver>();
        is_send::<crate::caller_id::CallerIdSender>();
        is_send::<crate::dtmf::Detector>();
        is_send::<crate::dtmf::Generator>();
        is_send::<crate::echo::EchoCanceller>();
        is_send::<crate::equipment::EquipmentDetector>();
        is_send::<crate::loss::LossConcealer>();
        is_send::<crate::tone::Detector>();
        is_send::<crate::tone::Generator>();
        is_send::<crate::wav::Writer>();
        is_send::<crate::wav::WavError>();
    }
}
