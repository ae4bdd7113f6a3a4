//! Fills a structure in the caller's memory.
//!
//! The memory has dwTotalSize bytes, of which not one more is touched (V1). Items of the variable
//! part go directly behind the fixed part of the negotiated version, one after the other (B3, V7).
//! An item that does not fit is left out whole: its Size and Offset stay 0 and dwNeededSize counts
//! it nevertheless (V6). That is a success; the caller sees it from dwNeededSize > dwTotalSize
//! (V8).

use std::marker::PhantomData;

use super::layout::{ByProvider, Given, Item, Member, Owner, Returned, Structure};
use super::wire::{Wire, utf16, write_bytes};
use crate::error::LineError;
use crate::types::Version;

const NEEDED: usize = 4;
const USED: usize = 8;

/// Fills one structure of type `S`. The size words are right after every step.
///
/// ```
/// use ringback_tspi::structs::{LINECALLSTATUS, Writer};
/// use ringback_tspi::types::Version;
///
/// let mut memory = [0; 56];
/// memory[..4].copy_from_slice(&56u32.to_le_bytes()); // dwTotalSize
/// let mut status = Writer::<LINECALLSTATUS>::new(&mut memory, Version::V3_1)?;
/// status.set(LINECALLSTATUS::dwCallState, 0x100);
/// # Ok::<(), ringback_tspi::error::LineError>(())
/// ```
#[derive(Debug)]
pub struct Writer<'a, S> {
    memory: &'a mut [u8],
    fixed: usize,
    used: usize,
    needed: usize,
    marker: PhantomData<fn() -> S>,
}

impl<'a, S: Returned> Writer<'a, S> {
    /// Starts on the caller's memory, whose first word is dwTotalSize. Sets every member of the
    /// provider's to 0 and leaves those of TAPI as they are (B4).
    ///
    /// # Errors
    /// STRUCTURETOOSMALL if dwTotalSize does not cover the fixed part of this version, or says
    /// more than the memory has.
    pub fn new(memory: &'a mut [u8], version: Version) -> Result<Writer<'a, S>, LineError> {
        let fixed = S::LAYOUT.fixed_size(version);
        let total = u32::read(memory).and_then(|total| usize::try_from(total).ok());
        let memory = total
            .filter(|total| *total >= fixed)
            .and_then(|total| memory.get_mut(..total))
            .ok_or(LineError::STRUCTURETOOSMALL)?;
        for row in S::LAYOUT.rows {
            // dwTotalSize is the caller's; the two other size words are written below.
            if row.offset > 0
                && row.owner != Owner::Tapi
                && row.offset + row.size <= fixed
                && let Some(bytes) = memory.get_mut(row.offset..row.offset + row.size)
            {
                bytes.fill(0);
            }
        }
        let mut writer = Writer { memory, fixed, used: fixed, needed: fixed, marker: PhantomData };
        writer.write_sizes();
        Ok(writer)
    }

    /// Sets a member. One that the negotiated version does not have yet is left out.
    pub fn set<T: Wire>(&mut self, member: Member<S, T, ByProvider>, value: T) -> &mut Self {
        set_in(self.memory, self.fixed, member.offset(), value);
        self
    }

    /// Adds an item, at most once each. An empty one stays Size=Offset=0 (V10).
    pub fn item(&mut self, item: Item<S, ByProvider>, bytes: &[u8]) -> &mut Self {
        // The pair itself is part of the fixed part of newer versions only.
        if bytes.is_empty() || item.offset() + 8 > self.fixed {
            return self;
        }
        self.needed = self.needed.saturating_add(bytes.len());
        let end = self.used.saturating_add(bytes.len());
        let pair = u32::try_from(bytes.len()).ok().zip(u32::try_from(self.used).ok());
        if let (Some((size, offset)), Some(space)) = (pair, self.memory.get_mut(self.used..end)) {
            space.copy_from_slice(bytes);
            set_in(self.memory, self.fixed, item.offset(), size);
            set_in(self.memory, self.fixed, item.offset() + 4, offset);
            self.used = end;
        }
        self.write_sizes();
        self
    }

    /// Adds a string as UTF-16 with terminator (B6, V11). An empty one stays Size=Offset=0.
    pub fn string(&mut self, item: Item<S, ByProvider>, text: &str) -> &mut Self {
        if text.is_empty() { self } else { self.item(item, &utf16(text)) }
    }

    /// Adds a list of strings, each with its terminator, and one more terminator at the end.
    pub fn strings(&mut self, item: Item<S, ByProvider>, texts: &[&str]) -> &mut Self {
        let mut bytes: Vec<u8> =
            texts.iter().filter(|text| !text.is_empty()).flat_map(|text| utf16(text)).collect();
        if !bytes.is_empty() {
            bytes.extend([0, 0]);
        }
        self.item(item, &bytes)
    }

    /// Adds an array of records.
    pub fn records<T: Wire>(&mut self, item: Item<S, ByProvider>, records: &[T]) -> &mut Self {
        let mut bytes = vec![0; records.len().saturating_mul(T::SIZE)];
        for (space, record) in bytes.chunks_exact_mut(T::SIZE).zip(records) {
            record.write(space);
        }
        self.item(item, &bytes)
    }

    /// Adds an array of numbers with names: for each one an entry of the number and the Size and
    /// Offset of its name, which counts from the start of the structure (V12). The names follow the
    /// array. If not everything fits, nothing is added.
    pub fn named(&mut self, item: Item<S, ByProvider>, entries: &[(u32, &str)]) -> &mut Self {
        const ENTRY: usize = 12;
        let array = entries.len().saturating_mul(ENTRY);
        let (mut bytes, mut names) = (Vec::new(), Vec::new());
        for (number, name) in entries {
            let name = utf16(name);
            let offset = self.used.saturating_add(array).saturating_add(names.len());
            let words = [*number, word(name.len()), word(offset)];
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
            names.extend(name);
        }
        bytes.extend(names);
        let before = self.used;
        self.item(item, &bytes);
        if self.used > before {
            set_in(self.memory, self.fixed, item.offset(), word(array));
        }
        self
    }

    /// How many bytes everything takes (dwNeededSize).
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// How many bytes are written (dwUsedSize).
    pub const fn used(&self) -> usize {
        self.used
    }

    fn write_sizes(&mut self) {
        set_in(self.memory, self.fixed, NEEDED, word(self.needed));
        set_in(self.memory, self.fixed, USED, word(self.used));
    }
}

/// A size as a structure has it.
fn word(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// Writes a value into the fixed part, if it lies wholly inside.
fn set_in<T: Wire>(memory: &mut [u8], fixed: usize, offset: usize, value: T) {
    if let Some(space) = memory.get_mut(offset..fixed) {
        value.write(space);
    }
}

/// Builds a structure that is handed to a provider, in memory of its own.
#[derive(Debug, Clone)]
pub struct Builder<S> {
    bytes: Vec<u8>,
    fixed: usize,
    marker: PhantomData<fn() -> S>,
}

impl<S: Given> Builder<S> {
    /// An all-zero structure of this version, dwTotalSize set.
    pub fn new(version: Version) -> Builder<S> {
        let fixed = S::LAYOUT.fixed_size(version);
        let mut builder = Builder { bytes: vec![0; fixed], fixed, marker: PhantomData };
        builder.write_total();
        builder
    }

    /// Sets a member. One that the version does not have yet is left out.
    pub fn set<T: Wire>(mut self, member: Member<S, T>, value: T) -> Builder<S> {
        set_in(&mut self.bytes, self.fixed, member.offset(), value);
        self
    }

    /// Adds an item. An empty one stays Size=Offset=0.
    pub fn item(mut self, item: Item<S>, bytes: &[u8]) -> Builder<S> {
        let pair = u32::try_from(bytes.len()).ok().zip(u32::try_from(self.bytes.len()).ok());
        if let Some((size, offset)) = pair
            && size > 0
            && item.offset() + 8 <= self.fixed
        {
            set_in(&mut self.bytes, self.fixed, item.offset(), size);
            set_in(&mut self.bytes, self.fixed, item.offset() + 4, offset);
            self.bytes.extend_from_slice(bytes);
            self.write_total();
        }
        self
    }

    /// Adds a string as UTF-16 with terminator (B6). An empty one stays Size=Offset=0.
    pub fn string(self, item: Item<S>, text: &str) -> Builder<S> {
        if text.is_empty() { self } else { self.item(item, &utf16(text)) }
    }

    /// The structure as bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn write_total(&mut self) {
        let total = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        write_bytes(&mut self.bytes, &total.to_le_bytes());
    }
}

/// Memory for a structure that a provider will fill: `total` bytes (at least the fixed part of the
/// newest version), all zero but dwTotalSize.
pub fn blank<S: Structure>(total: usize) -> Vec<u8> {
    let total = u32::try_from(total.max(S::LAYOUT.size())).unwrap_or(u32::MAX);
    let mut bytes = vec![0; usize::try_from(total).unwrap_or(usize::MAX)];
    write_bytes(&mut bytes, &total.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests;
