//! The telephones of FXS lines as phones.

use super::*;
use ringback_tspi::error::PhoneError;
use ringback_tspi::types::HTAPIPHONE;

const LINE: LineNumber = LineNumber(0);
const ALL: PhoneWishes = PhoneWishes {
    states: u32::MAX,
    button_modes: PHONEBUTTONMODE_KEYPAD,
    button_states: PHONEBUTTONSTATE_UP | PHONEBUTTONSTATE_DOWN,
};

impl World {
    /// Opens the phone of line 0, with all its messages.
    fn phone(&mut self) -> Opening {
        let opening = self.open_phone(LINE).unwrap();
        self.wish(opening, ALL);
        opening
    }

    fn wish(&self, opening: Opening, wishes: PhoneWishes) {
        let set = self.handle.with(move |lines, _| lines.set_phone_wishes(LINE, opening, wishes));
        set.unwrap().unwrap();
    }

    fn open_phone(&self, line: LineNumber) -> Result<Opening, PhoneError> {
        let tapi = HTAPIPHONE::new(9).unwrap();
        self.handle.with(move |lines, _| lines.open_phone(line, tapi)).unwrap()
    }

    fn close_phone(&self) -> Result<(), PhoneError> {
        self.handle.with(|lines, cx| lines.close_phone(LINE, cx)).unwrap()
    }

    fn set(&self, opening: Opening, setting: PhoneSetting) -> Result<(), PhoneError> {
        let asked = self.submit(LINE, Command::SetPhone { line: LINE, opening, setting });
        asked.map(drop).map_err(|error| PhoneError::from_raw(error.raw()).unwrap())
    }

    fn phone_report(&self, opening: Opening) -> PhoneReport {
        self.handle.with(move |lines, _| lines.phone(LINE, opening)).unwrap().unwrap()
    }

    /// The upcalls of the last `ms` about the phone and its requests.
    fn phone_story(&mut self, ms: u64) -> Vec<String> {
        self.run(ms);
        let of_phone = |told: &String| {
            ["phone", "button", "PHONE", "ok"].iter().any(|word| told.starts_with(word))
        };
        self.story().into_iter().filter(of_phone).collect()
    }
}

fn state(state: u32, detail: u32) -> String {
    format!("phone state {state:#x} {detail}")
}

fn hook(mode: u32) -> String {
    state(PHONESTATE_HANDSETHOOKSWITCH, mode)
}

#[test]
fn the_hook_switch_and_the_keys_of_a_phone_are_reported() {
    let mut world = World::new();
    let phone = world.phone();
    let telephone = world.telephone(FXS);
    assert_eq!(world.phone_story(100), [""; 0], "nothing has changed");
    telephone.off_hook();
    assert_eq!(world.phone_story(200), [hook(PHONEHOOKSWITCHMODE_MICSPEAKER)]);
    assert!(world.phone_report(phone).off_hook);
    telephone.dial("1#");
    let keys = ["button 1 2", "button 1 1", "button 11 2", "button 11 1"];
    assert_eq!(world.phone_story(1000), keys);
    telephone.on_hook();
    assert_eq!(world.phone_story(HUNG_UP), [hook(PHONEHOOKSWITCHMODE_ONHOOK)]);
    // What was not asked for is not sent.
    world.wish(phone, PhoneWishes::default());
    telephone.off_hook();
    telephone.dial("5");
    assert_eq!(world.phone_story(1000), [""; 0]);
}

#[test]
fn a_phone_is_rung_without_a_call_until_it_is_told_to_stop() {
    let mut world = World::new();
    let phone = world.phone();
    let telephone = world.telephone(FXS);
    world.set(phone, PhoneSetting::Ring(1)).unwrap();
    assert_eq!(world.phone_story(7000), ["ok", &state(PHONESTATE_RINGMODE, 1)], "C3: once");
    assert!(telephone.ring_count() >= 2, "in the country's cadence");
    assert_eq!(world.phone_report(phone).ring_mode, 1);
    world.set(phone, PhoneSetting::Ring(0)).unwrap();
    assert_eq!(world.phone_story(500), ["ok", &state(PHONESTATE_RINGMODE, 0)]);
    assert!(!telephone.is_ringing());

    // Lifted it gets dial tone, because there is no call that it could answer.
    world.set(phone, PhoneSetting::Ring(1)).unwrap();
    world.run(500);
    telephone.off_hook();
    world.run(500);
    assert_eq!(world.phone_report(phone).ring_mode, 0);
    assert_eq!(world.set(phone, PhoneSetting::Ring(1)), Err(PhoneError::INVALPHONESTATE));
    world.set(phone, PhoneSetting::Ring(0)).unwrap();
    telephone.take_heard();
    world.run(500);
    let heard = telephone.heard();
    let level = rms_dbm0(&heard);
    assert!(level > -30.0 && power_at(&heard, 440.0) > level - 4.0, "dial tone");
    telephone.on_hook();
    world.run(HUNG_UP);

    // It has a deadline of its own.
    world.set(phone, PhoneSetting::Ring(1)).unwrap();
    world.run(179_000);
    assert_eq!(world.phone_report(phone).ring_mode, 1);
    world.run(2000);
    assert_eq!(world.phone_report(phone).ring_mode, 0);
}

#[test]
fn a_call_rings_the_phone_and_then_nobody_else_may() {
    let mut world = World::new();
    let phone = world.phone();
    world.set(phone, PhoneSetting::Ring(1)).unwrap();
    world.run(100);
    let (call, made) = world.make_call(LINE, "");
    made.unwrap();
    world.run(500);
    for mode in [1, 0] {
        let refused = world.set(phone, PhoneSetting::Ring(mode));
        assert_eq!(refused, Err(PhoneError::INVALPHONESTATE), "R4");
    }
    world.close_phone().unwrap();
    world.run(500);
    assert!(world.telephone(FXS).is_ringing() || world.telephone(FXS).ring_count() > 0);
    assert_eq!(world.state(call), Some(CallState::Ringback), "the call goes on");
    world.telephone(FXS).off_hook();
    world.until(call, CallState::Connected, 500);
}

#[test]
fn volume_and_gain_make_the_other_side_louder_and_softer() {
    let mut world = World::new();
    let phone = world.phone();
    let (call, telephone) = (world.make_call(LINE, "").0, world.telephone(FXS));
    world.run(1000);
    telephone.off_hook();
    world.until(call, CallState::Connected, 500);
    world.run(200);
    world.story();
    let audio = world.audio(LINE);
    let heard = |world: &mut World, setting| -> (f32, f32) {
        world.set(phone, setting).unwrap();
        audio.hush();
        world.run(100);
        telephone.take_heard();
        audio.record(true);
        audio.play(&tone(1000.0, 400));
        telephone.play(&tone(1000.0, 400));
        world.run(300);
        let (to, mut from) = (telephone.take_heard(), Vec::new());
        audio.record(false);
        audio.fetch(&mut from);
        [to, from].map(|heard| rms_dbm0(&heard[800..2000])).into()
    };
    let normal = heard(&mut world, PhoneSetting::Volume(0x8000));
    let louder = heard(&mut world, PhoneSetting::Volume(0xFFFF));
    assert!((louder.0 - normal.0 - 3.5).abs() < 0.3, "{louder:?} {normal:?}");
    let silent = heard(&mut world, PhoneSetting::Volume(0));
    assert!(silent.0 < -60.0, "{silent:?}");
    let softer = heard(&mut world, PhoneSetting::Gain(1));
    assert!((normal.1 - softer.1 - 3.5).abs() < 0.3, "{softer:?} {normal:?}");
    let report = world.phone_report(phone);
    assert_eq!((report.volume, report.gain), (0, 1));
    let told = world.phone_story(0);
    let changes = [PHONESTATE_HANDSETVOLUME, PHONESTATE_HANDSETVOLUME, PHONESTATE_HANDSETGAIN];
    let changes: Vec<String> = changes.iter().map(|what| state(*what, 0)).collect();
    let told: Vec<_> = told.into_iter().filter(|told| told.starts_with("phone")).collect();
    assert_eq!(told, changes, "the first one has changed nothing");
}

#[test]
fn the_lamp_says_that_messages_wait_and_the_dial_tone_stutters() {
    let mut world = World::new();
    let phone = world.phone();
    world.subscribe(LINE);
    let telephone = world.telephone(FXS);
    let pauses = |world: &mut World| {
        telephone.off_hook();
        world.run(100);
        telephone.take_heard();
        world.run(3000);
        let heard = telephone.take_heard();
        telephone.on_hook();
        world.run(HUNG_UP);
        let sounds: Vec<bool> = heard.chunks(80).map(|part| rms_dbm0(part) > -40.0).collect();
        assert_eq!(sounds.last(), Some(&true), "at last it is continuous");
        sounds.chunk_by(|a, b| a == b).filter(|run| !run[0]).count()
    };
    assert_eq!(pauses(&mut world), 0);
    world.story();
    world.set(phone, PhoneSetting::Lamp(PHONELAMPMODE_STEADY)).unwrap();
    world.set(phone, PhoneSetting::Lamp(PHONELAMPMODE_FLASH)).unwrap();
    world.run(1);
    let (lamp, on) =
        (state(PHONESTATE_LAMP, 0), format!("line 8 [{LINEDEVSTATE_MSGWAITON}, 0, 0]"));
    assert_eq!(world.story(), ["ok", &on, &lamp, "ok", &lamp]);
    assert!(world.report(LINE).message_waiting);
    assert!(pauses(&mut world) >= 5, "of six in North America");
    world.story();
    world.close_phone().unwrap();
    let phone = world.phone();
    assert_eq!(world.phone_report(phone).lamp, PHONELAMPMODE_FLASH, "it outlives the opening");
    world.set(phone, PhoneSetting::Lamp(PHONELAMPMODE_OFF)).unwrap();
    let off = format!("line 8 [{LINEDEVSTATE_MSGWAITOFF}, 0, 0]");
    assert_eq!(world.story(), ["ok", &off, &lamp]);
    assert_eq!(pauses(&mut world), 0);
}

#[test]
fn d10_a_closed_phone_is_silent_and_its_requests_fail_in_a_later_opening() {
    let mut world = World::new();
    let first = world.phone();
    assert_eq!(world.open_phone(LINE), Err(PhoneError::ALLOCATED));
    assert_eq!(world.open_phone(LineNumber::at(FXO)), Err(PhoneError::NODEVICE));
    assert_eq!(world.open_phone(LineNumber(9)), Err(PhoneError::NODEVICE));
    world.set(first, PhoneSetting::Ring(1)).unwrap();
    world.run(500);
    world.close_phone().unwrap();
    assert_eq!(world.close_phone(), Err(PhoneError::INVALPHONEHANDLE));
    world.run(500);
    assert!(!world.telephone(FXS).is_ringing(), "it has stopped");
    world.story();
    world.telephone(FXS).off_hook();
    assert_eq!(world.phone_story(300), [""; 0]);
    let second = world.phone();
    for setting in [PhoneSetting::Ring(0), PhoneSetting::Gain(1), PhoneSetting::Lamp(2)] {
        assert_eq!(world.set(first, setting), Err(PhoneError::INVALPHONEHANDLE));
    }
    world.set(second, PhoneSetting::Ring(0)).unwrap();
    // Closing the line leaves the phone open, with its messages.
    world.telephone(FXS).on_hook();
    world.run(HUNG_UP);
    world.close(LINE);
    let told = world.phone_story(0);
    assert_eq!(told, ["ok", &hook(PHONEHOOKSWITCHMODE_ONHOOK)]);
}

#[test]
fn d13_a_phone_is_closed_when_its_card_is_gone() {
    let mut world = World::new();
    let phone = world.phone();
    world.card.set_fault(Fault::Removal, true);
    assert_eq!(world.phone_story(500), ["PHONE_CLOSE"]);
    let refused = world.set(phone, PhoneSetting::Lamp(PHONELAMPMODE_STEADY));
    assert_eq!(refused, Err(PhoneError::NODEVICE));
    assert_eq!(world.open_phone(LINE), Err(PhoneError::NODEVICE));
}

#[test]
fn a_phone_rings_distinctively_in_the_modes_that_it_has() {
    let mut world = World::new();
    let phone = world.phone();
    let telephone = world.telephone(FXS);
    for (mode, bursts) in [(1, vec![2000]), (2, vec![800, 800]), (3, vec![300, 1000])] {
        world.set(phone, PhoneSetting::Ring(mode)).unwrap();
        let mut heard = vec![0];
        for _ in 0..3500 {
            world.run(1);
            match (telephone.is_ringing(), heard.last_mut()) {
                (true, Some(last)) => *last += 1,
                (false, Some(last)) if *last > 0 => heard.push(0),
                _ => {}
            }
        }
        heard.retain(|ms| *ms > 0);
        assert_eq!(heard.len(), bursts.len(), "mode {mode}: {heard:?}");
        let near = heard.iter().zip(&bursts).all(|(heard, ms)| i32::abs(heard - ms) < 60);
        assert!(near, "mode {mode}: {heard:?} ms");
        assert_eq!(world.phone_report(phone).ring_mode, mode);
        world.set(phone, PhoneSetting::Ring(0)).unwrap();
        world.run(500);
    }
}
