//! Cards behind VFIO: a PCI function bound to vfio-pci, or a mediated device.
//!
//! VFIO hands out a device in three steps: its IOMMU group (`/dev/vfio/N`), which is put into a
//! container (`/dev/vfio/vfio`) that translates for it, and then the device itself.
//!
//! # Rules
//! - **Registers** are the first BAR that is large enough; one that can be mapped is preferred (the
//!   Tiger320 has the same registers as I/O and as memory).
//! - **Interrupts** are an eventfd. INTx is masked by the kernel each time it fires, and
//!   [`Device::rearm`] unmasks it; MSI is never masked. MSI is used if the driver allows it
//!   ([`Needs::msi`]) and the card has it.
//! - **DMA memory** is pinned and mapped into the IOMMU below 4 GiB; the card reaches nothing else.
//! - **Dropping** the device stops its interrupts and its bus mastering before its memory is taken
//!   away. If the process dies, the kernel does the same.

#![allow(unsafe_code)]

mod error;
pub(in crate::device) mod group;
mod iova;
mod registers;
#[cfg_attr(test, path = "vfio/twin.rs")]
mod sys;
#[cfg(test)]
mod tests;

use crate::report;
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::Path;
use std::sync::Arc;

use nix::sys::eventfd::{EfdFlags, EventFd};
use vfio_bindings::bindings::vfio::{
    VFIO_API_VERSION, VFIO_DEVICE_FLAGS_RESET, VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE,
    VFIO_GROUP_FLAGS_VIABLE, VFIO_IRQ_INFO_AUTOMASKED, VFIO_IRQ_INFO_EVENTFD,
    VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_UNMASK, VFIO_IRQ_SET_DATA_EVENTFD,
    VFIO_IRQ_SET_DATA_NONE, VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_TYPE1v2_IOMMU,
    vfio_iommu_type1_dma_map,
};

pub use error::VfioError;
pub use registers::VfioRegisters;

use super::mmio::{MappedMemory, page_size};
use super::pci::PciAddress;
use super::selector::{MdevUuid, Selector};
use super::sysfs::SysfsRoot;
use super::{Device, DmaMemory, InterruptFd, InterruptSize, Needs};
use group::Group;
use iova::IommuInfo;

/// A card behind VFIO.
pub struct VfioDevice {
    name: String,
    registers: VfioRegisters,
    interrupt: Interrupt,
    dma: Option<Dma>,
    /// Whether VFIO can reset the card without resetting other devices.
    resettable: bool,
    device: Arc<File>,
    /// Kept open for as long as the device is, and closed after it.
    _group: File,
    _container: Arc<File>,
}

impl VfioDevice {
    /// Opens the PCI function at `address`, which is bound to vfio-pci.
    ///
    /// # Errors
    /// What is missing, with the cure in the text.
    pub fn open_pci(
        root: &SysfsRoot,
        address: PciAddress,
        needs: &Needs,
    ) -> Result<VfioDevice, VfioError> {
        let group = group::of_pci(root, address)?;
        let line = || Line::of(root, address);
        open(root, &group, Selector::Pci(address), &address.to_string(), needs, line)
    }

    /// Opens the mediated device `uuid`.
    ///
    /// # Errors
    /// As [`VfioDevice::open_pci`].
    pub fn open_mdev(
        root: &SysfsRoot,
        uuid: &MdevUuid,
        needs: &Needs,
    ) -> Result<VfioDevice, VfioError> {
        let group = group::of_mdev(root, uuid)?;
        open(root, &group, Selector::Mdev(uuid.clone()), &uuid.to_string(), needs, Line::default)
    }

    /// Puts the card into the state it has after power-on, where it can be reset alone.
    ///
    /// # Errors
    /// `Unsupported` where it can't; else the error of the reset.
    pub fn reset(&self) -> io::Result<()> {
        if !self.resettable {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "VFIO can't reset this card by itself",
            ));
        }
        sys::reset(&self.device)
    }
}

fn open(
    root: &SysfsRoot,
    group: &Group,
    selector: Selector,
    name: &str,
    needs: &Needs,
    line: impl FnOnce() -> Line,
) -> Result<VfioDevice, VfioError> {
    let container = Arc::new(open_file(&root.dev("vfio/vfio"))?);
    let version = sys::api_version(&container)
        .map_err(VfioError::system("ask VFIO for its interface version"))?;
    let type1 = sys::has_extension(&container, VFIO_TYPE1v2_IOMMU)
        .map_err(VfioError::system("ask VFIO for its IOMMU"))?;
    if version != VFIO_API_VERSION as i32 || !type1 {
        return Err(VfioError::NoType1 { version });
    }

    let group_file = open_file(&root.dev(Path::new("vfio").join(&group.name)))?;
    let flags = sys::group_flags(&group_file)
        .map_err(VfioError::system("ask for the state of the IOMMU group"))?;
    if flags & VFIO_GROUP_FLAGS_VIABLE == 0 {
        return Err(group.not_viable(root));
    }
    sys::set_container(&group_file, &container).map_err(|source| match source.raw_os_error() {
        // A member of the group got a driver since; older kernels say EPERM.
        Some(libc::EBUSY | libc::EPERM) => group.not_viable(root),
        _ => VfioError::System { what: "put the IOMMU group to use", source },
    })?;
    sys::set_iommu(&container, VFIO_TYPE1v2_IOMMU).map_err(|source| {
        match source.raw_os_error() {
            // Without interrupt remapping, any card could send any interrupt message.
            Some(libc::EPERM) => VfioError::NoInterruptRemapping,
            _ => VfioError::System { what: "set up the IOMMU for the card", source },
        }
    })?;

    // Neither a PCI address nor a UUID has a zero byte.
    let device_name = CString::new(name).unwrap_or_default();
    let device = sys::device(&group_file, &device_name)
        .map_err(VfioError::system("open the card (dmesg says why)"))?;
    let device = Arc::new(device);
    // This comes first, because some mediated devices answer the other calls only after it.
    let info = sys::device_info(&device).map_err(VfioError::system("ask what the card is"))?;
    let registers = VfioRegisters::open(&device, needs.registers)?;
    let dma = match needs.dma {
        0 => None,
        size => Some(Dma::new(Arc::clone(&container), size)?),
    };
    let interrupt = Interrupt::enable(&device, needs.msi, line)?;
    Ok(VfioDevice {
        name: selector.to_string(),
        registers,
        interrupt,
        dma,
        resettable: info.flags & VFIO_DEVICE_FLAGS_RESET != 0,
        device,
        _group: group_file,
        _container: container,
    })
}

fn open_file(path: &Path) -> Result<File, VfioError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|source| {
        let path = path.to_owned();
        match source.raw_os_error() {
            Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => VfioError::NotLoaded(path),
            Some(libc::EACCES | libc::EPERM) => VfioError::Permission(path),
            Some(libc::EBUSY) => VfioError::Busy(path),
            _ => VfioError::Open { path, source },
        }
    })
}

/// An interrupt line as `/sys` shows it.
#[derive(Default)]
struct Line {
    number: Option<u32>,
    /// The names of the drivers that handle it, as a list in words.
    users: String,
}

impl Line {
    fn of(root: &SysfsRoot, address: PciAddress) -> Line {
        let number: Option<u32> = root.small(address.folder().join("irq")).ok();
        let users = number.and_then(|irq| root.text(format!("kernel/irq/{irq}/actions")).ok());
        Line { number, users: users.unwrap_or_default() }
    }

    fn shared(self) -> VfioError {
        let irq = self.number.map(|number| format!(" {number}")).unwrap_or_default();
        let others = if self.users.is_empty() {
            "other devices (cat /proc/interrupts shows them)".to_owned()
        } else {
            self.users.replace(',', ", ")
        };
        VfioError::InterruptShared { irq, others }
    }
}

/// The card's interrupt: its eventfd, and how it is set and unmasked.
struct Interrupt {
    index: u32,
    /// Whether the kernel masks it each time it fires, so that it has to be unmasked.
    automasked: bool,
    event: EventFd,
}

impl Interrupt {
    fn enable(
        device: &File,
        msi: bool,
        line: impl FnOnce() -> Line,
    ) -> Result<Interrupt, VfioError> {
        let usable = |index| {
            let info = sys::irq_info(device, index).ok()?;
            (info.count > 0 && info.flags & VFIO_IRQ_INFO_EVENTFD != 0).then_some(info)
        };
        let info = msi
            .then(|| usable(VFIO_PCI_MSI_IRQ_INDEX))
            .flatten()
            .or_else(|| usable(VFIO_PCI_INTX_IRQ_INDEX))
            .ok_or(VfioError::NoInterrupt)?;
        // Non-blocking, as all interrupt files here; the kernel's side never blocks.
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(io::Error::from)
            .map_err(VfioError::system("make an eventfd"))?;
        let flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
        let fd = event.as_fd().as_raw_fd();
        sys::set_irq(device, info.index, flags, Some(fd)).map_err(|source| {
            match (info.index, source.raw_os_error()) {
                (VFIO_PCI_INTX_IRQ_INDEX, Some(libc::EBUSY)) => line().shared(),
                _ => VfioError::System { what: "set up the card's interrupt", source },
            }
        })?;
        if info.index == VFIO_PCI_MSI_IRQ_INDEX {
            // A message is a write to memory.
            registers::set_bus_master(device, true)
                .map_err(VfioError::system("let the card send interrupt messages"))?;
        }
        let automasked = info.flags & VFIO_IRQ_INFO_AUTOMASKED != 0;
        Ok(Interrupt { index: info.index, automasked, event })
    }
}

/// Memory of this process in the card's address space.
struct Dma {
    memory: MappedMemory,
    container: Arc<File>,
}

impl Dma {
    fn new(container: Arc<File>, size: usize) -> Result<Dma, VfioError> {
        let info = sys::iommu_info(&container)
            .map_err(VfioError::system("ask the IOMMU for its address ranges"))?;
        let info = IommuInfo::parse(&info);
        let page = info.page.max(page_size() as u64);
        let none = || VfioError::NoIova { need: size, ranges: info.shown() };
        let length = (size as u64).checked_next_multiple_of(page).ok_or_else(none)?;
        let iova = info.place(length, page).ok_or_else(none)?;
        let bytes = usize::try_from(length).map_err(|_| none())?;
        let memory = MappedMemory::anonymous(bytes, iova)
            .map_err(VfioError::system("allocate DMA memory"))?;
        let mut map = vfio_iommu_type1_dma_map {
            flags: VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
            vaddr: memory.address() as u64,
            iova,
            size: length,
            ..Default::default()
        };
        // SAFETY: `memory` is a mapping of `length` bytes that is only accessed by volatile words,
        // and `drop` unmaps it from the IOMMU before it is freed.
        unsafe { sys::map_dma(&container, &mut map) }.map_err(|source| {
            match source.raw_os_error() {
                Some(libc::ENOMEM) => VfioError::MemoryLock(source),
                _ => VfioError::System { what: "map DMA memory into the IOMMU", source },
            }
        })?;
        Ok(Dma { memory, container })
    }
}

impl Drop for Dma {
    fn drop(&mut self) {
        let memory = &self.memory;
        // Should this fail, the pages stay pinned until the container is closed, which is next:
        // the card never reaches memory that has another owner.
        let _ = sys::unmap_dma(&self.container, memory.bus_address(), memory.len() as u64);
    }
}

impl Drop for VfioDevice {
    fn drop(&mut self) {
        let stop = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
        let stopped = sys::stop_irqs(&self.device, self.interrupt.index, stop);
        let quiet = registers::set_bus_master(&self.device, false);
        if let Err(error) = stopped.and(quiet) {
            report!(DEBUG, "{}: closing: {error}", self.name);
        }
    }
}

impl Device for VfioDevice {
    type Registers = VfioRegisters;
    type Dma = MappedMemory;

    fn name(&self) -> &str {
        &self.name
    }

    fn registers(&self) -> &VfioRegisters {
        &self.registers
    }

    fn dma(&self) -> Option<&MappedMemory> {
        self.dma.as_ref().map(|dma| &dma.memory)
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        let fd = self.interrupt.event.as_fd().try_clone_to_owned()?;
        Ok(InterruptFd { fd, size: InterruptSize::EventFd })
    }

    fn rearm(&self) -> io::Result<()> {
        if !self.interrupt.automasked {
            return Ok(());
        }
        let unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;
        sys::set_irq(&self.device, self.interrupt.index, unmask, None)
    }

    fn enable_bus_master(&self) -> io::Result<()> {
        registers::set_bus_master(&self.device, true)
    }
}
