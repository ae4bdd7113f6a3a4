//! What Ringback says about a line beyond TSPI: the dwDevSpecific of its LINEDEVCAPS.

use std::fmt;

use ringback_request::PortNumber;

/// What a line is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// A port that is connected to a line of an exchange.
    Fxo,
    /// A port with a telephone on it.
    Fxs,
    /// A modem behind a serial port.
    Modem,
}

impl LineKind {
    /// Every kind, each at the place before its number in dwDevSpecific.
    pub const ALL: [LineKind; 3] = [LineKind::Fxo, LineKind::Fxs, LineKind::Modem];
}

impl fmt::Display for LineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LineKind::Fxo => "FXO",
            LineKind::Fxs => "FXS",
            LineKind::Modem => "modem",
        })
    }
}

/// The dwDevSpecific of a Ringback line's LINEDEVCAPS: which slot of the card it is, and what is in
/// it. 12 bytes: a mark, the slot, 1 for FXO, 2 for FXS or 3 for a modem, each a little-endian
/// word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DevSpecific {
    /// The slot on the card.
    pub slot: PortNumber,
    /// What the slot contains.
    pub kind: LineKind,
}

impl DevSpecific {
    const MARK: [u8; 4] = *b"RNGB";

    /// The bytes as they stand in the structure.
    pub fn bytes(&self) -> [u8; 12] {
        let kind = (1..).zip(LineKind::ALL).find(|(_, kind)| *kind == self.kind);
        let kind: u32 = kind.map_or(0, |(number, _)| number);
        let mut bytes = [0; 12];
        let words = [Self::MARK, u32::from(self.slot.0).to_le_bytes(), kind.to_le_bytes()];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word);
        }
        bytes
    }

    /// Reads the bytes back; `None` if they are another provider's.
    pub fn read(bytes: &[u8]) -> Option<DevSpecific> {
        let word = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied();
        if word(0)? != Self::MARK {
            return None;
        }
        let number = u32::from_le_bytes(word(8)?).checked_sub(1)?;
        let kind = *LineKind::ALL.get(usize::try_from(number).ok()?)?;
        let slot = u8::try_from(u32::from_le_bytes(word(4)?)).ok()?;
        Some(DevSpecific { slot: PortNumber(slot), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_specific_reads_back() {
        let own = DevSpecific { slot: PortNumber(3), kind: LineKind::Fxs };
        for kind in LineKind::ALL {
            let own = DevSpecific { kind, ..own };
            assert_eq!(DevSpecific::read(&own.bytes()), Some(own));
        }
        assert_eq!(DevSpecific::read(&own.bytes()[..11]), None);
        assert_eq!(DevSpecific::read(b"somebody else's"), None);
        let mut beyond = own.bytes();
        beyond[5] = 1;
        assert_eq!(DevSpecific::read(&beyond), None, "slot 259, which no card has");
    }
}
