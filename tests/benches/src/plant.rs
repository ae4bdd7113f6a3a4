//! The device to measure: the software mailbox, or a card of this machine.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::card::mailbox::SoftMailbox;
use ringback_driver::card::{KINDS, edu, mailbox, uart16550};
use ringback_driver::device::discover::discover;
use ringback_driver::device::selector::Selector;
use ringback_driver::device::soft::{SoftDevice, SoftInterrupt};
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::{UioDevice, UioError};
use ringback_driver::device::vfio::VfioDevice;
use ringback_driver::device::{Device, InterruptFd, Needs, Registers};

use crate::aside::{Reaper, spare_cpu};
use crate::hardware::{Hardware, Told};
use crate::kinds::{Edu, Kind, Mailbox, Uart};
use crate::ways::{self, Way};

/// Number of entries of each of the mailbox's rings.
const ENTRIES: u32 = 4096;
/// Minimum size of a mailbox's register window.
const MAILBOX: usize = 0x1010;
/// The mailbox's registers for the time of its interrupt, see `kmod-shim/uio_dummy.c`.
const FEATURES: usize = 0x1C;
const TIME: [usize; 2] = [0x20, 0x24];
const HAS_TIME: u32 = 1;
/// Registers of an edu device and of a 16550.
const EDU: usize = 0x9C;
const UART: usize = 8;

/// How long a device may stay busy after its last user.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes a fresh device for each slice of the run.
pub(crate) trait Plant: Send + Sync + 'static {
    type Device: Device + Sync;
    type Kind: Kind;

    /// The CPU on which the hardware is to be played; `None` if that is not needed or not possible.
    fn aside(&self, reaper: Reaper) -> Option<usize>;

    /// Makes a device without requests, and its hardware, which is played on that CPU.
    fn set_up(&self, aside: Option<usize>) -> io::Result<(Self::Device, Hardware)>;
}

/// The software mailbox, whose interrupt is an eventfd.
pub(crate) struct Soft;

impl Plant for Soft {
    type Device = SoftDevice<SoftMailbox>;
    type Kind = Mailbox;

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

/// A real card, which `open` opens.
struct Real<K, F> {
    open: F,
    kind: PhantomData<fn() -> K>,
}

impl<K, D, F> Plant for Real<K, F>
where
    K: Kind,
    D: Device + Sync,
    F: Fn() -> io::Result<(D, Option<Told>)> + Send + Sync + 'static,
{
    type Device = D;
    type Kind = K;

    fn aside(&self, _: Reaper) -> Option<usize> {
        None
    }

    fn set_up(&self, _: Option<usize>) -> io::Result<(D, Hardware)> {
        let (device, told) = (self.open)()?;
        Ok((device, Hardware::Real(told)))
    }
}

fn real<K, D>(
    open: impl Fn() -> io::Result<(D, Option<Told>)> + Send + Sync + 'static,
) -> Vec<Box<dyn Way>>
where
    K: Kind,
    D: Device + Sync,
{
    ways::all(Real { open, kind: PhantomData::<fn() -> K> })
}

/// Returns all ways on a card of this machine.
///
/// # Errors
/// Why there are none, with the cure.
pub(crate) fn ways_on(card: &Selector) -> Result<Vec<Box<dyn Way>>, String> {
    let found =
        discover(&SysfsRoot::system(), KINDS).into_iter().find(|found| found.selector == *card);
    let found = found.ok_or_else(|| {
        format!("there is no card {card} that Ringback knows; `ringback device` lists them")
    })?;
    if let Some(need) = found.need {
        return Err(format!("{card} can't be used yet: {need}"));
    }
    let window = |registers| Needs { registers, dma: 0, msi: true };
    match (found.kind, card.clone()) {
        (kind, Selector::Uio(number)) if kind == mailbox::KIND => {
            Ok(real::<Mailbox, _>(move || open_mailbox(number)))
        }
        (kind, selector) if kind == edu::KIND => by::<Edu>(selector, window(EDU)),
        (kind, selector) if kind == uart16550::KIND => by::<Uart>(selector, window(UART)),
        (kind, _) => Err(format!(
            "{card} is a {kind}; measured are devices that answer what they are asked: the module \
             uio_dummy, QEMU's edu, and a 16550 whose output comes back (mtty, or a loopback plug)"
        )),
    }
}

fn by<K: Kind>(card: Selector, needs: Needs) -> Result<Vec<Box<dyn Way>>, String> {
    fn untold<D>(device: Result<D, impl std::error::Error>) -> io::Result<(D, Option<Told>)> {
        device.map(|device| (device, None)).map_err(|error| io::Error::other(error.to_string()))
    }
    let root = SysfsRoot::system;
    match card {
        Selector::Uio(number) => Ok(real::<K, _>(move || untold(open_uio(number, &needs)))),
        Selector::Pci(address) => {
            Ok(real::<K, _>(move || untold(VfioDevice::open_pci(&root(), address, &needs))))
        }
        Selector::Mdev(uuid) => {
            Ok(real::<K, _>(move || untold(VfioDevice::open_mdev(&root(), &uuid, &needs))))
        }
        other => Err(format!("{other} has no registers to be measured by")),
    }
}

/// Opens the device, and tries again for a while if it is busy: the kernel closes the files of a
/// ring a moment after its thread has ended.
fn open_uio(number: u32, needs: &Needs) -> Result<UioDevice, UioError> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match UioDevice::open(&SysfsRoot::system(), number, needs) {
            Err(UioError::Busy(_)) if Instant::now() < give_up => {
                thread::sleep(Duration::from_millis(1));
            }
            result => return result,
        }
    }
}

fn open_mailbox(number: u32) -> io::Result<(Shared, Option<Told>)> {
    let needs = Needs { registers: MAILBOX, dma: 0, msi: true };
    let device = open_uio(number, &needs);
    let device = Shared(Arc::new(device.map_err(io::Error::other)?));
    let tells = device.registers().read32(FEATURES) & HAS_TIME != 0;
    let told = tells.then(|| {
        let device = Arc::clone(&device.0);
        Told::new(move || last_interrupt(device.registers()))
    });
    Ok((device, told))
}

/// The time is read in two halves, until the upper half does not change between two reads.
fn last_interrupt(registers: &impl Registers) -> u64 {
    let [low, high] = TIME;
    loop {
        let upper = registers.read32(high);
        let lower = registers.read32(low);
        if registers.read32(high) == upper {
            return u64::from(upper) << 32 | u64::from(lower);
        }
    }
}

/// A device that the measurement reads as well.
struct Shared(Arc<UioDevice>);

impl Device for Shared {
    type Registers = <UioDevice as Device>::Registers;
    type Dma = <UioDevice as Device>::Dma;

    fn name(&self) -> &str {
        self.0.name()
    }
    fn registers(&self) -> &Self::Registers {
        self.0.registers()
    }
    fn dma(&self) -> Option<&Self::Dma> {
        self.0.dma()
    }
    fn interrupt(&self) -> io::Result<InterruptFd> {
        self.0.interrupt()
    }
    fn rearm(&self) -> io::Result<()> {
        self.0.rearm()
    }
    fn enable_bus_master(&self) -> io::Result<()> {
        self.0.enable_bus_master()
    }
}
