//! Who calls, as `monitor` and `answer` show it.

use nix::sys::signal::Signal;

use crate::program::{of, run, start};

#[test]
fn the_monitor_shows_who_calls_in_the_way_of_each_country() {
    for country in ["USA", "UK", "GERMANY", "SWEDEN"] {
        let mut program = start(&format!("monitor --card soft --json --country {country}"));
        let from = |number: &str| format!("\"number\":\"{number}\"");
        program.until_all(&["5550110", "5550111"].map(from));
        program.signal(Signal::SIGINT);
        let ended = program.end().with(130);
        let objects = ended.objects();
        let callers = of(&objects, "caller");
        for (line, number) in [(2, "5550110"), (3, "5550111")] {
            let told = callers.iter().filter(|one| one["line"] == line && one["number"] == number);
            assert_eq!(told.count(), 1, "{country}: {ended}");
        }
    }
}

/// A data message tells it where exchanges send these, a neon lamp everywhere.
#[test]
fn the_monitor_shows_that_messages_wait() {
    for (country, line, fault) in
        [("USA", 3, ""), ("UK", 3, ""), ("AUSTRIA", 2, " --fault neon-voltage:2@1")]
    {
        let arguments = format!("monitor --card soft --json --country {country}{fault}");
        let mut program = start(&arguments);
        let waits = |line: u32| format!("\"line\":{line},\"event\":\"messages\",\"waiting\":true");
        program.until_all(&[waits(line)]);
        program.signal(Signal::SIGINT);
        let ended = program.end().with(130);
        let told = of(&ended.objects(), "messages").len();
        assert_eq!(told, 1, "{country}: {ended}");
    }
}

/// Who calls during a conversation: the exchange alerts the line, the line acknowledges it, and the
/// exchange tells who it is.
#[test]
fn a_call_shows_who_else_calls() {
    for country in ["USA", "GERMANY", "UK"] {
        let call = format!("call 2 5550104 --card soft --country {country} --hangup-after 7");
        let ended = run(&format!("{call} --json")).with(0);
        let objects = ended.objects();
        let [shown] = &of(&objects, "shown")[..] else { panic!("{country}: {ended}") };
        assert_eq!(shown["text"], "waiting: 5550112", "{country}: {ended}");
        assert_eq!(shown["line"], 2);
    }
    let ended = run("call 2 5550104 --card soft --hangup-after 7").with(0);
    assert!(ended.lines.iter().any(|line| line.contains("shows: waiting: 5550112")), "{ended}");
}

#[test]
fn an_answer_can_await_who_calls() {
    let ended = run("answer 3 --card soft --json --await-caller --hangup-after 1").with(0);
    let objects = ended.objects();
    let caller = objects.iter().position(|object| object["event"] == "caller").unwrap();
    assert_eq!(objects[caller]["number"], "5550111");
    let connected = objects.iter().position(|object| object["state"] == "CONNECTED").unwrap();
    assert!(caller < connected, "{ended}");
    let ended = run("answer 3 --card soft --await-caller --hangup-after 1").with(0);
    assert!(ended.lines.iter().any(|line| line.contains("from 5550111")), "{ended}");
    // A telephone does not tell who calls, and is answered all the same.
    run("answer 1 --card soft --await-caller --hangup-after 1").with(0);
}
