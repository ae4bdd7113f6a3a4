//! Cards under the `ringback` module, whose samples the module moves.
//!
//! Registers, DMA memory and safety are those of the UIO device (see `uio`). The samples of slot N
//! of card C are read from and written to `/dev/ringbackCpN`: while that file is open the module
//! moves them in its interrupt handler, so that no program has to run in every millisecond. The
//! module then handles the interrupt alone, and userspace does not wait for it.
//!
//! The same card can also be used as a plain UIO device, where userspace handles each interrupt and
//! moves the samples.

use crate::PortNumber;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use thiserror::Error;

use super::mmio::{MappedMemory, MappedRegisters};
use super::selector::{Selector, uio_number};
use super::sysfs::SysfsRoot;
use super::uio::{UioDevice, UioError, UioInfo};
use super::{Device, Files, InterruptFd, Needs, PortFile};

/// The module's name, and what the names of its files begin with.
pub(super) const MODULE: &str = "ringback";

/// A card whose samples can't be had from the module.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ShimError {
    /// Its UIO device can't be used.
    #[error(transparent)]
    Uio(#[from] UioError),
    /// It is not a card of the module.
    #[error(
        "/dev/uio{number} is a device of {name:?}, and only the ringback module moves samples; \
         select it with uio:/dev/uio{number}"
    )]
    OtherDriver {
        /// N of `/dev/uioN`.
        number: u32,
        /// The UIO device's name.
        name: String,
    },
    /// The module shows no ports.
    #[error(
        "/dev/uio{0} has no files of samples in /sys/class/uio/uio{0}/device/ringback: the module \
         may be an older one; load it anew, or select the card with uio:/dev/uio{0}"
    )]
    NoPorts(u32),
    /// No permission for a port's file.
    #[error(
        "no permission to open {}: run as root, or join the group that udev gives the file to \
         (ringback, by the module's 60-ringback.rules)", .0.display()
    )]
    Permission(PathBuf),
    /// Another process has a port's file open.
    #[error("{} is in use by another program: close that", .0.display())]
    Busy(PathBuf),
    /// A port's file can't be opened.
    #[error(
        "can't open {}: {source} (in a container, the file has to be passed in)",
        path.display()
    )]
    Open {
        /// The port's device file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
}

/// A card under the `ringback` module, with its samples moved by it.
pub struct ShimDevice {
    name: String,
    uio: UioDevice,
    ports: Vec<(PortNumber, File)>,
}

impl ShimDevice {
    /// Opens `/dev/uio<number>`, maps what `needs` names, and opens the files of the card's ports.
    ///
    /// # Errors
    /// What is missing, with the cure in the text.
    pub fn open(root: &SysfsRoot, number: u32, needs: &Needs) -> Result<ShimDevice, ShimError> {
        let info = UioInfo::read(root, number)?;
        if info.name != MODULE {
            return Err(ShimError::OtherDriver { number, name: info.name });
        }
        let names = port_names(root, number);
        if names.is_empty() {
            return Err(ShimError::NoPorts(number));
        }
        let uio = UioDevice::open(root, number, needs)?;
        let mut ports = Vec::with_capacity(names.len());
        for (port, name) in names {
            ports.push((port, open(root.dev(name))?));
        }
        Ok(ShimDevice { name: Selector::Shim(number).to_string(), uio, ports })
    }
}

/// The ports of a card by number, with the names of their files in `/dev`.
fn port_names(root: &SysfsRoot, number: u32) -> Vec<(PortNumber, String)> {
    let names = root.entries(format!("class/uio/uio{number}/device/{MODULE}")).into_iter();
    let mut ports: Vec<_> = names.filter_map(|name| Some((port_number(&name)?, name))).collect();
    ports.sort();
    ports
}

/// Whether the module shows files of samples for a UIO device of its.
pub(super) fn has_ports(root: &SysfsRoot, number: u32) -> bool {
    !port_names(root, number).is_empty()
}

/// N of `ringbackCpN`.
fn port_number(name: &str) -> Option<PortNumber> {
    let (card, port) = name.strip_prefix(MODULE)?.split_once('p')?;
    uio_number(card)?;
    u8::try_from(uio_number(port)?).ok().map(PortNumber)
}

/// Not O_NONBLOCK: the ring waits by itself, and a WRITE completes when it was played.
fn open(path: PathBuf) -> Result<File, ShimError> {
    OpenOptions::new().read(true).write(true).open(&path).map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied => ShimError::Permission(path),
        io::ErrorKind::ResourceBusy => ShimError::Busy(path),
        _ => ShimError::Open { path, source },
    })
}

impl Device for ShimDevice {
    type Registers = MappedRegisters;
    type Dma = MappedMemory;

    fn name(&self) -> &str {
        &self.name
    }

    fn registers(&self) -> &MappedRegisters {
        self.uio.registers()
    }

    fn dma(&self) -> Option<&MappedMemory> {
        self.uio.dma()
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.uio.interrupt()
    }

    fn kernel_moves_samples(&self) -> bool {
        true
    }

    fn files(&self) -> io::Result<Files> {
        let mut ports = Vec::with_capacity(self.ports.len());
        for (port, file) in &self.ports {
            ports.push(PortFile { port: *port, fd: file.as_fd().try_clone_to_owned()? });
        }
        Ok(Files { interrupt: None, ports })
    }

    fn rearm(&self) -> io::Result<()> {
        self.uio.rearm()
    }

    fn enable_bus_master(&self) -> io::Result<()> {
        self.uio.enable_bus_master()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::super::DmaMemory;
    use super::super::mmio::page_size;
    use super::super::sysfs::made_up::Tree;
    use super::*;

    const NEEDS: Needs = Needs { registers: 0x100, dma: 128, msi: false };

    /// A card of the module as `/dev/uio1`, card 2, with these ports.
    fn card(name: &str, ports: &[&str]) -> Tree {
        let tree = Tree::new();
        let folder = "sys/class/uio/uio1";
        tree.file(&format!("{folder}/name"), format!("{name}\n"))
            .file(&format!("{folder}/event"), "0");
        for (map, (name, address)) in
            [("registers", "0xf7d00000"), ("dma", "0xffff888001234000")].iter().enumerate()
        {
            let attributes =
                [("name", *name), ("addr", address), ("size", "0x1000"), ("offset", "0x0")];
            for (attribute, value) in attributes {
                tree.file(&format!("{folder}/maps/map{map}/{attribute}"), value);
            }
        }
        tree.file(&format!("{folder}/device/dma_address"), "0x000000001f400000\n");
        for port in ports {
            tree.file(&format!("{folder}/device/ringback/{port}/dev"), "240:8\n");
        }
        tree.file("dev/uio1", vec![0; 2 * page_size()]);
        for slot in 0..4 {
            tree.file(&format!("dev/ringback2p{slot}"), "");
        }
        tree
    }

    fn open(tree: &Tree) -> Result<ShimDevice, ShimError> {
        ShimDevice::open(&tree.root, 1, &NEEDS)
    }

    #[test]
    fn a_card_is_its_uio_device_and_the_files_of_its_ports() {
        let tree = card("ringback", &["ringback2p3", "ringback2p0", "ringback2p1", "uevent"]);
        let device = open(&tree).unwrap();
        assert_eq!(device.name(), "shim:/dev/uio1");
        assert!(device.kernel_moves_samples());
        assert_eq!(device.dma().unwrap().bus_address(), 0x1F40_0000);
        let files = device.files().unwrap();
        assert!(files.interrupt.is_none(), "no thread waits for it");
        let numbers: Vec<PortNumber> = files.ports.iter().map(|file| file.port).collect();
        assert_eq!(numbers, [0, 1, 3].map(PortNumber));
        for file in &files.ports {
            let path =
                std::fs::read_link(format!("/proc/self/fd/{}", file.fd.as_raw_fd())).unwrap();
            assert!(path.ends_with(format!("dev/ringback2p{}", file.port)), "{path:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_cure() {
        let error = |tree: &Tree| open(tree).err().unwrap().to_string();
        assert!(error(&card("uio_dummy", &["ringback2p0"])).contains("uio:/dev/uio1"));
        assert!(error(&card("ringback", &[])).contains("uio:/dev/uio1"));
        assert!(
            error(&card(
                "ringback",
                &["ringback", "ringback2", "ringback2p", "ringbackxp1", "ringback2p01"]
            ))
            .contains("no files of samples")
        );
        assert!(error(&card("ringback", &["ringback7p0"])).contains("dev/ringback7p0"));
        assert!(matches!(open(&Tree::new()), Err(ShimError::Uio(UioError::NoDevice { .. }))));
    }
}
