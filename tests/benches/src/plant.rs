//! The device under test, and who plays its hardware.

use std::io;

use ringback_driver::card::mailbox::SoftMailbox;
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::UioDevice;
use ringback_driver::device::{Device, Needs};

use crate::cell::Shot;
use crate::clock::now;

/// Entries of each of the mailbox's rings.
const ENTRIES: u32 = 4096;
/// The least that a mailbox's register window holds.
const REGISTERS: usize = 0x1010;

/// Where devices come from, a fresh one for each slice of the run.
pub(crate) trait Plant: Send + Sync + 'static {
    type Device: Device + Sync;

    /// A device with nothing in it, and its hardware.
    fn set_up(&self) -> io::Result<(Self::Device, Hardware)>;
}

/// Who answers.
#[derive(Debug, Clone)]
pub(crate) enum Hardware {
    /// Whoever has rung the doorbell plays the hardware next, so that its answer comes from another
    /// CPU than the reaper's and at once.
    Played { mailbox: SoftMailbox, interrupt: SoftInterrupt },
    /// The device is real, or a kernel module.
    Real,
}

impl Hardware {
    /// Takes what was submitted in and never answers it. `false` if the hardware is not ours.
    pub(crate) fn hold(&self) -> bool {
        match self {
            Hardware::Played { mailbox, .. } => {
                mailbox.hold();
                true
            }
            Hardware::Real => false,
        }
    }

    /// Answers what waits and interrupts. `false` if nothing waits yet: where the card is busy,
    /// whoever holds it rings the doorbell.
    pub(crate) fn answer(&self, shot: &mut Shot) -> bool {
        if let Hardware::Played { mailbox, interrupt } = self
            && mailbox.step(usize::MAX) != 0
        {
            if shot.staged {
                shot.raised = now();
            }
            interrupt.raise();
            return true;
        }
        matches!(self, Hardware::Real)
    }

    /// Answers once more, for whoever is to stop at the next interrupt.
    pub(crate) fn nudge(&self) {
        if let Hardware::Played { mailbox, interrupt } = self {
            mailbox.step(usize::MAX);
            interrupt.raise();
        }
    }
}

/// The software mailbox, its interrupt an eventfd.
pub(crate) struct Soft;

impl Plant for Soft {
    type Device = SoftDevice<SoftMailbox>;

    fn set_up(&self) -> io::Result<(Self::Device, Hardware)> {
        let mailbox = SoftMailbox::new(ENTRIES);
        let interrupt = SoftInterrupt::new()?;
        let device = SoftDevice::new(mailbox.clone(), None, interrupt.clone());
        Ok((device, Hardware::Played { mailbox, interrupt }))
    }
}

/// The mailbox of the module `uio_dummy`, by this number.
pub(crate) struct Uio(pub(crate) u32);

impl Plant for Uio {
    type Device = UioDevice;

    fn set_up(&self) -> io::Result<(Self::Device, Hardware)> {
        let needs = Needs { registers: REGISTERS, dma: 0, msi: true };
        let device = UioDevice::open(&SysfsRoot::system(), self.0, &needs);
        Ok((device.map_err(io::Error::other)?, Hardware::Real))
    }
}
