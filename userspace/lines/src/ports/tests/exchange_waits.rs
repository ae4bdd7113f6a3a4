//! Who else calls during a conversation on an FXO line, through the software exchange.

use super::*;
use ringback_country::Profile;
use ringback_media::caller_id::CallerTime;

fn ada() -> Caller {
    Caller {
        number: Party::Known("5550123".into()),
        name: Party::Known("ADA BYRON".into()),
        time: CallerTime::new(11, 28, 18, 5),
    }
}

/// Line 102 in a country, in conversation with 77, with its call and the other telephone; others
/// may wait for it.
fn in_conversation(country: &str, kernel: bool) -> (World, HDRVCALL, Telephone) {
    let country = country.parse().unwrap();
    let profile = Some(&Profile::EUROPEAN_PBX);
    let exchange = ExchangeConfig { country, profile, ..ExchangeConfig::default() };
    let mut world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    let exchange = world.card.exchange();
    exchange.set_call_waiting("102", true).unwrap();
    exchange.tell_callers(true);
    let telephone = world.subscriber("77", Behaviour::Manual);
    telephone.call("102");
    let call = world.offered(15_000);
    // Who is told before or after the first ring is told by then.
    world.run(4500);
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 3000);
    world.run(1000);
    world.story();
    (world, call, telephone)
}

fn call_as_well(world: &World, caller: Caller) -> Telephone {
    let telephone = world.subscriber("5550123", Behaviour::Manual);
    world.card.exchange().set_caller("5550123", caller).unwrap();
    telephone.call("102");
    telephone
}

fn told() -> String {
    format!("call {LINE_CALLINFO} [{LINECALLINFOSTATE_DISPLAY}, 0, 0]")
}

#[test]
fn a_caller_who_waits_is_told_and_the_conversation_goes_on() {
    for (country, kernel) in
        [("USA", false), ("USA", true), ("GERMANY", false), ("UK", false), ("UK", true)]
    {
        let (mut world, call, telephone) = in_conversation(country, kernel);
        let first = world.info(call).caller;
        assert_eq!(first.number, Party::Known("77".into()), "{country}");
        let other = call_as_well(&world, ada());
        world.run(8000);
        assert_eq!(world.info(call).waiting, Some(ada()), "{country} {kernel}");
        assert_eq!(world.info(call).caller, first, "{country}: it is the other one's call");
        assert_eq!(world.story(), [told()], "{country} {kernel}");
        // Both hear each other again.
        telephone.take_heard();
        telephone.play(&tone(1000.0, 1500));
        let audio = world.audio(LineNumber::at(FXO));
        audio.play(&tone(700.0, 1500));
        world.run(2000);
        assert!(has_tone(&telephone.take_heard(), 700.0), "{country} {kernel}");
        // Another one calls later, and is told as well.
        other.on_hook();
        world.run(1000);
        call_as_well(&world, ada());
        world.run(8000);
        assert_eq!(world.story(), [told()], "{country} {kernel}");
    }
}

#[test]
fn a_message_with_a_wrong_bit_tells_nobody_and_the_conversation_goes_on() {
    for country in ["USA", "GERMANY"] {
        for bit in [3, 57, 124] {
            let (mut world, call, telephone) = in_conversation(country, false);
            world.card.exchange().set_wrong_bit("102", Some(bit)).unwrap();
            call_as_well(&world, ada());
            world.run(8000);
            assert_eq!(world.info(call).waiting, None, "{country}: bit {bit}");
            assert_eq!(world.story(), [""; 0], "{country}: bit {bit}");
            telephone.take_heard();
            world.audio(LineNumber::at(FXO)).play(&tone(700.0, 1500));
            world.run(2000);
            assert!(has_tone(&telephone.take_heard(), 700.0), "{country}: bit {bit}");
        }
    }
}

#[test]
fn a_country_that_tells_callers_by_digits_tells_nobody_who_waits() {
    let (mut world, call, _) = in_conversation("SWEDEN", false);
    call_as_well(&world, ada());
    world.run(8000);
    assert_eq!(world.info(call).waiting, None);
    assert_eq!(world.story(), [""; 0]);
}

/// A flash connects the line with who waits; if it is hung up instead, it rings again.
#[test]
fn a_flash_connects_the_line_with_who_waits_and_hanging_up_has_it_ring() {
    let (mut world, call, telephone) = in_conversation("GERMANY", false);
    let other = call_as_well(&world, ada());
    world.run(8000);
    world.dial(call, "!").unwrap();
    world.run(2000);
    other.play(&tone(1000.0, 800));
    world.audio(LineNumber::at(FXO)).play(&tone(700.0, 1500));
    telephone.take_heard();
    other.take_heard();
    world.run(2000);
    assert!(has_tone(&other.take_heard(), 700.0));
    assert!(!has_tone(&telephone.take_heard(), 700.0), "it is held");

    let (mut world, call, _) = in_conversation("GERMANY", false);
    call_as_well(&world, ada());
    world.run(8000);
    world.drop_call(call).unwrap();
    let next = world.offered(5000);
    world.run(4500);
    assert_eq!(world.info(next).caller, ada());
}
