//! Calls to and from the telephone of an FXS line.

use super::*;

#[test]
fn an_fxs_call_rings_the_telephone_until_it_is_lifted() {
    let mut world = World::new();
    let telephone = world.telephone(FXS);
    let (call, made) = world.make_call(LineNumber::at(FXS), "");
    made.unwrap();
    world.run(7000);
    assert!(telephone.ring_count() >= 2, "2 s of every 6 s");
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    assert_eq!(world.story(), ["ok", "RINGBACK 0x0", "CONNECTED 0x10"]);
    world.run(1000);
    assert!(!telephone.is_ringing());
    telephone.on_hook();
    world.until(call, CallState::Disconnected, 500);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);

    // Off-hook: busy. Dropped while ringing: it stops.
    telephone.off_hook();
    world.run(500);
    let (busy, _) = world.make_call(LineNumber::at(FXS), "");
    // It is lifted and dials nothing, so there is no call in the way.
    assert_eq!(world.story(), ["ok", "BUSY 0x1"]);
    world.drop_call(busy).unwrap();
    telephone.on_hook();
    world.run(500);
    let (_, _) = world.make_call(LineNumber::at(FXS + 1), "");
    world.run(1000);
    assert!(world.telephone(FXS + 1).is_ringing());
}

#[test]
fn a_telephone_that_dials_is_offered_with_its_digits() {
    let mut world = World::new();
    let telephone = world.telephone(FXS);
    telephone.call("9876#");
    let call = world.offered(15_000);
    let info = world.info(call);
    assert_eq!((info.called.as_str(), info.origin), ("9876", LINECALLORIGIN_INBOUND));
    world.answer(call).unwrap();
    world.monitor_digits(call);
    world.run(500);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "CONNECTED 0x10", "ok"], "no digit is left over");
    // In conversation; then we hang up and it hears reorder until it hangs up too.
    world.drop_call(call).unwrap();
    world.run(2000);
    telephone.on_hook();
    world.run(500);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    telephone.call("12");
    world.offered(15_000);
}
