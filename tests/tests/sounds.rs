//! Tones that are generated, digits that are gathered, tones and media modes that are listened
//! for, and what a telephone hears that waits, at the provider.

use ringback_driver::PortNumber;
use ringback_softcard::scenery::tone;
use ringback_softcard::{Behaviour, Step, Telephone};
use ringback_tests::{FXO, FXS, Solo, Told, id};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::late::{LateOutput, OwnedMemory};
use ringback_tspi::provider::LineMessage;
use ringback_tspi::structs::{
    LINEADDRESSCAPS, LINECALLINFO, LINEDEVCAPS, LINEGENERATETONE, LINEMONITORTONE, Reader, blank,
};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, Version};

const V: Version = Version::V3_1;

fn tapi() -> HTAPICALL {
    HTAPICALL::new(9).unwrap()
}

/// A call to a subscriber who answers and then does the steps. Unless the subscriber speaks, the
/// answer is known some seconds later, when it does not ring again.
fn connected(solo: &Solo, steps: Vec<Step>) -> (HDRVCALL, Telephone) {
    let far = solo.exchange().add_subscriber("78", Behaviour::AnswerThen { rings: 2, steps });
    let call = solo.make_call(id(1), solo.line(FXO), tapi(), Some("78"));
    solo.until(tapi(), CallState::Connected);
    (call, far)
}

/// The messages of one kind, by their first two parameters.
fn told(solo: &Solo, message: u32) -> Vec<[usize; 2]> {
    let all = solo.told().into_iter();
    let of = all.filter_map(|told| match told {
        Told::Event(LineMessage { call: Some(_), message: what, params, .. })
            if what == message =>
        {
            Some([params[0], params[1]])
        }
        _ => None,
    });
    of.collect()
}

/// Lets time pass until so many buffers were reported complete.
fn until_gathered(solo: &Solo, count: usize) {
    for _ in 0..10_000 {
        if told(solo, LINE_GATHERDIGITS).len() >= count {
            return;
        }
        solo.run(1);
    }
    panic!("digits were not gathered: {:?}", solo.told());
}

fn ended(how: u32, end_to_end: usize) -> [usize; 2] {
    [how as usize, end_to_end]
}

fn part(frequency: u32) -> LINEGENERATETONE {
    LINEGENERATETONE { frequency, cadence_on: 1, cadence_off: 0, volume: 0xFFFF }
}

/// How much of a sound is of one frequency, from 0 to 1.
fn share(samples: &[i16], hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / 8000.0;
    let sum = |wave: fn(f64) -> f64| {
        let terms = samples.iter().enumerate().map(|(n, s)| f64::from(*s) * wave(step * n as f64));
        terms.sum::<f64>()
    };
    let power: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    2.0 * (sum(f64::sin).powi(2) + sum(f64::cos).powi(2)) / (samples.len() as f64 * power.max(1.0))
}

#[test]
fn d17_one_generation_at_a_time_of_digits_or_of_a_tone() {
    let solo = Solo::new();
    let (call, far) = connected(&solo, Vec::new());
    let provider = &solo.provider;
    let tone = |id, mode, ms, parts: Option<&[LINEGENERATETONE]>| {
        provider.line_generate_tone(call, id, mode, ms, parts)
    };
    let digits = provider.line_generate_digits(call, 1, LINEDIGITMODE_DTMF, Some("123456"), 0);
    assert_eq!(digits, Ok(()));
    assert_eq!(tone(2, LINETONEMODE_CUSTOM, 500, Some(&[part(440), part(1000)])), Ok(()));
    assert_eq!(told(&solo, LINE_GENERATE), [ended(LINEGENERATETERM_CANCEL, 1)]);
    solo.run(200);
    let heard = far.heard();
    let now = &heard[heard.len() - 1200..];
    assert!(share(now, 440.0) > 0.3 && share(now, 1000.0) > 0.3, "both sound together");
    solo.run(400);
    assert_eq!(told(&solo, LINE_GENERATE)[1..], [ended(LINEGENERATETERM_DONE, 2)]);
    assert_eq!(tone(3, LINETONEMODE_BUSY, 0, None), Ok(()));
    solo.run(5000);
    assert_eq!(told(&solo, LINE_GENERATE).len(), 2, "0 ms have no end");
    assert_eq!(tone(0, 0, 0, None), Ok(()), "mode 0 cancels");
    assert_eq!(told(&solo, LINE_GENERATE)[2..], [ended(LINEGENERATETERM_CANCEL, 3)]);
    assert_eq!(tone(4, LINETONEMODE_BEEP, 0, None), Ok(()));
    provider.line_drop(id(2), call, &[]).unwrap().release();
    solo.deliver();
    assert_eq!(told(&solo, LINE_GENERATE)[3..], [ended(LINEGENERATETERM_CANCEL, 4)]);
}

#[test]
fn tones_that_a_line_cannot_make_or_hear_are_refused() {
    let solo = Solo::new();
    let (call, _) = connected(&solo, Vec::new());
    let provider = &solo.provider;
    let made = |mode, parts: &[LINEGENERATETONE]| {
        provider.line_generate_tone(call, 1, mode, 100, Some(parts))
    };
    let modes = [LINETONEMODE_BILLING, 0x8000_0000, LINETONEMODE_BUSY | LINETONEMODE_BEEP];
    for mode in modes {
        assert_eq!(made(mode, &[]), Err(LineError::INVALTONEMODE), "{mode:#x}");
    }
    for parts in [vec![], vec![part(440); 5], vec![part(12_000)]] {
        assert_eq!(made(LINETONEMODE_CUSTOM, &parts), Err(LineError::INVALTONE), "{parts:?}");
    }
    let tone = |hz| LINEMONITORTONE { frequency1: hz, ..LINEMONITORTONE::default() };
    let heard = |tones: &[LINEMONITORTONE]| provider.line_monitor_tones(call, 1, Some(tones));
    for tones in [vec![], vec![tone(440); 17], vec![tone(12_000)], vec![tone(440), tone(50)]] {
        assert_eq!(heard(&tones), Err(LineError::INVALTONE), "{tones:?}");
    }
    assert_eq!(heard(&[tone(440); 16]), Ok(()));
    let gather = |modes, room, ends: &str, wait| {
        let output = LateOutput::new(OwnedMemory::new(vec![0; room]));
        provider.line_gather_digits(call, 1, modes, Some(&output), Some(ends), wait, 0)
    };
    let dtmf = LINEDIGITMODE_DTMF;
    assert_eq!(gather(LINEDIGITMODE_PULSE, 8, "#", 0), Err(LineError::INVALDIGITMODE));
    assert_eq!(gather(0, 8, "#", 0), Err(LineError::INVALDIGITMODE));
    assert_eq!(gather(dtmf, 0, "#", 0), Err(LineError::INVALPARAM), "D18: room for no digit");
    assert_eq!(gather(dtmf, 8, "#x", 0), Err(LineError::INVALDIGITS));
    assert_eq!(gather(dtmf, 8, "#", 1), Err(LineError::INVALTIMEOUT));
    assert_eq!(gather(dtmf, 8, "#", 600_001), Err(LineError::INVALTIMEOUT));
    assert!(told(&solo, LINE_GATHERDIGITS).is_empty(), "what is refused has not begun");

    let mut memory = blank::<LINEDEVCAPS>(1024);
    provider.line_get_dev_caps(Solo::BASE + FXO, V, 0, &mut memory).unwrap();
    let caps = Reader::<LINEDEVCAPS>::new(&memory, V).unwrap();
    assert_eq!(caps.get(LINEDEVCAPS::dwGenerateToneMaxNumFreq), 4);
    assert_eq!(caps.get(LINEDEVCAPS::dwMonitorToneMaxNumEntries), 16);
    assert_eq!(caps.get(LINEDEVCAPS::dwGatherDigitsMaxTimeout), 600_000);
}

#[test]
fn d18_b7_digits_are_gathered_into_a_buffer_one_at_a_time() {
    let solo = Solo::new();
    let steps = vec![Step::Wait(8000), Step::Dial("42#17".into())];
    let (call, _) = connected(&solo, steps);
    let provider = &solo.provider;
    let gather = |id, room: usize, first| {
        let memory = OwnedMemory::new(vec![0xEE; 2 * room]);
        let output = LateOutput::new(memory.clone());
        let (modes, ends) = (LINEDIGITMODE_DTMF, Some("#"));
        let begun = provider.line_gather_digits(call, id, modes, Some(&output), ends, first, 500);
        assert_eq!(begun, Ok(()));
        memory
    };
    let text = |memory: &OwnedMemory| {
        let bytes = memory.bytes();
        let units = bytes.chunks(2).map(|unit| char::from(unit[0]));
        units.take_while(|unit| *unit != '\0').collect::<String>()
    };
    let none = gather(1, 8, 100);
    solo.run(200);
    assert_eq!(told(&solo, LINE_GATHERDIGITS), [ended(LINEGATHERTERM_FIRSTTIMEOUT, 1)]);
    assert_eq!(text(&none), "");
    let replaced = gather(2, 8, 0);
    let number = gather(3, 8, 0);
    assert_eq!(told(&solo, LINE_GATHERDIGITS)[1..], [ended(LINEGATHERTERM_CANCEL, 2)]);
    assert_eq!(text(&replaced), "");
    until_gathered(&solo, 3);
    assert_eq!(told(&solo, LINE_GATHERDIGITS)[2..], [ended(LINEGATHERTERM_TERMDIGIT, 3)]);
    assert_eq!(text(&number), "42#");
    assert_eq!(number.bytes()[8..], [0xEE; 8], "nothing behind the terminator");
    provider.line_monitor_digits(call, LINEDIGITMODE_DTMF).unwrap();
    let rest = gather(4, 8, 0);
    until_gathered(&solo, 4);
    assert_eq!(told(&solo, LINE_GATHERDIGITS)[3..], [ended(LINEGATHERTERM_INTERTIMEOUT, 4)]);
    assert!("17".ends_with(&text(&rest)), "{}", text(&rest));
    let digits = told(&solo, LINE_MONITORDIGITS).len();
    assert!(digits >= text(&rest).len(), "those are reported one by one as well");
    let late = gather(5, 8, 0);
    assert_eq!(provider.line_gather_digits(call, 0, 0, None, None, 0, 0), Ok(()), "cancels");
    assert_eq!(told(&solo, LINE_GATHERDIGITS)[4..], [ended(LINEGATHERTERM_CANCEL, 5)]);
    late.bytes();
    gather(6, 8, 0);
    provider.line_drop(id(2), call, &[]).unwrap().release();
    solo.deliver();
    assert_eq!(told(&solo, LINE_GATHERDIGITS)[5..], [ended(LINEGATHERTERM_CANCEL, 6)], "O5");
}

#[test]
fn o5_tones_are_heard_until_the_conversation_is_over() {
    let solo = Solo::new();
    let steps = vec![
        Step::Wait(8000),
        Step::Play(tone(1100.0, 600).into()),
        Step::Wait(1500),
        Step::Play(tone(2100.0, 600).into()),
        Step::Wait(1000),
        Step::HangUp,
    ];
    let (call, _) = connected(&solo, steps);
    let provider = &solo.provider;
    let tone = |app_specific, duration, frequency1| LINEMONITORTONE {
        app_specific,
        duration,
        frequency1,
        ..LINEMONITORTONE::default()
    };
    let list = [tone(11, 300, 1100), tone(12, 800, 0)];
    assert_eq!(provider.line_monitor_tones(call, 1, Some(&list)), Ok(()));
    assert_eq!(provider.line_monitor_tones(call, 2, Some(&[tone(21, 300, 2100)])), Ok(()));
    while told(&solo, LINE_MONITORTONE).len() < 3 {
        assert_eq!(solo.state(tapi()), Some(CallState::Connected));
        solo.run(10);
    }
    assert_eq!(told(&solo, LINE_MONITORTONE), [[12, 1], [11, 1], [12, 1]]);
    assert_eq!(provider.line_monitor_tones(call, 1, None), Ok(()), "the other list stays");
    solo.until(tapi(), CallState::Disconnected);
    let all = told(&solo, LINE_MONITORTONE);
    assert_eq!(all[3..], [[21, 2]]);
    solo.run(2000);
    assert_eq!(told(&solo, LINE_MONITORTONE), all);
    let late = provider.line_monitor_tones(call, 3, Some(&list));
    assert_eq!(late, Err(LineError::INVALCALLSTATE));
}

/// The answer tone of a modem: 2100 Hz, reversed every 450 ms (V.25).
fn modem_answer() -> Vec<i16> {
    let samples = tone(2100.0, 3300).into_iter().enumerate();
    samples.map(|(at, sample)| if at / 3600 % 2 == 1 { -sample } else { sample }).collect()
}

#[test]
fn o5_media_modes_are_detected_until_the_conversation_is_over() {
    let solo = Solo::new();
    let cng = [Step::Play(tone(1100.0, 500).into()), Step::Wait(3000)];
    let modem = [Step::Play(modem_answer().into()), Step::Wait(1000)];
    let (begin, end) = ([Step::Wait(8000)], [Step::HangUp]);
    let steps = [&begin[..], &cng, &cng, &modem, &cng, &modem, &end].concat();
    let (call, _) = connected(&solo, steps);
    let monitor = |modes| solo.provider.line_monitor_media(call, modes);
    for modes in [LINEMEDIAMODE_INTERACTIVEVOICE, LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_TDD, 1 << 31]
    {
        assert_eq!(monitor(modes), Err(LineError::INVALMEDIAMODE), "{modes:#x}");
    }
    let (fax, modem) = (LINEMEDIAMODE_G3FAX as usize, LINEMEDIAMODE_DATAMODEM as usize);
    assert_eq!(monitor(LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_DATAMODEM), Ok(()));
    let until = |count| {
        while told(&solo, LINE_MONITORMEDIA).len() < count {
            assert_eq!(solo.state(tapi()), Some(CallState::Connected));
            solo.run(10);
        }
    };
    until(2);
    // The fax machine has sent its tone twice.
    assert_eq!(told(&solo, LINE_MONITORMEDIA), [[fax, 0], [modem, 0]]);
    assert_eq!(monitor(LINEMEDIAMODE_G3FAX), Ok(()), "instead of both");
    until(3);
    solo.until(tapi(), CallState::Disconnected);
    let all = told(&solo, LINE_MONITORMEDIA);
    assert_eq!(all, [[fax, 0], [modem, 0], [fax, 0]], "a modem is not listened for any more");
    assert_eq!(monitor(LINEMEDIAMODE_G3FAX), Err(LineError::INVALCALLSTATE));
}

#[test]
fn a_machine_at_a_telephones_place_is_detected() {
    let solo = Solo::new();
    let telephone = solo.card.telephone(PortNumber::at(FXS as usize)).unwrap();
    let call = solo.make_call(id(1), solo.line(FXS), tapi(), None);
    solo.until(tapi(), CallState::Ringback);
    assert_eq!(solo.provider.line_monitor_media(call, LINEMEDIAMODE_G3FAX), Ok(()));
    telephone.off_hook();
    solo.until(tapi(), CallState::Connected);
    telephone.play(&tone(2100.0, 2000));
    solo.run(2500);
    assert_eq!(told(&solo, LINE_MONITORMEDIA), [[LINEMEDIAMODE_G3FAX as usize, 0]]);
    assert_eq!(solo.provider.line_monitor_media(call, 0), Ok(()));
    telephone.play(&modem_answer());
    solo.run(4000);
    telephone.play(&tone(2100.0, 2000));
    solo.run(2500);
    assert_eq!(told(&solo, LINE_MONITORMEDIA).len(), 1, "0 ends it");
}

#[test]
fn the_treatments_of_a_telephones_calls_are_announced_and_no_others_are_accepted() {
    type C = LINEADDRESSCAPS;
    let solo = Solo::new();
    let caps = |line: u32| {
        let mut memory = blank::<C>(2048);
        solo.provider.line_get_address_caps(Solo::BASE + line, 0, V, 0, &mut memory).unwrap();
        memory
    };
    let memory = caps(FXS);
    let read = Reader::<C>::new(&memory, V).unwrap();
    assert_eq!(read.get(C::dwMaxNumOnHoldCalls), 1);
    let entries = read.item(C::dwCallTreatmentList).chunks(12);
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()) as usize;
    let announced: Vec<(u32, String)> = entries
        .map(|entry| {
            let [id, size, offset] = [0, 4, 8].map(|at| word(&entry[at..at + 4]));
            // V12: from the start of LINEADDRESSCAPS.
            let name = memory[offset..offset + size].chunks(2).map(|unit| char::from(unit[0]));
            (id as u32, name.take_while(|unit| *unit != '\0').collect())
        })
        .collect();
    let wanted = [
        (LINECALLTREATMENT_SILENCE, "silence"),
        (LINECALLTREATMENT_RINGBACK, "ringback tone"),
        (LINECALLTREATMENT_BUSY, "busy tone"),
    ];
    assert_eq!(announced, wanted.map(|(id, name)| (id, name.to_owned())));
    assert_eq!(read.get(C::dwNumCallTreatments) as usize, wanted.len());
    let memory = caps(FXO);
    let exchange = Reader::<C>::new(&memory, V).unwrap();
    let none = (exchange.get(C::dwNumCallTreatments), exchange.get(C::dwMaxNumOnHoldCalls));
    assert_eq!(none, (0, 0), "the exchange decides");
    assert!(exchange.item(C::dwCallTreatmentList).is_empty());

    let call = solo.make_call(id(1), solo.line(FXS), tapi(), None);
    solo.until(tapi(), CallState::Ringback);
    let treat = |number, treatment| {
        let asked = solo.provider.line_set_call_treatment(id(number), call, treatment);
        asked.map(|ticket| ticket.release())
    };
    for (number, (treatment, name)) in (2..).zip(wanted) {
        assert_eq!(treat(number, treatment), Ok(()), "{name}");
        assert_eq!(solo.completion(id(number)), Some(Ok(())));
        let mut memory = blank::<LINECALLINFO>(2048);
        solo.provider.line_get_call_info(call, &mut memory).unwrap();
        let info = Reader::<LINECALLINFO>::new(&memory, V).unwrap();
        assert_eq!(info.get(LINECALLINFO::dwCallTreatment), treatment, "{name}");
    }
    for other in [0, LINECALLTREATMENT_MUSIC, 5, u32::MAX] {
        assert_eq!(treat(9, other), Err(LineError::INVALPARAM), "{other:#x}");
    }
    // Silence was the usual one already.
    let changes = told(&solo, LINE_CALLINFO);
    assert_eq!(changes, [[LINECALLINFOSTATE_TREATMENT as usize, 0]; 2]);
}

#[test]
fn a_telephone_gets_tones_and_its_digits_are_gathered() {
    let solo = Solo::new();
    let telephone = solo.card.telephone(PortNumber::at(FXS as usize)).unwrap();
    let call = solo.make_call(id(1), solo.line(FXS), tapi(), None);
    solo.until(tapi(), CallState::Ringback);
    let busy = solo.provider.line_generate_tone(call, 1, LINETONEMODE_BUSY, 100, None);
    assert_eq!(busy, Err(LineError::INVALCALLSTATE), "the other side can't hear it yet");
    telephone.off_hook();
    solo.until(tapi(), CallState::Connected);
    let made = solo.provider.line_generate_tone(call, 2, LINETONEMODE_BEEP, 300, None);
    assert_eq!(made, Ok(()));
    solo.run(250);
    let heard = telephone.heard();
    assert!(share(&heard[heard.len() - 1200..], 1000.0) > 0.9);
    let memory = OwnedMemory::new(vec![0; 4]);
    let output = LateOutput::new(memory.clone());
    let modes = LINEDIGITMODE_DTMF;
    solo.provider.line_gather_digits(call, 3, modes, Some(&output), None, 0, 0).unwrap();
    solo.run(500);
    telephone.dial("59");
    until_gathered(&solo, 1);
    assert_eq!(told(&solo, LINE_GATHERDIGITS), [ended(LINEGATHERTERM_BUFFERFULL, 3)]);
    assert_eq!(memory.bytes(), [b'5', 0, b'9', 0]);
}
