//! The messages of lines and phones, each as one value on its way from the lines to the
//! application's queue.

use crate::types::{HTAPICALL, HTAPILINE, HTAPIPHONE};

/// A message of a line or of one of its calls: the arguments of LINEEVENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineMessage {
    /// TAPI's handle of the line, from TSPI_lineOpen (htLine).
    pub line: HTAPILINE,
    /// TAPI's handle of the call; `None` for a message of the line itself (htCall 0).
    pub call: Option<HTAPICALL>,
    /// LINE_CALLSTATE, LINE_CLOSE and so on (dwMsg).
    pub message: u32,
    /// What the message says; what each of them means depends on the message (dwParam1 to
    /// dwParam3).
    pub params: [usize; 3],
}

/// A message of a phone: the arguments of PHONEEVENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneMessage {
    /// TAPI's handle of the phone, from TSPI_phoneOpen (htPhone).
    pub phone: HTAPIPHONE,
    /// PHONE_STATE, PHONE_CLOSE and so on (dwMsg).
    pub message: u32,
    /// What the message says; what each of them means depends on the message (dwParam1 to
    /// dwParam3).
    pub params: [usize; 3],
}
