//! The device under test, and who plays its hardware.

use std::io;

use ringback_driver::card::mailbox::SoftMailbox;
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::UioDevice;
use ringback_driver::device::{Device, Needs};

use crate::aside::{Reaper, spare_cpu};
use crate::hardware::Hardware;

/// Entries of each of the mailbox's rings.
const ENTRIES: u32 = 4096;
/// The least that a mailbox's register window holds.
const REGISTERS: usize = 0x1010;

/// Where devices come from, a fresh one for each slice of the run.
pub(crate) trait Plant: Send + Sync + 'static {
    type Device: Device + Sync;

    /// The CPU on which the hardware is to be played, `None` where it need not or can't be.
    fn aside(&self, reaper: Reaper) -> Option<usize>;

    /// A device with nothing in it, and its hardware, played on that CPU.
    fn set_up(&self, aside: Option<usize>) -> io::Result<(Self::Device, Hardware)>;
}

/// The software mailbox, its interrupt an eventfd.
pub(crate) struct Soft;

impl Plant for Soft {
    type Device = SoftDevice<SoftMailbox>;

    fn aside(&self, reaper: Reaper) -> Option<usize> {
        spare_cpu(reaper)
    }

    fn set_up(&self, aside: Option<usize>) -> io::Result<(Self::Device, Hardware)> {
        let mailbox = SoftMailbox::new(ENTRIES);
        let interrupt = SoftInterrupt::new()?;
        let device = SoftDevice::new(mailbox.clone(), None, interrupt.clone());
        Ok((device, Hardware::played(mailbox, interrupt, aside)?))
    }
}

/// The mailbox of the module `uio_dummy`, by this number.
pub(crate) struct Uio(pub(crate) u32);

impl Plant for Uio {
    type Device = UioDevice;

    fn aside(&self, _: Reaper) -> Option<usize> {
        None
    }

    fn set_up(&self, _: Option<usize>) -> io::Result<(Self::Device, Hardware)> {
        let needs = Needs { registers: REGISTERS, dma: 0, msi: true };
        let device = UioDevice::open(&SysfsRoot::system(), self.0, &needs);
        Ok((device.map_err(io::Error::other)?, Hardware::Real))
    }
}
