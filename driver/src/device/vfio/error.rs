//! Why a card can't be used through VFIO, in words that say what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::device::pci::PciAddress;

/// A card that can't be used through VFIO.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VfioError {
    /// No such PCI function or mediated device.
    #[error(
        "there is no {0} in this machine (lspci -D and /sys/bus/mdev/devices show what there is)"
    )]
    NoDevice(String),
    /// The PCI function has another driver, or none.
    #[error(
        "{address} is bound to {driver}, not to vfio-pci; as root: modprobe vfio-pci; \
         ringback device bind {address} --to vfio-pci"
    )]
    NotBound {
        /// The PCI function's address.
        address: PciAddress,
        /// Its driver, or `no driver`.
        driver: String,
    },
    /// The device is in no IOMMU group.
    #[error(
        "{0} is in no IOMMU group; switch the IOMMU on in the firmware (VT-d, AMD-Vi) and with the \
         kernel argument intel_iommu=on or amd_iommu=on (for a mediated device: load its driver \
         and vfio_iommu_type1)"
    )]
    NoGroup(String),
    /// Other devices of the group belong to other drivers.
    #[error(
        "the card shares IOMMU group {group} with {others}; the whole group must leave its \
         drivers: bind those to vfio-pci too, or move the card to another slot"
    )]
    NotViable {
        /// The IOMMU group's number.
        group: String,
        /// The devices in the way, each with its driver.
        others: String,
    },
    /// VFIO is not loaded.
    #[error("there is no {}; load VFIO: modprobe vfio-pci vfio_iommu_type1", .0.display())]
    NotLoaded(PathBuf),
    /// No permission for a device file of VFIO.
    #[error(
        "no permission to open {}: run as root, or give the file to a group of yours with a udev \
         rule, e.g. SUBSYSTEM==\"vfio\", GROUP=\"dialout\", MODE=\"0660\"",
        .0.display()
    )]
    Permission(PathBuf),
    /// Another program has the group.
    #[error(
        "{} is in use by another program (a virtual machine, another ringback?): close that",
        .0.display()
    )]
    Busy(PathBuf),
    /// A device file of VFIO can't be opened.
    #[error("can't open {}: {source}", path.display())]
    Open {
        /// The device file below `/dev/vfio`.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The container has an interface version that this program does not know.
    #[error(
        "this kernel's VFIO has no type 1 IOMMU (interface version {version}): modprobe \
         vfio_iommu_type1"
    )]
    NoType1 {
        /// The interface's version; 0 is the one that there is.
        version: i32,
    },
    /// The platform can't keep a card from sending interrupt messages of its own making.
    #[error(
        "this machine has no interrupt remapping, and VFIO refuses cards without it; switch it on \
         in the firmware (VT-d, AMD-Vi), or, if you trust the card: \
         modprobe vfio_iommu_type1 allow_unsafe_interrupts=1"
    )]
    NoInterruptRemapping,
    /// No register window that is large enough.
    #[error(
        "the card's largest register window has {have} bytes, {need} are needed: is it the right \
         device?"
    )]
    RegionTooSmall {
        /// Size of the largest window in bytes.
        have: u64,
        /// What is needed in bytes.
        need: usize,
    },
    /// Neither INTx nor MSI.
    #[error(
        "the card has no interrupt that VFIO can deliver (is it switched off in the firmware?)"
    )]
    NoInterrupt,
    /// INTx without PCI 2.3 interrupt disable on a line that others use.
    #[error(
        "the card's interrupt line{irq} is shared with {others}, and the card has no PCI 2.3 \
         interrupt disable, so VFIO can't share it: move the card to another slot, or unbind the \
         others' drivers, or use the ringback module, which can share the line"
    )]
    InterruptShared {
        /// The line's number, after a space; empty where it is not known.
        irq: String,
        /// Who else uses the line.
        others: String,
    },
    /// No room for DMA memory.
    #[error(
        "the IOMMU has no free range of {need} bytes below 4 GiB, which is all the card reaches \
         (it allows {ranges})"
    )]
    NoIova {
        /// Bytes of DMA memory that the card needs.
        need: usize,
        /// What the IOMMU allows.
        ranges: String,
    },
    /// The memory lock limit is too low to pin DMA memory.
    #[error(
        "the DMA memory can't be locked: raise the limit of locked memory (ulimit -l, \
         LimitMEMLOCK=): {0}"
    )]
    MemoryLock(#[source] io::Error),
    /// Any other system call.
    #[error("can't {what}: {source}")]
    System {
        /// What the call was for, to be read after "can't".
        what: &'static str,
        /// The error of the system call.
        source: io::Error,
    },
}

impl VfioError {
    /// Names what a failed system call was for.
    pub(super) fn system(what: &'static str) -> impl FnOnce(io::Error) -> VfioError {
        move |source| VfioError::System { what, source }
    }
}
