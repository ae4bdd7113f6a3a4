//! Any files and links in place of those of sysfs about a card, its UIO device and its IOMMU group:
//! each card that is found can be described and selected, and a driver for it is refused or
//! planned.

#![no_main]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use ringback_driver::card::KINDS;
use ringback_driver::device::bind::Plan;
use ringback_driver::device::discover::discover;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::UioInfo;

/// The folder of the card.
const CARD: &str = "0000:05:00.0";

/// A machine with a card under the module `ringback`: what each file contains, and where each link
/// leads to.
const FILES: [(&str, &str); 30] = [
    ("sys/bus/pci/devices/0000:05:00.0/vendor", "0xe159\n"),
    ("sys/bus/pci/devices/0000:05:00.0/device", "0x0001\n"),
    ("sys/bus/pci/devices/0000:05:00.0/subsystem_vendor", "0xb1d9\n"),
    ("sys/bus/pci/devices/0000:05:00.0/subsystem_device", "0x0003\n"),
    ("sys/bus/pci/devices/0000:05:00.0/class", "0x028000\n"),
    ("sys/bus/pci/devices/0000:05:00.0/irq", "17\n"),
    ("sys/bus/pci/devices/0000:05:00.0/config", "\u{7f}\u{1}"),
    ("sys/bus/pci/devices/0000:05:00.0/resource0", ""),
    ("sys/bus/pci/devices/0000:05:00.0/driver", "->../../../../bus/pci/drivers/ringback"),
    ("sys/bus/pci/devices/0000:05:00.0/iommu_group", "->../../../../kernel/iommu_groups/7"),
    ("sys/bus/pci/devices/0000:05:00.1/vendor", "0xe159\n"),
    ("sys/bus/pci/devices/0000:05:00.1/device", "0x0001\n"),
    ("sys/bus/pci/devices/0000:05:00.1/class", "0x028000\n"),
    ("sys/bus/pci/drivers/ringback/bind", ""),
    ("sys/bus/pci/drivers/vfio-pci/bind", ""),
    ("sys/kernel/iommu_groups/7/type", "DMA\n"),
    (
        "sys/kernel/iommu_groups/7/devices/0000:05:00.0",
        "->../../../../bus/pci/devices/0000:05:00.0",
    ),
    ("sys/kernel/irq/17/actions", "ringback,eth0\n"),
    ("sys/class/uio/uio0/name", "ringback\n"),
    ("sys/class/uio/uio0/version", "1\n"),
    ("sys/class/uio/uio0/event", "12\n"),
    ("sys/class/uio/uio0/device", "->../../../bus/pci/devices/0000:05:00.0"),
    ("sys/class/uio/uio0/maps/map0/addr", "0xf0000000\n"),
    ("sys/class/uio/uio0/maps/map0/size", "0x1000\n"),
    ("sys/class/uio/uio0/maps/map0/offset", "0x0\n"),
    ("sys/class/uio/uio0/maps/map1/name", "dma\n"),
    ("sys/class/uio/uio0/maps/map1/addr", "0x100000\n"),
    ("sys/class/uio/uio0/maps/map1/size", "0x1000\n"),
    ("sys/class/uio/uio0/maps/map1/offset", "0x0\n"),
    ("sys/module/ringback/parameters/allow_unconfined", "N\n"),
];

/// What an input puts in the place of a file: which one, what it is, and what it contains.
type Change<'a> = (u8, u8, &'a [u8]);

/// Makes the file, or what is in its place. What can't be made is missing.
fn make(root: &Path, path: &str, content: &str, change: Option<&Change<'_>>) {
    let at = root.join(path);
    let _ = at.parent().map(fs::create_dir_all);
    let _ = match (change, content.strip_prefix("->")) {
        (Some((_, 0xFF, _)), _) => Ok(()),
        (Some((_, 0xFE, _)), _) => fs::create_dir(at),
        (Some((_, other @ 0xC0.., _)), _) => {
            let (other, _) = FILES[usize::from(*other) % FILES.len()];
            symlink(root.join(other), at)
        }
        (Some((.., bytes)), _) => fs::write(at, bytes),
        (None, Some(target)) => symlink(target, at),
        (None, None) => fs::write(at, content),
    };
}

fuzz_target!(|changes: Vec<Change<'_>>| {
    // In memory, where there is such a folder.
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
    let Ok(folder) = folder else { return };
    for (index, (path, content)) in FILES.iter().enumerate() {
        let change = changes.iter().find(|(at, ..)| usize::from(*at) % FILES.len() == index);
        make(folder.path(), path, content, change);
    }
    let root = SysfsRoot::at(folder.path());
    for card in discover(&root, KINDS) {
        let selector = card.selector.to_string();
        assert!(card.to_string().starts_with(&selector), "{card}");
        assert_eq!(selector.parse(), Ok(card.selector.clone()), "{card}");
    }
    for info in UioInfo::all(&root) {
        assert_eq!(
            UioInfo::read(&root, info.number).ok().map(|read| read.number),
            Some(info.number)
        );
    }
    for driver in ["vfio-pci", "ringback"] {
        let address = CARD.parse().expect("an address");
        match Plan::bind(&root, KINDS, address, driver) {
            Ok(plan) => {
                let inside = |path: &Path| path.starts_with(folder.path());
                assert!(plan.steps().iter().all(|step| inside(&step.path)), "{plan:?}");
            }
            Err(refused) => assert!(!refused.to_string().is_empty()),
        }
    }
});
