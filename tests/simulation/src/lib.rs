//! Simulations of the whole system under a virtual clock, driven by a seed.
//!
//! A world has a software card with random modules, an exchange with random subscribers, the
//! TDM400P's driver, the lines engine under the [`Stepper`](ringback_driver::reactor::Stepper), and
//! a model application that asks for anything at any time. Telephones ring and are lifted, faults
//! are switched on by name, time passes unevenly. After every step the checker tests the rules of
//! the contract. Nothing here depends on the machine's clock or on threads, so that a seed
//! determines everything that happens: the same seed writes the same journal.
//!
//! `tests/seeds.rs` runs a fixed set of seeds; `tests/sabotage.rs` breaks rules on purpose and
//! shows that the checker notices. A failure prints the seed, the step and the end of the journal.
//! To run a world again and see its whole journal, or to search many worlds (clean ones are only
//! counted, so that there may be any number):
//!
//! ```text
//! RINGBACK_SEED=1234 cargo test -p ringback-simulation --test seeds no_rule -- --nocapture
//! RINGBACK_SEEDS=60..100000 cargo test --release -p ringback-simulation --test seeds no_rule \
//!     -- --nocapture
//! ```
//!
//! A seed stands for the same world only as long as the random choices stay the same: a change of
//! `scenario`, `outside`, `faults` or `application` gives it another history. A bug that was found
//! here therefore gets a test of its own beside the faulty code.
//!
//! | file | what |
//! |---|---|
//! | `scenario` | what a seed determines before the world begins |
//! | `world` | the parts of a world, one step of time, what is checked on the wires |
//! | `ending` | how a world ends, and what has to hold then |
//! | `application` | the model application |
//! | `outside`, `faults` | telephones and people; faults of the card |
//! | `checker` | the rules |
//! | `sabotage` | rules broken on purpose, to show that the checker notices |
//! | `hardware`, `dice`, `journal`, `coverage` | what the others use |

mod application;
mod cards;
mod checker;
mod coverage;
mod ending;
mod faults;
mod hardware;
mod journal;
mod outside;
mod sabotage;
mod scenario;
mod world;

use std::{fmt, panic};

pub use checker::{Broken, Rule};
pub use coverage::Coverage;
pub use sabotage::Sabotage;

use ringback_tests::dice;

use journal::Journal;
use world::World;

/// The number of lines of the journal that a failure prints.
const SHOWN: usize = 40;

/// The result of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed that runs it again.
    pub seed: u64,
    /// The number of steps that were run.
    pub steps: u64,
    /// The first violation, if there was one.
    pub broken: Option<Broken>,
    /// What happened, a line for each event: step, time in ms, text.
    pub journal: Vec<String>,
    /// Counts of what happened.
    pub coverage: Coverage,
}

impl Report {
    /// The report of a world in which nothing happened.
    fn new(seed: u64) -> Report {
        let (journal, coverage) = (Vec::new(), Coverage::default());
        Report { seed, steps: 0, broken: None, journal, coverage }
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
        write!(
            f,
            "again: RINGBACK_SEED={} cargo test -p ringback-simulation --test seeds no_rule",
            self.seed
        )
    }
}

/// Runs the world of a seed to its end, or until a rule is broken.
pub fn run(seed: u64) -> Report {
    run_with(seed, None)
}

/// As [`run`], with a sabotage.
pub fn run_with(seed: u64, sabotage: Option<Sabotage>) -> Report {
    let journal = Journal::default();
    let lived = panic::catch_unwind(|| live(seed, sabotage, journal.clone()));
    let mut report = lived.unwrap_or_else(|_| {
        let text = "a panic outside of the engine; its message is on stderr".into();
        Report { broken: Some(Broken { rule: Rule::Panic, text }), ..Report::new(seed) }
    });
    report.journal = journal.take();
    report
}

fn live(seed: u64, sabotage: Option<Sabotage>, journal: Journal) -> Report {
    let Some(mut world) = World::new(seed, sabotage, journal) else { return Report::new(seed) };
    world.live();
    let application = world.application();
    Report {
        steps: world.step,
        broken: application.checker.broken().cloned(),
        coverage: application.coverage.clone(),
        ..Report::new(seed)
    }
}
