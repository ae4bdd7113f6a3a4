//! PCI functions as `/sys` shows them: address, ids, driver, bus mastering.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::sysfs::{SysfsError, SysfsRoot};

/// Command register: offset in configuration space.
pub(super) const COMMAND: u64 = 4;
/// Command register: the function may read and write memory by itself.
pub(super) const COMMAND_BUS_MASTER: u16 = 1 << 2;

/// Domain, bus, device and function, as in `0000:05:00.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl PciAddress {
    /// The function's folder below `/sys`.
    pub(super) fn folder(self) -> PathBuf {
        Path::new("bus/pci/devices").join(self.to_string())
    }

    /// The IOMMU group that the function is in.
    pub(super) fn group(self, root: &SysfsRoot) -> Option<String> {
        root.link_name(self.folder().join("iommu_group"))
    }

    /// The driver that is bound to the function.
    pub(super) fn driver(self, root: &SysfsRoot) -> Option<String> {
        root.link_name(self.folder().join("driver"))
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PciAddress { domain, bus, device, function } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

/// The text is not a PCI address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a PCI address; write it like 0000:05:00.0 (`lspci -D` shows them)")]
pub struct NotAPciAddress;

impl FromStr for PciAddress {
    type Err = NotAPciAddress;

    /// Takes `0000:05:00.0`, and `05:00.0` as `lspci` prints it.
    fn from_str(text: &str) -> Result<PciAddress, NotAPciAddress> {
        let hex = |text: &str, digits: std::ops::RangeInclusive<usize>, limit: u32| {
            let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = u32::from_str_radix(text, 16).ok()?;
            (plain && digits.contains(&text.len()) && number <= limit).then_some(number)
        };
        let parse = || {
            let (rest, function) = text.split_once('.')?;
            let (rest, device) = rest.rsplit_once(':')?;
            let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0000", rest));
            Some(PciAddress {
                domain: hex(domain, 4..=8, u32::MAX)?,
                bus: hex(bus, 2..=2, 0xFF)? as u8,
                device: hex(device, 2..=2, 0x1F)? as u8,
                function: hex(function, 1..=1, 7)? as u8,
            })
        };
        parse().ok_or(NotAPciAddress)
    }
}

/// What a PCI function says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PciIds {
    /// Vendor id, from offset 0x00 of the configuration space.
    pub vendor: u16,
    /// Device id, from offset 0x02.
    pub device: u16,
    /// Subsystem vendor: who made the board.
    pub subsystem_vendor: u16,
    /// Subsystem device id, from offset 0x2E.
    pub subsystem_device: u16,
    /// Class, subclass and programming interface (24 bits).
    pub class: u32,
}

impl PciIds {
    /// Reads the ids of the function at `address`.
    ///
    /// # Errors
    /// The attribute that is missing or not a number.
    pub fn read(root: &SysfsRoot, address: PciAddress) -> Result<PciIds, SysfsError> {
        let folder = address.folder();
        Ok(PciIds {
            vendor: root.small(folder.join("vendor"))?,
            device: root.small(folder.join("device"))?,
            subsystem_vendor: root.small(folder.join("subsystem_vendor"))?,
            subsystem_device: root.small(folder.join("subsystem_device"))?,
            class: root.small(folder.join("class"))?,
        })
    }
}

impl fmt::Display for PciIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PciIds { vendor, device, subsystem_vendor, subsystem_device, class: _ } = self;
        write!(
            f,
            "{vendor:04x}:{device:04x}, subsystem {subsystem_vendor:04x}:{subsystem_device:04x}"
        )
    }
}

/// Sets the bus-master bit in the configuration space that `/sys` shows as `config`.
///
/// A bit that is set already is left alone, for which reading is enough.
pub(super) fn enable_bus_master(config: &Path) -> io::Result<()> {
    let mut command = [0; 2];
    let readable = OpenOptions::new().read(true).open(config)?;
    readable.read_exact_at(&mut command, COMMAND)?;
    let command = u16::from_le_bytes(command);
    if command & COMMAND_BUS_MASTER != 0 {
        return Ok(());
    }
    let writable = OpenOptions::new().write(true).open(config)?;
    writable.write_all_at(&(command | COMMAND_BUS_MASTER).to_le_bytes(), COMMAND)
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::made_up::Tree;
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for (text, shown) in [
            ("0000:05:00.0", "0000:05:00.0"),
            ("05:1f.7", "0000:05:1f.7"),
            ("0001:FF:0A.3", "0001:ff:0a.3"),
            ("10000:e1:00.0", "10000:e1:00.0"),
        ] {
            assert_eq!(text.parse::<PciAddress>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            ".",
            ":",
            "0000:05:00",
            "05:00.8",
            "05:20.0",
            "5:00.0",
            "0000:5:0.0",
            "000:05:00.0",
            "0000:05:00.0 ",
            "0000:05:00.00",
            "0000:+5:00.0",
            "+000:05:00.0",
            "0000:05:00.0.0",
            "0:0000:05:00.0",
            "fffffffff:05:00.0",
            "../../05:00.0",
            "0000:05:0é.0",
        ] {
            assert_eq!(text.parse::<PciAddress>(), Err(NotAPciAddress), "{text:?}");
        }
    }

    #[test]
    fn ids_are_read_and_driver_is_found() {
        let tree = Tree::new();
        tree.pci(
            "0000:05:00.0",
            ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"],
            Some("wctdm"),
        );
        let address: PciAddress = "05:00.0".parse().unwrap();
        let ids = PciIds::read(&tree.root, address).unwrap();
        assert_eq!(ids.to_string(), "e159:0001, subsystem b100:0003");
        assert_eq!(ids.class, 0x07_8000);
        assert_eq!(address.driver(&tree.root).as_deref(), Some("wctdm"));
    }

    #[test]
    fn ids_that_are_garbage_are_an_error() {
        let tree = Tree::new();
        tree.pci("0000:05:00.0", ["0xe159", "0x10001", "0xb100", "0x0003", "0x078000"], None);
        let error = PciIds::read(&tree.root, "05:00.0".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("0x10001"), "{error}");
        assert!(PciIds::read(&tree.root, "06:00.0".parse().unwrap()).unwrap_err().is_missing());
    }

    #[test]
    fn only_the_bus_master_bit_is_set() {
        let tree = Tree::new();
        tree.file("sys/config", [0x59, 0xE1, 0x01, 0x00, 0x42, 0x81, 0x10, 0x02]);
        let config = tree.root.sys("config");
        enable_bus_master(&config).unwrap();
        let written = std::fs::read(&config).unwrap();
        assert_eq!(written, [0x59, 0xE1, 0x01, 0x00, 0x46, 0x81, 0x10, 0x02]);
        enable_bus_master(&config).unwrap();
        assert_eq!(std::fs::read(&config).unwrap(), written);
    }

    #[test]
    fn a_short_configuration_space_is_an_error() {
        let tree = Tree::new();
        tree.file("sys/config", [0x59, 0xE1, 0x01, 0x00, 0x42]);
        assert!(enable_bus_master(&tree.root.sys("config")).is_err());
        assert!(enable_bus_master(&tree.root.sys("missing")).is_err());
    }
}
