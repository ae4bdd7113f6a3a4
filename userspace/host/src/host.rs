//! The host: the TAPI of its providers.

use std::sync::Arc;

use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::types::{HTAPILINE, HTAPIPHONE};

use super::asked;
use super::counts::Counts;
use super::info::LineInfo;
use super::line::Line;
use super::outlet::{LineOutlet, Lines};
use super::phone::Phone;
use super::phone_info::PhoneInfo;
use super::phone_inner::{PhoneInner, Phones};
use super::service::Service;
use super::shared::Shared;
use super::trace::Observer;

/// The devices of a kind, and the provider of each.
pub(super) struct Devices<I> {
    pub(super) infos: Vec<I>,
    pub(super) served_by: Vec<Arc<Service>>,
    /// The device id of the next one.
    pub(super) next: u32,
}

impl<I> Devices<I> {
    /// The first device for which this is so, and its provider.
    fn find(&self, is_it: impl Fn(&I) -> bool) -> Option<(&I, &Arc<Service>)> {
        self.infos.iter().zip(&self.served_by).find(|(info, _)| is_it(info))
    }

    /// Adds devices of a provider.
    pub(super) fn add(&mut self, infos: Vec<I>, service: &Arc<Service>) {
        self.served_by.extend(infos.iter().map(|_| Arc::clone(service)));
        self.infos.extend(infos);
    }
}

impl<I> Default for Devices<I> {
    fn default() -> Devices<I> {
        Devices { infos: Vec::new(), served_by: Vec::new(), next: 0 }
    }
}

/// The open lines and phones of a host, and its observer.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) lines: Arc<Lines>,
    pub(super) phones: Arc<Phones>,
    pub(super) observer: Arc<Observer>,
}

/// One or several started providers with their lines and phones. Dropping it shuts them down.
pub struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) ways: Ways,
    pub(super) services: Vec<Arc<Service>>,
    /// The permanent provider id that was given out last.
    pub(super) last_id: u32,
    pub(super) lines: Devices<LineInfo>,
    pub(super) phones: Devices<PhoneInfo>,
}

impl Host {
    /// The lines of all providers.
    pub fn lines(&self) -> &[LineInfo] {
        &self.lines.infos
    }

    /// The phones of all providers. A phone about which its provider gives no usable information is
    /// left out.
    pub fn phones(&self) -> &[PhoneInfo] {
        &self.phones.infos
    }

    /// Opens a line (TSPI_lineOpen), by its device id, and has its calls of every kind reported
    /// (TSPI_lineSetDefaultMediaDetection).
    ///
    /// # Errors
    /// NODEVICE if there is no such line; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open(&self, device_id: u32) -> Result<Line, LineError> {
        asked::enter();
        let _using = self.shared.in_function(LineError::UNINITIALIZED)?;
        let line = self.lines.find(|info| info.device_id == device_id);
        let (info, service) = line.ok_or(LineError::NODEVICE)?;
        let LineInfo { version, media_modes, .. } = *info;
        let tapi = HTAPILINE::new(self.shared.next_handle()).ok_or(LineError::NOMEM)?;
        self.shared.hand.start();
        let Ways { lines, observer, .. } = &self.ways;
        // Dropping it closes it, also if it does not open.
        let line = Line(LineOutlet::new(service, lines, observer, info.clone(), tapi));
        let provider = service.provider();
        let driver = provider.line_open(device_id, tapi, version)?;
        line.0.inner.set_driver(driver);
        match provider.line_set_default_media_detection(driver, media_modes) {
            // This provider announces calls without being asked to.
            Ok(()) | Err(LineError::OPERATIONUNAVAIL) => {}
            Err(error) => return Err(error),
        }
        // It may have been shut down meanwhile.
        if self.shared.ledger.is_open() { Ok(line) } else { Err(LineError::UNINITIALIZED) }
    }

    /// Opens a phone (TSPI_phoneOpen), by its device id.
    ///
    /// # Errors
    /// NODEVICE if there is no such phone; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open_phone(&self, device_id: u32) -> Result<Phone, PhoneError> {
        asked::enter();
        let _using = self.shared.in_function(PhoneError::UNINITIALIZED)?;
        let phone = self.phones.find(|info| info.device_id == device_id);
        let (info, service) = phone.ok_or(PhoneError::NODEVICE)?;
        let version = info.version;
        let tapi = HTAPIPHONE::new(self.shared.next_handle()).ok_or(PhoneError::NOMEM)?;
        self.shared.hand.start();
        let Ways { phones, observer, .. } = &self.ways;
        // Dropping it closes it, also if it does not open.
        let phone = Phone(PhoneInner::new(service, phones, observer, info.clone(), tapi));
        phone.0.set_driver(service.provider().phone_open(device_id, tapi, version)?);
        // It may have been shut down meanwhile.
        if self.shared.ledger.is_open() { Ok(phone) } else { Err(PhoneError::UNINITIALIZED) }
    }

    /// The numbers of requests so far, by their ends.
    pub fn counts(&self) -> Counts {
        asked::enter();
        self.shared.counters.read()
    }

    /// How many requests are outstanding now.
    pub fn outstanding(&self) -> usize {
        asked::enter();
        self.shared.requests.len()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("lines", &self.lines.infos)
            .field("phones", &self.phones.infos)
            .finish_non_exhaustive()
    }
}
