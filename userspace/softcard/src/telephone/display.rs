//! The display of a telephone, which shows who calls, and whether messages wait.

use ringback_country::CallerIdCoding;
use ringback_media::caller_id::{Caller, CallerIdReceiver};

use crate::chips::Frame;

/// What shows who called last, and whether messages wait if it was ever told.
#[derive(Debug)]
pub(super) struct CallerDisplay {
    receiver: CallerIdReceiver,
    shown: Option<Caller>,
    messages: Option<bool>,
}

impl CallerDisplay {
    pub(super) fn new(coding: CallerIdCoding) -> CallerDisplay {
        CallerDisplay { receiver: CallerIdReceiver::new(coding), shown: None, messages: None }
    }

    /// Processes a millisecond of the line on which the telephone is not lifted.
    pub(super) fn hear(&mut self, audio: &Frame) {
        self.receiver.feed(audio, &mut |caller| self.shown = Some(caller));
        self.messages = self.receiver.take_indicator().or(self.messages);
    }

    pub(super) fn messages(&self) -> Option<bool> {
        self.messages
    }

    pub(super) fn shown(&self) -> Option<&Caller> {
        self.shown.as_ref()
    }
}
