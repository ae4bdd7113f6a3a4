//! Tells a line whether messages wait for it: by its dial tone, and by a data message where its
//! country's exchanges send these, as soon as it has been idle for a second.

use ringback_country::{CallerIdMoment, Country};
use ringback_media::caller_id::CallerIdSender;

use crate::chips::Frame;

/// How long a line is idle before it is told.
const IDLE_MS: u64 = 1000;

/// What a line is told of waiting messages.
#[derive(Debug, Default)]
pub(super) struct MessageDesk {
    /// Whether messages wait.
    pub(super) wait: bool,
    /// It is not told yet, or not to the end.
    due: bool,
    /// What is being sent.
    sender: Option<CallerIdSender>,
    /// Whether battery is reversed meanwhile.
    reverses: bool,
}

impl MessageDesk {
    /// Says whether messages wait from now on. The line is told even if it was told so before.
    pub(super) fn set(&mut self, wait: bool) {
        (self.wait, self.due, self.sender) = (wait, true, None);
    }

    /// The line is no longer idle: what is not told to the end will be told again.
    pub(super) fn interrupt(&mut self) {
        self.sender = None;
    }

    /// Adds the next millisecond to a line that has been idle for so long. A bit of the data
    /// message may be sent wrong.
    pub(super) fn tell(
        &mut self,
        country: Country,
        idle_ms: u64,
        wrong_bit: Option<usize>,
        audio: &mut Frame,
    ) {
        if !self.due || idle_ms < IDLE_MS {
            return;
        }
        if self.sender.is_none() {
            let method = country.caller_id();
            self.reverses =
                method.is_some_and(|method| method.moment == CallerIdMoment::AfterReversal);
            self.sender =
                method.and_then(|method| CallerIdSender::message_waiting(method, self.wait));
            if let (Some(sender), Some(bit)) = (&mut self.sender, wrong_bit) {
                sender.set_wrong_bit(bit);
            }
        }
        if let Some(sender) = &mut self.sender {
            sender.fill(audio);
        }
        if self.sender.as_ref().is_none_or(CallerIdSender::is_over) {
            (self.due, self.sender) = (false, None);
        }
    }

    /// Whether battery is reversed.
    pub(super) fn reverses(&self) -> bool {
        self.reverses && self.sender.is_some()
    }
}
