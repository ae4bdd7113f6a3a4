//! Exactly the offered functions are accepted: in every state that a call can come into, on a line
//! of the exchange and on a telephone's line, each function of a call is called, and whether it is
//! accepted is compared with LINECALLSTATUS. The same is done for making a call, with LINEDEVSTATUS
//! and LINEADDRESSSTATUS.

use ringback_country::Profile;
use ringback_driver::PortNumber;
use ringback_softcard::scenery::tone;
use ringback_softcard::{Behaviour, Step};
use ringback_tests::{FXO, FXS, Solo, id, member_of};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::features::FEATURES;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::late::{LateOutput, OwnedMemory};
use ringback_tspi::provider::Ticket;
use ringback_tspi::structs::{
    LINEADDRESSCAPS, LINEADDRESSSTATUS, LINECALLSTATUS, LINEDEVSTATUS, LINEGENERATETONE,
    LINEMONITORTONE,
};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, Version};

const V: Version = Version::V3_1;

/// The request that is asked for in the state.
const ASKED: u32 = 100;

/// A call that was brought into a state, on one of the lines.
struct At {
    solo: Solo,
    line: u32,
    call: HDRVCALL,
    /// The held and the active call, if there are two.
    pair: Option<[HDRVCALL; 2]>,
}

/// How a call is brought into a state.
type Way = fn() -> At;
/// The same, on an exchange with this profile.
type SwitchedWay = fn(&'static Profile) -> At;

fn tapi(number: usize) -> HTAPICALL {
    HTAPICALL::new(number).unwrap()
}

/// Makes a call and waits for a state, or for so many milliseconds.
fn made(solo: Solo, line: u32, address: &str, until: Result<CallState, u64>) -> At {
    let call = solo.make_call(id(1), solo.line(line), tapi(9), Some(address));
    match until {
        Ok(state) => solo.until(tapi(9), state),
        Err(ms) => solo.run(ms),
    }
    At { solo, line, call, pair: None }
}

fn exchange(address: &str, until: Result<CallState, u64>) -> At {
    let solo = Solo::new();
    solo.exchange().add_subscriber("77", Behaviour::Manual).off_hook();
    // The far end makes no sound, so its answer is recognised when it has not rung again for 6 s.
    let steps = vec![Step::Wait(9000), Step::HangUp];
    solo.exchange().add_subscriber("78", Behaviour::AnswerThen { rings: 2, steps });
    solo.run(100);
    made(solo, FXO, address, until)
}

fn telephone(off_hook: bool, until: Result<CallState, u64>) -> At {
    let solo = Solo::new();
    if off_hook {
        solo.card.telephone(PortNumber::at(FXS as usize)).unwrap().off_hook();
        solo.run(200);
    }
    made(solo, FXS, "", until)
}

/// A call to 200, who hears us, over an exchange with a profile that the line knows.
fn switched(profile: &'static Profile) -> At {
    let solo = Solo::with_profile(profile);
    let steps = vec![Step::Play(tone(700.0, 1500).into())];
    for number in ["78", "79"] {
        let behaviour = Behaviour::AnswerThen { rings: 1, steps: steps.clone() };
        solo.exchange().add_subscriber(number, behaviour);
    }
    solo.run(100);
    let at = made(solo, FXO, "78", Ok(CallState::Connected));
    at.solo.run(2000);
    at
}

impl At {
    fn on_hold(self) -> At {
        self.solo.provider.line_hold(id(5), self.call).unwrap().release();
        self.solo.until(tapi(9), CallState::OnHold);
        self
    }

    /// With a consultation call, which has dialled this and come into this state.
    fn consulting(self, address: &str, state: CallState) -> At {
        let asked = self.solo.provider.line_setup_transfer(id(6), self.call, tapi(11), None);
        let (consult, ticket) = asked.unwrap();
        ticket.release();
        self.solo.until(tapi(11), CallState::DialTone);
        if !address.is_empty() {
            self.solo.provider.line_dial(id(7), consult, address, 0).unwrap().release();
        }
        self.solo.until(tapi(11), state);
        At { pair: Some([self.call, consult]), call: consult, ..self }
    }

    /// With a conference of two parties, and the conference call as the one that is looked at; the
    /// other is the party that came last.
    fn conferring(self) -> At {
        let provider = &self.solo.provider;
        let asked = provider.line_setup_conference(
            id(6),
            Some(self.call),
            None,
            tapi(12),
            tapi(11),
            3,
            None,
        );
        let (conference, consult, ticket) = asked.unwrap();
        ticket.release();
        self.solo.until(tapi(11), CallState::DialTone);
        provider.line_dial(id(7), consult, "79", 0).unwrap().release();
        self.solo.until(tapi(11), CallState::Connected);
        At { pair: Some([conference, consult]), call: conference, ..self }
    }

    fn joined(self) -> At {
        let [conference, consult] = self.pair.unwrap();
        let added = self.solo.provider.line_add_to_conference(id(8), conference, consult);
        added.unwrap().release();
        self.solo.until(tapi(12), CallState::Connected);
        At { pair: Some([consult, conference]), ..self }
    }

    /// Without the party that came last.
    fn parted(self) -> At {
        let last = self.pair.unwrap()[0];
        self.solo.provider.line_remove_from_conference(id(13), last).unwrap().release();
        self.solo.until(tapi(11), CallState::Idle);
        self
    }

    /// The same, to look at the held call.
    fn turned_to_held(self) -> At {
        At { call: self.pair.unwrap()[0], ..self }
    }
}

fn rung() -> At {
    let solo = Solo::new();
    solo.subscriber("201").call("102");
    let (call, tapi) = solo.offered();
    solo.until(tapi, CallState::Offering);
    At { solo, line: FXO, call, pair: None }
}

fn dialled() -> At {
    let solo = Solo::new();
    let telephone = solo.card.telephone(PortNumber::at(FXS as usize)).unwrap();
    telephone.off_hook();
    solo.run(500);
    telephone.dial("5#");
    let (call, tapi) = solo.offered();
    solo.until(tapi, CallState::Offering);
    At { solo, line: FXS, call, pair: None }
}

impl At {
    fn accepted(self) -> At {
        self.solo.provider.line_accept(id(2), self.call, &[]).unwrap().release();
        self
    }

    fn answered(self, ms: u64) -> At {
        self.solo.provider.line_answer(id(3), self.call, &[]).unwrap().release();
        self.solo.run(ms);
        self
    }

    fn held(self) -> At {
        self.solo.provider.line_hold(id(5), self.call).unwrap().release();
        self.solo.run(50);
        self
    }

    fn dropped(self) -> At {
        self.solo.provider.line_drop(id(4), self.call, &[]).unwrap().release();
        self.solo.deliver();
        self
    }

    fn lifted(self, off_hook: bool) -> At {
        let telephone = self.solo.card.telephone(PortNumber::at(self.line as usize)).unwrap();
        if off_hook {
            telephone.off_hook()
        } else {
            telephone.on_hook()
        }
        self.solo.run(1000);
        self
    }
}

/// Each state that a call can come into, with what leads there.
const WAYS: &[(&str, u32, Way)] = &[
    ("being made", FXO, || exchange("78", Err(50))),
    ("dial tone", FXO, || exchange("", Ok(CallState::DialTone))),
    ("dialling", FXO, || exchange("78", Ok(CallState::Dialing))),
    ("partly dialled", FXO, || {
        let at = exchange("7;", Ok(CallState::Dialing));
        at.solo.run(500);
        at
    }),
    ("proceeding", FXO, || exchange("78", Ok(CallState::Proceeding))),
    ("ringback", FXO, || exchange("201", Ok(CallState::Ringback))),
    ("busy", FXO, || exchange("77", Ok(CallState::Busy))),
    ("special information", FXO, || exchange("999", Ok(CallState::SpecialInfo))),
    ("connected, made here", FXO, || exchange("78", Ok(CallState::Connected))),
    ("disconnected", FXO, || exchange("78", Ok(CallState::Disconnected))),
    ("idle", FXO, || exchange("78", Ok(CallState::Connected)).dropped()),
    ("offering", FXO, rung),
    ("accepted", FXO, || rung().accepted()),
    ("being answered", FXO, || rung().answered(10)),
    ("accepted and being answered", FXO, || rung().accepted().answered(10)),
    ("connected, from outside", FXO, || rung().answered(500)),
    ("rejected", FXO, || rung().dropped()),
    ("ringing the telephone", FXS, || telephone(false, Ok(CallState::Ringback))),
    ("the telephone is off-hook", FXS, || telephone(true, Ok(CallState::Busy))),
    ("the telephone answered", FXS, || telephone(false, Ok(CallState::Ringback)).lifted(true)),
    ("the telephone is on hold", FXS, || {
        telephone(false, Ok(CallState::Ringback)).lifted(true).held()
    }),
    ("the telephone hung up on hold", FXS, || {
        telephone(false, Ok(CallState::Ringback)).lifted(true).held().lifted(false)
    }),
    ("the telephone hung up", FXS, || {
        telephone(false, Ok(CallState::Ringback)).lifted(true).lifted(false)
    }),
    ("ringing the telephone was given up", FXS, || {
        telephone(false, Ok(CallState::Ringback)).dropped()
    }),
    ("the telephone calls", FXS, dialled),
    ("the telephone's call is accepted", FXS, || dialled().accepted()),
    ("the telephone's call is answered", FXS, || dialled().answered(100)),
    ("the telephone gave up", FXS, || dialled().lifted(false)),
];

/// Whether a function has begun; on the test's own thread the card is never busy, so an error comes
/// at once.
fn begun(asked: Result<Ticket, LineError>) -> Result<(), LineError> {
    asked.map(Ticket::release)
}

/// Asks for the function of a feature.
fn ask(at: &At, feature: u32) -> Result<(), LineError> {
    let (provider, call, id) = (&at.solo.provider, at.call, id(ASKED));
    let line = at.solo.line(at.line);
    match feature {
        LINECALLFEATURE_ACCEPT => begun(provider.line_accept(id, call, &[])),
        LINECALLFEATURE_ADDTOCONF => {
            let [held, consult] = at.pair.unwrap_or([call, call]);
            begun(provider.line_add_to_conference(id, held, consult))
        }
        LINECALLFEATURE_ANSWER => begun(provider.line_answer(id, call, &[])),
        LINECALLFEATURE_BLINDTRANSFER => begun(provider.line_blind_transfer(id, call, "5", 0)),
        LINECALLFEATURE_COMPLETECALL => {
            let later = LateOutput::new(OwnedMemory::new(vec![0; 4]));
            let mode = LINECALLCOMPLMODE_CALLBACK;
            begun(provider.line_complete_call(id, call, &later, mode, 0))
        }
        LINECALLFEATURE_COMPLETETRANSF => {
            let mode = LINETRANSFERMODE_TRANSFER;
            let [held, consult] = at.pair.unwrap_or([call, call]);
            provider.line_complete_transfer(id, held, consult, None, mode).map(|(_, t)| t.release())
        }
        LINECALLFEATURE_DIAL => begun(provider.line_dial(id, call, "5", 0)),
        LINECALLFEATURE_DROP => begun(provider.line_drop(id, call, &[])),
        LINECALLFEATURE_GATHERDIGITS => {
            let later = LateOutput::new(OwnedMemory::new(vec![0; 8]));
            provider.line_gather_digits(call, 1, LINEDIGITMODE_DTMF, Some(&later), None, 0, 0)
        }
        LINECALLFEATURE_GENERATEDIGITS => {
            provider.line_generate_digits(call, 1, LINEDIGITMODE_DTMF, Some("5"), 0)
        }
        LINECALLFEATURE_GENERATETONE => {
            let tone = LINEGENERATETONE { frequency: 440, cadence_on: 100, ..Default::default() };
            provider.line_generate_tone(call, 1, LINETONEMODE_CUSTOM, 100, Some(&[tone]))
        }
        LINECALLFEATURE_HOLD => begun(provider.line_hold(id, call)),
        LINECALLFEATURE_MONITORDIGITS => provider.line_monitor_digits(call, LINEDIGITMODE_DTMF),
        LINECALLFEATURE_MONITORMEDIA => provider.line_monitor_media(call, LINEMEDIAMODE_G3FAX),
        LINECALLFEATURE_MONITORTONES => {
            let tone = LINEMONITORTONE { frequency1: 440, duration: 100, ..Default::default() };
            provider.line_monitor_tones(call, 1, Some(&[tone]))
        }
        LINECALLFEATURE_PARK => {
            begun(provider.line_park(id, call, LINEPARKMODE_DIRECTED, Some("5"), None))
        }
        LINECALLFEATURE_PREPAREADDCONF => provider
            .line_prepare_add_to_conference(id, call, tapi(8), None)
            .map(|(_, t)| t.release()),
        LINECALLFEATURE_REDIRECT => begun(provider.line_redirect(id, call, "5", 0)),
        LINECALLFEATURE_REMOVEFROMCONF => begun(provider.line_remove_from_conference(id, call)),
        LINECALLFEATURE_SECURECALL => begun(provider.line_secure_call(id, call)),
        LINECALLFEATURE_SENDUSERUSER => begun(provider.line_send_user_user_info(id, call, b"x")),
        LINECALLFEATURE_SETCALLPARAMS => {
            let mode = LINEBEARERMODE_VOICE;
            begun(provider.line_set_call_params(id, call, mode, 3100, 3100, None))
        }
        LINECALLFEATURE_SETMEDIACONTROL => {
            let select = LINECALLSELECT_CALL;
            provider.line_set_media_control(line, 0, Some(call), select, None, None, None, None)
        }
        LINECALLFEATURE_SETTERMINAL => {
            let (select, modes) = (LINECALLSELECT_CALL, LINETERMMODE_RINGER);
            begun(provider.line_set_terminal(id, line, 0, Some(call), select, modes, 0, 1))
        }
        LINECALLFEATURE_SETUPCONF => {
            let asked =
                provider.line_setup_conference(id, Some(call), None, tapi(7), tapi(8), 3, None);
            asked.map(|(.., t)| t.release())
        }
        LINECALLFEATURE_SETUPTRANSFER => {
            provider.line_setup_transfer(id, call, tapi(8), None).map(|(_, t)| t.release())
        }
        LINECALLFEATURE_SWAPHOLD => {
            let [held, active] = at.pair.unwrap_or([call, call]);
            begun(provider.line_swap_hold(id, active, held))
        }
        LINECALLFEATURE_UNHOLD => begun(provider.line_unhold(id, call)),
        LINECALLFEATURE_RELEASEUSERUSERINFO => {
            begun(provider.line_release_user_user_info(id, call))
        }
        LINECALLFEATURE_SETTREATMENT => {
            begun(provider.line_set_call_treatment(id, call, LINECALLTREATMENT_SILENCE))
        }
        LINECALLFEATURE_SETQOS => {
            begun(provider.line_set_call_quality_of_service(id, call, &[], &[]))
        }
        LINECALLFEATURE_SETCALLDATA => begun(provider.line_set_call_data(id, call, b"data")),
        other => panic!("{other:#x} is no feature"),
    }
}

/// What LINECALLSTATUS offers.
fn offered(at: &At) -> u32 {
    let fill = |to: &mut [u8]| at.solo.provider.line_get_call_status(at.call, to);
    member_of::<LINECALLSTATUS>(fill, |status| status.get(LINECALLSTATUS::dwCallFeatures))
}

/// Whether LINEDEVSTATUS and LINEADDRESSSTATUS offer to make a call.
fn offers_to_call(at: &At) -> bool {
    let (provider, line) = (&at.solo.provider, at.solo.line(at.line));
    let of_line = member_of::<LINEDEVSTATUS>(
        |to| provider.line_get_line_dev_status(line, to),
        |status| status.get(LINEDEVSTATUS::dwLineFeatures),
    );
    let of_address = member_of::<LINEADDRESSSTATUS>(
        |to| provider.line_get_address_status(line, 0, to),
        |status| status.get(LINEADDRESSSTATUS::dwAddressFeatures),
    );
    let offers = of_line & LINEFEATURE_MAKECALL != 0;
    assert_eq!(offers, of_address & LINEADDRFEATURE_MAKECALL != 0, "the address offers the same");
    let forwards = LINEFEATURE_FORWARD | LINEFEATURE_FORWARDFWD;
    assert_eq!(of_line & !LINEFEATURE_MAKECALL & !forwards, LINEFEATURE_SETDEVSTATUS);
    offers
}

fn announced(solo: &Solo, line: u32) -> u32 {
    let fill = |to: &mut [u8]| solo.provider.line_get_address_caps(Solo::BASE + line, 0, V, 0, to);
    member_of::<LINEADDRESSCAPS>(fill, |caps| caps.get(LINEADDRESSCAPS::dwCallFeatures))
}

/// The states that only an exchange with a profile has.
const SWITCHED: &[(&str, u32, SwitchedWay)] = &[
    ("in conversation", FXO, switched),
    ("on hold", FXO, |profile| switched(profile).on_hold()),
    ("consulting, dial tone", FXO, |profile| switched(profile).consulting("", CallState::DialTone)),
    ("held, dial tone", FXO, |profile| {
        switched(profile).consulting("", CallState::DialTone).turned_to_held()
    }),
    ("consulting, ringback", FXO, |profile| {
        switched(profile).consulting("201", CallState::Ringback)
    }),
    ("consulting, connected", FXO, |profile| {
        switched(profile).consulting("79", CallState::Connected)
    }),
    ("held, connected", FXO, |profile| {
        switched(profile).consulting("79", CallState::Connected).turned_to_held()
    }),
    ("conference on hold", FXO, |profile| switched(profile).conferring()),
    ("conference", FXO, |profile| switched(profile).conferring().joined()),
    ("last party of a conference", FXO, |profile| {
        switched(profile).conferring().joined().turned_to_held()
    }),
    ("conference of one party", FXO, |profile| switched(profile).conferring().joined().parted()),
    ("busy, on such an exchange", FXO, |profile| {
        let solo = Solo::with_profile(profile);
        solo.exchange().add_subscriber("77", Behaviour::Manual).off_hook();
        solo.run(100);
        made(solo, FXO, "77", Ok(CallState::Busy))
    }),
    ("going back", FXO, |profile| {
        let at = switched(profile).consulting("79", CallState::Connected).dropped();
        at.solo.run(100);
        at.turned_to_held()
    }),
];

#[test]
fn what_is_offered_is_accepted_and_what_is_accepted_is_offered() {
    let seen = compare(WAYS.iter().map(|(name, line, way)| (*name, *line, *way)));
    for line in [FXO, FXS] {
        let seen = seen.iter().filter(|(of, _)| *of == line).fold(0, |all, (_, bits)| all | bits);
        assert_eq!(
            announced(&Solo::new(), line),
            seen,
            "line {line} announces what is offered in some state"
        );
    }
}

#[test]
fn what_an_exchange_with_a_profile_can_do_is_offered_and_accepted() {
    for profile in Profile::ALL {
        let seen =
            compare(SWITCHED.iter().map(|(name, line, way)| (*name, *line, move || way(profile))));
        let seen = seen.iter().fold(0, |all, (_, bits)| all | bits);
        let of_exchange =
            announced(&Solo::with_profile(profile), FXO) & !announced(&Solo::new(), FXO);
        assert_ne!(of_exchange & LINECALLFEATURE_SETUPTRANSFER, 0);
        assert_eq!(of_exchange & !seen, 0, "{}: announced and never offered", profile.name);
        assert_eq!(seen & !announced(&Solo::with_profile(profile), FXO), 0, "{}", profile.name);
    }
}

/// Compares in each state what is offered with what is accepted; returns what was offered on which
/// line.
fn compare(ways: impl Iterator<Item = (&'static str, u32, impl Fn() -> At)>) -> Vec<(u32, u32)> {
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for (name, line, way) in ways {
        let at = way();
        let bits = offered(&at);
        seen.push((line, bits));
        // What is not offered changes nothing, so one call is enough for all of it.
        for (feature, function) in FEATURES.iter().filter(|(feature, _)| bits & feature == 0) {
            match ask(&at, *feature) {
                Err(LineError::INVALCALLSTATE | LineError::OPERATIONUNAVAIL) => {}
                other => wrong.push(format!("{name}: {} is not offered: {other:?}", function.name)),
            }
        }
        assert_eq!(offered(&at), bits, "{name}: refusals change nothing");
        for (feature, function) in FEATURES.iter().filter(|(feature, _)| bits & feature != 0) {
            let at = way();
            let asked = ask(&at, *feature);
            at.solo.run(50);
            let completion = at.solo.completion(id(ASKED)).unwrap_or(Ok(()));
            if asked.is_err() || completion.is_err() {
                let how = format!("{asked:?}, {completion:?}");
                wrong.push(format!("{name}: {} is offered: {how}", function.name));
            }
        }
        let offers = offers_to_call(&at);
        let (provider, line) = (&at.solo.provider, at.solo.line(line));
        let unlocked =
            provider.line_set_line_dev_status(id(199), line, LINEDEVSTATUSFLAGS_LOCKED, 0);
        if begun(unlocked).is_err() || at.solo.completion(id(199)) != Some(Ok(())) {
            wrong.push(format!("{name}: the status can't be set"));
        }
        let made = provider.line_make_call(id(200), line, tapi(10), Some("78"), 0, None);
        if made.map(|(_, ticket)| ticket.release()).is_ok() != offers {
            wrong.push(format!("{name}: making a call, offered: {offers}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    seen
}
