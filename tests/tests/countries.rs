//! Calls in other countries: lines and exchange agree on dial tone, ringback, busy and the end of a
//! call, and a line that is set for another country says so.

use std::thread;

use ringback_country::{Country, Profile};
use ringback_driver::PortNumber;
use ringback_host::{Call, CallOptions};
use ringback_softcard::LineState;
use ringback_softcard::scenery::tone;
use ringback_tests::{
    Bench, DEADLINE, FXO, FXS, Solo, World, eventually, id, incoming, make, refusal, state,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINEDISCONNECTMODE_NORMAL;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPICALL;

/// Dials only with a dial tone, as the program does.
const INSISTING: CallOptions = CallOptions {
    media_modes: 0,
    pass_through: false,
    only_if_idle: true,
    country_code: 0,
    timing: None,
    calling_party: None,
    withheld: false,
};

fn country(name: &str) -> Country {
    name.parse().unwrap()
}

/// Runs the test in all of these countries at once, because calls mostly wait.
fn in_each(test: impl Fn(Country, World) + Sync) {
    thread::scope(|scope| {
        for name in ["North America", "United Kingdom", "de", "TBR21", "France", "es"] {
            let test = &test;
            let country = country(name);
            scope.spawn(move || test(country, World::abroad(country, country)));
        }
    });
}

fn hang_up(call: &Call) {
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    call.close().unwrap();
}

#[test]
fn a_call_is_answered_and_its_end_is_recognised_by_tone_alone() {
    in_each(|country, world| {
        let line = world.open(FXO);
        let events = line.events();
        let made = line.make_call("201", &INSISTING).unwrap();
        let call = made.wait(DEADLINE).unwrap_or_else(|error| panic!("{country}: {error}"));
        let passed = state(&events, &call, CallState::Ringback);
        assert!(passed.contains(&CallState::DialTone), "{country}: {passed:?}");
        world.subscriber("201").off_hook();
        // A silent answer in the rest of ringback can't be told from a call that is given up.
        world.subscriber("201").play(&tone(700.0, 2000));
        state(&events, &call, CallState::Connected);
        world.subscriber("201").on_hook();
        state(&events, &call, CallState::Disconnected);
        assert_eq!(call.state_mode(), LINEDISCONNECTMODE_NORMAL, "{country}");
        hang_up(&call);
    });
}

#[test]
fn busy_and_no_such_number_are_distinguished() {
    in_each(|country, world| {
        world.subscriber("201").off_hook();
        world.until_line("201", LineState::Reorder);
        let line = world.open(FXO);
        let events = line.events();
        for (number, end) in [("201", CallState::Busy), ("999", CallState::SpecialInfo)] {
            let call = line.make_call(number, &INSISTING).unwrap().wait(DEADLINE).unwrap();
            let passed = state(&events, &call, end);
            assert!(!passed.contains(&CallState::Connected), "{number} in {country}: {passed:?}");
            hang_up(&call);
        }
    });
}

#[test]
fn an_incoming_call_rings_and_its_end_is_recognised_by_tone_alone() {
    in_each(|_, world| {
        let line = world.open(FXO);
        let events = line.events();
        world.exchange().call("201", "102").unwrap();
        let call = incoming(&events);
        call.answer().unwrap().wait(DEADLINE).unwrap();
        state(&events, &call, CallState::Connected);
        world.subscriber("201").on_hook();
        state(&events, &call, CallState::Disconnected);
        hang_up(&call);
    });
}

#[test]
fn a_telephone_is_rung_in_the_countrys_cadence() {
    in_each(|country, world| {
        let line = world.open(FXS);
        let events = line.events();
        let telephone = world.card.telephone(PortNumber(0)).unwrap();
        let call = make(&line, "");
        state(&events, &call, CallState::Ringback);
        for _ in 0..country.ring().steps_ms().len() {
            eventually("the bell rings", || telephone.is_ringing());
            eventually("the bell rests", || !telephone.is_ringing());
        }
        telephone.off_hook();
        state(&events, &call, CallState::Connected);
        hang_up(&call);
    });
}

#[test]
fn a_line_that_is_set_for_another_country_finds_no_dial_tone() {
    for (exchange, lines) in [("Germany", "FCC"), ("FCC", "Germany"), ("France", "UK")] {
        let world = World::abroad(country(exchange), country(lines));
        let line = world.open(FXO);
        let made = line.make_call("200", &INSISTING);
        assert_eq!(refusal(made), LineError::CALLUNAVAIL, "{lines} in {exchange}");
    }
}

/// Ten countries of five continents; Oceania counts as one.
const TEN: [&str; 10] =
    ["us", "mx", "br", "ar", "gb", "Germany", "South Africa", "Japan", "China", "Australia"];

/// A call is placed and answered, the country's flash holds its party and connects it again, and it
/// is hung up; then one comes in, and the same happens.
#[test]
fn calls_are_placed_answered_flashed_and_hung_up_in_ten_countries_of_five_continents() {
    let tapi = |number: usize| HTAPICALL::new(number).unwrap();
    for name in TEN {
        let solo = Solo::on(Bench::flashing(country(name), &Profile::EUROPEAN_PBX));
        let (exchange, provider) = (solo.exchange(), &solo.provider);
        let subscriber = exchange.subscriber("201").unwrap();
        let flash = |request, call, after| {
            provider.line_dial(id(request), call, "!", 0).unwrap().release();
            solo.run(3000);
            assert_eq!(solo.completion(id(request)), Some(Ok(())), "{name}");
            assert_eq!(exchange.state("201"), Some(after), "{name}");
        };
        let hung_up = |request, call| {
            provider.line_drop(id(request), call, &[]).unwrap().release();
            solo.run(2000);
            assert_eq!(exchange.state("102"), Some(LineState::Idle), "{name}");
            subscriber.on_hook();
            solo.run(3000);
        };
        let call = solo.make_call(id(1), solo.line(FXO), tapi(9), Some("201"));
        solo.until(tapi(9), CallState::Ringback);
        subscriber.off_hook();
        subscriber.play(&tone(700.0, 2000));
        solo.until(tapi(9), CallState::Connected);
        flash(2, call, LineState::Held);
        flash(3, call, LineState::Talking);
        assert_eq!(solo.state(tapi(9)), Some(CallState::Connected), "{name}: it goes on");
        hung_up(4, call);

        subscriber.call("102");
        let (call, named) = solo.offered();
        provider.line_answer(id(5), call, &[]).unwrap().release();
        solo.until(named, CallState::Connected);
        flash(6, call, LineState::Held);
        flash(7, call, LineState::Talking);
        hung_up(8, call);
    }
}
