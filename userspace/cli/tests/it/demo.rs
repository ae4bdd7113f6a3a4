//! The demonstration.

use std::os::unix::net::UnixListener;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::program::{of, run, start, states};
use crate::rules::{completed_once, in_order};

#[test]
fn every_request_is_completed_once_and_the_order_rules_hold() {
    let ended = run("demo --json").with(0);
    assert_eq!(ended.errors, "", "nothing but the objects");
    let objects = ended.objects();
    let (summary, events) = objects.split_last().unwrap();
    let count = |name: &str| summary[name].as_u64().unwrap();

    let requests = completed_once(events).unwrap();
    assert!(requests >= 8, "{requests}");
    assert_eq!(in_order(events), Ok(4), "O1, N4, N14, O3, O4");

    assert_eq!(summary["event"], "summary");
    assert_eq!(count("requests"), requests as u64);
    assert_eq!(count("completed"), requests as u64);
    assert_eq!((count("early"), count("duplicate"), count("lost")), (0, 0, 0));
    assert_eq!(summary["order_violations"], Value::Array(Vec::new()));
    assert_eq!(summary["failures"], Value::Array(Vec::new()));
    assert_eq!(summary["ok"], true);
}

#[test]
fn the_calls_take_their_course_and_both_sides_hear_each_other() {
    let ended = run("demo --json").with(0);
    let objects = ended.objects();
    assert_eq!(states(&objects, 0), ["RINGBACK", "CONNECTED", "DISCONNECTED", "IDLE"]);
    assert_eq!(states(&objects, 1), ["OFFERING", "CONNECTED", "IDLE"]);
    let outgoing = ["DIALTONE", "DIALING", "PROCEEDING", "RINGBACK", "CONNECTED", "IDLE"];
    assert_eq!(states(&objects, 2), outgoing);
    assert_eq!(states(&objects, 3), ["OFFERING", "CONNECTED", "DISCONNECTED", "IDLE"]);

    let checks = of(&objects, "check");
    for line in 0..4 {
        let met = |what: &str, found: &str| {
            checks.iter().any(|check| {
                check["line"] == line
                    && check["ok"] == true
                    && check["what"].as_str().unwrap().contains(what)
                    && check["found"].as_str().unwrap().contains(found)
            })
        };
        assert!(met("hears our digits", "1234"), "line {line}");
        assert!(met("we hear", "98#*"), "line {line}");
        assert!(met("hears us", " ms"), "line {line}");
        let digits: String = of(&objects, "digit")
            .iter()
            .filter(|digit| digit["line"] == line && digit["end"] == false)
            .filter_map(|digit| digit["digit"].as_str())
            .collect();
        assert_eq!(digits, "98#*", "line {line}");
        let sent = of(&objects, "generated");
        assert!(sent.iter().any(|sent| sent["line"] == line && sent["done"] == true));
    }
    assert!(checks.iter().all(|check| check["ok"] == true));
    // C11: requests overlap; the exchange line is being seized while others are answered.
    assert!(of(&objects, "submitted").len() == of(&objects, "delivered").len());
}

#[test]
fn people_get_a_time_line_and_a_table() {
    let text = run("demo").with(0).text();
    assert!(!text.contains('\x1b'), "no colours without a terminal");
    let headings = text.lines().find(|line| line.contains("request")).unwrap();
    let column = |name: &str| headings.find(name).unwrap() + name.len();
    let row = text.lines().find(|line| line.contains("lineMakeCall submitted")).unwrap();
    assert_eq!(row.find('#').unwrap() + 2, column("request"), "aligned: {row}");
    for part in ["lineAnswer submitted", "returned", "delivered: ok", "CONNECTED", "✓ we hear"] {
        assert!(text.contains(part), "{part}");
    }
    let table: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("request  line")).collect();
    for heading in ["submitted", "returned", "completed", "delivered", "result"] {
        assert!(table[0].contains(heading), "{}", table[0]);
    }
    let rows: Vec<&&str> = table[1..].iter().take_while(|row| !row.is_empty()).collect();
    assert!(rows.len() >= 8 && rows.iter().all(|row| row.ends_with("  ok")), "{table:?}");
    assert!(text.contains("0 early, 0 duplicate, 0 lost; 0 violations"), "{text}");
    assert!(text.ends_with("All four calls went as they should."));
}

#[test]
fn a_far_end_that_never_answers_ends_the_demo_before_the_card_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("far");
    let _listener = UnixListener::bind(&path).unwrap();
    let demo = format!("demo --card pci:ffff:ff:1f.7 --far {}", path.display());
    // This card does not exist, which would be reported if it were opened first.
    run(&demo).with(1).says("have not answered \"state\" for 30 s");
    // A signal does not wait for the limit.
    let mut interrupted = start(&demo);
    interrupted.await_still();
    interrupted.signal(Signal::SIGINT);
    assert_eq!(interrupted.end().with(130).errors, "");
}
