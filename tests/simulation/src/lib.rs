//! Whole systems under a virtual clock, driven by a seed.
//!
//! A world is a software card with random modules, an exchange with random subscribers, the
//! TDM400P's driver, the lines engine under the [`Stepper`](ringback_driver::reactor::Stepper), and
//! a model application that asks for anything at any time. Telephones ring and are lifted, faults
//! come by name, time passes unevenly. After every step the checker looks whether a rule of the
//! contract was broken. Nothing here knows the machine's clock or its threads, so a seed is a whole
//! history: the same seed, the same journal.
//!
//! `tests/seeds.rs` runs a fixed set of seeds, `tests/sabotage.rs` shows that what the checker is
//! made for does not pass it. A failure prints the seed, the step and the end of the journal. To
//! see a world again with its whole journal, and to search many worlds (any number of them: clean
//! ones are only counted):
//!
//! ```text
//! RINGBACK_SEED=1234 cargo test -p ringback-simulation --test seeds no_rule -- --nocapture
//! RINGBACK_SEEDS=60..100000 cargo test --release -p ringback-simulation --test seeds no_rule \
//!     -- --nocapture
//! ```
//!
//! A seed means the same world only as long as nobody throws the dice differently: with a change of
//! `scenario`, `outside`, `faults` or `application` its history is another one. So a bug that was
//! found here gets a test of its own where it was.
//!
//! | file | what |
//! |---|---|
//! | `scenario` | what a seed decides before the world begins |
//! | `world` | the parts, one step of time, what is checked on the wires |
//! | `ending` | how a world ends, and what has to hold then |
//! | `application` | the model application |
//! | `outside`, `faults` | telephones and people; what goes wrong |
//! | `checker` | the rules |
//! | `sabotage` | rules broken on purpose, to show that the checker notices |
//! | `hardware`, `dice`, `journal`, `coverage` | what they stand on |

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

/// Lines of the journal that a failure shows.
const SHOWN: usize = 40;

/// What became of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// How many steps it had.
    pub steps: u64,
    /// The rule that was broken.
    pub broken: Option<Broken>,
    /// What happened, line by line: step, time in ms, what.
    pub journal: Vec<String>,
    /// How often what happened.
    pub coverage: Coverage,
}

impl Report {
    /// Of a world in which nothing happened.
    fn new(seed: u64) -> Report {
        let (journal, coverage) = (Vec::new(), Coverage::default());
        Report { seed, steps: 0, broken: None, journal, coverage }
    }
}

impl fmt::Display for Report {
    /// The failure for a person: rule, seed, step, the end of the journal, how to see it again.
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

/// As [`run`], with something spoiled on purpose.
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
