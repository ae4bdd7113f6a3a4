//! Which calls count as answered, and what ends them: tones as networks send them, by announcements
//! of the exchange.

use ringback_country::{CallProgress, Changes, Country};
use ringback_media::tone::Generator;

use super::*;
use crate::{Answer, ExchangeOptions};

/// The number of the announcement.
const NUMBER: &str = "777";

/// What an announcement consists of.
enum Part {
    Signal(CallProgress),
    Sine(f32),
    Silence,
}

use Part::{Signal, Silence, Sine};

fn samples(country: Country, parts: &[(Part, usize)]) -> Vec<i16> {
    let mut all = Vec::new();
    for (part, ms) in parts {
        let start = all.len();
        all.resize(start + ms * 8, 0);
        let place = &mut all[start..];
        match part {
            Signal(what) => Generator::new(country.tones().sent(*what)).fill(place),
            Sine(hz) => Generator::sine(*hz, -20.0).fill(place),
            Silence => {}
        }
    }
    all
}

fn country(name: &str) -> Country {
    name.parse().unwrap()
}

/// A world whose exchange has this announcement at [`NUMBER`].
fn announcing(country: Country, parts: &[(Part, usize)]) -> World {
    let exchange = ExchangeConfig { country, ..ExchangeConfig::default() };
    let world = World::build(false, exchange, 0);
    world.card.exchange().add_announcement(NUMBER, &samples(country, parts));
    world
}

impl World {
    fn set_options(&self, line: usize, options: ExchangeOptions) -> Result<(), LineError> {
        let set = self.handle.with(move |lines, _| {
            let country = lines.card().country().to_string();
            lines.set_config(LineNumber::at(line), DeviceConfig::Exchange { country, options })
        });
        set.unwrap()
    }

    fn set_answer(&self, line: usize, answer: Answer) {
        self.set_options(line, ExchangeOptions { answer, ..ExchangeOptions::default() }).unwrap();
    }
}

/// What happens on a call to the announcement within so many ms.
fn story(world: &mut World, ms: u64) -> Vec<String> {
    let (call, made) = world.make_call(LineNumber::at(FXO), NUMBER);
    made.unwrap();
    world.until(call, CallState::Proceeding, 8000);
    world.story();
    world.run(ms);
    world.story()
}

const RINGBACK: &str = "RINGBACK 0x0";
const CONNECTED: &str = "CONNECTED 0x1";
const NO_ANSWER: &str = "DISCONNECTED 0x40";

#[test]
fn ringback_that_ends_in_a_tone_is_no_answer() {
    for (name, what, end) in [
        ("FCC", CallProgress::Reorder, "SPECIALINFO 0x4"),
        ("FCC", CallProgress::Busy, "BUSY 0x1"),
        ("FCC", CallProgress::Dial, "DISCONNECTED 0x800"),
        ("GERMANY", CallProgress::Reorder, "SPECIALINFO 0x4"),
        ("GERMANY", CallProgress::Dial, "DISCONNECTED 0x800"),
        ("UK", CallProgress::Busy, "BUSY 0x1"),
    ] {
        for ringing in [12_000, 13_300] {
            let parts =
                [(Signal(CallProgress::Ringback), ringing), (Silence, 300), (Signal(what), 8000)];
            let mut world = announcing(country(name), &parts);
            let story = story(&mut world, ringing as u64 + 8000);
            assert_eq!(story, [RINGBACK, end], "{what:?} after {ringing} ms in {name}");
        }
    }
}

#[test]
fn ringback_that_ends_in_silence_is_no_answer_and_a_pause_within_it_is_none() {
    // 5.6 s: the exchange forwards the call.
    let parts = [
        (Signal(CallProgress::Ringback), 8000),
        (Silence, 1600),
        (Signal(CallProgress::Ringback), 8000),
    ];
    let mut world = announcing(Country::default(), &parts);
    assert_eq!(story(&mut world, 40_000), [RINGBACK]);
    world.run(20_000);
    assert_eq!(world.story(), [NO_ANSWER], "30 s without ringback");
}

#[test]
fn a_voice_after_ringback_is_an_answer() {
    let parts = [(Signal(CallProgress::Ringback), 9000), (Sine(700.0), 1000)];
    let mut world = announcing(Country::default(), &parts);
    assert_eq!(story(&mut world, 11_000), [RINGBACK, CONNECTED]);
}

#[test]
fn a_silent_answer_in_the_first_half_second_of_ringing_is_seen() {
    for (name, ringing) in [("FCC", 300), ("FCC", 500), ("GERMANY", 500), ("UK", 420), ("UK", 300)]
    {
        let parts = [(Silence, 700), (Signal(CallProgress::Ringback), ringing)];
        let mut world = announcing(country(name), &parts);
        let story = story(&mut world, 8500);
        let last = story.last().map(String::as_str);
        assert_eq!(last, Some(CONNECTED), "{ringing} ms in {name}: {story:?}");
    }
}

#[test]
fn a_first_ring_that_is_cut_at_its_beginning_is_no_answer() {
    let parts = [(Signal(CallProgress::Ringback), 500), (Silence, 4000)];
    let ringing = (Signal(CallProgress::Ringback), 20_000);
    let mut world =
        announcing(Country::default(), &parts.into_iter().chain([ringing]).collect::<Vec<_>>());
    assert_eq!(story(&mut world, 20_000), [RINGBACK]);
}

#[test]
fn special_information_tones_say_why() {
    for (first, second, kind) in [
        ((913.8, 274), (1370.6, 274), "0x2"),
        ((985.2, 380), (1370.6, 274), "0x2"),
        ((913.8, 274), (1428.5, 380), "0x4"),
        ((985.2, 274), (1370.6, 380), "0x4"),
        ((985.2, 380), (1428.5, 380), "0x1"),
        ((913.8, 380), (1370.6, 380), "0x1"),
        ((950.0, 330), (1400.0, 330), "0x10"),
    ] {
        let parts = [
            (Silence, 700),
            (Sine(first.0), first.1),
            (Sine(second.0), second.1),
            (Sine(1776.7), 380),
            (Silence, 500),
            (Sine(600.0), 3000),
        ];
        let mut world = announcing(Country::default(), &parts);
        let story = story(&mut world, 4000);
        assert_eq!(story, [format!("SPECIALINFO {kind}")], "{first:?} {second:?}");
    }
}

#[test]
fn a_caller_who_is_gone_is_not_answered() {
    for name in ["FCC", "GERMANY", "UK", "Italy"] {
        let exchange = ExchangeConfig { country: country(name), ..ExchangeConfig::default() };
        let mut world = World::build(false, exchange, 0);
        let caller = world.subscriber("11", Behaviour::Manual);
        world.card.exchange().call("11", "102").unwrap();
        let call = world.offered(20_000);
        world.run(500);
        caller.on_hook();
        world.run(2500);
        world.story();
        world.answer(call).unwrap();
        world.run(5000);
        assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED", "DISCONNECTED 0x1"], "{name}");
        world.drop_call(call).unwrap();
        world.assert_on_hook(LineNumber::at(FXO));
    }
}

#[test]
fn polarity_is_an_answer_where_the_line_says_so() {
    for (answer, wanted) in [
        (Answer::Any, vec![RINGBACK, "CONNECTED 0x10"]),
        (Answer::Polarity, vec![RINGBACK, "CONNECTED 0x10"]),
        (Answer::Tones, vec![RINGBACK, CONNECTED]),
        (Answer::Dialled, vec![CONNECTED]),
    ] {
        let mut world = World::new();
        world.set_answer(SUPERVISED, answer);
        let steps = vec![Step::Wait(1500), Step::Play(tone(700.0, 1500).into()), Step::Wait(9000)];
        world.subscriber("55", Behaviour::AnswerThen { rings: 2, steps });
        let (_, made) = world.make_call(LineNumber::at(SUPERVISED), "55");
        made.unwrap();
        world.run(21_000);
        let dialled = ["ok", "DIALTONE 0x1", "DIALING 0x0", "PROCEEDING 0x0"];
        assert_eq!(world.story(), [&dialled[..], &wanted].concat(), "{answer}");
        assert_eq!(
            world.set_options(SUPERVISED, ExchangeOptions::default()).is_err(),
            answer != Answer::Any,
            "not during a call"
        );
    }
    // On a line that has no reversal a voice is no answer if only that counts.
    let parts = [(Signal(CallProgress::Ringback), 7000), (Sine(700.0), 3000)];
    let mut world = announcing(Country::default(), &parts);
    world.set_answer(FXO, Answer::Polarity);
    assert_eq!(story(&mut world, 12_000), [RINGBACK]);
    // Nor does the exchange ring on in silence.
    let parts = [(Signal(CallProgress::Ringback), 8000), (Silence, 40_000)];
    for answer in [Answer::Polarity, Answer::Any] {
        let mut world = announcing(Country::default(), &parts);
        world.set_answer(FXO, answer);
        let given_up = format!("DISCONNECTED {LINEDISCONNECTMODE_NOANSWER:#x}");
        assert_eq!(story(&mut world, 45_000), [RINGBACK, given_up.as_str()], "{answer}");
    }
}

#[test]
fn how_many_cycles_of_busy_end_a_call_is_the_countrys() {
    let germany = country("Germany");
    // The first cycle or two are needed to tell that it is busy.
    for (cycles, ms, ends) in [(2, 4000, true), (5, 4000, false), (5, 7000, true)] {
        let changes = Changes { busy_cycles: Some(cycles), ..Changes::default() };
        let own = germany.changed("own", &changes);
        let busy = own.tones().sent(CallProgress::Busy).figure_ms() as usize;
        let parts = [
            (Sine(700.0), 1500),
            (Silence, 1000),
            (Signal(CallProgress::Busy), ms),
            (Silence, 1000),
        ];
        let mut world = announcing(own, &parts);
        story_until_connected(&mut world);
        world.run(ms as u64 + 4000);
        let over = if ends { &OVER[..] } else { &[] };
        assert_eq!(world.story(), over, "{cycles} cycles of {busy} ms, {ms} ms heard");
    }
}

/// Makes a call that is answered by a voice, and returns what happens while this is heard.
fn conversation(name: &str, parts: Vec<(Part, usize)>) -> Vec<String> {
    let ms: usize = parts.iter().map(|(_, ms)| ms).sum();
    let beginning = vec![(Sine(700.0), 1500), (Silence, 1000)];
    let all = beginning.into_iter().chain(parts).collect::<Vec<_>>();
    let mut world = announcing(country(name), &all);
    story_until_connected(&mut world);
    world.run(ms as u64 + 2500);
    world.story()
}

fn story_until_connected(world: &mut World) {
    let (call, made) = world.make_call(LineNumber::at(FXO), NUMBER);
    made.unwrap();
    world.until(call, CallState::Connected, 12_000);
    world.story();
}

const OVER: [&str; 1] = ["DISCONNECTED 0x1"];

#[test]
fn a_conversation_ends_by_three_cycles_of_busy_or_reorder() {
    for name in ["FCC", "GERMANY", "UK", "Japan"] {
        for what in [CallProgress::Busy, CallProgress::Reorder] {
            let cycle = country(name).tones().sent(what).figure_ms() as usize;
            let story = conversation(name, vec![(Signal(what), cycle * 9 / 2), (Silence, 1000)]);
            assert_eq!(story, OVER, "{what:?} in {name}");
        }
    }
}

#[test]
fn notes_and_beeps_do_not_end_a_conversation() {
    let beep = || Signal(CallProgress::Busy);
    assert_eq!(conversation("FCC", vec![(beep(), 1500), (Silence, 3000)]), [""; 0], "two beeps");
    let chord = vec![(Signal(CallProgress::Dial), 1500), (Silence, 3000)];
    let later = (Silence, 11_000);
    assert_eq!(
        conversation("FCC", [later].into_iter().chain(chord).collect()),
        [""; 0],
        "two notes"
    );
}

#[test]
fn dial_tone_ends_a_conversation_after_two_seconds_but_not_after_the_answer() {
    // A DISA answers with dial tone, which is to be dialled to.
    let disa = vec![(Signal(CallProgress::Dial), 9000), (Silence, 1000)];
    assert_eq!(conversation("FCC", disa), [""; 0]);
    let late = vec![(Silence, 11_000), (Signal(CallProgress::Dial), 4000)];
    assert_eq!(conversation("FCC", late), OVER);
}

#[test]
fn silence_ends_a_conversation_where_the_line_says_so() {
    for (silence, wanted) in [(Some(20), &OVER[..]), (None, &[])] {
        let silence = silence.map(Duration::from_secs);
        let mut world = announcing(Country::default(), &[(Sine(700.0), 2000)]);
        let options = ExchangeOptions { silence, ..ExchangeOptions::default() };
        world.set_options(FXO, options).unwrap();
        story_until_connected(&mut world);
        world.run(15_000);
        assert_eq!(world.story(), [""; 0]);
        world.run(10_000);
        assert_eq!(world.story(), wanted);
    }
}

#[test]
fn polarity_ends_a_call_that_came_in_where_the_line_says_so() {
    for (answer, wanted) in [(Answer::Polarity, &OVER[..]), (Answer::Tones, &[])] {
        let mut world = World::build(false, ExchangeConfig::default(), 0);
        world.set_answer(SUPERVISED, answer);
        world.subscriber("11", Behaviour::Manual);
        world.card.exchange().call("11", "103").unwrap();
        let call = world.offered(15_000);
        world.answer(call).unwrap();
        world.until(call, CallState::Connected, 3000);
        world.run(1000);
        world.story();
        world.card.exchange().set_reversed("103", true).unwrap();
        world.run(500);
        assert_eq!(world.story(), wanted, "{answer}");
    }
}
