//! Worlds by seed: a fixed set and some new ones in every run, one with its whole journal by
//! `RINGBACK_SEED=1234`, many by `RINGBACK_SEEDS=100000` or `RINGBACK_SEEDS=5000..100000`.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use ringback_simulation::{Coverage, Report, Wanted, run, run_told, shrink};

/// The worlds that are the same in every run: the first ones, and kinds that they lack.
const FIXED: Range<u64> = 0..48;
const RARE: [u64; 1] = [120];
/// The number of worlds that are new in every run.
const NEW: u64 = 12;
/// The interval of the lines that report how far a search is.
const TOLD: Duration = Duration::from_secs(10);

/// What has to happen in the worlds that are the same in every run, because otherwise they would
/// prove nothing.
const HAPPENS: &[&str] = &[
    "a call came in",
    "a caller was told",
    "acted inside an upcall",
    "callers are told",
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
    "fault a bus that lies",
    "fault a wrong bit",
    "fault doubled-interrupts",
    "fault failing writes",
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
    "host restarted",
    "host: a bus that may lie",
    "host: a call came in",
    "host: a call is made",
    "host: asked of a call",
    "host: call closed Ok(Now)",
    "host: cancelled",
    "host: line closed Ok(AfterUpcall)",
    "host: ports 8",
    "host: samples by the kernel",
    "host: state CONNECTED",
    "host: state IDLE",
    "host: two applications",
    "worlds with a host",
    "line out of order",
    "lines that cancel echo",
    "line served",
    "modem ending Calm",
    "modem ending Removal",
    "modem ending Stop",
    "modem lines",
    "modem served",
    "message LINE_CLOSE",
    "message LINE_GENERATE",
    "message LINE_MONITORDIGITS",
    "refused a dial string",
    "refused, table full",
    "samples by the kernel",
    "state BUSY",
    "state CONNECTED",
    "state DIALING",
    "state DIALTONE",
    "ports 8",
    "state DISCONNECTED",
    "state IDLE",
    "state OFFERING",
    "state ONHOLD",
    "state PROCEEDING",
    "state RINGBACK",
    "state SPECIALINFO",
];

/// The results of many worlds.
#[derive(Default)]
struct Findings {
    coverage: Coverage,
    /// Seeds by the rule that was broken.
    rules: BTreeMap<String, Vec<u64>>,
}

impl Findings {
    fn take(&mut self, report: &Report) {
        self.coverage.add(&report.coverage);
        let Some(broken) = &report.broken else { return };
        println!("seed {}: {broken}", report.seed);
        self.rules.entry(broken.rule.to_string()).or_default().push(report.seed);
    }

    fn merge(&mut self, other: Findings) {
        self.coverage.add(&other.coverage);
        for (rule, seeds) in other.rules {
            self.rules.entry(rule).or_default().extend(seeds);
        }
    }
}

/// How far a search is.
struct Progress {
    began: Instant,
    /// The time that processors had spent on this program then.
    used: Duration,
    worlds: usize,
    next: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
    /// The time that has passed in all worlds, in milliseconds.
    ms: AtomicU64,
}

impl Progress {
    fn count(&self, report: &Report) {
        self.failed.fetch_add(usize::from(report.broken.is_some()), Ordering::Relaxed);
        let ms = u64::try_from(report.time.as_millis()).unwrap_or(0);
        self.ms.fetch_add(ms, Ordering::Relaxed);
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    fn told(&self) -> String {
        let [done, failed] = [&self.done, &self.failed].map(|count| count.load(Ordering::Relaxed));
        let passed = Duration::from_millis(self.ms.load(Ordering::Relaxed));
        let took = self.began.elapsed();
        // Other programs may use the processors as well, so that the time of processors counts.
        let used = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from);
        let used = used.map_or(f64::NAN, |used| (used - self.used).as_secs_f64());
        format!(
            "{done} of {} worlds in {:.0} s, {failed} failed; {:.1} h passed in them, {:.0} times \
             as fast as real time per processor",
            self.worlds,
            took.as_secs_f64(),
            passed.as_secs_f64() / 3600.0,
            passed.as_secs_f64() / used,
        )
    }
}

/// Runs worlds on all processors; returns what happened in them, or panics with all violations.
fn explore(seeds: &[u64]) -> Coverage {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let progress = Progress {
        began: Instant::now(),
        used: clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Into::into),
        worlds: seeds.len(),
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        ms: AtomicU64::new(0),
    };
    let search = |tells: bool| {
        let mut findings = Findings::default();
        let mut told = Instant::now();
        while let Some(seed) = seeds.get(progress.next.fetch_add(1, Ordering::Relaxed)) {
            let report = run(&Wanted::of(*seed));
            progress.count(&report);
            findings.take(&report);
            if tells && told.elapsed() >= TOLD {
                told = Instant::now();
                // On stderr itself, which a test does not capture: a search takes hours.
                let _ = writeln!(std::io::stderr(), "{}", progress.told());
            }
        }
        findings
    };
    let mut findings = Findings::default();
    thread::scope(|scope| {
        let search = &search;
        let parts: Vec<_> = (0..threads).map(|at| scope.spawn(move || search(at == 0))).collect();
        for part in parts {
            findings.merge(part.join().expect("the search panicked"));
        }
    });
    println!("{}", progress.told());
    for (what, count) in findings.coverage.iter() {
        println!("{count:>9} {what}");
    }
    if let Some(first) = findings.rules.values().flatten().min() {
        let smallest = shrink(&Wanted::of(*first));
        panic!("{smallest}\nof {} seeds these failed: {:?}", seeds.len(), findings.rules);
    }
    findings.coverage
}

/// Parses the range in `RINGBACK_SEEDS`.
fn asked(value: &str) -> Range<u64> {
    let (start, end) = value.split_once("..").unwrap_or(("0", value));
    match (start.parse(), end.parse()) {
        (Ok(start), Ok(end)) => start..end,
        _ => panic!("RINGBACK_SEEDS is a number or a range as 5000..6000, not {value:?}"),
    }
}

/// The seeds of worlds that no run has had before.
fn new_seeds() -> Range<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Not near those of other runs, which begin at other milliseconds.
    let first = u64::try_from(now.as_millis()).unwrap_or(0) * 1000;
    first..first + NEW
}

/// Runs one world with its journal.
fn replay(seed: &str) {
    let seed = seed.parse().unwrap_or_else(|_| panic!("RINGBACK_SEED is no number: {seed:?}"));
    let kept = env::var("RINGBACK_ACTS").ok().map(|acts| {
        let acts = acts.split(',').filter(|act| !act.is_empty());
        acts.map(|act| act.parse().unwrap_or_else(|error| panic!("{error}"))).collect()
    });
    let report = run_told(&Wanted { kept, ..Wanted::of(seed) });
    println!("{}", report.journal.join("\n"));
    assert!(report.broken.is_none(), "{report}");
    println!("{report}");
}

#[test]
fn no_rule_is_broken_in_any_world() {
    if let Ok(seed) = env::var("RINGBACK_SEED") {
        return replay(&seed);
    }
    if let Ok(many) = env::var("RINGBACK_SEEDS") {
        explore(&asked(&many).collect::<Vec<_>>());
        return;
    }
    let fixed: Vec<u64> = FIXED.chain(RARE).collect();
    let coverage = explore(&fixed);
    let missing: Vec<_> = HAPPENS.iter().filter(|what| coverage.of(what) == 0).collect();
    assert!(missing.is_empty(), "in {} worlds there was no {missing:?}", fixed.len());
    let new = new_seeds();
    println!("new worlds: RINGBACK_SEEDS={}..{}", new.start, new.end);
    explore(&new.collect::<Vec<_>>());
}

#[test]
fn a_seed_is_a_whole_history() {
    let reports = [1, 2, 3].map(|seed| {
        let wanted = Wanted::of(seed);
        let (first, second) = (run_told(&wanted), run_told(&wanted));
        assert!(first.journal.len() > 30, "seed {seed}: something happened");
        for (one, other) in first.journal.iter().zip(&second.journal) {
            assert_eq!(one, other, "seed {seed}");
        }
        assert_eq!(first, second, "seed {seed}");
        // The journal changes nothing, and neither does naming all acts.
        let silent = run(&wanted);
        assert_eq!((silent.steps, &silent.acts), (first.steps, &first.acts), "seed {seed}");
        let all = Wanted { kept: Some(first.acts.iter().copied().collect()), ..wanted };
        assert_eq!(run_told(&all).journal, first.journal, "seed {seed}");
        first
    });
    assert_ne!(reports[0].journal, reports[1].journal);
}
