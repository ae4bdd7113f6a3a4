//! Calls in virtual time, through both kinds of module, the exchange and the telephones.

use ringback_media::level;
use ringback_media::tone::CallProgress;
use ringback_request::PortNumber;
use ringback_softcard::ModuleKind::{Empty, Fxo, Fxs};
use ringback_softcard::{
    Behaviour, CardConfig, Exchange, ExchangeError, LineOptions, LineState, Step, Telephone,
};

mod stations;
mod trunks;

use crate::host::Host;
use crate::talk::{Talk, digits_in, dtmf_samples, sine, tone_in};

const FXS: usize = 0;
const FXO: usize = 2;

/// Starts a card with telephones at 0 and 1, and exchange lines "102" at 2 and "103" at 3.
fn talk() -> Talk {
    Talk::new(Host::running([Fxs, Fxs, Fxo, Fxo]))
}

/// The same with the telephone of slot 0.
fn with_phone() -> (Talk, Telephone) {
    let talk = talk();
    let phone = talk.host.card.telephone(PortNumber::at(FXS)).unwrap();
    (talk, phone)
}

/// The same with the exchange.
fn with_exchange() -> (Talk, Exchange) {
    let talk = talk();
    let exchange = talk.host.card.exchange();
    (talk, exchange)
}

fn hook(talk: &Talk, slot: usize, off: bool) {
    talk.host.fxo_write(slot, 5, if off { 0x09 } else { 0x08 });
}

/// The voltage of the line; below 3 V it wanders.
fn line_voltage(talk: &Talk, slot: usize) -> i8 {
    let volts = talk.host.fxo_read(slot, 29) as i8;
    if volts.unsigned_abs() < 3 { 0 } else { volts }
}

fn assert_sounds(samples: &[i16], freq_hz: f32) {
    assert!(samples.len() >= 800, "only {} samples", samples.len());
    let power = level::power_at(samples, freq_hz);
    assert!((-12.0..-8.0).contains(&power), "{freq_hz} Hz at {power} dBm0");
}

/// Goes off-hook, waits for dial tone, and dials.
fn dial_out(talk: &Talk, number: &str) {
    hook(talk, FXO, true);
    assert_eq!(talk.tone(FXO, 800), Some(CallProgress::Dial));
    talk.dial(FXO, number);
    talk.run(200 * number.len() as u32);
    assert_eq!(talk.host.card.exchange().dialled("102").as_deref(), Some(number));
}

/// Calls subscriber 200, who answers in the first ring.
fn talk_to_peer(talk: &Talk) -> Telephone {
    let exchange = talk.host.card.exchange();
    let peer = exchange.add_subscriber("200", Behaviour::AnswerAfterRings(1));
    dial_out(talk, "200");
    talk.run(1000);
    peer
}

/// Goes on-hook for long enough to be no flash.
fn hang_up(talk: &Talk) {
    hook(talk, FXO, false);
    talk.run(720);
}
