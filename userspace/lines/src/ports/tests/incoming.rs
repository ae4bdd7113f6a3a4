//! Calls that the exchange brings.

use super::*;

#[test]
fn n14_an_incoming_call_is_offered_answered_and_ends() {
    let mut world = World::new();
    let caller = world.subscriber("5550123", Behaviour::Manual);
    caller.call("102");
    let call = world.offered(15_000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "N14: the state is the next message");
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 1000);
    assert_eq!(world.story(), ["CONNECTED 0x1", "ok"]);
    caller.play(&tone(800.0, 1000));
    let audio = world.audio(LineNumber::at(FXO));
    audio.record(true);
    world.run(1500);
    let mut heard = Vec::new();
    audio.fetch(&mut heard);
    assert!(has_tone(&heard, 800.0));
    caller.on_hook();
    world.until(call, CallState::Disconnected, 3000);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);
}

#[test]
fn a_caller_that_gives_up_and_a_call_that_is_rejected_leave_the_line_free() {
    let mut world = World::new();
    let caller = world.subscriber("11", Behaviour::Manual);
    caller.call("102");
    let call = world.offered(15_000);
    caller.on_hook();
    world.until(call, CallState::Idle, 10_000);
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "it need not be dropped");
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0"]);

    caller.call("102");
    let call = world.offered(15_000);
    world.drop_call(call).unwrap();
    world.run(9000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "IDLE 0x0", "ok"], "further rings are ignored");
    assert_eq!(world.make_call(LineNumber::at(FXO), "11").1, Err(LineError::INUSE));
    caller.on_hook();
    world.run(8000);
    let (call, made) = world.make_call(LineNumber::at(FXO), "11");
    made.unwrap();
    world.until(call, CallState::Ringback, 12_000);
}

/// Between two rings it looks like a free line, and who seized it would answer the caller.
#[test]
fn a_line_that_rang_before_it_was_opened_is_not_free() {
    let line = LineNumber::at(FXO);
    let mut world = World::new();
    world.close(line);
    let caller = world.subscriber("5550123", Behaviour::Manual);
    caller.call("102");
    for ringing in [true, false] {
        let until = world.now() + Duration::from_secs(15);
        let rings = |world: &World| {
            let slot = PortNumber::at(FXO);
            world.handle.with(move |lines, _| lines.card().status(slot).unwrap().ringing).unwrap()
        };
        while rings(&world) != ringing {
            assert!(world.now() < until, "it does not ring, or does not stop");
            world.run(1);
        }
    }
    world.open(line);
    let (_, made) = world.make_call(line, "100");
    assert_eq!(made, Err(LineError::INUSE));
    assert_eq!(world.hook(line), Hook::On);
    // The next ring offers the call.
    let call = world.offered(5000);
    assert_eq!(world.state(call), Some(CallState::Offering));
    caller.on_hook();
    world.until(call, CallState::Idle, 10_000);
    // Nobody calls any more.
    let (call, made) = world.make_call(line, "5550123");
    made.unwrap();
    world.until(call, CallState::Ringback, 15_000);
}
