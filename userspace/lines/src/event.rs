//! Messages of a line.

use ringback_tspi::types::{HDRVCALL, HTAPILINE};

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
    /// LINE_NEWCALL: a call that begins on the line, for example an incoming one; the next message
    /// of this call is its first state (N14).
    NewCall(HDRVCALL),
    /// A message of a call.
    Call {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// LINE_CALLSTATE, LINE_CALLINFO, LINE_GENERATE, or a message about digits or tones.
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
