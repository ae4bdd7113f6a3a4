//! Cards behind a UIO driver: the `ringback` module, `uio_dummy`, `uio_pci_generic`.
//!
//! `/sys/class/uio/uioN` describes the device, and `/dev/uioN` gives access to it: map M is mapped
//! at an offset of M pages, a read of 4 bytes waits for an interrupt, and a write of 4 bytes
//! enables the next one.
//!
//! # Which map is what
//! The map that is named `dma` is the memory the card masters. Its address on the bus is the
//! device's attribute `dma_address`, where there is one (older modules), else the map's `addr`. The
//! first map with any other name is the register window.
//!
//! # Interrupts
//! The file is non-blocking, as the ring needs it. Re-enabling is `irqcontrol`, a plain `write(2)`
//! (io_uring could not complete it: a UIO file never polls writable). A driver without
//! `irqcontrol` either never masks the interrupt, or is `uio_pci_generic`, which masks the card's
//! INTx in the PCI command register; [`Device::rearm`] clears that bit again.

mod error;
mod info;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

pub use error::UioError;
pub use info::{UioInfo, UioMap};

use super::mmio::{MappedMemory, MappedRegisters};
use super::pci;
use super::selector::Selector;
use super::sysfs::SysfsRoot;
use super::{Device, InterruptFd, InterruptSize, Needs};

/// Interrupt disable in the high byte of the PCI command register (bit 10), and that byte's place.
const INTX_DISABLE: u8 = 1 << 2;
const COMMAND_HIGH: u64 = pci::COMMAND + 1;

/// The largest address a 32-bit bus master reaches, plus one.
const BUS_LIMIT: u64 = 1 << 32;

/// A card behind a UIO driver.
pub struct UioDevice {
    name: String,
    file: File,
    registers: MappedRegisters,
    dma: Option<MappedMemory>,
    /// The PCI configuration space, where the device is a PCI function.
    config: Option<PathBuf>,
    /// How an interrupt is unmasked if there is no `irqcontrol`.
    unmask: Option<IntxMask>,
    /// `irqcontrol` is known not to exist.
    no_irqcontrol: AtomicBool,
}

/// The command register of a card under uio_pci_generic.
struct IntxMask {
    config: File,
    /// Its high byte with interrupts enabled.
    enabled: u8,
}

impl UioDevice {
    /// Opens `/dev/uio<number>` and maps what `needs` names.
    ///
    /// # Errors
    /// What is missing, with the cure in the text.
    pub fn open(root: &SysfsRoot, number: u32, needs: &Needs) -> Result<UioDevice, UioError> {
        let info = UioInfo::read(root, number)?;
        let registers =
            info.registers().ok_or_else(|| UioError::NoMaps { name: info.name.clone() })?;
        let registers_window = registers.window(needs.registers)?;
        let dma = match info.dma() {
            _ if needs.dma == 0 => None,
            Some(map) => Some((map, map.window(needs.dma)?, bus_address(&info, map)?)),
            None => return Err(UioError::NoDma { name: info.name }),
        };

        let path = root.dev(format!("uio{number}"));
        let file = open(&path, number, &info.name)?;
        let windows = [Some(registers_window), dma.as_ref().map(|(_, window, _)| *window)];
        let failed = |index| {
            let path = path.clone();
            move |source| UioError::Map { index, path, source }
        };
        let (place, skip, len) = registers_window;
        let registers =
            MappedRegisters::new(&file, place, skip, len).map_err(failed(registers.index))?;
        let dma = match dma {
            Some((map, (place, skip, len), bus)) => {
                Some(MappedMemory::new(&file, place, skip, len, bus).map_err(failed(map.index))?)
            }
            None => None,
        };

        // Nothing has been accessed yet.
        for (place, skip, len) in windows.into_iter().flatten() {
            let end = place.saturating_add(skip as u64).saturating_add(len as u64);
            if !is_mappable(root, &file, end) {
                return Err(UioError::NotADevice(path));
            }
        }

        let config = info.pci.map(|address| root.sys(address.folder()).join("config"));
        let unmask = match &config {
            Some(path) if info.name == "uio_pci_generic" => Some(
                IntxMask::open(path)
                    .map_err(|source| UioError::Config { path: path.clone(), source })?,
            ),
            _ => None,
        };
        Ok(UioDevice {
            name: Selector::Uio(number).to_string(),
            file,
            registers,
            dma,
            config,
            unmask,
            no_irqcontrol: AtomicBool::new(false),
        })
    }
}

fn open(path: &PathBuf, number: u32, name: &str) -> Result<File, UioError> {
    // The standard library adds O_CLOEXEC.
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path);
    file.map_err(|source| match source.kind() {
        _ if name == "ringback" && source.raw_os_error() == Some(libc::EPERM) => {
            UioError::Unconfined { path: path.clone() }
        }
        io::ErrorKind::PermissionDenied => {
            UioError::Permission { path: path.clone(), name: name.to_owned() }
        }
        io::ErrorKind::ResourceBusy => UioError::Busy(path.clone()),
        _ if source.raw_os_error() == Some(libc::ENODEV) => UioError::Gone {
            path: path.clone(),
            remove: format!("/sys/class/uio/uio{number}/device/remove"),
        },
        _ => UioError::Open { path: path.clone(), source },
    })
}

/// Whether a map's bytes exist up to `end`. An access behind the end of an ordinary file, which
/// stands in for a device in tests, would end the process.
fn is_mappable(root: &SysfsRoot, file: &File, end: u64) -> bool {
    let Ok(found) = file.metadata() else { return false };
    if found.file_type().is_char_device() {
        return true;
    }
    !root.is_system() && found.len() >= end
}

/// Where the card reaches the first byte of a map; the last one is below 4 GiB.
fn bus_address(info: &UioInfo, map: &UioMap) -> Result<u64, UioError> {
    let address = info.dma_address.unwrap_or(map.address);
    let end = address.checked_add(map.size).filter(|&end| end <= BUS_LIMIT);
    end.map(|_| address + map.offset).ok_or(UioError::DmaTooHigh { address })
}

impl IntxMask {
    fn open(path: &PathBuf) -> io::Result<IntxMask> {
        let config = OpenOptions::new().read(true).write(true).open(path)?;
        let mut high = [0];
        config.read_exact_at(&mut high, COMMAND_HIGH)?;
        Ok(IntxMask { config, enabled: high[0] & !INTX_DISABLE })
    }

    fn clear(&self) -> io::Result<()> {
        self.config.write_all_at(&[self.enabled], COMMAND_HIGH)
    }
}

impl Device for UioDevice {
    type Registers = MappedRegisters;
    type Dma = MappedMemory;

    fn name(&self) -> &str {
        &self.name
    }

    fn registers(&self) -> &MappedRegisters {
        &self.registers
    }

    fn dma(&self) -> Option<&MappedMemory> {
        self.dma.as_ref()
    }

    fn interrupt(&self) -> io::Result<InterruptFd> {
        let fd = self.file.as_fd().try_clone_to_owned()?;
        Ok(InterruptFd { fd, size: InterruptSize::UioCounter })
    }

    fn kernel_acknowledges(&self) -> bool {
        self.unmask.is_none()
    }

    fn rearm(&self) -> io::Result<()> {
        if !self.no_irqcontrol.load(Ordering::Relaxed) {
            match (&self.file).write_all(&1_i32.to_ne_bytes()) {
                Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                    self.no_irqcontrol.store(true, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        self.unmask.as_ref().map_or(Ok(()), IntxMask::clear)
    }

    /// Does nothing where the device is no PCI function.
    fn enable_bus_master(&self) -> io::Result<()> {
        let Some(config) = &self.config else { return Ok(()) };
        pci::enable_bus_master(config).map_err(|error| {
            let config = config.display();
            io::Error::new(error.kind(), format!("can't set bus master in {config}: {error}"))
        })
    }
}
