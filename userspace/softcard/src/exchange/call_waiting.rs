//! Tells a line in conversation that somebody else calls: the tone of call waiting, and who it is,
//! if callers are told (Telcordia GR-575, ETSI EN 300 659-2).
//!
//! The conversation is interrupted in both directions until that is over.

use ringback_country::Country;
use ringback_media::caller_id::{ACKNOWLEDGEMENT, AlertSender, Caller, CallerIdSender};
use ringback_media::{dtmf, tone};

use super::destination::Id;
use crate::chips::Frame;

/// How long the tone of call waiting sounds, and how long the pause before the alert is, in ms.
const TONE_MS: u32 = 300;
const PAUSE_MS: u32 = 40;
/// How long the acknowledgement is awaited until it is recognised, in ms: it begins within 100 ms
/// of the alert, and the line's time and ours come to that.
const ACKNOWLEDGED_MS: u32 = 250;

#[derive(Debug)]
enum Stage {
    Tone,
    Alert(AlertSender),
    /// With the time that is left, in ms.
    Awaiting(u32),
    Message,
    Over,
}

/// A party that calls a line in conversation.
#[derive(Debug)]
pub(super) struct WaitingCall {
    pub(super) caller: Id,
    tone: tone::Generator,
    listener: dtmf::Detector,
    /// `None` if the line is not told who it is.
    sender: Option<CallerIdSender>,
    stage: Stage,
    /// How long it has been told of, in ms.
    ms: u32,
}

impl WaitingCall {
    pub(super) fn new(
        country: Country,
        caller: Id,
        told: Option<&Caller>,
        wrong: Option<usize>,
    ) -> WaitingCall {
        let plan = country.tones();
        let signal = plan.waiting.as_ref().unwrap_or(&plan.dial);
        let method = country.caller_id();
        let mut sender = method
            .zip(told)
            .and_then(|(method, told)| CallerIdSender::in_conversation(method.coding, told));
        if let (Some(sender), Some(bit)) = (&mut sender, wrong) {
            sender.set_wrong_bit(bit);
        }
        WaitingCall {
            caller,
            tone: tone::Generator::new(signal),
            listener: dtmf::Detector::new(),
            sender,
            stage: Stage::Tone,
            ms: 0,
        }
    }

    /// Whether the conversation is interrupted.
    pub(super) fn interrupts(&self) -> bool {
        !matches!(self.stage, Stage::Over)
    }

    /// Writes the next millisecond to the line, from which this was heard.
    pub(super) fn tell(&mut self, heard: &Frame, audio: &mut Frame) {
        self.ms += 1;
        match &mut self.stage {
            Stage::Tone if self.ms <= TONE_MS => {
                self.tone.fill(audio);
            }
            Stage::Tone => {
                if self.ms >= TONE_MS + PAUSE_MS {
                    let tells = self.sender.is_some();
                    self.stage =
                        if tells { Stage::Alert(AlertSender::default()) } else { Stage::Over };
                }
            }
            Stage::Alert(alert) => {
                if alert.fill(audio) < audio.len() {
                    self.stage = Stage::Awaiting(ACKNOWLEDGED_MS);
                }
            }
            Stage::Awaiting(left) => {
                *left = left.saturating_sub(1);
                let (mut acknowledged, late) = (false, *left == 0);
                self.listener.feed(heard, &mut |event| {
                    let dtmf::Event::Down(digit) = event else { return };
                    acknowledged |= digit.as_char() == ACKNOWLEDGEMENT;
                });
                if acknowledged {
                    self.stage = Stage::Message;
                } else if late {
                    self.stage = Stage::Over;
                }
            }
            Stage::Message => {
                let Some(sender) = &mut self.sender else { return };
                sender.fill(audio);
                if sender.is_over() {
                    self.stage = Stage::Over;
                }
            }
            Stage::Over => {}
        }
    }
}
