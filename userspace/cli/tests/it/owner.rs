//! What the owner of a card sees of it, tests on it, and sends of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use ringback_driver::device::trace::RecordedTrace;
use serde_json::Value;

use crate::program::{Ended, of, run, start};

/// The steps of a line test, and whether each passed.
fn steps(ended: &Ended) -> Vec<(String, bool)> {
    let objects = ended.objects();
    let step = |object: &Value| {
        (object["test"].as_str().unwrap().to_owned(), object["passed"].as_bool().unwrap())
    };
    of(&objects, "line_test").into_iter().map(step).collect()
}

fn passed(names: &[&str]) -> Vec<(String, bool)> {
    names.iter().map(|name| ((*name).to_owned(), true)).collect()
}

#[test]
fn a_telephones_line_is_tested_with_a_person_at_it() {
    let ended = run("lines --card soft --test 0 --json").with(0);
    assert_eq!(steps(&ended), passed(&["voltage", "ring", "current", "tones", "hook"]), "{ended}");
    let text = run("lines --card soft --test 0").with(0).text();
    assert!(text.contains("the key 5 was heard") && text.contains("lift it within 30 s"), "{text}");
}

#[test]
fn an_exchange_line_is_tested_and_left_on_hook() {
    let ended = run("lines --card soft --test 2 --json").with(0);
    assert_eq!(steps(&ended), passed(&["battery", "current", "tones", "hook"]), "{ended}");
    let objects = ended.objects();
    assert_eq!(of(&objects, "line_left")[0]["hook"], "on");
    // A tone that is not the exchange's is no dial tone.
    let ended = run("lines --card soft --test 3 --json --fault line-unplugged:3").with(1);
    assert_eq!(steps(&ended), [("battery".to_owned(), false)]);
    ended.says("line 3 (FXO in slot 3) did not pass: battery");
    run("lines --card soft --test 9").with(2).says("has no line 9");
}

#[test]
fn a_test_that_is_interrupted_stops_ringing() {
    // Without a telephone nobody lifts.
    let mut program = start("lines --card soft --test 1 --fault line-unplugged:1");
    program.until("the telephone rings");
    program.signal(Signal::SIGINT);
    program.end().with(130);
}

#[test]
fn the_accesses_to_the_registers_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card.trace");
    let call = format!("call 2 5550103 --card soft --trace-registers {}", file.display());
    run(&call).with(0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&file).unwrap();
    let trace = RecordedTrace::parse(&bytes).unwrap();
    assert_eq!(trace.lost, 0);
    assert!(trace.about.contains(&"card soft".to_owned()), "{:?}", trace.about);
    let chip = trace
        .chips
        .iter()
        .position(|chip| chip.name == "Si3050" && chip.slot.is_some_and(|slot| slot.0 == 2));
    let hooks: Vec<u32> = trace
        .accesses
        .iter()
        .filter(|access| Some(access.chip) == chip && access.written && access.number == 5)
        .map(|access| access.value)
        .collect();
    assert_eq!(hooks, [0x08, 0x09, 0x08, 0x08], "brought up, called, hung up, made safe");

    run(&call).with(1).says("exists: name another file, or say --overwrite");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let lines = format!("lines --card soft --overwrite --trace-registers {}", file.display());
    run(&lines).with(0);
    let again = fs::read(&file).unwrap();
    assert_ne!(again, bytes);
    assert!(RecordedTrace::parse(&again).is_ok());
}
