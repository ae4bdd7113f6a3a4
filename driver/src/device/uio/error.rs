//! Why a UIO device can't be used, in words that say what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::device::confinement::PARAMETER;
use crate::device::sysfs::SysfsError;

/// A UIO device that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UioError {
    /// No UIO device has this number.
    #[error(
        "there is no /dev/uio{number}; UIO devices now: {there}. Load the card's module \
         (modprobe ringback) or bind the card to a UIO driver"
    )]
    NoDevice {
        /// The number asked for.
        number: u32,
        /// The UIO devices that exist, as a list in words.
        there: String,
    },
    /// An attribute that is not what it should be.
    #[error(transparent)]
    Sysfs(#[from] SysfsError),
    /// No permission to open the device file.
    #[error(
        "no permission to open {}: run as root, or {}",
        path.display(),
        group_access(path, name)
    )]
    Permission {
        /// The device file, `/dev/uioN`.
        path: PathBuf,
        /// The UIO device's name.
        name: String,
    },
    /// Ringback's module refuses: no IOMMU confines the card, and this process lacks CAP_SYS_RAWIO.
    #[error(
        "the module does not give us {}: no IOMMU confines the card, so a program that has it can \
         read and write all memory of the machine. If all who may open the file may do that: as \
         root write \"options ringback {PARAMETER}=1\" into /etc/modprobe.d/ringback.conf, and for \
         now echo 1 > /sys/module/ringback/parameters/{PARAMETER}. Or run as root (CAP_SYS_RAWIO)",
        path.display()
    )]
    Unconfined {
        /// The device file, `/dev/uioN`.
        path: PathBuf,
    },
    /// Another program has the device, and its driver gives it to one at a time.
    #[error("{} is in use by another program (another ringback?): close that", .0.display())]
    Busy(PathBuf),
    /// The card behind the device file was removed, or does not answer.
    #[error(
        "the card behind {} is gone, or does not answer: seat it (with the power off, unless the \
         slot is made for hot-plug); the kernel looks again after echo 1 > {remove}, and then \
         echo 1 > /sys/bus/pci/rescan", path.display()
    )]
    Gone {
        /// The device file, `/dev/uioN`.
        path: PathBuf,
        /// The attribute that makes the kernel forget the card.
        remove: String,
    },
    /// The device file can't be opened.
    #[error(
        "can't open {}: {source} (in a container, the device file has to be passed in)",
        path.display()
    )]
    Open {
        /// The device file, `/dev/uioN`.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The path is not a device file; mapping it would end the process at the first access.
    #[error(
        "{} is no UIO device, but an ordinary file: remove it, and have udev make the device file \
         (udevadm trigger; in a container, the device has to be passed in)", .0.display()
    )]
    NotADevice(PathBuf),
    /// The UIO driver shows no map of registers.
    #[error(
        "the UIO driver {name:?} offers no registers to map; for uio_pci_generic that takes a \
         newer kernel, or use the card through vfio-pci"
    )]
    NoMaps {
        /// The UIO device's name.
        name: String,
    },
    /// A map that is too small for the card's driver.
    #[error(
        "map {index} of the UIO device has {have} bytes, this card needs {need}: is it the right \
         device?"
    )]
    MapTooSmall {
        /// The map's number, N of `/sys/class/uio/uioX/maps/mapN`.
        index: u32,
        /// Its size in bytes.
        have: u64,
        /// What is needed in bytes.
        need: usize,
    },
    /// No memory for the card to master.
    #[error(
        "the UIO driver {name:?} offers no DMA memory, which this card needs; use the ringback \
         module or vfio-pci"
    )]
    NoDma {
        /// The UIO device's name.
        name: String,
    },
    /// Memory that a 32-bit card can't reach.
    #[error(
        "the DMA memory is at {address:#x}, and this card reaches only addresses below 4 GiB; the \
         UIO driver has to allocate it with a 32-bit DMA mask"
    )]
    DmaTooHigh {
        /// Its address on the bus.
        address: u64,
    },
    /// `mmap(2)` failed.
    #[error("can't map map {index} of {}: {source}", path.display())]
    Map {
        /// The map's number, N of `/sys/class/uio/uioX/maps/mapN`.
        index: u32,
        /// The device file, `/dev/uioN`.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The configuration space by which uio_pci_generic's interrupt is re-enabled can't be opened.
    #[error(
        "can't open {}, which re-enables the card's interrupt: {source} (it takes root)",
        path.display()
    )]
    Config {
        /// The PCI configuration space.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
}

/// How others than root get a device file.
fn group_access(path: &Path, name: &str) -> String {
    if name == "ringback" {
        return "join the group ringback, to which the module's udev rules (60-ringback.rules) give \
                the file"
            .to_owned();
    }
    // A name with other characters could inject more into a udev rule, and is left out.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    let which = match path.file_name().and_then(|file| file.to_str()) {
        Some(file) if !name.chars().all(plain) => format!("KERNEL==\"{file}\""),
        _ => format!("ATTR{{name}}==\"{name}\""),
    };
    format!(
        "let udev give the file to a group of yours, e.g. in /etc/udev/rules.d/61-uio.rules: \
         SUBSYSTEM==\"uio\", {which}, GROUP=\"dialout\", MODE=\"0660\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_to_copy_holds_nothing_but_a_name() {
        let rule = |name: &str| {
            let path = PathBuf::from("/dev/uio3");
            UioError::Permission { path, name: name.to_owned() }.to_string()
        };
        assert!(rule("uio_dummy").contains("ATTR{name}==\"uio_dummy\""));
        let hostile = rule("x\", RUN+=\"/bin/sh");
        assert!(hostile.contains("KERNEL==\"uio3\"") && !hostile.contains("RUN"), "{hostile}");
    }
}
