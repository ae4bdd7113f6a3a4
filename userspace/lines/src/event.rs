//! Messages of a line and of the phone beside it.

use ringback_tspi::provider::PhoneMessage;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

/// A message of a line or of its phone. The provider turns it into LINEEVENT and PHONEEVENT calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A message of the line or of a call.
    Line {
        /// TAPI's handle of the line, of the opening in which this was emitted.
        line: HTAPILINE,
        /// What it is about.
        subject: Subject,
    },
    /// A message of the phone, of the opening in which it was emitted.
    Phone(PhoneMessage),
}

/// What an event of a line is about.
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
        match self {
            Event::Line {
                subject: Subject::NewCall(call) | Subject::Call { call, .. }, ..
            } => Some(*call),
            Event::Line { .. } | Event::Phone(_) => None,
        }
    }

    /// Whether it is a message of the phone.
    pub fn is_phones(&self) -> bool {
        matches!(self, Event::Phone(_))
    }
}
