//! How calls and lines are ended from here.

use super::*;

#[test]
fn n6_d5_closing_a_pending_call_completes_its_creator_and_nothing_follows() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "123");
    let id = made.unwrap();
    world.run(100);
    world.close_call(call).unwrap();
    world.run(5000);
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(id, failed)]);
    world.assert_on_hook(LineNumber::at(FXO));
    // N8: again, and for a call that is long gone.
    world.close_call(call).unwrap();
    let never = HDRVCALL::new(call.raw() + (1 << 20)).unwrap();
    let closed = world.close_call(never);
    assert_eq!(closed, Err(LineError::INVALCALLHANDLE));
}

#[test]
fn d1_d2_closing_a_line_completes_all_and_hangs_up() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let call = world.connect(LineNumber::at(FXO), "55");
    let dial = world.dial(call, "123456").unwrap();
    world.close(LineNumber::at(FXO));
    world.run(1000);
    assert_eq!(world.told(), [Told::Completed(dial, Err(LineError::OPERATIONFAILED))]);
    world.assert_on_hook(LineNumber::at(FXO));
    assert_eq!(world.make_call(LineNumber::at(FXO), "1").1, Err(LineError::INVALLINEHANDLE));
}

#[test]
fn d7_a_drop_ends_what_else_was_asked_of_the_call() {
    let mut world = World::new();
    let (call, made) = world.make_call(LineNumber::at(FXO), "5551234");
    let made = made.unwrap();
    let dropped = world.drop_call(call).unwrap();
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(made, failed), Told::Completed(dropped, Ok(()))]);
    world.run(3000);
    assert_eq!(world.told(), [], "O1: a call that never was has no state");
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn stopping_leaves_every_line_on_hook() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    world.connect(LineNumber::at(FXO), "55");
    world.stepper.stop();
    for _ in 0..1500 {
        world.card.tick();
    }
    let state = world.card.exchange().state("102");
    assert_eq!(state, Some(ringback_softcard::LineState::Idle));
}
