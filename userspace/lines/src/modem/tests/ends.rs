//! How calls and lines are ended from here.

use super::*;

#[test]
fn d1_d2_closing_settles_and_hangs_up_and_the_next_call_waits_for_that() {
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    let receive = world.receive(call, 10, 10_000).unwrap();
    world.close(LINE);
    assert_eq!(world.told(), [Told::Completed(receive, Err(LineError::OPERATIONFAILED))]);
    assert_eq!(world.make_call(LINE, "100").1, Err(LineError::INVALLINEHANDLE));
    world.open(LINE);
    world.connect(LINE, "100");
}

#[test]
fn a_connected_modem_hangs_up_within_half_a_second() {
    // The carrier goes off and shows that the modem has seen DTR.
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    world.drop_call(call).unwrap();
    world.run(500);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
    assert_eq!(world.modem.commands().last().unwrap(), "ATH");
    world.connect(LINE, "100");
}

#[test]
fn n6_d5_a_call_is_closed_while_it_is_made_and_while_it_is_dropped() {
    let mut world = World::new();
    let (call, made) = world.make_call(LINE, "100");
    let made = made.unwrap();
    world.close_call(call).unwrap();
    assert_eq!(world.told(), [Told::Completed(made, Err(LineError::OPERATIONFAILED))]);
    world.run(5000);
    assert_eq!(world.told(), []);

    let call = world.connect(LINE, "100");
    let dropped = world.drop_call(call).unwrap();
    world.close_call(call).unwrap();
    assert_eq!(world.told(), [Told::Completed(dropped, Err(LineError::OPERATIONFAILED))]);
    world.run(5000);
    assert_eq!(world.told(), [], "D5: nothing of the call any more");
    assert!(world.modem.is_on_hook());
    let unknown = HDRVCALL::new(0xFFFF_FF01).unwrap();
    let closed = world.close_call(unknown);
    assert_eq!(closed, Err(LineError::INVALCALLHANDLE));
}

#[test]
fn d5_of_two_drops_one_is_cancelled_and_the_other_ends_with_the_call() {
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    // A modem that does not answer keeps both waiting.
    world.modem.set_fault(ModemFault::Dead, true);
    let ticket = world.handle.submit(LINE, Command::Drop { call }).unwrap();
    let cancelled = ticket.token();
    drop(ticket);
    let other = world.drop_call(call).unwrap();
    assert_eq!(world.told(), []);
    assert!(world.handle.cancel(cancelled));
    let told = world.told();
    assert!(matches!(told[..], [Told::Completed(id, Err(_))] if id != other), "{told:?}");
    assert_eq!(world.state(call), Some(CallState::Connected), "it is still being dropped");
    world.close_call(call).unwrap();
    assert_eq!(world.told(), [Told::Completed(other, Err(LineError::OPERATIONFAILED))]);
}

#[test]
fn d7_a_call_that_is_being_dropped_is_neither_accepted_nor_answered() {
    let mut world = World::new();
    let call = world.ring();
    world.answer(call).unwrap();
    world.run(10);
    // A modem that does not answer any more keeps the drop waiting.
    world.modem.set_fault(ModemFault::Dead, true);
    let dropped = world.drop_call(call).unwrap();
    assert_eq!(world.answer(call), Err(LineError::INVALCALLSTATE));
    assert_eq!(world.ask(Command::Accept { call }), Err(LineError::INVALCALLSTATE));
    assert_eq!(world.features(call) & (LINECALLFEATURE_ANSWER | LINECALLFEATURE_ACCEPT), 0);
    world.run(20_000);
    let told = world.told();
    let ended = |told: &&Told| matches!(told, Told::Completed(id, Err(_)) if *id == dropped);
    assert_eq!(told.iter().filter(ended).count(), 1, "{told:?}");
    assert_eq!(world.state(call), Some(CallState::Idle));
}

#[test]
fn d7_a_drop_while_dialling_hangs_up() {
    let mut world = World::new();
    let (call, made) = world.make_call(LINE, "100");
    let made = made.unwrap();
    let dropped = world.drop_call(call).unwrap();
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(made, failed), Told::Completed(dropped, Ok(()))]);
    world.run(3000);
    assert_eq!(world.told(), [], "O1: a call that never was has no state");

    let (call, _) = world.make_call(LINE, "100");
    world.run(5000);
    world.drop_call(call).unwrap();
    world.run(100);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "PROCEEDING 0x0", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());

    let (call, _) = world.make_call(LINE, "5;");
    world.run(100);
    world.drop_call(call).unwrap();
    world.run(100);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
}

#[test]
fn stopping_leaves_the_line_on_hook() {
    let mut world = World::new();
    world.connect(LINE, "100");
    world.stepper.stop();
    world.run(100);
    assert!(world.modem.is_on_hook());
}
