//! Digits of the PBX on their way to the line, one after the other: a line cancels the digits that
//! it is sending when others are to be sent (D17). A hook flash among them is dialled: the exchange
//! gets it in its order, and as long as the country's exchanges want it.

use std::collections::VecDeque;
use std::future::pending;

use ringback_host::{Call, Pending};
use tracing::warn;

use crate::telephone_event::FLASH;

/// The most digits that wait to be sent on the line; further ones are dropped.
const MOST_DIGITS: usize = 64;

/// What the line is doing.
enum Sending {
    Nothing,
    /// A digit, by the id with which its end is reported.
    Digit(u32),
    Flash(Pending<()>),
}

/// The digits that wait, and the one that is being sent.
pub(crate) struct DigitQueue {
    call: Call,
    /// A telephone is given no hook flash: that is what it gives.
    is_telephone: bool,
    waiting: VecDeque<char>,
    sending: Sending,
}

impl DigitQueue {
    pub(crate) fn new(call: Call, is_telephone: bool) -> DigitQueue {
        DigitQueue { call, is_telephone, waiting: VecDeque::new(), sending: Sending::Nothing }
    }

    pub(crate) fn add(&mut self, digit: char) {
        let sent = digit != FLASH || !self.is_telephone;
        if sent && self.waiting.len() < MOST_DIGITS {
            self.waiting.push_back(digit);
        }
        self.send();
    }

    /// The line has sent the digit with this id.
    pub(crate) fn sent(&mut self, end_to_end: u32) {
        if matches!(self.sending, Sending::Digit(id) if id == end_to_end) {
            self.sending = Sending::Nothing;
            self.send();
        }
    }

    /// Returns when the line has flashed. Cancel-safe; without a flash it waits for ever.
    pub(crate) async fn flashed(&mut self) {
        let Sending::Flash(flash) = &mut self.sending else { return pending().await };
        if let Err(error) = flash.await {
            warn!("a line has not flashed: {error}");
        }
        self.sending = Sending::Nothing;
        self.send();
    }

    fn send(&mut self) {
        while matches!(self.sending, Sending::Nothing)
            && let Some(digit) = self.waiting.pop_front()
        {
            let sending = match digit {
                FLASH => self.call.dial(&FLASH.to_string()).map(Sending::Flash),
                digit => self.call.generate_digits(&digit.to_string(), 0).map(Sending::Digit),
            };
            match sending {
                Ok(sending) => self.sending = sending,
                Err(error) => warn!("a digit can't be sent on a line: {error}"),
            }
        }
    }
}
