//! Waiting messages: what an exchange tells an FXO line, and an FXS line its telephone.

use ringback_country::Country;
use ringback_media::caller_id::CallerIdMoment;
use ringback_softcard::LineState;

use super::*;

const PHONE: LineNumber = LineNumber(0);
const LINE: LineNumber = LineNumber(2);

/// The lines of a country, with an exchange in it, and a display for the telephone at line 0.
fn in_country(name: &str, kernel: bool) -> World {
    let country: Country = name.parse().unwrap();
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    world.subscribe(LINE);
    if let Some(method) = country.caller_id() {
        world.telephone(FXS).set_display(method.coding);
    }
    world
}

/// LINE_LINEDEVSTATE of the line, the only one that is subscribed to.
fn told(wait: bool) -> String {
    let state = if wait { LINEDEVSTATE_MSGWAITON } else { LINEDEVSTATE_MSGWAITOFF };
    format!("line 8 [{state}, 0, 0]")
}

/// What was told of waiting messages.
fn messages(world: &mut World) -> Vec<String> {
    let of_messages = |told_now: &String| [told(true), told(false)].contains(told_now);
    world.story().into_iter().filter(of_messages).collect()
}

fn set_lamp(world: &World, on: bool) {
    let bits = LINEDEVSTATUSFLAGS_MSGWAIT;
    let opening = world.handle.with(move |lines, _| lines.state(PHONE)?.opening);
    let opening = opening.unwrap().unwrap();
    let command = Command::SetLineDevStatus { line: PHONE, opening, bits, on };
    world.submit(PHONE, command).unwrap();
}

#[test]
fn an_exchange_tells_a_line_on_hook_that_messages_wait() {
    for (country, kernel) in [("USA", false), ("USA", true), ("GERMANY", false), ("UK", true)] {
        let mut world = in_country(country, kernel);
        for wait in [true, false] {
            world.card.exchange().set_messages("102", wait).unwrap();
            world.run(3000);
            assert_eq!(messages(&mut world), [told(wait)], "{country}");
            assert_eq!(world.report(LINE).message_waiting, wait);
            // Told again, it is nothing new.
            world.card.exchange().set_messages("102", wait).unwrap();
            world.run(3000);
            assert_eq!(messages(&mut world), [""; 0], "{country}");
        }
        // A damaged one tells nothing, and a call comes all the same.
        world.card.exchange().set_wrong_bit("102", Some(23)).unwrap();
        world.card.exchange().set_messages("102", true).unwrap();
        world.run(3000);
        assert_eq!(messages(&mut world), [""; 0], "{country}");
        world.subscriber("5550123", Behaviour::Manual).call("102");
        world.offered(15_000);
    }
}

/// A call interrupts what is told; the line is told when it is idle again.
#[test]
fn a_line_that_is_called_meanwhile_is_told_later() {
    for country in ["USA", "UK"] {
        let mut world = in_country(country, false);
        world.card.exchange().set_messages("102", true).unwrap();
        let caller = world.subscriber("5550123", Behaviour::Manual);
        caller.run(vec![Step::OffHook, Step::Wait(900), Step::Dial("102".into())]);
        let call = world.offered(15_000);
        caller.on_hook();
        world.until(call, CallState::Idle, 10_000);
        world.run(3000);
        assert_eq!(messages(&mut world), [told(true)], "{country}");
    }
}

/// No data messages are known there: dial tone tells it, and takes it back.
#[test]
fn dial_tone_tells_that_messages_wait() {
    for country in ["AUSTRIA", "BRAZIL", "JAPAN", "GREECE"] {
        let mut world = in_country(country, false);
        world.subscriber("55", Behaviour::Manual);
        for wait in [true, false] {
            world.card.exchange().set_messages("102", wait).unwrap();
            world.run(5000);
            assert_eq!(messages(&mut world), [""; 0], "{country}: nobody has listened");
            let (call, made) = world.make_call(LINE, "55");
            made.unwrap();
            world.until(call, CallState::Ringback, 15_000);
            assert_eq!(messages(&mut world), [told(wait)], "{country}");
            assert_eq!(world.report(LINE).message_waiting, wait);
            world.drop_call(call).unwrap();
            world.close_call(call).unwrap();
            world.run(3000);
        }
    }
}

/// In the United Kingdom dial tone is recognised before it differs.
#[test]
fn dial_tone_that_differs_late_tells_it_to_who_listens_on() {
    let mut world = in_country("UK", false);
    world.card.exchange().set_wrong_bit("102", Some(23)).unwrap();
    world.card.exchange().set_messages("102", true).unwrap();
    world.run(3000);
    world.story();
    world.subscriber("55", Behaviour::Manual);
    let (call, made) = world.make_call(LINE, "55");
    made.unwrap();
    world.until(call, CallState::Ringback, 15_000);
    assert_eq!(messages(&mut world), [""; 0], "it was dialled at once");
    world.drop_call(call).unwrap();
    world.close_call(call).unwrap();
    world.run(3000);
    world.seize(LINE);
    world.run(3000);
    assert_eq!(messages(&mut world), [told(true)]);
}

/// A dial tone that has told it is taken back by a data message, too.
#[test]
fn a_data_message_takes_back_what_dial_tone_has_told() {
    let mut world = in_country("USA", false);
    world.card.exchange().set_wrong_bit("102", Some(23)).unwrap();
    world.card.exchange().set_messages("102", true).unwrap();
    world.run(3000);
    let call = world.seize(LINE);
    assert!(world.report(LINE).message_waiting);
    world.drop_call(call).unwrap();
    world.close_call(call).unwrap();
    world.run(2000);
    world.card.exchange().set_wrong_bit("102", None).unwrap();
    world.card.exchange().set_messages("102", false).unwrap();
    world.run(3000);
    assert_eq!(messages(&mut world), [told(false)]);
}

#[test]
fn the_voltage_of_a_neon_lamp_tells_that_messages_wait_and_is_no_call() {
    for kernel in [false, true] {
        let mut world = in_country("USA", kernel);
        let lamp = |world: &World, on| {
            world.card.set_fault(Fault::NeonVoltage(PortNumber::at(FXO)), on);
        };
        lamp(&world, true);
        world.run(10_000);
        assert_eq!(world.story(), [told(true)]);
        // It is out for a moment only.
        lamp(&world, false);
        world.run(10_000);
        lamp(&world, true);
        world.run(10_000);
        lamp(&world, false);
        assert_eq!(world.story(), [""; 0]);
        world.run(17_000);
        assert_eq!(world.story(), [told(false)]);
    }
}

#[test]
fn a_telephone_is_told_that_messages_wait_in_the_countrys_way() {
    for (country, kernel) in [("USA", false), ("USA", true), ("GERMANY", false), ("UK", true)] {
        let mut world = in_country(country, kernel);
        let telephone = world.telephone(FXS);
        let method = country.parse::<Country>().unwrap().caller_id().unwrap();
        for wait in [true, false] {
            set_lamp(&world, wait);
            let (mut reversals, mut reversed) = (0, false);
            for _ in 0..3500 {
                world.run(1);
                reversals += u32::from(telephone.is_reversed() && !reversed);
                reversed = telephone.is_reversed();
            }
            assert_eq!(telephone.displayed_messages(), Some(wait), "{country}");
            assert_eq!(telephone.ring_count(), 0, "{country}: it did not ring");
            let by_reversal = method.moment == CallerIdMoment::AfterReversal;
            assert_eq!(reversals, u32::from(by_reversal), "{country}");
            assert!(!reversed && telephone.has_battery());
        }
        // Nothing is left of it on the line.
        telephone.off_hook();
        world.run(300);
        telephone.on_hook();
        world.run(HUNG_UP);
        let (_, rings) = world.make_call(PHONE, "");
        rings.unwrap();
        world.run(1000);
        assert!(telephone.is_ringing(), "{country}");
    }
}

/// Whoever lifts the telephone or calls it ends what is told; it is told again when it is idle.
#[test]
fn what_is_told_of_messages_is_interrupted_and_told_again() {
    for (country, kernel) in [("UK", false), ("UK", true), ("USA", false), ("GERMANY", true)] {
        let mut world = in_country(country, kernel);
        let telephone = world.telephone(FXS);
        set_lamp(&world, true);
        world.run(1300);
        telephone.off_hook();
        world.run(300);
        assert!(!telephone.is_reversed() && telephone.has_battery(), "{country}");
        assert_eq!(telephone.displayed_messages(), None, "{country}");
        telephone.on_hook();
        world.run(HUNG_UP + 1000);
        let (call, made) = world.make_call(PHONE, "");
        made.unwrap();
        world.run(2000);
        assert!(telephone.ring_count() > 0 && !telephone.is_reversed(), "{country}");
        assert_eq!(telephone.displayed_messages(), None, "{country}");
        world.drop_call(call).unwrap();
        world.close_call(call).unwrap();
        world.run(4000);
        assert_eq!(telephone.displayed_messages(), Some(true), "{country}");
        // The lamp is set and reset before it is told: there is nothing new.
        set_lamp(&world, false);
        set_lamp(&world, true);
        world.run(1);
        telephone.off_hook();
        world.run(500);
        telephone.on_hook();
        world.run(HUNG_UP + 4000);
        assert_eq!(telephone.displayed_messages(), Some(true), "{country}");
    }
}

/// A line that was given up is fed once more to be told, and not again and again.
#[test]
fn a_line_that_raises_the_alarm_is_not_told_for_ever() {
    let mut world = in_country("USA", false);
    let alarms =
        |world: &World| world.handle.with(|lines, _| lines.card().counters().power_alarms).unwrap();
    world.card.set_fault(Fault::PowerAlarm(PortNumber::at(FXS)), true);
    world.run(3000);
    let given_up = alarms(&world);
    set_lamp(&world, true);
    world.run(5000);
    let tried = alarms(&world);
    assert!(tried > given_up);
    world.run(60_000);
    assert_eq!(alarms(&world), tried);
    // The next change is told, now that nothing is wrong with the line any more.
    world.card.set_fault(Fault::PowerAlarm(PortNumber::at(FXS)), false);
    set_lamp(&world, false);
    world.run(4000);
    assert_eq!(world.telephone(FXS).displayed_messages(), Some(false));
}

/// Where no data messages are known nothing but dial tone tells it.
#[test]
fn a_telephone_is_told_nothing_where_no_data_messages_are_known() {
    for country in ["AUSTRIA", "BRAZIL", "JAPAN"] {
        let mut world = in_country(country, false);
        set_lamp(&world, true);
        for _ in 0..4000 {
            world.run(1);
            assert!(!world.telephone(FXS).is_reversed(), "{country}");
        }
        assert_eq!(world.telephone(FXS).displayed_messages(), None, "{country}");
    }
}

/// A ring right behind a reversal is a call, although the message of a caller would come first.
#[test]
fn a_ring_right_behind_a_reversal_is_a_call() {
    // How long it takes until the exchange rings the line, and reversed battery so long before.
    let rings = |world: &mut World, before: Option<u64>| {
        world.subscriber("5550123", Behaviour::Manual).call("102");
        let exchange = world.card.exchange();
        for ms in 0..10_000 {
            if exchange.state("102") == Some(LineState::Ringing) {
                return ms;
            }
            if before == Some(ms) {
                exchange.set_reversed("102", true).unwrap();
            }
            world.run(1);
        }
        panic!("it does not ring");
    };
    for (country, kernel) in [("UK", false), ("UK", true), ("SWEDEN", false), ("JAPAN", false)] {
        let at = rings(&mut in_country(country, kernel), None);
        for gap in [1, 20, 60, 100, 300] {
            let mut world = in_country(country, kernel);
            rings(&mut world, Some(at - gap));
            world.offered(2000);
        }
    }
}
