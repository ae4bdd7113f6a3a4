//! Worlds by seed: a fixed set in every run, one by `RINGBACK_SEED`, many by `RINGBACK_SEEDS`.

use std::collections::BTreeMap;
use std::thread;

use ringback_simulation::{Coverage, Report, run};

/// Worlds in every run.
const SEEDS: u64 = 60;

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {value:?}")))
}

/// Runs worlds on all processors; gives what happened in them, or says all that was broken.
fn explore(seeds: &[u64]) -> Coverage {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (mut coverage, mut failures) = (Coverage::default(), Vec::new());
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                scope.spawn(move || {
                    let mine = seeds.iter().skip(part).step_by(threads);
                    mine.map(|seed| run(*seed)).collect::<Vec<_>>()
                })
            })
            .collect();
        for part in parts {
            for report in part.join().expect("a world panicked") {
                coverage.add(&report.coverage);
                if report.broken.is_some() {
                    failures.push(report);
                }
            }
        }
    });
    failures.sort_by_key(|report| report.seed);
    if let Some(first) = failures.first() {
        let mut rules: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for Report { seed, broken, .. } in &failures {
            let rule = broken.as_ref().map_or("?".into(), |broken| broken.rule.to_string());
            rules.entry(rule).or_default().push(*seed);
        }
        panic!("{first}\n{} of {} seeds failed: {rules:?}", failures.len(), seeds.len());
    }
    coverage
}

#[test]
fn no_rule_is_broken_in_any_world() {
    if let Some(seed) = number("RINGBACK_SEED") {
        explore(&[seed]);
        return;
    }
    let count = number("RINGBACK_SEEDS").unwrap_or(SEEDS);
    let coverage = explore(&(0..count).collect::<Vec<_>>());
    for (what, count) in coverage.iter() {
        println!("{count:>8} {what}");
    }
}

#[test]
fn a_seed_is_a_whole_history() {
    for seed in [1, 2, 3] {
        let (first, second) = (run(seed), run(seed));
        assert!(first.journal.len() > 100, "seed {seed}: something happened");
        for (one, other) in first.journal.iter().zip(&second.journal) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first, second, "seed {seed}");
    }
    assert_ne!(run(1).journal, run(2).journal);
}
