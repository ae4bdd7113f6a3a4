//! Where a card's registers, DMA memory and interrupt come from.
//!
//! All access to a card through the operating system is here: mappings, ioctls, volatile access and
//! the ring's submissions. It is the only module of the driver with `unsafe`, and nothing in it
//! knows what a register means. The code above is generic over [`Device`], and does not know
//! through which kind of device it uses a card.

pub mod bind;
pub mod confinement;
pub mod discover;
pub(crate) mod fork;
pub(crate) mod in_use;
mod interrupt;
mod kind;
pub mod mmio;
pub mod pci;
pub mod ring;
pub(crate) mod scheduling;
#[cfg(test)]
pub(crate) mod seccomp;
pub mod selector;
pub mod shim;
pub mod soft;
pub mod sysfs;
pub mod trace;
pub mod uio;
pub mod vfio;

use crate::PortNumber;
use std::io;
use std::os::fd::OwnedFd;

pub use interrupt::{InterruptFd, InterruptFileError, InterruptSize};
pub use kind::{Description, Kind};
pub use trace::NotedAccess;

/// A window of device registers, little-endian, addressed by byte offset.
///
/// Offsets are checked: an access that does not lie wholly inside the window is not made; it reads
/// as all ones, which is also what an absent PCI device returns. Reads may have side effects, so no
/// implementation caches, merges or repeats an access.
pub trait Registers: Send {
    /// Size of the window in bytes.
    fn len(&self) -> usize;
    /// Whether the window is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Reads 8 bits in one bus access.
    fn read8(&self, offset: usize) -> u8;
    /// Writes 8 bits in one bus access.
    fn write8(&self, offset: usize, value: u8);
    /// One 32-bit read; `offset` is a multiple of 4.
    fn read32(&self, offset: usize) -> u32;
    /// One 32-bit write; `offset` is a multiple of 4.
    fn write32(&self, offset: usize, value: u32);
    /// Takes note of what the last accesses meant together; a device that is [traced](trace)
    /// records it, any other does nothing.
    fn note(&self, access: NotedAccess) {
        let _ = access;
    }
}

/// A block of memory that the card reaches by itself (bus master), in 32-bit words.
///
/// Accesses are volatile and checked: outside the block a read gives 0 and a write is dropped.
pub trait DmaMemory: Send {
    /// The window's size in bytes.
    fn len(&self) -> usize;
    /// Whether the block is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The address by which the card reaches the first byte.
    fn bus_address(&self) -> u64;
    /// One 32-bit read at a byte offset that is a multiple of 4.
    fn read32(&self, offset: usize) -> u32;
    /// One 32-bit write at a byte offset that is a multiple of 4.
    fn write32(&self, offset: usize, value: u32);
}

/// The file of a port whose samples the kernel moves, for the reaper's ring: READs give what came
/// in, a WRITE completes when its last sample was played. Not O_NONBLOCK.
#[derive(Debug)]
pub struct PortFile {
    /// The port's number on the card.
    pub port: PortNumber,
    /// Character device with the port's samples, for READ and WRITE.
    pub fd: OwnedFd,
}

/// The files of a card that the reaper reads and writes.
#[derive(Debug, Default)]
pub struct Files {
    /// The interrupt, where userspace serves it.
    pub interrupt: Option<InterruptFd>,
    /// The ports whose samples the kernel moves.
    pub ports: Vec<PortFile>,
}

impl From<Option<InterruptFd>> for Files {
    fn from(interrupt: Option<InterruptFd>) -> Files {
        Files { interrupt, ports: Vec::new() }
    }
}

/// One card, as this process can use it through the operating system.
pub trait Device: Send + 'static {
    /// How the device's registers are accessed.
    type Registers: Registers;
    /// The DMA memory that the card accesses.
    type Dma: DmaMemory;

    /// The short name by which it was selected (`soft`, `uio:/dev/uio0`, `pci:0000:05:00.0`).
    fn name(&self) -> &str;
    /// The window of the registers that the card needs.
    fn registers(&self) -> &Self::Registers;
    /// The memory the card masters; `None` where the device has none.
    fn dma(&self) -> Option<&Self::Dma>;
    /// A duplicate of the interrupt file, for the reaper.
    ///
    /// # Errors
    /// The error of `dup(2)`, or of enabling the interrupt.
    fn interrupt(&self) -> io::Result<InterruptFd>;
    /// Whether the kernel serves the interrupt and moves the samples of the card's ports
    /// ([`Device::files`] has theirs). Userspace then never waits for the interrupt.
    fn kernel_moves_samples(&self) -> bool {
        false
    }
    /// Whether the kernel's handler acknowledges the card's interrupt, so that the card's status no
    /// longer shows it when userspace learns of it. A device that masks the interrupt instead
    /// (VFIO, uio_pci_generic) leaves that to userspace.
    fn kernel_acknowledges(&self) -> bool {
        false
    }
    /// What the reaper has to read and write: the interrupt, or the ports.
    ///
    /// # Errors
    /// Those of [`Device::interrupt`].
    fn files(&self) -> io::Result<Files> {
        Ok(Some(self.interrupt()?).into())
    }
    /// Unmasks the interrupt, if the device masks it each time it fires (UIO `irqcontrol`, VFIO
    /// UNMASK).
    ///
    /// # Errors
    /// The error of the system call; the card can't be used any more.
    fn rearm(&self) -> io::Result<()>;
    /// Lets the card reach memory by itself (PCI bus master), e.g. again after a master abort.
    ///
    /// # Errors
    /// The error of the configuration-space write.
    fn enable_bus_master(&self) -> io::Result<()>;
}

/// What a driver needs of a device to drive its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The register window has at least so many bytes.
    pub registers: usize,
    /// So many bytes of memory that the card masters, below 4 GiB on the bus; 0 for none.
    pub dma: usize,
    /// Whether message-signalled interrupts may be used, if card and device have them.
    pub msi: bool,
}

/// Whether an aligned access of `width` bytes at `offset` lies wholly inside `len` bytes.
fn reaches(len: usize, offset: usize, width: usize) -> bool {
    offset.is_multiple_of(width) && offset.checked_add(width).is_some_and(|end| end <= len)
}
