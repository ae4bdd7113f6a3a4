//! Who calls on an FXO line, told by the exchange in the way of its country.

use super::*;
use ringback_media::caller_id::CallerTime;

fn known(text: &str) -> Party {
    Party::Known(text.into())
}

fn ada() -> Caller {
    let time = CallerTime::new(11, 28, 18, 5);
    Caller { number: known("5550123"), name: known("ADA BYRON"), time }
}

/// The lines of a country whose exchange tells who calls.
fn told_in(country: &str, kernel: bool) -> World {
    let country = country.parse().unwrap();
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    world.card.exchange().tell_callers(true);
    world
}

/// Has the exchange call line 102; returns the caller's telephone.
fn call(world: &World, caller: Option<Caller>) -> Telephone {
    let telephone = world.subscriber("5550123", Behaviour::Manual);
    if let Some(caller) = caller {
        world.card.exchange().set_caller("5550123", caller).unwrap();
    }
    telephone.call("102");
    telephone
}

#[test]
fn a_caller_who_is_told_after_the_first_ring_is_reported_then() {
    for (country, kernel) in [("USA", false), ("USA", true), ("GERMANY", false), ("FRANCE", false)]
    {
        let mut world = told_in(country, kernel);
        let telephone = call(&world, Some(ada()));
        let call = world.offered(15_000);
        assert_eq!(world.info(call).caller, Caller::default(), "{country}: not known yet");
        world.run(4500);
        assert_eq!(world.info(call).caller, ada(), "{country}");
        let both = LINECALLINFOSTATE_CALLERID | LINECALLINFOSTATE_DISPLAY;
        let story = world.story();
        let info = format!("call {LINE_CALLINFO} [{both}, 0, 0]");
        assert_eq!(story, ["NEWCALL", "OFFERING 0x1", &info], "{country}");
        // Another one, whose number alone is told.
        telephone.on_hook();
        world.until(call, CallState::Idle, 10_000);
        let plain = world.subscriber("77", Behaviour::Manual);
        plain.call("102");
        let next = world.offered(15_000);
        world.run(4500);
        let caller = Caller { number: known("77"), ..Caller::default() };
        assert_eq!(world.info(next).caller, caller, "{country}: it is another call");
    }
}

#[test]
fn n14_a_caller_who_is_told_before_the_first_ring_is_known_when_the_call_is_offered() {
    for (country, kernel, told) in [
        ("UK", false, ada()),
        ("UK", true, ada()),
        ("SWEDEN", false, Caller { number: known("5550123"), ..Caller::default() }),
        ("DENMARK", false, Caller { number: known("5550123"), ..Caller::default() }),
        ("BRAZIL", false, Caller { number: known("5550123"), ..Caller::default() }),
    ] {
        let mut world = told_in(country, kernel);
        let telephone = call(&world, Some(ada()));
        let call = world.offered(15_000);
        assert_eq!(world.info(call).caller, told, "{country}");
        world.run(3000);
        assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "{country}");
        telephone.on_hook();
        world.until(call, CallState::Idle, 15_000);
    }
}

#[test]
fn a_caller_who_is_withheld_or_out_of_area_is_said_to_be() {
    for country in ["USA", "GERMANY", "UK", "SWEDEN", "DENMARK", "BRAZIL"] {
        for number in [Party::Withheld, Party::OutOfArea] {
            let mut world = told_in(country, false);
            call(&world, Some(Caller { number: number.clone(), ..Caller::default() }));
            let call = world.offered(15_000);
            world.run(4500);
            assert_eq!(world.info(call).caller.number, number, "{country}");
        }
    }
}

#[test]
fn a_message_with_a_wrong_bit_is_no_caller() {
    for country in ["USA", "GERMANY", "UK"] {
        for bit in [3, 57, 124] {
            let mut world = told_in(country, false);
            world.card.exchange().set_wrong_bit("102", Some(bit)).unwrap();
            call(&world, Some(ada()));
            let call = world.offered(15_000);
            world.run(4500);
            assert_eq!(world.info(call).caller, Caller::default(), "{country}: bit {bit}");
            assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "{country}");
        }
    }
}

#[test]
fn an_exchange_that_tells_nothing_and_a_country_where_the_way_is_not_known_have_no_caller() {
    let mut world = World::new();
    world.subscriber("5550123", Behaviour::Manual).call("102");
    let call = world.offered(15_000);
    world.run(8000);
    assert_eq!(world.info(call).caller, Caller::default());
    let mut world = told_in("AUSTRIA", false);
    self::call(&world, Some(ada()));
    let call = world.offered(15_000);
    world.run(8000);
    assert_eq!(world.info(call).caller, Caller::default());
}

/// In Japan the line answers a short ring, is told, and hangs up. None of this is in the call.
#[test]
fn n14_a_line_that_has_to_answer_to_be_told_does_so_before_the_call_is_offered() {
    for kernel in [false, true] {
        for (number, name) in [
            (known("09012345678"), known("TANAKA TARO")),
            (Party::Withheld, Party::Withheld),
            (Party::OutOfArea, Party::Unknown),
        ] {
            let mut world = told_in("JAPAN", kernel);
            let told = Caller { number, name, time: ada().time };
            let telephone = call(&world, Some(told.clone()));
            let mut lifted = 0;
            while world.hook(LineNumber::at(FXO)) == Hook::On && lifted < 15_000 {
                world.run(1);
                lifted += 1;
            }
            assert_eq!(world.story(), [""; 0], "{kernel}: no call yet");
            let call = world.offered(5000);
            assert_eq!(world.hook(LineNumber::at(FXO)), Hook::On);
            assert_eq!(world.info(call).caller, told, "{kernel}");
            world.run(4000);
            assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "{kernel}");
            world.answer(call).unwrap();
            world.until(call, CallState::Connected, 3000);
            telephone.play(&tone(1000.0, 1000));
            let audio = world.audio(LineNumber::at(FXO));
            audio.record(true);
            world.run(1500);
            let mut heard = Vec::new();
            audio.fetch(&mut heard);
            assert!(has_tone(&heard, 1000.0), "{kernel}: it is connected with the caller");
        }
    }
}

#[test]
fn a_line_that_is_told_something_damaged_off_hook_rings_all_the_same() {
    let mut world = told_in("JAPAN", false);
    world.card.exchange().set_wrong_bit("102", Some(77)).unwrap();
    call(&world, Some(ada()));
    let call = world.offered(15_000);
    assert_eq!(world.info(call).caller, Caller::default());
    world.assert_on_hook(LineNumber::at(FXO));
}

/// A caller who gives up while the line is told leaves no call, and the next one is told anew.
#[test]
fn a_caller_who_gives_up_before_the_ring_is_forgotten() {
    let mut world = told_in("JAPAN", false);
    let telephone = call(&world, Some(ada()));
    while world.hook(LineNumber::at(FXO)) == Hook::On {
        world.run(1);
    }
    telephone.on_hook();
    world.run(10_000);
    assert_eq!(world.story(), [""; 0]);
    world.assert_on_hook(LineNumber::at(FXO));
    let plain = world.subscriber("77", Behaviour::Manual);
    plain.call("102");
    let next = world.offered(15_000);
    let caller = Caller { number: known("77"), ..Caller::default() };
    assert_eq!(world.info(next).caller, caller);
    // A line of an exchange that tells nobody rings at once.
    plain.on_hook();
    world.until(next, CallState::Idle, 10_000);
    world.story();
    world.card.exchange().tell_callers(false);
    plain.call("102");
    let last = world.offered(15_000);
    assert_eq!(world.info(last).caller, Caller::default());
}

/// A line that nobody has opened does not answer.
#[test]
fn a_line_that_is_not_open_is_not_told() {
    let mut world = told_in("JAPAN", false);
    world.close(LineNumber::at(FXO));
    call(&world, Some(ada()));
    for _ in 0..12_000 {
        world.run(1);
        assert_eq!(world.hook(LineNumber::at(FXO)), Hook::On);
    }
}

/// O4: nothing is told of a call that is over, and a caller is not taken for the next one.
#[test]
fn o4_a_caller_who_has_given_up_is_forgotten() {
    for country in ["USA", "UK"] {
        let mut world = told_in(country, false);
        let telephone = call(&world, Some(ada()));
        let call = world.offered(15_000);
        world.drop_call(call).unwrap();
        world.run(4500);
        assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "IDLE 0x0", "ok"], "{country}");
        telephone.on_hook();
        world.run(10_000);
        // The next caller's message is damaged.
        world.card.exchange().set_wrong_bit("102", Some(40)).unwrap();
        world.subscriber("77", Behaviour::Manual).call("102");
        let next = world.offered(15_000);
        world.run(4500);
        assert_eq!(world.info(next).caller, Caller::default(), "{country}");
    }
}

/// A caller who is told while the line is answered is missed, and nobody is made up of the
/// conversation.
#[test]
fn a_call_that_is_answered_at_once_has_no_caller() {
    let mut world = told_in("USA", false);
    let telephone = call(&world, Some(ada()));
    let call = world.offered(15_000);
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 3000);
    telephone.play(&tone(1200.0, 2000));
    world.run(5000);
    assert_eq!(world.info(call).caller, Caller::default());
}
