//! The card's regions as VFIO numbers them, and access to them.
//!
//! Rule: an access of any length is split into aligned cycles of a 32-bit bus.

use super::refusal::Refusal;
use crate::SoftCard;

/// The number of regions of a PCI device: six BARs, the ROM, configuration space, VGA.
pub(super) const COUNT: u32 = 9;
const BAR1: u32 = 1;
const CONFIG: u32 = 7;

/// The regions that the card has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Bar1,
    Config,
}

impl Region {
    /// Returns the region with this index; `None` if the card does not have it, which is a region
    /// of size 0.
    ///
    /// # Errors
    /// The index is too large.
    pub(super) fn at(index: u32) -> Result<Option<Region>, Refusal> {
        match index {
            BAR1 => Ok(Some(Region::Bar1)),
            CONFIG => Ok(Some(Region::Config)),
            0..COUNT => Ok(None),
            _ => Err(Refusal::invalid("there is no region of this index")),
        }
    }

    pub(super) fn size(self) -> u32 {
        match self {
            Region::Bar1 => crate::board::WINDOW,
            Region::Config => crate::config_space::SIZE,
        }
    }

    /// Returns the offset if `count` bytes from there on are in the region.
    fn inside(self, offset: u64, count: usize) -> Result<u32, Refusal> {
        let end = u64::try_from(count).ok().and_then(|count| offset.checked_add(count));
        match u32::try_from(offset) {
            Ok(offset) if end.is_some_and(|end| end <= u64::from(self.size())) => Ok(offset),
            _ => Err(Refusal::invalid("the access is outside the region")),
        }
    }

    pub(super) fn read(
        self,
        card: &SoftCard,
        offset: u64,
        count: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let mut at = self.inside(offset, count)?;
        let mut data = Vec::with_capacity(count);
        while data.len() < count {
            let width = cycle(at, count - data.len());
            let value = match self {
                Region::Bar1 => card.read(at, width),
                Region::Config => card.config_read(at, width),
            };
            data.extend(value.to_le_bytes().iter().take(width as usize));
            at += width;
        }
        Ok(data)
    }

    pub(super) fn write(
        self,
        card: &SoftCard,
        offset: u64,
        mut data: &[u8],
    ) -> Result<(), Refusal> {
        let mut at = self.inside(offset, data.len())?;
        while !data.is_empty() {
            let width = cycle(at, data.len());
            let (bytes, rest) = data.split_at(width as usize);
            let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
            match self {
                Region::Bar1 => card.write(at, width, value),
                Region::Config => card.config_write(at, width, value),
            }
            at += width;
            data = rest;
        }
        Ok(())
    }
}

/// Returns how many bytes the next cycle transfers: 1, 2 or 4, never more than are left.
fn cycle(offset: u32, left: usize) -> u32 {
    match left {
        4.. if offset.is_multiple_of(4) => 4,
        2.. if offset.is_multiple_of(2) => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CardConfig;

    #[test]
    fn only_bar1_and_the_configuration_space_are_there() {
        for index in 0..COUNT {
            let size = Region::at(index).unwrap().map(Region::size);
            let expected = match index {
                1 => Some(0x1000),
                7 => Some(0x100),
                _ => None,
            };
            assert_eq!(size, expected, "region {index}");
        }
        assert!(Region::at(COUNT).is_err() && Region::at(u32::MAX).is_err());
    }

    #[test]
    fn long_and_odd_accesses_are_split() {
        let card = SoftCard::new(CardConfig::default());
        let ring: Vec<u8> = (0x10..0x1C).collect();
        Region::Bar1.write(&card, 0x08, &ring).unwrap();
        assert_eq!(card.read(0x0C, 4), 0x1716_1514);
        assert_eq!(Region::Bar1.read(&card, 0x08, 12), Ok(ring));
        Region::Bar1.write(&card, 0x09, &[0xA1, 0xA2, 0xA3, 0xA4, 0xA5]).unwrap();
        assert_eq!(Region::Bar1.read(&card, 0x09, 5), Ok(vec![0xA1, 0xA2, 0xA3, 0xA4, 0xA5]));
        assert_eq!(Region::Config.read(&card, 1, 3), Ok(vec![0xE1, 0x01, 0x00]));
        assert_eq!(Region::Config.read(&card, 0, 0), Ok(vec![]));
    }

    #[test]
    fn accesses_outside_are_refused() {
        let card = SoftCard::new(CardConfig::default());
        for (region, size) in [(Region::Bar1, 0x1000), (Region::Config, 0x100)] {
            assert!(region.read(&card, size - 1, 1).is_ok());
            for (offset, count) in [(size, 1), (size - 1, 2), (0, 0x1001), (u64::MAX, 1)] {
                assert!(region.read(&card, offset, count).is_err(), "{offset:#x} {count}");
            }
            assert!(region.read(&card, 1 << 32, 1).is_err());
            assert!(region.write(&card, size - 2, &[0; 4]).is_err());
        }
    }
}
