//! Replaces `sys.rs` in tests: it returns what the test has set, and records the calls. Each thread
//! has its own state.

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::FileExt;

use vfio_bindings::bindings::vfio::{
    VFIO_GROUP_FLAGS_VIABLE, VFIO_IRQ_INFO_AUTOMASKED, VFIO_IRQ_INFO_EVENTFD,
    VFIO_PCI_CONFIG_REGION_INDEX, vfio_device_info, vfio_iommu_type1_dma_map, vfio_irq_info,
    vfio_region_info,
};

use super::iova::{made_up, made_up_ranges};

/// Where the configuration space is in the device's file.
pub const CONFIG: u64 = 0x8000;

/// Size, flags and place in the device's file of a region.
pub type Region = (u64, u32, u64);

pub struct Kernel {
    pub version: i32,
    pub type1: bool,
    pub group_flags: u32,
    pub device_flags: u32,
    pub bars: Vec<Region>,
    /// Count and flags of INTx and MSI.
    pub irqs: [(u32, u32); 2],
    pub iommu: Vec<u8>,
    /// The call that fails, and how.
    pub failing: Option<(&'static str, i32)>,
    /// The device was asked what it is.
    introduced: bool,
    /// The system calls that were asked for, in order.
    pub log: Vec<String>,
    /// The device's file, once it was opened.
    pub device: Option<File>,
}

impl Default for Kernel {
    /// A PCI card of one mappable page.
    fn default() -> Kernel {
        Kernel {
            version: 0,
            type1: true,
            group_flags: VFIO_GROUP_FLAGS_VIABLE,
            device_flags: 0,
            bars: vec![(0x1000, 7, 0x1000)],
            irqs: [(1, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_AUTOMASKED), (0, 0)],
            iommu: made_up(0x1000, &[made_up_ranges(&[(0, 0xFEDF_FFFF)])]),
            failing: None,
            introduced: false,
            log: Vec::new(),
            device: None,
        }
    }
}

thread_local! {
    static KERNEL: RefCell<Kernel> = RefCell::default();
}

/// Changes or looks at this thread's kernel.
pub fn kernel<T>(f: impl FnOnce(&mut Kernel) -> T) -> T {
    KERNEL.with_borrow_mut(f)
}

/// Records a call, and fails if it is the one that is to fail.
fn asked(what: impl Into<String>) -> io::Result<()> {
    let what = what.into();
    kernel(|kernel| {
        let failing = kernel.failing.filter(|(call, _)| what.starts_with(call));
        kernel.log.push(what);
        failing.map_or(Ok(()), |(_, errno)| Err(io::Error::from_raw_os_error(errno)))
    })
}

pub fn api_version(_container: &File) -> io::Result<i32> {
    Ok(kernel(|kernel| kernel.version))
}

pub fn has_extension(_container: &File, _extension: u32) -> io::Result<bool> {
    Ok(kernel(|kernel| kernel.type1))
}

pub fn set_iommu(_container: &File, model: u32) -> io::Result<()> {
    asked(format!("set_iommu {model}"))
}

pub fn group_flags(_group: &File) -> io::Result<u32> {
    Ok(kernel(|kernel| kernel.group_flags))
}

pub fn set_container(_group: &File, _container: &File) -> io::Result<()> {
    asked("set_container")
}

pub fn device(_group: &File, name: &CStr) -> io::Result<File> {
    asked(format!("device {}", name.to_str().unwrap()))?;
    let file = tempfile::tempfile()?;
    file.set_len(0x10000)?;
    file.write_all_at(&[0x59, 0xE1, 0x01, 0x00, 0x02, 0x00, 0x10, 0x02], CONFIG)?;
    kernel(|kernel| {
        kernel.device = file.try_clone().ok();
        kernel.introduced = false;
    });
    Ok(file)
}

pub fn device_info(_device: &File) -> io::Result<vfio_device_info> {
    let flags = kernel(|kernel| {
        kernel.introduced = true;
        kernel.device_flags
    });
    Ok(vfio_device_info { flags, num_regions: 9, num_irqs: 5, ..Default::default() })
}

pub fn region_info(_device: &File, index: u32) -> io::Result<vfio_region_info> {
    let region = match index {
        VFIO_PCI_CONFIG_REGION_INDEX => Some((256, 3, CONFIG)),
        _ => kernel(|kernel| kernel.bars.get(index as usize).copied()),
    };
    let (size, flags, offset) = region.ok_or(io::Error::from_raw_os_error(libc::EINVAL))?;
    Ok(vfio_region_info { index, size, flags, offset, ..Default::default() })
}

pub fn irq_info(_device: &File, index: u32) -> io::Result<vfio_irq_info> {
    // As the mediated device mtty: no answer before it was asked what it is.
    let irq =
        kernel(|kernel| kernel.irqs.get(index as usize).copied().filter(|_| kernel.introduced));
    let (count, flags) = irq.ok_or(io::Error::from_raw_os_error(libc::EINVAL))?;
    Ok(vfio_irq_info { index, count, flags, ..Default::default() })
}

pub fn set_irq(_device: &File, index: u32, flags: u32, eventfd: Option<RawFd>) -> io::Result<()> {
    let eventfd = if eventfd.is_some() { " eventfd" } else { "" };
    asked(format!("set_irq {index} {flags:#x}{eventfd}"))
}

pub fn stop_irqs(_device: &File, index: u32, flags: u32) -> io::Result<()> {
    asked(format!("stop_irqs {index} {flags:#x}"))
}

pub fn reset(_device: &File) -> io::Result<()> {
    asked("reset")
}

pub fn iommu_info(_container: &File) -> io::Result<Vec<u8>> {
    Ok(kernel(|kernel| kernel.iommu.clone()))
}

pub unsafe fn map_dma(_container: &File, map: &mut vfio_iommu_type1_dma_map) -> io::Result<()> {
    assert!(map.vaddr.is_multiple_of(0x1000));
    asked(format!("map_dma {:#x} {:#x} {}", map.iova, map.size, map.flags))
}

pub fn unmap_dma(_container: &File, iova: u64, size: u64) -> io::Result<()> {
    asked(format!("unmap_dma {iova:#x} {size:#x}"))
}
