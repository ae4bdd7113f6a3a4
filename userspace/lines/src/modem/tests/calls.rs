//! Calls, made and answered, with a modem that works.

use super::*;

/// What is offered on every call that is not over.
const BOOKS: u32 = LINECALLFEATURE_SETCALLPARAMS | LINECALLFEATURE_SETCALLDATA;

#[test]
fn n10_o1_an_outgoing_call_passes_its_states_with_data_both_ways_and_ends() {
    let mut world = World::new();
    let (call, made) = world.make_call(LINE, "100");
    made.unwrap();
    world.run(50);
    assert_eq!(world.story(), ["ok", "DIALING 0x0"]);
    assert_eq!(world.features(call), BOOKS | LINECALLFEATURE_DROP, "nothing else can be sent");
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.features(call), BOOKS | LINECALLFEATURE_DROP);
    assert_eq!(world.dial(call, "5"), Err(LineError::INVALCALLSTATE), "as it is not offered");
    assert_eq!(world.story(), ["PROCEEDING 0x0", "CONNECTED 0x10"]);
    assert_eq!(
        world.modem.commands(),
        [
            "ATE0Q0V1H0",
            "ATX4&C1&D2S0=0",
            "AT+VCID=1",
            "ATE0Q0V1H0",
            "ATX4&C1&D2S0=0",
            "AT+VCID=1",
            "ATDT100"
        ]
    );

    let text: Vec<u8> = (0..10_000_u32).map(|n| n as u8).collect();
    let received = world.receive(call, text.len(), 5000).unwrap();
    let sent = world.send(call, &text).unwrap();
    assert_eq!(world.told(), [], "not before it is sent");
    world.run(1200);
    assert_eq!(world.told(), [Told::Completed(sent, Ok(())), Told::Completed(received, Ok(()))]);
    assert_eq!(world.modem.far_received(), text);
    assert_eq!(world.fetch(), text);

    world.drop_call(call).unwrap();
    assert_eq!(world.story(), [""; 0], "not before the modem has hung up");
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "D9: legal but in idle");
    assert_eq!(world.send(call, b"x"), Err(LineError::INVALCALLSTATE));
}

#[test]
fn the_reason_for_no_connection_is_emitted_before_idle() {
    for (number, last) in [
        ("101", "BUSY 0x8"),
        ("102", "DISCONNECTED 0x800"),
        ("103", "DISCONNECTED 0x40"),
        ("104", "DISCONNECTED 0x1000"),
    ] {
        let mut world = World::new();
        let (call, _) = world.make_call(LINE, number);
        world.run(60_000);
        let story = world.story();
        assert_eq!(story[..2], ["ok", "DIALING 0x0"], "{number}");
        assert_eq!(story.last().unwrap(), last, "{number}");
        assert!(world.modem.is_on_hook());
        world.drop_call(call).unwrap();
        assert_eq!(world.story(), ["IDLE 0x0", "ok"], "{number}");
        let (call, _) = world.make_call(LINE, "100");
        world.until(call, CallState::Connected, 20_000);
    }
}

#[test]
fn busy_that_lasts_ends_as_busy() {
    let mut world = World::new();
    let (busy, _) = world.make_call(LINE, "101");
    world.until(busy, CallState::Busy, 10_000);
    world.run(50_000);
    assert_eq!(world.state(busy), Some(CallState::Busy));
    world.until(busy, CallState::Disconnected, 11_000);
    let last = format!("DISCONNECTED {LINEDISCONNECTMODE_BUSY:#x}");
    assert_eq!(world.story().last(), Some(&last));
    // The end of a busy call that was dropped does not end the next one.
    world.drop_call(busy).unwrap();
    let (busy, _) = world.make_call(LINE, "101");
    world.until(busy, CallState::Busy, 10_000);
    world.drop_call(busy).unwrap();
    let call = world.connect(LINE, "100");
    world.run(70_000);
    assert_eq!(world.state(call), Some(CallState::Connected));
}

#[test]
fn a_modem_that_comes_to_no_end_is_hung_up_at_the_deadline() {
    let mut world = World::new();
    let (call, _) = world.make_call(LINE, "105");
    world.run(120_000);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "PROCEEDING 0x0"]);
    world.until(call, CallState::Disconnected, 10_000);
    assert_eq!(world.story(), ["DISCONNECTED 0x40"], "NOANSWER");
    world.run(2000);
    assert!(world.modem.is_on_hook());
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn no_dial_tone_is_an_error_where_it_was_asked_for() {
    let mut world = World::new();
    let (call, _) = world.make_call_if(LINE, "104", true);
    world.run(10_000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"], "N3: the call never was");
    assert_eq!(world.state(call), None);
    let (call, _) = world.make_call_if(LINE, "100", true);
    world.run(2000);
    assert_eq!(world.story(), [""; 0], "dial tone may still be missing");
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "CONNECTED 0x10"]);
}

#[test]
fn who_calls_is_known_between_two_rings_and_forgotten_with_the_call() {
    for old in [false, true] {
        let mut modem = SoftModem::new();
        modem.set_fault(ModemFault::OldCallerId, old);
        let mut world = World::with(modem);
        world.run(1000);
        let now = world.now();
        let lines = ["DATE = 1128", "TIME = 1809", "NMBR = 5551234", "NAME = ADA"];
        world.modem.call_from(now, &lines);
        let call = world.offered(1000);
        world.run(1000);
        let info = |states: u32| format!("call {LINE_CALLINFO} [{states}, 0, 0]");
        let (time, caller) = (info(LINECALLINFOSTATE_DISPLAY), info(LINECALLINFOSTATE_CALLERID));
        let told = ["NEWCALL", "OFFERING 0x1", &time, &caller, &caller];
        assert_eq!(world.story(), told, "N14: the call is offered first");
        let caller = world.info(call).caller;
        assert_eq!((caller.number.text(), caller.name.text()), (Some("5551234"), Some("ADA")));
        assert_eq!(caller.time.unwrap().to_string(), "11-28 18:09");
        world.modem.give_up();
        world.until(call, CallState::Idle, 20_000);
        let next = world.ring();
        world.run(1000);
        assert_eq!(world.info(next).caller, Caller::default(), "another one");
    }
}

#[test]
fn who_calls_may_be_known_before_the_first_ring() {
    let mut world = World::new();
    world.run(1000);
    world.from_modem.extend(b"\r\nMESG = 04093131323831383030500E\r\n");
    world.run(500);
    let call = world.ring();
    world.run(1000);
    assert_eq!(world.info(call).caller.number, Party::Withheld);
}

#[test]
fn o3_a_call_that_was_not_made_changes_nothing_of_the_next_one() {
    let mut world = World::new();
    // Its digits would have been dialled after those ten seconds for dial tone.
    let (_, made) = world.make_call_if(LINE, "104", true);
    made.unwrap();
    world.run(8000);
    assert_eq!(world.story(), ["LINEERR_CALLUNAVAIL"]);
    world.ring();
    world.run(20_000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"]);
}

#[test]
fn dialling_in_parts_keeps_the_line() {
    let mut world = World::new();
    let (call, _) = world.make_call(LINE, "");
    world.until(call, CallState::DialTone, 1000);
    assert_eq!(world.story(), ["ok", "DIALTONE 0x20"]);
    assert_eq!(world.features(call), BOOKS | LINECALLFEATURE_DROP | LINECALLFEATURE_DIAL);
    world.dial(call, "1;").unwrap();
    assert_eq!(world.dial(call, "2"), Err(LineError::INVALCALLSTATE), "one after the other");
    world.run(20);
    assert_eq!(world.story(), ["DIALING 0x0", "ok"], "N12");
    world.dial(call, "P00").unwrap();
    world.run(8000);
    assert_eq!(world.story(), ["ok", "PROCEEDING 0x0"]);
    world.until(call, CallState::Connected, 5000);
    assert!(world.modem.commands().ends_with(&["ATDTW;", "ATDT1;", "ATDP00"].map(String::from)));
    world.drop_call(call).unwrap();
    world.run(2000);
    world.story();

    let (call, _) = world.make_call(LINE, "10");
    world.run(30);
    assert_eq!(world.dial(call, "0"), Err(LineError::INVALCALLSTATE), "that number is complete");
    world.drop_call(call).unwrap();
    world.run(5000);
    world.story();
    let (call, _) = world.make_call(LINE, "100;");
    world.run(30);
    world.dial(call, "").unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(world.story(), ["ok", "DIALING 0x0", "ok", "PROCEEDING 0x0", "CONNECTED 0x10"]);
}

#[test]
fn n14_an_incoming_call_is_offered_answered_and_ends() {
    let mut world = World::new();
    let call = world.ring();
    world.run(20_000);
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1"], "once, however often it rings");
    world.answer(call).unwrap();
    assert_eq!(world.answer(call), Err(LineError::INVALCALLSTATE), "it is being answered");
    world.until(call, CallState::Connected, 5000);
    assert_eq!(world.story(), ["CONNECTED 0x10", "ok"]);
    world.modem.far_send(b"hello");
    world.run(20);
    assert_eq!(world.fetch(), b"hello");
    world.far_hang_up();
    world.until(call, CallState::Disconnected, 1000);
    world.run(3000);
    assert_eq!(world.story(), ["DISCONNECTED 0x1"]);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn a_caller_that_gives_up_and_a_call_that_is_rejected_leave_the_line_free() {
    let mut world = World::new();
    let call = world.ring();
    world.run(7000);
    world.modem.give_up();
    world.until(call, CallState::Idle, 11_000);
    assert_eq!(world.answer(call), Err(LineError::INVALCALLSTATE));
    assert_eq!(world.drop_call(call), Err(LineError::INVALCALLSTATE), "it need not be dropped");
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "DISCONNECTED 0x1", "IDLE 0x0"]);

    let call = world.ring();
    world.drop_call(call).unwrap();
    world.run(15_000);
    assert_eq!(
        world.story(),
        ["NEWCALL", "OFFERING 0x1", "IDLE 0x0", "ok"],
        "further rings make no call"
    );
    assert_eq!(world.make_call(LINE, "100").1, Err(LineError::INUSE));
    world.modem.give_up();
    world.run(11_000);
    world.connect(LINE, "100");
}

#[test]
fn a_caller_that_is_gone_before_the_modem_answers_fails_the_answer() {
    let mut world = World::new();
    let call = world.ring();
    world.modem.give_up();
    world.answer(call).unwrap();
    world.run(5000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "LINEERR_OPERATIONFAILED", "DISCONNECTED 0x800"]);
}

#[test]
fn a_call_to_a_line_that_is_not_open_is_not_announced() {
    let mut world = World::new();
    world.close(LINE);
    let now = world.now();
    world.modem.call(now);
    world.run(8000);
    assert_eq!(world.told(), []);
    world.open(LINE);
    world.offered(8000);
}
