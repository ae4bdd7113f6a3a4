//! Simulations of the whole system under a virtual clock, driven by a seed.
//!
//! A world has a software card with random modules, an exchange with random subscribers, the
//! TDM400P's driver, the lines engine under the [`Stepper`](ringback_driver::reactor::Stepper), and
//! a model application that asks for anything at any time; in some worlds provider and host are in
//! between, and two applications contend for lines and phones. Telephones ring and are lifted,
//! faults are switched on by name, the bus lies, the kernel moves the samples with errors and
//! delays, time passes unevenly. After every step the checker tests the rules of the contract.
//! Nothing here depends on the machine's clock or on threads, so that a seed determines everything
//! that happens: the same seed writes the same journal.
//!
//! `tests/seeds.rs` runs a fixed set of seeds and some new ones; `tests/sabotage.rs` breaks rules
//! on purpose and shows that the checker notices. A failure prints the seed, the step and the
//! journal of the smallest copy of the world that was found to fail in the same way: one in which
//! as many acts as possible are left out. To run a world again and see its whole journal, or to
//! search many worlds (clean ones are only counted, so that there may be any number):
//!
//! ```text
//! RINGBACK_SEED=1234 cargo test -p ringback-simulation --test seeds no_rule -- --nocapture
//! RINGBACK_SEEDS=60..100000 cargo test --release -p ringback-simulation --test seeds no_rule \
//!     -- --nocapture
//! make simulation WORLDS=10000
//! ```
//!
//! With `RINGBACK_SEED`, `RINGBACK_ACTS=a12,p3` leaves out all acts but these (see [`Act`]).
//!
//! A seed stands for the same world only as long as the random choices stay the same: a change of
//! `scenario`, `outside`, `faults` or `application` gives it another history. A bug that was found
//! here therefore gets a test of its own beside the faulty code.
//!
//! | file | what |
//! |---|---|
//! | `scenario` | what a seed determines before the world begins |
//! | `acts` | the acts of a world, each with random numbers of its own |
//! | `world` | the parts of a world, one step of time, what is checked on the wires |
//! | `modem_world` | the same for a world whose line is a modem |
//! | `host_world` | the same with provider and host, and applications that use them |
//! | `ending` | how a world ends, and what has to hold then |
//! | `application` | the model application |
//! | `callers` | who calls: what the exchanges say, and what lines and telephones report |
//! | `outside`, `faults` | telephones and people; faults of the card, its bus and the kernel |
//! | `meter` | how many register accesses the driver makes when it comes to the card |
//! | `kernel` | the kernel module that moves the samples, in some worlds |
//! | `checker` | the rules |
//! | `shrinking` | finds a smaller world that fails in the same way |
//! | `sabotage` | rules broken on purpose, to show that the checker notices |
//! | `hardware`, `dice`, `journal`, `coverage` | what the others use |

mod acts;
mod application;
mod callers;
mod cards;
mod checker;
mod coverage;
mod ending;
mod faults;
mod hardware;
mod host_world;
mod journal;
mod kernel;
mod meter;
mod modem_world;
mod outside;
mod sabotage;
mod scenario;
mod shrinking;
mod world;

use std::collections::BTreeSet;
use std::time::Duration;
use std::{fmt, panic};

pub use acts::{Act, Actor};
pub use checker::{Broken, Rule};
pub use coverage::Coverage;
pub use sabotage::Sabotage;
pub use shrinking::shrink;

use ringback_driver::Time;
use ringback_lines::LineEngine;
use ringback_tests::dice;

use application::Application;
use host_world::HostWorld;
use journal::Journal;
use modem_world::ModemWorld;
use world::World;

/// The number of lines of the journal that a failure prints.
const SHOWN: usize = 60;

/// One in so many worlds has a modem instead of a card with ports.
const MODEMS: u32 = 5;

/// One in so many of the others has a host.
const HOSTS: u32 = 4;

/// Which world is to be run.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What determines the world.
    pub seed: u64,
    /// The rule that is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// The acts that are carried out; without this all are.
    pub kept: Option<BTreeSet<Act>>,
    /// The step at which the world is cut off.
    pub last: u64,
}

impl Wanted {
    /// The whole world of a seed.
    pub fn of(seed: u64) -> Wanted {
        Wanted { seed, sabotage: None, kept: None, last: u64::MAX }
    }

    /// With a sabotage.
    #[must_use]
    pub fn with(self, sabotage: Sabotage) -> Wanted {
        Wanted { sabotage: Some(sabotage), ..self }
    }
}

/// The result of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed that runs it again.
    pub seed: u64,
    /// The number of steps that were run.
    pub steps: u64,
    /// How much time passed in the world.
    pub time: Duration,
    /// The first violation, if there was one.
    pub broken: Option<Broken>,
    /// The acts that were carried out.
    pub acts: Vec<Act>,
    /// Whether other acts were left out.
    pub is_smaller: bool,
    /// What happened, a line for each event: step, time in ms, text. Empty if it was not asked for.
    pub journal: Vec<String>,
    /// Counts of what happened.
    pub coverage: Coverage,
}

impl Report {
    /// The report of a world in which nothing happened.
    fn new(wanted: &Wanted) -> Report {
        Report {
            seed: wanted.seed,
            steps: 0,
            time: Duration::ZERO,
            broken: None,
            acts: Vec::new(),
            is_smaller: wanted.kept.is_some(),
            journal: Vec::new(),
            coverage: Coverage::default(),
        }
    }
}

impl fmt::Display for Report {
    /// Prints the failure for a person: rule, seed, step, the end of the journal, how to run it
    /// again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broken {
            None => return write!(f, "seed {}: {} steps, no rule broken", self.seed, self.steps),
            Some(broken) => writeln!(f, "seed {}, step {}: {broken}", self.seed, self.steps)?,
        }
        if let Some(first) = self.journal.first() {
            writeln!(f, "{first}")?;
        }
        let from = self.journal.len().saturating_sub(SHOWN).max(1);
        for line in self.journal.get(from..).unwrap_or_default() {
            writeln!(f, "{line}")?;
        }
        write!(f, "again: RINGBACK_SEED={}", self.seed)?;
        if self.is_smaller {
            let acts: Vec<String> = self.acts.iter().map(Act::to_string).collect();
            write!(f, " RINGBACK_ACTS={}", acts.join(","))?;
        }
        write!(f, " cargo test -p ringback-simulation --test seeds no_rule -- --nocapture")
    }
}

/// Runs a world to its end, or until a rule is broken, without a journal.
pub fn run(wanted: &Wanted) -> Report {
    live(wanted, &Journal::default())
}

/// As [`run`], with a journal.
pub fn run_told(wanted: &Wanted) -> Report {
    live(wanted, &Journal::kept())
}

fn live(wanted: &Wanted, journal: &Journal) -> Report {
    let lived = panic::catch_unwind(|| lived(wanted, journal.clone()));
    let mut report = lived.unwrap_or_else(|_| {
        let text = "a panic outside of the engine; its message is on stderr".into();
        Report { broken: Some(Broken { rule: Rule::Panic, text }), ..Report::new(wanted) }
    });
    report.journal = journal.take();
    report
}

fn lived(wanted: &Wanted, journal: Journal) -> Report {
    if dice::Dice::new(wanted.seed.rotate_left(8)).one_in(MODEMS) {
        let mut world = ModemWorld::new(wanted, journal);
        world.live();
        return report(wanted, world.steps(), world.now(), world.done(), &world.application());
    }
    // Most sabotages are of the application that has no host.
    let hosted = matches!(wanted.sabotage, None | Some(Sabotage::BusyBus));
    if hosted && dice::Dice::new(wanted.seed.rotate_left(24)).one_in(HOSTS) {
        let Some(mut world) = HostWorld::new(wanted, journal) else { return Report::new(wanted) };
        world.live();
        return Report {
            steps: world.steps(),
            time: world.now() - Time::ZERO,
            acts: world.done(),
            broken: world.broken(),
            coverage: world.coverage(),
            ..Report::new(wanted)
        };
    }
    let Some(mut world) = World::new(wanted, journal) else { return Report::new(wanted) };
    world.live();
    report(wanted, world.step, world.now(), world.done(), &world.application())
}

fn report<E: LineEngine>(
    wanted: &Wanted,
    steps: u64,
    now: Time,
    acts: Vec<Act>,
    application: &Application<E>,
) -> Report {
    let broken = application.checker.broken().cloned();
    let coverage = application.coverage.clone();
    Report { steps, time: now - Time::ZERO, acts, broken, coverage, ..Report::new(wanted) }
}
