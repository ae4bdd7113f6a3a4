//! Does a TSPI provider keep the contract? Rule by rule, of any provider, by what was seen of it.
//!
//! A [`Log`](log::Log) is what passed between TAPI and a provider, as data: the functions that were
//! called and what they returned, the upcalls that the provider made, and what was seen of its
//! process. A [`Recorder`](recorder::Recorder) makes one while a provider runs. [`judge`] says of
//! a log, for each rule of the [table](rules::ALL), whether the rule was kept, broken, or not
//! exercised. It is a function of the log alone, so a log that was kept as a file shows again what
//! was found, without the provider.
//!
//! What was not exercised never counts as kept, and a rule that no log can show says why. Nothing
//! in this crate knows a driver or a card, and nothing but the harness an operating system.
//!
//! | module | what |
//! |---|---|
//! | [`log`] | entries, a log as a file of lines of JSON, and its checks |
//! | [`recorder`] | what makes a log; as a layer, of a provider in Rust |
//! | [`scenario`] | what is done with a provider, and what TAPI does in its upcalls |
//! | [`harness`] | a library in a process of its own, which is played a scenario (Unix) |
//! | `structures` | sizes of structures, and which members are TAPI's |
//! | `history` | requests, lines, phones and calls, put together of a log's entries |
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
