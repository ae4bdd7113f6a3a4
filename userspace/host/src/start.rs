//! How a host starts on a provider.

use std::sync::Arc;

use ringback_tspi::constants::{INITIALIZE_NEGOTIATION, LINETSPIOPTION_NONREENTRANT};
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Control, Init, Provider, Tapi};
use ringback_tspi::structs::LINEDEVCAPS;
use ringback_tspi::types::Version;

use super::host::{Host, PERMANENT_PROVIDER_ID};
use super::info::{LineCaps, fetch};
use super::outlet::Lines;
use super::shared::Shared;
use super::trace::Trace;
use super::upward::Upward;

/// How a host works.
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

    /// What has led to it, if that is known.
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
    /// # Errors
    /// [`StartError`]: the provider's, with its words; ALLOCATED for one that serves another host;
    /// OPERATIONUNAVAIL for one that asks to be called by one thread at a time.
    pub fn start(
        provider: impl Into<Arc<dyn Provider>>,
        options: HostOptions,
    ) -> Result<Host, StartError> {
        let init = |provider: &dyn Provider, init, tapi| {
            provider.provider_init(init, tapi).map(|wishes| (wishes, ()))
        };
        Ok(Host::start_by(provider.into(), options, None, init)?.0)
    }

    /// Starts a provider by one of its two inits. `runner` is the thread that runs a local one.
    pub(super) fn start_by<R>(
        provider: Arc<dyn Provider>,
        options: HostOptions,
        runner: Option<i32>,
        init: impl FnOnce(&dyn Provider, Init, Box<dyn Tapi>) -> Result<(u32, R), LineError>,
    ) -> Result<(Host, R), StartError> {
        let (low, high) = (Version::OLDEST_SPOKEN.word(), Version::NEWEST_SPOKEN.word());
        let negotiate = |device| provider.line_negotiate_tspi_version(device, low, high);
        let version = negotiate(INITIALIZE_NEGOTIATION)?;
        let devices = provider.provider_enum_devices(PERMANENT_PROVIDER_ID)?;
        let shared = Arc::new(Shared::new(Arc::clone(&provider), runner));
        let open = Arc::new(Lines::new(options.trace));
        let upward = Upward { shared: Arc::clone(&shared), open: Arc::clone(&open), timing: None };
        let given = Init {
            version,
            permanent_provider_id: PERMANENT_PROVIDER_ID,
            line_device_id_base: 0,
            phone_device_id_base: 0,
            num_lines: devices.lines,
            num_phones: devices.phones,
        };
        let (wishes, runs) = init(&*provider, given, Box::new(upward))
            .map_err(|error| StartError { error, cause: failure_text(&*provider) })?;
        if shared.is_over() {
            // D15: it has ignored this init with success, and dropped the `Tapi` that it was given.
            return Err(StartError::new(
                LineError::ALLOCATED,
                "the provider serves another host; shut that one down first, or give this one a \
                 provider of its own",
            ));
        }
        // From here on every way out shuts the provider down by dropping the host.
        let mut host = Host { shared, open, infos: Vec::new(), version };
        if wishes & LINETSPIOPTION_NONREENTRANT != 0 {
            return Err(StartError::new(
                LineError::OPERATIONUNAVAIL,
                "the provider wants to be called by one thread at a time \
                 (LINETSPIOPTION_NONREENTRANT), which this host does not do",
            ));
        }
        for device_id in 0..devices.lines {
            let version = negotiate(device_id)?;
            let caps = fetch::<LINEDEVCAPS>(|memory| {
                provider.line_get_dev_caps(device_id, version, 0, memory)
            })?;
            host.infos.push(LineCaps::read(&caps, version)?.info(device_id, version));
        }
        Ok((host, runs))
    }
}

/// Why the init failed, in words, if the provider gives any.
fn failure_text(provider: &dyn Provider) -> Option<String> {
    provider.control().and_then(Control::failure_text)
}
