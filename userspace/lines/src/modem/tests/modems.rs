//! Modems with faults: old, noisy, badly wired, dead, removed.

use ringback_listener::Log as Warnings;
use tracing::Level;

use super::*;

#[test]
fn a_modem_that_answers_in_numbers_is_understood() {
    let mut world = World::faulty(ModemFault::Numeric);
    let call = world.connect(LINE, "100");
    world.send(call, b"\nfirst").unwrap();
    world.run(20);
    assert_eq!(world.fetch(), b"\nfirst", "no line end is due after a number");
    world.drop_call(call).unwrap();
    world.run(1000);
    let (busy, _) = world.make_call(LINE, "101");
    world.until(busy, CallState::Busy, 10_000);
    world.drop_call(busy).unwrap();
    let call = world.ring();
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 5000);
}

#[test]
fn what_modems_say_besides_v250_ends_a_call_at_once_and_for_what_it_is() {
    for (words, told) in [
        ("VOICE", "DISCONNECTED 0x800"),
        ("NO BONGTONE", "DISCONNECTED 0x40"),
        ("LINE IN USE", "DISCONNECTED 0x8000"),
        ("PHONE OFF-HOOK", "DISCONNECTED 0x8000"),
        ("DIAL LOCKED", "DISCONNECTED 0x8000"),
        ("BLACKLISTED", "DISCONNECTED 0x8000"),
        ("NO LOOP CURRENT", "DISCONNECTED 0x1000"),
        ("CONNECT/ARQ", "CONNECTED 0x10"),
        ("9", "CONNECTED 0x10"),
        ("24", "DISCONNECTED 0x8000"),
        ("32", "DISCONNECTED 0x8000"),
        ("33\r\nCONNECT", "CONNECTED 0x10"),
        ("59", "CONNECTED 0x10"),
        ("83", "DISCONNECTED 0x8000"),
    ] {
        let mut modem = SoftModem::new();
        modem.add("7", Far::Reports(words));
        let mut world = World::with(modem);
        let (call, made) = world.make_call(LINE, "7");
        made.unwrap();
        world.run(10_000);
        assert_eq!(world.story().last().unwrap(), told, "{words}");
        world.drop_call(call).unwrap();
    }
}

#[test]
fn a_command_line_of_the_users_own_sets_the_modem_up_before_each_call() {
    let warnings = Warnings::default();
    tracing::dispatcher::with_default(&warnings.subscriber(), || {
        let options = "ATX3&C1&D2S0=0".parse().unwrap();
        let mut world = World::set_up(SoftModem::new(), &options);
        world.run(100);
        let call = world.connect(LINE, "100");
        world.drop_call(call).unwrap();
        world.run(1000);
        world.connect(LINE, "106");
        let commands = world.modem.commands();
        let own = commands.iter().filter(|command| *command == options.init()).count();
        assert_eq!(own, 3, "when the line is opened, and before each call: {commands:?}");
        assert!(!commands.iter().any(|command| command.starts_with("ATX4")), "{commands:?}");
    });
    assert_eq!(warnings.take(Level::WARN), [""; 0]);
}

#[test]
fn a_command_line_that_the_modem_refuses_is_told_and_the_modem_is_used() {
    let warnings = Warnings::default();
    tracing::dispatcher::with_default(&warnings.subscriber(), || {
        let options = "ATX3%Q7".parse().unwrap();
        let mut world = World::set_up(SoftModem::new(), &options);
        world.run(100);
        let call = world.connect(LINE, "100");
        world.send(call, b"it works").unwrap();
        world.run(20);
        assert_eq!(world.fetch(), b"it works");
    });
    let told = warnings.take(Level::WARN);
    assert_eq!(told, [r#"the modem refuses the command "ATX3%Q7""#; 2]);
}

#[test]
fn a_ring_that_says_what_it_is_offers_a_call() {
    let mut world = World::new();
    world.run(500);
    world.from_modem.extend(b"\r\n+CRING: VOICE\r\n");
    let call = world.offered(1000);
    assert_eq!(world.state(call), Some(CallState::Offering));
}

#[test]
fn noise_between_the_answers_does_not_hurt() {
    let mut world = World::faulty(ModemFault::Noise);
    world.run(100);
    let call = world.connect(LINE, "100");
    assert_eq!(world.fetch(), b"");
    world.drop_call(call).unwrap();
    world.run(1000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    let call = world.ring();
    assert_eq!(world.state(call), Some(CallState::Offering));
}

#[test]
fn without_dtr_the_escape_sequence_hangs_up() {
    let mut world = World::faulty(ModemFault::NoDtr);
    let call = world.connect(LINE, "100");
    world.send(call, b"the last word").unwrap();
    world.run(5);
    world.drop_call(call).unwrap();
    world.run(4000);
    assert_eq!(world.story(), ["ok", "IDLE 0x0", "ok"]);
    assert!(world.modem.is_on_hook());
    assert_eq!(world.modem.commands().last().unwrap(), "ATH");
}

#[test]
fn without_dcd_the_words_tell_the_loss_of_the_carrier() {
    let mut world = World::faulty(ModemFault::NoDcd);
    let call = world.connect(LINE, "106");
    world.modem.far_send(b"\r\nNO CARRIER\r\n");
    world.run(100);
    world.modem.far_send(b"is what a modem says\r\n");
    world.run(3000);
    assert_eq!(world.state(call), Some(CallState::Connected), "the text was data");
    world.far_hang_up();
    world.until(call, CallState::Disconnected, 1000);
    world.drop_call(call).unwrap();
    world.run(1500);
    assert_eq!(world.story(), ["DISCONNECTED 0x1", "IDLE 0x0", "ok"]);
}

#[test]
fn with_dcd_no_words_end_a_call() {
    let mut world = World::new();
    let call = world.connect(LINE, "106");
    world.modem.far_send(b"\r\nNO CARRIER\r\n");
    world.run(5000);
    assert_eq!(world.state(call), Some(CallState::Connected));
    assert_eq!(world.fetch(), b"\r\nNO CARRIER\r\n");
}

#[test]
fn a_modem_that_was_left_online_is_got_back() {
    for fault in [None, Some(ModemFault::NoDtr)] {
        let mut modem = SoftModem::new();
        modem.add("9", Far::Echo(Duration::ZERO));
        let mut out = VecDeque::new();
        modem.run(Duration::ZERO, true, &mut b"ATD9\r".to_vec(), &mut out);
        modem.run(Duration::ZERO, true, &mut Vec::new(), &mut out);
        assert!(!modem.is_on_hook());
        if let Some(fault) = fault {
            modem.set_fault(fault, true);
        }
        let mut world = World::with(modem);
        let call = world.connect(LINE, "100");
        assert_eq!(world.state(call), Some(CallState::Connected));
    }
}

#[test]
fn lost_interrupts_do_not_lose_a_call() {
    let mut world = World::new();
    world.interrupts = false;
    let call = world.connect(LINE, "100");
    let sent = world.send(call, b"hello").unwrap();
    world.run(300);
    assert_eq!(world.told(), [Told::Completed(sent, Ok(()))]);
    assert_eq!(world.fetch(), b"hello");
    world.drop_call(call).unwrap();
    world.run(2000);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
}

#[test]
fn a_dead_modem_fails_the_call_once_and_in_time() {
    let mut world = World::faulty(ModemFault::Dead);
    let (call, made) = world.make_call(LINE, "100");
    made.unwrap();
    world.run(7000);
    assert_eq!(world.story(), [""; 0], "it may be in data mode");
    world.run(1000);
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
    assert_eq!(world.state(call), None);
    assert!(!world.report(LINE).in_service);
    world.modem.set_fault(ModemFault::Dead, false);
    world.connect(LINE, "100");
    assert!(world.report(LINE).in_service);
}

/// A line that is left off-hook may cost money, and a number that was begun would get into the next
/// one.
#[test]
fn a_modem_that_could_not_be_hung_up_is_when_it_answers_again() {
    let mut world = World::new();
    let (call, _) = world.make_call(LINE, "10;");
    world.until(call, CallState::Dialing, 1000);
    world.run(100);
    assert!(!world.modem.is_on_hook());
    world.modem.set_fault(ModemFault::Dead, true);
    world.drop_call(call).unwrap();
    world.run(15_000);
    assert!(!world.modem.is_on_hook() && !world.report(LINE).in_service);
    world.modem.set_fault(ModemFault::Dead, false);
    for _ in 0..60 {
        world.run(1000);
    }
    assert!(world.modem.is_on_hook());
    world.connect(LINE, "100");
}

#[test]
fn a_loop_that_answers_every_dial_with_its_echo_ends_it_once() {
    let mut world = World::faulty(ModemFault::Loop);
    for _ in 0..3 {
        let (call, made) = world.make_call(LINE, "100");
        made.unwrap();
        world.run(60_000);
        assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
        assert_eq!(world.state(call), None);
    }
}

#[test]
fn a_modem_that_dies_ends_every_request_once() {
    // While it dials: nothing comes any more, and nothing hangs up.
    let mut world = World::new();
    let (call, _) = world.make_call(LINE, "100");
    world.until(call, CallState::Dialing, 1000);
    world.modem.set_fault(ModemFault::Dead, true);
    world.until(call, CallState::Disconnected, 200_000);
    assert_eq!(world.story().last().unwrap(), "DISCONNECTED 0x40");
    world.drop_call(call).unwrap();
    world.run(10_000);
    assert_eq!(world.story(), ["IDLE 0x0", "LINEERR_OPERATIONFAILED"]);

    // In a call, with requests outstanding.
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    world.modem.set_fault(ModemFault::Dead, true);
    let receive = world.receive(call, 1, 3000).unwrap();
    world.run(3000);
    let failed = Err(LineError::OPERATIONFAILED);
    assert_eq!(world.told(), [Told::Completed(receive, failed)], "at its deadline");
    let receive = world.receive(call, 1, 100_000).unwrap();
    let dropped = world.drop_call(call).unwrap();
    let again = world.drop_call(call).unwrap();
    world.run(10_000);
    let told = world.told();
    assert_eq!(told.first(), Some(&Told::Completed(receive, failed)), "D7");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.ends_with(&[Told::Completed(dropped, failed), Told::Completed(again, failed)]));

    // While it answers.
    let mut world = World::new();
    let call = world.ring();
    world.modem.set_fault(ModemFault::Dead, true);
    world.answer(call).unwrap();
    world.run(100_000);
    let story = world.story();
    assert_eq!(story, ["NEWCALL", "OFFERING 0x1", "LINEERR_OPERATIONFAILED", "DISCONNECTED 0x40"]);
}

#[test]
fn removal_in_a_call_ends_each_request_once_and_closes_the_line() {
    let mut world = World::new();
    let call = world.connect(LINE, "100");
    let receive = world.receive(call, 10, 10_000).unwrap();
    let send = world.send(call, &[1; 5000]).unwrap();
    world.uart.remove();
    world.run(100);
    let gone = Err(LineError::NODEVICE);
    let told = world.told();
    assert!(told[..2].contains(&Told::Completed(receive, gone)));
    assert!(told[..2].contains(&Told::Completed(send, gone)));
    let story: Vec<_> = told[2..].iter().map(Told::in_short).collect();
    assert_eq!(story, ["DISCONNECTED 0x4000", "IDLE 0x0", "CLOSE"], "D13");
    assert_eq!(world.make_call(LINE, "100").1, Err(LineError::NODEVICE));
}
