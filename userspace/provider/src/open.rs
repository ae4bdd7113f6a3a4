//! Cards by their short names.

use std::time::{Duration, Instant};
use std::{fmt, io};

use ringback_driver::card::tiger320::{Options, Tiger320};
use ringback_driver::card::uart16550::Uart16550;
use ringback_driver::card::{
    Country, Delay, PortCard, Slot, StartError, ThreadDelay, tiger320, uart16550,
};
use ringback_driver::device::discover::{Kind, discover};
use ringback_driver::device::selector::Selector;
use ringback_driver::device::shim::{ShimDevice, ShimError};
#[cfg(feature = "softcard")]
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::uio::{UioDevice, UioError};
use ringback_driver::device::vfio::{VfioDevice, VfioError};
use ringback_driver::device::{Device, Needs};
use ringback_driver::{reactor, report};
use ringback_lines::modem::ModemOptions;
#[cfg(feature = "softcard")]
use ringback_softcard::SoftCard;
use thiserror::Error;

use super::{CardProvider, ModemCard, ModemProvider};
use crate::Slots;

/// What a TDM400P needs of its device: the 256 registers of its I/O window, the 128 bytes of its
/// ring.
const NEEDS: Needs = Needs { registers: 0x100, dma: 128, msi: false };

/// Called with the time that a card has been coming up; returns whether to go on.
pub type Progress = Box<dyn FnMut(Duration) -> bool + Send>;

/// How a card is opened.
#[derive(Default)]
pub struct CardOptions {
    /// Line settings of the FXO modules.
    pub country: Country,
    /// The card that `soft` means. Its clock has to run ([`ringback_softcard::RealClock`]), or
    /// nothing will ever happen on it.
    #[cfg(feature = "softcard")]
    pub soft: Option<SoftCard>,
    /// How to speak to a modem.
    pub modem: ModemOptions,
    /// Called now and then with the time that the card has been coming up, which takes seconds.
    /// Once it returns `false` nothing is waited for any more: the card fails to come up, or comes
    /// up with modules that failed, soon.
    pub progress: Option<Progress>,
}

impl fmt::Debug for CardOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardOptions")
            .field("country", &self.country)
            .field("modem", &self.modem)
            .finish_non_exhaustive()
    }
}

/// Why a card could not be opened or started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its UIO device can't be used.
    #[error(transparent)]
    Uio(#[from] UioError),
    /// Its samples can't be had from the `ringback` module.
    #[error(transparent)]
    Shim(#[from] ShimError),
    /// Its VFIO device can't be used.
    #[error(transparent)]
    Vfio(#[from] VfioError),
    /// The software card's interrupt could not be made.
    #[error("the software card's interrupt (an eventfd) can't be made: {0}")]
    Soft(#[source] io::Error),
    /// `soft` without a software card.
    #[error("`soft` is a card in this program, and the program has made none")]
    NoSoftCard,
    /// The card does not come up.
    #[error(transparent)]
    Card(#[from] tiger320::OpenError),
    /// The serial port of the modem can't be used.
    #[error(transparent)]
    Uart(#[from] uart16550::OpenError),
    /// The card has no module that works.
    #[error("there is no working module on the card: {0}")]
    NoModules(String),
    /// The card does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no interrupt file.
    #[error("the card's interrupt file can't be had: {0}")]
    Interrupt(#[source] io::Error),
    /// It was shut down, and a callback has not returned since.
    #[error(
        "the card is still being shut down: a callback has not returned; it can be started again \
         once it has"
    )]
    StillRunning,
    /// The modules are others than before.
    #[error(
        "the card's modules are not those that were there when it was opened first; open it anew"
    )]
    OtherModules,
    /// The ring does not start.
    #[error(transparent)]
    Reactor(#[from] reactor::StartError),
}

impl OpenError {
    /// Whether the card is gone: it was there, and does not answer.
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            OpenError::Card(tiger320::OpenError::AllOnes)
                | OpenError::Uart(uart16550::OpenError::AllOnes)
                | OpenError::Uio(UioError::Gone { .. })
                | OpenError::Shim(ShimError::Uio(UioError::Gone { .. }))
                | OpenError::Start(StartError::Closed)
        )
    }
}

/// Opens a card and brings it up, which takes a second or more; a modem's serial port takes no
/// time.
///
/// A module that does not work is named in the log; its line is missing, the others work.
///
/// # Errors
/// [`OpenError`] says what is wrong and what to do.
pub fn open_card(selector: &Selector, options: CardOptions) -> Result<Box<dyn Slots>, OpenError> {
    let CardOptions { country, modem, progress, .. } = options;
    let root = SysfsRoot::system();
    let found = discover(&root).into_iter().find(|card| card.selector == *selector);
    let serial = found.is_some_and(|card| card.kind == Kind::Uart16550);
    match selector.clone() {
        #[cfg(not(feature = "softcard"))]
        Selector::Soft => Err(OpenError::NoSoftCard),
        #[cfg(feature = "softcard")]
        Selector::Soft => {
            let card = options.soft.ok_or(OpenError::NoSoftCard)?;
            bring_up(country, progress, move || {
                SoftDevice::card(card.clone()).map_err(OpenError::Soft)
            })
        }
        Selector::Shim(number) => {
            bring_up(country, progress, move || Ok(ShimDevice::open(&root, number, &NEEDS)?))
        }
        Selector::Uio(number) if serial => {
            open_modem(modem, move |needs| Ok(UioDevice::open(&root, number, needs)?))
        }
        Selector::Uio(number) => {
            bring_up(country, progress, move || Ok(UioDevice::open(&root, number, &NEEDS)?))
        }
        Selector::Pci(address) if serial => {
            open_modem(modem, move |needs| Ok(VfioDevice::open_pci(&root, address, needs)?))
        }
        Selector::Pci(address) => {
            bring_up(country, progress, move || Ok(VfioDevice::open_pci(&root, address, &NEEDS)?))
        }
        // There are no others with lines.
        Selector::Mdev(uuid) => {
            open_modem(modem, move |needs| Ok(VfioDevice::open_mdev(&root, &uuid, needs)?))
        }
    }
}

fn open_modem<D: Device>(
    options: ModemOptions,
    mut device: impl FnMut(&Needs) -> Result<D, OpenError> + Send + 'static,
) -> Result<Box<dyn Slots>, OpenError> {
    let provider = ModemProvider::new(move || {
        let device = device(&Uart16550::<D>::NEEDS)?;
        let uart = Uart16550::open(device, uart16550::Options::default(), &mut ThreadDelay)?;
        Ok(ModemCard { uart, options: options.clone() })
    })?;
    Ok(Box::new(provider))
}

fn bring_up<D: Device>(
    country: Country,
    progress: Option<Progress>,
    mut device: impl FnMut() -> Result<D, OpenError> + Send + 'static,
) -> Result<Box<dyn Slots>, OpenError> {
    let mut progress = progress.unwrap_or_else(|| Box::new(|_| true));
    let provider = CardProvider::new(move || {
        let mut delay = Told { since: Instant::now(), progress: &mut *progress, on: true };
        let card = Tiger320::open(device()?, Options { country }, &mut delay)?;
        for (slot, port) in card.slots().iter().enumerate() {
            if let Slot::Failed(error) = port {
                report!(WARN, "slot {slot}: a module does not work: {error}");
            }
        }
        Ok(card)
    })?;
    Ok(Box::new(provider))
}

/// Sleeps, and reports every tenth of a second or so how long the card has been coming up.
struct Told<'a> {
    since: Instant,
    progress: &'a mut (dyn FnMut(Duration) -> bool + Send),
    /// Whether opening goes on; otherwise it sleeps no more.
    on: bool,
}

impl Delay for Told<'_> {
    fn delay(&mut self, time: Duration) {
        const STEP: Duration = Duration::from_millis(100);
        let mut left = time;
        while self.on && !left.is_zero() {
            let step = left.min(STEP);
            ThreadDelay.delay(step);
            left -= step;
            self.on = (self.progress)(self.since.elapsed());
        }
    }
}
