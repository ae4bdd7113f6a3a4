//! One call of a line, in the engine and as the provider gets it.

use ringback_driver::Time;
use ringback_driver::request::LineNumber;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::types::HDRVCALL;

use crate::{Caller, Treatment};

/// What is known about a call. Most of it is set when the call begins, the rest when it becomes
/// known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// One LINECALLORIGIN_.
    pub origin: u32,
    /// One LINECALLREASON_.
    pub reason: u32,
    /// One LINEBEARERMODE_.
    pub bearer: u32,
    /// LINEMEDIAMODE_ bits.
    pub media: u32,
    /// Who calls, as far as is known.
    pub caller: Caller,
    /// Who has called during this call, as the exchange told last.
    pub waiting: Option<Caller>,
    /// What was dialled, as far as is known.
    pub called: String,
    /// A number that no other call of this provider has (dwCallID).
    pub call_id: u32,
    /// Durations of the parts of dialling on this call (DialParams).
    pub timing: DialTiming,
    /// What the telephone hears while it waits; `None` for the usual (dwCallTreatment).
    pub treatment: Option<Treatment>,
    /// A number of the application's, which is not interpreted here (dwAppSpecific).
    pub app_specific: u32,
    /// Data about the call that has no effect on it.
    pub notes: CallNotes,
}

/// Data about a call that is kept only for LINECALLINFO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallNotes {
    /// dwCountryCode as lineMakeCall got it; 0 for the default.
    pub country: u32,
    /// The LINECALLPARAMFLAGS_ bits of lineMakeCall.
    pub flags: u32,
    /// Bytes that an application has attached to the call (dwCallData), at most
    /// [`CallNotes::MOST_DATA`].
    pub data: Vec<u8>,
}

impl CallNotes {
    /// How many bytes can be attached to a call (dwMaxCallDataSize).
    pub const MOST_DATA: usize = 4096;
}

impl CallInfo {
    /// The information of a call that the application makes.
    pub(crate) fn outbound(
        call: HDRVCALL,
        media: u32,
        called: String,
        timing: DialTiming,
        notes: CallNotes,
    ) -> CallInfo {
        CallInfo {
            origin: LINECALLORIGIN_OUTBOUND,
            reason: LINECALLREASON_DIRECT,
            bearer: LINEBEARERMODE_VOICE,
            media,
            caller: Caller::default(),
            waiting: None,
            called,
            call_id: CallHandles::serial(call),
            timing,
            treatment: None,
            app_specific: 0,
            notes,
        }
    }

    /// The information of an incoming call, from an exchange that does not report for whom it is or
    /// why.
    pub(crate) fn inbound(call: HDRVCALL, media: u32) -> CallInfo {
        CallInfo {
            origin: LINECALLORIGIN_INBOUND,
            reason: LINECALLREASON_UNAVAIL,
            bearer: LINEBEARERMODE_VOICE,
            media,
            caller: Caller::default(),
            waiting: None,
            called: String::new(),
            call_id: CallHandles::serial(call),
            timing: DialTiming::default(),
            treatment: None,
            app_specific: 0,
            notes: CallNotes::default(),
        }
    }
}

/// A call's data for LINECALLINFO and LINECALLSTATUS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSnapshot {
    /// The provider's handle of the call.
    pub call: HDRVCALL,
    /// The number of its line in the engine.
    pub line: LineNumber,
    /// Its state; `None` before the first LINE_CALLSTATE.
    pub state: Option<CallState>,
    /// The mode of that state.
    pub mode: u32,
    /// Since when it is in that state; [`Time::ZERO`] before the first one.
    pub since: Time,
    /// Origin, reason and address of the call, for LINECALLINFO.
    pub info: CallInfo,
    /// The LINECALLFEATURE_ bits of all functions that can be called on it now.
    pub features: u32,
}

impl CallSnapshot {
    /// What the telephone hears while it waits, now or later.
    pub fn treatment(&self) -> Treatment {
        self.info.treatment.unwrap_or(Treatment::usual(self.state))
    }
}

/// A call in the engine.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) handle: HDRVCALL,
    pub(crate) state: Option<CallState>,
    pub(crate) mode: u32,
    /// Since when it is in that state.
    pub(crate) since: Time,
    pub(crate) info: CallInfo,
    /// LINEDIGITMODE_ bits that are monitored; 0 for none.
    pub(crate) monitored: u32,
    /// dwEndToEndID of the digits that are being generated.
    pub(crate) generating: Option<u32>,
}

impl Call {
    pub(crate) fn new(handle: HDRVCALL, info: CallInfo) -> Call {
        let since = Time::ZERO;
        Call { handle, state: None, mode: 0, since, info, monitored: 0, generating: None }
    }

    /// What the telephone hears while it waits.
    pub(crate) fn treatment(&self) -> Treatment {
        self.info.treatment.unwrap_or(Treatment::usual(self.state))
    }

    pub(crate) fn snapshot(&self, line: LineNumber, features: u32) -> CallSnapshot {
        CallSnapshot {
            call: self.handle,
            line,
            state: self.state,
            mode: self.mode,
            since: self.since,
            info: self.info.clone(),
            features,
        }
    }
}

/// Makes the handles of calls: the line in the low byte, a serial number above it, so that a handle
/// contains its line, and a late handle differs from a live one.
#[derive(Debug, Default)]
pub struct CallHandles(std::sync::atomic::AtomicUsize);

impl CallHandles {
    /// A handle for a new call on a line below 255; never 0 (N2), and not one that was given out
    /// before.
    pub fn next(&self, line: LineNumber) -> Option<HDRVCALL> {
        let serial = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let line = line.index();
        (line < 255).then_some(())?;
        HDRVCALL::new(serial << 8 | (line + 1))
    }

    /// Whether the handle was given out, for a call that is over as well.
    pub fn knows(&self, call: HDRVCALL) -> bool {
        (1..=self.0.load(std::sync::atomic::Ordering::Relaxed)).contains(&(call.raw() >> 8))
            && call.raw() & 0xFF != 0
    }

    /// The line of a handle.
    pub fn line(call: HDRVCALL) -> Option<LineNumber> {
        (call.raw() & 0xFF).checked_sub(1).map(LineNumber::at)
    }

    /// The number of a handle's call, which is its dwCallID.
    pub fn serial(call: HDRVCALL) -> u32 {
        (call.raw() >> 8) as u32
    }
}
