//! Finds who calls in the sound of a line, and whether messages wait.
//!
//! The sound may be anything. A caller is made of it only if a data message has the right checksum
//! and parameters that callers have, or if DTMF digits have the form that exchanges send.

use super::digits::DigitsReceiver;
use super::message::read_indicator;
use super::ntt::NttReceiver;
use super::{Caller, CallerIdCoding, Party, read_message};
use crate::ffi::{AdsiReceiver, FskReceiver};

/// Data messages come at -4 to -38 dBm, and spandsp hears what is above -30 dBm0: this is 12 dB.
/// A message that is clipped is understood.
const GAIN: i16 = 4;

/// Receives callers of one coding: of a data message by FSK from -4 to -36 dBm0 with noise 25 dB
/// below it (TIA-716, ETSI EN 300 778-1), or of DTMF digits. It allocates nothing until a caller is
/// received.
#[derive(Debug)]
pub struct CallerIdReceiver {
    kind: Kind,
    /// Whether messages wait, if that was told since it was last asked for.
    indicator: Option<bool>,
}

#[derive(Debug)]
enum Kind {
    Fsk(AdsiReceiver),
    Ntt(Box<NttReceiver>),
    Digits(Box<DigitsReceiver>),
}

impl CallerIdReceiver {
    /// Creates a receiver that has heard nothing yet.
    pub fn new(coding: CallerIdCoding) -> CallerIdReceiver {
        let kind = match coding {
            CallerIdCoding::Bell202 => Kind::Fsk(AdsiReceiver::new(AdsiReceiver::CLASS)),
            CallerIdCoding::V23 => Kind::Fsk(AdsiReceiver::new(AdsiReceiver::CLIP)),
            CallerIdCoding::Ntt => Kind::Ntt(Box::new(NttReceiver::new())),
            CallerIdCoding::Dtmf { .. } => Kind::Digits(Box::new(DigitsReceiver::new())),
        };
        CallerIdReceiver { kind, indicator: None }
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        match &mut self.kind {
            Kind::Fsk(receiver) => receiver.reset(),
            Kind::Ntt(receiver) => receiver.reset(),
            Kind::Digits(receiver) => receiver.reset(),
        }
    }

    /// Whether messages wait, if a data message that has ended since the last call has told that.
    /// Digits and Japan's messages never do.
    pub fn take_indicator(&mut self) -> Option<bool> {
        self.indicator.take()
    }

    /// Processes samples, and calls `on` for each caller that they tell of.
    pub fn feed(&mut self, samples: &[i16], on: &mut dyn FnMut(Caller)) {
        match &mut self.kind {
            Kind::Fsk(receiver) => each_louder(samples, |louder| {
                let Some(message) = receiver.listen(louder) else { return };
                if let Some(caller) = read_message(message).filter(is_told) {
                    on(caller);
                }
                self.indicator = read_indicator(message).or(self.indicator);
            }),
            Kind::Ntt(receiver) => each_louder(samples, |louder| {
                if let Some(caller) = receiver.listen(louder).filter(is_told) {
                    on(caller);
                }
            }),
            Kind::Digits(receiver) => receiver.feed(samples, on),
        }
    }
}

/// Amplifies samples in pieces that spandsp's receivers take.
fn each_louder(samples: &[i16], mut listen: impl FnMut(&[i16])) {
    const BLOCK: usize = if AdsiReceiver::BLOCK < FskReceiver::BLOCK {
        AdsiReceiver::BLOCK
    } else {
        FskReceiver::BLOCK
    };
    for piece in samples.chunks(BLOCK) {
        let mut louder = [0; BLOCK];
        for (louder, sample) in louder.iter_mut().zip(piece) {
            *louder = sample.saturating_mul(GAIN);
        }
        listen(louder.get(..piece.len()).unwrap_or_default());
    }
}

/// Whether a message tells of a caller, in a number that can be one. Its checksum alone would let
/// pass one of 256 that noise makes.
fn is_told(caller: &Caller) -> bool {
    let dialable = |letter: char| letter.is_ascii_digit() || " +-()*#ABCD".contains(letter);
    let number = caller.number.text().is_none_or(|number| number.chars().all(dialable));
    number && (caller.number != Party::Unknown || caller.name != Party::Unknown)
}
