//! A telephone on an FXS line shows who calls.

use super::*;
use ringback_country::{CallerIdMoment, Country};

fn known(text: &str) -> Party {
    Party::Known(text.into())
}

fn ada() -> Caller {
    Caller { number: known("5550123"), name: known("Ada"), time: None }
}

/// The lines of a country, whose telephone has a display.
fn in_country(name: &str, kernel: bool) -> (World, Telephone, Country) {
    let country: Country = name.parse().unwrap();
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let world = World::build(kernel, exchange, LineOptions::default().loop_break_ms);
    let telephone = world.telephone(FXS);
    telephone.set_display(country.caller_id().unwrap().coding);
    (world, telephone, country)
}

fn ring_from(world: &mut World, caller: Caller) -> HDRVCALL {
    let line = LineNumber::at(FXS);
    let opening = world.handle.with(move |lines, _| lines.state(line)?.opening);
    let (call, made) = world.make(Command::MakeCall {
        opening: opening.unwrap().unwrap(),
        call: world.handles.next(line).unwrap(),
        address: parse("", Modifiers::default()).unwrap(),
        called: String::new(),
        only_if_idle: false,
        media: LINEMEDIAMODE_INTERACTIVEVOICE,
        timing: DialTiming::default(),
        caller,
        notes: CallNotes::default(),
    });
    made.unwrap();
    call
}

/// Runs until the telephone has rung so often; returns how often battery was reversed meanwhile,
/// and what its display showed when it began to ring.
fn rings(world: &mut World, telephone: &Telephone, count: u32) -> (u32, Option<Caller>) {
    let (mut reversals, mut reversed, mut at_first) = (0, false, None);
    for _ in 0..20_000 {
        world.run(1);
        if telephone.is_reversed() && !reversed {
            reversals += 1;
        }
        reversed = telephone.is_reversed();
        if telephone.ring_count() == 1 && telephone.is_ringing() && at_first.is_none() {
            at_first = Some(telephone.displayed());
        }
        if telephone.ring_count() >= count {
            return (reversals, at_first.flatten());
        }
    }
    panic!("it does not ring");
}

#[test]
fn a_telephone_shows_who_calls_in_the_countrys_way() {
    for (name, kernel) in [
        ("USA", false),
        ("USA", true),
        ("GERMANY", false),
        ("AUSTRALIA", false),
        ("UK", false),
        ("UK", true),
        ("SWEDEN", false),
        ("DENMARK", true),
        ("BRAZIL", false),
    ] {
        let (mut world, telephone, country) = in_country(name, kernel);
        let method = country.caller_id().unwrap();
        let call = ring_from(&mut world, ada());
        assert_eq!(world.info(call).caller, ada());
        let (reversals, at_first) = rings(&mut world, &telephone, 2);
        let shown = telephone.displayed().unwrap();
        assert_eq!(shown.number, ada().number, "{name}");
        let before = method.moment != CallerIdMoment::AfterRing;
        assert_eq!(at_first.is_some(), before, "{name}");
        let by_reversal = method.moment == CallerIdMoment::AfterReversal;
        assert_eq!(reversals, u32::from(by_reversal), "{name}");
        telephone.off_hook();
        world.until(call, CallState::Connected, 500);
        assert_eq!(world.story(), ["ok", "RINGBACK 0x0", "CONNECTED 0x10"], "{name}");
        world.run(300);
        telephone.take_heard();
        world.run(1000);
        assert!(rms_dbm0(&telephone.take_heard()) < -60.0, "{name}: nothing is left of it");
    }
}

#[test]
fn a_caller_who_is_withheld_is_shown_as_that_and_none_is_shown_as_none() {
    for name in ["USA", "UK", "SWEDEN"] {
        let (mut world, telephone, _) = in_country(name, false);
        let withheld = Caller { number: Party::Withheld, ..Caller::default() };
        let call = ring_from(&mut world, withheld);
        rings(&mut world, &telephone, 2);
        assert_eq!(telephone.displayed().unwrap().number, Party::Withheld, "{name}");
        world.drop_call(call).unwrap();
        world.run(1000);

        let (mut world, telephone, _) = in_country(name, false);
        ring_from(&mut world, Caller::default());
        let (reversals, _) = rings(&mut world, &telephone, 2);
        assert_eq!((reversals, telephone.displayed()), (0, None), "{name}");
    }
}

/// Digits have no checksum, so that what was cut off must not run into what comes next.
#[test]
fn digits_that_are_cut_off_are_no_part_of_the_next_caller() {
    for kernel in [false, true] {
        let (mut world, telephone, _) = in_country("SWEDEN", kernel);
        let cut_off = ring_from(&mut world, ada());
        world.run(800);
        world.drop_call(cut_off).unwrap();
        world.run(100);
        ring_from(&mut world, Caller { number: Party::Withheld, ..Caller::default() });
        rings(&mut world, &telephone, 1);
        assert_eq!(telephone.displayed().unwrap().number, Party::Withheld);
    }
}

/// Whoever lifts the telephone, or drops the call, while it is told ends that.
#[test]
fn telling_ends_when_the_telephone_is_lifted_or_the_call_dropped() {
    for (name, kernel) in [("UK", false), ("UK", true), ("SWEDEN", false), ("USA", true)] {
        // Before the ring, or in the pause behind it.
        let wait = if name == "USA" { 2900 } else { 800 };
        let (mut world, telephone, _) = in_country(name, kernel);
        let call = ring_from(&mut world, ada());
        world.run(wait);
        telephone.off_hook();
        world.until(call, CallState::Connected, 500);
        world.run(100);
        assert!(!telephone.is_reversed() && telephone.has_battery(), "{name}");
        telephone.take_heard();
        world.run(1500);
        assert!(rms_dbm0(&telephone.take_heard()) < -60.0, "{name}: the rest is not heard");
        world.drop_call(call).unwrap();
        telephone.on_hook();
        world.run(HUNG_UP + 500);

        let call = ring_from(&mut world, ada());
        world.run(wait);
        world.drop_call(call).unwrap();
        world.run(8000);
        assert!(!telephone.is_ringing() && !telephone.is_reversed(), "{name}");
        assert_eq!(telephone.displayed(), None, "{name}");
        // And the line takes the next one.
        let next = ring_from(&mut world, ada());
        rings(&mut world, &telephone, 2);
        assert_eq!(telephone.displayed().unwrap().number, ada().number, "{name}");
        world.drop_call(next).unwrap();
    }
}
