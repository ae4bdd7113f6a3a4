//! Who else calls during a conversation: alerted, acknowledged and told, at the levels and in the
//! noise of the standards; and no conversation is interrupted for anything else.
//!
//! A line is alerted by 75 to 85 ms of 2130 Hz and 2750 Hz, each half a percent at most beside it,
//! at -14 to -32 dBm with up to 6 dB between them (GR-575, ETSI EN 300 659-2).

mod line;

use line::{mix, music, noise, silence, sines, speech, through_line};
use ringback_media::caller_id::*;
use ringback_media::dtmf;
use ringback_media::level::rms_dbm0;

const CODINGS: [CallerIdCoding; 2] = [CallerIdCoding::Bell202, CallerIdCoding::V23];

fn ada() -> Caller {
    Caller {
        number: Party::Known("5551234".into()),
        name: Party::Known("ADA BYRON".into()),
        time: CallerTime::new(11, 28, 18, 5),
    }
}

fn all(mut fill: impl FnMut(&mut [i16]) -> usize) -> Vec<i16> {
    let mut samples = vec![0; 16_000];
    let count = fill(&mut samples);
    samples.truncate(count);
    samples
}

fn alert() -> Vec<i16> {
    let mut sender = AlertSender::default();
    all(|out| sender.fill(out))
}

fn message(coding: CallerIdCoding, wrong: Option<usize>) -> Vec<i16> {
    let mut sender = CallerIdSender::in_conversation(coding, &ada()).unwrap();
    if let Some(bit) = wrong {
        sender.set_wrong_bit(bit);
    }
    all(|out| sender.fill(out))
}

/// The echo of our own acknowledgement, which is heard as well.
fn acknowledgement() -> Vec<i16> {
    let mut generator = dtmf::Generator::new();
    generator.set_timing(ACKNOWLEDGEMENT_MS, 0);
    generator.set_levels(-25.0, -25.0);
    generator.push(dtmf::Digit::from_char(ACKNOWLEDGEMENT).unwrap());
    all(|out| generator.fill(out))
}

/// What the line hears: speech, the alert, and what follows it.
fn heard_line(coding: CallerIdCoding, wrong: Option<usize>) -> Vec<i16> {
    let told = message(coding, wrong);
    let ours = [silence(50), acknowledgement()].concat();
    [speech(1500, 3), silence(40), alert(), ours, told, speech(800, 4)].concat()
}

fn events(coding: CallerIdCoding, samples: &[i16]) -> Vec<(usize, WaitingCallEvent)> {
    let mut receiver = WaitingCallReceiver::new(coding).unwrap();
    let mut events = Vec::new();
    for (n, piece) in samples.chunks(8).enumerate() {
        receiver.feed(piece, &mut |event| events.push((n, event)));
    }
    events
}

fn what(events: Vec<(usize, WaitingCallEvent)>) -> Vec<WaitingCallEvent> {
    events.into_iter().map(|(_, event)| event).collect()
}

fn louder(samples: &[i16], db: f32) -> Vec<i16> {
    let gain = 10f32.powf(db / 20.0);
    samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect()
}

#[test]
fn a_caller_is_told_at_the_levels_and_in_the_noise_of_the_standard() {
    for coding in CODINGS {
        let line = heard_line(coding, None);
        // -15 dBm0 for each frequency of the alert at the exchange.
        for (db, seed) in [(1.0, 1), (0.0, 2), (-8.0, 3), (-16.0, 4)] {
            let noise = noise(line.len() / 8, -13.5 + db - 25.0, seed);
            let line = mix(&louder(&line, db), &noise);
            let expected =
                [WaitingCallEvent::Alerted, WaitingCallEvent::Told(ada()), WaitingCallEvent::Over];
            assert_eq!(what(events(coding, &line)), expected, "{coding:?} {db} dB");
        }
    }
}

#[test]
fn a_line_is_alerted_within_its_tolerances_in_time_to_acknowledge() {
    for (ms, off, low, high) in [
        (75, 1.0, -15.0, -15.0),
        (85, 1.0, -15.0, -15.0),
        (80, 1.005, -14.0, -20.0),
        (80, 0.995, -20.0, -14.0),
        (80, 1.0, -32.0, -32.0),
        (76, 0.995, -30.0, -30.0),
        (84, 1.005, -30.0, -30.0),
    ] {
        // Wherever windows begin.
        for shift in 0..10 {
            let tones = [(2130.0 * off, low), (2750.0 * off, high)];
            let line = [silence(500 + shift), sines(ms, &tones), silence(200)].concat();
            let line = mix(&line, &noise(line.len() / 8, -55.0, shift as u64));
            let events = events(CallerIdCoding::Bell202, &line);
            let [(at, WaitingCallEvent::Alerted)] = events[..] else {
                panic!("{ms} ms, {off}, {low}, {high}, {shift}: {events:?}")
            };
            let behind = at as i64 - (500 + shift + ms) as i64;
            assert!((-5..=25).contains(&behind), "{behind} ms behind its end");
        }
    }
}

#[test]
fn what_is_not_the_tone_alerts_nobody() {
    let (low, high) = (2130.0, 2750.0);
    for (ms, tones) in [
        (40, [(low, -15.0), (high, -15.0)]),
        (140, [(low, -15.0), (high, -15.0)]),
        (80, [(low * 1.03, -15.0), (high * 1.03, -15.0)]),
        (80, [(low, -15.0), (high, -30.0)]),
        (80, [(low, -45.0), (high, -45.0)]),
        (80, [(1633.0, -9.0), (941.0, -7.0)]),
    ] {
        let line = [silence(300), sines(ms, &tones), silence(300)].concat();
        let events = events(CallerIdCoding::Bell202, &line);
        assert!(events.is_empty(), "{ms} ms of {tones:?}: {events:?}");
    }
}

/// Twelve minutes of each.
#[test]
fn a_conversation_is_not_interrupted_for_speech_music_and_noise() {
    let mut receiver = WaitingCallReceiver::new(CallerIdCoding::V23).unwrap();
    for minute in 0..12 {
        for sound in [
            speech(60_000, minute),
            music(60_000, minute),
            noise(60_000, -10.0 - 3.0 * minute as f32, minute),
        ] {
            let sound = through_line(&sound, -50.0, minute);
            receiver.feed(&sound, &mut |event| panic!("minute {minute}: {event:?}"));
        }
    }
}

#[test]
fn a_conversation_goes_on_if_nothing_is_told_or_something_damaged() {
    for coding in CODINGS {
        let nothing = [silence(200), alert(), speech(3000, 5)].concat();
        let events_of_nothing = events(coding, &nothing);
        let [(from, WaitingCallEvent::Alerted), (to, WaitingCallEvent::Over)] =
            events_of_nothing[..]
        else {
            panic!("{events_of_nothing:?}")
        };
        assert!(to - from <= 760, "silenced for {} ms", to - from);
        let bits = (2 + 10 + 9 + 11 + 1) * 10;
        for bit in (0..bits - 1).step_by(7) {
            let line = [heard_line(coding, Some(bit)), silence(1500)].concat();
            let events = what(events(coding, &line));
            let expected = [WaitingCallEvent::Alerted, WaitingCallEvent::Over];
            assert_eq!(events, expected, "{coding:?}, bit {bit}");
        }
    }
}

#[test]
fn exchanges_that_send_digits_alert_nobody() {
    assert!(WaitingCallReceiver::new(CallerIdCoding::Dtmf { end: 'C' }).is_none());
    let digits = CallerIdCoding::Dtmf { end: 'C' };
    assert!(CallerIdSender::in_conversation(digits, &ada()).is_none());
}

/// What returns of our own side does not hide the alert as long as it is 6 dB weaker.
#[test]
fn a_line_is_alerted_although_our_own_side_speaks() {
    let alert_dbm0 = rms_dbm0(&alert());
    let mut heard = 0;
    for seed in 0..50 {
        let line = [silence(1000), alert(), silence(300)].concat();
        let speaks = speech(line.len() / 8 + 1, seed);
        // As loud as it is while the alert sounds.
        let while_alerted = rms_dbm0(&speaks[8000..8640]);
        let echo = louder(&speaks, (alert_dbm0 - 6.0 - while_alerted).min(0.0));
        let events = what(events(CallerIdCoding::Bell202, &mix(&line, &echo)));
        heard += usize::from(events.contains(&WaitingCallEvent::Alerted));
    }
    assert!(heard >= 45, "{heard} of 50");
}
