//! Where below 4 GiB the IOMMU lets a card reach memory.
//!
//! The IOMMU says which addresses it translates, in the capability chain behind
//! `vfio_iommu_type1_info`; in between are holes, e.g. where interrupts are written to.

use std::ops::RangeInclusive;

use vfio_bindings::bindings::vfio::{
    VFIO_IOMMU_INFO_CAPS, VFIO_IOMMU_INFO_PGSIZES, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
};

/// The last address that a 32-bit bus master reaches.
const LAST: u64 = u32::MAX as u64;

/// Lower addresses are left free: a card that masters with address 0 by mistake should find
/// nothing.
const FIRST: u64 = 0x10_0000;

/// What an IOMMU says about itself.
#[derive(Debug, PartialEq, Eq)]
pub struct IommuInfo {
    /// Its smallest page in bytes; 0 where it does not say.
    pub page: u64,
    /// The addresses it translates, first and last; `None` where it does not say.
    pub ranges: Option<Vec<RangeInclusive<u64>>>,
}

impl IommuInfo {
    /// Reads `vfio_iommu_type1_info` and what follows it.
    ///
    /// The kernel is trusted, but the capability chain is bounds-checked anyway: nothing is read
    /// outside of `bytes`, and a chain that runs in circles ends.
    pub fn parse(bytes: &[u8]) -> IommuInfo {
        let word = |at: usize| {
            let bytes = bytes.get(at..at.checked_add(4)?)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        let long = |at: usize| {
            let bytes = bytes.get(at..at.checked_add(8)?)?;
            Some(u64::from_ne_bytes(bytes.try_into().ok()?))
        };
        let flags = word(4).unwrap_or(0);
        let mut info = IommuInfo { page: 0, ranges: None };
        if flags & VFIO_IOMMU_INFO_PGSIZES != 0 {
            let sizes = long(8).unwrap_or(0);
            info.page = sizes & sizes.wrapping_neg();
        }
        let mut at = if flags & VFIO_IOMMU_INFO_CAPS != 0 { word(16).unwrap_or(0) } else { 0 };
        // A header is 8 bytes: id and version of 16 bits each, then where the next one is.
        for _ in 0..bytes.len() / 8 {
            let header = at as usize;
            let (Some(id), Some(next)) = (word(header), word(header.saturating_add(4))) else {
                break;
            };
            if at == 0 {
                break;
            }
            // The id is the first half in memory.
            let [low, high, ..] = id.to_ne_bytes();
            if u32::from(u16::from_ne_bytes([low, high])) == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE {
                let count = word(header.saturating_add(8)).unwrap_or(0);
                let first = header.saturating_add(16);
                let range = |n: usize| {
                    let start = first.checked_add(n.checked_mul(16)?)?;
                    Some(long(start)?..=long(start.checked_add(8)?)?)
                };
                info.ranges = Some((0..count as usize).map_while(range).collect());
            }
            at = next;
        }
        info
    }

    /// The lowest address for `size` bytes that lies in one range, on a boundary of `align` (a
    /// power of two), between 1 MiB and 4 GiB.
    pub fn place(&self, size: u64, align: u64) -> Option<u64> {
        let everywhere = [0..=LAST];
        let ranges = self.ranges.as_deref().unwrap_or(&everywhere);
        let fit = ranges.iter().filter_map(|range| {
            let start = (*range.start()).max(FIRST).checked_next_multiple_of(align)?;
            let last = start.checked_add(size.checked_sub(1)?)?;
            (last <= LAST && last <= *range.end()).then_some(start)
        });
        fit.min()
    }

    /// The ranges for a person.
    pub fn shown(&self) -> String {
        match self.ranges.as_deref() {
            None => "any".to_owned(),
            Some([]) => "none".to_owned(),
            Some(ranges) => {
                let shown: Vec<String> =
                    ranges.iter().map(|r| format!("{:#x}-{:#x}", r.start(), r.end())).collect();
                shown.join(", ")
            }
        }
    }
}

/// `vfio_iommu_type1_info` as a kernel would write it, for tests.
#[cfg(test)]
pub fn made_up(page_sizes: u64, capabilities: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    let mut bytes = Vec::new();
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(page_sizes.to_ne_bytes());
    bytes.extend(if capabilities.is_empty() { 0_u32 } else { 24 }.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    for (n, (id, body)) in capabilities.iter().enumerate() {
        let next = bytes.len() + 8 + body.len();
        let last = n + 1 == capabilities.len();
        bytes.extend(id.to_ne_bytes());
        bytes.extend(1_u16.to_ne_bytes());
        bytes.extend(if last { 0 } else { next as u32 }.to_ne_bytes());
        bytes.extend(body);
    }
    let size = bytes.len() as u32;
    bytes[..4].copy_from_slice(&size.to_ne_bytes());
    bytes
}

/// The IOVA-range capability, for tests.
#[cfg(test)]
pub fn made_up_ranges(ranges: &[(u64, u64)]) -> (u16, Vec<u8>) {
    let mut body = Vec::new();
    body.extend((ranges.len() as u32).to_ne_bytes());
    body.extend(0_u32.to_ne_bytes());
    for (first, last) in ranges {
        body.extend(first.to_ne_bytes());
        body.extend(last.to_ne_bytes());
    }
    (VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE as u16, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const X86: [(u64, u64); 2] = [(0, 0xFEDF_FFFF), (0xFEF0_0000, 0x7F_FFFF_FFFF)];

    #[test]
    fn ranges_are_found_among_other_capabilities() {
        let other = (2, vec![0; 24]);
        let bytes =
            made_up(0x4000_1000 << 12 | 0x1000, &[other.clone(), made_up_ranges(&X86), other]);
        let info = IommuInfo::parse(&bytes);
        assert_eq!(info.page, 0x1000);
        assert_eq!(info.ranges, Some(vec![0..=0xFEDF_FFFF, 0xFEF0_0000..=0x7F_FFFF_FFFF]));
        assert_eq!(info.shown(), "0x0-0xfedfffff, 0xfef00000-0x7fffffffff");
    }

    #[test]
    fn an_iommu_that_says_nothing_allows_everything() {
        for bytes in [vec![], vec![0; 3], vec![0; 24], made_up(0, &[])] {
            let info = IommuInfo::parse(&bytes);
            assert_eq!(info, IommuInfo { page: 0, ranges: None });
            assert_eq!(info.place(0x1000, 0x1000), Some(FIRST));
            assert_eq!(info.shown(), "any");
        }
    }

    #[test]
    fn broken_chains_end() {
        let mut circle = made_up(0x1000, &[(2, vec![0; 8]), made_up_ranges(&X86)]);
        // The second capability points back at the first.
        circle[44..48].copy_from_slice(&24_u32.to_ne_bytes());
        assert_eq!(IommuInfo::parse(&circle).ranges.map(|ranges| ranges.len()), Some(2));

        let mut outside = made_up(0x1000, &[made_up_ranges(&X86)]);
        outside[16..20].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(IommuInfo::parse(&outside).ranges, None);

        let mut endless = made_up(0x1000, &[made_up_ranges(&X86)]);
        endless[32..36].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert_eq!(IommuInfo::parse(&endless).ranges.map(|ranges| ranges.len()), Some(2));

        let whole = made_up(0x1000, &[made_up_ranges(&X86)]);
        for length in 0..whole.len() {
            let ranges = IommuInfo::parse(&whole[..length]).ranges.unwrap_or_default();
            assert!(ranges.len() < 2, "{length} bytes");
        }
    }

    #[test]
    fn a_place_is_in_one_range_aligned_and_below_4_gib() {
        let of = |ranges: &[(u64, u64)]| IommuInfo {
            page: 0x1000,
            ranges: Some(ranges.iter().map(|&(first, last)| first..=last).collect()),
        };
        assert_eq!(of(&X86).place(0x1000, 0x1000), Some(0x10_0000));
        assert_eq!(of(&X86).place(0x1_0000_0000, 0x1000), None, "not below 4 GiB");
        assert_eq!(of(&[(0x1_0000_0000, u64::MAX)]).place(0x1000, 0x1000), None);
        assert_eq!(of(&[(0, 0xF_FFFF)]).place(0x1000, 0x1000), None, "below 1 MiB");
        assert_eq!(of(&[]).place(0x1000, 0x1000), None);
        assert_eq!(of(&[]).shown(), "none");
        let late = of(&[(0xFFFF_F000, u64::MAX), (0x8000_0800, 0x8000_2FFF)]);
        assert_eq!(late.place(0x1000, 0x1000), Some(0x8000_1000));
        assert_eq!(late.place(0x2000, 0x1000), Some(0x8000_1000));
        assert_eq!(late.place(0x3000, 0x1000), None);
        assert_eq!(of(&[(0xFFFF_F000, u64::MAX)]).place(0x1000, 0x1000), Some(0xFFFF_F000));
        assert_eq!(of(&[(0xFFFF_F001, u64::MAX)]).place(0x1000, 0x1000), None);
        assert_eq!(of(&X86).place(0, 0x1000), None);
    }
}
