//! Cards by their short names.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringback_driver::card::uart16550::Uart16550;
use ringback_driver::card::{
    self, Country, Delay, PortCard, PortCardKind, Slot, ThreadDelay, tiger320, uart16550,
};
use ringback_driver::device::discover::discover;
use ringback_driver::device::selector::Selector;
use ringback_driver::device::shim::ShimDevice;
#[cfg(feature = "softcard")]
use ringback_driver::device::soft::SoftDevice;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::trace::{RegisterTrace, TracedDevice};
use ringback_driver::device::uio::UioDevice;
use ringback_driver::device::vfio::VfioDevice;
use ringback_driver::device::{Device, Kind};
use ringback_driver::{PortNumber, report};
use ringback_lines::modem::ModemOptions;
#[cfg(feature = "softcard")]
use ringback_softcard::SoftCard;

use super::card::{LineProvider, ModemProvider};
use super::cards::ModemCard;
use super::open_error::OpenError;
use super::report::Slots;

/// How cards of one kind are opened.
type Opener = fn(&Selector, CardOptions) -> Result<Box<dyn Slots>, OpenError>;

/// The kinds of cards that have lines.
#[rustfmt::skip]
const OPENERS: &[(Kind, Opener)] = &[
    (tiger320::KIND, open_ports::<tiger320::Tdm400p>),
    (uart16550::KIND, open_modem),
];

/// Called with the time that a card has been coming up; returns whether to go on.
pub type Progress = Box<dyn FnMut(Duration) -> bool + Send>;

/// Options for opening a card.
#[derive(Default)]
pub struct CardOptions {
    /// Line settings of the FXO modules.
    pub country: Country,
    /// The card that `soft` names. Its clock has to run ([`ringback_softcard::RealClock`]),
    /// otherwise it does nothing.
    #[cfg(feature = "softcard")]
    pub soft: Option<SoftCard>,
    /// The settings of a modem's line.
    pub modem: ModemOptions,
    /// Where every access to the card's registers is recorded.
    pub trace: Option<Arc<RegisterTrace>>,
    /// Called repeatedly with the time that the card has been coming up, which takes seconds. Once
    /// it returns `false` nothing is waited for any more: soon after, the card fails to come up, or
    /// comes up with failed modules.
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

/// Opens a card and brings it up, which takes a second or more, but not for a modem's serial port.
///
/// A module that does not work is named in the log; its line is missing, the others work.
///
/// # Errors
/// [`OpenError`] says what is wrong and what to do.
pub fn open_card(selector: &Selector, options: CardOptions) -> Result<Box<dyn Slots>, OpenError> {
    let found = discover(&SysfsRoot::system(), card::KINDS);
    let found = found.into_iter().find(|card| card.selector == *selector);
    let kind = found.map_or_else(|| usual(selector), |card| card.kind);
    let opener = OPENERS.iter().find(|(known, _)| *known == kind);
    // Any other device is opened as a TDM400P, whose error says what is wrong.
    let open = opener.map_or(open_ports::<tiger320::Tdm400p> as Opener, |(_, opener)| *opener);
    open(selector, options)
}

/// The kind to open if the card was not found; opening it then gives the error.
fn usual(selector: &Selector) -> Kind {
    match selector {
        Selector::Mdev(_) => uart16550::KIND,
        Selector::Soft | Selector::Shim(_) | Selector::Uio(_) | Selector::Pci(_) => tiger320::KIND,
    }
}

fn open_modem(selector: &Selector, options: CardOptions) -> Result<Box<dyn Slots>, OpenError> {
    let (root, needs) = (SysfsRoot::system(), uart16550::KIND.needs());
    match selector.clone() {
        Selector::Uio(number) => {
            serve_modem(options, move || Ok(UioDevice::open(&root, number, &needs)?))
        }
        Selector::Pci(address) => {
            serve_modem(options, move || Ok(VfioDevice::open_pci(&root, address, &needs)?))
        }
        Selector::Mdev(uuid) => {
            serve_modem(options, move || Ok(VfioDevice::open_mdev(&root, &uuid, &needs)?))
        }
        // `discover` calls no modem so.
        Selector::Soft | Selector::Shim(_) => Err(OpenError::NoSoftCard),
    }
}

fn serve_modem<D: Device>(
    options: CardOptions,
    mut device: impl FnMut() -> Result<D, OpenError> + Send + 'static,
) -> Result<Box<dyn Slots>, OpenError> {
    let CardOptions { modem, trace, .. } = options;
    let provider = ModemProvider::new(move || {
        let device = TracedDevice::new(device()?, trace.clone());
        let uart = Uart16550::open(device, uart16550::Options::default(), &mut ThreadDelay)?;
        Ok(ModemCard { uart, options: modem.clone() })
    })?;
    Ok(Box::new(provider))
}

fn open_ports<K: PortCardKind + 'static>(
    selector: &Selector,
    options: CardOptions,
) -> Result<Box<dyn Slots>, OpenError> {
    let (root, needs) = (SysfsRoot::system(), K::KIND.needs());
    match selector.clone() {
        #[cfg(not(feature = "softcard"))]
        Selector::Soft => Err(OpenError::NoSoftCard),
        #[cfg(feature = "softcard")]
        Selector::Soft => {
            let card = options.soft.clone().ok_or(OpenError::NoSoftCard)?;
            serve_ports::<K, _>(options, move || {
                SoftDevice::card(card.clone()).map_err(OpenError::Soft)
            })
        }
        Selector::Shim(number) => {
            serve_ports::<K, _>(options, move || Ok(ShimDevice::open(&root, number, &needs)?))
        }
        Selector::Uio(number) => {
            serve_ports::<K, _>(options, move || Ok(UioDevice::open(&root, number, &needs)?))
        }
        Selector::Pci(address) => {
            serve_ports::<K, _>(options, move || Ok(VfioDevice::open_pci(&root, address, &needs)?))
        }
        Selector::Mdev(uuid) => {
            serve_ports::<K, _>(options, move || Ok(VfioDevice::open_mdev(&root, &uuid, &needs)?))
        }
    }
}

fn serve_ports<K: PortCardKind + 'static, D: Device>(
    options: CardOptions,
    mut device: impl FnMut() -> Result<D, OpenError> + Send + 'static,
) -> Result<Box<dyn Slots>, OpenError> {
    let (country, trace) = (options.country, options.trace);
    let mut progress = options.progress.unwrap_or_else(|| Box::new(|_| true));
    let provider = LineProvider::new(move || {
        let mut delay = Told { since: Instant::now(), progress: &mut *progress, on: true };
        let device = TracedDevice::new(device()?, trace.clone());
        let card = K::open(device, country, &mut delay)?;
        for (slot, content) in PortNumber::each().zip(card.slots()) {
            if let Slot::Failed(error) = content {
                report!(WARN, "slot {slot}: a module does not work: {error}");
            }
        }
        Ok(card)
    })?;
    Ok(Box::new(provider))
}

/// Sleeps, and reports about ten times a second how long the card has been coming up.
struct Told<'a> {
    since: Instant,
    progress: &'a mut (dyn FnMut(Duration) -> bool + Send),
    /// Whether opening continues; otherwise this does not sleep any more.
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
