//! An open line, as an application handles it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ringback_driver::request::RequestId;

use super::call::{Call, CallInner};
use super::events::{self, Subscribers};
use super::host::Shared;
use super::info::{LineCaps, LineStatus, fetch};
use super::trace::{Traced, count};
use super::upward::Queue;
use super::{CallOptions, Events, LineInfo, Pending};
use crate::clock;
use crate::error::LineError;
use crate::line::Audio;
use crate::modem::Data;
use crate::provider::{Provider, Ticket};
use crate::structs::{LINEDEVCAPS, LINEDEVSTATUS};
use crate::types::{HDRVLINE, HTAPICALL, HTAPILINE};

pub(super) struct LineInner {
    pub(super) shared: Arc<Shared>,
    pub(super) info: LineInfo,
    pub(super) tapi: HTAPILINE,
    driver: OnceLock<HDRVLINE>,
    calls: Mutex<HashMap<HTAPICALL, Arc<CallInner>>>,
    pub(super) queue: Mutex<Queue>,
    pub(super) subscribers: Mutex<Subscribers>,
    closing: AtomicBool,
    closed: AtomicBool,
}

impl LineInner {
    /// A line that is about to be opened. It is known from now on, because its events may come before
    /// the provider's function has returned (N17).
    pub(super) fn new(shared: &Arc<Shared>, info: LineInfo, tapi: HTAPILINE) -> LineInner {
        LineInner {
            shared: Arc::clone(shared),
            info,
            tapi,
            driver: OnceLock::new(),
            calls: Mutex::default(),
            queue: Mutex::default(),
            subscribers: Mutex::new(Subscribers::new(Arc::downgrade(shared))),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn set_driver(&self, driver: HDRVLINE) {
        // Set once: a line is opened once.
        let _ = self.driver.set(driver);
    }

    /// The provider's handle while the line is open.
    fn usable(&self) -> Result<HDRVLINE, LineError> {
        if self.is_closed() {
            return Err(LineError::INVALLINEHANDLE);
        }
        self.driver.get().copied().ok_or(LineError::INVALLINEHANDLE)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<HTAPICALL, Arc<CallInner>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(&self, tapi: HTAPICALL) -> Option<Arc<CallInner>> {
        self.calls().get(&tapi).cloned()
    }

    pub(super) fn remember(&self, call: &Arc<CallInner>) {
        self.calls().insert(call.tapi, Arc::clone(call));
    }

    pub(super) fn forget(&self, tapi: HTAPICALL) {
        self.calls().remove(&tapi);
    }

    /// Submits a request. Its record exists before the provider is called, so that a completion finds
    /// it however early it comes.
    pub(super) fn submit<T>(
        self: &Arc<Self>,
        function: &'static str,
        call: HTAPICALL,
        making: Option<Arc<CallInner>>,
        value: T,
        act: impl FnOnce(&dyn Provider, RequestId) -> Result<Ticket, LineError>,
    ) -> Result<Pending<T>, LineError> {
        let shared = &self.shared;
        let record = shared.requests.allocate(self, making);
        let id = record.id.get();
        let device_id = self.info.device_id;
        let at = clock::now();
        shared.trace(&Traced::Submitted { id, function, device_id, call, at });
        match act(&*shared.provider, record.id) {
            Ok(ticket) => {
                record.state().returned = true;
                count(&shared.counters.requests);
                shared.trace(&Traced::Returned { id, at: clock::now() });
                Ok(Pending::new(record, value, ticket))
            }
            Err(error) => {
                count(&shared.counters.refused);
                shared.trace(&Traced::Refused { id, error, at: clock::now() });
                if shared.requests.take(id).is_none() {
                    // R4: it was completed nevertheless; that must not hold the line back.
                    let mut state = record.state();
                    state.refused = true;
                    state.released = true;
                    drop(state);
                    self.drain();
                }
                Err(error)
            }
        }
    }

    /// Closes the line (D1, D2).
    pub(super) fn close(&self) -> Result<(), LineError> {
        if self.closing.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let closed = match self.usable() {
            Ok(driver) => self.shared.provider.line_close(driver),
            // The provider has closed it by itself.
            Err(_) => Ok(()),
        };
        self.end();
        closed
    }

    /// From here on nothing is told and nothing can be asked.
    pub(super) fn end(&self) {
        self.closed.store(true, Ordering::Release);
        self.shared.forget(self.tapi);
        let calls = std::mem::take(&mut *self.calls());
        for call in calls.into_values() {
            call.kill();
        }
        events::end(&self.subscribers);
    }
}

/// An open line. Dropping it closes it.
pub struct Line(pub(super) Arc<LineInner>);

impl Line {
    /// What it is.
    pub fn info(&self) -> &LineInfo {
        &self.0.info
    }

    /// What it can do (TSPI_lineGetDevCaps).
    ///
    /// # Errors
    /// The provider's.
    pub fn caps(&self) -> Result<LineCaps, LineError> {
        let LineInfo { device_id, version, .. } = self.0.info;
        let provider = &self.0.shared.provider;
        let bytes = fetch::<LINEDEVCAPS>(|memory| {
            provider.line_get_dev_caps(device_id, version, 0, memory)
        })?;
        LineCaps::read(&bytes, version)
    }

    /// How it is now (TSPI_lineGetLineDevStatus).
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed.
    pub fn status(&self) -> Result<LineStatus, LineError> {
        let driver = self.0.usable()?;
        let provider = &self.0.shared.provider;
        let bytes =
            fetch::<LINEDEVSTATUS>(|memory| provider.line_get_line_dev_status(driver, memory))?;
        LineStatus::read(&bytes, self.0.info.version)
    }

    /// Its samples.
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed; OPERATIONUNAVAIL if the provider gives none.
    pub fn audio(&self) -> Result<Audio, LineError> {
        let driver = self.0.usable()?;
        self.0.shared.provider.line_audio(driver).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// What comes from the other modem, on a modem's line.
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed; OPERATIONUNAVAIL if the provider gives none.
    pub fn data(&self) -> Result<Data, LineError> {
        let driver = self.0.usable()?;
        self.0.shared.provider.line_data(driver).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// Makes a call (TSPI_lineMakeCall). An empty address takes the line and waits in dial tone for
    /// [`Call::dial`].
    ///
    /// The request is complete when the call exists, at the latest when dialling begins; how it goes
    /// on is told by events. If it fails, the call is dead and needs no [`Call::close`] (N8).
    ///
    /// # Errors
    /// Refused; there is no request and no completion (R4). What can be decided without the line is
    /// decided here, an address that can't be dialled for example (R7).
    pub fn make_call(
        &self,
        address: &str,
        options: &CallOptions,
    ) -> Result<Pending<Call>, LineError> {
        let line = &self.0;
        let driver = line.usable()?;
        let tapi = HTAPICALL::new(line.shared.next_handle()).ok_or(LineError::NOMEM)?;
        let call = Arc::new(CallInner::outgoing(line, tapi));
        line.remember(&call);
        let params = options.params(&line.info);
        let address = Some(address).filter(|address| !address.is_empty());
        let value = Call(Arc::clone(&call));
        let making = Some(Arc::clone(&call));
        let made = line.submit("lineMakeCall", tapi, making, value, |provider, id| {
            let country = options.country_code;
            let (handle, ticket) =
                provider.line_make_call(id, driver, tapi, address, country, params.as_deref())?;
            call.set_driver(handle);
            Ok(ticket)
        });
        if made.is_err() {
            // N7.
            call.kill();
            line.forget(tapi);
        }
        made
    }

    /// Its events. The first time, all since the line was opened; after that, all from now on.
    pub fn events(&self) -> Events {
        let host = Arc::downgrade(&self.0.shared);
        self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner).subscribe(host)
    }

    /// Whether the line is closed, by [`close`](Line::close), by the provider, or because the host was
    /// shut down.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Closes it (TSPI_lineClose): its calls are hung up, outstanding requests fail before this
    /// returns (D1), and nothing is told afterwards (D2). Harmless when repeated.
    ///
    /// In a callback the requests fail as soon as the callback has returned.
    ///
    /// # Errors
    /// The provider's; the line is closed all the same.
    pub fn close(&self) -> Result<(), LineError> {
        self.0.close()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Nobody is left to be told an error.
        let _ = self.close();
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("info", &self.0.info).finish_non_exhaustive()
    }
}
