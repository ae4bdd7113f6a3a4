//! A card's register window as VFIO gives it: mapped where it can be, else read and written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use vfio_bindings::bindings::vfio::{
    VFIO_PCI_BAR5_REGION_INDEX, VFIO_PCI_CONFIG_REGION_INDEX, VFIO_REGION_INFO_FLAG_MMAP,
    VFIO_REGION_INFO_FLAG_READ, VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
};

use super::{VfioError, sys};
use crate::device::mmio::MappedRegisters;
use crate::device::pci::{COMMAND, COMMAND_BUS_MASTER};
use crate::device::{Registers, reaches};
use crate::report;

/// The register window of a [`VfioDevice`](super::VfioDevice).
#[derive(Debug)]
pub struct VfioRegisters {
    access: Route,
}

#[derive(Debug)]
enum Route {
    Mapped(MappedRegisters),
    /// An I/O BAR, or a mediated device's: each access is a system call.
    File {
        device: Arc<File>,
        offset: u64,
        len: usize,
    },
}

impl VfioRegisters {
    /// The first BAR of at least `need` bytes, one that can be mapped if there is any.
    pub(super) fn open(device: &Arc<File>, need: usize) -> Result<VfioRegisters, VfioError> {
        let mut largest = 0;
        let mut usable = Vec::new();
        for index in 0..=VFIO_PCI_BAR5_REGION_INDEX {
            // A mediated device may not have all of them.
            let Ok(region) = sys::region_info(device, index) else { continue };
            let both = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
            if region.size == 0 || region.flags & both != both {
                continue;
            }
            largest = largest.max(region.size);
            if region.size >= need as u64 {
                usable.push(region);
            }
        }
        let too_small = VfioError::RegionTooSmall { have: largest, need };
        let mapped = usable.iter().find_map(|region| map(device, region));
        if let Some(registers) = mapped {
            return Ok(VfioRegisters { access: Route::Mapped(registers) });
        }
        let region = usable.first().ok_or(too_small)?;
        let len = usize::try_from(region.size).unwrap_or(usize::MAX);
        let access = Route::File { device: Arc::clone(device), offset: region.offset, len };
        Ok(VfioRegisters { access })
    }
}

fn map(device: &Arc<File>, region: &vfio_region_info) -> Option<MappedRegisters> {
    if region.flags & VFIO_REGION_INFO_FLAG_MMAP == 0 {
        return None;
    }
    let len = usize::try_from(region.size).ok()?;
    MappedRegisters::new(&**device, region.offset, 0, len)
        .inspect_err(|error| report!(DEBUG, "BAR {} can't be mapped: {error}", region.index))
        .ok()
}

impl VfioRegisters {
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let Route::File { device, offset, len } = &self.access else { return None };
        if !reaches(*len, at, N) {
            return None;
        }
        let mut bytes = [0; N];
        // A device that is gone fails, and then reads as one that was never there.
        device.read_exact_at(&mut bytes, offset.checked_add(at as u64)?).ok()?;
        Some(bytes)
    }

    fn write<const N: usize>(&self, at: usize, bytes: [u8; N]) {
        let Route::File { device, offset, len } = &self.access else { return };
        if reaches(*len, at, N)
            && let Some(place) = offset.checked_add(at as u64)
        {
            // Writes to a removed device are dropped silently, as on PCI.
            let _ = device.write_all_at(&bytes, place);
        }
    }
}

impl Registers for VfioRegisters {
    fn len(&self) -> usize {
        match &self.access {
            Route::Mapped(registers) => registers.len(),
            Route::File { len, .. } => *len,
        }
    }

    fn read8(&self, offset: usize) -> u8 {
        match &self.access {
            Route::Mapped(registers) => registers.read8(offset),
            Route::File { .. } => self.read(offset).map_or(u8::MAX, u8::from_le_bytes),
        }
    }

    fn write8(&self, offset: usize, value: u8) {
        match &self.access {
            Route::Mapped(registers) => registers.write8(offset, value),
            Route::File { .. } => self.write(offset, value.to_le_bytes()),
        }
    }

    fn read32(&self, offset: usize) -> u32 {
        match &self.access {
            Route::Mapped(registers) => registers.read32(offset),
            Route::File { .. } => self.read(offset).map_or(u32::MAX, u32::from_le_bytes),
        }
    }

    fn write32(&self, offset: usize, value: u32) {
        match &self.access {
            Route::Mapped(registers) => registers.write32(offset, value),
            Route::File { .. } => self.write(offset, value.to_le_bytes()),
        }
    }
}

/// Sets or clears the bus-master bit in the configuration space.
pub(super) fn set_bus_master(device: &File, on: bool) -> io::Result<()> {
    let region = sys::region_info(device, VFIO_PCI_CONFIG_REGION_INDEX)?;
    let place = region.offset.checked_add(COMMAND).ok_or(io::ErrorKind::InvalidData)?;
    let mut command = [0; 2];
    device.read_exact_at(&mut command, place)?;
    let before = u16::from_le_bytes(command);
    let after = if on { before | COMMAND_BUS_MASTER } else { before & !COMMAND_BUS_MASTER };
    if after == before {
        return Ok(());
    }
    device.write_all_at(&after.to_le_bytes(), place)
}
