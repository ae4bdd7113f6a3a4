//! Hears who else calls during a conversation (Telcordia GR-575, ETSI EN 300 659-2).
//!
//! The exchange interrupts the conversation, and alerts the line by a tone of 80 ms. The line
//! acknowledges it within 100 ms by [`ACKNOWLEDGEMENT`], and silences both directions for whoever
//! speaks. Within half a second the exchange sends a data message, before which there are only
//! some bits of 1. If it sends none, or a damaged one, the conversation goes on without a caller.

use super::fsk::FskTones;
use super::share::Share;
use super::{Caller, CallerIdCoding, CallerIdReceiver};
use crate::oscillator::{Oscillator, to_sample};
use crate::samples_in;

/// The tone that alerts a line during a conversation, in Hz.
const ALERT_HZ: [f32; 2] = [2130.0, 2750.0];
/// The level of each of its frequencies at the exchange, in dBm0, and how long it lasts.
const ALERT_DBM0: f32 = -15.0;
const ALERT: u32 = samples_in(80);
/// As many windows of [`Share`] have the tone in them that lasts for 75 to 85 ms, with one more or
/// less because of noise.
const ALERTED: std::ops::RangeInclusive<u32> = 5..=9;
/// The digit that acknowledges the tone. Telephones that show pages of text (ADSI) have `A`.
pub const ACKNOWLEDGEMENT: char = 'D';
/// How long the digit sounds, in ms.
pub const ACKNOWLEDGEMENT_MS: u32 = 60;
/// How long after the tone a message begins at the latest: 100 ms until it is acknowledged, 65 ms
/// for that, 500 ms, and what the kernel may delay both directions.
const BEGINS: u32 = samples_in(750);
/// How long the longest message takes (ETSI EN 300 659-3: a name of 50 letters and two numbers).
const LASTS: u32 = samples_in(1500);
/// As many windows of 1 show that there is a message: it begins with 58 ms of them.
const MARKED: u32 = 2;

/// Sends the tone that alerts a line during a conversation.
#[derive(Debug)]
pub struct AlertSender {
    left: u32,
    tones: [Oscillator; 2],
}

impl Default for AlertSender {
    fn default() -> AlertSender {
        AlertSender { left: ALERT, tones: ALERT_HZ.map(|hz| Oscillator::new(hz, ALERT_DBM0)) }
    }
}

impl AlertSender {
    /// Writes the next samples to the start of `out`, and returns how many there are.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let count = out.len().min(self.left as usize);
        for sample in out.iter_mut().take(count) {
            *sample = to_sample(self.tones.iter_mut().map(Oscillator::next).sum());
        }
        self.left -= count as u32;
        count
    }
}

/// What a [`WaitingCallReceiver`] has heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingCallEvent {
    /// The line was alerted: it has to acknowledge that at once, and is silenced until the end.
    Alerted,
    /// This caller waits.
    Told(Caller),
    /// The conversation goes on.
    Over,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The conversation. The tone has been heard in so many windows.
    Talking { alert: u32 },
    /// The tone was heard. A message has to begin within so many samples; bits of 1 have been heard
    /// in so many windows.
    Alerted { left: u32, mark: u32 },
    /// The message has to end within so many samples.
    Message { left: u32 },
}

/// Receives the callers who wait. It allocates nothing until one is received.
#[derive(Debug)]
pub struct WaitingCallReceiver {
    alert: Share<2>,
    mark: Share<1>,
    message: CallerIdReceiver,
    stage: Stage,
}

impl WaitingCallReceiver {
    /// Creates a receiver; `None` where exchanges send no data messages.
    pub fn new(coding: CallerIdCoding) -> Option<WaitingCallReceiver> {
        let tones = FskTones::of(coding)?;
        Some(WaitingCallReceiver {
            alert: Share::new(ALERT_HZ),
            mark: Share::new([tones.mark_hz]),
            message: CallerIdReceiver::new(coding),
            stage: Stage::Talking { alert: 0 },
        })
    }

    /// Forgets what was heard: the conversation begins, or goes on.
    pub fn reset(&mut self) {
        self.alert.reset();
        self.stage = Stage::Talking { alert: 0 };
    }

    /// Whether the line is silenced.
    pub fn is_alerted(&self) -> bool {
        !matches!(self.stage, Stage::Talking { .. })
    }

    /// Processes samples, and calls `on` for what they tell.
    pub fn feed(&mut self, samples: &[i16], on: &mut dyn FnMut(WaitingCallEvent)) {
        // Short enough that at most one window ends in each piece.
        for piece in samples.chunks(Share::<1>::STEP) {
            self.feed_piece(piece, on);
        }
    }

    fn feed_piece(&mut self, piece: &[i16], on: &mut dyn FnMut(WaitingCallEvent)) {
        let passed = piece.len() as u32;
        match &mut self.stage {
            Stage::Talking { alert } => match self.alert.feed(piece) {
                Some(true) => *alert = alert.saturating_add(1),
                Some(false) if ALERTED.contains(alert) => {
                    self.mark.reset();
                    self.message.reset();
                    self.stage = Stage::Alerted { left: BEGINS, mark: 0 };
                    on(WaitingCallEvent::Alerted);
                }
                Some(false) => *alert = 0,
                None => {}
            },
            Stage::Alerted { left, mark } => {
                *left = left.saturating_sub(passed);
                match self.mark.feed(piece) {
                    Some(true) => *mark += 1,
                    Some(false) => *mark = 0,
                    None => {}
                }
                let (begins, late) = (*mark >= MARKED, *left == 0);
                if begins {
                    self.stage = Stage::Message { left: LASTS };
                }
                self.listen(piece, late && !begins, on);
            }
            Stage::Message { left } => {
                *left = left.saturating_sub(passed);
                let late = *left == 0;
                self.listen(piece, late, on);
            }
        }
    }

    /// Receives a piece of the message; if that ends it, or it has taken too long, the conversation
    /// goes on.
    fn listen(&mut self, piece: &[i16], late: bool, on: &mut dyn FnMut(WaitingCallEvent)) {
        let mut told = None;
        self.message.feed(piece, &mut |caller| told = Some(caller));
        let is_told = told.is_some();
        if let Some(caller) = told {
            on(WaitingCallEvent::Told(caller));
        }
        if is_told || late {
            self.reset();
            on(WaitingCallEvent::Over);
        }
    }
}
