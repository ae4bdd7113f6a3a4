//! What is done with a provider: scenarios, which do not depend on an operating system.
//!
//! A [`Scenario`] plays TAPI: it calls functions of a [`Subject`], whose upcalls come to the
//! [`Desk`]. What it does depends on its seed, on the options, and on what the provider answers. It
//! judges nothing; the rules judge the log.
//!
//! TAPI's promises hold in all of them but `unserialised`: a handle is the provider's own and alive
//! (G5), a new call is only closed before its completion (G7), ids are unique while they are
//! outstanding (T3), and nothing is called from inside the completion procedure (C8).
//!
//! | file | what |
//! |---|---|
//! | `desk` | TAPI's side: handles, completions, states, and the habits of hosts |
//! | `stage` | what scenarios are written with |
//! | `arguments` | plausible arguments for every function |
//! | `calls`, `ends`, `functions`, `phones` | scenarios for rules that chance does not exercise |
//! | `seeded` | random steps, by the seed |

mod arguments;
mod calls;
mod desk;
mod ends;
mod functions;
mod phones;
mod seeded;
mod stage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use desk::{Desk, Habit};
use ringback_tspi::functions::Function;

use crate::log::{Data, Gave, Hex};
use stage::Stage;

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its result, as it was returned (T5).
    pub result: i32,
    /// What it gave back at once, in the order of the row.
    pub gave: Vec<Gave>,
    /// Structures that it filled, by their parameters.
    pub filled: BTreeMap<String, Hex>,
}

impl Answer {
    /// The answer of a function that failed.
    pub fn failed(result: i32) -> Answer {
        Answer { result, gave: Vec::new(), filled: BTreeMap::new() }
    }

    /// A number or a handle that was given back; 0 if there is none.
    pub fn word(&self, index: usize) -> u64 {
        self.gave.get(index).map_or(0, Gave::word)
    }
}

/// A provider, as scenarios see it.
pub trait Subject: Send + Sync {
    /// Whether it has this function.
    fn has(&self, function: &Function) -> bool;

    /// Calls a function with these arguments, by the names of the row's parameters; what is missing
    /// is 0 or NULL. A function that it does not have is OPERATIONUNAVAIL.
    fn call(&self, function: &'static Function, arguments: BTreeMap<String, Data>) -> Answer;

    /// Records that TAPI has waited this long and nothing more came.
    fn quiet(&self, waited: Duration);

    /// The pair that began with this init, counted from 0, is open: events are of it.
    fn pair_is_open(&self, way: u32);

    /// Makes the far end do something, `ring` for example. `false` if the user has given no command
    /// for that.
    fn far(&self, what: &str) -> bool;
}

/// What the user says about the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A number that can be dialled and answers.
    pub dial: String,
    /// How long to wait for outstanding completions and events.
    pub patience: Duration,
}

/// A sequence of calls that exercises some rules.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line and in logs.
    pub name: &'static str,
    /// What it is for.
    pub says: &'static str,
    /// What TAPI does in upcalls.
    pub habit: Habit,
    play: fn(&Stage<'_>),
}

impl Scenario {
    /// Whether the seed changes what it does.
    pub fn is_random(&self) -> bool {
        self.name.starts_with("chance") || matches!(self.name, "threads" | "unserialised")
    }

    /// Whether TAPI keeps its own promises in it. Where it does not, what is found may be no fault
    /// of the provider's.
    pub fn is_fair(&self) -> bool {
        self.habit != Habit::Unserialised
    }
}

/// A scenario with its seed and options, which determine what it does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is played.
    pub scenario: &'static Scenario,
    /// Decides what the scenario leaves open.
    pub seed: u64,
    /// What the user says.
    pub options: Options,
}

impl Plan {
    /// Plays it on a provider that is loaded and has not been called.
    pub fn run(&self, subject: &Arc<dyn Subject>, desk: &Arc<Desk>) {
        let stage = Stage::new(subject, desk, &self.options, self.seed);
        (self.scenario.play)(&stage);
    }
}

/// The scenario with this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

macro_rules! scenarios {
    ($($name:literal $habit:ident $play:path: $says:literal)*) => {
        /// Every scenario.
        pub const ALL: &[Scenario] = &[$(Scenario {
            name: $name,
            says: $says,
            habit: Habit::$habit,
            play: $play,
        }),*];
    };
}

scenarios! {
    "versions" Plain functions::versions: "negotiation of versions, and pairs of init and shutdown"
    "functions" Plain functions::every: "every function, without a call and with one"
    "calls" Plain calls::calls: "a whole call on each line, with digits and monitoring"
    "calls-back" CallsBack calls::calls: "the same, and TAPI calls functions from inside events"
    "slow" Sleeps calls::calls: "the same, and TAPI is slow in completions and events"
    "locks" HoldsLock calls::calls: "the same, and TAPI takes its lock in upcalls"
    "refusals" Plain calls::refusals: "numbers that can't be dialled, calls that can't be made"
    "overlap" Plain calls::overlap: "several requests at a time, and ids that are used again"
    "reuse" Reuses calls::reuse: "ids that are used again during their own completion"
    "incoming" CallsBack calls::incoming: "a call comes in, is answered and dropped"
    "no-room" NoRoom calls::incoming: "a call comes in, and TAPI has no room for it"
    "close-call" Plain ends::close_call: "calls are closed at every step"
    "close-line" Plain ends::close_line: "lines are closed at every step"
    "shutdown" Plain ends::shutdown: "the provider is shut down at every step"
    "removal" Plain ends::removal: "a device disappears"
    "phones" Plain phones::phones: "every function of phones, and closing with requests"
    "chance" Plain seeded::chance: "random steps, by the seed"
    "chance-slow" Sleeps seeded::chance: "random steps, and TAPI is slow in upcalls"
    "chance-back" CallsBack seeded::chance: "random steps, and TAPI calls functions in events"
    "threads" Plain seeded::threads: "several threads that do anything at once"
    "unserialised" Unserialised seeded::threads: "the same, and TAPI ignores \
        LINETSPIOPTION_NONREENTRANT (only run by name, because that breaks G9)"
}
