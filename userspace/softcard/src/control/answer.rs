//! Carries out commands on a card, and makes their replies.

use std::f32::consts::TAU;

use ringback_country::Country;
use ringback_media::level;
use ringback_request::PortNumber;
use serde_json::{Value, json};

use super::command::{
    ACTIONS, Action, COMMANDS, Command, CommandError, MAX_SUBSCRIBERS, MAX_UNSAID_MS,
};
use crate::{Behaviour, LineState, SLOTS, SoftCard, Telephone};

const SAMPLES_PER_MS: usize = 8;
const SAMPLE_RATE: f32 = 8000.0;
/// The length of a digit with its pause.
const DIGIT_MS: u32 = 160;
/// The length of the longest pulsed digit with its pause.
const PULSED_DIGIT_MS: u32 = 1660;
/// The level of the tone that a telephone plays.
const TONE_DBM0: f32 = -10.0;

pub(super) fn execute(card: &SoftCard, command: Command<'_>) -> Result<Value, CommandError> {
    let exchange = card.exchange();
    match command {
        Command::State => Ok(state(card)),
        Command::Help => {
            let commands: Vec<&str> = COMMANDS.into_iter().chain(ACTIONS).collect();
            Ok(json!({ "commands": commands }))
        }
        Command::Telephone { slot, action } => {
            let telephone = card.telephone(slot).ok_or(CommandError::NoTelephone(slot))?;
            act(&telephone, action, exchange.country())
        }
        Command::AddSubscriber(number) => {
            if exchange.subscriber(number).is_err() {
                if exchange.subscribers().len() >= MAX_SUBSCRIBERS {
                    return Err(CommandError::TooManySubscribers);
                }
                exchange.add_subscriber(number, Behaviour::Manual);
            }
            Ok(json!({}))
        }
        Command::Subscriber { number, action } => {
            act(&exchange.subscriber(number)?, action, exchange.country())
        }
        Command::Line { number, unplug } => {
            if unplug {
                exchange.unplug(number)?;
            } else {
                exchange.plug_in(number)?;
            }
            Ok(json!({}))
        }
        Command::Messages { number, wait } => {
            exchange.set_messages(number, wait)?;
            Ok(json!({}))
        }
        Command::TellCallers(on) => {
            exchange.tell_callers(on);
            Ok(json!({}))
        }
        Command::Fault { fault, on } => {
            card.set_fault(fault, on);
            Ok(json!({}))
        }
        Command::SetCountry(country) => {
            exchange.set_country(country);
            Ok(json!({}))
        }
        Command::SetProfile(profile) => {
            exchange.set_profile(profile);
            Ok(json!({}))
        }
    }
}

fn act(telephone: &Telephone, action: Action<'_>, country: Country) -> Result<Value, CommandError> {
    match &action {
        Action::Dial(digits) => has_room(telephone, digits.len() as u32 * DIGIT_MS)?,
        Action::Pulse(digits) => has_room(telephone, digits.len() as u32 * PULSED_DIGIT_MS)?,
        Action::Break { ms } | Action::Tone { ms, .. } => has_room(telephone, *ms)?,
        Action::Speak(samples) => has_room(telephone, (samples.len() / SAMPLES_PER_MS) as u32)?,
        _ => {}
    }
    match action {
        Action::OffHook => telephone.off_hook(),
        Action::OnHook => telephone.on_hook(),
        Action::Flash => telephone.flash(),
        Action::Break { ms } => telephone.open_for(ms),
        Action::Pulse(digits) => telephone.pulse(digits),
        Action::Dial(digits) => telephone.dial(digits),
        Action::Call(number) => telephone.call(number),
        Action::Tone { hz, ms } => telephone.play(&tone(hz, ms)),
        Action::Speak(samples) => telephone.play(&samples),
        Action::AnswerAfter(rings) => {
            telephone.set_behaviour(Behaviour::AnswerAfterRings(rings));
        }
        Action::Manual => telephone.set_behaviour(Behaviour::Manual),
        Action::Display => {
            let method = country.caller_id().ok_or(CommandError::NoDisplay(country))?;
            telephone.set_display(method.coding);
        }
        Action::Forget => drop(telephone.take_heard()),
        Action::State => return Ok(telephone_state(telephone)),
        Action::Heard { ms } => {
            let samples = last(telephone, ms);
            return Ok(json!({ "dbm0": level::rms_dbm0(&samples), "samples": samples }));
        }
        Action::Level { hz, ms } => {
            let dbm0 = level::power_at(&last(telephone, ms), f32::from(hz));
            return Ok(json!({ "dbm0": dbm0 }));
        }
    }
    Ok(json!({}))
}

/// Refuses more sound or digits than the telephone's queue may have.
fn has_room(telephone: &Telephone, ms: u32) -> Result<(), CommandError> {
    let unsaid = telephone.unsaid_ms();
    if unsaid.saturating_add(ms) > MAX_UNSAID_MS {
        return Err(CommandError::TooMuchToSay(unsaid));
    }
    Ok(())
}

fn tone(hz: u16, ms: u32) -> Vec<i16> {
    let (peak, turn) = (level::amplitude(TONE_DBM0), TAU * f32::from(hz) / SAMPLE_RATE);
    (0..ms as usize * SAMPLES_PER_MS)
        .map(|sample| (peak * (turn * sample as f32).sin()).round() as i16)
        .collect()
}

/// The last milliseconds of what the telephone heard, or less if it has not heard as much.
fn last(telephone: &Telephone, ms: u32) -> Vec<i16> {
    let mut heard = telephone.heard();
    heard.split_off(heard.len().saturating_sub(ms as usize * SAMPLES_PER_MS))
}

fn state(card: &SoftCard) -> Value {
    let exchange = card.exchange();
    let party = |number: &str| {
        json!({
            "number": number,
            "state": exchange.state(number).map(name),
            "dialled": exchange.dialled(number),
        })
    };
    let slots: Vec<Value> = PortNumber::each()
        .take(SLOTS)
        .map(|slot| match (card.telephone(slot), exchange.line_number(slot)) {
            (Some(telephone), _) => {
                json!({ "module": "fxs", "telephone": telephone_state(&telephone) })
            }
            (None, Some(number)) => json!({ "module": "fxo", "line": party(&number) }),
            (None, None) => json!({ "module": "empty" }),
        })
        .collect();
    let subscribers: Vec<Value> = exchange
        .subscribers()
        .into_iter()
        .map(|(number, telephone)| {
            let mut subscriber = party(&number);
            if let Value::Object(fields) = &mut subscriber {
                fields.insert("telephone".to_owned(), telephone_state(&telephone));
            }
            subscriber
        })
        .collect();
    let faults: Vec<String> = card.faults().iter().map(ToString::to_string).collect();
    json!({
        "now_ms": card.now_ms(),
        "faults": faults,
        "exchange": {
            "country": exchange.country().to_string(),
            "profile": exchange.profile().map(|profile| profile.name),
        },
        "slots": slots,
        "subscribers": subscribers,
    })
}

fn telephone_state(telephone: &Telephone) -> Value {
    json!({
        "off_hook": telephone.is_off_hook(),
        "ringing": telephone.is_ringing(),
        "rings": telephone.ring_count(),
        "battery": telephone.has_battery(),
        "reversed": telephone.is_reversed(),
        "busy": !telephone.is_idle(),
        "digits": telephone.digits_heard(),
        "caller": telephone.displayed().map(|caller| {
            json!({ "number": caller.number.text(), "name": caller.name.text() })
        }),
        "messages": telephone.displayed_messages(),
    })
}

fn name(state: LineState) -> &'static str {
    match state {
        LineState::Idle => "idle",
        LineState::DialTone => "dial-tone",
        LineState::Dialling => "dialling",
        LineState::Calling => "calling",
        LineState::Ringing => "ringing",
        LineState::Announcement => "announcement",
        LineState::Held => "held",
        LineState::Parked => "parked",
        LineState::Confirmed => "confirmed",
        LineState::Conference => "conference",
        LineState::Talking => "talking",
        LineState::LoopBreak => "loop-break",
        LineState::Busy => "busy",
        LineState::Reorder => "reorder",
    }
}
