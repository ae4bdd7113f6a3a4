//! What is offered is accepted, in every state that a modem's call can come into; and what the line
//! reports about itself.

use super::*;
use ringback_tspi::callstate::features::FEATURES;

/// How a call is brought into a state.
type Way = fn(&mut World) -> HDRVCALL;

fn dialled(world: &mut World, number: &str, state: CallState) -> HDRVCALL {
    let (call, made) = world.make_call(LINE, number);
    made.unwrap();
    world.until(call, state, 130_000);
    call
}

const WAYS: &[(&str, Way)] = &[
    ("being made", |world| world.make_call(LINE, "100").0),
    ("dial tone", |world| dialled(world, "", CallState::DialTone)),
    ("partly dialled", |world| dialled(world, "1;", CallState::Dialing)),
    ("dialling", |world| dialled(world, "100", CallState::Dialing)),
    ("proceeding", |world| dialled(world, "100", CallState::Proceeding)),
    ("busy", |world| dialled(world, "101", CallState::Busy)),
    ("connected", |world| world.connect(LINE, "100")),
    ("disconnected", |world| dialled(world, "102", CallState::Disconnected)),
    ("the application's own", |world| {
        let call = world.pass_through();
        world.until(call, CallState::Connected, 1000);
        call
    }),
    ("offering", |world| world.ring()),
    ("accepted", |world| {
        let call = world.ring();
        world.ask(Command::Accept { call }).unwrap();
        call
    }),
    ("being answered", |world| {
        let call = world.ring();
        world.answer(call).unwrap();
        call
    }),
    ("missed", |world| {
        let call = world.ring();
        world.modem.give_up();
        world.until(call, CallState::Idle, 12_000);
        call
    }),
];

/// Asks for the function of a feature, as a provider does.
fn ask(world: &World, call: HDRVCALL, feature: u32) -> Result<(), LineError> {
    let address = || parse("5;", Modifiers::default()).unwrap();
    let command = match feature {
        LINECALLFEATURE_ACCEPT => Command::Accept { call },
        LINECALLFEATURE_ANSWER => Command::Answer { call },
        LINECALLFEATURE_DIAL => Command::Dial { call, address: address() },
        LINECALLFEATURE_DROP => Command::Drop { call },
        LINECALLFEATURE_SETCALLPARAMS => Command::SetCallParams { call, timing: None },
        LINECALLFEATURE_SETCALLDATA => Command::SetCallData { call, data: vec![1] },
        // The other features are not requests of the engine.
        _ => return world.handle.with(move |modem, _| modem.can(call, feature)).unwrap(),
    };
    world.ask(command).map(drop)
}

#[test]
fn what_is_offered_is_accepted_and_what_is_accepted_is_offered() {
    for (name, way) in WAYS {
        let mut world = World::new();
        let call = way(&mut world);
        let offered = world.features(call);
        let report = world.report(LINE);
        for (feature, function) in FEATURES.iter().filter(|(feature, _)| offered & feature == 0) {
            let asked = ask(&world, call, *feature);
            let refused = [Err(LineError::INVALCALLSTATE), Err(LineError::OPERATIONUNAVAIL)];
            assert!(refused.contains(&asked), "{name}: {} begins: {asked:?}", function.name);
        }
        assert_eq!(world.features(call), offered, "{name}: refusals change nothing");
        assert_eq!(world.make_call(LINE, "100").1.is_ok(), report.takes_call, "{name}: a call");
        for (feature, function) in FEATURES.iter().filter(|(feature, _)| offered & feature != 0) {
            let mut world = World::new();
            let call = way(&mut world);
            let asked = ask(&world, call, *feature);
            assert_eq!(asked, Ok(()), "{name}: {} is offered", function.name);
        }
    }
}

#[test]
fn the_line_reports_rings_calls_and_service_if_they_are_enabled() {
    let mut world = World::new();
    world.subscribe(LINE);
    world.run(2000);
    let line = |state, mode, count| format!("line {LINE_LINEDEVSTATE} [{state}, {mode}, {count}]");
    world.story();
    let call = world.ring();
    world.run(6500);
    let states = LINEADDRESSSTATE_NUMCALLS | LINEADDRESSSTATE_INUSEONE;
    let wanted = [
        "NEWCALL".into(),
        "OFFERING 0x1".into(),
        line(LINEDEVSTATE_NUMCALLS, 0, 0),
        format!("line {LINE_ADDRESSSTATE} [0, {states}, 0]"),
        line(LINEDEVSTATE_RINGING, 1, 0),
        line(LINEDEVSTATE_RINGING, 1, 1),
    ];
    assert_eq!(world.story()[..6], wanted);
    // A call of a media mode that is not wanted is reported as ringing if status messages are on.
    world.modem.give_up();
    world.until(call, CallState::Idle, 12_000);
    world.want(LINE, 0);
    world.story();
    let now = world.now();
    world.modem.call(now);
    world.run(500);
    assert_eq!(world.story(), [line(LINEDEVSTATE_RINGING, 1, 0)]);
    assert_eq!(world.make_call(LINE, "100").1, Err(LineError::INUSE));
}

#[test]
fn a_modem_that_is_locked_or_out_of_service_makes_no_call() {
    let mut world = World::new();
    world.subscribe(LINE);
    world.run(2000);
    world.story();
    let opening = world.report(LINE).opening.unwrap();
    let set = |world: &World, bits, on| {
        world.submit(LINE, Command::SetLineDevStatus { line: LINE, opening, bits, on }).map(drop)
    };
    let line = |state| format!("line {LINE_LINEDEVSTATE} [{state}, 0, 0]");
    for (bits, off, on) in [
        (LINEDEVSTATUSFLAGS_LOCKED, (true, LINEDEVSTATE_LOCK), (false, LINEDEVSTATE_LOCK)),
        (
            LINEDEVSTATUSFLAGS_INSERVICE,
            (false, LINEDEVSTATE_OUTOFSERVICE),
            (true, LINEDEVSTATE_INSERVICE),
        ),
    ] {
        assert_eq!(set(&world, bits, off.0), Ok(()));
        assert_eq!(world.story(), [line(off.1), "ok".into()]);
        assert_eq!(world.make_call(LINE, "100").1, Err(LineError::INVALLINESTATE));
        let report = world.report(LINE);
        let expected =
            (bits == LINEDEVSTATUSFLAGS_LOCKED, bits == LINEDEVSTATUSFLAGS_LOCKED, false);
        assert_eq!((report.locked, report.in_service, report.takes_call), expected);
        assert_eq!(set(&world, bits, on.0), Ok(()));
        assert_eq!(world.story(), [line(on.1), "ok".into()]);
        assert!(world.report(LINE).takes_call);
    }
    let call = world.connect(LINE, "100");
    let withdraw = LINEDEVSTATUSFLAGS_INSERVICE;
    assert_eq!(set(&world, withdraw, false), Err(LineError::INVALLINESTATE), "it has a call");
    world.drop_call(call).unwrap();
    world.close(LINE);
    let late = set(&world, LINEDEVSTATUSFLAGS_LOCKED, true);
    assert_eq!(late, Err(LineError::INVALLINEHANDLE), "D2: of an earlier opening");
}
