//! Checks whether a TSPI provider keeps the contract, rule by rule, by observing it.
//!
//! A [`Log`](log::Log) is what passed between TAPI and a provider, as data: the functions that were
//! called and what they returned, the upcalls that the provider made, and what was seen of its
//! process. A [`Recorder`](recorder::Recorder) makes one while a provider runs. [`judge`] returns,
//! for each rule of the [table](rules::ALL), whether the log shows the rule kept, broken, or not
//! exercised. It depends on the log alone, so a log in a file can be judged again without the
//! provider, with the same result.
//!
//! A rule that was not exercised never counts as kept, and a rule that no log can show has the
//! reason in the table. Nothing in this crate depends on a driver or a card, and only the harness
//! depends on an operating system.
//!
//! | module | what |
//! |---|---|
//! | [`log`] | entries, a log as a file of lines of JSON, and its checks |
//! | [`recorder`] | makes a log; also as a layer around a provider in Rust |
//! | [`scenario`] | what is done with a provider, and what TAPI does in its upcalls |
//! | [`harness`] | runs a scenario on a library, in a process of its own (Unix) |
//! | `structures` | sizes of structures, and which members are TAPI's |
//! | `history` | requests, lines, phones and calls, built from a log's entries |
//! | [`rules`] | the table of rules, and the judgement of each |
//! | [`report`] | the verdicts as text for people and as JSON |

#[cfg(unix)]
pub mod harness;
mod history;
pub mod log;
pub mod recorder;
pub mod report;
pub mod rules;
pub mod scenario;
mod structures;

pub use rules::judge;
