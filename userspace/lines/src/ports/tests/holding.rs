//! Calls of telephones on hold, and what a telephone hears that waits.

use ringback_media::tone::{CallProgress, Detector, Heard};

use super::*;

/// The tones in samples, each once for every time that it begins.
fn tones(samples: &[i16]) -> Vec<CallProgress> {
    let mut detector = Detector::new(ringback_country::Country::default().tones());
    let heard = samples.chunks(8).filter_map(|frame| detector.feed(frame));
    let began = heard.filter_map(|heard| match heard {
        Heard::Tone(what) => Some(what),
        Heard::Ended(_) => None,
    });
    began.collect()
}

impl World {
    /// A telephone that was rung and has answered.
    fn talking(&mut self) -> (HDRVCALL, Telephone) {
        let telephone = self.telephone(FXS);
        let (call, made) = self.make_call(LineNumber::at(FXS), "");
        made.unwrap();
        self.until(call, CallState::Ringback, 500);
        telephone.off_hook();
        self.until(call, CallState::Connected, 500);
        self.story();
        (call, telephone)
    }

    fn treat(&self, call: HDRVCALL, treatment: Treatment) {
        self.ask(Command::SetCallTreatment { call, treatment }).unwrap();
    }

    /// What a telephone hears in the next seconds, once the change is some frames old.
    fn hears(&mut self, telephone: &Telephone, ms: u64) -> Vec<i16> {
        self.run(100);
        telephone.take_heard();
        self.run(ms);
        telephone.take_heard()
    }
}

fn treatment_changed() -> String {
    format!("call {LINE_CALLINFO} {:?}", [LINECALLINFOSTATE_TREATMENT as usize, 0, 0])
}

#[test]
fn a_call_on_hold_is_muted_in_both_directions_until_it_is_connected_again() {
    for kernel in [false, true] {
        let mut world = World::start(kernel);
        let (call, telephone) = world.talking();
        world.subscribe(LineNumber::at(FXS));
        world.monitor_digits(call);
        let audio = world.audio(LineNumber::at(FXS));
        audio.play(&tone(1400.0, 1500));
        world.run(200);
        audio.record(true);
        world.ask(Command::Hold { call }).unwrap();
        let count = format!("line {LINE_ADDRESSSTATE} [0, {LINEADDRESSSTATE_NUMCALLS}, 0]");
        assert_eq!(world.story(), ["ok", "ONHOLD 0x0", &count]);
        let again = world.ask(Command::Hold { call });
        assert_eq!(again, Err(LineError::INVALCALLSTATE), "it is on hold already");
        telephone.dial("5");
        let silence = world.hears(&telephone, 2000);
        assert!(rms_dbm0(&silence) < -60.0, "the telephone hears nothing");
        assert_eq!(audio.queued(), 0, "what was to be played is lost");
        let mut heard = Vec::new();
        audio.fetch(&mut heard);
        assert!(heard.len() > 15_000 && heard.iter().all(|sample| *sample == 0), "muted");
        assert!(world.story().is_empty(), "no digit is reported");
        world.ask(Command::Unhold { call }).unwrap();
        assert_eq!(world.story(), ["ok", "CONNECTED 0x10", &count]);
        let again = world.ask(Command::Unhold { call });
        assert_eq!(again, Err(LineError::INVALCALLSTATE), "it is not on hold");
        audio.play(&tone(1400.0, 1000));
        telephone.dial("6");
        world.run(1200);
        assert!(has_tone(&telephone.take_heard(), 1400.0));
        assert_eq!(world.story(), ["digit 6 2"]);
        world.ask(Command::Hold { call }).unwrap();
        world.story();
        telephone.on_hook();
        world.until(call, CallState::Disconnected, HUNG_UP);
        let mut ends = world.story();
        ends.sort();
        assert_eq!(ends, ["DISCONNECTED 0x1".to_owned(), count], "whoever waits may hang up");
    }
}

#[test]
fn d17_hold_cancels_what_is_generated_and_d5_a_held_call_can_be_closed() {
    let mut world = World::new();
    let (call, telephone) = world.talking();
    world.generate(call, 7, Some("123456")).unwrap();
    world.run(100);
    world.ask(Command::Hold { call }).unwrap();
    assert_eq!(world.story(), ["ok", "generated 2 7", "ONHOLD 0x0"]);
    assert_eq!(world.generate(call, 8, Some("1")), Err(LineError::INVALCALLSTATE));
    world.close_call(call).unwrap();
    assert!(tones(&world.hears(&telephone, 2000)).contains(&CallProgress::Reorder));
    assert!(world.story().is_empty());
}

#[test]
fn a_telephone_that_waits_hears_the_treatment_of_its_call() {
    for kernel in [false, true] {
        let mut world = World::start(kernel);
        let telephone = world.telephone(FXS);
        telephone.call("5#");
        let call = world.offered(15_000);
        world.story();
        assert_eq!(tones(&world.hears(&telephone, 7000))[..1], [CallProgress::Ringback], "usually");
        world.treat(call, Treatment::Busy);
        assert_eq!(world.story(), [treatment_changed(), "ok".to_owned()]);
        assert_eq!(tones(&world.hears(&telephone, 5000))[..1], [CallProgress::Busy]);
        world.treat(call, Treatment::Busy);
        assert_eq!(world.story(), ["ok"], "nothing has changed");
        world.treat(call, Treatment::Silence);
        assert!(rms_dbm0(&world.hears(&telephone, 2000)) < -60.0);
        world.answer(call).unwrap();
        world.until(call, CallState::Connected, 500);
        // In conversation it is stored only.
        world.treat(call, Treatment::Ringback);
        assert!(rms_dbm0(&world.hears(&telephone, 2000)) < -60.0);
        world.ask(Command::Hold { call }).unwrap();
        assert_eq!(tones(&world.hears(&telephone, 7000))[..1], [CallProgress::Ringback]);
        world.ask(Command::Unhold { call }).unwrap();
        assert!(rms_dbm0(&world.hears(&telephone, 2000)) < -60.0);
        world.drop_call(call).unwrap();
        assert!(tones(&world.hears(&telephone, 3000)).contains(&CallProgress::Reorder));
    }
}
