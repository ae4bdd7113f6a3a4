//! Lines as engines: what a card's ports and a modem are to TSPI.
//!
//! Every line appears as one TSPI line with one address and one call at a time, whatever it is made
//! of; [`LineEngine`] has the functions of all of them. [`Lines`] is the engine of a card with
//! ports (FXO lines of an exchange, FXS stations), [`modem`] that of a modem. A [`Command`] to a
//! line ends in a completion; what happens on the line by itself is an [`Event`].
//!
//! Rules that hold here: a call has no event before its creator's completion(0) (N4, O1); it never
//! leaves IDLE and has no event afterwards (O3, O4); each change of state is emitted once; every
//! request that is outstanding when its call or line is closed is completed first (D1, D5);
//! dropping completes all other requests of the call (D7). Every handle is checked, so a late or
//! repeated one gets an error and changes nothing.

mod book;
mod bookkeeping;
mod call;
mod device_config;
mod line_engine;
pub mod modem;
mod opening;
mod ports;
mod sounds;

pub use book::Book;
pub use call::{CallHandles, CallInfo, CallNotes, CallSnapshot};
pub use device_config::DeviceConfig;
pub use line_engine::{LineEngine, LineReport};
pub use opening::{Opening, Openings};
pub use ports::{Lines, PortInfo, dialing_time, line_kind};
pub use sounds::{Gather, Tone};

use std::time::Duration;

use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

/// What a request asks of a line. Every command owns its input (B1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// TSPI_lineMakeCall: seize the line and dial, or ring the telephone.
    MakeCall {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// What to dial; empty to get dial tone and dial later.
        address: DialString,
        /// The address as the application wrote it, for LINECALLINFO.
        called: String,
        /// LINECALLPARAMFLAGS_IDLE: fail with CALLUNAVAIL rather than dial without dial tone.
        only_if_idle: bool,
        /// One or more LINEMEDIAMODE_.
        media: u32,
        /// Digit durations, pauses and waits.
        timing: DialTiming,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineDial: dial more on a call that is being dialled.
    Dial {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// What to dial; empty says that dialling is complete.
        address: DialString,
    },
    /// TSPI_lineAnswer: take the call that rings.
    Answer {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineDrop: hang up.
    Drop {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineMakeCall with LINEBEARERMODE_PASSTHROUGH: hand the modem to the application. The
    /// call is connected at once, and its bytes are those between the computer and the modem.
    PassThrough {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// One or more LINEMEDIAMODE_.
        media: u32,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineAccept: somebody takes care of the call that rings. Nothing happens on the line.
    Accept {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineSetCallData: attach bytes to the call.
    SetCallData {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// At most [`CallNotes::MOST_DATA`] bytes; none remove what is attached.
        data: Vec<u8>,
    },
    /// TSPI_lineSetCallParams: the times of what is dialled from now on.
    SetCallParams {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// Digit durations, pauses and waits; `None` leaves them.
        timing: Option<DialTiming>,
    },
    /// Sends bytes on a connected call of a modem. Done when the last has left the computer.
    Send {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// The bytes to send, in order.
        bytes: Vec<u8>,
    },
    /// Waits on a connected call of a modem until so many bytes can be fetched.
    Receive {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// How many, at most 65536.
        bytes: usize,
        /// How long to wait.
        time_limit: Duration,
    },
}

impl Command {
    /// The call it is about.
    pub fn call(&self) -> HDRVCALL {
        match self {
            Command::MakeCall { call, .. }
            | Command::Dial { call, .. }
            | Command::Answer { call }
            | Command::Drop { call }
            | Command::PassThrough { call, .. }
            | Command::Accept { call }
            | Command::SetCallData { call, .. }
            | Command::SetCallParams { call, .. }
            | Command::Send { call, .. }
            | Command::Receive { call, .. } => *call,
        }
    }

    /// The LINECALLFEATURE_ bit by which the function behind it is offered; `None` for what is not
    /// asked of an existing call, or is not TSPI's.
    pub fn feature(&self) -> Option<u32> {
        Some(match self {
            Command::Dial { .. } => LINECALLFEATURE_DIAL,
            Command::Answer { .. } => LINECALLFEATURE_ANSWER,
            Command::Drop { .. } => LINECALLFEATURE_DROP,
            Command::Accept { .. } => LINECALLFEATURE_ACCEPT,
            Command::SetCallData { .. } => LINECALLFEATURE_SETCALLDATA,
            Command::SetCallParams { .. } => LINECALLFEATURE_SETCALLPARAMS,
            Command::MakeCall { .. }
            | Command::PassThrough { .. }
            | Command::Send { .. }
            | Command::Receive { .. } => return None,
        })
    }
}

/// A message of a line. The provider turns it into LINEEVENT calls with TAPI's handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// TAPI's handle of the line, of the opening in which this was emitted.
    pub line: HTAPILINE,
    /// What it is about.
    pub subject: Subject,
}

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// LINE_NEWCALL: a call that begins on the line, an incoming one for example; the next message
    /// of this call is its first state (N14).
    NewCall(HDRVCALL),
    /// A message of a call.
    Call {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// LINE_CALLSTATE, LINE_CALLINFO, LINE_GENERATE, or what tells of digits and tones.
        message: u32,
        /// Its parameters (T9: pointer-sized).
        params: [usize; 3],
    },
    /// A message of the line or its address.
    Line {
        /// LINE_LINEDEVSTATE, LINE_ADDRESSSTATE or LINE_CLOSE.
        message: u32,
        /// Its parameters dwParam1 to dwParam3 (T9: pointer-sized).
        params: [usize; 3],
    },
}

impl Event {
    /// The call it is about.
    pub fn call(&self) -> Option<HDRVCALL> {
        match self.subject {
            Subject::NewCall(call) | Subject::Call { call, .. } => Some(call),
            Subject::Line { .. } => None,
        }
    }
}
