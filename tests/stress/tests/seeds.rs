//! Runs fixed seeds, one seed, other seeds, or seeds for a number of minutes.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use ringback_stress::run;

/// The number of seeds that every run of the tests takes, in well under a minute.
const SEEDS: u64 = 20;

/// What must happen in these, because otherwise the test would prove nothing.
const HAPPENS: [&str; 12] = [
    "a second host: LINEERR_ALLOCATED",
    "cancel: true",
    "closing a call: Ok(AfterUpcall)",
    "closing a call: Ok(Now)",
    "closing a line: Ok(Now)",
    "lineAnswer: ok",
    "lineDial: ok",
    "lineDrop: ok",
    "lineGenerateDigits: ok",
    "lineMakeCall: ok",
    "shutting down: Ok(Now)",
    "wait: TimedOut",
];

fn number(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value:?}")))
}

/// The range in `RINGBACK_SEEDS`.
fn range() -> Option<(u64, u64)> {
    let value = env::var("RINGBACK_SEEDS").ok()?;
    let (start, end) = value.split_once("..").unwrap_or(("0", &value));
    match (start.parse(), end.parse()) {
        (Ok(start), Ok(end)) => Some((start, end)),
        _ => panic!("RINGBACK_SEEDS is a number or a range as 60..200, not {value:?}"),
    }
}

#[test]
fn no_rule_is_broken_whatever_the_threads_do() {
    let minutes = number("RINGBACK_STRESS_MINUTES");
    let one = number("RINGBACK_SEED").map(|seed| (seed, seed + 1));
    // Other seeds each time, so that long runs add up.
    let endless = minutes.map(|_| (fresh(), u64::MAX));
    let asked = one.or(range()).or(endless);
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let (start, end) = asked.unwrap_or((0, SEEDS));
    let mut tally = BTreeMap::<String, u64>::new();
    let mut histories = 0;
    for seed in start..end {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        println!("seed {seed}");
        let report = run(seed, minutes.is_some());
        assert!(report.broken.is_empty(), "{report}");
        for (what, count) in report.tally {
            *tally.entry(what).or_default() += count;
        }
        histories += 1;
    }
    for (what, count) in &tally {
        println!("{count:>9} {what}");
    }
    println!("{histories} histories, no rule broken");
    if asked.is_none() {
        let missing: Vec<_> = HAPPENS.iter().filter(|what| !tally.contains_key(**what)).collect();
        assert!(missing.is_empty(), "in {histories} histories there was no {missing:?}");
    }
}

/// A first seed that no earlier run has taken.
fn fresh() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_secs()) * 1000
}
