//! What is offered is accepted, in the states that a call on a port comes into.

use super::*;

/// What is offered on a call: the names of its LINECALLFEATURE_ bits.
fn offered(world: &World, call: HDRVCALL) -> Vec<&'static str> {
    let bits = world.features(call);
    let short = |name: &'static str| name.trim_start_matches("LINECALLFEATURE_");
    let books = LINECALLFEATURE_SETCALLPARAMS | LINECALLFEATURE_SETCALLDATA;
    let rest = bits & !books;
    let over = rest & !LINECALLFEATURE_DROP == 0;
    assert!(
        bits & books == books || over,
        "books are kept as long as a call is not over: {bits:#x}"
    );
    LINECALLFEATURE.members.iter().filter(|m| rest & m.1 != 0).map(|m| short(m.0)).collect()
}

/// The immediate results of generating digits, dialling and answering.
fn tried(world: &World, call: HDRVCALL) -> [Result<(), LineError>; 3] {
    let generated = world.generate(call, 1, Some("5"));
    [generated, world.dial(call, "5").map(drop), world.answer(call).map(drop)]
}

#[test]
fn a_line_accepts_what_it_offers_and_refuses_everything_else() {
    let (not_now, never) = (Err(LineError::INVALCALLSTATE), Err(LineError::OPERATIONUNAVAIL));
    let mut world = World::new();
    // Digits sent to a ringing telephone would be heard by the person who lifts it.
    let telephone = world.telephone(FXS);
    let (call, _) = world.make_call(LineNumber::at(FXS), "");
    world.until(call, CallState::Ringback, 500);
    let waiting = ["MONITORDIGITS", "MONITORMEDIA", "MONITORTONES"];
    let settable = ["SETTREATMENT"];
    assert_eq!(offered(&world, call), [&["DROP"], &waiting[..], &settable].concat());
    assert_eq!(tried(&world, call), [not_now, never, not_now]);
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    let sounds = ["DROP", "GATHERDIGITS", "GENERATEDIGITS", "GENERATETONE"];
    let in_conversation = [&sounds[..], &["HOLD"], &waiting, &settable].concat();
    assert_eq!(offered(&world, call), in_conversation);
    assert_eq!(tried(&world, call), [Ok(()), never, not_now]);
    telephone.on_hook();
    world.until(call, CallState::Disconnected, HUNG_UP);
    assert_eq!(offered(&world, call), ["DROP"]);
    assert_eq!(tried(&world, call), [not_now, never, not_now]);

    world.subscriber("55", Behaviour::AnswerAfterRings(2));
    let (call, _) = world.make_call(LineNumber::at(FXO), "55");
    assert_eq!(offered(&world, call), ["DROP"], "before its first state it can only be given up");
    assert_eq!(tried(&world, call), [not_now; 3]);
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(offered(&world, call), [&["DIAL"], &sounds[..], &waiting].concat());
    assert_eq!(tried(&world, call), [Ok(()), Ok(()), not_now]);
    world.drop_call(call).unwrap();
    assert_eq!(offered(&world, call), [""; 0], "nothing is left to do in IDLE");
    assert_eq!(tried(&world, call), [not_now; 3]);
    world.run(3000);
    world.subscriber("56", Behaviour::Manual).call("102");
    let call = world.offered(15_000);
    assert_eq!(offered(&world, call), [&["ACCEPT", "ANSWER", "DROP"], &waiting[..]].concat());
    assert_eq!(tried(&world, call), [not_now, not_now, Ok(())]);
}
