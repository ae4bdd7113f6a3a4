//! Ends of the program before its command is done: signals, and a reader who closes the pipe. The
//! call is hung up and the line is on-hook afterwards.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::program::{Program, of, start, states};

/// Starts a call that rings and is never answered.
fn ringing() -> Program {
    let mut program = start("call 2 5550102 --card soft --json");
    program.until("\"RINGBACK\"");
    program
}

#[test]
fn ctrl_c_hangs_up_and_leaves_the_line_on_hook() {
    let mut program = ringing();
    program.signal(Signal::SIGINT);
    let ended = program.end().with(130);
    assert_eq!(ended.errors, "", "nothing to explain");
    let objects = ended.objects();
    assert!(states(&objects, 2).ends_with(&["RINGBACK", "IDLE"]), "{ended}");
    let drop = of(&objects, "submitted").pop().unwrap();
    assert_eq!(drop["function"], "lineDrop");
    let delivered = of(&objects, "delivered");
    assert!(delivered.iter().any(|one| one["id"] == drop["id"] && one["result"] == 0));
    let [.., left, result] = &*objects else { panic!("{ended}") };
    assert_eq!((&left["event"], &left["hook"]), (&"line_left".into(), &"on".into()));
    assert_eq!((&result["outcome"], &result["exit"]), (&"interrupted".into(), &130.into()));
}

#[test]
fn ctrl_c_while_the_line_is_being_taken_completes_the_request() {
    let mut program = start("call 2 5550102 --card soft --json");
    program.until("\"returned\"").signal(Signal::SIGINT);
    let ended = program.end().with(130);
    let objects = ended.objects();
    assert_eq!(of(&objects, "line_left")[0]["hook"], "on");
    for request in of(&objects, "submitted") {
        let completions = of(&objects, "delivered");
        assert_eq!(completions.iter().filter(|one| one["id"] == request["id"]).count(), 1);
    }
    assert_eq!(of(&objects, "call_closed").len(), 1, "{ended}");
}

#[test]
fn ctrl_c_ends_a_conversation() {
    let mut program = start("call 0 1 --card soft --json");
    program.until("\"CONNECTED\"").signal(Signal::SIGINT);
    let ended = program.end().with(130);
    assert!(states(&ended.objects(), 0).ends_with(&["CONNECTED", "IDLE"]), "{ended}");
}

#[test]
fn a_log_that_cannot_be_written_ends_no_call() {
    for full in [false, true] {
        let call = "call 2 5550100 --card soft --json --hangup-after 1 -vv";
        let ended = Program::start_unheard(call, full).end().with(0);
        let objects = ended.objects();
        assert!(states(&objects, 2).ends_with(&["CONNECTED", "IDLE"]), "{ended}");
        assert_eq!(of(&objects, "line_left")[0]["hook"], "on");
        let mut program = Program::start_unheard("call 2 5550102 --card soft --json -vv", full);
        program.until("\"RINGBACK\"").signal(Signal::SIGTERM);
        let ended = program.end().with(143);
        assert_eq!(of(&ended.objects(), "line_left")[0]["hook"], "on", "{ended}");
    }
}

#[test]
fn ctrl_c_ends_waiting_for_a_call() {
    let mut program = start("answer 3 --card soft");
    program.until("waiting for a call").signal(Signal::SIGINT);
    program.end().with(130);
}

#[test]
fn other_signals_have_their_own_codes() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let mut program = ringing();
        program.signal(signal);
        let ended = program.end().with(code);
        let objects = ended.objects();
        assert_eq!(of(&objects, "line_left")[0]["hook"], "on");
    }
}

#[test]
fn every_signal_that_can_be_caught_hangs_up_first() {
    // QUIT, ABRT, USR1, USR2, ALRM, STKFLT, XCPU, XFSZ, VTALRM, PROF, IO, PWR, and one without a
    // name.
    let numbers = [3, 6, 10, 12, 14, 16, 24, 25, 26, 27, 29, 30, 40];
    let programs: Vec<_> =
        numbers.map(|_| start("call 2 5550102 --card soft --json")).into_iter().collect();
    for (number, mut program) in numbers.into_iter().zip(programs) {
        program.until("\"RINGBACK\"");
        let id = program.id().to_string();
        assert!(Command::new("kill").args([format!("-{number}"), id]).status().unwrap().success());
        let ended = program.end().with(128 + number);
        let objects = ended.objects();
        assert_eq!(of(&objects, "line_left")[0]["hook"], "on", "{ended}");
        let result = of(&objects, "result")[0];
        assert_eq!(result["exit"].as_i64(), Some(i64::from(128 + number)), "{ended}");
        assert_eq!(result["outcome"], "interrupted");
    }
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_so() {
    let before = ["env", "--ignore-signal=USR1,ALRM,INT,HUP,QUIT"].map(str::to_owned).into();
    let call = "call 2 5550102 --card soft --json".split(' ').map(str::to_owned).collect();
    let mut program = Program::start_after(before, call, Stdio::null());
    program.until("\"RINGBACK\"");
    for ignored in
        [Signal::SIGUSR1, Signal::SIGALRM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT]
    {
        program.signal(ignored);
    }
    program.signal(Signal::SIGTERM);
    let ended = program.end().with(143);
    assert_eq!(of(&ended.objects(), "result")[0]["exit"], 143);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let mut program = ringing();
    program.signal(Signal::SIGINT).signal(Signal::SIGTERM).signal(Signal::SIGINT);
    let code = program.end().code;
    // Either signal may be the first one that the program reads.
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
}

#[test]
fn ctrl_c_ends_the_demo() {
    let mut program = start("demo --json");
    program.until("\"CONNECTED\"").signal(Signal::SIGINT);
    let ended = program.end().with(130);
    assert_eq!(ended.errors, "");
    let objects = ended.objects();
    assert!(of(&objects, "check").iter().all(|check| check["ok"] == true), "{ended}");
    assert_eq!(of(&objects, "summary"), Vec::<&Value>::new(), "it did not come to its end");
}

#[test]
fn a_reader_that_closes_the_pipe_causes_no_panic() {
    let mut program = ringing();
    program.stop_reading();
    // Nothing more is printed until one side hangs up.
    program.signal(Signal::SIGINT);
    let code = program.end().code;
    assert!(matches!(code, Some(130 | 141)), "{code:?}");

    let mut program = start("demo");
    program.until("lineMakeCall").stop_reading();
    let ended = program.end().with(141);
    assert_eq!(ended.errors, "");
}
