//! The functions of every engine of lines besides requests, for all kinds of lines.

use ringback_driver::engine::{Context, Engine};
use ringback_driver::request::LineNumber;
use ringback_tspi::callstate::{CallState, features};
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::LineError;
use ringback_tspi::key::Key;
use ringback_tspi::media::{Audio, Data};
use ringback_tspi::structs::LINEMONITORTONE;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::{Book, CallSnapshot, Command, DeviceConfig, Event, Gather, Opening, PhoneEngine, Tone};

/// As many calls back as a line can ask its exchange for.
pub const MOST_CALL_BACKS: u32 = 8;

/// The current state of a line, for LINEDEVSTATUS and for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineReport {
    /// The opening that the line is in; `None` while it is closed.
    pub opening: Option<Opening>,
    /// The state of its call, if it has one; `None` inside while the call has no state yet.
    pub call: Option<Option<CallState>>,
    /// The number of further calls that the exchange holds.
    pub held: u32,
    /// FXO: an exchange feeds the line; FXS: its module was not given up; modem: it answers. And no
    /// application has taken the line out of service.
    pub in_service: bool,
    /// Whether it was locked.
    pub locked: bool,
    /// Whether a call can be made now (TSPI_lineMakeCall).
    pub takes_call: bool,
    /// dwRingMode: 1 while the line rings, else 0.
    pub ring_mode: u32,
    /// FXS: the telephone is told that messages wait.
    pub message_waiting: bool,
    /// The number of calls back that its exchange was asked for.
    pub call_backs: usize,
}

/// An engine of lines: it takes their requests, emits their events, and answers the synchronous
/// functions (K2), which complete nothing (K3).
pub trait LineEngine: Engine<Command = Command, Event = Event, Output = ()> + PhoneEngine {
    /// Opens a line: from now on it emits its events under TAPI's handle.
    ///
    /// # Errors
    /// ALLOCATED if it is open, NODEVICE if there is no such line or the device is gone.
    fn open(
        &mut self,
        line: LineNumber,
        tapi: HTAPILINE,
        cx: &mut Context<'_, Event>,
    ) -> Result<Opening, LineError>;

    /// Closes a line: its calls are dropped (LINEDEVCAPFLAGS_CLOSEDROP, D3), every outstanding
    /// request is completed with OPERATIONFAILED (D1), no event follows (D2).
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if it is not open, NODEVICE if there is no such line.
    fn close(&mut self, line: LineNumber, cx: &mut Context<'_, Event>) -> Result<(), LineError>;

    /// Closes a call in any state, also one whose creation is pending (N6) or that failed (N8): its
    /// outstanding requests are completed with OPERATIONFAILED, no event follows (D5).
    ///
    /// # Errors
    /// INVALCALLHANDLE for a handle that was never given out.
    fn close_call(&mut self, call: HDRVCALL, cx: &mut Context<'_, Event>) -> Result<(), LineError>;

    /// The book of a line; `None` if there is no such line.
    fn book(&mut self, line: LineNumber) -> Option<&mut Book>;

    /// The book of a line, for a caller that has it open in this opening.
    ///
    /// # Errors
    /// INVALLINEHANDLE.
    fn book_of(&mut self, line: LineNumber, opening: Opening) -> Result<&mut Book, LineError> {
        let book = self.book(line).ok_or(LineError::INVALLINEHANDLE)?;
        book.openings.check(opening)?;
        Ok(book)
    }

    /// The configuration of a line's device.
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if it has no configuration.
    fn config(&self, line: LineNumber) -> Result<DeviceConfig, LineError> {
        let _ = line;
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// Configures a line's device.
    ///
    /// # Errors
    /// INVALPARAM for an invalid configuration or one of another kind of device; INVALLINESTATE if
    /// it can't be changed now; OPERATIONUNAVAIL if the device has none.
    fn set_config(&mut self, line: LineNumber, config: DeviceConfig) -> Result<(), LineError> {
        let _ = (line, config);
        Err(LineError::OPERATIONUNAVAIL)
    }

    /// How a line is.
    fn state(&self, line: LineNumber) -> Option<LineReport>;

    /// What is known of a call.
    ///
    /// # Errors
    /// INVALCALLHANDLE.
    fn call(&self, call: HDRVCALL) -> Result<CallSnapshot, LineError>;

    /// Whether a function, given by its LINECALLFEATURE_ bit, can be called on a call now. What is
    /// offered and what is refused both follow from this answer.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE if it can't be called now; OPERATIONUNAVAIL if it never can
    /// on this line.
    fn can(&self, call: HDRVCALL, feature: u32) -> Result<(), LineError>;

    /// The LINECALLFEATURE_ bits of all functions that can be called on a call now.
    fn features(&self, call: HDRVCALL) -> u32 {
        let bits = features::FEATURES.iter().map(|(bit, _)| *bit);
        bits.filter(|bit| self.can(call, *bit).is_ok()).fold(0, |bits, bit| bits | bit)
    }

    /// The samples of a line, where it has any.
    fn audio(&self, line: LineNumber) -> Option<Audio> {
        let _ = line;
        None
    }

    /// The data that comes over a line; `None` if a line of this kind has none.
    fn data(&self, line: LineNumber) -> Option<Data> {
        let _ = line;
        None
    }

    /// Generates DTMF digits on a call; `None` is a pause. LINE_GENERATE with the end-to-end id
    /// reports their end (K5). Without digits, what is being generated is cancelled (D17).
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE; OPERATIONUNAVAIL on a line that can't.
    fn generate_digits(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        digits: Option<&[Option<Key>]>,
        timing: DialTiming,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let _ = (end_to_end, digits, timing, cx);
        self.can(call, LINECALLFEATURE_GENERATEDIGITS)
    }

    /// Generates a tone on a call for this many milliseconds, 0 for ever. It ends as digits do, and
    /// cancels digits or a tone that are being generated (D17). Without a tone it only cancels.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE; OPERATIONUNAVAIL on a line that can't.
    fn generate_tone(
        &mut self,
        call: HDRVCALL,
        end_to_end: u32,
        tone: Option<&Tone>,
        duration_ms: u32,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let _ = (end_to_end, tone, duration_ms, cx);
        self.can(call, LINECALLFEATURE_GENERATETONE)
    }

    /// Gathers digits into a buffer until LINE_GATHERDIGITS reports the end. A gathering that is
    /// running ends first (D18). Without a buffer it only ends that one.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE; OPERATIONUNAVAIL on a line that can't.
    fn gather_digits(
        &mut self,
        call: HDRVCALL,
        gather: Option<Gather>,
        cx: &mut Context<'_, Event>,
    ) -> Result<(), LineError> {
        let _ = (gather, cx);
        self.can(call, LINECALLFEATURE_GATHERDIGITS)
    }

    /// Listens for the tones of a list, in addition to those of other lists, until the call is
    /// over. Without tones the list is removed.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE; RESOURCEUNAVAIL for too many lists; OPERATIONUNAVAIL on a
    /// line that can't.
    fn monitor_tones(
        &mut self,
        call: HDRVCALL,
        list: u32,
        tones: Option<&[LINEMONITORTONE]>,
    ) -> Result<(), LineError> {
        let _ = (list, tones);
        self.can(call, LINECALLFEATURE_MONITORTONES)
    }

    /// Listens for these LINEMEDIAMODE_ bits until the call is over, instead of those before; with
    /// 0 for none.
    ///
    /// # Errors
    /// INVALCALLHANDLE; INVALCALLSTATE; OPERATIONUNAVAIL on a line that can't.
    fn monitor_media(&mut self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        let _ = modes;
        self.can(call, LINECALLFEATURE_MONITORMEDIA)
    }

    /// Enables digit detection (LINEDIGITMODE_DTMF, DTMFEND, of a
    /// telephone also PULSE), or disables it with 0, which never
    /// fails on a known call of a line that can detect digits.
    ///
    /// # Errors
    /// INVALDIGITMODE; INVALCALLHANDLE; INVALCALLSTATE; OPERATIONUNAVAIL on a line that can't.
    fn monitor_digits(&mut self, call: HDRVCALL, modes: u32) -> Result<(), LineError> {
        let _ = modes;
        self.can(call, LINECALLFEATURE_MONITORDIGITS)
    }
}
