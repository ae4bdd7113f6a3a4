//! Flashes to the exchange, and numbers that are dialled in two stages.

use ringback_country::{CallProgress, Country};
use ringback_media::tone::Generator;
use ringback_softcard::LineState;

use super::*;

/// Dial tone, which a DISA or a PBX plays for so many ms.
fn dial_tone(ms: usize) -> Step {
    let mut samples = vec![0; ms * 8];
    Generator::new(Country::default().tones().sent(CallProgress::Dial)).fill(&mut samples);
    Step::Play(samples.into())
}

/// A subscriber who answers with dial tone, as a DISA does.
fn disa(world: &World, ms: usize) -> Telephone {
    let steps = vec![Step::Wait(500), dial_tone(ms)];
    world.subscriber("88", Behaviour::AnswerThen { rings: 1, steps })
}

#[test]
fn a_flash_of_every_countrys_length_is_no_hang_up() {
    for name in ["FCC", "GERMANY", "UK", "Japan", "Brazil"] {
        let country = name.parse().unwrap();
        let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
        let mut world = World::build(false, exchange, 500);
        let steps = vec![Step::Play(tone(700.0, 1500).into())];
        let far = world.subscriber("55", Behaviour::AnswerThen { rings: 1, steps });
        let call = world.connect(LineNumber::at(FXO), "55");
        world.dial(call, "!42").unwrap();
        world.run(3000);
        assert_eq!(world.story(), ["ok"], "{name}");
        assert_eq!(world.card.exchange().state("102"), Some(LineState::Talking), "{name}");
        assert!(far.digits_heard().ends_with("42"), "{name}: {:?}", far.digits_heard());
    }
}

#[test]
fn what_a_disa_asks_for_is_dialled_after_its_answer() {
    let mut world = World::new();
    let far = disa(&world, 6000);
    // Its dial tone is no sign of an answer, so that the second stage is for the application.
    let (call, made) = world.make_call(LineNumber::at(SUPERVISED), "88");
    made.unwrap();
    world.until(call, CallState::Connected, 15_000);
    world.story();
    world.run(4000);
    assert_eq!(world.story(), [""; 0], "dial tone does not end the call");
    world.dial(call, "1234").unwrap();
    world.run(2000);
    assert_eq!(world.story(), ["ok"]);
    assert_eq!(far.digits_heard(), "1234");
}

#[test]
fn a_second_dial_tone_is_waited_for_within_a_number() {
    let mut world = World::new();
    let far = disa(&world, 3000);
    let (call, made) = world.make_call(LineNumber::at(FXO), "88W1234");
    made.unwrap();
    world.until(call, CallState::Proceeding, 20_000);
    world.run(500);
    assert_eq!(far.digits_heard(), "1234", "not into the ringing");
}

#[test]
fn a_line_without_dial_tone_is_dialled_on_where_nobody_insists() {
    let exchange =
        ExchangeConfig { country: "GERMANY".parse().unwrap(), ..ExchangeConfig::default() };
    let mut world = World::build(false, exchange, 500);
    world.subscriber("55", Behaviour::Manual);
    // An exchange whose dial tone is none of the country's.
    world.card.exchange().set_dial_tone(CallProgress::Ringback);
    let (insisting, _) = world.make_call_if(LineNumber::at(FXO), "55", true);
    world.run(9000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"]);
    assert_eq!(world.state(insisting), None);
    let (call, made) = world.make_call_if(LineNumber::at(FXO), "55", false);
    made.unwrap();
    world.until(call, CallState::Ringback, 15_000);
    let blind = ["ok", "DIALING 0x0", "PROCEEDING 0x0", "RINGBACK 0x0"];
    assert_eq!(world.story(), blind);
}
