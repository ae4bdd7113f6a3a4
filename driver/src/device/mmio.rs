//! Registers and DMA memory that are mapped into this process.
//!
//! Each access is one volatile load or store of exactly the given width, checked against the
//! window. A write to DMA memory is visible to the card before the register write that follows it,
//! and what the card wrote before a register was read is visible to the driver after that read. x86
//! keeps this order by itself; the fences make the compiler and other processors keep it.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{Ordering, fence};

use memmap2::{MmapOptions, MmapRaw};

use super::{DmaMemory, Registers, reaches};

/// The type of one access: it has no padding, and every bit pattern is a valid value.
trait Word: Copy {}
impl Word for u8 {}
impl Word for u32 {}

/// Part of a device file, mapped for reading and writing.
///
/// # Rules
/// The mapping is as long as `skip + len` at least, and lives as long as this value. A device that
/// is pulled out reads as all ones.
#[derive(Debug)]
struct MappedWindow {
    map: MmapRaw,
    /// Bytes between the start of the mapping, which is a page's start, and the window's.
    skip: usize,
    len: usize,
}

impl MappedWindow {
    fn new(file: impl AsFd, offset: u64, skip: usize, len: usize) -> io::Result<MappedWindow> {
        let whole = skip.checked_add(len).ok_or(io::ErrorKind::InvalidInput)?;
        let file = file.as_fd().as_raw_fd();
        // The pages are populated now, because the first access to a page raises SIGBUS if the
        // device is gone by then.
        let map = MmapOptions::new().offset(offset).len(whole).populate().map_raw(file)?;
        Ok(MappedWindow { map, skip, len })
    }

    fn anonymous(len: usize) -> io::Result<MappedWindow> {
        let map = MmapRaw::from(MmapOptions::new().len(len).map_anon()?);
        Ok(MappedWindow { map, skip: 0, len })
    }

    /// The address of a `T` wholly inside the window and aligned; `None` for any other.
    fn at<T: Word>(&self, offset: usize) -> Option<*mut T> {
        if !reaches(self.len, offset, size_of::<T>()) {
            return None;
        }
        let address = self.map.as_mut_ptr().wrapping_add(self.skip + offset).cast::<T>();
        address.is_aligned().then_some(address)
    }

    fn read<T: Word>(&self, offset: usize) -> Option<T> {
        let address = self.at::<T>(offset)?;
        // SAFETY: `at` guarantees an aligned address inside the mapping, which lives as long as
        // `self`; every bit pattern is a value of a Word.
        Some(unsafe { address.read_volatile() })
    }

    fn write<T: Word>(&self, offset: usize, value: T) {
        if let Some(address) = self.at::<T>(offset) {
            // SAFETY: `at` guarantees an aligned address inside the writable mapping; no reference
            // into it is ever made.
            unsafe { address.write_volatile(value) }
        }
    }
}

/// A mapped register window.
#[derive(Debug)]
pub struct MappedRegisters {
    window: MappedWindow,
}

impl MappedRegisters {
    /// Maps `len` bytes of registers that begin `skip` bytes after the page at `offset` of a
    /// device file.
    ///
    /// # Errors
    /// The error of `mmap(2)`.
    pub fn new(file: impl AsFd, offset: u64, skip: usize, len: usize) -> io::Result<Self> {
        Ok(MappedRegisters { window: MappedWindow::new(file, offset, skip, len)? })
    }
}

impl Registers for MappedRegisters {
    fn len(&self) -> usize {
        self.window.len
    }

    fn read8(&self, offset: usize) -> u8 {
        let value = self.window.read(offset).unwrap_or(u8::MAX);
        fence(Ordering::Acquire);
        value
    }

    fn write8(&self, offset: usize, value: u8) {
        fence(Ordering::Release);
        self.window.write(offset, value);
    }

    fn read32(&self, offset: usize) -> u32 {
        let value = self.window.read(offset).map_or(u32::MAX, u32::from_le);
        fence(Ordering::Acquire);
        value
    }

    fn write32(&self, offset: usize, value: u32) {
        fence(Ordering::Release);
        self.window.write(offset, value.to_le());
    }
}

/// A mapped block of memory that the card reaches by itself.
#[derive(Debug)]
pub struct MappedMemory {
    window: MappedWindow,
    bus_address: u64,
}

impl MappedMemory {
    /// Maps `len` bytes that begin `skip` bytes after the page at `offset` of a device file; the
    /// card reaches the first of them at `bus_address`.
    ///
    /// # Errors
    /// The error of `mmap(2)`.
    pub fn new(
        file: impl AsFd,
        offset: u64,
        skip: usize,
        len: usize,
        bus_address: u64,
    ) -> io::Result<Self> {
        Ok(MappedMemory { window: MappedWindow::new(file, offset, skip, len)?, bus_address })
    }

    /// Fresh zeroed memory of `len` bytes, for the kernel to make reachable at `bus_address`.
    ///
    /// # Errors
    /// The error of `mmap(2)`.
    pub fn anonymous(len: usize, bus_address: u64) -> io::Result<Self> {
        Ok(MappedMemory { window: MappedWindow::anonymous(len)?, bus_address })
    }

    /// Where the memory is in this process.
    pub fn address(&self) -> *mut u8 {
        self.window.map.as_mut_ptr().wrapping_add(self.window.skip)
    }
}

impl DmaMemory for MappedMemory {
    fn len(&self) -> usize {
        self.window.len
    }

    fn bus_address(&self) -> u64 {
        self.bus_address
    }

    fn read32(&self, offset: usize) -> u32 {
        self.window.read(offset).map_or(0, u32::from_le)
    }

    fn write32(&self, offset: usize, value: u32) {
        self.window.write(offset, value.to_le());
    }
}

/// Size of a page of memory in bytes.
pub fn page_size() -> usize {
    // SAFETY: sysconf takes no pointers.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    const PAGE: usize = 4096;

    fn file(pages: usize) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len((pages * PAGE) as u64).unwrap();
        file
    }

    fn bytes(file: &File, at: u64) -> [u8; 4] {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, at).unwrap();
        bytes
    }

    #[test]
    fn accesses_are_little_endian_at_the_page_and_the_offset_in_it() {
        let file = file(3);
        let registers = MappedRegisters::new(&file, PAGE as u64, 0x100, 0x40).unwrap();
        assert_eq!(registers.len(), 0x40);
        registers.write32(0x3C, 0x1122_3344);
        registers.write8(1, 0xAB);
        assert_eq!(bytes(&file, 0x1100), [0, 0xAB, 0, 0]);
        assert_eq!(bytes(&file, 0x113C), [0x44, 0x33, 0x22, 0x11]);
        assert_eq!(registers.read8(0x3F), 0x11);
        assert_eq!(registers.read32(0), 0x0000_AB00);
    }

    #[test]
    fn outside_the_window_reads_all_ones_and_writes_are_dropped() {
        let file = file(1);
        let registers = MappedRegisters::new(&file, 0, 0, 0x42).unwrap();
        for offset in [0x42, 0x43, PAGE, PAGE * 4, usize::MAX] {
            registers.write8(offset, 1);
            assert_eq!(registers.read8(offset), u8::MAX);
        }
        for offset in [0x40, 0x44, 1, 2, usize::MAX, usize::MAX - 3] {
            registers.write32(offset, 1);
            assert_eq!(registers.read32(offset), u32::MAX);
        }
        let mut whole = [0; PAGE];
        file.read_exact_at(&mut whole, 0).unwrap();
        assert_eq!(whole, [0; PAGE]);
    }

    #[test]
    fn a_window_that_is_oddly_placed_allows_only_aligned_accesses() {
        let file = file(1);
        let registers = MappedRegisters::new(&file, 0, 2, 0x40).unwrap();
        registers.write32(0, 1);
        assert_eq!(registers.read32(0), u32::MAX);
        registers.write8(0, 7);
        assert_eq!(bytes(&file, 0), [0, 0, 7, 0]);
    }

    #[test]
    fn an_impossible_length_is_an_error_and_none_is_an_empty_window() {
        let file = file(1);
        assert!(MappedRegisters::new(&file, 0, 1, usize::MAX).is_err());
        assert!(MappedRegisters::new(&file, 0, 0, usize::MAX / 2).is_err());
        assert_eq!(MappedRegisters::new(&file, 0, 0, 0).unwrap().read8(0), u8::MAX);
    }

    #[test]
    fn memory_is_shared_word_by_word() {
        let file = file(2);
        let memory = MappedMemory::new(&file, PAGE as u64, 0, 128, 0x1000_0000).unwrap();
        assert_eq!((memory.len(), memory.bus_address()), (128, 0x1000_0000));
        memory.write32(124, 0xA1B2_C3D4);
        assert_eq!(bytes(&file, PAGE as u64 + 124), [0xD4, 0xC3, 0xB2, 0xA1]);
        file.write_all_at(&[1, 2, 3, 4], PAGE as u64).unwrap();
        assert_eq!(memory.read32(0), 0x0403_0201);
        memory.write32(128, 5);
        assert_eq!(memory.read32(128), 0, "outside of the window");
    }

    #[test]
    fn anonymous_memory_starts_zeroed() {
        let memory = MappedMemory::anonymous(PAGE, 0x4000).unwrap();
        assert!((0..PAGE / 4).all(|word| memory.read32(word * 4) == 0));
        memory.write32(8, 9);
        assert_eq!(memory.read32(8), 9);
        assert_eq!(memory.address() as usize % PAGE, 0);
    }
}
