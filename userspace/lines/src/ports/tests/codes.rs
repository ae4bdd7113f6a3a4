//! What the exchange does when a line dials codes: it forwards, parks, picks up and calls back.

use ringback_country::{Forwarding, Profile};
use ringback_softcard::LineState;

use super::*;
use crate::ExchangeOptions;

const LINE: LineNumber = LineNumber(FXO as u32);

/// A line whose exchange and which itself know a profile, with the subscribers 201 and 202.
struct Office {
    world: World,
    telephones: [Telephone; 2],
    opening: Opening,
}

impl Office {
    fn new(profile: &'static Profile) -> Office {
        Office::with(Some(profile), profile, false)
    }

    fn with(
        of_exchange: Option<&'static Profile>,
        profile: &'static Profile,
        kernel: bool,
    ) -> Office {
        let exchange = ExchangeConfig { profile: of_exchange, ..ExchangeConfig::default() };
        let world = World::build(kernel, exchange, 500);
        let telephones = ["201", "202"].map(|number| world.subscriber(number, Behaviour::Manual));
        let options = ExchangeOptions { profile: Some(profile), ..ExchangeOptions::default() };
        let set = world.handle.with(move |lines, _| {
            let country = lines.card().country().to_string();
            lines.set_config(LINE, DeviceConfig::Exchange { country, options })
        });
        set.unwrap().unwrap();
        world.subscribe(LINE);
        let opening = world.report(LINE).opening.unwrap();
        Office { world, telephones, opening }
    }

    /// Asks, and returns what happens until the line is on-hook again.
    fn forward(&mut self, kinds: &[(Forwarding, Option<&str>)]) -> Vec<String> {
        let number = |to: &str| parse(to, Modifiers::default()).unwrap();
        let forwards = kinds.iter().map(|(kind, to)| (*kind, to.map(number))).collect();
        let (line, opening) = (LINE, self.opening);
        self.world.submit(LINE, Command::Forward { line, opening, forwards }).unwrap();
        self.settled()
    }

    /// What happens until the line has no request any more.
    fn settled(&mut self) -> Vec<String> {
        let mut story = Vec::new();
        for _ in 0..120 {
            self.world.run(1000);
            story.extend(self.world.story());
            if story.iter().any(|told| told == "ok" || told.starts_with("LINEERR")) {
                self.world.run(3000);
                story.extend(self.world.story());
                return story;
            }
        }
        panic!("the request never completed: {story:?}");
    }

    fn state(&self, number: &str) -> Option<LineState> {
        self.world.card.exchange().state(number)
    }

    /// Who rings when 202 calls the line, within some seconds: the line, or 201.
    fn rings(&mut self, after_ms: u64) -> [bool; 2] {
        self.telephones[1].call("102");
        self.world.run(after_ms);
        let rings = ["102", "201"].map(|number| self.state(number) == Some(LineState::Ringing));
        self.telephones[1].on_hook();
        self.world.run(10_000);
        self.world.told();
        rings
    }

    fn call_busy(&mut self) -> HDRVCALL {
        let (call, made) = self.world.make_call(LINE, "201");
        made.unwrap();
        self.world.until(call, CallState::Busy, 20_000);
        self.world.story();
        call
    }
}

fn address(text: &str) -> ringback_tspi::dialstring::DialString {
    parse(text, Modifiers::default()).unwrap()
}

#[test]
fn calls_are_forwarded_in_each_case_and_are_not_any_more() {
    for profile in Profile::ALL {
        for kernel in [false, true] {
            let mut office = Office::with(Some(profile), profile, kernel);
            let told = office.forward(&[(Forwarding::Unconditional, Some("201"))]);
            assert_eq!(told.len(), 2, "N12: {told:?}");
            assert_eq!(told[0], "ok");
            let changed = format!("line {LINE_ADDRESSSTATE} [0, {LINEADDRESSSTATE_FORWARD}, 0]");
            assert_eq!(told[1], changed);
            office.world.assert_on_hook(LINE);
            assert_eq!(office.rings(12_000), [false, true], "{}", profile.name);
            let told = office.forward(&[(Forwarding::Unconditional, None)]);
            assert_eq!(told[0], "ok", "{}", profile.name);
            assert_eq!(office.rings(12_000), [true, false], "{}", profile.name);
        }
    }
    let mut office = Office::new(&Profile::EUROPEAN_PBX);
    let both = [Forwarding::Busy, Forwarding::NoAnswer].map(|kind| (kind, Some("201")));
    assert_eq!(office.forward(&both)[0], "ok");
    assert_eq!(office.rings(12_000), [true, false], "at first");
    assert_eq!(office.rings(40_000), [false, true], "nobody has answered");
    let call = office.world.seize(LINE);
    assert_eq!(office.rings(12_000), [false, true], "it is in use");
    office.world.drop_call(call).unwrap();
    office.world.run(3000);
    office.world.told();
    assert_eq!(office.forward(&[(Forwarding::NoAnswer, Some("201"))])[0], "ok");
    let call = office.world.seize(LINE);
    assert_eq!(office.rings(12_000), [false, false], "what is asked for replaces all before");
    office.world.drop_call(call).unwrap();
}

#[test]
fn what_the_exchange_refuses_or_does_not_answer_has_failed() {
    for profile in Profile::ALL {
        let mut office = Office::new(profile);
        let told = office.forward(&[(Forwarding::Unconditional, Some("999"))]);
        assert_eq!(told, ["LINEERR_OPERATIONFAILED"], "{}", profile.name);
        office.world.assert_on_hook(LINE);
        assert_eq!(office.rings(12_000), [true, false]);
        // One that does not know the codes.
        let mut office = Office::with(None, profile, false);
        let told = office.forward(&[(Forwarding::Unconditional, None)]);
        assert_eq!(told, ["LINEERR_OPERATIONFAILED"], "{}", profile.name);
        let call = office.world.handles.next(LINE).unwrap();
        let opening = office.opening;
        office.world.make(Command::Unpark { opening, call, place: address("1") }).1.unwrap();
        assert_eq!(office.settled(), ["LINEERR_OPERATIONFAILED"], "{}", profile.name);
        assert_eq!(office.world.state(call), None, "N8");
        office.world.assert_on_hook(LINE);
    }
}

#[test]
fn a_parked_call_is_heard_again_by_who_unparks_it() {
    for profile in Profile::ALL {
        let mut office = Office::new(profile);
        office.telephones[0].set_behaviour(Behaviour::AnswerAfterRings(1));
        let call = office.world.connect(LINE, "201");
        office.world.run(2000);
        office.world.told();
        office.world.ask(Command::Park { call, place: address("7") }).unwrap();
        let told = office.settled();
        assert_eq!(told[..2], ["ok", "IDLE 0x0"], "{}", profile.name);
        assert_eq!(office.state("201"), Some(LineState::Parked));
        office.world.assert_on_hook(LINE);

        let opening = office.opening;
        let wrong = office.world.handles.next(LINE).unwrap();
        let unpark = |call, place| Command::Unpark { opening, call, place: address(place) };
        office.world.make(unpark(wrong, "8")).1.unwrap();
        assert_eq!(office.settled(), ["LINEERR_OPERATIONFAILED"], "nobody is parked there");
        let again = office.world.handles.next(LINE).unwrap();
        office.world.make(unpark(again, "7")).1.unwrap();
        let told = office.settled();
        assert_eq!(told[..2], ["ok", "CONNECTED 0x1"], "{}", profile.name);
        assert_eq!(office.world.info(again).reason, LINECALLREASON_UNPARK);
        let audio = office.world.audio(LINE);
        audio.record(true);
        office.telephones[0].play(&tone(900.0, 1500));
        office.world.run(2000);
        let mut heard = Vec::new();
        audio.fetch(&mut heard);
        assert!(has_tone(&heard, 900.0), "{}", profile.name);
        office.world.drop_call(again).unwrap();
        office.world.assert_on_hook(LINE);
    }
}

#[test]
fn a_place_that_is_taken_leaves_the_conversation_as_it_was() {
    for profile in Profile::ALL {
        let mut office = Office::new(profile);
        for telephone in &office.telephones {
            telephone.set_behaviour(Behaviour::AnswerAfterRings(1));
        }
        for (number, done) in [("201", true), ("202", false)] {
            let call = office.world.connect(LINE, number);
            office.world.run(2000);
            office.world.told();
            office.world.ask(Command::Park { call, place: address("7") }).unwrap();
            let told = office.settled();
            if done {
                assert_eq!(told[0], "ok", "{}", profile.name);
            } else {
                assert_eq!(told, ["LINEERR_OPERATIONFAILED"], "{}", profile.name);
                assert_eq!(office.world.state(call), Some(CallState::Connected));
                assert_eq!(office.state(number), Some(LineState::Talking));
            }
        }
    }
}

#[test]
fn a_call_that_rings_elsewhere_is_picked_up() {
    for profile in Profile::ALL {
        let numbers: &[Option<&str>] = match profile.codes.pick_up_any {
            Some(_) => &[Some("201"), None],
            None => &[Some("201")],
        };
        for number in numbers {
            let mut office = Office::new(profile);
            let opening = office.opening;
            let call = office.world.handles.next(LINE).unwrap();
            let number = number.map(address);
            let pick_up = |call| Command::PickUp { opening, call, number: number.clone() };
            office.world.make(pick_up(call)).1.unwrap();
            assert_eq!(office.settled(), ["LINEERR_OPERATIONFAILED"], "nobody is rung");
            office.telephones[1].call("201");
            office.world.run(8000);
            assert_eq!(office.state("201"), Some(LineState::Ringing));
            let call = office.world.handles.next(LINE).unwrap();
            office.world.make(pick_up(call)).1.unwrap();
            let told = office.settled();
            assert_eq!(told[..2], ["ok", "CONNECTED 0x1"], "{}", profile.name);
            assert_eq!(office.world.info(call).reason, LINECALLREASON_PICKUP);
            assert_eq!(office.state("201"), Some(LineState::Idle));
            assert_eq!(office.state("202"), Some(LineState::Talking));
        }
    }
    let office = Office::new(&Profile::EUROPEAN_PBX);
    let call = office.world.handles.next(LINE).unwrap();
    let any = Command::PickUp { opening: office.opening, call, number: None };
    assert_eq!(office.world.ask(any), Err(LineError::OPERATIONUNAVAIL), "it has no such code");
}

#[test]
fn the_exchange_calls_back_when_the_busy_line_is_free_until_it_is_told_not_to() {
    for profile in Profile::ALL {
        for cancelled in [false, true] {
            let mut office = Office::new(profile);
            office.telephones[0].off_hook();
            let call = office.call_busy();
            assert_ne!(office.world.features(call) & LINECALLFEATURE_COMPLETECALL, 0);
            office.world.ask(Command::CompleteCall { call, completion: 5 }).unwrap();
            assert_eq!(office.settled(), ["ok", "DISCONNECTED 0x20"], "{}", profile.name);
            assert_eq!(office.world.report(LINE).call_backs, 1);
            office.world.drop_call(call).unwrap();
            office.world.run(3000);
            office.world.told();
            let (line, opening) = (LINE, office.opening);
            let cancel = |completion| Command::UncompleteCall { line, opening, completion };
            assert_eq!(office.world.submit(LINE, cancel(6)), Err(LineError::INVALCOMPLETIONID));
            if cancelled {
                office.world.submit(LINE, cancel(5)).unwrap();
                assert_eq!(office.settled()[0], "ok", "{}", profile.name);
                assert_eq!(office.world.report(LINE).call_backs, 0);
            }
            office.telephones[0].on_hook();
            office.world.run(6000);
            let rings = office.state("102") == Some(LineState::Ringing);
            assert_eq!(rings, !cancelled, "{}", profile.name);
            if rings {
                let back = office.world.offered(8000);
                office.world.answer(back).unwrap();
                office.world.until(back, CallState::Connected, 8000);
                office.telephones[0].off_hook();
                office.world.run(2000);
                assert_eq!(office.state("201"), Some(LineState::Talking));
            }
        }
    }
}

#[test]
fn an_exchange_that_ignores_the_flash_at_busy_tone_does_not_call_back() {
    let mut office = Office::with(None, &Profile::NORTH_AMERICA, false);
    office.telephones[0].off_hook();
    let call = office.call_busy();
    office.world.ask(Command::CompleteCall { call, completion: 5 }).unwrap();
    assert_eq!(office.settled()[0], "LINEERR_OPERATIONFAILED");
    assert_eq!(office.world.report(LINE).call_backs, 0);
}

#[test]
fn a_line_that_dials_a_code_has_no_call_and_takes_none_d1_d11() {
    let mut office = Office::new(&Profile::NORTH_AMERICA);
    let (line, opening) = (LINE, office.opening);
    let forwards = vec![(Forwarding::Unconditional, None)];
    let forward = Command::Forward { line, opening, forwards };
    let failed = "LINEERR_OPERATIONFAILED".to_owned();
    for end in 0..4 {
        office.world.submit(LINE, forward.clone()).unwrap();
        office.world.run(700);
        assert_eq!(office.world.report(LINE).call, None);
        assert!(!office.world.report(LINE).takes_call);
        let (_, made) = office.world.make_call(LINE, "201");
        assert_eq!(made, Err(LineError::CALLUNAVAIL));
        let again = office.world.submit(LINE, forward.clone());
        assert_eq!(again, Err(LineError::RESOURCEUNAVAIL));
        match end {
            0 => {
                office.world.card.exchange().unplug("102").unwrap();
                assert!(office.settled().contains(&failed));
                office.world.card.exchange().plug_in("102").unwrap();
            }
            1 => {
                office.world.card.set_fault(Fault::NoIsoLink(PortNumber::at(FXO)), true);
                assert!(office.settled().contains(&failed));
                office.world.card.set_fault(Fault::NoIsoLink(PortNumber::at(FXO)), false);
            }
            2 => assert_eq!(office.settled()[0], "ok"),
            _ => {
                office.world.close(LINE);
                assert_eq!(office.world.story(), ["LINEERR_OPERATIONFAILED"], "D1");
                break;
            }
        }
        office.world.assert_on_hook(LINE);
        office.world.run(5000);
        office.world.told();
    }
    office.world.assert_on_hook(LINE);
}

#[test]
fn without_a_profile_no_code_is_dialled() {
    let mut world = World::new();
    let (line, opening) = (LINE, world.report(LINE).opening.unwrap());
    let call = world.handles.next(LINE).unwrap();
    let place = address("7");
    for command in [
        Command::Forward { line, opening, forwards: vec![(Forwarding::Busy, None)] },
        Command::UncompleteCall { line, opening, completion: 1 },
        Command::Unpark { opening, call, place: place.clone() },
        Command::PickUp { opening, call, number: None },
    ] {
        assert_eq!(world.submit(LINE, command), Err(LineError::OPERATIONUNAVAIL));
    }
    world.subscriber("55", Behaviour::AnswerAfterRings(1));
    let call = world.connect(LINE, "55");
    let (park, complete) =
        (Command::Park { call, place }, Command::CompleteCall { call, completion: 1 });
    for command in [park, complete] {
        assert_eq!(world.features(call) & command.feature().unwrap(), 0);
        assert_eq!(world.ask(command), Err(LineError::OPERATIONUNAVAIL));
    }
}
