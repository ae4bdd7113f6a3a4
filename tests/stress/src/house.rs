//! The history of a seed: cards, the lives of the hosts on them, and the checks at each end.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use ringback_driver::PortNumber;
use ringback_host::{CallOptions, CloseError, Closed, WaitError};
use ringback_softcard::LineState;
use ringback_tests::Bench;
use ringback_tspi::provider::Provider;

use crate::closing::CLOSE;
use crate::life::{Kept, LINES, Life, Side, make};
use crate::plan::{HASTE, LifePlan, Plan};
use crate::sabotage::{Sabotage, spoiled};
use crate::tally::Tally;
use crate::watchdog::doing;
use crate::{Report, actor, watchdog, weather};

/// Time in which everything expected has to come, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
/// The same with a sabotage, when it is known that something does not come.
const SPOILED: Duration = Duration::from_secs(3);

struct House {
    benches: Vec<Arc<Bench>>,
    plan: Plan,
    sabotage: Option<Sabotage>,
    tally: Arc<Tally>,
    report: Report,
    /// How long to wait for what has to come.
    patience: Duration,
}

/// Runs the history of a seed.
pub(crate) fn run(seed: u64, long: bool, sabotage: Option<Sabotage>) -> Report {
    let plan = Plan::new(seed, long);
    weather::begin(false, &[]);
    watchdog::begin(format!("seed {seed}"));
    let before = belongings();
    let haste = NonZeroU32::new(HASTE).unwrap_or(NonZeroU32::MIN);
    let spoil = |provider: Arc<dyn Provider>| -> Arc<dyn Provider> {
        match sabotage {
            Some(sabotage) => Arc::new(spoiled(provider, sabotage)),
            None => provider,
        }
    };
    let benches = (0..plan.cards).map(|_| Arc::new(Bench::with(haste, spoil))).collect();
    let report = Report::new(seed);
    let patience = if sabotage.is_some() { SPOILED } else { DEADLINE };
    let mut house = House { benches, plan, sabotage, tally: Arc::default(), report, patience };
    for (number, life) in house.plan.lives.clone().into_iter().enumerate() {
        watchdog::begin(format!("seed {seed}, life {number}"));
        house.life(life);
        if !house.report.broken.is_empty() {
            break;
        }
    }
    if house.report.broken.is_empty() {
        watchdog::begin(format!("seed {seed}, the sober life at its end"));
        house.sober();
    }
    weather::begin(false, &[]);
    house.benches.clear();
    // A provider that was shut down in a callback keeps its reaper's resources until it is started
    // again or dropped, so that the numbers are compared over whole histories.
    let grown = |(threads, files)| threads > before.0 || files > before.1;
    if house.report.broken.is_empty() && !becomes(patience, || !grown(belongings())) {
        let now = belongings();
        house.wrong(format!("threads and descriptors: {before:?} at first, {now:?} at last"));
    }
    house.report.tally = house.tally.read();
    house.report
}

/// Waits until the condition is true. Returns `false` if it never is.
fn becomes(patience: Duration, is_true: impl Fn() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !is_true() {
        if Instant::now() >= until {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

/// The number of threads and descriptors of the process.
fn belongings() -> (usize, usize) {
    let count = |path| fs::read_dir(path).map_or(0, Iterator::count);
    (count("/proc/self/task"), count("/proc/self/fd"))
}

impl House {
    /// Records a violation.
    fn wrong(&mut self, text: String) {
        self.report.broken.push(text);
    }

    fn life(&mut self, plan: LifePlan) {
        let holders = self.holders();
        let mut sides = Vec::new();
        for bench in &self.benches {
            match Side::start(bench) {
                Ok(side) => sides.push(side),
                Err(error) => return self.wrong(format!("a host does not start: {error}")),
            }
        }
        weather::begin(plan.storm, &sides);
        let (threads, long) = (plan.threads.clone(), self.plan.long);
        let life = Life::new(sides, plan, long, self.sabotage, Arc::clone(&self.tally));
        let life = Arc::new(life);
        thread::scope(|scope| {
            for dice in threads {
                let life = Arc::clone(&life);
                scope.spawn(move || actor::run(&life, dice));
            }
        });
        self.end(&life);
        drop(life);
        if !becomes(self.patience, || self.holders() == holders) {
            let now = self.holders();
            self.wrong(format!("{now:?} hold the providers, {holders:?} did: a host has leaked"));
        }
    }

    /// The number of references to each provider: the bench has one, and so has every host that
    /// exists.
    fn holders(&self) -> Vec<usize> {
        self.benches.iter().map(|bench| Arc::strong_count(&bench.provider)).collect()
    }

    /// Ends a life: everything has to be delivered, and every line on-hook.
    fn end(&mut self, life: &Arc<Life>) {
        let _doing = doing("ending a life", DEADLINE * 3);
        for side in &life.sides {
            if let Err(text) = shut_down(life, side, self.patience) {
                side.books.wrong(text);
            }
        }
        let (kept, leaked) = life.take_all();
        for kept in kept.into_iter().chain(leaked) {
            let (card, waited) = match kept {
                Kept::Made(card, pending) => (card, pending.wait(Duration::ZERO).map(|_| ())),
                Kept::Asked(card, pending) => (card, pending.wait(Duration::ZERO)),
            };
            if waited == Err(WaitError::TimedOut) {
                life.sides[card].books.wrong("C3: a request has no outcome at the end".into());
            }
        }
        for side in &life.sides {
            (0..LINES).for_each(|line| drop(side.take_line(line)));
            let (counts, outstanding) = (side.host.counts(), side.host.outstanding());
            let sums = counts.requests == counts.completed + counts.lost;
            if !sums || outstanding != 0 || counts.early + counts.duplicate != 0 {
                side.books.wrong(format!("C3: {outstanding} outstanding at the end, {counts:?}"));
            }
            side.books.close();
            self.hang_up(side);
            self.judge(side);
        }
    }

    /// Hangs all telephones up; then every line has to be on-hook, and no telephone may ring.
    fn hang_up(&self, side: &Side) {
        let (bench, exchange) = (&side.bench, side.bench.exchange());
        ["200", "201"].iter().for_each(|number| bench.subscriber(number).on_hook());
        let telephones = [0, 1].map(|slot| bench.card.telephone(PortNumber(slot)));
        telephones.iter().flatten().for_each(|telephone| telephone.on_hook());
        let idle = || {
            let lines = ["102", "103"].map(|number| exchange.state(number));
            let rings = telephones.iter().flatten().any(|telephone| telephone.is_ringing());
            lines == [Some(LineState::Idle); 2] && !rings
        };
        if !becomes(self.patience, idle) {
            let lines = ["102", "103"].map(|number| exchange.state(number));
            side.books.wrong(format!("at the end the lines of the exchange are {lines:?}"));
        }
    }

    /// Collects the violations that books and witness have found.
    fn judge(&mut self, side: &Side) {
        let (broken, journal) = side.books.broken();
        let mut broken: Vec<String> =
            broken.into_iter().chain(side.bench.witness.wrong()).collect();
        let left = side.bench.witness.outstanding();
        if left != 0 {
            broken.push(format!("C3: the provider has not completed {left} requests"));
        }
        if !broken.is_empty() && self.report.broken.is_empty() {
            self.report.journal = journal;
        }
        self.report.broken.extend(broken);
    }

    /// After all lives, a host has to start, no old call may exist, and calls can be made.
    fn sober(&mut self) {
        let _doing = doing("the sober life", DEADLINE * 3);
        for bench in self.benches.clone() {
            match Side::start(&bench) {
                Ok(side) => {
                    if let Err(text) = calls_can_be_made(&side, self.patience) {
                        side.books.wrong(text);
                    }
                    let down = side.host.shutdown();
                    if down != Ok(Closed::Now) {
                        side.books.wrong(format!("shutting down at last gave {down:?}"));
                    }
                    side.books.close();
                    self.judge(&side);
                }
                Err(error) => self.wrong(format!("at last a host does not start: {error}")),
            }
        }
    }
}

/// Shuts a host down, several times if a callback is in the way.
fn shut_down(life: &Life, side: &Side, patience: Duration) -> Result<(), String> {
    let until = Instant::now() + patience;
    loop {
        match life.shut_down(side, false) {
            Ok(Closed::Now) => break,
            Err(CloseError::Unfinished { .. }) if Instant::now() < until => {}
            // The error is returned once, to the thread that has begun the shutdown.
            Err(CloseError::Provider(_)) if life.long && Instant::now() < until => {}
            other => return Err(format!("D12: shutting down gave {other:?} for ever")),
        }
    }
    side.host.wait_down(CLOSE).map_err(|error| format!("D12: it is down and is not: {error}"))
}

fn calls_can_be_made(side: &Side, patience: Duration) -> Result<(), String> {
    for device in 0..LINES as u32 {
        let opened = side.open(0, device);
        let open = opened.map_err(|error| format!("line {device} does not open: {error}"))?;
        if !becomes(patience, || open.line.status().is_ok_and(|status| status.in_service)) {
            return Err(format!("line {device} is not in service"));
        }
        let calls = open.line.status().map_or(u32::MAX, |status| status.active_calls);
        if calls != 0 {
            return Err(format!("D2: {calls} calls live on line {device} from an earlier opening"));
        }
        let address = if device < 2 { "" } else { "200" };
        let made = make(&open, false, address, &CallOptions::default());
        let call = made.map_err(|error| format!("line {device} takes no call: {error}"))?;
        let call = call.wait(patience).map_err(|error| format!("line {device}: {error}"))?;
        call.close().map_err(|error| format!("the call on line {device}: {error}"))?;
    }
    Ok(())
}
