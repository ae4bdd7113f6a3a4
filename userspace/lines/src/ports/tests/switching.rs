//! What the exchange does with calls: held, swapped and transferred parties, and who hears whom.

use ringback_country::Profile;
use ringback_softcard::LineState;

use super::*;
use crate::ExchangeOptions;

/// The line, and the subscribers 201 and 202.
struct Trio {
    world: World,
    telephones: [Telephone; 2],
}

/// The tones by which the three are told apart, in Hz: ours, and those of 201 and 202.
const VOICES: [f32; 3] = [1500.0, 900.0, 1100.0];

impl Trio {
    fn new(profile: &'static Profile) -> Trio {
        Trio::with(Some(profile), profile, false)
    }

    fn with(
        of_exchange: Option<&'static Profile>,
        profile: &'static Profile,
        kernel: bool,
    ) -> Trio {
        let exchange = ExchangeConfig { profile: of_exchange, ..ExchangeConfig::default() };
        let world = World::build(kernel, exchange, 500);
        let steps = vec![Step::Play(tone(700.0, 1500).into())];
        let telephones = ["201", "202"].map(|number| {
            world.subscriber(number, Behaviour::AnswerThen { rings: 1, steps: steps.clone() })
        });
        let options = ExchangeOptions { profile: Some(profile), ..ExchangeOptions::default() };
        let set = world.handle.with(move |lines, _| {
            let country = lines.card().country().to_string();
            lines.set_config(LineNumber::at(FXO), DeviceConfig::Exchange { country, options })
        });
        set.unwrap().unwrap();
        Trio { world, telephones }
    }

    /// A call to 201 that is answered.
    fn connected(&mut self) -> HDRVCALL {
        let call = self.world.connect(LineNumber::at(FXO), "201");
        self.world.run(2000);
        self.world.story();
        call
    }

    /// A consultation call beside it, at its dial tone.
    fn consult(&mut self, call: HDRVCALL) -> HDRVCALL {
        let consult = self.world.handles.next(LineNumber::at(FXO)).unwrap();
        let command = setup(call, consult);
        self.world.make_beside(command, consult).unwrap();
        self.world.until(consult, CallState::DialTone, 8000);
        assert_eq!(self.world.story(), ["ok", "ONHOLDPENDTRANSFER 0x0", "DIALTONE 0x1"]);
        consult
    }

    /// The same, with 202 in conversation.
    fn consulted(&mut self, call: HDRVCALL) -> HDRVCALL {
        let consult = self.consult(call);
        self.world.dial(consult, "202").unwrap();
        self.world.until(consult, CallState::Connected, 20_000);
        self.world.run(2000);
        self.world.story();
        consult
    }

    /// Asks, and returns what happens within some seconds.
    fn ask(&mut self, command: Command) -> Vec<String> {
        self.world.ask(command).unwrap();
        self.world.run(6000);
        self.world.story()
    }

    /// Who hears whom: for each of us, 201 and 202 the others that it hears.
    fn hears(&mut self) -> [Vec<usize>; 3] {
        let audio = self.world.audio(LineNumber::at(FXO));
        audio.record(true);
        let mut ours = Vec::new();
        self.world.run(300);
        audio.fetch(&mut ours);
        ours.clear();
        audio.play(&tone(VOICES[0], 1000));
        for (telephone, hz) in self.telephones.iter().zip(&VOICES[1..]) {
            telephone.take_heard();
            telephone.play(&tone(*hz, 1000));
        }
        self.world.run(1200);
        audio.fetch(&mut ours);
        audio.record(false);
        let [first, second] = self.telephones.each_ref().map(Telephone::take_heard);
        let mut listener = 0;
        [ours, first, second].map(|heard| {
            let others = (0..3).filter(|other| *other != listener);
            let hears = |other: &usize| {
                let hz = VOICES[*other];
                heard.chunks_exact(800).filter(|block| power_at(block, hz) > -25.0).count() >= 3
            };
            let others = others.filter(hears).collect();
            listener += 1;
            others
        })
    }

    fn line_state(&self) -> Option<LineState> {
        self.world.card.exchange().state("102")
    }
}

/// The command for a consultation call.
fn setup(call: HDRVCALL, consult: HDRVCALL) -> Command {
    let (media, timing) = (LINEMEDIAMODE_INTERACTIVEVOICE, DialTiming::default());
    Command::SetupTransfer { call, consult, media, timing, notes: CallNotes::default() }
}

fn transfer(call: HDRVCALL, consult: HDRVCALL) -> Command {
    Command::CompleteTransfer { call, consult, conference: None }
}

const NOBODY: [Vec<usize>; 3] = [vec![], vec![], vec![]];

fn with_first() -> [Vec<usize>; 3] {
    [vec![1], vec![0], vec![]]
}

fn with_second() -> [Vec<usize>; 3] {
    [vec![2], vec![], vec![0]]
}

fn without_us() -> [Vec<usize>; 3] {
    [vec![], vec![2], vec![1]]
}

#[test]
fn the_exchange_holds_a_call_and_connects_it_again() {
    for profile in Profile::ALL {
        for kernel in [false, true] {
            let mut trio = Trio::with(Some(profile), profile, kernel);
            let call = trio.connected();
            assert_eq!(trio.hears(), with_first(), "{}", profile.name);
            assert_eq!(trio.ask(Command::Hold { call }), ["ok", "ONHOLD 0x0"]);
            assert_eq!(trio.hears(), NOBODY, "{}", profile.name);
            assert_eq!(trio.world.dial(call, "5"), Err(LineError::INVALCALLSTATE));
            assert_eq!(trio.ask(Command::Unhold { call }), ["ok", "CONNECTED 0x1"]);
            assert_eq!(trio.hears(), with_first(), "{}", profile.name);
            // Busy and dial tone have not ended it, and a hang-up is noticed.
            trio.telephones[0].on_hook();
            trio.world.until(call, CallState::Disconnected, 8000);
        }
    }
}

#[test]
fn a_call_is_transferred_after_a_consultation() {
    for profile in Profile::ALL {
        let mut trio = Trio::new(profile);
        let call = trio.connected();
        let consult = trio.consulted(call);
        assert_eq!(trio.hears(), with_second(), "{}", profile.name);
        let told = trio.ask(transfer(call, consult));
        assert_eq!(told, ["ok", "IDLE 0x0", "IDLE 0x0"]);
        assert_eq!(trio.line_state(), Some(LineState::Idle));
        assert_eq!(trio.hears(), without_us(), "{}", profile.name);
    }
}

#[test]
fn a_call_is_transferred_to_a_telephone_that_rings() {
    let mut trio = Trio::new(&Profile::EUROPEAN_PBX);
    trio.telephones[1].set_behaviour(Behaviour::Manual);
    let call = trio.connected();
    let consult = trio.consult(call);
    trio.world.dial(consult, "202").unwrap();
    trio.world.until(consult, CallState::Ringback, 12_000);
    trio.world.story();
    let told = trio.ask(transfer(call, consult));
    assert_eq!(told, ["ok", "IDLE 0x0", "IDLE 0x0"]);
    trio.telephones[1].off_hook();
    trio.world.run(1000);
    assert_eq!(trio.hears(), without_us());
}

#[test]
fn two_parties_are_swapped_where_the_exchange_can() {
    let mut trio = Trio::new(&Profile::EUROPEAN_PBX);
    let call = trio.connected();
    let consult = trio.consulted(call);
    let swapped = ["ok", "ONHOLDPENDTRANSFER 0x0", "CONNECTED 0x1"];
    assert_eq!(trio.ask(Command::SwapHold { call: consult, held: call }), swapped);
    assert_eq!(trio.hears(), with_first());
    let wrong = Command::SwapHold { call: consult, held: call };
    assert_eq!(trio.world.ask(wrong), Err(LineError::INVALCALLSTATE));
    assert_eq!(trio.ask(Command::SwapHold { call, held: consult }), swapped);
    assert_eq!(trio.hears(), with_second());

    let mut trio = Trio::new(&Profile::NORTH_AMERICA);
    let call = trio.connected();
    let consult = trio.consulted(call);
    let swap = Command::SwapHold { call: consult, held: call };
    assert_eq!(trio.world.ask(swap), Err(LineError::OPERATIONUNAVAIL));
}

#[test]
fn a_consultation_call_that_is_dropped_or_not_wanted_leads_back() {
    for profile in Profile::ALL {
        // At dial tone, ringing, in conversation, and with a party that has hung up.
        for stage in 0..5 {
            let mut trio = Trio::new(profile);
            if stage == 1 {
                trio.telephones[1].set_behaviour(Behaviour::Manual);
            }
            let call = trio.connected();
            let consult = match stage {
                0 => trio.consult(call),
                1 => {
                    let consult = trio.consult(call);
                    trio.world.dial(consult, "202").unwrap();
                    trio.world.until(consult, CallState::Ringback, 12_000);
                    consult
                }
                _ => trio.consulted(call),
            };
            if stage == 3 {
                trio.telephones[1].on_hook();
                trio.world.until(consult, CallState::Disconnected, 8000);
            }
            trio.world.story();
            let told = if stage == 4 {
                trio.ask(Command::Unhold { call })
            } else {
                trio.ask(Command::Drop { call: consult })
            };
            let mut wanted = vec!["IDLE 0x0", "ok", "CONNECTED 0x1"];
            if stage == 4 {
                wanted.swap(0, 1);
            }
            assert_eq!(told, wanted, "{} {stage}", profile.name);
            assert_eq!(trio.hears(), with_first(), "{} {stage}", profile.name);
            trio.world.drop_call(call).unwrap();
            trio.world.assert_on_hook(LineNumber::at(FXO));
        }
    }
}

#[test]
fn a_call_is_transferred_at_once_or_stays_where_the_number_is_busy() {
    for profile in Profile::ALL {
        let mut trio = Trio::new(profile);
        trio.telephones[1].off_hook();
        let call = trio.connected();
        let blind =
            Command::BlindTransfer { call, address: parse("202", Modifiers::default()).unwrap() };
        trio.world.ask(blind.clone()).unwrap();
        trio.world.run(14_000);
        assert_eq!(trio.world.story(), ["LINEERR_OPERATIONFAILED"], "{}", profile.name);
        assert_eq!(trio.world.state(call), Some(CallState::Connected));
        assert_eq!(trio.hears()[..2], with_first()[..2], "{}", profile.name);
        trio.telephones[1].on_hook();
        trio.world.run(2000);
        trio.world.ask(blind).unwrap();
        trio.world.run(14_000);
        assert_eq!(trio.world.story(), ["ok", "IDLE 0x0"], "{}", profile.name);
        assert_eq!(trio.hears(), without_us(), "{}", profile.name);
    }
}

fn all_three() -> [Vec<usize>; 3] {
    [vec![1, 2], vec![0, 2], vec![0, 1]]
}

impl Trio {
    /// The command for a conference that begins with this call; returns it with the conference
    /// call and the consultation call.
    fn confer(&mut self, call: HDRVCALL) -> [HDRVCALL; 2] {
        let made = [(); 2].map(|()| self.world.handles.next(LineNumber::at(FXO)).unwrap());
        let (media, timing) = (LINEMEDIAMODE_INTERACTIVEVOICE, DialTiming::default());
        let notes = CallNotes::default();
        let setup = Command::SetupConference { call, made, media, timing, notes };
        self.world.make_beside(setup, made[0]).unwrap();
        self.world.note_made(made[1]);
        self.world.until(made[1], CallState::DialTone, 8000);
        let wanted = ["ok", "CONFERENCED 0x0", "DIALTONE 0x1", "ONHOLDPENDCONF 0x0"];
        assert_eq!(self.world.story(), wanted);
        made
    }

    /// Has a consultation call answered by 202, and joins it to the conference.
    fn add(&mut self, conference: HDRVCALL, consult: HDRVCALL) {
        self.world.dial(consult, "202").unwrap();
        self.world.until(consult, CallState::Connected, 20_000);
        self.world.run(2000);
        self.world.story();
        assert_eq!(self.hears(), with_second());
        let add = Command::AddToConference { call: conference, consult };
        assert_eq!(self.ask(add.clone()), ["ok", "CONFERENCED 0x0", "CONNECTED 0x1"]);
        assert_eq!(self.hears(), all_three());
        assert_eq!(self.world.ask(add), Err(LineError::INVALCALLSTATE));
    }
}

#[test]
fn three_parties_hear_each_other_in_a_conference() {
    for profile in Profile::ALL {
        let mut trio = Trio::new(profile);
        let call = trio.connected();
        let [conference, consult] = trio.confer(call);
        trio.add(conference, consult);
        // Only who came last can be released.
        let first = Command::RemoveFromConference { call };
        assert_eq!(trio.world.ask(first), Err(LineError::INVALCALLSTATE));
        let told = trio.ask(Command::RemoveFromConference { call: consult });
        assert_eq!(told, ["ok", "IDLE 0x0"]);
        assert_eq!(trio.hears()[..2], with_first()[..2], "{}", profile.name);
        trio.telephones[1].on_hook();
        trio.world.run(2000);

        let again = trio.world.handles.next(LineNumber::at(FXO)).unwrap();
        let prepare = Command::PrepareAddToConference {
            call: conference,
            consult: again,
            media: LINEMEDIAMODE_INTERACTIVEVOICE,
            timing: DialTiming::default(),
            notes: CallNotes::default(),
        };
        trio.world.make_beside(prepare, again).unwrap();
        trio.world.until(again, CallState::DialTone, 8000);
        assert_eq!(trio.world.story(), ["ok", "ONHOLDPENDCONF 0x0", "DIALTONE 0x1"]);
        trio.add(conference, again);
        trio.world.drop_call(conference).unwrap();
        assert_eq!(trio.world.story(), ["IDLE 0x0", "IDLE 0x0", "IDLE 0x0", "ok"]);
        trio.world.assert_on_hook(LineNumber::at(FXO));
    }
}

#[test]
fn a_transfer_is_completed_as_a_conference_of_which_one_can_be_dropped() {
    for profile in Profile::ALL {
        let mut trio = Trio::new(profile);
        let call = trio.connected();
        let consult = trio.consulted(call);
        let made = trio.world.handles.next(LineNumber::at(FXO)).unwrap();
        let conference = Some(made);
        let join = Command::CompleteTransfer { call, consult, conference };
        trio.world.make_beside(join, made).unwrap();
        trio.world.run(6000);
        let told = trio.world.story();
        assert_eq!(told, ["ok", "CONFERENCED 0x0", "CONFERENCED 0x0", "CONNECTED 0x1"]);
        assert_eq!(trio.world.state(made), Some(CallState::Connected));
        assert_eq!(trio.hears(), all_three(), "{}", profile.name);
        assert_eq!(trio.ask(Command::Drop { call: consult }), ["ok", "IDLE 0x0"]);
        assert_eq!(trio.hears()[..2], with_first()[..2], "{}", profile.name);
        trio.world.drop_call(made).unwrap();
        assert_eq!(trio.world.story(), ["IDLE 0x0", "IDLE 0x0", "ok"]);
        trio.world.assert_on_hook(LineNumber::at(FXO));
    }
}

#[test]
fn a_consultation_for_a_conference_leads_back_to_it() {
    for profile in Profile::ALL {
        let mut trio = Trio::new(profile);
        let call = trio.connected();
        let [conference, consult] = trio.confer(call);
        assert_eq!(trio.ask(Command::Drop { call: consult }), ["IDLE 0x0", "ok", "CONNECTED 0x1"]);
        assert_eq!(trio.world.state(conference), Some(CallState::Connected));
        assert_eq!(trio.hears(), with_first());
    }
}

#[test]
fn an_exchange_that_ignores_a_flash_has_refused_it() {
    let mut trio = Trio::with(None, &Profile::NORTH_AMERICA, false);
    let call = trio.connected();
    trio.world.ask(Command::Hold { call }).unwrap();
    trio.world.run(9000);
    assert_eq!(trio.world.story(), ["LINEERR_OPERATIONFAILED"]);
    assert_eq!(trio.hears(), with_first());
    let consult = trio.world.handles.next(LineNumber::at(FXO)).unwrap();
    trio.world.make_beside(setup(call, consult), consult).unwrap();
    trio.world.run(9000);
    assert_eq!(trio.world.story(), ["LINEERR_OPERATIONFAILED"]);
    assert_eq!(trio.world.state(consult), None, "N8");
    assert_eq!(trio.world.state(call), Some(CallState::Connected));
}

#[test]
fn calls_that_are_held_end_with_the_line_d5_d7() {
    let profile = &Profile::EUROPEAN_PBX;
    for end in 0..5 {
        let mut trio = Trio::new(profile);
        let call = trio.connected();
        let consult = trio.consulted(call);
        match end {
            0 => {
                let told = trio.ask(Command::Drop { call });
                assert_eq!(told, ["ok", "IDLE 0x0"], "only the held one");
                assert_eq!(trio.hears()[..1], with_second()[..1]);
                trio.world.drop_call(consult).unwrap();
                assert_eq!(trio.world.story(), ["IDLE 0x0", "ok"]);
            }
            1 => {
                trio.world.close_call(consult).unwrap();
                assert_eq!(trio.world.story(), ["IDLE 0x0"]);
            }
            2 => {
                trio.world.card.exchange().unplug("102").unwrap();
                trio.world.run(1000);
                let over = ["DISCONNECTED 0x1", "IDLE 0x0", "DISCONNECTED 0x1"];
                assert_eq!(trio.world.story(), over);
                continue;
            }
            3 => {
                trio.world.ask(Command::SwapHold { call: consult, held: call }).unwrap();
                trio.world.run(200);
                trio.world.drop_call(consult).unwrap();
                let told = trio.world.story();
                let wanted = ["LINEERR_OPERATIONFAILED", "IDLE 0x0", "IDLE 0x0", "ok"];
                assert_eq!(told, wanted, "D7: a swap that is under way ends");
            }
            _ => {
                trio.world.close(LineNumber::at(FXO));
                assert_eq!(trio.world.story(), [""; 0], "D2");
            }
        }
        trio.world.assert_on_hook(LineNumber::at(FXO));
    }
}

#[test]
fn n6_closing_a_consultation_call_that_is_being_made_hangs_up() {
    let mut trio = Trio::new(&Profile::NORTH_AMERICA);
    let call = trio.connected();
    let consult = trio.world.handles.next(LineNumber::at(FXO)).unwrap();
    trio.world.make_beside(setup(call, consult), consult).unwrap();
    trio.world.run(100);
    trio.world.close_call(consult).unwrap();
    assert_eq!(trio.world.story(), ["LINEERR_OPERATIONFAILED", "IDLE 0x0"]);
    trio.world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn without_a_profile_nothing_is_offered() {
    let mut world = World::new();
    world.subscriber("55", Behaviour::AnswerAfterRings(1));
    let call = world.connect(LineNumber::at(FXO), "55");
    let consult = world.handles.next(LineNumber::at(FXO)).unwrap();
    let address = parse("5", Modifiers::default()).unwrap();
    for command in [
        Command::Hold { call },
        Command::Unhold { call },
        setup(call, consult),
        transfer(call, consult),
        Command::BlindTransfer { call, address },
        Command::SwapHold { call, held: consult },
    ] {
        let feature = command.feature().unwrap();
        assert_eq!(world.features(call) & feature, 0);
        assert_eq!(world.ask(command), Err(LineError::OPERATIONUNAVAIL));
    }
}
