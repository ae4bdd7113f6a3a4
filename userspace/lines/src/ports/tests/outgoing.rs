//! Calls that are made to the exchange.

use super::*;

#[test]
fn n10_o1_an_outgoing_call_passes_its_states_in_order_with_audio_both_ways() {
    let mut world = World::new();
    let far = world.subscriber("5550100", speaker());
    let (call, made) = world.make_call(LineNumber::at(FXO), "555-0100");
    made.unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(
        world.story(),
        ["ok", "DIALTONE 0x1", "DIALING 0x0", "PROCEEDING 0x0", "RINGBACK 0x0", "CONNECTED 0x1"]
    );
    world.monitor_digits(call);
    let audio = world.audio(LineNumber::at(FXO));
    audio.record(true);
    assert_eq!(audio.play(&tone(1500.0, 1000)), 8000);
    world.run(4500);
    let mut heard = Vec::new();
    audio.fetch(&mut heard);
    assert!(has_tone(&heard, 1000.0), "we hear the subscriber");
    assert!(has_tone(&far.heard(), 1500.0), "the subscriber hears us");
    assert_eq!(world.story(), ["digit 4 2", "digit 2 2", "digit # 2"]);

    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "D9: legal but in idle");
    assert_eq!(world.state(call), Some(CallState::Idle));
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn an_answer_is_confirmed_where_the_exchange_reverses_battery() {
    let mut world = World::new();
    let hang_up = Behaviour::AnswerThen { rings: 2, steps: vec![Step::Wait(3000), Step::HangUp] };
    world.subscriber("1234", hang_up);
    let (call, made) = world.make_call(LineNumber::at(SUPERVISED), "1234");
    made.unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story().last().unwrap(), "CONNECTED 0x10");
    world.until(call, CallState::Disconnected, 5000);
    assert_eq!(world.story(), ["DISCONNECTED 0x1"]);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn busy_unknown_and_silent_numbers_are_distinguished() {
    let mut world = World::new();
    world.subscriber("200", Behaviour::Manual).off_hook();
    let (busy, _) = world.make_call(LineNumber::at(FXO), "200");
    world.until(busy, CallState::Busy, 15_000);
    assert_eq!(world.story().last().unwrap(), "BUSY 0x1");
    world.drop_call(busy).unwrap();
    let (unknown, _) = world.make_call(LineNumber::at(SUPERVISED), "999");
    world.until(unknown, CallState::SpecialInfo, 15_000);
    assert_eq!(world.story().last().unwrap(), "SPECIALINFO 0x4");
    world.drop_call(unknown).unwrap();
    world.subscriber("300", Behaviour::Manual);
    let (silent, _) = world.make_call(LineNumber::at(FXO), "300");
    world.until(silent, CallState::Ringback, 15_000);
    world.until(silent, CallState::Disconnected, 200_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x40", "NOANSWER");
}

#[test]
fn the_far_end_hangs_up_and_the_call_is_disconnected_until_it_is_dropped() {
    let mut world = World::new();
    let script = Behaviour::AnswerThen { rings: 2, steps: vec![Step::Wait(2000), Step::HangUp] };
    world.subscriber("77", script);
    let (call, _) = world.make_call(LineNumber::at(FXO), "77");
    world.until(call, CallState::Disconnected, 20_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x1");
    world.run(2000);
    assert_eq!(world.story().len(), 0, "emitted once");
    world.drop_call(call).unwrap();
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn dialling_in_parts_completes_when_the_digits_are_out() {
    let mut world = World::new();
    world.subscriber("4567", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    assert_eq!(world.story(), ["ok", "DIALTONE 0x1"]);
    world.dial(call, "45;").unwrap();
    assert_eq!(world.story(), ["DIALING 0x0"], "N12: accepted when the digits are out");
    world.run(1000);
    assert_eq!(world.story(), ["ok"]);
    world.dial(call, "67;").unwrap();
    world.run(1000);
    assert_eq!(world.state(call), Some(CallState::Dialing), "more may follow");
    world.dial(call, "").unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "ok", "PROCEEDING 0x0", "RINGBACK 0x0", "CONNECTED 0x1"]);
}

#[test]
fn no_dial_tone_is_an_error_only_where_it_was_asked_for() {
    let mut world = World::new();
    // Off-hook too long: the exchange sends reorder, not dial tone. Here the tone never comes
    // because the exchange's receiver is taken by another telephone's call.
    world.card.exchange().unplug("102").unwrap();
    world.run(300);
    assert_eq!(
        world.make_call(LineNumber::at(FXO), "1").1,
        Err(LineError::INVALLINESTATE),
        "nothing plugged in"
    );
    world.card.exchange().plug_in("102").unwrap();
    world.run(300);
    let (call, made) = world.make_call_if(LineNumber::at(FXO), "1", true);
    made.unwrap();
    // The line is cut right after it was seized.
    world.run(40);
    world.card.exchange().unplug("102").unwrap();
    world.run(4000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"], "N3: the call never was");
    assert_eq!(world.state(call), None);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn d17_k5_digits_are_generated_one_set_at_a_time() {
    let mut world = World::new();
    let far = world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let call = world.connect(LineNumber::at(FXO), "55");
    world.generate(call, 7, Some("1234567890")).unwrap();
    world.run(200);
    world.generate(call, 8, Some("5*")).unwrap();
    assert_eq!(world.story(), ["generated 2 7"], "CANCEL with the old id");
    world.run(1000);
    assert_eq!(world.story(), ["generated 1 8"]);
    assert!(far.digits_heard().ends_with("5*"), "{}", far.digits_heard());
    world.generate(call, 9, Some("123456")).unwrap();
    world.generate(call, 0, None).unwrap();
    assert_eq!(world.story(), ["generated 2 9"], "none: cancels");
    world.generate(call, 10, Some("123456")).unwrap();
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["generated 2 10", "IDLE 0x0", "ok"], "CANCEL at the end of a call");
}
