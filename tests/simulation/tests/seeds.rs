//! Worlds by seed: a fixed set in every run, one with its whole journal by `RINGBACK_SEED=1234`,
//! many by `RINGBACK_SEEDS=100000` or `RINGBACK_SEEDS=5000..100000`.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ringback_simulation::{Coverage, Report, run};

/// The number of worlds in every run.
const SEEDS: u64 = 60;

/// Further worlds in every run, each of which has found a bug. They find it again only as long as
/// the random choices stay the same; the lasting tests are beside the code that was wrong.
const FOUND: &[u64] = &[
    // D17: two generations begin between two upcalls, while the end of the first one is queued.
    100_023,
];

/// What has to happen in these worlds, because otherwise they would prove nothing.
const HAPPENS: &[&str] = &[
    "a call came in",
    "acted inside an upcall",
    "cancelled",
    "closed a busy line",
    "closed a call with requests",
    "completed 0",
    "completed with an error",
    "dropped a call with requests",
    "ending Calm",
    "ending Gone",
    "ending Removal",
    "ending Stop",
    "fault doubled-interrupts",
    "fault late-interrupt",
    "fault late-tick",
    "fault line-unplugged",
    "fault lost-interrupts",
    "fault master-abort",
    "fault no-iso-link",
    "fault no-power",
    "fault part-reset",
    "fault power-alarm",
    "fault stuck-spi",
    "fault stuck-spi-low",
    "fault target-abort",
    "held a ticket",
    "line out of order",
    "line served",
    "message LINE_CLOSE",
    "message LINE_GENERATE",
    "message LINE_MONITORDIGITS",
    "refused a dial string",
    "refused, table full",
    "state BUSY",
    "state CONNECTED",
    "state DIALING",
    "state DIALTONE",
    "ports 8",
    "state DISCONNECTED",
    "state IDLE",
    "state OFFERING",
    "state PROCEEDING",
    "state RINGBACK",
    "state SPECIALINFO",
];

/// The results of many worlds.
#[derive(Default)]
struct Findings {
    coverage: Coverage,
    /// The first failure, complete.
    first: Option<Report>,
    /// Seeds by the rule that was broken.
    rules: BTreeMap<String, Vec<u64>>,
}

impl Findings {
    fn take(&mut self, report: Report) {
        self.coverage.add(&report.coverage);
        let Some(broken) = &report.broken else { return };
        println!("seed {}: {broken}", report.seed);
        self.rules.entry(broken.rule.to_string()).or_default().push(report.seed);
        if self.first.as_ref().is_none_or(|first| report.seed < first.seed) {
            self.first = Some(report);
        }
    }

    fn merge(&mut self, other: Findings) {
        self.coverage.add(&other.coverage);
        for (rule, seeds) in other.rules {
            self.rules.entry(rule).or_default().extend(seeds);
        }
        let firsts = self.first.take().into_iter().chain(other.first);
        self.first = firsts.min_by_key(|report| report.seed);
    }
}

/// Runs worlds on all processors; returns what happened in them, or panics with all violations.
fn explore(seeds: &[u64]) -> Coverage {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let search = || {
        let mut findings = Findings::default();
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            findings.take(run(*seed));
        }
        findings
    };
    let mut findings = Findings::default();
    thread::scope(|scope| {
        let parts: Vec<_> = (0..threads).map(|_| scope.spawn(search)).collect();
        for part in parts {
            findings.merge(part.join().expect("the search panicked"));
        }
    });
    if let Some(first) = findings.first {
        panic!("{first}\nof {} seeds these failed: {:?}", seeds.len(), findings.rules);
    }
    findings.coverage
}

/// Parses the range in `RINGBACK_SEEDS`.
fn asked(value: &str) -> Vec<u64> {
    let (start, end) = value.split_once("..").unwrap_or(("0", value));
    match (start.parse(), end.parse()) {
        (Ok(start), Ok(end)) => (start..end).collect(),
        _ => panic!("RINGBACK_SEEDS is a number or a range as 5000..6000, not {value:?}"),
    }
}

#[test]
fn no_rule_is_broken_in_any_world() {
    if let Ok(seed) = env::var("RINGBACK_SEED") {
        let seed = seed.parse().unwrap_or_else(|_| panic!("RINGBACK_SEED is no number: {seed:?}"));
        let report = run(seed);
        println!("{}", report.journal.join("\n"));
        assert!(report.broken.is_none(), "{report}");
        println!("{report}");
        return;
    }
    let many = env::var("RINGBACK_SEEDS").ok();
    let fixed = || (0..SEEDS).chain(FOUND.iter().copied()).collect();
    let seeds = many.as_deref().map_or_else(fixed, asked);
    let coverage = explore(&seeds);
    for (what, count) in coverage.iter() {
        println!("{count:>9} {what}");
    }
    if many.is_none() {
        let missing: Vec<_> = HAPPENS.iter().filter(|what| coverage.of(what) == 0).collect();
        assert!(missing.is_empty(), "in {} worlds there was no {missing:?}", seeds.len());
    }
}

#[test]
fn a_seed_is_a_whole_history() {
    let reports = [1, 2, 3].map(|seed| {
        let (first, second) = (run(seed), run(seed));
        assert!(first.journal.len() > 100, "seed {seed}: something happened");
        for (one, other) in first.journal.iter().zip(&second.journal) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first, second, "seed {seed}");
        first
    });
    assert_ne!(reports[0].journal, reports[1].journal);
}
