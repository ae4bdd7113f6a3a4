//! Calls on the software card: what is printed, what is recorded, and the exit code.

use std::path::Path;

use nix::sys::signal::Signal;
use ringback_media::level::power_at;
use ringback_media::wav;
use serde_json::Value;

use crate::program::{Ended, of, run, start, states};
use crate::rules::in_order;

/// Returns the last two objects: how the call was left, and its result.
#[track_caller]
fn result(ended: &Ended) -> (Value, Value) {
    let mut objects = ended.objects();
    let result = objects.pop().unwrap();
    let left = objects.pop().unwrap();
    assert_eq!((&left["event"], &result["event"]), (&"line_left".into(), &"result".into()));
    assert_eq!(result["exit"].as_i64().map(|code| code as i32), ended.code, "{ended}");
    (left, result)
}

/// Returns for how many ms a tone is in a recording.
fn tone_ms(path: &Path, hz: f32) -> usize {
    let samples = wav::read(path).unwrap();
    samples.chunks_exact(400).filter(|block| power_at(block, hz) > -20.0).count() * 50
}

#[test]
fn a_call_that_is_answered_is_recorded_and_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard.wav");
    let arguments = format!(
        "call 2 5550100 --card soft --json --digits 12, --hangup-after 4 --record {}",
        heard.display()
    );
    let ended = run(&arguments).with(0);
    let objects = ended.objects();
    let course = ["DIALTONE", "DIALING", "PROCEEDING", "RINGBACK", "CONNECTED", "IDLE"];
    assert_eq!(states(&objects, 2), course);
    assert!(of(&objects, "generated").iter().all(|sent| sent["done"] == true));
    assert_eq!(of(&objects, "generated").len(), 1);
    let (left, result) = result(&ended);
    assert_eq!((&left["line"], &left["hook"]), (&2.into(), &"on".into()));
    assert_eq!(result["outcome"], "answered");
    assert!(tone_ms(&heard, 1000.0) >= 600, "what the subscriber says");
    let seconds = wav::read(&heard).unwrap().len() / 8000;
    assert!((3..=5).contains(&seconds), "{seconds} s");
}

#[test]
fn a_file_is_played_to_its_end_before_hanging_up() {
    let folder = tempfile::tempdir().unwrap();
    let speech = folder.path().join("speech.wav");
    let mut writer = wav::Writer::create(&speech).unwrap();
    // This is longer than what fits between program and line at once.
    writer.write(&vec![100; 3 * 8000]).unwrap();
    writer.finish().unwrap();
    let ended = run(&format!("call 0 1 --card soft --json --play {}", speech.display())).with(0);
    let objects = ended.objects();
    assert_eq!(states(&objects, 0), ["RINGBACK", "CONNECTED", "IDLE"]);
    let at = |state: &str| {
        let told = of(&objects, "call_state");
        told.iter().find(|told| told["state"] == state).unwrap()["t_ms"].as_f64().unwrap()
    };
    assert!(at("IDLE") - at("CONNECTED") >= 2900.0, "played to its end");
}

#[test]
fn the_progress_of_the_call_is_printed() {
    let ended = run("call 2 5550103 --card soft --hangup-after 1").with(0);
    assert_eq!(ended.errors, "");
    let text = ended.text();
    assert!(text.starts_with("calling 5550103 on line 2 (FXO in slot 2)\n"), "{text}");
    for words in ["dial tone", "dialling", "connected", "this side hangs up", "hung up"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn the_far_end_may_hang_up() {
    let ended = run("call 2 5550103 --card soft --json").with(0);
    let objects = ended.objects();
    assert!(states(&objects, 2).ends_with(&["CONNECTED", "DISCONNECTED", "IDLE"]), "{ended}");
    assert_eq!(result(&ended).0["hook"], "on");
}

#[test]
fn a_call_goes_as_well_in_another_country() {
    for country in ["germany", "gb"] {
        let asked = format!("call 2 5550103 --card soft --country {country} --json");
        let objects = run(&asked).with(0).objects();
        assert!(states(&objects, 2).ends_with(&["CONNECTED", "DISCONNECTED", "IDLE"]), "{country}");
    }
    run("call 3 5550101 --card soft --country de").with(3).says("5550101 is busy");
    let unknown = run("call 3 1 --country Atlantis").with(2);
    assert!(unknown.errors.contains("GERMANY (DE)"), "{unknown}");
}

#[test]
fn dial_tone_may_be_waited_for_or_not() {
    run("call 2 5550103 --card soft --dial-tone ignore").with(0);
    run("call 2 5550103 --card soft --dial-tone wait").with(0);
    let long = run("call 2 5550103 --card soft --dial-tone 99").with(2);
    assert!(long.errors.contains("from 0.5 to 30"), "{long}");
}

#[test]
fn busy_is_3() {
    let ended = run("call 3 5550101 --card soft --json").with(3).says("5550101 is busy");
    assert!(states(&ended.objects(), 3).contains(&"BUSY"));
    let (left, result) = result(&ended);
    assert_eq!((&left["hook"], &result["outcome"]), (&"on".into(), &"busy".into()));
    assert_eq!(result["reason"], "5550101 is busy");
}

#[test]
fn no_answer_is_4() {
    let ended = run("call 2 5550102 --card soft --json --timeout 5").with(4);
    let ended = ended.says("did not answer within 5 s");
    assert!(states(&ended.objects(), 2).ends_with(&["RINGBACK", "IDLE"]), "{ended}");
    assert_eq!(result(&ended).0["hook"], "on");
    run("call 1 1 --card soft --timeout 1").with(4).says("the telephone did not answer");
}

#[test]
fn no_dial_tone_is_5() {
    let unplugged = "call 2 5550100 --card soft --fault line-unplugged:2";
    // The battery is missing before the line has measured it, after that, or only while it waits
    // for dial tone.
    for late in ["", "@0.2", "@0.5", "@0.8", "@1", "@1.2"] {
        run(&format!("{unplugged}{late} --dial-tone 3")).with(5);
    }
    run(unplugged).with(5).says("no battery");
}

#[test]
fn refused_is_6() {
    let ended = run("call 2 777 --card soft --json").with(6).says("does not put 777 through");
    assert_eq!(result(&ended).1["outcome"], "refused");
}

#[test]
fn a_card_that_goes_is_7() {
    let ended = run("call 2 5550102 --card soft --json --fault removal@5").with(7);
    let ended = ended.says("the card soft was removed").says("; seat it");
    let (left, result) = result(&ended);
    assert_eq!((&left["hook"], &result["outcome"]), (&Value::Null, &"gone".into()));
    assert_eq!(of(&ended.objects(), "line_closed").len(), 1);
    run("monitor --card soft --fault removal@3").with(7).says("the card soft was removed");
}

#[test]
fn what_fails_before_a_line_is_taken_has_its_result_too() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.wav");
    std::fs::write(&there, b"precious").unwrap();
    let record = format!("call 2 5550100 --card soft --json --record {}", there.display());
    for (arguments, code, outcome) in [
        ("call 9 5550100 --card soft --json", 2, "usage"),
        ("answer 9 --card soft --json", 2, "usage"),
        ("call 2 5550100 --card soft --json --send news.txt", 1, "failed"),
        ("call 2 5550100 --card pci:ffff:ff:1f.7 --json", 1, "failed"),
        ("call 2 5550100 --card soft --json --fault master-abort", 7, "gone"),
        (record.as_str(), 1, "failed"),
    ] {
        let ended = run(arguments).with(code);
        let objects = ended.objects();
        let result = objects.last().expect(arguments);
        assert_eq!(result["event"], "result", "{ended}");
        assert_eq!((&result["outcome"], &result["exit"]), (&outcome.into(), &code.into()));
        ended.says(result["reason"].as_str().unwrap());
    }
}

#[test]
fn an_incoming_call_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard.wav");
    let arguments = format!("answer 3 --card soft --json --record {}", heard.display());
    let ended = run(&arguments).with(0);
    let objects = ended.objects();
    assert_eq!(states(&objects, 3), ["OFFERING", "CONNECTED", "DISCONNECTED", "IDLE"]);
    let digits: String = of(&objects, "digit")
        .iter()
        .filter(|digit| digit["end"] == false)
        .filter_map(|digit| digit["digit"].as_str())
        .collect();
    assert_eq!(digits, "1234");
    let (left, result) = result(&ended);
    assert_eq!((&left["hook"], &result["outcome"]), (&"on".into(), &"answered".into()));
    assert!(tone_ms(&heard, 1000.0) >= 600, "what the caller says");
}

#[test]
fn a_telephone_that_dials_is_answered() {
    let ended = run("answer 1 --card soft --hangup-after 1").with(0);
    let text = ended.text();
    assert!(text.starts_with("waiting for a call on line 1 (FXS in slot 1)\n"), "{text}");
    for words in ["incoming call", "the caller has dialled 100", "connected", "hung up"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn waiting_in_vain_is_4() {
    let ended = run("answer 3 --card soft --json --timeout 1").with(4);
    let ended = ended.says("nobody called line 3 (FXO in slot 3) within 1 s");
    assert_eq!(result(&ended).1["outcome"], "no_answer");
}

#[test]
fn lines_are_listed_with_their_faults() {
    let ended = run("lines --card soft --json --fault no-power:1 --fault line-unplugged:3").with(0);
    let slots = ended.objects();
    assert_eq!(slots.len(), 4);
    let line = |slot: usize| slots[slot]["line"].as_u64();
    assert_eq!([line(0), line(1), line(2), line(3)], [Some(0), None, Some(1), Some(2)]);
    assert_eq!((&slots[0]["kind"], &slots[0]["hook"]), (&"FXS".into(), &"on".into()));
    assert_eq!(slots[1]["state"], "failed");
    assert!(slots[1]["reason"].as_str().unwrap().contains("power cable"));
    assert_eq!((&slots[2]["kind"], &slots[2]["battery"]), (&"FXO".into(), &true.into()));
    assert_eq!((&slots[3]["state"], &slots[3]["battery"]), (&"working".into(), &false.into()));

    let text = run("lines --card soft --fault no-iso-link:2").with(0).text();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), 5);
    assert!(rows[1].starts_with("0     0     FXS    on-hook   telephone line"), "{text}");
    assert!(rows[3].contains("failed: ") && rows[3].contains("isolation link"), "{text}");
    assert!(rows[4].contains("exchange line, battery 48 V"), "{text}");
}

#[test]
fn the_registers_say_what_the_modules_are() {
    let ended = run("lines --card soft --json --details --country germany").with(0);
    let objects = ended.objects();
    let card = objects.iter().find(|object| object["event"] == "card").unwrap();
    assert_eq!((&card["cpld"], &card["country"]), (&0x73.into(), &"GERMANY".into()));
    assert_eq!(card["companding"], "A-law");
    assert!(card["counters"]["ticks"].as_u64() > Some(0));
    let details = of(&objects, "details");
    assert_eq!(details.len(), 4, "{ended}");
    assert_eq!((&details[0]["chip"], &details[0]["revision"]), (&"Si3210".into(), &"E".into()));
    let volts = ["tip_volts", "ring_volts", "vbat_volts", "loop_volts"];
    let volts = volts.map(|name| details[0][name].as_f64().unwrap());
    assert_eq!(volts, [-6.016, -54.144, -75.2, 48.0]);
    assert_eq!((&details[2]["chip"], &details[2]["lsid"]), (&"Si3050".into(), &3.into()));
    assert_eq!(details[2]["line_side"], "Si3019");
    assert_eq!(details[2]["loop_volts"].as_f64(), Some(48.0));

    let text = run("lines --card soft --details").with(0).text();
    let told = "slot 2: FXO, Si3050 revision C, line side Si3019 (LSID 3) revision E: line 48 V";
    assert!(text.contains("CPLD version 0x73") && text.contains(told), "{text}");
}

#[test]
fn the_registers_can_be_sent() {
    let text = run("lines --card soft --registers --country germany").with(0).text();
    let has = |line: &str| assert!(text.lines().any(|one| one == line), "{line}: {text}");
    has("# ringback registers, format 1");
    has("# country GERMANY");
    has("# companding A-law");
    has("Tiger320 0xcc CPLD_VERSION 0x73");
    has("Tiger320 0x08 TX_START 0x00");
    has("Tiger320 0x18 RX_START 0x40");
    has("# slot 0: FXS, Si3210");
    has("Si3210 0 IDENTITY 0x05");
    has("Si3210-indirect 20 RING_COEFFICIENT 0x7e6d");
    has("# slot 2: FXO, Si3050");
    has("Si3050 30 AC_TERMINATION 0x03");
    let registers = text.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(registers, 23 + 2 * (109 + 105) + 2 * 59, "{text}");

    let ended = run("lines --card soft --registers --json --fault no-power:0").with(0);
    let objects = ended.objects();
    assert_eq!(objects.len(), 1);
    let modules = objects[0]["modules"].as_array().unwrap();
    assert_eq!(modules.len(), 3, "a module that does not work is not read");
    assert_eq!(modules[1]["registers"][0]["number"], 1);

    run("lines --card soft --registers --details").with(2);
}

#[test]
fn the_monitor_sees_calls_on_every_line_and_frees_it_afterwards() {
    let mut program = start("monitor --card soft --json");
    let offered = |line: u32| format!("\"line\":{line},\"event\":\"call_state\"");
    program.until_all(&[0, 1, 2, 3].map(offered));
    let over = |line: u32| format!("\"line\":{line},\"event\":\"call_closed\"");
    program.until_all(&[0, 1, 2, 3].map(over));
    program.signal(Signal::SIGINT);
    let ended = program.end().with(130);
    assert_eq!(ended.errors, "");
    let objects = ended.objects();
    assert_eq!(of(&objects, "new_call").len(), 4, "{ended}");
    assert_eq!(of(&objects, "call_closed").len(), 4, "{ended}");
    for line in 0..4 {
        assert_eq!(states(&objects, line), ["OFFERING", "DISCONNECTED", "IDLE"], "{ended}");
    }
    assert_eq!(in_order(&objects), Ok(4));
}

#[test]
fn the_monitor_prints_columns() {
    let mut program = start("monitor --card soft");
    program.until("soft: 4 lines; end with Ctrl-C").until("ms  line  request").until("OFFERING");
    program.signal(Signal::SIGTERM);
    program.end().with(143);
}
