//! Calls in both directions, as an application makes them.

use ringback_tests::{DEADLINE, FXO, SUPERVISED, World, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::host::{CallOptions, LineEvent};

#[test]
fn a_call_through_the_exchange_is_made_answered_and_dropped() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let call = line.make_call("200", &CallOptions::default()).unwrap().wait(DEADLINE).unwrap();
    let passed = state(&events, &call, CallState::Connected);
    assert!(passed.starts_with(&[CallState::DialTone, CallState::Dialing, CallState::Proceeding]));
    assert_eq!(call.info().unwrap().called.as_deref(), Some("200"));
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    assert_eq!(state(&events, &call, CallState::Idle), [CallState::Idle]);
    call.close().unwrap();
    line.close().unwrap();
}

#[test]
fn a_call_from_the_exchange_is_offered_answered_and_ended_from_afar() {
    let world = World::new();
    let line = world.open(FXO);
    let events = line.events();
    world.exchange().call("201", "102").unwrap();
    let Some(LineEvent::NewCall { call, .. }) = events.next_timeout(DEADLINE) else {
        panic!("no call came");
    };
    state(&events, &call, CallState::Offering);
    assert!(call.info().unwrap().is_incoming());
    call.answer().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Connected);
    world.exchange().subscriber("201").unwrap().on_hook();
    state(&events, &call, CallState::Disconnected);
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
    call.close().unwrap();
}
