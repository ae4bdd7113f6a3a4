//! The modules' side of the serial bus: time slots and companding.
//!
//! A frame of 125 us has four 8-bit time slots, sent bit 31 first. A module's start count is the
//! number of clocks before its slot, so that a count of (3 - n) * 8 is the byte lane n of the DMA
//! word.

use ringback_country::Companding;
use ringback_media::g711;

use crate::chips::wire::{FRAME, Frame};

/// The bytes of one module in one millisecond.
pub(crate) type Bytes = [u8; FRAME];

/// A bus that no module drives reads high.
pub(crate) const IDLE_BUS: Bytes = [0xFF; FRAME];

/// Decodes the enable bit 5 and the format bits 4:3, which Si3210 register 1 and Si3050 register 33
/// have in common. `None` if the interface is off, or set to 16-bit samples, which do not fit this
/// bus.
pub(crate) fn companding(mode: u8) -> Option<Companding> {
    match mode & 0x38 {
        0x20 => Some(Companding::ALaw),
        0x28 => Some(Companding::ULaw),
        _ => None,
    }
}

/// The bytes of a millisecond of audio.
pub(crate) fn encode(law: Companding, audio: &Frame) -> Bytes {
    audio.map(|sample| g711::encode(law, sample))
}

/// The audio of a millisecond of bytes.
pub(crate) fn decode(law: Companding, bytes: &Bytes) -> Frame {
    bytes.map(|byte| g711::decode(law, byte))
}

/// The byte lanes of the DMA word in which a module sends and receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// Towards the host.
    pub(crate) transmit: Option<usize>,
    /// From the host.
    pub(crate) receive: Option<usize>,
}

/// Converts a start count (low byte, high byte) to its byte lane; `None` if it is not the start of
/// one of the four slots.
pub(crate) fn lane(low: u8, high: u8) -> Option<usize> {
    match (low, high) {
        (0, 0) => Some(3),
        (8, 0) => Some(2),
        (16, 0) => Some(1),
        (24, 0) => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_counts_are_lanes_from_the_top() {
        for slot in 0..4_u8 {
            assert_eq!(lane((3 - slot) * 8, 0), Some(usize::from(slot)));
        }
        assert_eq!(lane(4, 0), None);
        assert_eq!(lane(32, 0), None);
        assert_eq!(lane(0, 1), None);
    }

    #[test]
    fn mode_register_names_the_law() {
        assert_eq!(companding(0x28), Some(Companding::ULaw));
        assert_eq!(companding(0x20), Some(Companding::ALaw));
        assert_eq!(companding(0x08), None, "reset value: interface off");
        assert_eq!(companding(0x30), None);
    }

    #[test]
    fn silence_is_the_idle_byte_of_each_law() {
        for law in [Companding::ULaw, Companding::ALaw] {
            assert_eq!(encode(law, &[0; FRAME]), [law.silence(); FRAME]);
        }
        let silence = decode(Companding::ALaw, &[0xD5; FRAME]);
        assert!(silence.iter().all(|sample| sample.abs() <= 8));
    }
}
