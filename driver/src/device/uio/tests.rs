//! On made-up trees, where a plain file stands in for the device file.

use std::fs;
use std::os::fd::AsRawFd;
use std::thread;

use super::super::mmio::page_size;
use super::super::seccomp;
use super::super::sysfs::made_up::Tree;
use super::super::{DmaMemory, Registers};
use super::*;

const NEEDS: Needs = Needs { registers: 0x100, dma: 128, msi: false };
const REGISTERS: [&str; 4] = ["registers", "0xf7d00000", "0x1000", "0x0"];
const DMA: [&str; 4] = ["dma", "0x1f400000", "0x1000", "0x0"];

/// A UIO device with maps of name, address, size and offset, and 4 pages of device file.
fn uio(tree: &Tree, number: u32, name: &str, maps: &[[&str; 4]]) {
    let folder = format!("sys/class/uio/uio{number}");
    tree.file(&format!("{folder}/name"), format!("{name}\n"));
    tree.file(&format!("{folder}/version"), "1.0\n");
    tree.file(&format!("{folder}/event"), "17\n");
    for (index, map) in maps.iter().enumerate() {
        for (attribute, value) in ["name", "addr", "size", "offset"].iter().zip(map) {
            tree.file(&format!("{folder}/maps/map{index}/{attribute}"), format!("{value}\n"));
        }
    }
    tree.file(&format!("dev/uio{number}"), vec![0; 4 * page_size()]);
}

fn open(tree: &Tree) -> Result<UioDevice, UioError> {
    UioDevice::open(&tree.root, 0, &NEEDS)
}

fn error(tree: &Tree) -> UioError {
    open(tree).map(|device| device.name).unwrap_err()
}

#[test]
fn what_sysfs_says_is_read() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    tree.link("sys/class/uio/uio0/device", "../../../0000:05:00.0");
    let info = UioInfo::read(&tree.root, 0).unwrap();
    assert_eq!((info.name.as_str(), info.version.as_str(), info.events), ("ringback", "1.0", 17));
    assert_eq!(info.pci, "05:00.0".parse().ok());
    assert_eq!(info.registers().unwrap().address, 0xF7D0_0000);
    assert_eq!(
        info.dma(),
        Some(&UioMap {
            index: 1,
            name: "dma".to_owned(),
            address: 0x1F40_0000,
            size: 0x1000,
            offset: 0
        })
    );
}

#[test]
fn a_file_that_is_no_device_is_not_mapped() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    // Writing to a device that does not exist makes such an ordinary file.
    for pages in [0, 1] {
        tree.file("dev/uio0", vec![0; pages * page_size()]);
        let error = error(&tree);
        assert!(matches!(error, UioError::NotADevice(_)), "{error}");
        assert!(error.to_string().contains("dev/uio0 is no UIO device"), "{error}");
    }
}

#[test]
fn all_devices_are_listed_by_number_without_the_broken_ones() {
    let tree = Tree::new();
    for number in [10, 2, 0] {
        uio(&tree, number, "uio_dummy", &[REGISTERS]);
    }
    uio(&tree, 3, "broken", &[["registers", "garbage", "0x1000", "0x0"]]);
    tree.link("sys/class/uio/uio4", "uio4");
    tree.file("sys/class/uio/uio05/name", "no such name").file("sys/class/uio/other", "");
    let numbers: Vec<u32> = UioInfo::all(&tree.root).iter().map(|info| info.number).collect();
    assert_eq!(numbers, [0, 2, 10]);
}

#[test]
fn registers_and_memory_are_mapped_at_their_pages() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    let device = open(&tree).unwrap();
    assert_eq!(device.name(), "uio:/dev/uio0");
    device.registers().write32(0xFC, 0x0403_0201);
    let dma = device.dma().unwrap();
    assert_eq!((dma.bus_address(), dma.len()), (0x1F40_0000, 0x1000));
    dma.write32(4, 0x0807_0605);
    let file = fs::read(tree.root.dev("uio0")).unwrap();
    assert_eq!(file[0xFC..0x100], [1, 2, 3, 4]);
    assert_eq!(file[page_size() + 4..][..4], [5, 6, 7, 8]);
}

#[test]
fn the_bus_address_of_the_driver_takes_precedence_over_the_maps_own() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, ["dma", "0xffff888012345000", "0x1000", "0x0"]]);
    assert!(matches!(error(&tree), UioError::DmaTooHigh { .. }));
    tree.file("sys/class/uio/uio0/device/dma_address", "0x00000000fffff000\n");
    assert_eq!(open(&tree).unwrap().dma().unwrap().bus_address(), 0xFFFF_F000);
    tree.file("sys/class/uio/uio0/device/dma_address", "0x00000000fffff001\n");
    assert!(matches!(error(&tree), UioError::DmaTooHigh { .. }));
    tree.file("sys/class/uio/uio0/device/dma_address", "nowhere\n");
    assert!(matches!(error(&tree), UioError::Sysfs(_)));
}

#[test]
fn a_map_may_begin_inside_its_page_and_need_not_come_first() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[DMA, ["", "0xf7d00000", "0x1000", "0x400"]]);
    let device = open(&tree).unwrap();
    assert_eq!(device.registers().len(), 0xC00);
    device.registers().write8(0, 0x5A);
    let file = fs::read(tree.root.dev("uio0")).unwrap();
    assert_eq!(file[page_size() + 0x400], 0x5A);
}

#[test]
fn a_missing_device_is_an_error_that_lists_the_others() {
    let tree = Tree::new();
    let text = error(&tree).to_string();
    assert!(text.contains("no /dev/uio0") && text.contains("none"), "{text}");
    uio(&tree, 7, "ringback", &[REGISTERS]);
    let text = error(&tree).to_string();
    assert!(text.contains("/dev/uio7 (ringback)") && text.contains("modprobe"), "{text}");
}

#[test]
fn what_can_not_be_used_is_reported_before_the_device_is_opened() {
    let too_high = ["dma", "0xfffff000", "0x1001", "0x0"];
    let wrapping = ["dma", "0xffffffffffffff00", "0x1000", "0x0"];
    type Expected = fn(&UioError) -> bool;
    let cases: [(&[[&str; 4]], Expected); 11] = [
        (&[], |error| matches!(error, UioError::NoMaps { .. })),
        (&[DMA], |error| matches!(error, UioError::NoMaps { .. })),
        (&[REGISTERS], |error| matches!(error, UioError::NoDma { .. })),
        (&[["r", "0x1000", "0xff", "0x0"], DMA], |error| {
            matches!(error, UioError::MapTooSmall { index: 0, have: 0xFF, need: 0x100 })
        }),
        (&[["r", "0x1000", "0x1000", "0xf01"], DMA], |error| {
            matches!(error, UioError::MapTooSmall { index: 0, have: 0xFF, .. })
        }),
        (&[["r", "0x1000", "0x1000", "0xffffffffffffffff"], DMA], |error| {
            matches!(error, UioError::MapTooSmall { have: 0, .. })
        }),
        (&[REGISTERS, ["dma", "0x1000", "64", "0x0"]], |error| {
            matches!(error, UioError::MapTooSmall { index: 1, have: 64, need: 128 })
        }),
        (&[REGISTERS, too_high], |error| {
            matches!(error, UioError::DmaTooHigh { address: 0xFFFF_F000 })
        }),
        (&[REGISTERS, wrapping], |error| matches!(error, UioError::DmaTooHigh { .. })),
        (&[["r", "0x1000", "4k", "0x0"], DMA], |error| matches!(error, UioError::Sysfs(_))),
        (&[["r", "0x1000", "0x10000000000000000", "0x0"], DMA], |error| {
            matches!(error, UioError::Sysfs(_))
        }),
    ];
    for (maps, expected) in cases {
        let tree = Tree::new();
        uio(&tree, 0, "card", maps);
        // Opening it would be another error.
        fs::remove_file(tree.root.dev("uio0")).unwrap();
        let error = error(&tree);
        assert!(expected(&error), "{maps:?}: {error:?}");
    }
}

#[test]
fn an_absurd_size_fails_to_map() {
    let tree = Tree::new();
    uio(&tree, 0, "card", &[["r", "0x1000", "0xfffffffffffff000", "0x0"], DMA]);
    let error = error(&tree);
    assert!(matches!(error, UioError::Map { index: 0, .. }), "{error:?}");
}

#[test]
fn a_missing_attribute_is_named() {
    let tree = Tree::new();
    uio(&tree, 0, "card", &[REGISTERS, DMA]);
    fs::remove_file(tree.root.sys("class/uio/uio0/maps/map1/size")).unwrap();
    let text = error(&tree).to_string();
    assert!(text.contains("maps/map1/size"), "{text}");
}

#[test]
fn a_card_without_needs_for_memory_gets_none() {
    let tree = Tree::new();
    uio(&tree, 0, "uio_dummy", &[REGISTERS]);
    let needs = Needs { registers: 0x40, dma: 0, msi: false };
    let device = UioDevice::open(&tree.root, 0, &needs).unwrap();
    assert!(device.dma().is_none());
    device.enable_bus_master().unwrap();
}

#[test]
fn device_files_that_do_not_open_are_distinguished() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    for (errno, name, parts) in [
        (libc::EACCES, "ringback", ["no permission", "join the group ringback"]),
        (libc::EACCES, "uio_dummy", ["no permission", "ATTR{name}==\"uio_dummy\""]),
        (libc::EPERM, "ringback", ["allow_unconfined=1", "/etc/modprobe.d/ringback.conf"]),
        (libc::EPERM, "uio_dummy", ["no permission", "ATTR{name}==\"uio_dummy\""]),
        (libc::EBUSY, "ringback", ["in use", "another program"]),
        (libc::ENODEV, "ringback", ["seat it", "echo 1 > /sys/class/uio/uio0/device/remove"]),
    ] {
        let path = tree.root.dev("uio0");
        let refused = thread::spawn(move || {
            // Root may open anything, so the system call is made to refuse.
            seccomp::refuse(libc::SYS_openat, None, errno);
            super::open(&path, 0, name).map(drop).unwrap_err()
        });
        let text = refused.join().unwrap().to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }

    fs::remove_file(tree.root.dev("uio0")).unwrap();
    let error = error(&tree);
    assert!(matches!(error, UioError::Open { .. }) && error.to_string().contains("container"));
}

#[test]
fn the_interrupt_file_is_shared_and_does_not_block() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    let device = open(&tree).unwrap();
    let InterruptFd { fd, size } = device.interrupt().unwrap();
    assert_eq!(size, InterruptSize::UioCounter);
    let flags = nix::fcntl::fcntl(&fd, nix::fcntl::FcntlArg::F_GETFL).unwrap();
    assert_ne!(flags & libc::O_NONBLOCK, 0);
    assert_ne!(fd.as_raw_fd(), device.file.as_raw_fd());
}

#[test]
fn rearming_writes_one_to_irqcontrol() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    let device = open(&tree).unwrap();
    assert!(device.kernel_acknowledges());
    device.rearm().unwrap();
    device.rearm().unwrap();
    let file = fs::read(tree.root.dev("uio0")).unwrap();
    assert_eq!(file[..12], [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_driver_without_irqcontrol_runs_free() {
    let tree = Tree::new();
    uio(&tree, 0, "uio_dummy", &[REGISTERS, DMA]);
    let device = open(&tree).unwrap();
    let fd = device.file.as_raw_fd();
    thread::spawn(move || {
        seccomp::refuse(libc::SYS_write, Some(fd), libc::ENOSYS);
        device.rearm().unwrap();
        device.rearm().unwrap();
    })
    .join()
    .unwrap();
}

#[test]
fn a_device_that_is_gone_fails_to_rearm() {
    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    let device = open(&tree).unwrap();
    let fd = device.file.as_raw_fd();
    thread::spawn(move || {
        seccomp::refuse(libc::SYS_write, Some(fd), libc::EIO);
        assert_eq!(device.rearm().unwrap_err().raw_os_error(), Some(libc::EIO));
    })
    .join()
    .unwrap();
}

/// 1234:11e8, command 0x0402 (memory on, interrupt disabled), status 0x0010.
const CONFIG: [u8; 8] = [0x34, 0x12, 0xE8, 0x11, 0x02, 0x04, 0x10, 0x00];

#[test]
fn uio_pci_generic_is_unmasked_in_the_command_register() {
    let tree = Tree::new();
    uio(&tree, 0, "uio_pci_generic", &[REGISTERS, DMA]);
    tree.link("sys/class/uio/uio0/device", "../../../0000:00:04.0");
    tree.file("sys/bus/pci/devices/0000:00:04.0/config", CONFIG);
    let config = tree.root.sys("bus/pci/devices/0000:00:04.0/config");
    let device = open(&tree).unwrap();
    assert_eq!(fs::read(&config).unwrap(), CONFIG, "opening changes nothing");
    assert!(!device.kernel_acknowledges());
    let fd = device.file.as_raw_fd();
    let device = thread::spawn(move || {
        seccomp::refuse(libc::SYS_write, Some(fd), libc::ENOSYS);
        device.rearm().unwrap();
        device
    });
    let device = device.join().unwrap();
    assert_eq!(fs::read(&config).unwrap()[4..6], [0x02, 0x00]);
    device.enable_bus_master().unwrap();
    assert_eq!(fs::read(&config).unwrap()[4..6], [0x06, 0x00]);
}

#[test]
fn configuration_space_that_can_not_be_opened_is_reported() {
    let tree = Tree::new();
    uio(&tree, 0, "uio_pci_generic", &[REGISTERS, DMA]);
    tree.link("sys/class/uio/uio0/device", "../../../0000:00:04.0");
    let error = error(&tree);
    assert!(matches!(error, UioError::Config { .. }), "{error:?}");

    let tree = Tree::new();
    uio(&tree, 0, "ringback", &[REGISTERS, DMA]);
    tree.link("sys/class/uio/uio0/device", "../../../0000:05:00.0");
    let text = open(&tree).unwrap().enable_bus_master().unwrap_err().to_string();
    assert!(text.contains("bus master") && text.contains("0000:05:00.0/config"), "{text}");
}
