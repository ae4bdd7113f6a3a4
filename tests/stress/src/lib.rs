//! Host and provider under several threads that do anything at any time, by seed.
//!
//! A history is one or two software cards, each with the real provider on the real reactor under a
//! witness's eyes, and two or three lives of a host on each. In a life some threads open, close,
//! make calls, dial, answer, drop, cancel, wait, await, keep and leak, in any order; callbacks
//! close, shut down, panic, take long and use the other card; people lift their telephones; the log
//! panics. Then the hosts are shut down, if nobody has done that yet, and the next life begins on
//! the same cards. At last every line has to be able to make a call.
//!
//! The witness judges what passes between host and provider, the application's own books what the
//! host makes of it, and a watchdog ends the process with a report if anybody takes far longer than
//! he may. What is judged: each request that was accepted is told once (C3), not before its
//! function has returned (G1); ids are unique while outstanding (T3); upcalls do not overlap (C6);
//! whoever is told that something is closed finds nothing of it outstanding, and nothing follows
//! (D1, D2, D5, D12), of several closers each; no call lives on a later opening of its line (D2); a
//! second host is refused (D15); and at the end of each life nothing is outstanding, everybody is
//! on-hook, and neither host nor threads nor descriptors are left.
//!
//! A seed decides what each thread and each callback throws, and when. How the threads meet is up
//! to the machine, so a seed that has failed once may have to run some times to fail again. To run
//! one, or others than the fixed ones, or for long:
//!
//! ```text
//! RINGBACK_SEED=1234 cargo test -p ringback-stress --test seeds
//! RINGBACK_SEEDS=60..200 cargo test -p ringback-stress --test seeds
//! make stress MINUTES=30
//! ```
//!
//! | file | what |
//! |---|---|
//! | `plan`, `dice` | what a seed decides |
//! | `house` | a whole history, and what has to hold at its ends |
//! | `life` | what the threads of a life share |
//! | `actor`, `callback`, `closing` | what they do |
//! | `books` | what the application has asked and was told, and the rules |
//! | `weather` | panics on purpose, and a log that panics |
//! | `watchdog` | who takes too long |
//! | `tally` | how often what happened |
//! | `sabotage` | rules broken on purpose, to show that it is noticed |

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

/// What became of a history.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What was against a rule.
    pub broken: Vec<String>,
    /// What happened last on the card where it was broken.
    pub journal: Vec<String>,
    /// How often what happened.
    pub tally: BTreeMap<String, u64>,
}

impl Report {
    /// Of a history in which nothing happened.
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

/// As [`run`], with something spoiled on purpose.
pub fn run_with(seed: u64, sabotage: Sabotage) -> Report {
    house::run(seed, false, Some(sabotage))
}
