//! Caller id of each kind, at the levels and in the noise of its standard; and that nothing else
//! is taken for it.
//!
//! A receiver of data messages works from -4.2 to -36.2 dBm with 20 dB between signal and noise in
//! North America (TIA-716), and from -5.8 to -37.8 dBm with 25 dB in Europe (ETSI EN 300 778-1).

mod line;

use std::slice::from_ref;

use line::{mix, music, noise, silence, sines, speech, through_line};
use ringback_media::caller_id::*;
use ringback_media::g711;

const METHODS: [CallerIdMethod; 6] = [
    method(CallerIdCoding::Bell202, CallerIdMoment::AfterRing),
    method(CallerIdCoding::V23, CallerIdMoment::AfterRing),
    method(CallerIdCoding::V23, CallerIdMoment::AfterReversal),
    method(CallerIdCoding::Ntt, CallerIdMoment::OffHook),
    method(CallerIdCoding::Dtmf { end: 'C' }, CallerIdMoment::BeforeRing),
    method(CallerIdCoding::Dtmf { end: '#' }, CallerIdMoment::AfterReversal),
];
/// The level at which senders send.
const SENT_DBM0: f32 = -13.5;

const fn method(coding: CallerIdCoding, moment: CallerIdMoment) -> CallerIdMethod {
    CallerIdMethod { coding, moment }
}

fn known(text: &str) -> Party {
    Party::Known(text.into())
}

/// Whether it is a data message, which has names and times, too.
fn is_message(method: CallerIdMethod) -> bool {
    !matches!(method.coding, CallerIdCoding::Dtmf { .. })
}

/// Callers as they can be told.
fn callers(method: CallerIdMethod) -> Vec<Caller> {
    let numbers = [known("03012345678"), known("5551234"), Party::Withheld, Party::OutOfArea];
    let names = [known("ADA BYRON"), Party::Unknown, Party::Withheld, Party::OutOfArea];
    let time = CallerTime::new(11, 28, 18, 5);
    let pairs = numbers.into_iter().zip(names);
    pairs
        .map(|(number, name)| match is_message(method) {
            true => Caller { number, name, time },
            false => Caller { number, ..Caller::default() },
        })
        .collect()
}

fn sent(method: CallerIdMethod, caller: &Caller, wrong: Option<usize>) -> Vec<i16> {
    let mut sender = CallerIdSender::new(method, caller);
    if let Some(bit) = wrong {
        sender.set_wrong_bit(bit);
    }
    let [told, all] = sender.lengths_ms();
    let mut samples = vec![0; 80_000];
    let mut count = 0;
    // In pieces of any size.
    for piece in [1, 8, 13, 80, 160, 7].into_iter().cycle() {
        let filled = sender.fill(&mut samples[count..count + piece]);
        count += filled;
        if filled < piece {
            break;
        }
    }
    assert!(sender.is_over() && sender.has_told());
    assert_eq!(all as usize, count.div_ceil(8));
    let behind_ring = [CallerIdMoment::AfterRing, CallerIdMoment::OffHook].contains(&method.moment);
    assert_eq!(all - told, if behind_ring { 0 } else { 400 });
    samples.truncate(count);
    samples
}

fn heard(coding: CallerIdCoding, samples: &[i16]) -> Vec<Caller> {
    let mut receiver = CallerIdReceiver::new(coding);
    let mut heard = Vec::new();
    for piece in samples.chunks(8) {
        receiver.feed(piece, &mut |caller| heard.push(caller));
    }
    heard
}

fn louder(samples: &[i16], db: f32) -> Vec<i16> {
    let gain = 10f32.powf(db / 20.0);
    samples.iter().map(|sample| (f32::from(*sample) * gain) as i16).collect()
}

#[test]
fn each_kind_is_heard_at_the_levels_and_in_the_noise_of_its_standard() {
    for method in METHODS {
        let (levels, distance): (&[f32], _) = match method.coding {
            CallerIdCoding::Bell202 => (&[-4.2, -13.5, -25.0, -32.0, -36.2], 20.0),
            CallerIdCoding::V23 | CallerIdCoding::Ntt => {
                (&[-5.8, -13.5, -25.0, -32.0, -37.8], 25.0)
            }
            CallerIdCoding::Dtmf { .. } => (&[-4.0, -13.5, -28.0], 25.0),
        };
        for (n, caller) in callers(method).into_iter().enumerate() {
            let told = sent(method, &caller, None);
            for &level in levels {
                let told = louder(&told, level - SENT_DBM0);
                for seed in 0..5 {
                    let seed = seed * 10 + n as u64;
                    let noise = noise(told.len() / 8 + 1, level - distance, seed);
                    let line = mix(&told, &noise).into_iter();
                    let line: Vec<i16> =
                        line.map(|s| g711::ulaw_decode(g711::ulaw_encode(s))).collect();
                    let heard = heard(method.coding, &line);
                    assert_eq!(heard, from_ref(&caller), "{method:?} {level} dBm0, seed {seed}");
                }
            }
        }
    }
}

#[test]
fn a_receiver_hears_the_next_one_and_can_begin_anew() {
    for method in METHODS {
        let [first, second, ..] = &callers(method)[..] else { panic!("there are several") };
        let told = [sent(method, first, None), silence(2000), sent(method, second, None)].concat();
        assert_eq!(heard(method.coding, &told), [first.clone(), second.clone()], "{method:?}");
        let mut receiver = CallerIdReceiver::new(method.coding);
        let whole = sent(method, first, None);
        let (half, _) = whole.split_at(whole.len() * 3 / 5);
        let mut heard = Vec::new();
        receiver.feed(half, &mut |caller| heard.push(caller));
        receiver.reset();
        receiver.feed(&whole, &mut |caller| heard.push(caller));
        assert_eq!(heard, from_ref(first), "{method:?}");
    }
}

/// The frequencies of North America differ in level by up to 10 dB at the end of a long line.
#[test]
fn a_line_that_dampens_high_frequencies_does_not_matter() {
    for method in METHODS.into_iter().filter(|method| is_message(*method)) {
        let caller = &callers(method)[0];
        for feedback in [0.0, 0.3, 0.6] {
            let mut last = 0.0;
            let damped = sent(method, caller, None).into_iter().map(|sample| {
                last = f32::from(sample) * (1.0 - feedback) + last * feedback;
                last as i16
            });
            let line = through_line(&damped.collect::<Vec<_>>(), -55.0, 7);
            assert_eq!(heard(method.coding, &line), from_ref(caller), "{method:?} {feedback}");
        }
    }
}

#[test]
fn a_message_with_a_wrong_bit_is_refused() {
    for method in METHODS.into_iter().filter(|method| is_message(*method)) {
        let caller = &callers(method)[0];
        let bytes = match method.coding {
            CallerIdCoding::Ntt => 5 + 2 + 13 + 10 + 11 + 2 + 2,
            _ => 2 + 10 + 13 + 11 + 1,
        };
        for bit in 0..bytes * 10 {
            let line = sent(method, caller, Some(bit));
            let heard = heard(method.coding, &line);
            // Without its start bit a byte is shifted, and without its stop bit it is none; only
            // the last stop bit is nothing's.
            let last = bit == bytes * 10 - 1;
            // The parity of the two characters before what is checked is nothing's either.
            let parity = method.coding == CallerIdCoding::Ntt && [8, 18].contains(&bit);
            let harmless = last || parity;
            assert!(heard.is_empty() || harmless, "{method:?}, bit {bit}: {heard:?}");
        }
    }
}

#[test]
fn what_is_cut_off_or_interrupted_is_refused() {
    for method in METHODS {
        let caller = &callers(method)[0];
        let told = sent(method, caller, None);
        let end = told.iter().rposition(|sample| *sample != 0).unwrap();
        for part in 1..20 {
            let cut = [&told[..end * part / 20], &silence(3000)].concat();
            assert!(heard(method.coding, &cut).is_empty(), "{method:?}: {part} of 20 parts");
        }
        if is_message(method) {
            let mut broken = told.clone();
            broken[end - 2000..end - 1600].fill(0);
            assert!(heard(method.coding, &broken).is_empty(), "{method:?}");
        }
    }
}

/// Twelve minutes of each: enough for thousands of bytes that a receiver of data messages makes of
/// them.
#[test]
fn nothing_is_made_up_from_speech_music_and_noise() {
    let codings = [
        CallerIdCoding::Bell202,
        CallerIdCoding::V23,
        CallerIdCoding::Ntt,
        CallerIdCoding::Dtmf { end: 'C' },
    ];
    let mut receivers = codings.map(CallerIdReceiver::new);
    for minute in 0..12 {
        for sound in [
            speech(60_000, minute),
            music(60_000, minute),
            noise(60_000, -10.0 - 3.0 * minute as f32, minute),
        ] {
            let sound = through_line(&sound, -50.0, minute);
            for (receiver, coding) in receivers.iter_mut().zip(codings) {
                receiver.feed(&sound, &mut |caller| panic!("{coding:?}: {caller:?}"));
                assert_eq!(receiver.take_indicator(), None, "{coding:?}");
            }
        }
    }
    // And they hear what is sent after it.
    for (receiver, coding) in receivers.iter_mut().zip(codings) {
        let method = method(coding, CallerIdMoment::AfterRing);
        let caller = &callers(method)[0];
        let mut heard = Vec::new();
        receiver.feed(&sent(method, caller, None), &mut |caller| heard.push(caller));
        assert_eq!(heard, from_ref(caller));
    }
}

/// Tones of exchanges and of equipment on the line are nothing either.
#[test]
fn nothing_is_made_up_from_tones() {
    for hz in [425.0, 1100.0, 1200.0, 1300.0, 2100.0, 2130.0, 2200.0, 2750.0] {
        let tone = sines(5000, &[(hz, -10.0)]);
        for method in METHODS {
            assert!(heard(method.coding, &tone).is_empty(), "{hz} Hz");
        }
    }
}

#[test]
fn hostile_names_are_text() {
    let name = known("\u{1b}[31mRed\u{7}\r\n");
    let method = METHODS[0];
    let caller = Caller { number: known("5551234"), name, time: None };
    let heard = heard(method.coding, &sent(method, &caller, None));
    assert_eq!(heard[0].name.text(), Some("[31mRed"));
}

/// Methods by which exchanges tell whether messages wait.
const INDICATORS: [CallerIdMethod; 3] = [METHODS[0], METHODS[1], METHODS[2]];

fn indicator(method: CallerIdMethod, waits: bool, wrong: Option<usize>) -> Vec<i16> {
    let mut sender = CallerIdSender::message_waiting(method, waits).unwrap();
    if let Some(bit) = wrong {
        sender.set_wrong_bit(bit);
    }
    let mut samples = vec![0; 20_000];
    let count = sender.fill(&mut samples);
    assert!(sender.is_over());
    assert_eq!(sender_length(method, waits), count.div_ceil(8));
    // The receiver knows the end of a message by what is behind it.
    samples.truncate(count + 8 * 100);
    samples
}

fn sender_length(method: CallerIdMethod, waits: bool) -> usize {
    let sender = CallerIdSender::message_waiting(method, waits).unwrap();
    sender.lengths_ms()[1] as usize
}

fn indicated(coding: CallerIdCoding, samples: &[i16]) -> Option<bool> {
    let mut receiver = CallerIdReceiver::new(coding);
    for piece in samples.chunks(8) {
        receiver.feed(piece, &mut |caller| panic!("{caller:?}"));
    }
    let told = receiver.take_indicator();
    assert_eq!(receiver.take_indicator(), None, "it is told once");
    told
}

#[test]
fn messages_wait_or_not_at_the_levels_and_in_the_noise_of_the_standards() {
    for method in INDICATORS {
        let (levels, distance) = match method.coding {
            CallerIdCoding::Bell202 => ([-4.2, -13.5, -36.2], 20.0),
            _ => ([-5.8, -13.5, -37.8], 25.0),
        };
        for waits in [true, false] {
            for level in levels {
                let told = louder(&indicator(method, waits, None), level - SENT_DBM0);
                for seed in 0..5 {
                    let noise = noise(told.len() / 8 + 1, level - distance, seed);
                    let told = indicated(method.coding, &mix(&told, &noise));
                    assert_eq!(told, Some(waits), "{method:?} {level}");
                }
            }
            // Type, length, parameter, its length, its value, checksum: ten bits each.
            for bit in (0..60).filter(|bit| (1..9).contains(&(bit % 10))) {
                let heard = indicated(method.coding, &indicator(method, waits, Some(bit)));
                assert_eq!(heard, None, "{method:?} bit {bit}");
            }
        }
    }
    for method in METHODS.into_iter().filter(|method| !INDICATORS.contains(method)) {
        assert!(CallerIdSender::message_waiting(method, true).is_none(), "{method:?}");
    }
}
