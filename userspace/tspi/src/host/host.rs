//! The host: one provider's TAPI.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::info::{LineCaps, fetch};
use super::line::LineInner;
use super::requests::{Requests, Waiter};
use super::trace::{Counters, Traced, count};
use super::upward::{Upward, guarded};
use super::{Counts, Line, LineInfo, Options, Trace, inside};
use crate::clock;
use crate::constants::{INITIALIZE_NEGOTIATION, LINETSPIOPTION_NONREENTRANT};
use crate::error::LineError;
use crate::provider::{Init, Provider, SlotReport};
use crate::structs::LINEDEVCAPS;
use crate::types::{HTAPILINE, Version};

/// Which installation of the provider this is; there is one.
const PERMANENT_PROVIDER_ID: u32 = 1;

/// What everything of a host holds on to.
pub(super) struct Shared {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) requests: Requests,
    pub(super) counters: Counters,
    lines: Mutex<HashMap<HTAPILINE, Arc<LineInner>>>,
    handles: AtomicUsize,
    end_to_end: AtomicU32,
    trace: Option<Arc<Trace>>,
    down: AtomicBool,
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, HashMap<HTAPILINE, Arc<LineInner>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn line(&self, tapi: HTAPILINE) -> Option<Arc<LineInner>> {
        self.lines().get(&tapi).cloned()
    }

    pub(super) fn forget(&self, tapi: HTAPILINE) {
        self.lines().remove(&tapi);
    }

    /// A number for a handle: never 0 (N2), never used again.
    pub(super) fn next_handle(&self) -> usize {
        self.handles.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A number for the generation of digits.
    pub(super) fn next_end_to_end(&self) -> u32 {
        self.end_to_end.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Tells the observer. A panic of his goes no further: it may be the reaper that it would hit.
    pub(super) fn trace(&self, happened: &Traced<'_>) {
        if let Some(trace) = &self.trace {
            guarded("observer", || trace(happened));
        }
    }

    /// A completion that nobody is owed.
    pub(super) fn duplicate(&self, id: u32, result: i32) {
        count(&self.counters.duplicate);
        tracing::error!(id, result, "the provider completed a request that is not outstanding");
        self.trace(&Traced::Duplicate { id, result, at: clock::now() });
    }
}

/// A provider with its lines, ready to be used. Dropping it shuts it down.
pub struct Host {
    pub(super) shared: Arc<Shared>,
    infos: Vec<LineInfo>,
    version: Version,
}

impl Host {
    /// Takes a provider, a `Box` or an `Arc` of one, and starts it.
    ///
    /// # Errors
    /// The provider's; OPERATIONUNAVAIL for one that asks to be called by one thread at a time.
    pub fn start(
        provider: impl Into<Arc<dyn Provider>>,
        options: Options,
    ) -> Result<Host, LineError> {
        let provider = provider.into();
        let versions = (Version::OLDEST_SPOKEN.word(), Version::NEWEST_SPOKEN.word());
        let negotiate =
            |device| provider.line_negotiate_tspi_version(device, versions.0, versions.1);
        let version = negotiate(INITIALIZE_NEGOTIATION)?;
        let devices = provider.provider_enum_devices(PERMANENT_PROVIDER_ID)?;
        let shared = Arc::new(Shared {
            provider: Arc::clone(&provider),
            requests: Requests::default(),
            counters: Counters::default(),
            lines: Mutex::default(),
            handles: AtomicUsize::new(0),
            end_to_end: AtomicU32::new(0),
            trace: options.trace,
            down: AtomicBool::new(false),
        });
        let init = Init {
            version,
            permanent_provider_id: PERMANENT_PROVIDER_ID,
            line_device_id_base: 0,
            phone_device_id_base: 0,
            num_lines: devices.lines,
            num_phones: devices.phones,
        };
        let upward = Upward { shared: Arc::clone(&shared), timing: None };
        let wishes = provider.provider_init(init, Box::new(upward))?;
        // From here on every way out shuts the provider down by dropping the host.
        let mut host = Host { shared, infos: Vec::new(), version };
        if wishes & LINETSPIOPTION_NONREENTRANT != 0 {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        for device_id in 0..devices.lines {
            let version = negotiate(device_id)?;
            let caps = fetch::<LINEDEVCAPS>(|memory| {
                provider.line_get_dev_caps(device_id, version, 0, memory)
            })?;
            host.infos.push(LineCaps::read(&caps, version)?.info(device_id, version));
        }
        Ok(host)
    }

    /// The lines there are.
    pub fn lines(&self) -> &[LineInfo] {
        &self.infos
    }

    /// Opens a line (TSPI_lineOpen), by its device id.
    ///
    /// # Errors
    /// NODEVICE if there is no such line; ALLOCATED if it is open; UNINITIALIZED once the host is
    /// shut down.
    pub fn open(&self, device_id: u32) -> Result<Line, LineError> {
        if self.shared.down.load(Ordering::Acquire) {
            return Err(LineError::UNINITIALIZED);
        }
        let info = self.infos.iter().find(|info| info.device_id == device_id);
        let info = info.cloned().ok_or(LineError::NODEVICE)?;
        let version = info.version;
        let tapi = HTAPILINE::new(self.shared.next_handle()).ok_or(LineError::NOMEM)?;
        let line = Arc::new(LineInner::new(&self.shared, info, tapi));
        self.shared.lines().insert(tapi, Arc::clone(&line));
        match self.shared.provider.line_open(device_id, tapi, version) {
            Ok(driver) => {
                line.set_driver(driver);
                let line = Line(line);
                // Shut down meanwhile: dropping closes it.
                let down = self.shared.down.load(Ordering::Acquire);
                if down { Err(LineError::UNINITIALIZED) } else { Ok(line) }
            }
            Err(error) => {
                line.end();
                Err(error)
            }
        }
    }

    /// How the slots of the card are, from a provider that knows slots; empty once it is shut down.
    pub fn slots(&self) -> Vec<SlotReport> {
        self.shared.provider.slots()
    }

    /// How many requests came to what so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
    }

    /// How many requests are outstanding now.
    pub fn outstanding(&self) -> usize {
        self.shared.requests.len()
    }

    /// Closes all lines and shuts the provider down (D12). Requests that it has not completed by then
    /// fail with OPERATIONFAILED and are counted as lost. Harmless when repeated.
    ///
    /// In a callback the rest is told as soon as the callback has returned.
    pub fn shutdown(&self) {
        let shared = &self.shared;
        if shared.down.swap(true, Ordering::AcqRel) {
            return;
        }
        let open: Vec<_> = shared.lines().values().cloned().collect();
        for line in open {
            let closed = line.close();
            if let Err(error) = closed {
                tracing::warn!(line = line.info.device_id, %error, "a line was not closed in order");
            }
        }
        let ended = shared.provider.provider_shutdown(self.version, PERMANENT_PROVIDER_ID);
        if let Err(error) = ended {
            tracing::warn!(%error, "the provider did not shut down in order");
        }
        if inside::is_inside(&**shared) {
            return;
        }
        for record in shared.requests.take_all() {
            let id = record.id.get();
            count(&shared.counters.lost);
            shared.trace(&Traced::Lost { id, at: clock::now() });
            if let Some(call) = &record.making {
                call.kill();
            }
            let outcome = Err(LineError::OPERATIONFAILED);
            match record.deliver(outcome) {
                Some(Waiter::Callback(callback)) => guarded("callback", || callback(outcome)),
                Some(Waiter::Task(waker)) => guarded("waker", || waker.wake()),
                None => {}
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("lines", &self.infos).finish_non_exhaustive()
    }
}
