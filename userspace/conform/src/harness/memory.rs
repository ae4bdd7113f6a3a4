//! Memory that detects accesses that a provider must not make.
//!
//! Each piece has pages of its own, and ends at the start of a guard page without access. Input is
//! protected when its function has returned (B1); a write behind an output hits the guard page
//! (B4). A fault in such a page is recorded, the page is made accessible, and the provider
//! continues, so that one mistake does not end the run. Any other fault ends the process as it
//! would without this module.

use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{SysconfVar, sysconf};

/// The size of a page in bytes. Stored here because the signal handler can't call sysconf.
static PAGE: AtomicUsize = AtomicUsize::new(0x1000);

fn page() -> usize {
    PAGE.load(SeqCst)
}

/// How many pieces are watched in one run; later ones are not.
const WATCHED: usize = 4096;

/// The byte with which output memory is filled before a provider writes to it.
pub(super) const POISON: u8 = 0xA5;

/// A range of addresses in which a fault is a finding.
struct Region {
    start: AtomicUsize,
    end: AtomicUsize,
    /// The address that was used; 0 as long as none was.
    used: AtomicUsize,
}

static REGIONS: [Region; WATCHED] = [const {
    Region { start: AtomicUsize::new(0), end: AtomicUsize::new(0), used: AtomicUsize::new(0) }
}; WATCHED];
static REGION_COUNT: AtomicUsize = AtomicUsize::new(0);

/// A watched range; it is watched until the process ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    index: usize,
    start: usize,
}

impl Watched {
    fn new(start: usize, end: usize) -> Option<Watched> {
        let index = REGION_COUNT.fetch_add(1, SeqCst);
        let region = REGIONS.get(index)?;
        region.end.store(end, SeqCst);
        region.start.store(start, SeqCst);
        Some(Watched { index, start })
    }

    /// The offset of the first access in bytes; `None` if there was none.
    pub fn used(&self) -> Option<u64> {
        match REGIONS[self.index].used.load(SeqCst) {
            0 => None,
            at => Some((at - self.start) as u64),
        }
    }
}

/// A piece of memory. It is never given back, because a provider may keep its address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    base: *mut u8,
    /// Bytes from `base` to the guard page.
    pages: usize,
    size: usize,
}

// SAFETY: the memory belongs to no thread; it is read as bytes, for which every value is valid.
unsafe impl Send for Piece {}

impl Piece {
    /// A piece of so many bytes, with this in it.
    pub fn new(content: &[u8]) -> io::Result<Piece> {
        let size = content.len();
        let pages = size.max(1).next_multiple_of(page());
        let length = NonZeroUsize::new(pages + page()).ok_or(io::ErrorKind::OutOfMemory)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a fresh anonymous mapping overlaps nothing.
        let base = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_PRIVATE) }?;
        let piece = Piece { base: base.as_ptr().cast(), pages, size };
        protect(piece.base.wrapping_add(pages), page(), libc::PROT_NONE);
        // SAFETY: the mapping has at least so many bytes before its last page, and no other thread
        // has it yet.
        unsafe { ptr::copy_nonoverlapping(content.as_ptr(), piece.at(), size) };
        Ok(piece)
    }

    /// Where it begins.
    pub fn at(&self) -> *mut u8 {
        self.base.wrapping_add(self.pages - self.size)
    }

    /// What is in it now.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size];
        // SAFETY: the mapping lives as long as the process; a provider that writes at the same time
        // only changes the bytes that are copied, to which no reference exists.
        unsafe { ptr::copy(self.at(), bytes.as_mut_ptr(), self.size) };
        bytes
    }

    /// Protects the memory: from now on an access to it is a finding.
    pub fn take_away(&self) -> Option<Watched> {
        let start = self.at() as usize;
        let watched = Watched::new(start, self.base as usize + self.pages)?;
        protect(self.base, self.pages, libc::PROT_NONE);
        Some(watched)
    }

    /// Makes an access to the guard page behind it a finding.
    pub fn watch_behind(&self) -> Option<Watched> {
        let end = self.base as usize + self.pages;
        Watched::new(end, end + page())
    }
}

fn protect(at: *mut u8, size: usize, access: i32) {
    // SAFETY: `at` and `size` are whole pages of a mapping of this module's. It is called in a
    // signal handler too, so it is the system call and nothing around it.
    unsafe { libc::mprotect(at.cast(), size, access) };
}

/// Notes faults from now on.
///
/// # Errors
/// Those of sigaction.
pub(super) fn watch_faults() -> io::Result<()> {
    if let Some(size) = sysconf(SysconfVar::PAGE_SIZE)? {
        PAGE.store(usize::try_from(size).map_err(io::Error::other)?, SeqCst);
    }
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let action = SigAction::new(SigHandler::SigAction(fault), flags, SigSet::empty());
    // SAFETY: the handler is async-signal-safe: it uses atomics and two system calls.
    unsafe { sigaction(Signal::SIGSEGV, &action) }?;
    Ok(())
}

extern "C" fn fault(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands over the information of this fault, for as long as this runs.
    let Some(info) = (unsafe { info.as_ref() }) else { return };
    // SAFETY: the information of SIGSEGV has an address.
    let at = unsafe { info.si_addr() } as usize;
    let count = REGION_COUNT.load(SeqCst).min(WATCHED);
    for region in REGIONS.iter().take(count) {
        let (start, end) = (region.start.load(SeqCst), region.end.load(SeqCst));
        // The bytes before the piece in its first page are forbidden, too.
        let first = start & !(page() - 1);
        if start != 0 && (first..end).contains(&at) {
            let _ = region.used.compare_exchange(0, at.max(start), SeqCst, SeqCst);
            let start_of_page = ptr::with_exposed_provenance_mut(at & !(page() - 1));
            protect(start_of_page, page(), libc::PROT_READ | libc::PROT_WRITE);
            return;
        }
    }
    // With the default action restored, the instruction faults again and ends the process.
    let default = libc::SIG_DFL;
    // SAFETY: signal is async-signal-safe.
    unsafe { libc::signal(libc::SIGSEGV, default) };
}
