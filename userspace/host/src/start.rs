//! How a host starts on its providers.

use std::sync::Arc;

use ringback_request::report;
use ringback_tspi::constants::INITIALIZE_NEGOTIATION;
use ringback_tspi::error::{LineError, PhoneError};
use ringback_tspi::provider::{Control, Init, Provider, Tapi};
use ringback_tspi::structs::{LINEDEVCAPS, PHONECAPS};
use ringback_tspi::types::Version;

use super::host::{Devices, Host, Ways};
use super::info::{LineCaps, LineInfo, fetch};
use super::phone_info::{PhoneCaps, PhoneInfo};
use super::service::Service;
use super::shared::Shared;
use super::trace::{Observer, Trace};
use super::upward::Upward;

/// Options of a host.
#[derive(Clone, Default)]
pub struct HostOptions {
    /// Called for every request and every event.
    pub trace: Option<Arc<Trace>>,
}

impl std::fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostOptions").field("trace", &self.trace.is_some()).finish()
    }
}

/// Why a host did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError {
    error: LineError,
    cause: Option<String>,
}

impl StartError {
    fn new(error: LineError, cause: &str) -> StartError {
        StartError { error, cause: Some(cause.to_owned()) }
    }

    /// The error as TSPI numbers it: the provider's; ALLOCATED if the provider serves another host;
    /// OPERATIONUNAVAIL if it can't be served.
    pub fn error(&self) -> LineError {
        self.error
    }

    /// The cause, if it is known.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.error),
            None => self.error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<LineError> for StartError {
    fn from(error: LineError) -> StartError {
        StartError { error, cause: None }
    }
}

impl From<StartError> for LineError {
    fn from(error: StartError) -> LineError {
        error.error
    }
}

impl PartialEq<LineError> for StartError {
    fn eq(&self, error: &LineError) -> bool {
        self.error == *error
    }
}

impl Host {
    /// Takes a provider, a `Box` or an `Arc` of one, and starts it.
    ///
    /// A provider that sets LINETSPIOPTION_NONREENTRANT is called by one thread at a time (G9). For
    /// such a provider, and for one that was loaded from a library, callbacks run on the host's
    /// thread and never inside its upcalls (C8).
    ///
    /// # Errors
    /// [`StartError`]: the provider's, with its explanation; ALLOCATED for one that serves another
    /// host; INCOMPATIBLEAPIVERSION for one that negotiates a version it was not offered.
    pub fn start(
        provider: impl Into<Arc<dyn Provider>>,
        options: HostOptions,
    ) -> Result<Host, StartError> {
        let mut host = Host::without_providers(options, None);
        host.add(provider)?;
        Ok(host)
    }

    /// Starts another provider beside the first. Its lines get the device ids that follow.
    ///
    /// # Errors
    /// As [`start`](Host::start), and UNINITIALIZED once the host is shut down. The other providers
    /// are not affected.
    pub fn add(&mut self, provider: impl Into<Arc<dyn Provider>>) -> Result<(), StartError> {
        self.add_by(provider.into(), |provider, init, tapi| {
            provider.provider_init(init, tapi).map(|options| (options, ()))
        })
    }

    /// `runner` is the thread that runs a local host.
    pub(super) fn without_providers(options: HostOptions, runner: Option<i32>) -> Host {
        Host {
            shared: Arc::new(Shared::new(runner)),
            ways: Ways {
                lines: Arc::default(),
                phones: Arc::default(),
                observer: Arc::new(Observer(options.trace)),
            },
            services: Vec::new(),
            last_id: 0,
            lines: Devices::default(),
            phones: Devices::default(),
        }
    }

    /// Starts a provider by one of its two inits.
    pub(super) fn add_by<R>(
        &mut self,
        provider: Arc<dyn Provider>,
        init: impl FnOnce(&dyn Provider, Init, Box<dyn Tapi>) -> Result<(u32, R), LineError>,
    ) -> Result<R, StartError> {
        if !self.shared.ledger.is_open() {
            return Err(LineError::UNINITIALIZED.into());
        }
        let version = negotiate(&*provider, INITIALIZE_NEGOTIATION)?;
        // The id is never used again, because a provider that did not start may still make upcalls.
        self.last_id += 1;
        let id = self.last_id;
        let devices = provider.provider_enum_devices(id)?;
        let ids = |base: u32, count| {
            let end = base.checked_add(count).ok_or(LineError::OPERATIONFAILED)?;
            Ok::<_, LineError>(base..end)
        };
        let lines = ids(self.lines.next, devices.lines)?;
        let phones = ids(self.phones.next, devices.phones)?;
        let service = Arc::new(Service::new(&self.shared, id, version, &provider));
        let given = Init {
            version,
            permanent_provider_id: id,
            line_device_id_base: lines.start,
            phone_device_id_base: phones.start,
            num_lines: devices.lines,
            num_phones: devices.phones,
        };
        let upward = Upward::new(&service, &self.ways);
        let (options, runs) = init(&*provider, given, Box::new(upward))
            .map_err(|error| StartError { error, cause: failure_text(&*provider) })?;
        if service.is_over() {
            // D15: it has ignored this init with success, and dropped the `Tapi` that it was given.
            return Err(StartError::new(
                LineError::ALLOCATED,
                "the provider serves another host; shut that one down first, or give this one a \
                 provider of its own",
            ));
        }
        service.set_options(options);
        let next = (lines.end, phones.end);
        let infos: Result<Vec<_>, _> = lines.map(|id| line_info(&service, id)).collect();
        let infos = infos.inspect_err(|_| {
            // There is an error to return already.
            let _ = service.shut_down();
        })?;
        self.lines.add(infos, &service);
        self.phones.add(phones.filter_map(|id| phone_info(&service, id)).collect(), &service);
        (self.lines.next, self.phones.next) = next;
        self.services.push(service);
        Ok(runs)
    }
}

/// The version of the interface for a device.
fn negotiate(provider: &dyn Provider, device: u32) -> Result<Version, StartError> {
    let (low, high) = (Version::OLDEST_SPOKEN, Version::NEWEST_SPOKEN);
    let version = provider.line_negotiate_tspi_version(device, low.word(), high.word())?;
    if (low..=high).contains(&version) {
        return Ok(version);
    }
    Err(StartError::new(
        LineError::INCOMPATIBLEAPIVERSION,
        "the provider has answered a version of TSPI that it was not offered",
    ))
}

/// Asks the provider for its information about a line.
fn line_info(service: &Service, device_id: u32) -> Result<LineInfo, StartError> {
    let provider = service.provider();
    let version = negotiate(provider, device_id)?;
    let caps = fetch::<LINEDEVCAPS, _>(|memory| {
        provider.line_get_dev_caps(device_id, version, 0, memory)
    })?;
    Ok(LineCaps::read(&caps, version)?.info(device_id, version))
}

/// Asks the provider for its information about a phone. `None` if it is not usable, which must not
/// keep the application from the provider's lines.
fn phone_info(service: &Service, device_id: u32) -> Option<PhoneInfo> {
    let described = || {
        let provider = service.provider();
        let (low, high) = (Version::OLDEST_SPOKEN, Version::NEWEST_SPOKEN);
        let version = provider.phone_negotiate_tspi_version(device_id, low.word(), high.word())?;
        if !(low..=high).contains(&version) {
            return Err(PhoneError::INCOMPATIBLEAPIVERSION);
        }
        let caps = fetch::<PHONECAPS, _>(|memory| {
            provider.phone_get_dev_caps(device_id, version, 0, memory)
        })?;
        Ok(PhoneCaps::read(&caps, version)?.info(device_id, version))
    };
    let info = described();
    if let Err(error) = &info {
        report!(WARN, "phone {device_id} can't be used: {error}");
    }
    info.ok()
}

/// Why the init failed, in words, if the provider gives any.
fn failure_text(provider: &dyn Provider) -> Option<String> {
    provider.control().and_then(Control::failure_text)
}
