//! What the owner of a card tests on it.

use nix::sys::signal::Signal;
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
