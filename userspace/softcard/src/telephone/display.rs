//! The display of a telephone, which shows who calls.

use ringback_country::CallerIdCoding;
use ringback_media::caller_id::{Caller, CallerIdReceiver};

use crate::chips::Frame;

/// What shows who called last.
#[derive(Debug)]
pub(super) struct CallerDisplay {
    receiver: CallerIdReceiver,
    shown: Option<Caller>,
}

impl CallerDisplay {
    pub(super) fn new(coding: CallerIdCoding) -> CallerDisplay {
        CallerDisplay { receiver: CallerIdReceiver::new(coding), shown: None }
    }

    /// Processes a millisecond of the line on which the telephone is not lifted.
    pub(super) fn hear(&mut self, audio: &Frame) {
        self.receiver.feed(audio, &mut |caller| self.shown = Some(caller));
    }

    pub(super) fn shown(&self) -> Option<&Caller> {
        self.shown.as_ref()
    }
}
