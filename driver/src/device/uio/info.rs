//! What `/sys/class/uio` says about the UIO devices of this machine.

use std::path::PathBuf;

use super::UioError;
use crate::device::mmio::page_size;
use crate::device::pci::PciAddress;
use crate::device::selector::uio_number;
use crate::device::sysfs::SysfsRoot;
use crate::report;

/// What `/sys` says about a UIO device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UioInfo {
    /// N of `/dev/uioN`.
    pub number: u32,
    /// The driver's name for the device, e.g. `ringback`.
    pub name: String,
    /// The UIO driver's version, as its attribute says.
    pub version: String,
    /// How many interrupts the kernel has counted so far.
    pub events: u64,
    /// The maps, by index.
    pub maps: Vec<UioMap>,
    /// The PCI function behind it, if it is one.
    pub pci: Option<PciAddress>,
    /// Where the card reaches the first byte of its memory, if the driver shows it separately from
    /// the map's address (older versions of `ringback`).
    pub dma_address: Option<u64>,
}

/// One mappable block of a UIO device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UioMap {
    /// M: it is mapped at M pages into the device file.
    pub index: u32,
    /// Its name; may be empty.
    pub name: String,
    /// Address of its first page.
    pub address: u64,
    /// Size in bytes from the start of its first page.
    pub size: u64,
    /// Where in its first page it begins.
    pub offset: u64,
}

impl UioInfo {
    /// Reads what `/sys` says about `/dev/uio<number>`.
    ///
    /// # Errors
    /// [`UioError::NoDevice`], or [`UioError::Sysfs`] for an attribute that is not what it should
    /// be.
    pub fn read(root: &SysfsRoot, number: u32) -> Result<UioInfo, UioError> {
        let folder = PathBuf::from(format!("class/uio/uio{number}"));
        let name = match root.text(folder.join("name")) {
            Err(error) if error.is_missing() => {
                return Err(UioError::NoDevice { number, there: there(root) });
            }
            name => name?,
        };
        let mut maps = Vec::new();
        for entry in root.entries(folder.join("maps")) {
            let Some(index) = entry.strip_prefix("map").and_then(uio_number) else { continue };
            let map = folder.join("maps").join(&entry);
            maps.push(UioMap {
                index,
                // Kernels show no name file for a map without one.
                name: root.text(map.join("name")).unwrap_or_default(),
                address: root.number(map.join("addr"))?,
                size: root.number(map.join("size"))?,
                offset: root.number(map.join("offset"))?,
            });
        }
        maps.sort_by_key(|map| map.index);
        Ok(UioInfo {
            number,
            name,
            version: root.text(folder.join("version")).unwrap_or_default(),
            events: root.number(folder.join("event"))?,
            maps,
            pci: root.link_name(folder.join("device")).and_then(|name| name.parse().ok()),
            dma_address: match root.number(folder.join("device/dma_address")) {
                Err(error) if error.is_missing() => None,
                address => Some(address?),
            },
        })
    }

    /// Every UIO device there is, by number; those that can't be read are left out.
    pub fn all(root: &SysfsRoot) -> Vec<UioInfo> {
        let mut all: Vec<UioInfo> = numbers(root)
            .filter_map(|number| {
                UioInfo::read(root, number)
                    .inspect_err(|error| report!(DEBUG, "/dev/uio{number}: {error}"))
                    .ok()
            })
            .collect();
        all.sort_by_key(|info| info.number);
        all
    }

    /// The register window's map.
    pub fn registers(&self) -> Option<&UioMap> {
        self.maps.iter().find(|map| !map.is_dma())
    }

    /// The map of the memory that the card masters.
    pub fn dma(&self) -> Option<&UioMap> {
        self.maps.iter().find(|map| map.is_dma())
    }
}

impl UioMap {
    fn is_dma(&self) -> bool {
        self.name == "dma"
    }

    /// Offset into the device file, bytes to skip there, and length; if there are `need` bytes.
    pub(super) fn window(&self, need: usize) -> Result<(u64, usize, usize), UioError> {
        let length = self.size.saturating_sub(self.offset);
        let fits = || {
            let place = u64::from(self.index).checked_mul(page_size() as u64)?;
            Some((place, usize::try_from(self.offset).ok()?, usize::try_from(length).ok()?))
        };
        match fits() {
            Some(window) if window.2 >= need.max(1) => Ok(window),
            _ => Err(UioError::MapTooSmall { index: self.index, have: length, need }),
        }
    }
}

fn numbers(root: &SysfsRoot) -> impl Iterator<Item = u32> {
    let names = root.entries("class/uio").into_iter();
    names.filter_map(|name| name.strip_prefix("uio").and_then(uio_number))
}

/// The UIO devices that there are, for a person who asked for another one.
fn there(root: &SysfsRoot) -> String {
    let mut numbers: Vec<u32> = numbers(root).collect();
    numbers.sort_unstable();
    let list: Vec<String> = numbers
        .into_iter()
        .map(|number| {
            let name = root.text(format!("class/uio/uio{number}/name"));
            format!("/dev/uio{number} ({})", name.as_deref().unwrap_or("?"))
        })
        .collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}
