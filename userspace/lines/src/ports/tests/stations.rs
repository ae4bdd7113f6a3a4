//! Calls to and from the telephone of an FXS line.

use super::*;
use ringback_country::Country;
use ringback_tspi::late::{LateOutput, OwnedMemory};
use ringback_tspi::types::HTAPIPHONE;

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
    world.until(call, CallState::Disconnected, HUNG_UP);
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
    world.run(HUNG_UP);
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
    world.run(HUNG_UP);
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    telephone.call("12");
    world.offered(15_000);
}

/// The exchange of a country, on whose lines the telephones are.
fn in_country(name: &str, kernel: bool) -> World {
    let exchange = ExchangeConfig { country: name.parse().unwrap(), ..ExchangeConfig::default() };
    World::build(kernel, exchange, LineOptions::default().loop_break_ms)
}

#[test]
fn a_flash_and_bounces_do_not_end_a_call_and_hanging_up_does() {
    for (country, kernel) in [("USA", false), ("GERMANY", false), ("JAPAN", true)] {
        let mut world = in_country(country, kernel);
        let zone: Country = country.parse().unwrap();
        let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap();
        let phone = HTAPIPHONE::new(9).unwrap();
        let opening = world.handle.with(move |lines, _| lines.open_phone(LineNumber(0), phone));
        let opening = opening.unwrap().unwrap();
        let wishes = PhoneWishes {
            states: PHONESTATE_HANDSETHOOKSWITCH,
            button_modes: PHONEBUTTONMODE_FEATURE,
            button_states: PHONEBUTTONSTATE_DOWN | PHONEBUTTONSTATE_UP,
        };
        let set = world
            .handle
            .with(move |lines, _| lines.set_phone_wishes(LineNumber(0), opening, wishes));
        set.unwrap().unwrap();
        let telephone = world.telephone(FXS);
        let (call, _) = world.make_call(LineNumber::at(FXS), "");
        world.run(500);
        telephone.off_hook();
        // It bounces while it is lifted.
        world.run(15);
        telephone.open_for(20);
        world.until(call, CallState::Connected, 500);
        world.run(3000);
        world.story();
        for bounce in [3, 12, 20, 24] {
            telephone.open_for(bounce);
            world.run(400);
            assert_eq!(world.story(), [""; 0], "{country}: a bounce of {bounce} ms");
        }
        for flash in [ms(zone.flash()), ms(zone.hang_up()) - 20] {
            telephone.open_for(flash);
            world.run(u64::from(flash) + 300);
            assert_eq!(world.story(), ["button 12 2", "button 12 1"], "{country}: {flash} ms");
        }
        telephone.on_hook();
        world.run(zone.hang_up().as_millis() as u64 - 50);
        assert_eq!(world.story(), [""; 0], "{country}: it may be a flash");
        world.run(100);
        let onhook = format!("phone state {PHONESTATE_HANDSETHOOKSWITCH:#x} 1");
        assert_eq!(world.story(), ["DISCONNECTED 0x1", &onhook], "{country}");
    }
}

#[test]
fn a_rotary_dial_dials_a_number_and_is_monitored_and_gathered() {
    for kernel in [false, true] {
        let mut world = in_country("GERMANY", kernel);
        let telephone = world.telephone(FXS);
        telephone.off_hook();
        world.run(1000);
        assert!(has_tone(&telephone.take_heard(), 425.0), "dial tone");
        telephone.pulse("1");
        world.run(300);
        telephone.take_heard();
        telephone.pulse("90");
        let call = world.offered(15_000);
        assert_eq!(world.info(call).called, "190");
        assert!(rms_dbm0(&telephone.take_heard()) < -40.0, "the first pulse ends the dial tone");
        world.answer(call).unwrap();
        world.story();

        let monitor = move |lines: &mut Lines<_>, modes| lines.monitor_digits(call, modes);
        world.handle.with(move |lines, _| monitor(lines, LINEDIGITMODE_DTMF)).unwrap().unwrap();
        telephone.pulse("4");
        world.run(2000);
        assert_eq!(world.story(), [""; 0], "what is not monitored is not reported");
        let both = LINEDIGITMODE_DTMF | LINEDIGITMODE_PULSE;
        world.handle.with(move |lines, _| monitor(lines, both)).unwrap().unwrap();
        telephone.pulse("20");
        world.run(3500);
        telephone.dial("5");
        world.run(1000);
        assert_eq!(world.story(), ["digit 2 1", "digit 0 1", "digit 5 2"]);
        world.handle.with(move |lines, _| monitor(lines, 0)).unwrap().unwrap();

        let memory = OwnedMemory::new(vec![0; 8]);
        let gather = Gather {
            end_to_end: 7,
            modes: LINEDIGITMODE_PULSE,
            output: LateOutput::new(memory.clone()),
            termination: "3".into(),
            first: None,
            next: None,
        };
        let gathered =
            world.handle.with(move |lines, cx| lines.gather_digits(call, Some(gather), cx));
        gathered.unwrap().unwrap();
        telephone.dial("8");
        world.run(500);
        telephone.pulse("93");
        world.run(4000);
        assert_eq!(memory.bytes(), [b'9', 0, b'3', 0, 0, 0, 0, 0], "B7, and no DTMF");
        // A line of an exchange has no telephone with a dial.
        let line = LineNumber::at(FXO);
        let (call, _) = world.make_call(line, "");
        let wrong =
            world.handle.with(move |lines, _| lines.monitor_digits(call, LINEDIGITMODE_PULSE));
        assert_eq!(wrong.unwrap(), Err(LineError::INVALDIGITMODE));
    }
}

#[test]
fn a_flash_in_dial_or_reorder_tone_begins_the_dialling_anew() {
    let mut world = in_country("GERMANY", false);
    let telephone = world.telephone(FXS);
    telephone.off_hook();
    world.run(300);
    telephone.dial("12");
    world.run(700);
    telephone.flash();
    world.run(1000);
    telephone.take_heard();
    world.run(1500);
    assert!(has_tone(&telephone.take_heard(), 425.0), "dial tone again");
    telephone.dial("34#");
    let call = world.offered(5000);
    assert_eq!(world.info(call).called, "34", "the digits before the flash are forgotten");
    world.answer(call).unwrap();
    world.drop_call(call).unwrap();
    world.story();
    world.run(3000);
    telephone.flash();
    world.run(1000);
    telephone.dial("56#");
    let call = world.offered(5000);
    assert_eq!(world.info(call).called, "56", "it need not be hung up");
}

#[test]
fn battery_is_taken_from_the_line_when_we_hang_up_if_that_is_wanted() {
    for (country, kernel) in [("USA", false), ("GERMANY", false), ("GERMANY", true)] {
        let mut world = in_country(country, kernel);
        let line = LineNumber::at(FXS);
        let drop = Duration::from_millis(700);
        let configure = |world: &World, battery_drop| {
            let usual = TelephoneOptions::default();
            let options = TelephoneOptions { battery_drop, ring_mode: 2, ..usual };
            let set = world
                .handle
                .with(move |lines, _| lines.set_config(line, DeviceConfig::Telephone { options }));
            set.unwrap()
        };
        assert_eq!(configure(&world, Some(drop)), Ok(()));
        let telephone = world.telephone(FXS);
        // An answering machine hangs up when battery is gone.
        telephone.set_behaviour(Behaviour::AnswerAfterRings(1));
        let (call, _) = world.make_call(line, "");
        assert_eq!(configure(&world, None), Err(LineError::INVALLINESTATE), "not in a call");
        world.until(call, CallState::Connected, 4000);
        world.drop_call(call).unwrap();
        world.run(50);
        assert!(!telephone.has_battery());
        world.run(500);
        assert!(!telephone.is_off_hook(), "{country}: the machine has hung up");
        assert!(!telephone.has_battery());
        world.run(500);
        assert!(telephone.has_battery(), "{country}");
        // It can be called again.
        let (again, _) = world.make_call(line, "");
        world.until(again, CallState::Connected, 4000);
        world.drop_call(again).unwrap();
        world.run(2000);
        world.story();

        // A person stays on the line: hears reorder, and is neither taken for one who flashes nor
        // for one who lifts the telephone anew.
        telephone.set_behaviour(Behaviour::Manual);
        let (call, _) = world.make_call(line, "");
        world.run(300);
        telephone.off_hook();
        world.until(call, CallState::Connected, 500);
        world.drop_call(call).unwrap();
        world.run(1500);
        telephone.take_heard();
        world.run(2000);
        assert!(rms_dbm0(&telephone.take_heard()) > -40.0, "{country}: reorder");
        telephone.dial("123#");
        world.run(5000);
        let told = world.story();
        assert!(!told.contains(&"NEWCALL".to_owned()), "{country}: {told:?}");
        // Without the option battery stays.
        telephone.on_hook();
        world.run(HUNG_UP);
        configure(&world, None).unwrap();
        let (call, _) = world.make_call(line, "");
        world.run(300);
        telephone.off_hook();
        world.until(call, CallState::Connected, 500);
        world.drop_call(call).unwrap();
        for _ in 0..100 {
            world.run(10);
            assert!(telephone.has_battery(), "{country}");
        }
    }
}
