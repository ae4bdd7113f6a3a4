//! Calls through DAHDI and its own driver of the card, while the far ends are controlled: this
//! shows that the original driver works with the software card.
//!
//! The machine's card has an FXS module in slot 0 and FXO modules in slots 1 and 3, which are
//! channels 1, 2 and 4; the exchange's lines have the numbers 101 and 103.

mod channel;
mod sys;

use ringback_media::dtmf::{Digit, Generator};
use ringback_media::{g711, level};
use serde_json::Value;

use crate::Outcome;
use crate::far::Far;
use crate::pattern::{self, Pattern};
use channel::*;

const TELEPHONE: &str = "telephone 0";
const SUBSCRIBER: &str = "subscriber 5550100";

/// A telephone on the FXS module: hook, flash, ringing, polarity, samples in both directions.
pub fn telephone() -> Outcome {
    let mut far = Far::open()?;
    load_zone()?;
    let mut port = Channel::open(1, FXS_PORT)?;
    far.ask("telephone 0 off-hook")?;
    port.expect("off-hook", WENT_OFF_HOOK)?;
    talk(&mut port, &mut far, TELEPHONE, 1)?;
    far.ask("telephone 0 flash")?;
    port.expect("flash", FLASHED)?;
    far.ask("telephone 0 on-hook")?;
    port.expect("on-hook", WENT_ON_HOOK)?;

    port.hook(RING)?;
    far.until("a ring", "telephone 0 state", |state| state["ringing"] == true)?;
    far.until("a pause of the bell", "telephone 0 state", |state| state["ringing"] == false)?;
    far.until("a second ring", "telephone 0 state", |state| state["rings"] == 2)?;
    port.listen()?;
    far.ask("telephone 0 off-hook")?;
    port.expect("answer", WENT_OFF_HOOK)?;
    talk(&mut port, &mut far, TELEPHONE, 2)?;
    for reversed in [true, false] {
        port.set_reversed(reversed)?;
        far.until("the polarity", "telephone 0 state", |state| state["reversed"] == reversed)?;
    }
    far.ask("telephone 0 on-hook")?;
    port.expect("on-hook", WENT_ON_HOOK)?;
    Ok(())
}

/// Checks only the hook of the FXS module.
pub fn hook() -> Outcome {
    let mut far = Far::open()?;
    let mut port = Channel::open(1, FXS_PORT)?;
    port.listen()?;
    far.ask("telephone 0 off-hook")?;
    port.expect("off-hook", WENT_OFF_HOOK)?;
    far.ask("telephone 0 on-hook")?;
    port.expect("on-hook", WENT_ON_HOOK)
}

/// Checks the card after its driver was unloaded: no battery for the telephone, and lines on-hook.
pub fn silent() -> Outcome {
    let mut far = Far::open()?;
    far.until("a telephone without battery", "telephone 0 state", |state| {
        state["battery"] == false
    })?;
    for slot in [1, 3] {
        line_is(&mut far, slot, "idle")?;
    }
    Ok(())
}

/// A call from the exchange to an FXO module, and a line that is unplugged and plugged in again.
pub fn incoming() -> Outcome {
    let mut far = Far::open()?;
    let mut port = Channel::open(2, FXO_PORT)?;
    far.ask("subscriber 5550100 add")?;
    far.ask("subscriber 5550100 call 101")?;
    port.expect("ringing", RING_BEGAN)?;
    port.expect("the end of a ring", WENT_OFF_HOOK)?;
    port.hook(OFF_HOOK)?;
    line_is(&mut far, 1, "talking")?;
    talk(&mut port, &mut far, SUBSCRIBER, 3)?;
    port.listen()?;
    far.ask("subscriber 5550100 on-hook")?;
    port.expect("the loop break at the end of the call", WENT_ON_HOOK)?;
    port.hook(ON_HOOK)?;
    line_is(&mut far, 1, "idle")?;

    far.ask("line 101 unplug")?;
    port.expect("an alarm", ALARM)?;
    far.ask("line 101 plug-in")?;
    port.expect("the alarm's end", NO_ALARM)
}

/// A call from an FXO module: dial tone, digits, answer, hang-up.
pub fn outgoing() -> Outcome {
    let mut far = Far::open()?;
    let mut port = Channel::open(4, FXO_PORT)?;
    far.ask("subscriber 5550100 add")?;
    far.ask("subscriber 5550100 answer-after 1")?;
    port.hook(OFF_HOOK)?;
    line_is(&mut far, 3, "dial-tone")?;
    port.listen()?;
    let mut tone = Vec::new();
    while tone.len() < 4000 {
        tone.extend(port.hear()?.into_iter().map(g711::ulaw_decode));
    }
    for hz in [350.0, 440.0] {
        let dbm0 = level::power_at(&tone[tone.len() - 1600..], hz);
        println!("dial tone at {hz} Hz: {dbm0:.1} dBm0");
        if dbm0 < -20.0 {
            return Err(format!("no dial tone: {dbm0:.1} dBm0 at {hz} Hz"));
        }
    }
    port.say(&digits("5550100"))?;
    line_is(&mut far, 3, "talking")?;
    far.ask("subscriber 5550100 dial 147*")?;
    talk(&mut port, &mut far, SUBSCRIBER, 4)?;
    port.say(&digits("0369#"))?;
    far.until("the digits", "subscriber 5550100 state", |state| state["digits"] == "0369#")?;
    port.hook(ON_HOOK)?;
    line_is(&mut far, 3, "idle")?;
    far.ask("subscriber 5550100 manual")?;
    far.until("the other end's end", "subscriber 5550100 state", |state| {
        state["off_hook"] == false
    })?;
    Ok(())
}

fn digits(digits: &str) -> Vec<u8> {
    let mut generator = Generator::new();
    generator.set_timing(80, 80);
    digits.chars().filter_map(Digit::from_char).for_each(|digit| generator.push(digit));
    let mut samples = vec![0; digits.len() * 160 * 8];
    let filled = generator.fill(&mut samples);
    samples.into_iter().take(filled).map(g711::ulaw_encode).collect()
}

fn line_is(far: &mut Far, slot: usize, state: &str) -> Result<Value, String> {
    far.until(&format!("line state {state}"), "state", |all| {
        all["slots"][slot]["line"]["state"] == state
    })
}

/// Each side plays a pattern of its own, one after the other, which the other side has to receive.
fn talk(port: &mut Channel, far: &mut Far, who: &str, seed: u64) -> Outcome {
    let theirs = Pattern::new(2 * seed);
    port.listen()?;
    far.ask(&format!("{who} speak {}", theirs.as_samples()))?;
    let mut heard = Vec::new();
    while heard.len() < 4 * theirs.bytes().len() && !theirs.has_ended_in(&heard) {
        heard.extend(port.hear()?);
    }
    theirs.check("heard", &heard)?;

    let ours = Pattern::new(2 * seed + 1);
    port.say(ours.bytes())?;
    let ms = 4 * ours.bytes().len() / 8;
    let command = format!("{who} heard {ms}");
    let last =
        far.until("what was said", &command, |reply| ours.has_ended_in(&pattern::samples(reply)))?;
    ours.check("said", &pattern::samples(&last))
}
