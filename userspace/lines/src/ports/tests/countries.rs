//! Calls in every zone of tones: what the exchange sends is what the line reports.

use ringback_country::{CallProgress, Country};

use super::*;

/// An exchange of this country whose lines tell of the far end's hang-up by tone alone, and that
/// sends the special information tone to who dials a number that nobody has.
fn abroad(country: Country) -> World {
    let unknown_number = CallProgress::SpecialInformation;
    let exchange = ExchangeConfig { country, unknown_number, ..ExchangeConfig::default() };
    World::build(false, exchange, 0)
}

/// Runs the test for every zone, on all processors.
fn in_each_zone(test: impl Fn(Country) + Sync) {
    let zones: Vec<Country> = Country::each_zone().collect();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for zones in zones.chunks(zones.len().div_ceil(threads)) {
            scope.spawn(|| zones.iter().for_each(|zone| test(*zone)));
        }
    });
}

/// What happens until the call is in this state, which it is in within so many ms.
fn story_until(world: &mut World, call: HDRVCALL, state: CallState, zone: Country) -> Vec<String> {
    let what = format!("{state} in {zone}");
    world.find(&what, 40_000, |world| (world.state(call) == Some(state)).then_some(()));
    world.story()
}

/// The states of a call before the exchange has answered what was dialled.
const DIALLED: [&str; 4] = ["ok", "DIALTONE 0x1", "DIALING 0x0", "PROCEEDING 0x0"];

#[test]
fn a_call_is_answered_and_its_end_is_told_by_tone_in_every_zone() {
    in_each_zone(|zone| {
        let mut world = abroad(zone);
        let steps = vec![Step::Play(tone(700.0, 2000).into()), Step::HangUp];
        world.subscriber("201", Behaviour::AnswerThen { rings: 3, steps });
        let (call, made) = world.make_call_if(LineNumber::at(FXO), "201", true);
        made.unwrap();
        let story = story_until(&mut world, call, CallState::Connected, zone);
        assert_eq!(story, [&DIALLED[..], &["RINGBACK 0x0", "CONNECTED 0x1"]].concat(), "{zone}");
        let story = story_until(&mut world, call, CallState::Disconnected, zone);
        assert_eq!(story, ["DISCONNECTED 0x1"], "{zone}");
        world.drop_call(call).unwrap();
    });
}

#[test]
fn busy_and_a_number_that_nobody_has_are_told_apart_in_every_zone() {
    in_each_zone(|zone| {
        let mut world = abroad(zone);
        world.subscriber("202", Behaviour::Manual).off_hook();
        let (busy, made) = world.make_call_if(LineNumber::at(FXO), "202", true);
        made.unwrap();
        let story = story_until(&mut world, busy, CallState::Busy, zone);
        assert_eq!(story, [&DIALLED[..], &["BUSY 0x1"]].concat(), "{zone}");
        world.drop_call(busy).unwrap();
        world.run(2000);
        world.story();

        let plan = zone.tones();
        let (unknown, made) = world.make_call_if(LineNumber::at(FXO), "999", true);
        made.unwrap();
        // Where there is no such tone, the exchange sends reorder, which may be the same as busy.
        let (state, end) = match plan.special_information {
            Some(_) => (CallState::SpecialInfo, "SPECIALINFO 0x10"),
            None if plan.understood(CallProgress::Reorder) == CallProgress::Busy => {
                (CallState::Busy, "BUSY 0x1")
            }
            None => (CallState::SpecialInfo, "SPECIALINFO 0x4"),
        };
        let story = story_until(&mut world, unknown, state, zone);
        assert_eq!(story, [&DIALLED[..], &[end]].concat(), "{zone}");
    });
}

#[test]
fn an_incoming_call_whose_caller_hangs_up_is_told_by_tone_in_every_zone() {
    in_each_zone(|zone| {
        let mut world = abroad(zone);
        let caller = world.subscriber("201", Behaviour::Manual);
        world.card.exchange().call("201", "102").unwrap();
        let call = world.offered(20_000);
        world.answer(call).unwrap();
        world.until(call, CallState::Connected, 5000);
        world.run(1000);
        caller.on_hook();
        world.until(call, CallState::Disconnected, 20_000);
    });
}
