//! Host and provider used by several threads that do anything at any time, by seed.
//!
//! A history has one or two software cards, each with the real provider on the real reactor,
//! observed by a witness, and two or three lives of a host on each. In a life some threads open,
//! close, make calls, dial, answer, drop, cancel, wait, await, keep and leak, in any order;
//! callbacks close, shut down, panic, take long and use the other card; people lift their
//! telephones; the log panics. Then the hosts are shut down, if no thread has done that yet, and
//! the next life begins on the same cards. At the end every line has to be able to make a call.
//!
//! The witness checks what passes between host and provider, the application's own books check what
//! the host delivers, and a watchdog ends the process with a report if a thread takes far longer
//! than it may. Checked are: each accepted request is delivered once (C3), not before its function
//! has returned (G1); ids are unique while outstanding (T3); upcalls do not overlap (C6); when a
//! close has returned, nothing of what it closed is outstanding, and nothing follows (D1, D2, D5,
//! D12), for each of several closers; no call survives into a later opening of its line (D2); a
//! second host is refused (D15); and at the end of each life nothing is outstanding, every line is
//! on-hook, and neither host nor threads nor descriptors are left.
//!
//! A seed determines the choices of each thread and each callback. How the threads interleave
//! depends on the machine, so that a seed that has failed once may have to be run several times to
//! fail again. To run one seed, or others than the fixed ones, or for a long time:
//!
//! ```text
//! RINGBACK_SEED=1234 cargo test -p ringback-stress --test seeds
//! RINGBACK_SEEDS=60..200 cargo test -p ringback-stress --test seeds
//! make stress MINUTES=30
//! ```
//!
//! | file | what |
//! |---|---|
//! | `plan`, `dice` | what a seed determines |
//! | `house` | a whole history, and the checks at its ends |
//! | `life` | what the threads of a life share |
//! | `actor`, `callback`, `closing` | what they do |
//! | `books` | what the application has asked for and received, and the rules |
//! | `weather` | panics on purpose, and a log that panics |
//! | `watchdog` | reports threads that take too long |
//! | `tally` | counts what happened |
//! | `sabotage` | breaks rules on purpose, to show that it is noticed |

mod actor;
mod books;
mod callback;
mod closing;
mod house;
mod life;
mod plan;
mod sabotage;
mod tally;
mod watchdog;
mod weather;

use std::collections::BTreeMap;
use std::fmt;

use ringback_tests::dice;
pub use sabotage::Sabotage;

/// The result of a history.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed that runs it again.
    pub seed: u64,
    /// The violations, in words.
    pub broken: Vec<String>,
    /// The last entries of the card on which the violation was found.
    pub journal: Vec<String>,
    /// Counts of what happened.
    pub tally: BTreeMap<String, u64>,
}

impl Report {
    /// The report of a history in which nothing happened.
    fn new(seed: u64) -> Report {
        Report { seed, broken: Vec::new(), journal: Vec::new(), tally: BTreeMap::new() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.broken.is_empty() {
            return write!(f, "seed {}: no rule broken", self.seed);
        }
        for line in &self.journal {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}:", self.seed)?;
        for broken in &self.broken {
            writeln!(f, "  {broken}")?;
        }
        let seed = self.seed;
        write!(f, "again: RINGBACK_SEED={seed} cargo test -p ringback-stress --test seeds")
    }
}

/// Runs the history of a seed. In a long one callbacks may take longer than a close waits.
pub fn run(seed: u64, long: bool) -> Report {
    house::run(seed, long, None)
}

/// As [`run`], with a sabotage.
pub fn run_with(seed: u64, sabotage: Sabotage) -> Report {
    house::run(seed, false, Some(sabotage))
}
