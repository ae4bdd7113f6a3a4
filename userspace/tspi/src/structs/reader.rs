//! Reads a structure from memory that came from outside.
//!
//! Everything is checked before anything is read: dwTotalSize against the memory, every Offset and
//! Size against dwTotalSize. Odd addresses are fine (P6). A structure of an older version, shorter
//! than the negotiated one, is accepted; the members it lacks read as 0.

use std::marker::PhantomData;

use super::layout::{Item, Member, Row, Structure};
use super::wire::{Wire, from_utf16};
use crate::types::Version;

/// Why memory does not hold a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// dwTotalSize does not cover the fixed part of any version.
    #[error(
        "{structure} has a dwTotalSize of {total}, too small for its fixed part of {fixed} bytes"
    )]
    TooSmall {
        /// The structure's name in C.
        structure: &'static str,
        /// Its dwTotalSize, in bytes.
        total: usize,
        /// The smallest size any version has.
        fixed: usize,
    },
    /// dwTotalSize says more than there is.
    #[error("{structure} has a dwTotalSize of {total}, but only {memory} bytes are there")]
    Truncated {
        /// The structure's name in C.
        structure: &'static str,
        /// Its dwTotalSize, in bytes.
        total: usize,
        /// How many bytes there are.
        memory: usize,
    },
    /// An item overlaps the fixed part or reaches beyond dwTotalSize.
    #[error(
        "{structure}: {item} has Size {size} and Offset {offset}, which is not inside the variable \
         part of a structure of {total} bytes"
    )]
    ItemOutside {
        /// The structure's name in C.
        structure: &'static str,
        /// What the names of the pair have in common, e.g. `dwCallerID`.
        item: &'static str,
        /// The item's Size, in bytes.
        size: u32,
        /// The item's Offset from the start of the structure, in bytes.
        offset: u32,
        /// The structure's dwTotalSize, in bytes.
        total: usize,
    },
}

/// A structure of type `S` whose sizes and offsets are valid.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a, S> {
    bytes: &'a [u8],
    fixed: usize,
    marker: PhantomData<fn() -> S>,
}

impl<'a, S: Structure> Reader<'a, S> {
    /// Checks the structure at the front of `memory`, of this version or an older one.
    ///
    /// # Errors
    /// [`Malformed`] says what does not fit.
    pub fn new(memory: &'a [u8], version: Version) -> Result<Reader<'a, S>, Malformed> {
        let layout = S::LAYOUT;
        let smallest = layout.sizes.first().map_or(0, |(_, size)| *size);
        let total = u32::read(memory).unwrap_or(0);
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let bytes = memory.get(..total).ok_or(Malformed::Truncated {
            structure: layout.name,
            total,
            memory: memory.len(),
        })?;
        // A program built for an older version puts its items where a newer one has members, so the
        // version is the newest one into which no item reaches.
        let mut wrong = Malformed::TooSmall { structure: layout.name, total, fixed: smallest };
        let sizes = layout.sizes.iter().rev().filter(|(since, _)| *since <= version);
        for (_, fixed) in sizes.filter(|(_, fixed)| *fixed <= total) {
            let rows = layout.rows.iter();
            match rows.filter_map(|row| outside::<S>(bytes, row, *fixed)).next() {
                None => return Ok(Reader { bytes, fixed: *fixed, marker: PhantomData }),
                Some(found) => wrong = found,
            }
        }
        Err(wrong)
    }

    /// A member; 0 if the structure is of a version that does not have it.
    pub fn get<T: Wire, O>(&self, member: Member<S, T, O>) -> T {
        self.bytes.get(member.offset()..self.fixed).and_then(T::read).unwrap_or_default()
    }

    /// The bytes of an item; empty if there is none.
    pub fn item<O>(&self, item: Item<S, O>) -> &'a [u8] {
        pair(self.bytes, item.offset(), self.fixed)
            .and_then(|(size, offset)| range(self.bytes, size, offset))
            .unwrap_or_default()
    }

    /// A string; `None` for each of the ways to write that there is none (B5).
    pub fn string<O>(&self, item: Item<S, O>) -> Option<String> {
        Some(from_utf16(self.item(item))).filter(|text| !text.is_empty())
    }

    /// Size of the fixed part, in bytes, which shows the version.
    pub const fn fixed_size(&self) -> usize {
        self.fixed
    }
}

/// Size and Offset of an item; `None` if the version has no such pair, or it stands for nothing.
fn pair(bytes: &[u8], at: usize, fixed: usize) -> Option<(u32, u32)> {
    let words = bytes.get(at..fixed)?;
    let size = u32::read(words)?;
    let offset = u32::read(words.get(4..)?)?;
    (size > 0).then_some((size, offset))
}

/// The bytes of an item; `None` if it reaches beyond the structure.
fn range(bytes: &[u8], size: u32, offset: u32) -> Option<&[u8]> {
    let offset = usize::try_from(offset).ok()?;
    let end = offset.checked_add(usize::try_from(size).ok()?)?;
    bytes.get(offset..end)
}

/// What is wrong with an item, if anything, when the fixed part has this size.
fn outside<S: Structure>(bytes: &[u8], row: &Row, fixed: usize) -> Option<Malformed> {
    if row.kind != "ITEM" {
        return None;
    }
    let (size, offset) = pair(bytes, row.offset, fixed)?;
    let behind = usize::try_from(offset).is_ok_and(|offset| offset >= fixed);
    if behind && range(bytes, size, offset).is_some() {
        return None;
    }
    Some(Malformed::ItemOutside {
        structure: S::LAYOUT.name,
        item: row.name,
        size,
        offset,
        total: bytes.len(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::structs::{Builder, LINECALLINFO, LINECALLPARAMS, LINEDIALPARAMS};

    fn built(version: Version) -> Vec<u8> {
        Builder::<LINECALLPARAMS>::new(version)
            .set(LINECALLPARAMS::dwBearerMode, 1)
            .set(LINECALLPARAMS::dwAddressType, 1)
            .set(
                LINECALLPARAMS::DialParams,
                LINEDIALPARAMS { dial_pause: 2000, ..LINEDIALPARAMS::default() },
            )
            .string(LINECALLPARAMS::dwCalledParty, "Müller")
            .item(LINECALLPARAMS::dwUserUserInfo, &[1, 2, 3])
            .string(LINECALLPARAMS::dwTargetAddress, "200")
            .finish()
    }

    #[test]
    fn what_was_built_is_read() {
        let bytes = built(Version::V3_1);
        let params = Reader::<LINECALLPARAMS>::new(&bytes, Version::V3_1).unwrap();
        assert_eq!(params.fixed_size(), 180);
        assert_eq!(params.get(LINECALLPARAMS::dwTotalSize) as usize, bytes.len());
        assert_eq!(params.get(LINECALLPARAMS::dwBearerMode), 1);
        assert_eq!(params.get(LINECALLPARAMS::DialParams).dial_pause, 2000);
        assert_eq!(params.string(LINECALLPARAMS::dwCalledParty).as_deref(), Some("Müller"));
        assert_eq!(params.item(LINECALLPARAMS::dwUserUserInfo), [1, 2, 3]);
        assert_eq!(params.string(LINECALLPARAMS::dwComment), None);
    }

    #[test]
    fn an_odd_address_is_as_good_as_an_even_one_p6() {
        let bytes = built(Version::V3_1);
        let mut memory = vec![0xEE; bytes.len() + 16];
        for shift in 1..8 {
            memory[shift..shift + bytes.len()].copy_from_slice(&bytes);
            let params = Reader::<LINECALLPARAMS>::new(&memory[shift..], Version::V3_1).unwrap();
            // The user-user information has three bytes, so this string is at an odd offset too.
            assert_eq!(params.string(LINECALLPARAMS::dwTargetAddress).as_deref(), Some("200"));
        }
    }

    #[test]
    fn a_structure_of_an_older_version_is_read_as_that() {
        let bytes = built(Version::V2_0);
        let params = Reader::<LINECALLPARAMS>::new(&bytes, Version::V3_1).unwrap();
        assert_eq!(params.fixed_size(), 176, "a called party lies where dwAddressType would be");
        assert_eq!(params.get(LINECALLPARAMS::dwAddressType), 0);
        assert_eq!(params.string(LINECALLPARAMS::dwCalledParty).as_deref(), Some("Müller"));
        let bytes = built(Version::V1_4);
        let params = Reader::<LINECALLPARAMS>::new(&bytes, Version::V3_1).unwrap();
        assert_eq!(params.fixed_size(), 112);
        assert_eq!(params.string(LINECALLPARAMS::dwTargetAddress), None, "not in 1.4");
    }

    #[test]
    fn sizes_are_checked() {
        let bytes = built(Version::V3_1);
        let read = |bytes: &[u8]| Reader::<LINECALLPARAMS>::new(bytes, Version::V3_1).err();
        assert!(matches!(read(&[]), Some(Malformed::TooSmall { total: 0, .. })));
        assert!(matches!(read(&bytes[..100]), Some(Malformed::Truncated { memory: 100, .. })));
        let mut small = bytes.clone();
        small[..4].copy_from_slice(&111u32.to_le_bytes());
        assert!(matches!(read(&small), Some(Malformed::TooSmall { total: 111, fixed: 112, .. })));
        small[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(read(&small), Some(Malformed::Truncated { .. })));
    }

    #[test]
    fn items_stay_inside_the_variable_part() {
        let good = built(Version::V3_1);
        let at = LINECALLPARAMS::dwCalledParty.offset();
        for (size, offset) in [
            (4u32, 0u32),
            (4, 111),
            (1, u32::try_from(good.len()).unwrap()),
            (u32::MAX, 180),
            (2, u32::MAX),
            (u32::MAX, u32::MAX),
        ] {
            let mut bad = good.clone();
            bad[at..at + 4].copy_from_slice(&size.to_le_bytes());
            bad[at + 4..at + 8].copy_from_slice(&offset.to_le_bytes());
            let wrong = Reader::<LINECALLPARAMS>::new(&bad, Version::V3_1).unwrap_err();
            assert!(
                matches!(wrong, Malformed::ItemOutside { item: "dwCalledParty", .. }),
                "{size} at {offset}: {wrong}"
            );
        }
        // Size 0 stands for nothing, wherever it points (B5).
        let mut none = good;
        none[at..at + 4].copy_from_slice(&0u32.to_le_bytes());
        none[at + 4..at + 8].copy_from_slice(&u32::MAX.to_le_bytes());
        let params = Reader::<LINECALLPARAMS>::new(&none, Version::V3_1).unwrap();
        assert_eq!(params.string(LINECALLPARAMS::dwCalledParty), None);
    }

    proptest! {
        #[test]
        fn hostile_memory_never_panics(
            mut bytes in prop::collection::vec(any::<u8>(), 0..700),
            total in prop_oneof![any::<u32>(), 0u32..800],
            small in any::<bool>(),
        ) {
            if let Some(word) = bytes.get_mut(..4) {
                word.copy_from_slice(&total.to_le_bytes());
            }
            if small {
                // Small words make valid pairs likely.
                for word in bytes.chunks_exact_mut(4).skip(1) {
                    word.copy_from_slice(&(u32::from(word[0]) * 2).to_le_bytes());
                }
            }
            for version in Version::ALL {
                if let Ok(params) = Reader::<LINECALLPARAMS>::new(&bytes, version) {
                    let _ = params.string(LINECALLPARAMS::dwOrigAddress);
                    prop_assert!(params.item(LINECALLPARAMS::dwCallData).len() <= bytes.len());
                }
                if let Ok(info) = Reader::<LINECALLINFO>::new(&bytes, version) {
                    let _ = info.string(LINECALLINFO::dwAppName);
                    let _ = info.get(LINECALLINFO::DialParams);
                }
            }
        }
    }
}
