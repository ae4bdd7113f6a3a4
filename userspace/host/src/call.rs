//! A call, as an application handles it.

use std::sync::Arc;

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{LINEDIGITMODE_DTMF, LINEDIGITMODE_DTMFEND, LINEDIGITMODE_PULSE};
use ringback_tspi::error::LineError;
use ringback_tspi::structs::{LINECALLINFO, LINECALLSTATUS};
use ringback_tspi::types::{HDRVCALL, HTAPICALL};

use super::asked;
use super::closing::{CloseError, Closed, Closing};
use super::info::{CallInfo, CallStatus, LineInfo, fetch};
use super::inner::CallInner;
use super::ledger::Use;

/// A call. Clones are the same call.
///
/// It exists until it is [closed](Call::close), or its line is. A call that the application has
/// made or answered is closed, and so hung up, when the last clone is dropped. One that was only
/// announced continues without the application, and is closed when it is idle and the last clone is
/// dropped.
#[must_use = "dropping the last of a call that was made or answered hangs it up"]
pub struct Call {
    pub(super) inner: Arc<CallInner>,
    /// Whether the application has it; otherwise it is in an event that was not fetched.
    held: bool,
}

impl Call {
    /// One for the application.
    pub(super) fn held(inner: &Arc<CallInner>) -> Call {
        inner.hold();
        Call { inner: Arc::clone(inner), held: true }
    }

    /// One for an event.
    pub(super) fn mentioned(inner: &Arc<CallInner>) -> Call {
        inner.mention();
        Call { inner: Arc::clone(inner), held: false }
    }

    /// The event that it is in was fetched.
    pub(super) fn set_fetched(&mut self) {
        if !std::mem::replace(&mut self.held, true) {
            self.inner.fetched();
        }
    }

    /// The event that it is in waits to be fetched.
    pub(super) fn set_queued(&mut self) {
        if std::mem::replace(&mut self.held, false) {
            self.inner.queued();
        }
    }

    /// The provider's handle of a call that can be used.
    fn usable(&self) -> Result<Use<'_, HDRVCALL>, LineError> {
        asked::enter();
        self.inner.usable()
    }

    /// The handle by which events and the log name it.
    pub fn handle(&self) -> HTAPICALL {
        self.inner.tapi
    }

    /// The line it is on.
    pub fn line(&self) -> &LineInfo {
        &self.inner.line.info
    }

    /// Its state as delivered last; `None` before the first.
    pub fn state(&self) -> Option<CallState> {
        asked::enter();
        self.inner.state().0
    }

    /// The mode of that state, of the family [`CallState::mode_family`]; 0 for none.
    pub fn state_mode(&self) -> u32 {
        asked::enter();
        self.inner.state().1
    }

    /// What is known about it (TSPI_lineGetCallInfo).
    ///
    /// # Errors
    /// INVALCALLHANDLE once it is closed.
    pub fn info(&self) -> Result<CallInfo, LineError> {
        let driver = self.usable()?;
        let provider = self.inner.line.service.provider();
        let bytes = fetch::<LINECALLINFO, _>(|memory| {
            provider.line_get_call_info(driver.handle(), memory)
        })?;
        CallInfo::read(&bytes, self.line().version)
    }

    /// Its current state at the provider, which may not have been delivered yet, and what can be
    /// done with it (TSPI_lineGetCallStatus).
    ///
    /// # Errors
    /// INVALCALLHANDLE once it is closed.
    pub fn status(&self) -> Result<CallStatus, LineError> {
        let driver = self.usable()?;
        let provider = self.inner.line.service.provider();
        let bytes = fetch::<LINECALLSTATUS, _>(|memory| {
            provider.line_get_call_status(driver.handle(), memory)
        })?;
        CallStatus::read(&bytes, self.line().version)
    }

    /// Closes the call, in any state (TSPI_lineCloseCall): it is hung up, outstanding requests fail
    /// before this returns (D5, N6), and no event of it follows. Closing again does nothing; if
    /// several threads close it, each returns when it is closed.
    ///
    /// It waits for at most 2 s in addition to the provider's own time, and in a callback it does
    /// not wait ([`Closed::AfterUpcall`]).
    ///
    /// # Errors
    /// [`CloseError`]; the call is closed all the same.
    pub fn close(&self) -> Result<Closed, CloseError> {
        self.inner.close()
    }

    /// As [`close`](Call::close), on a thread of the host's. Closing begins at once, also if the
    /// future is never polled; the future is ready when the call is closed.
    pub fn close_async(&self) -> Closing {
        let call = Arc::clone(&self.inner);
        let shared = Arc::clone(&call.line.shared);
        Closing::begin(&shared, move || call.close())
    }

    /// Sends DTMF digits, a comma for a pause (TSPI_lineGenerateDigits). `digit_ms` is the length
    /// of a digit, 0 for the default. Returns the id with which [`LineEvent::Generated`] reports
    /// the end (K5); digits that are still being sent are cancelled (D17).
    ///
    /// # Errors
    /// INVALCALLSTATE if the call is in no state in which the other side could hear them.
    ///
    /// [`LineEvent::Generated`]: super::LineEvent::Generated
    pub fn generate_digits(&self, digits: &str, digit_ms: u32) -> Result<u32, LineError> {
        let driver = self.usable()?;
        let end_to_end = self.inner.line.shared.next_end_to_end();
        self.inner.line.service.provider().line_generate_digits(
            driver.handle(),
            end_to_end,
            LINEDIGITMODE_DTMF,
            Some(digits),
            digit_ms,
        )?;
        Ok(end_to_end)
    }

    /// Cancels the digits that are being sent.
    ///
    /// # Errors
    /// INVALCALLHANDLE once it is closed.
    pub fn cancel_digits(&self) -> Result<(), LineError> {
        let driver = self.usable()?;
        let provider = self.inner.line.service.provider();
        provider.line_generate_digits(driver.handle(), 0, LINEDIGITMODE_DTMF, None, 0)
    }

    /// Reports each digit that the other side sends, when it begins and when it ends, or stops that
    /// (TSPI_lineMonitorDigits). On a line that can hear a rotary dial its digits are reported as
    /// well, once each. It ends by itself with the conversation (O5).
    ///
    /// # Errors
    /// INVALCALLSTATE if the conversation is over.
    pub fn monitor_digits(&self, on: bool) -> Result<(), LineError> {
        let driver = self.usable()?;
        let pulse = self.line().monitor_digits & LINEDIGITMODE_PULSE;
        let modes = if on { LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND | pulse } else { 0 };
        self.inner.line.service.provider().line_monitor_digits(driver.handle(), modes)
    }
}

impl Clone for Call {
    fn clone(&self) -> Call {
        Call::held(&self.inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.held {
            self.inner.let_go();
        } else {
            self.inner.unmention();
        }
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Call {}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({}, {:?})", self.handle(), self.inner.state().0)
    }
}
