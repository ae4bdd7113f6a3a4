//! The harness: a library in a process of its own, called as TAPI calls it. Unix.
//!
//! [`run_all`] starts a process for each scenario and reads its log from a pipe, so the log is
//! complete up to the end of the process, however that comes. [`run`] is that process: it loads the
//! library, runs the scenario, and writes each entry when it happens. A function that does not
//! return ends the process, and a scenario that takes too long is ended from outside; both are
//! findings.
//!
//! UNSAFETY: functions of a library are called with memory that this module owns and never gives
//! back, and pages of it are protected. The suite observes what the library does with them.
//!
//! | file | what |
//! |---|---|
//! | `parent` | processes, their logs and their ends |
//! | `process` | the functions and the upcalls of one library |
//! | `arguments` | parameters as C has them, by the shapes of the rows |
//! | `memory` | pages that detect accesses |
//! | `codes` | exit codes between the two |
#![allow(unsafe_code)]

mod arguments;
mod codes;
mod memory;
mod parent;
mod process;

pub use parent::{RunError, limit, run_all};
pub use process::run;
