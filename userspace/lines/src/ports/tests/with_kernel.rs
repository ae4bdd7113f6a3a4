//! Calls on a card whose samples the kernel moves, with the `ringback` module's part played here.

use ringback_media::tone::{CallProgress, Detector, Heard};

use super::kernel::Written;
use super::*;

impl World {
    fn kernel(&mut self) -> &mut Kernel {
        let kernel = self.outside.kernel.as_mut().unwrap();
        kernel.take_orders(&mut self.stepper);
        kernel
    }

    /// What was written to a port since the last call.
    fn written(&mut self, port: usize) -> Vec<Written> {
        std::mem::take(&mut self.kernel().ports[port].written)
    }
}

/// A digit with the silence behind it, in samples.
const DIGIT: usize = 160 * 8;

#[test]
fn n10_o1_an_outgoing_call_passes_its_states_in_order_with_audio_both_ways() {
    let mut world = World::with_kernel();
    let far = world.subscriber("5550100", speaker());
    let (call, made) = world.make_call(LineNumber::at(FXO), "555-0100");
    made.unwrap();
    world.until(call, CallState::Connected, 20_000);
    assert_eq!(
        world.story(),
        ["ok", "DIALTONE 0x1", "DIALING 0x0", "PROCEEDING 0x0", "RINGBACK 0x0", "CONNECTED 0x1"]
    );
    assert_eq!(world.written(FXO), [(None, 7 * DIGIT)], "dialled in one buffer");
    world.monitor_digits(call);
    let audio = world.audio(LineNumber::at(FXO));
    audio.record(true);
    assert_eq!(audio.play(&tone(1500.0, 1000)), 8000);
    world.run(500);
    assert!((3500..6000).contains(&audio.queued()), "{} left of 8000", audio.queued());
    world.run(4000);
    assert_eq!(audio.queued(), 0);
    let mut heard = Vec::new();
    audio.fetch(&mut heard);
    assert!(has_tone(&heard, 1000.0), "we hear the subscriber");
    assert!(has_tone(&far.heard(), 1500.0), "the subscriber hears us");
    assert_eq!(world.story(), ["digit 4 2", "digit 2 2", "digit # 2"]);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn a_dial_is_one_write_under_its_id_and_ends_with_it() {
    let mut world = World::with_kernel();
    world.subscriber("4567", Behaviour::AnswerAfterRings(2));
    let call = world.seize(LineNumber::at(FXO));
    let id = world.dial(call, "45;").unwrap();
    world.run(1);
    assert_eq!(world.written(FXO), [(Some(id), 2 * DIGIT)]);
    world.run(300);
    assert_eq!(world.story(), ["DIALING 0x0"], "N12: accepted when the digits are out");
    world.run(40);
    assert_eq!(world.story(), ["ok"]);
    let id = world.dial(call, "67").unwrap();
    world.run(1);
    assert_eq!(world.written(FXO), [(Some(id), 2 * DIGIT)]);
    world.until(call, CallState::Ringback, 12_000);
    assert_eq!(world.story(), ["ok", "PROCEEDING 0x0", "RINGBACK 0x0"]);
    assert_eq!(world.card.exchange().dialled("102").as_deref(), Some("4567"));
}

#[test]
fn d7_a_drop_drops_what_is_being_dialled_and_ends_the_request_once() {
    let mut world = World::with_kernel();
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    world.dial(call, "12345").unwrap();
    world.run(300);
    world.story();
    assert_eq!(world.kernel().ports[FXO].silenced, 0);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED", "IDLE 0x0", "ok"]);
    let port = &world.kernel().ports[FXO];
    assert_eq!((port.silenced, port.plays.len()), (1, 0), "at once");
    world.run(3000);
    assert_eq!(world.story().len(), 0, "its WRITE's end is not the request's any more");
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn d17_k5_digits_end_when_they_were_played_or_are_dropped() {
    let mut world = World::with_kernel();
    world.subscriber("5", Behaviour::AnswerThen { rings: 1, steps: vec![] });
    let call = world.seize(LineNumber::at(FXO));
    world.generate(call, 7, Some("98")).unwrap();
    world.run(1);
    assert_eq!(world.written(FXO), [(None, 2 * DIGIT)]);
    world.run(300);
    assert_eq!(world.story().len(), 0);
    world.run(40);
    assert_eq!(world.story(), ["generated 1 7"]);
    world.generate(call, 8, Some("98")).unwrap();
    world.run(100);
    world.generate(call, 0, None).unwrap();
    assert_eq!(world.story(), ["generated 2 8"]);
    assert_eq!(world.kernel().ports[FXO].silenced, 1);
    world.run(500);
    assert_eq!(world.story().len(), 0);
}

#[test]
fn a_telephone_hears_the_tones_of_its_call_and_no_more_of_them() {
    let mut world = World::with_kernel();
    let telephone = world.telephone(FXS);
    let tones = |samples: &[i16]| {
        let mut detector = Detector::new(ringback_country::Country::default().tones());
        let heard = samples.chunks(8).filter_map(|frame| detector.feed(frame));
        heard.collect::<Vec<_>>()
    };
    telephone.off_hook();
    world.run(5000);
    assert_eq!(tones(&telephone.take_heard()), [Heard::Tone(CallProgress::Dial)], "gapless");
    telephone.dial("100#");
    let call = world.offered(5000);
    world.run(1000);
    telephone.take_heard();
    world.run(7000);
    assert!(tones(&telephone.take_heard()).contains(&Heard::Tone(CallProgress::Ringback)));
    world.answer(call).unwrap();
    world.run(100);
    telephone.take_heard();
    world.run(1000);
    let quiet = telephone.take_heard();
    assert!(rms_dbm0(&quiet) < -60.0, "the tone has ended with the answer");
    assert_eq!(world.story(), ["NEWCALL", "OFFERING 0x1", "CONNECTED 0x10", "ok"]);
    world.drop_call(call).unwrap();
    world.run(3000);
    assert!(tones(&telephone.take_heard()).contains(&Heard::Tone(CallProgress::Reorder)));
    telephone.on_hook();
    world.run(HUNG_UP);
    assert_eq!(world.kernel().ports[FXS].queue.len(), 0);
}

#[test]
fn an_incoming_call_is_offered_answered_and_ends() {
    let mut world = World::with_kernel();
    let caller = world.subscriber("5550123", Behaviour::Manual);
    caller.call("102");
    let call = world.offered(15_000);
    world.answer(call).unwrap();
    world.until(call, CallState::Connected, 1000);
    caller.on_hook();
    world.until(call, CallState::Disconnected, 3000);
    world.drop_call(call).unwrap();
    let story = ["NEWCALL", "OFFERING 0x1", "CONNECTED 0x1", "ok", "DISCONNECTED 0x1", "IDLE 0x0"];
    assert_eq!(world.story()[..6], story);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn what_the_kernel_gives_up_fails_its_request_once() {
    let mut world = World::with_kernel();
    let call = world.seize(LineNumber::at(FXO));
    world.kernel().broken = Some(5);
    world.dial(call, "12").unwrap();
    world.run(50);
    let mode = LINEDISCONNECTMODE_OUTOFORDER;
    let expected = [
        "DIALING 0x0".to_owned(),
        "LINEERR_OPERATIONFAILED".to_owned(),
        format!("DISCONNECTED {mode:#x}"),
    ];
    assert_eq!(world.story(), expected);
    world.drop_call(call).unwrap();
    assert_eq!(world.story(), ["IDLE 0x0", "ok"]);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn d13_removal_in_the_middle_of_everything_ends_each_request_once() {
    let mut world = World::with_kernel();
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    world.dial(call, "12345").unwrap();
    let (_, made) = world.make_call(LineNumber::at(SUPERVISED), "1");
    made.unwrap();
    world.run(100);
    world.story();
    world.card.set_fault(Fault::Removal, true);
    world.run(100);
    let story = world.story();
    let failed = story.iter().filter(|told| *told == "LINEERR_NODEVICE").count();
    assert_eq!(failed, 2, "{story:?}");
    world.run(3000);
    assert_eq!(world.story().len(), 0);
}

#[test]
fn d1_d2_closing_a_line_drops_what_it_plays() {
    let mut world = World::with_kernel();
    let (call, _) = world.make_call(LineNumber::at(FXO), "");
    world.until(call, CallState::DialTone, 3000);
    world.dial(call, "12345").unwrap();
    world.run(100);
    world.story();
    world.close(LineNumber::at(FXO));
    assert_eq!(world.story(), ["LINEERR_OPERATIONFAILED"]);
    assert!(world.kernel().ports[FXO].queue.is_empty());
    world.run(2000);
    assert_eq!(world.story().len(), 0);
    world.assert_on_hook(LineNumber::at(FXO));
}

#[test]
fn a_telephone_that_was_rung_hears_our_digits_and_our_sound() {
    let mut world = World::with_kernel();
    let telephone = world.telephone(FXS);
    telephone.set_behaviour(Behaviour::AnswerAfterRings(2));
    let (call, made) = world.make_call(LineNumber::at(FXS), "");
    made.unwrap();
    world.until(call, CallState::Connected, 15_000);
    assert_eq!(world.story(), ["ok", "RINGBACK 0x0", "CONNECTED 0x10"]);
    world.monitor_digits(call);
    world.generate(call, 7, Some("1234")).unwrap();
    world.run(800);
    assert_eq!(world.story(), ["generated 1 7"]);
    assert_eq!(telephone.digits_heard(), "1234");
    telephone.dial("98#*");
    world.run(2000);
    assert_eq!(world.story(), ["digit 9 2", "digit 8 2", "digit # 2", "digit * 2"]);
    let audio = world.audio(LineNumber::at(FXS));
    audio.play(&tone(1400.0, 1000));
    world.run(1500);
    assert!(has_tone(&telephone.heard(), 1400.0));
    let recoveries = world.handle.with(|lines, _| lines.card().counters().recoveries).unwrap();
    assert_eq!(recoveries, 0, "a card that moves was not started anew");
    telephone.on_hook();
    world.until(call, CallState::Disconnected, HUNG_UP);
}
