//! Listens in a conversation for who else calls, and acknowledges that the exchange alerts the
//! line.
//!
//! Meanwhile the application hears silence and what it plays waits (what the kernel has of it is
//! lost), so that neither the digit nor the data message is in the conversation. Rule: who has
//! called first stays the caller of the call (dwCallerID); who waits is in dwDisplay, because an
//! analog exchange offers no second call that could be answered. A hook flash connects the line
//! with that caller.

use ringback_country::Country;
use ringback_driver::card::FRAME;
use ringback_media::caller_id::{
    ACKNOWLEDGEMENT, ACKNOWLEDGEMENT_MS, WaitingCallEvent, WaitingCallReceiver,
};
use ringback_media::dtmf::{self, Digit};

use super::super::port::{Port, Visit};
use super::super::queue::Sound;
use crate::book::Op;

/// What listens on a line, and acknowledges.
#[derive(Debug)]
pub(super) struct WaitingCallListener {
    /// `None` where exchanges do not tell it by data messages.
    receiver: Option<WaitingCallReceiver>,
    acknowledgement: dtmf::Generator,
}

impl WaitingCallListener {
    pub(super) fn new(country: Country) -> WaitingCallListener {
        let method = country.caller_id();
        let mut acknowledgement = dtmf::Generator::new();
        acknowledgement.set_timing(ACKNOWLEDGEMENT_MS, 0);
        WaitingCallListener {
            receiver: method.and_then(|method| WaitingCallReceiver::new(method.coding)),
            acknowledgement,
        }
    }

    /// A conversation begins, or goes on after something else.
    pub(super) fn reset(&mut self) {
        self.acknowledgement.clear();
        if let Some(receiver) = &mut self.receiver {
            receiver.reset();
        }
    }

    /// Whether the conversation is silenced.
    pub(super) fn is_alerted(&self) -> bool {
        self.receiver.as_ref().is_some_and(WaitingCallReceiver::is_alerted)
    }

    /// Processes a frame of the conversation. Returns whether it belongs to what the exchange
    /// tells.
    pub(super) fn hear(
        &mut self,
        port: &mut Port,
        visit: &mut Visit<'_, '_>,
        heard: &[i16; FRAME],
    ) -> bool {
        let Some(receiver) = &mut self.receiver else { return false };
        // Digits of ours would not reach the exchange whole, nor let it hear the acknowledgement.
        if port.book.has(Op::Dial) || port.sound() == Sound::Digits {
            receiver.reset();
            return false;
        }
        let mut silenced = receiver.is_alerted();
        let acknowledgement = &mut self.acknowledgement;
        receiver.feed(heard, &mut |event| match event {
            WaitingCallEvent::Alerted => {
                port.silence(visit);
                acknowledgement.clear();
                if let Some(digit) = Digit::from_char(ACKNOWLEDGEMENT) {
                    acknowledgement.push(digit);
                }
                silenced = true;
            }
            WaitingCallEvent::Told(caller) => port.book.set_waiting(visit.cx, caller),
            WaitingCallEvent::Over => {}
        });
        silenced
    }

    /// Renders the next samples of the acknowledgement to the start of `play`; returns how many
    /// there are.
    pub(super) fn render(&mut self, play: &mut [i16]) -> usize {
        self.acknowledgement.fill(play)
    }
}
