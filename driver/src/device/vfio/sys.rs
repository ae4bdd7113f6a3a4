//! The system calls of VFIO, one function each: `linux/vfio.h`, legacy group and container.
//!
//! Tests replace this file by `twin.rs`, which answers as a kernel would.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{Ioctl, c_int};
use vfio_bindings::bindings::vfio::{
    VFIO_BASE, VFIO_TYPE, vfio_device_info, vfio_group_status, vfio_iommu_type1_dma_map,
    vfio_iommu_type1_dma_unmap, vfio_iommu_type1_info, vfio_irq_info, vfio_irq_set,
    vfio_region_info,
};

const fn request(number: u32) -> Ioctl {
    nix::request_code_none!(VFIO_TYPE, VFIO_BASE + number) as Ioctl
}

const GET_API_VERSION: Ioctl = request(0);
const CHECK_EXTENSION: Ioctl = request(1);
const SET_IOMMU: Ioctl = request(2);
const GROUP_GET_STATUS: Ioctl = request(3);
const GROUP_SET_CONTAINER: Ioctl = request(4);
const GROUP_GET_DEVICE_FD: Ioctl = request(6);
const DEVICE_GET_INFO: Ioctl = request(7);
const DEVICE_GET_REGION_INFO: Ioctl = request(8);
const DEVICE_GET_IRQ_INFO: Ioctl = request(9);
const DEVICE_SET_IRQS: Ioctl = request(10);
const DEVICE_RESET: Ioctl = request(11);
const IOMMU_GET_INFO: Ioctl = request(12);
const IOMMU_MAP_DMA: Ioctl = request(13);
const IOMMU_UNMAP_DMA: Ioctl = request(14);

fn result(returned: c_int) -> io::Result<c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// A call whose argument is a number.
fn call(file: &File, request: Ioctl, argument: libc::c_ulong) -> io::Result<c_int> {
    // SAFETY: the callers pass requests that take a number or nothing; the kernel follows no
    // pointer.
    result(unsafe { libc::ioctl(file.as_raw_fd(), request, argument) })
}

/// A call whose argument the kernel reads and fills.
fn fill<T>(file: &File, request: Ioctl, argument: &mut T) -> io::Result<c_int> {
    // SAFETY: the callers pass the structure that belongs to the request, its size in `argsz`; the
    // kernel touches no more than that.
    result(unsafe { libc::ioctl(file.as_raw_fd(), request, std::ptr::from_mut(argument)) })
}

/// `sizeof` as the `argsz` of a structure.
const fn argsz<T>() -> u32 {
    size_of::<T>() as u32
}

/// The container's interface version.
pub fn api_version(container: &File) -> io::Result<i32> {
    call(container, GET_API_VERSION, 0)
}

/// Whether the container has an extension.
pub fn has_extension(container: &File, extension: u32) -> io::Result<bool> {
    Ok(call(container, CHECK_EXTENSION, extension.into())? > 0)
}

/// Chooses the container's IOMMU model.
pub fn set_iommu(container: &File, model: u32) -> io::Result<()> {
    call(container, SET_IOMMU, model.into()).map(drop)
}

/// The flags of a group.
pub fn group_flags(group: &File) -> io::Result<u32> {
    let mut status = vfio_group_status { argsz: argsz::<vfio_group_status>(), flags: 0 };
    fill(group, GROUP_GET_STATUS, &mut status)?;
    Ok(status.flags)
}

/// Puts a group into a container.
pub fn set_container(group: &File, container: &File) -> io::Result<()> {
    let mut fd: c_int = container.as_raw_fd();
    fill(group, GROUP_SET_CONTAINER, &mut fd).map(drop)
}

/// Opens the device called `name` of a group.
pub fn device(group: &File, name: &CStr) -> io::Result<File> {
    // SAFETY: the kernel reads the name up to its end.
    let fd = unsafe { libc::ioctl(group.as_raw_fd(), GROUP_GET_DEVICE_FD, name.as_ptr()) };
    let fd = result(fd)?;
    // SAFETY: the kernel has just made this descriptor for us; nothing else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(File::from(fd))
}

/// What the device is.
pub fn device_info(device: &File) -> io::Result<vfio_device_info> {
    let argsz = argsz::<vfio_device_info>();
    let mut info = vfio_device_info { argsz, ..Default::default() };
    fill(device, DEVICE_GET_INFO, &mut info)?;
    Ok(info)
}

/// One region of the device.
pub fn region_info(device: &File, index: u32) -> io::Result<vfio_region_info> {
    let argsz = argsz::<vfio_region_info>();
    let mut info = vfio_region_info { argsz, index, ..Default::default() };
    fill(device, DEVICE_GET_REGION_INFO, &mut info)?;
    Ok(info)
}

/// One kind of interrupt of the device.
pub fn irq_info(device: &File, index: u32) -> io::Result<vfio_irq_info> {
    let argsz = argsz::<vfio_irq_info>();
    let mut info = vfio_irq_info { argsz, index, ..Default::default() };
    fill(device, DEVICE_GET_IRQ_INFO, &mut info)?;
    Ok(info)
}

/// Acts on the first interrupt of a kind: on it alone, or on it and its eventfd.
pub fn set_irq(device: &File, index: u32, flags: u32, eventfd: Option<RawFd>) -> io::Result<()> {
    /// `vfio_irq_set` with room for one descriptor.
    #[repr(C)]
    struct SetIrq {
        set: vfio_irq_set,
        eventfd: i32,
    }
    let length = match eventfd {
        Some(_) => argsz::<SetIrq>(),
        None => argsz::<vfio_irq_set>(),
    };
    let set =
        vfio_irq_set { argsz: length, flags, index, start: 0, count: 1, ..Default::default() };
    let mut set = SetIrq { set, eventfd: eventfd.unwrap_or(-1) };
    fill(device, DEVICE_SET_IRQS, &mut set).map(drop)
}

/// Stops a kind of interrupt.
pub fn stop_irqs(device: &File, index: u32, flags: u32) -> io::Result<()> {
    let argsz = argsz::<vfio_irq_set>();
    let mut set = vfio_irq_set { argsz, flags, index, start: 0, count: 0, ..Default::default() };
    fill(device, DEVICE_SET_IRQS, &mut set).map(drop)
}

/// Resets the PCI function (VFIO_DEVICE_RESET).
pub fn reset(device: &File) -> io::Result<()> {
    call(device, DEVICE_RESET, 0).map(drop)
}

/// `vfio_iommu_type1_info` with the capabilities behind it, as bytes.
pub fn iommu_info(container: &File) -> io::Result<Vec<u8>> {
    let mut info =
        vfio_iommu_type1_info { argsz: argsz::<vfio_iommu_type1_info>(), ..Default::default() };
    fill(container, IOMMU_GET_INFO, &mut info)?;
    // The kernel answered with the size it needs for everything.
    let size = (info.argsz as usize).clamp(size_of::<vfio_iommu_type1_info>(), 1 << 20);
    // Words, so that the structure in them is aligned.
    let mut words = vec![0_u64; size.div_ceil(8)];
    words[0] = u64::from_ne_bytes(concat(size as u32, 0));
    // SAFETY: `words` has at least `size` bytes, which is what its `argsz` says.
    result(unsafe { libc::ioctl(container.as_raw_fd(), IOMMU_GET_INFO, words.as_mut_ptr()) })?;
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.truncate(size);
    Ok(bytes)
}

/// Two words as they follow each other in memory.
fn concat(first: u32, second: u32) -> [u8; 8] {
    let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Lets the devices of a container reach memory of this process.
///
/// # Safety
/// The memory at `map.vaddr` is a mapping of `map.size` bytes that is accessed only by raw
/// pointers, because the card writes to it at any time until it is unmapped again.
pub unsafe fn map_dma(container: &File, map: &mut vfio_iommu_type1_dma_map) -> io::Result<()> {
    map.argsz = argsz::<vfio_iommu_type1_dma_map>();
    fill(container, IOMMU_MAP_DMA, map).map(drop)
}

/// Takes memory away from the devices of a container again.
pub fn unmap_dma(container: &File, iova: u64, size: u64) -> io::Result<()> {
    let argsz = argsz::<vfio_iommu_type1_dma_unmap>();
    let mut unmap = vfio_iommu_type1_dma_unmap { argsz, iova, size, ..Default::default() };
    fill(container, IOMMU_UNMAP_DMA, &mut unmap).map(drop)
}
