//! An open line, as an application handles it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::structs::{LINEDEVCAPS, LINEDEVSTATUS};
use ringback_tspi::types::{HDRVLINE, HTAPICALL, HTAPILINE};

use super::closing::{CloseError, Closed, Closing};
use super::delivery::Queue;
use super::host::Shared;
use super::info::{LineCaps, LineStatus, fetch};
use super::ledger::Ledger;
use super::life::CallInner;
use super::mailbox::Subscribers;
use super::{Call, CallOptions, Events, LineInfo, Pending, Reservation, asked, closing, mailbox};

pub(super) struct LineInner {
    pub(super) shared: Arc<Shared>,
    pub(super) info: LineInfo,
    pub(super) tapi: HTAPILINE,
    pub(super) ledger: Ledger,
    driver: OnceLock<HDRVLINE>,
    calls: Mutex<HashMap<HTAPICALL, Arc<CallInner>>>,
    pub(super) queue: Mutex<Queue>,
    pub(super) subscribers: Mutex<Subscribers>,
    /// Nothing is delivered any more.
    ended: AtomicBool,
}

impl LineInner {
    /// A line that is about to be opened. It is known from now on, because its events may come
    /// before the provider's function has returned (N17).
    pub(super) fn new(shared: &Arc<Shared>, info: LineInfo, tapi: HTAPILINE) -> LineInner {
        LineInner {
            shared: Arc::clone(shared),
            info,
            tapi,
            ledger: Ledger::default(),
            driver: OnceLock::new(),
            calls: Mutex::default(),
            queue: Mutex::default(),
            subscribers: Mutex::new(Subscribers::new(shared.runner)),
            ended: AtomicBool::new(false),
        }
    }

    pub(super) fn set_driver(&self, driver: HDRVLINE) {
        // Set once: a line is opened once.
        let _ = self.driver.set(driver);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
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

    /// How many calls are in the books.
    #[cfg(test)]
    pub(super) fn known_calls(&self) -> usize {
        self.calls().len()
    }

    /// Closes the line (D1, D2).
    pub(super) fn close(&self) -> Result<Closed, CloseError> {
        closing::close(&self.shared, &self.ledger, closing::LIMIT, || self.close_now())
    }

    /// Closes the line as part of a shutdown, which waits for everything at once.
    pub(super) fn close_without_waiting(&self) -> Result<(), LineError> {
        if !self.ledger.begin_closing() {
            return Ok(());
        }
        let closed = self.close_now();
        self.ledger.close();
        closed
    }

    fn close_now(&self) -> Result<(), LineError> {
        let closed = match self.driver.get() {
            Some(driver) => self.shared.provider.line_close(*driver),
            // It was never opened.
            None => Ok(()),
        };
        self.end();
        // Who shuts the host down has closed the line before us.
        let above = self.shared.ledger.is_open();
        if closed == Err(LineError::INVALLINEHANDLE) && !above { Ok(()) } else { closed }
    }

    /// From here on no event is delivered and every function is refused.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.shared.forget(self.tapi);
        let calls = std::mem::take(&mut *self.calls());
        for call in calls.into_values() {
            call.kill();
        }
        mailbox::end(&self.subscribers);
        self.ledger.close();
        self.shared.turns.changed();
    }
}

/// An open line. Dropping it closes it.
pub struct Line(pub(super) Arc<LineInner>);

impl Line {
    /// The provider's handle while the line is open.
    pub(super) fn usable(&self) -> Result<HDRVLINE, LineError> {
        asked::enter();
        if !self.0.ledger.is_open() {
            return Err(LineError::INVALLINEHANDLE);
        }
        self.0.driver.get().copied().ok_or(LineError::INVALLINEHANDLE)
    }

    /// What the provider said of the line when it was found.
    pub fn info(&self) -> &LineInfo {
        &self.0.info
    }

    /// What it can do (TSPI_lineGetDevCaps).
    ///
    /// # Errors
    /// The provider's.
    pub fn caps(&self) -> Result<LineCaps, LineError> {
        asked::enter();
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
        let driver = self.usable()?;
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
        let driver = self.usable()?;
        let media = self.0.shared.provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
        media.line_audio(driver).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// What comes from the other modem, on a modem's line.
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed; OPERATIONUNAVAIL if the provider gives none.
    pub fn data(&self) -> Result<Data, LineError> {
        let driver = self.usable()?;
        let media = self.0.shared.provider.media().ok_or(LineError::OPERATIONUNAVAIL)?;
        media.line_data(driver).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// Takes the id of a request before it is made, for an application that has to store it first.
    pub fn reserve(&self) -> Reservation<'_, Line> {
        Reservation::of_line(self, true)
    }

    /// Makes a call (TSPI_lineMakeCall). An empty address takes the line and waits in dial tone for
    /// [`Call::dial`].
    ///
    /// The request is complete when the call exists, at the latest when dialling begins; its
    /// progress is reported by events. If it fails, the call is dead and needs no [`Call::close`]
    /// (N8).
    ///
    /// The call is the application's: when the [`Pending`] and every [`Call`] of it are dropped, it
    /// is hung up. So a call that is given up, because it took too long for example, leaves the
    /// line free. [`Pending::release`] has it go on by itself.
    ///
    /// # Errors
    /// Refused; there is no request and no completion (R4). What can be decided without the line is
    /// decided here, an address that can't be dialled for example (R7).
    pub fn make_call(
        &self,
        address: &str,
        options: &CallOptions,
    ) -> Result<Pending<Call>, LineError> {
        Reservation::of_line(self, false).make_call(address, options).map(Pending::leave)
    }

    /// Its events. The first time, all since the line was opened; after that, all from now on.
    pub fn events(&self) -> Events {
        asked::enter();
        self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner).subscribe()
    }

    /// Whether the line is closed, by [`close`](Line::close), by the provider, or because the host
    /// was shut down.
    pub fn is_closed(&self) -> bool {
        asked::enter();
        self.0.is_closed()
    }

    /// Closes it (TSPI_lineClose): its calls are hung up, outstanding requests fail before this
    /// returns (D1), and nothing is delivered afterwards (D2). Harmless when repeated; of several
    /// who close it, each returns when it is closed.
    ///
    /// It waits for at most 2 s beside what the provider takes, and in a callback it does not wait
    /// ([`Closed::AfterUpcall`]).
    ///
    /// # Errors
    /// [`CloseError`]; the line is closed all the same.
    pub fn close(&self) -> Result<Closed, CloseError> {
        self.0.close()
    }

    /// As [`close`](Line::close), on a thread of the host's. It begins at once; the future is ready
    /// when the line is closed, and may be dropped.
    pub fn close_async(&self) -> Closing {
        let line = Arc::clone(&self.0);
        Closing::begin(&self.0.shared, move || line.close())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // There is no caller left to get an error.
        let _ = self.close();
        // Nobody can ask for the first events any more, and they keep their calls and the line.
        let first = self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner).take_first();
        drop(first);
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("info", &self.0.info).finish_non_exhaustive()
    }
}
