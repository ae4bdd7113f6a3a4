//! Calls in ten countries, from one of the card's exchange lines to the other, so that each call is
//! placed by one line and answered by the other. The exchange moves to the country, and the card is
//! brought up for it each time.

use std::thread;
use std::time::{Duration, Instant};

use ringback_country::Country;
use ringback_driver::device::selector::Selector;
use ringback_host::{Call, CallOptions, Events, Host, HostOptions, Line, LineEvent};
use ringback_media::tone::Generator;
use ringback_provider::{CardOptions, open_card};
use ringback_tspi::callstate::CallState;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::provider::Provider;
use serde_json::Value;

use crate::Outcome;
use crate::desk::{LONG, hang_up, shut_down, text, until};
use crate::far::Far;

/// Ten countries of five continents; Oceania counts as one.
const TEN: [&str; 10] =
    ["us", "mx", "br", "ar", "gb", "Germany", "South Africa", "Japan", "China", "Australia"];
/// The slots of the lines, and the number of the second.
const SLOTS: [u32; 2] = [0, 1];
const CALLED: &str = "101";
/// How long dial tone is waited for, in ms.
const DIAL_TONE_MS: u32 = 30_000;
/// What the called line plays, so that the calling one notices the answer: none of any exchange's
/// tones.
const VOICE_HZ: f32 = 700.0;
const VOICE_SAMPLES: usize = 2 * 8000;

/// `lab-guest countries CARD`.
pub fn calls() -> Outcome {
    let card: Selector = std::env::args().nth(2).ok_or("which card?")?.parse().map_err(text)?;
    let mut far = Far::open()?;
    // A flash holds the party of the conversation, and the next one connects it again.
    far.ask("exchange profile european-pbx")?;
    for name in TEN {
        let began = Instant::now();
        in_country(&card, &mut far, name).map_err(|error| format!("{name}: {error}"))?;
        println!("{name}: placed, answered, flashed, hung up ({} s)", began.elapsed().as_secs());
    }
    Ok(())
}

fn in_country(card: &Selector, far: &mut Far, name: &str) -> Outcome {
    far.ask(&format!("exchange country {name}"))?;
    let country: Country = name.parse().map_err(text)?;
    let options = CardOptions { country, ..CardOptions::default() };
    let provider: Box<dyn Provider> = open_card(card, options).map_err(text)?;
    let host = Host::start(provider, HostOptions::default()).map_err(text)?;
    let [calling, called] = SLOTS.map(|slot| End::open(&host, slot));
    one_call(far, &calling?, &called?)?;
    shut_down(&host)
}

/// A line of the card.
struct End {
    slot: u32,
    line: Line,
    events: Events,
}

fn one_call(far: &mut Far, calling: &End, called: &End) -> Outcome {
    // It insists on dial tone, which comes late where the machine is slow.
    let timing = Some(DialTiming { dial_tone_ms: DIAL_TONE_MS, ..DialTiming::default() });
    let options = CallOptions { only_if_idle: true, timing, ..CallOptions::default() };
    let made = calling.line.make_call(CALLED, &options).map_err(text)?;
    let placed = made.wait(LONG).map_err(|error| format!("the call was not placed: {error}"))?;
    until(&calling.events, &placed, CallState::Ringback)?;

    let came = called.incoming()?;
    let answered = came.answer().map_err(text)?;
    answered.wait(LONG).map_err(|error| format!("the call was not answered: {error}"))?;
    until(&called.events, &came, CallState::Connected)?;
    let mut voice = vec![0; VOICE_SAMPLES];
    Generator::sine(VOICE_HZ, -12.0).fill(&mut voice);
    if called.line.audio().map_err(text)?.play(&voice) < VOICE_SAMPLES {
        return Err("the line does not take all of the voice".to_owned());
    }
    until(&calling.events, &placed, CallState::Connected)?;

    for (flashes, call, held) in [(calling, &placed, called), (called, &came, calling)] {
        flashes.flash(call, far, held, "held")?;
        flashes.flash(call, far, held, "talking")?;
        if call.state() != Some(CallState::Connected) {
            return Err(format!("flashed, it is {:?}", call.state()));
        }
    }

    hang_up(&calling.events, &placed)?;
    calling.until_exchange(far, "idle")?;
    until(&called.events, &came, CallState::Disconnected)?;
    hang_up(&called.events, &came)?;
    called.until_exchange(far, "idle")
}

impl End {
    fn open(host: &Host, slot: u32) -> Result<End, String> {
        let line = host.open(slot).map_err(text)?;
        let events = line.events();
        let began = Instant::now();
        while !line.status().map_err(text)?.in_service {
            if began.elapsed() > LONG {
                return Err(format!("line {slot} does not come into service"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(End { slot, line, events })
    }

    /// Waits for a call that comes in.
    fn incoming(&self) -> Result<Call, String> {
        let new = |event| match event {
            LineEvent::NewCall { call, .. } => Some(call),
            _ => None,
        };
        let call = self.events.within(LONG).find_map(new).ok_or("no call came in")?;
        until(&self.events, &call, CallState::Offering)?;
        Ok(call)
    }

    /// Flashes for as long as the country's exchanges expect, and checks what becomes of the other
    /// line at the exchange.
    fn flash(&self, call: &Call, far: &mut Far, other: &End, state: &str) -> Outcome {
        let flashed = call.dial("!").map_err(text)?;
        flashed.wait(LONG).map_err(|error| format!("line {}: no flash: {error}", self.slot))?;
        other.until_exchange(far, state)
    }

    /// Waits until the exchange has the line in this state.
    fn until_exchange(&self, far: &mut Far, state: &str) -> Outcome {
        let what = format!("{state} of line {} at the exchange", self.slot);
        let line = |reply: &Value| reply["slots"][self.slot as usize]["line"]["state"] == state;
        far.until(&what, "state", line).map(drop)
    }
}
