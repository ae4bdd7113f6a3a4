//! Guest memory for the card's bus master: the mappings that the client has made for DMA.
//!
//! Rule: when an unmapping has returned, no access to that memory is under way.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, RwLock, Weak};

use ringback_request::sync::EvenPoisoned;
use rustix::fs::{fcntl_getfl, fstatfs};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::refusal::Refusal;
use crate::HostMemory;

/// The most mappings that can be valid at a time; the protocol's default for clients.
const MAX_MAPPINGS: usize = 65535;
/// The most different files behind mappings. A virtual machine has one for each memory device.
const MAX_FILES: usize = 256;
/// `f_type` of files on huge pages, which can be mapped and read but not written.
const HUGETLBFS: u64 = 0x9584_58F6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) readable: bool,
    pub(super) writable: bool,
}

#[derive(Debug)]
struct Mapping {
    /// The address after the last byte. An end of 2^64 is refused, as a 32-bit card can't reach it.
    end: u64,
    access: Access,
    /// The file, and the mapping's offset in it; `None` for memory without a descriptor (ROM, other
    /// devices), which this card can't reach.
    backing: Option<(Arc<File>, u64)>,
    /// The offset in the file where writing ends: a write beyond the limit of file sizes (ulimit
    /// -f) raises a signal that ends the process.
    limit: u64,
}

/// Identifies a file and how it was opened, to find descriptors of the same one.
type FileKey = (u64, u64, u32);

#[derive(Debug, Default)]
struct Table {
    mappings: BTreeMap<u64, Mapping>,
    /// A client passes a descriptor with each mapping, usually of the same file. Only one of each
    /// file is kept, because a client behind an IOMMU could use up the descriptors of the process
    /// otherwise.
    files: HashMap<FileKey, Weak<File>>,
}

/// The guest's memory.
#[derive(Debug, Default)]
pub(super) struct GuestMemory(RwLock<Table>);

impl GuestMemory {
    /// Maps `size` bytes at the bus address `start` to those at `offset` of the descriptor's file.
    pub(super) fn map(
        &self,
        start: u64,
        size: u64,
        access: Access,
        descriptor: Option<OwnedFd>,
        offset: u64,
    ) -> Result<(), Refusal> {
        let end = match start.checked_add(size) {
            Some(end) if size > 0 => end,
            _ => return Err(Refusal::invalid("a DMA mapping of no size, or beyond all addresses")),
        };
        if offset.checked_add(size).is_none_or(|end| i64::try_from(end).is_err()) {
            return Err(Refusal::invalid("a DMA mapping beyond the end of all files"));
        }
        let mut table = self.0.write().even_poisoned();
        if table.overlaps(start, end) {
            return Err(Refusal::new(Errno::EXIST, "a DMA mapping over another one"));
        }
        if table.mappings.len() >= MAX_MAPPINGS {
            return Err(Refusal::new(Errno::NOSPC, "more DMA mappings than there is room for"));
        }
        let file = descriptor.map_or(Ok(None), |descriptor| table.file(descriptor))?;
        let backing = file.map(|file| (file, offset));
        let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
        if backing.is_some() && limit < offset + size {
            tracing::warn!(
                "the card can't write guest memory beyond the limit of file sizes, {limit} bytes; \
                 raise it (ulimit -f unlimited, LimitFSIZE=infinity)"
            );
        }
        table.mappings.insert(start, Mapping { end, access, backing, limit });
        Ok(())
    }

    /// Unmaps all mappings in the range, however many there are. The kernel's own VFIO does the
    /// same, and a client behind an IOMMU needs it.
    ///
    /// # Errors
    /// The range contains only a part of a mapping.
    pub(super) fn unmap(&self, start: u64, size: u64) -> Result<(), Refusal> {
        let Some(end) = start.checked_add(size) else {
            return Err(Refusal::invalid("an unmapping beyond all addresses"));
        };
        let mut table = self.0.write().even_poisoned();
        let inside = |at: u64, mapping: &Mapping| start <= at && mapping.end <= end;
        if table.touching(start, end).any(|(at, mapping)| !inside(*at, mapping)) {
            return Err(Refusal::invalid("an unmapping of a part of a mapping"));
        }
        table.mappings.retain(|at, mapping| !inside(*at, mapping));
        table.files.retain(|_, file| file.strong_count() > 0);
        Ok(())
    }

    /// Unmaps everything.
    pub(super) fn clear(&self) {
        *self.0.write().even_poisoned() = Table::default();
    }

    /// Calls `cycle` with the file, the offset of the word at `address`, and the end of writing, if
    /// the mapping allows the access.
    fn cycle<T>(
        &self,
        address: u32,
        allowed: impl FnOnce(Access) -> bool,
        cycle: impl FnOnce(&File, u64, u64) -> Option<T>,
    ) -> Option<T> {
        let table = self.0.read().even_poisoned();
        let address = u64::from(address);
        let (start, mapping) = table.mappings.range(..=address).next_back()?;
        if address + 4 > mapping.end || !allowed(mapping.access) {
            return None;
        }
        let (file, offset) = mapping.backing.as_ref()?;
        cycle(file, offset + (address - start), mapping.limit)
    }
}

impl Table {
    /// The mappings that overlap the range.
    fn touching(&self, start: u64, end: u64) -> impl Iterator<Item = (&u64, &Mapping)> {
        self.mappings.range(..end).rev().take_while(move |(_, mapping)| mapping.end > start)
    }

    fn overlaps(&self, start: u64, end: u64) -> bool {
        self.touching(start, end).next().is_some()
    }

    /// Returns the file to use for a descriptor; `None` if the descriptor is not of memory.
    fn file(&mut self, descriptor: OwnedFd) -> Result<Option<Arc<File>>, Refusal> {
        let file = File::from(descriptor);
        let (Ok(metadata), Ok(mode)) = (file.metadata(), fcntl_getfl(&file)) else {
            return Ok(None);
        };
        if !metadata.is_file() {
            return Ok(None);
        }
        if fstatfs(&file).is_ok_and(|fs| fs.f_type.cast_unsigned() == HUGETLBFS) {
            tracing::warn!(
                "the guest's memory is on huge pages, which the card can't reach; \
                 give the machine memory-backend-memfd without hugetlb"
            );
            return Ok(None);
        }
        let key = (metadata.dev(), metadata.ino(), mode.bits());
        if let Some(known) = self.files.get(&key).and_then(Weak::upgrade) {
            return Ok(Some(known));
        }
        if self.files.len() >= MAX_FILES {
            return Err(Refusal::new(Errno::NOSPC, "DMA mappings of too many files"));
        }
        let file = Arc::new(file);
        self.files.insert(key, Arc::downgrade(&file));
        Ok(Some(file))
    }
}

impl HostMemory for GuestMemory {
    fn read32(&self, bus_address: u32) -> Option<u32> {
        self.cycle(
            bus_address,
            |access| access.readable,
            |file, offset, _| {
                let mut word = [0; 4];
                file.read_exact_at(&mut word, offset).ok()?;
                Some(u32::from_le_bytes(word))
            },
        )
    }

    fn write32(&self, bus_address: u32, value: u32) -> bool {
        let written = self.cycle(
            bus_address,
            |access| access.writable,
            |file, offset, limit| {
                let inside = offset + 4 <= limit;
                inside.then(|| file.write_all_at(&value.to_le_bytes(), offset).ok())?
            },
        );
        written.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::fs::{MemfdFlags, memfd_create};

    use super::*;

    const BOTH: Access = Access { readable: true, writable: true };

    /// A file of `size` bytes, each word of which holds its own offset.
    fn file(size: u32) -> File {
        let file = File::from(memfd_create("guest", MemfdFlags::CLOEXEC).unwrap());
        for offset in (0..size).step_by(4) {
            file.write_all_at(&offset.to_le_bytes(), u64::from(offset)).unwrap();
        }
        file
    }

    fn descriptor(file: &File) -> Option<OwnedFd> {
        Some(file.try_clone().unwrap().into())
    }

    #[test]
    fn a_mapping_is_reached_in_its_bounds_and_by_its_rights() {
        let (memory, guest) = (GuestMemory::default(), file(0x4000));
        let only_read = Access { readable: true, writable: false };
        let only_write = Access { readable: false, writable: true };
        memory.map(0x1000, 0x1000, BOTH, descriptor(&guest), 0x2000).unwrap();
        memory.map(0x8000, 0x1000, only_read, descriptor(&guest), 0).unwrap();
        memory.map(0x9000, 0x1000, only_write, descriptor(&guest), 0).unwrap();
        assert_eq!(memory.read32(0x1000), Some(0x2000));
        assert_eq!(memory.read32(0x1FFC), Some(0x2FFC));
        assert_eq!(memory.read32(0x0FFC), None);
        assert_eq!(memory.read32(0x1FFD), None, "half outside");
        assert_eq!(memory.read32(0x2000), None);
        assert!(memory.write32(0x1004, 0xAABB_CCDD));
        assert!(memory.write32(0x9004, 0x1234_5678));
        assert!(!memory.write32(0x8000, 0) && memory.read32(0x9000).is_none());
        assert_eq!(memory.read32(0x8004), Some(0x1234_5678), "two views of one file");
        let mut word = [0; 4];
        guest.read_exact_at(&mut word, 0x2004).unwrap();
        assert_eq!(word, [0xDD, 0xCC, 0xBB, 0xAA]);
    }

    #[test]
    fn one_descriptor_is_kept_of_each_file() {
        let (memory, guest) = (GuestMemory::default(), file(0x1000));
        for page in 0..100 {
            memory.map(page << 12, 0x1000, BOTH, descriptor(&guest), 0).unwrap();
        }
        assert_eq!(memory.0.read().unwrap().files.len(), 1);
        assert_eq!(memory.read32(99 << 12 | 8), Some(8));
        memory.unmap(0, 100 << 12).unwrap();
        assert_eq!(memory.0.read().unwrap().files.len(), 0);
    }

    #[test]
    fn there_is_an_end_to_the_number_of_files() {
        let memory = GuestMemory::default();
        for page in 0..=MAX_FILES as u64 {
            let mapped = memory.map(page << 12, 0x1000, BOTH, descriptor(&file(0)), 0);
            assert_eq!(mapped.is_ok(), page < MAX_FILES as u64);
        }
        memory.unmap(0, 0x1000).unwrap();
        assert!(memory.map(0, 0x1000, BOTH, descriptor(&file(0)), 0).is_ok());
    }

    #[test]
    fn memory_without_a_usable_descriptor_is_mapped_and_not_reached() {
        let memory = GuestMemory::default();
        let (pipe, _other_end) = std::io::pipe().unwrap();
        memory.map(0, 0x1000, BOTH, None, 0).unwrap();
        memory.map(0x1000, 0x1000, BOTH, Some(pipe.into()), 0).unwrap();
        for address in [0, 0x1000] {
            assert_eq!(memory.read32(address), None);
            assert!(!memory.write32(address, 1));
        }
    }

    #[test]
    fn memory_that_a_client_has_truncated_does_not_answer() {
        let (memory, guest) = (GuestMemory::default(), file(0x2000));
        memory.map(0, 0x2000, BOTH, descriptor(&guest), 0).unwrap();
        guest.set_len(0x1002).unwrap();
        assert_eq!(memory.read32(0xFFC), Some(0xFFC));
        assert_eq!(memory.read32(0x1000), None);
        assert_eq!(memory.read32(0x1FFC), None);
    }

    #[test]
    fn memory_beyond_the_limit_of_file_sizes_does_not_answer_and_ends_nothing() {
        const NAME: &str = "vfio_user::memory::tests::\
                            memory_beyond_the_limit_of_file_sizes_does_not_answer_and_ends_nothing";
        if std::env::var_os("RINGBACK_LIMITED").is_none() {
            // A child process, because the limit and the signal affect a whole process.
            let mut child = std::process::Command::new("prlimit");
            child.arg("--fsize=4096").arg(std::env::current_exe().unwrap());
            let child = child.args([NAME, "--exact"]).env("RINGBACK_LIMITED", "");
            let ended = child.stdin(file(0x2000)).output().unwrap();
            assert!(ended.status.success(), "{ended:?}");
            assert!(String::from_utf8_lossy(&ended.stdout).contains("1 passed"), "{ended:?}");
            return;
        }
        let guest = File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
        let memory = GuestMemory::default();
        memory.map(0, 0x2000, BOTH, descriptor(&guest), 0).unwrap();
        assert!(memory.write32(0xFFC, 1));
        assert!(!memory.write32(0x1000, 1) && !memory.write32(0xFFE, 1));
        assert_eq!(memory.read32(0x1FFC), Some(0x1FFC));
    }

    #[test]
    fn impossible_mappings_are_refused_and_overlapping_ones_too() {
        let memory = GuestMemory::default();
        let map = |start, size, offset| memory.map(start, size, BOTH, None, offset).is_ok();
        assert!(!map(0, 0, 0) && !map(u64::MAX, 1, 0) && !map(1, u64::MAX, 0));
        assert!(!map(0, 0x1000, u64::MAX) && !map(0, 0x1000, i64::MAX as u64));
        assert!(map(0x1000, 0x1000, 0));
        for (start, size) in [(0x1000, 0x1000), (0, 0x1001), (0x1FFF, 1), (0, 1 << 40)] {
            let refusal = memory.map(start, size, BOTH, None, 0).unwrap_err();
            assert_eq!(refusal.errno(), Errno::EXIST.raw_os_error() as u32);
        }
        assert!(map(0, 0x1000, 0) && map(0x2000, 0x1000, 0));
    }

    #[test]
    fn whole_mappings_are_unmapped_and_never_parts() {
        let (memory, guest) = (GuestMemory::default(), file(0x3000));
        for page in 1..4_u64 {
            memory.map(page << 12, 0x1000, BOTH, descriptor(&guest), 0).unwrap();
        }
        for (start, size) in [(0x1800, 0x1000), (0x1000, 0x800), (0x3FFF, 0x10), (0x2001, 0x3000)] {
            assert!(memory.unmap(start, size).is_err(), "{start:#x} {size:#x}");
        }
        assert!(memory.unmap(u64::MAX, 2).is_err());
        assert_eq!(memory.read32(0x1000), Some(0), "a refusal changed nothing");
        memory.unmap(0x2000, 0x1000).unwrap();
        assert_eq!(memory.read32(0x2000), None);
        memory.unmap(0x2000, 0x1000).unwrap();
        memory.unmap(0, 1 << 32).unwrap();
        assert_eq!((memory.read32(0x1000), memory.read32(0x3000)), (None, None));
    }

    #[test]
    fn there_is_an_end_to_the_number_of_mappings() {
        let memory = GuestMemory::default();
        for page in 0..MAX_MAPPINGS as u64 {
            memory.map(page << 12, 0x1000, BOTH, None, 0).unwrap();
        }
        assert!(memory.map(1 << 40, 0x1000, BOTH, None, 0).is_err());
        memory.clear();
        assert!(memory.map(1 << 40, 0x1000, BOTH, None, 0).is_ok());
    }
}
