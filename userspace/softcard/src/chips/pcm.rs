//! The modules' side of the serial bus: time slots and companding.
//!
//! A frame of 125 us has four 8-bit time slots, sent bit 31 first. A module's start count is the
//! number of clocks before its slot, so that a count of (3 - n) * 8 is the byte lane n of the DMA
//! word.

use ringback_media::g711;

use crate::chips::wire::{FRAME, Frame};

/// The bytes of one module in one millisecond.
pub(crate) type Bytes = [u8; FRAME];

/// A bus that no module drives reads high.
pub(crate) const IDLE_BUS: Bytes = [0xFF; FRAME];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    Ulaw,
    Alaw,
}

impl Law {
    /// Decodes the enable bit 5 and the format bits 4:3, which Si3210 register 1 and Si3050
    /// register 33 have in common. `None` if the interface is off, or set to 16-bit samples, which
    /// do not fit this bus.
    pub(crate) fn from_mode(mode: u8) -> Option<Law> {
        match mode & 0x38 {
            0x20 => Some(Law::Alaw),
            0x28 => Some(Law::Ulaw),
            _ => None,
        }
    }

    pub(crate) fn encode(self, audio: &Frame) -> Bytes {
        audio.map(|sample| match self {
            Law::Ulaw => g711::ulaw_encode(sample),
            Law::Alaw => g711::alaw_encode(sample),
        })
    }

    pub(crate) fn decode(self, bytes: &Bytes) -> Frame {
        bytes.map(|byte| match self {
            Law::Ulaw => g711::ulaw_decode(byte),
            Law::Alaw => g711::alaw_decode(byte),
        })
    }
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
        assert_eq!(Law::from_mode(0x28), Some(Law::Ulaw));
        assert_eq!(Law::from_mode(0x20), Some(Law::Alaw));
        assert_eq!(Law::from_mode(0x08), None, "reset value: interface off");
        assert_eq!(Law::from_mode(0x30), None);
    }

    #[test]
    fn silence_is_the_idle_byte_of_each_law() {
        assert_eq!(Law::Ulaw.encode(&[0; FRAME]), [0xFF; FRAME]);
        assert_eq!(Law::Alaw.encode(&[0; FRAME]), [0xD5; FRAME]);
        assert!(Law::Alaw.decode(&[0xD5; FRAME]).iter().all(|sample| sample.abs() <= 8));
    }
}
