//! On made-up trees and a kernel in memory (`twin.rs`).

use std::fs;
use std::os::unix::fs::FileExt;
use std::thread;

use super::sys::{CONFIG, kernel};
use super::*;
use crate::device::Registers;
use crate::device::seccomp;
use crate::device::sysfs::made_up::Tree;

const IDS: [&str; 5] = ["0xe159", "0x0001", "0xb100", "0x0003", "0x078000"];
const CARD: Needs = Needs { registers: 0x100, dma: 128, msi: false };
const UUID: &str = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

/// Regions: readable and writable, and mappable too.
const PLAIN: u32 = 3;
const MAPPABLE: u32 = 7;

fn tree() -> Tree {
    let tree = Tree::new();
    tree.pci("0000:05:00.0", IDS, Some("vfio-pci")).group(12, "0000:05:00.0");
    tree.file("sys/bus/pci/devices/0000:05:00.0/irq", "16\n");
    tree.file("dev/vfio/vfio", "").file("dev/vfio/12", "");
    tree
}

fn open(tree: &Tree, needs: &Needs) -> Result<VfioDevice, VfioError> {
    VfioDevice::open_pci(&tree.root, "05:00.0".parse().unwrap(), needs)
}

fn error(tree: &Tree) -> VfioError {
    open(tree, &CARD).map(|device| device.name.clone()).unwrap_err()
}

fn log() -> Vec<String> {
    kernel(|kernel| std::mem::take(&mut kernel.log))
}

/// Bytes of the device's file.
fn bytes<const N: usize>(at: u64) -> [u8; N] {
    let mut bytes = [0; N];
    kernel(|kernel| kernel.device.as_ref().unwrap().read_exact_at(&mut bytes, at)).unwrap();
    bytes
}

fn command() -> u16 {
    u16::from_le_bytes(bytes(CONFIG + 4))
}

#[test]
fn a_card_is_opened_used_and_closed() {
    let device = open(&tree(), &CARD).unwrap();
    assert_eq!(device.name(), "pci:0000:05:00.0");
    assert_eq!(
        log(),
        [
            "set_container",
            "set_iommu 3",
            "device 0000:05:00.0",
            "map_dma 0x100000 0x1000 3",
            "set_irq 0 0x24 eventfd"
        ]
    );

    device.registers().write32(0x20, 0x0403_0201);
    assert_eq!(bytes(0x1020), [1, 2, 3, 4]);
    let dma = device.dma().unwrap();
    assert_eq!((dma.bus_address(), dma.len()), (0x10_0000, 0x1000));
    dma.write32(64, 7);
    assert_eq!(dma.read32(64), 7);

    let InterruptFd { fd, size } = device.interrupt().unwrap();
    assert_eq!(size, InterruptSize::EventFd);
    nix::unistd::write(&fd, &3_u64.to_ne_bytes()).unwrap();
    assert_eq!(device.interrupt.event.read().unwrap(), 3, "the descriptor is a duplicate");

    device.rearm().unwrap();
    assert_eq!(log(), ["set_irq 0 0x11"]);

    assert_eq!(command(), 0x0002);
    device.enable_bus_master().unwrap();
    device.enable_bus_master().unwrap();
    assert_eq!(command(), 0x0006);

    drop(device);
    assert_eq!(command(), 0x0002);
    assert_eq!(log(), ["stop_irqs 0 0x21", "unmap_dma 0x100000 0x1000"]);
}

#[test]
fn a_window_that_can_be_mapped_is_preferred() {
    kernel(|kernel| kernel.bars = vec![(0x100, PLAIN, 0), (0x1000, MAPPABLE, 0x2000)]);
    let device = open(&tree(), &CARD).unwrap();
    assert_eq!(device.registers().len(), 0x1000);
    device.registers().write8(0, 0x5A);
    assert_eq!(bytes(0x2000), [0x5A]);
}

#[test]
fn registers_that_can_not_be_mapped_are_read_and_written() {
    kernel(|kernel| {
        kernel.bars = vec![(0, PLAIN, 0), (4, PLAIN, 0), (8, PLAIN, 0x3000), (8, PLAIN, 0x4000)];
    });
    let needs = Needs { registers: 8, dma: 0, msi: false };
    let device = open(&tree(), &needs).unwrap();
    assert!(device.dma().is_none());
    let registers = device.registers();
    assert_eq!(registers.len(), 8);
    registers.write8(7, 0xA5);
    registers.write32(0, 0x0403_0201);
    assert_eq!(bytes(0x3000), [1, 2, 3, 4, 0, 0, 0, 0xA5]);
    assert_eq!(registers.read8(7), 0xA5);
    assert_eq!(registers.read32(4), 0xA500_0000);

    registers.write8(8, 1);
    registers.write32(5, 1);
    registers.write32(8, 1);
    assert_eq!(bytes(0x3004), [0, 0, 0, 0xA5, 0, 0, 0, 0]);
    assert_eq!((registers.read8(8), registers.read32(6)), (u8::MAX, u32::MAX));
    assert_eq!(registers.read32(usize::MAX - 3), u32::MAX);
}

#[test]
fn a_device_that_is_gone_reads_as_all_ones() {
    kernel(|kernel| kernel.bars = vec![(8, PLAIN, 0x3000)]);
    let needs = Needs { registers: 8, dma: 0, msi: false };
    let device = open(&tree(), &needs).unwrap();
    kernel(|kernel| kernel.device.as_ref().unwrap().set_len(0)).unwrap();
    assert_eq!((device.registers().read8(0), device.registers().read32(4)), (u8::MAX, u32::MAX));
}

#[test]
fn a_mappable_region_that_fails_to_map_is_read_and_written() {
    // No multiple of a page: mmap refuses the offset.
    let offset = u64::MAX - 0xFFF;
    kernel(|kernel| kernel.bars = vec![(0x1000, MAPPABLE, offset), (0x1000, PLAIN, 0x1000)]);
    let device = open(&tree(), &CARD).unwrap();
    assert_eq!(device.registers().len(), 0x1000);
    assert_eq!(device.registers().read8(0), u8::MAX);
}

#[test]
fn a_window_too_small_is_reported() {
    kernel(|kernel| kernel.bars = vec![(0x80, PLAIN, 0), (0x4000, 1, 0)]);
    let error = error(&tree());
    assert!(matches!(error, VfioError::RegionTooSmall { have: 0x80, need: 0x100 }), "{error:?}");
}

#[test]
fn messages_are_taken_where_they_are_allowed_and_there() {
    let msi = Needs { msi: true, ..CARD };
    assert_eq!(open(&tree(), &msi).unwrap().interrupt.index, VFIO_PCI_INTX_IRQ_INDEX);

    kernel(|kernel| kernel.irqs[1] = (1, VFIO_IRQ_INFO_EVENTFD));
    assert_eq!(open(&tree(), &CARD).unwrap().interrupt.index, VFIO_PCI_INTX_IRQ_INDEX);
    log();
    let device = open(&tree(), &msi).unwrap();
    assert_eq!(log().last().unwrap(), "set_irq 1 0x24 eventfd");
    assert_eq!(command(), 0x0006, "MSI needs bus mastering");
    device.rearm().unwrap();
    assert!(log().is_empty(), "nothing to unmask");
    drop(device);
    assert_eq!(log()[0], "stop_irqs 1 0x21");
}

#[test]
fn a_card_without_interrupt_is_reported() {
    kernel(|kernel| kernel.irqs[0] = (0, 0));
    assert!(matches!(error(&tree()), VfioError::NoInterrupt));
    assert_eq!(log().last().unwrap(), "unmap_dma 0x100000 0x1000", "what was mapped is unmapped");
}

#[test]
fn a_shared_line_is_reported_with_its_users() {
    kernel(|kernel| kernel.failing = Some(("set_irq 0", libc::EBUSY)));
    let tree = tree();
    let text = error(&tree).to_string();
    assert!(text.contains("line 16 is shared with other devices (cat /proc/interrupts"), "{text}");
    tree.file("sys/kernel/irq/16/actions", "ehci_hcd:usb1,snd_hda_intel\n");
    let text = error(&tree).to_string();
    assert!(text.contains("shared with ehci_hcd:usb1, snd_hda_intel"), "{text}");
    assert!(text.contains("another slot") && text.contains("ringback module"), "{text}");

    kernel(|kernel| kernel.failing = Some(("set_irq 0", libc::EINVAL)));
    assert!(matches!(error(&tree), VfioError::System { .. }));
}

#[test]
fn memory_is_placed_where_the_iommu_allows_it() {
    let ranges = iova::made_up_ranges(&[(0, 0xF_FFFF), (0x4000_0000, 0x4001_FFFF)]);
    kernel(|kernel| kernel.iommu = iova::made_up(0x1_0000, &[ranges]));
    let device = open(&tree(), &Needs { dma: 0x1_0001, ..CARD }).unwrap();
    let dma = device.dma().unwrap();
    assert_eq!((dma.bus_address(), dma.len()), (0x4000_0000, 0x2_0000));
    drop(device);

    let needs = Needs { dma: 0x2_0001, ..CARD };
    let text = open(&tree(), &needs).map(drop).unwrap_err().to_string();
    assert!(text.contains("0x40000000-0x4001ffff") && text.contains("below 4 GiB"), "{text}");
    let needs = Needs { dma: usize::MAX, ..CARD };
    assert!(matches!(open(&tree(), &needs), Err(VfioError::NoIova { .. })));
}

#[test]
fn memory_that_can_not_be_locked_is_reported() {
    kernel(|kernel| kernel.failing = Some(("map_dma", libc::ENOMEM)));
    let text = error(&tree()).to_string();
    assert!(text.contains("ulimit -l"), "{text}");
}

#[test]
fn a_group_with_other_devices_is_reported() {
    let tree = tree();
    tree.pci("0000:05:01.0", IDS, Some("e1000")).group(12, "0000:05:01.0");
    kernel(|kernel| kernel.group_flags = 0);
    let text = error(&tree).to_string();
    assert!(text.contains("0000:05:01.0 (driver e1000)"), "{text}");
    assert!(log().is_empty());

    for errno in [libc::EBUSY, libc::EPERM] {
        kernel(|kernel| {
            kernel.group_flags = VFIO_GROUP_FLAGS_VIABLE;
            kernel.failing = Some(("set_container", errno));
        });
        assert!(matches!(error(&tree), VfioError::NotViable { .. }));
    }
}

#[test]
fn a_container_of_another_kind_is_reported() {
    kernel(|kernel| kernel.type1 = false);
    assert!(matches!(error(&tree()), VfioError::NoType1 { version: 0 }));
    kernel(|kernel| {
        kernel.type1 = true;
        kernel.version = 1;
    });
    assert!(matches!(error(&tree()), VfioError::NoType1 { version: 1 }));
}

#[test]
fn a_machine_without_interrupt_remapping_is_reported() {
    kernel(|kernel| kernel.failing = Some(("set_iommu", libc::EPERM)));
    let text = error(&tree()).to_string();
    assert!(text.contains("allow_unsafe_interrupts=1"), "{text}");
}

#[test]
fn each_step_that_fails_is_named() {
    for (call, what) in [
        ("set_container", "put the IOMMU group to use"),
        ("set_iommu", "set up the IOMMU"),
        ("device", "open the card"),
        ("map_dma", "map DMA memory"),
        ("set_irq", "set up the card's interrupt"),
    ] {
        kernel(|kernel| kernel.failing = Some((call, libc::EIO)));
        let text = error(&tree()).to_string();
        assert!(text.contains(what), "{call}: {text}");
    }
}

#[test]
fn device_files_that_do_not_open_are_distinguished() {
    let tree = tree();
    for (errno, part) in [
        (libc::EACCES, "no permission"),
        (libc::EBUSY, "in use by another program"),
        (libc::EMFILE, "can't open"),
    ] {
        let path = tree.root.dev("vfio/12");
        let refused = thread::spawn(move || {
            seccomp::refuse(libc::SYS_openat, None, errno);
            open_file(&path).map(drop).unwrap_err()
        });
        let text = refused.join().unwrap().to_string();
        assert!(text.contains(part) && text.contains("dev/vfio/12"), "{text}");
    }
    fs::remove_file(tree.root.dev("vfio/vfio")).unwrap();
    let text = error(&tree).to_string();
    assert!(text.contains("modprobe vfio-pci"), "{text}");
}

#[test]
fn a_card_is_reset_only_where_it_can_be_alone() {
    let device = open(&tree(), &CARD).unwrap();
    log();
    assert_eq!(device.reset().unwrap_err().kind(), io::ErrorKind::Unsupported);
    assert!(log().is_empty());
    kernel(|kernel| kernel.device_flags = VFIO_DEVICE_FLAGS_RESET);
    let device = open(&tree(), &CARD).unwrap();
    log();
    device.reset().unwrap();
    assert_eq!(log(), ["reset"]);
}

#[test]
fn a_mediated_device_is_opened_by_its_uuid() {
    let tree = Tree::new();
    tree.link(&format!("sys/bus/mdev/devices/{UUID}/iommu_group"), "../../iommu_groups/0");
    tree.file("dev/vfio/vfio", "").file("dev/vfio/0", "");
    kernel(|kernel| kernel.bars = vec![(8, PLAIN, 0)]);
    let needs = Needs { registers: 8, dma: 0, msi: false };
    let device = VfioDevice::open_mdev(&tree.root, &UUID.parse().unwrap(), &needs).unwrap();
    assert_eq!(device.name(), format!("mdev:{UUID}"));
    assert!(log().contains(&format!("device {UUID}")));
    assert_eq!(device.registers().len(), 8);
}
