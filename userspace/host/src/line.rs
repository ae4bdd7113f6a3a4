//! An open line, as an application handles it.

use std::sync::Arc;

use ringback_tspi::error::LineError;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::structs::{LINEDEVCAPS, LINEDEVSTATUS};
use ringback_tspi::types::HDRVLINE;

use super::asked;
use super::closing::{CloseError, Closed, Closing};
use super::info::{LineCaps, LineInfo, LineStatus, fetch};
use super::inner::LineInner;
use super::ledger::Use;
use super::mailbox::Events;
use super::outlet::LineOutlet;

/// An open line. Dropping it closes it.
pub struct Line(pub(super) Arc<LineOutlet>);

impl Line {
    /// The provider's handle while the line is open.
    pub(super) fn usable(&self) -> Result<Use<'_, HDRVLINE>, LineError> {
        asked::enter();
        let closed = LineError::INVALLINEHANDLE;
        let LineInner { ledger, shared, .. } = &*self.0.inner;
        Use::begin([ledger, &shared.ledger], &shared.turns, closed, || {
            self.0.inner.driver().ok_or(closed)
        })
    }

    /// The information about the line from the start of the host.
    pub fn info(&self) -> &LineInfo {
        &self.0.inner.info
    }

    /// What it can do (TSPI_lineGetDevCaps).
    ///
    /// # Errors
    /// UNINITIALIZED once the host is shut down.
    pub fn caps(&self) -> Result<LineCaps, LineError> {
        asked::enter();
        let _using = self.0.inner.shared.in_function(LineError::UNINITIALIZED)?;
        let LineInfo { device_id, version, .. } = self.0.inner.info;
        let provider = self.0.inner.service.provider();
        let bytes = fetch::<LINEDEVCAPS, _>(|memory| {
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
        let provider = self.0.inner.service.provider();
        let bytes = fetch::<LINEDEVSTATUS, _>(|memory| {
            provider.line_get_line_dev_status(driver.handle(), memory)
        })?;
        LineStatus::read(&bytes, self.0.inner.info.version)
    }

    /// Chooses the messages that it sends of itself and its address (TSPI_lineSetStatusMessages):
    /// LINEDEVSTATE_ and LINEADDRESSSTATE_ bits. Until then it sends none of them. They come as
    /// [`LineEvent::Other`](crate::LineEvent::Other).
    ///
    /// # Errors
    /// INVALLINESTATE or INVALADDRESSSTATE for unknown bits; INVALLINEHANDLE once it is closed.
    pub fn set_status_messages(
        &self,
        line_states: u32,
        address_states: u32,
    ) -> Result<(), LineError> {
        let driver = self.usable()?;
        let provider = self.0.inner.service.provider();
        provider.line_set_status_messages(driver.handle(), line_states, address_states)
    }

    /// Its samples.
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed; OPERATIONUNAVAIL if the provider gives none.
    pub fn audio(&self) -> Result<Audio, LineError> {
        let driver = self.usable()?;
        let media = self.0.inner.service.provider().media().ok_or(LineError::OPERATIONUNAVAIL)?;
        media.line_audio(driver.handle()).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// What comes from the other modem, on a modem's line.
    ///
    /// # Errors
    /// INVALLINEHANDLE once it is closed; OPERATIONUNAVAIL if the provider gives none.
    pub fn data(&self) -> Result<Data, LineError> {
        let driver = self.usable()?;
        let media = self.0.inner.service.provider().media().ok_or(LineError::OPERATIONUNAVAIL)?;
        media.line_data(driver.handle()).ok_or(LineError::OPERATIONUNAVAIL)
    }

    /// Its events. The first time, all since the line was opened; after that, all from now on.
    pub fn events(&self) -> Events {
        asked::enter();
        self.0.events()
    }

    /// Whether the line is closed, by [`close`](Line::close), by the provider, or because the host
    /// was shut down.
    pub fn is_closed(&self) -> bool {
        asked::enter();
        self.0.inner.is_ended()
    }

    /// Closes it (TSPI_lineClose): its calls are hung up, outstanding requests fail before this
    /// returns (D1), and nothing is delivered afterwards (D2). Closing again does nothing; if
    /// several threads close it, each returns when it is closed.
    ///
    /// It waits for at most 2 s in addition to the provider's own time, and in a callback it does
    /// not wait ([`Closed::AfterUpcall`]).
    ///
    /// # Errors
    /// [`CloseError`]; the line is closed all the same.
    pub fn close(&self) -> Result<Closed, CloseError> {
        self.0.close()
    }

    /// As [`close`](Line::close), on a thread of the host's. Closing begins at once, also if the
    /// future is never polled; the future is ready when the line is closed.
    pub fn close_async(&self) -> Closing {
        let line = Arc::clone(&self.0);
        Closing::begin(&self.0.inner.shared, move || line.close())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // There is no caller left to get an error.
        let _ = self.close();
        // The first events can't be fetched any more.
        self.0.forget_first_events();
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("info", &self.0.inner.info).finish_non_exhaustive()
    }
}
