//! A call, as an application handles it.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::info::{CallInfo, CallStatus, fetch};
use super::line::LineInner;
use super::upward::Told;
use super::{LineInfo, Pending};
use crate::callstate::CallState;
use crate::constants::{LINEDIGITMODE_DTMF, LINEDIGITMODE_DTMFEND};
use crate::error::LineError;
use crate::structs::{LINECALLINFO, LINECALLSTATUS};
use crate::types::{HDRVCALL, HTAPICALL};

/// How far a call has come between host and provider.
enum Phase {
    /// The request that makes it is not complete; what was told too early is kept here (N9).
    Making(Vec<Told>),
    Alive,
    /// Closed, or it never came about.
    Dead,
}

struct Life {
    phase: Phase,
    /// As last told.
    state: Option<CallState>,
    mode: u32,
}

pub(super) struct CallInner {
    pub(super) line: Arc<LineInner>,
    pub(super) tapi: HTAPICALL,
    driver: OnceLock<HDRVCALL>,
    life: Mutex<Life>,
}

impl CallInner {
    fn new(line: &Arc<LineInner>, tapi: HTAPICALL, phase: Phase) -> CallInner {
        let life = Life { phase, state: None, mode: 0 };
        CallInner { line: Arc::clone(line), tapi, driver: OnceLock::new(), life: Mutex::new(life) }
    }

    /// A call that is about to be made here.
    pub(super) fn outgoing(line: &Arc<LineInner>, tapi: HTAPICALL) -> CallInner {
        CallInner::new(line, tapi, Phase::Making(Vec::new()))
    }

    /// A call that was born in the provider.
    pub(super) fn incoming(line: &Arc<LineInner>, tapi: HTAPICALL, driver: HDRVCALL) -> CallInner {
        let call = CallInner::new(line, tapi, Phase::Alive);
        call.set_driver(driver);
        call
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider's handle, once its function has returned (N1).
    pub(super) fn set_driver(&self, driver: HDRVCALL) {
        // Set once: a call is made once.
        let _ = self.driver.set(driver);
    }

    /// The request that makes it is complete; gives what was told too early.
    pub(super) fn made(&self) -> Vec<Told> {
        let mut life = self.life();
        match &mut life.phase {
            Phase::Making(early) => {
                let early = std::mem::take(early);
                life.phase = Phase::Alive;
                early
            }
            Phase::Alive | Phase::Dead => Vec::new(),
        }
    }

    /// It never came about, or its line is closed.
    pub(super) fn kill(&self) {
        self.life().phase = Phase::Dead;
    }

    /// Whether an event of the call may be told now; an early one is kept (N9), a late one dropped
    /// (D5).
    pub(super) fn admit(&self, told: &Told) -> bool {
        match &mut self.life().phase {
            Phase::Alive => true,
            Phase::Making(early) => {
                early.push(*told);
                false
            }
            Phase::Dead => false,
        }
    }

    pub(super) fn set_state(&self, state: CallState, mode: u32) {
        let mut life = self.life();
        life.state = Some(state);
        life.mode = mode;
    }

    /// The provider's handle of a call that can be used.
    fn usable(&self) -> Result<HDRVCALL, LineError> {
        match &self.life().phase {
            Phase::Alive => {}
            // G7: until it is made, a call is only closed.
            Phase::Making(_) => return Err(LineError::INVALCALLSTATE),
            Phase::Dead => return Err(LineError::INVALCALLHANDLE),
        }
        self.driver.get().copied().ok_or(LineError::INVALCALLHANDLE)
    }
}

/// A call. Clones are the same call.
///
/// It lives until it is [closed](Call::close), or its line is. Dropping the last clone does not hang
/// up.
#[derive(Clone)]
pub struct Call(pub(super) Arc<CallInner>);

impl Call {
    /// The handle by which events and the log name it.
    pub fn handle(&self) -> HTAPICALL {
        self.0.tapi
    }

    /// The line it is on.
    pub fn line(&self) -> &LineInfo {
        &self.0.line.info
    }

    /// Its state as last told; `None` before the first.
    pub fn state(&self) -> Option<CallState> {
        self.0.life().state
    }

    /// The mode of that state, of the family [`CallState::mode_family`]; 0 for none.
    pub fn state_mode(&self) -> u32 {
        self.0.life().mode
    }

    /// What is known about it (TSPI_lineGetCallInfo).
    ///
    /// # Errors
    /// INVALCALLHANDLE once it is closed.
    pub fn info(&self) -> Result<CallInfo, LineError> {
        let driver = self.0.usable()?;
        let provider = &self.0.line.shared.provider;
        let bytes = fetch::<LINECALLINFO>(|memory| provider.line_get_call_info(driver, memory))?;
        CallInfo::read(&bytes, self.line().version)
    }

    /// Its state as the provider has it now, which may not have been told yet, and what can be done
    /// with it (TSPI_lineGetCallStatus).
    ///
    /// # Errors
    /// INVALCALLHANDLE once it is closed.
    pub fn status(&self) -> Result<CallStatus, LineError> {
        let driver = self.0.usable()?;
        let provider = &self.0.line.shared.provider;
        let bytes =
            fetch::<LINECALLSTATUS>(|memory| provider.line_get_call_status(driver, memory))?;
        CallStatus::read(&bytes, self.line().version)
    }

    /// Dials more (TSPI_lineDial); an empty address ends what a `;` left open.
    ///
    /// # Errors
    /// The address is refused (R7), or the call is in no state for it.
    pub fn dial(&self, address: &str) -> Result<Pending<()>, LineError> {
        let driver = self.0.usable()?;
        self.0.line.submit("lineDial", self.0.tapi, None, (), |provider, id| {
            provider.line_dial(id, driver, address, 0)
        })
    }

    /// Answers (TSPI_lineAnswer).
    ///
    /// # Errors
    /// INVALCALLSTATE unless the call is offered.
    pub fn answer(&self) -> Result<Pending<()>, LineError> {
        let driver = self.0.usable()?;
        self.0.line.submit("lineAnswer", self.0.tapi, None, (), |provider, id| {
            provider.line_answer(id, driver, &[])
        })
    }

    /// Hangs up (TSPI_lineDrop): the call becomes idle, and should then be [closed](Call::close).
    ///
    /// # Errors
    /// INVALCALLSTATE if it is idle already.
    pub fn drop_call(&self) -> Result<Pending<()>, LineError> {
        let driver = self.0.usable()?;
        self.0.line.submit("lineDrop", self.0.tapi, None, (), |provider, id| {
            provider.line_drop(id, driver, &[])
        })
    }

    /// Sends bytes to the other modem, on a modem's line. Complete when the last has left.
    ///
    /// # Errors
    /// INVALCALLSTATE without a connection; OPERATIONUNAVAIL on a line without data.
    pub fn send(&self, bytes: &[u8]) -> Result<Pending<()>, LineError> {
        let driver = self.0.usable()?;
        self.0.line.submit("send", self.0.tapi, None, (), |provider, id| {
            provider.call_send(id, driver, bytes)
        })
    }

    /// Waits until so many bytes have come from the other modem, which [`Line::data`] hands out.
    ///
    /// # Errors
    /// As [`send`](Call::send); INVALPARAM for more than 65536 bytes.
    ///
    /// [`Line::data`]: super::Line::data
    pub fn receive(&self, bytes: usize, time_limit: Duration) -> Result<Pending<()>, LineError> {
        let driver = self.0.usable()?;
        self.0.line.submit("receive", self.0.tapi, None, (), |provider, id| {
            provider.call_receive(id, driver, bytes, time_limit)
        })
    }

    /// Gives the call up in whatever state it is (TSPI_lineCloseCall): it is hung up, outstanding
    /// requests fail before this returns (D5, N6), and no event of it follows. Harmless when
    /// repeated.
    ///
    /// In a callback the requests fail as soon as the callback has returned.
    ///
    /// # Errors
    /// The provider's; the call is closed all the same.
    pub fn close(&self) -> Result<(), LineError> {
        let phase = std::mem::replace(&mut self.0.life().phase, Phase::Dead);
        if matches!(phase, Phase::Dead) {
            // N8: one that was never made is dead by itself, and is not closed by us either.
            return Ok(());
        }
        let line = &self.0.line;
        let closed = match self.0.driver.get() {
            Some(driver) => line.shared.provider.line_close_call(*driver),
            None => Ok(()),
        };
        line.forget(self.0.tapi);
        closed
    }

    /// Sends DTMF digits, a comma for a pause (TSPI_lineGenerateDigits). `digit_ms` is the length of
    /// a digit, 0 for the default. Gives the number by which [`LineEvent::Generated`] tells the end
    /// (K5); digits that are still being sent are cancelled (D17).
    ///
    /// # Errors
    /// INVALCALLSTATE while nobody could hear them.
    ///
    /// [`LineEvent::Generated`]: super::LineEvent::Generated
    pub fn generate_digits(&self, digits: &str, digit_ms: u32) -> Result<u32, LineError> {
        let driver = self.0.usable()?;
        let shared = &self.0.line.shared;
        let end_to_end = shared.next_end_to_end();
        shared.provider.line_generate_digits(
            driver,
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
        let driver = self.0.usable()?;
        let provider = &self.0.line.shared.provider;
        provider.line_generate_digits(driver, 0, LINEDIGITMODE_DTMF, None, 0)
    }

    /// Tells each digit that the other side sends, when it begins and when it ends, or stops that
    /// (TSPI_lineMonitorDigits). It ends by itself with the conversation (O5).
    ///
    /// # Errors
    /// INVALCALLSTATE if the conversation is over.
    pub fn monitor_digits(&self, on: bool) -> Result<(), LineError> {
        let driver = self.0.usable()?;
        let modes = if on { LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND } else { 0 };
        self.0.line.shared.provider.line_monitor_digits(driver, modes)
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Call) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Call {}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({}, {:?})", self.handle(), self.state())
    }
}
