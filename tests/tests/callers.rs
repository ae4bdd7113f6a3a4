//! Who calls on an FXO line, from the exchange through driver, lines and provider to the host.

use std::thread;

use ringback_host::{CallInfo, Events, LineEvent};
use ringback_lines::{Caller, CallerTime, Party};
use ringback_softcard::{Behaviour, Step};
use ringback_tests::{DEADLINE, FXO, World, incoming};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::structs::{LINEADDRESSCAPS, Reader, blank};
use ringback_tspi::types::Version;

fn ada() -> Caller {
    Caller {
        number: Party::Known("5550123".into()),
        name: Party::Known("Ada\u{1b}[31m".into()),
        time: CallerTime::new(11, 28, 18, 5),
    }
}

/// A world in a country, whose exchange tells that this one calls from 5550123.
fn told(country: &str, caller: Caller) -> World {
    let country = country.parse().unwrap();
    let world = World::abroad(country, country);
    let exchange = world.card.exchange();
    exchange.tell_callers(true);
    exchange.add_subscriber("5550123", Behaviour::Manual);
    exchange.set_caller("5550123", caller).unwrap();
    world
}

/// What LINECALLINFO has, once the caller is known.
fn known(world: &World) -> CallInfo {
    let line = world.open(FXO);
    let events = line.events();
    world.subscriber("5550123").call("102");
    let call = incoming(&events);
    let info = call.info().unwrap();
    if info.caller_flags != LINECALLPARTYID_UNAVAIL {
        // It was told before the first ring.
        return info;
    }
    let changed = events.within(DEADLINE).find_map(|event| match event {
        LineEvent::CallInfo { changed, .. } => Some(changed),
        _ => None,
    });
    assert_eq!(changed.unwrap_or(0) & LINECALLINFOSTATE_CALLERID, LINECALLINFOSTATE_CALLERID);
    call.info().unwrap()
}

#[test]
fn the_caller_is_in_linecallinfo_in_each_countrys_way() {
    thread::scope(|scope| {
        for (country, names) in
            [("USA", true), ("GERMANY", true), ("UK", true), ("SWEDEN", false), ("DENMARK", false)]
        {
            scope.spawn(move || {
                let info = known(&told(country, ada()));
                assert_eq!(info.caller.as_deref(), Some("5550123"), "{country}");
                let name = info.caller_name.as_deref();
                assert_eq!(name, names.then_some("Ada[31m"), "{country}: harmless");
                let time = info.display.as_deref();
                assert_eq!(time, names.then_some("11-28 18:05"), "{country}");
                let flags = LINECALLPARTYID_ADDRESS | if names { LINECALLPARTYID_NAME } else { 0 };
                assert_eq!(info.caller_flags, flags, "{country}");
            });
            scope.spawn(move || {
                let withheld = Caller { number: Party::Withheld, ..Caller::default() };
                let info = known(&told(country, withheld));
                assert_eq!(info.caller_flags, LINECALLPARTYID_BLOCKED, "{country}");
                assert_eq!(info.caller, None);
            });
        }
    });
}

/// dwCallerIDFlags of an exchange line, and whether LINE_CALLINFO may tell of a caller.
fn announced(country: &str) -> (u32, bool) {
    type C = LINEADDRESSCAPS;
    let country = country.parse().unwrap();
    let world = World::abroad(country, country);
    let mut caps = blank::<C>(2048);
    world.provider.line_get_address_caps(FXO, 0, Version::V3_1, 0, &mut caps).unwrap();
    let caps = Reader::<C>::new(&caps, Version::V3_1).unwrap();
    let states = caps.get(C::dwCallInfoStates);
    (caps.get(C::dwCallerIDFlags), states & LINECALLINFOSTATE_CALLERID != 0)
}

#[test]
fn callers_are_announced_where_it_is_known_how_they_are_told() {
    let (flags, told) = announced("GERMANY");
    assert_eq!(flags & LINECALLPARTYID_ADDRESS, LINECALLPARTYID_ADDRESS);
    assert!(told);
    assert_eq!(announced("AUSTRIA"), (LINECALLPARTYID_UNAVAIL, false));
}

#[test]
fn a_damaged_message_is_no_caller() {
    let world = told("USA", ada());
    world.card.exchange().set_wrong_bit("102", Some(77)).unwrap();
    let line = world.open(FXO);
    let events = line.events();
    world.subscriber("5550123").call("102");
    let call = incoming(&events);
    let telephone = world.subscriber("5550123");
    telephone.run(vec![Step::Wait(8000), Step::HangUp]);
    for event in events.within(2 * DEADLINE) {
        match event {
            LineEvent::CallInfo { changed, .. } => panic!("LINE_CALLINFO({changed:#x})"),
            LineEvent::State { state: CallState::Idle, .. } => break,
            _ => {}
        }
    }
    drop(call);
}

#[test]
fn who_calls_during_a_conversation_is_told_and_shown() {
    let world = told("GERMANY", ada());
    let exchange = world.card.exchange();
    exchange.set_call_waiting("102", true).unwrap();
    let line = world.open(FXO);
    let events = line.events();
    exchange.add_subscriber("77", Behaviour::Manual).call("102");
    let call = incoming(&events);
    // 77 is told behind the first ring.
    let shown = |events: &Events| {
        events.within(DEADLINE).find_map(|event| match event {
            LineEvent::CallInfo { changed, .. } => Some(changed),
            _ => None,
        })
    };
    assert!(shown(&events).is_some());
    call.answer().unwrap().wait(DEADLINE).unwrap();
    world.subscriber("5550123").call("102");
    assert_eq!(shown(&events), Some(LINECALLINFOSTATE_DISPLAY));
    let info = call.info().unwrap();
    assert_eq!(info.display.as_deref(), Some("waiting: 5550123 Ada[31m 11-28 18:05"));
    assert_eq!(info.caller.as_deref(), Some("77"), "it is still the other one's call");
}
