//! What the owner of a card sees of it, tests on it, and sends of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use ringback_driver::PortNumber;
use ringback_driver::device::trace::{RecordedChip, RecordedTrace};
use serde_json::Value;

use crate::program::{Ended, LIMIT, of, run, start};

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

/// What was written to the hook switch of the FXO line in slot 2.
fn hooks(trace: &RecordedTrace) -> Vec<u32> {
    let is_line = |chip: &RecordedChip| chip.name == "Si3050" && chip.slot == Some(PortNumber(2));
    let chip = trace.chips.iter().position(is_line);
    let written = trace.accesses.iter().filter(|access| access.written && access.number == 5);
    written.filter(|access| Some(access.chip) == chip).map(|access| access.value).collect()
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
    assert_eq!(hooks(&trace), [0x08, 0x09, 0x08, 0x08], "brought up, called, hung up, made safe");

    run(&call).with(1).says("exists: name another file, or say --overwrite");
    assert_eq!(fs::read(&file).unwrap(), bytes);
    let lines = format!("lines --card soft --overwrite --trace-registers {}", file.display());
    run(&lines).with(0);
    let again = fs::read(&file).unwrap();
    assert_ne!(again, bytes);
    assert!(RecordedTrace::parse(&again).is_ok());
}

#[test]
fn a_tuned_line_returns_less_with_the_row_that_is_printed() {
    let text = run("lines --card soft --tune 2").with(0).text();
    // `# line 2 returns -36.1 dB of what is sent (-20.0 dB without the hybrid, -9.6 dB as ...`
    let words: Vec<&str> = text.split([' ', '(']).collect();
    let levels = words.windows(2).filter(|pair| pair[1] == "dB");
    let levels: Vec<f64> = levels.map(|pair| pair[0].parse().unwrap()).collect();
    let [after, impedance, before] = levels[..] else { panic!("{text}") };
    assert!(impedance < before - 3.0 && after < impedance - 6.0, "{text}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    fs::write(&file, &text).unwrap();
    let own = |what: &str| run(&format!("lines --card soft {what} --country {}", file.display()));
    let ended = own("--tune 2 --json").with(0);
    let objects = ended.objects();
    let tuning = of(&objects, "tuning")[0];
    assert_eq!(tuning["ac_termination"], 5, "{ended}");
    let with = tuning["before_db"].as_f64().unwrap();
    assert!(with < before - 25.0, "with the row: {with} dB, without: {before} dB");

    let registers = own("--registers").with(0).text();
    assert!(registers.contains("Si3050 30 AC_TERMINATION 0x05"), "{text}{registers}");
    let hybrid =
        registers.lines().filter(|line| line.contains("Si3050") && line.contains("HYBRID_"));
    assert_eq!(hybrid.clone().count(), 16, "{registers}");
    assert!(hybrid.filter(|line| !line.ends_with(" 0x00")).count() >= 4, "{text}{registers}");
}

#[test]
fn only_exchange_lines_with_battery_are_tuned() {
    run("lines --card soft --tune 0").with(2).says("is no line of an exchange");
    let ended = run("lines --card soft --tune 2 --tune-digit x").with(2);
    assert!(ended.errors.contains("is no digit: write one of 0-9"), "{ended}");
    let ended = run("lines --card soft --tune 2 --fault line-unplugged:2").with(6);
    assert_eq!(ended.text(), "", "nothing is appended to a file");
    ended.says("line 2 (FXO in slot 2) is in use, or has no battery");
}

#[test]
fn a_tuning_that_is_interrupted_leaves_the_line_on_hook() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card.trace");
    let tune = format!("lines --card soft --tune 2 --trace-registers {}", file.display());
    let mut program = start(&tune);
    let written = || {
        let bytes = fs::read(&file).unwrap_or_default();
        RecordedTrace::parse(&bytes).map(|trace| hooks(&trace)).unwrap_or_default()
    };
    let until = Instant::now() + LIMIT;
    while !written().contains(&0x09) {
        assert!(Instant::now() < until, "the line was never off-hook: {:?}", written());
        thread::sleep(Duration::from_millis(20));
    }
    program.signal(Signal::SIGINT);
    program.end().with(130);
    assert_eq!(written(), [0x08, 0x09, 0x08, 0x08], "brought up, off-hook, hung up, made safe");
}
