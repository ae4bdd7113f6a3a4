//! The rules of the contract: each with its text, its source and its judgement.
//!
//! A judgement is a function of a log and nothing else. It finds the rule [kept](Verdict::Kept)
//! as often as the log shows an occasion to break it, [broken](Verdict::Broken) with what was done
//! and seen, or [not exercised](Verdict::NotExercised). A rule that no log can show
//! is [not observable](Verdict::NotObservable), with the reason.
//!
//! If several threads act at once and the log does not show which came first, a judgement finds
//! nothing.
//!
//! | file | rules |
//! |---|---|
//! | `table` | all of them, in the order of their keys |
//! | `returns` | T, K, R: what functions return |
//! | `completions` | C: the completion procedure and the other upcalls |
//! | `buffers` | B: memory |
//! | `calls` | N: new calls |
//! | `order` | O and K5, D17, D18: what follows what |
//! | `ends` | D: closing, dropping, shutting down |
//! | `status` | F: what the status of a call says |

mod buffers;
mod calls;
mod completions;
mod ends;
mod order;
mod returns;
mod status;
mod table;
#[cfg(test)]
mod tests;

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::error::{LineError, PhoneError};
use serde::{Deserialize, Serialize};
pub use table::ALL;

use crate::history::{Fate, History, Request, Run};
use crate::log::{Log, Upcall};

/// A rule of the contract.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The key by which it is cited, `R1` for example.
    pub key: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Its source: pages of Microsoft's documentation, headers, and code that shows practice.
    pub source: &'static str,
    judged: Judgement,
}

/// How a rule is judged.
#[derive(Debug, Clone, Copy)]
enum Judgement {
    By(fn(&History<'_>, &mut Docket)),
    /// No log can show it, for this reason.
    Not(&'static str),
}

impl Rule {
    /// Whether a log can show that it was broken.
    pub const fn is_observable(&self) -> bool {
        matches!(self.judged, Judgement::By(_))
    }

    fn judge(&self, history: &History<'_>) -> Verdict {
        let judged = match self.judged {
            Judgement::By(judge) => judge,
            Judgement::Not(reason) => return Verdict::NotObservable { reason: reason.to_owned() },
        };
        let mut docket = Docket::default();
        judged(history, &mut docket);
        match docket {
            Docket { findings, .. } if !findings.is_empty() => Verdict::Broken { findings },
            Docket { kept: 0, .. } => Verdict::NotExercised,
            Docket { kept, .. } => Verdict::Kept { times: kept },
        }
    }
}

/// The rule with this key.
pub fn find(key: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.key == key)
}

/// Judges a log: every rule of the [table](ALL), in its order.
pub fn judge(log: &Log) -> Vec<(&'static Rule, Verdict)> {
    let history = History::of(log);
    ALL.iter().map(|rule| (rule, rule.judge(&history))).collect()
}

/// What a log says about a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", deny_unknown_fields)]
pub enum Verdict {
    /// There was occasion to break it, and it was not broken.
    Kept {
        /// How many occasions there were.
        times: u32,
    },
    /// It was broken.
    Broken {
        /// Each time, in the order of the log.
        findings: Vec<Finding>,
    },
    /// There was no occasion to break it, which does not mean that it is kept.
    NotExercised,
    /// No log can show it.
    NotObservable {
        /// Why no log can show it.
        reason: String,
    },
}

/// One time that a rule was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What TAPI did.
    pub done: String,
    /// What was seen then, which is against the rule.
    pub seen: String,
    /// The numbers of the log's entries that show it.
    pub entries: Vec<u64>,
}

/// What a judgement notes down.
#[derive(Debug, Default)]
struct Docket {
    kept: u32,
    findings: Vec<Finding>,
}

impl Docket {
    /// Notes an occasion at which the rule was kept.
    fn kept(&mut self) {
        self.kept = self.kept.saturating_add(1);
    }

    /// Notes that the rule was broken.
    fn broken(
        &mut self,
        done: impl Into<String>,
        seen: impl Into<String>,
        entries: impl IntoIterator<Item = u64>,
    ) {
        let entries = entries.into_iter().collect();
        self.findings.push(Finding { done: done.into(), seen: seen.into(), entries });
    }
}

/// A function as findings name it: `TSPI_lineDrop under id 5`.
fn named(history: &History<'_>, request: &Request) -> String {
    format!("{} under id {}", history.run(request).function.name, request.id)
}

/// The entries of a request: its call, its return, its completions.
fn entries(request: &Request) -> Vec<u64> {
    let done = request.done.iter().map(|done| done.at);
    [request.at].into_iter().chain(request.returned).chain(done).collect()
}

/// The call of a function, as findings describe it.
fn called(run: &Run<'_>) -> String {
    format!("{} was called", run.function.name)
}

/// The entries of a function: its call and its return.
fn span(run: &Run<'_>) -> Vec<u64> {
    [run.at].into_iter().chain(run.returned.map(|returned| returned.at)).collect()
}

/// The name of an error of lines or phones.
fn error_name(result: i32) -> Option<&'static str> {
    let line = LineError::from_raw(result).and_then(LineError::name);
    line.or_else(|| PhoneError::from_raw(result).and_then(PhoneError::name))
}

/// A result as findings write it: the name of the error, or the number.
fn result_text(result: i32) -> String {
    match error_name(result) {
        Some(name) => name.to_owned(),
        None if result < 0 => format!("{result:#010x}"),
        None => result.to_string(),
    }
}

/// An upcall as findings name it: `LINE_CALLSTATE with CONNECTED`.
fn upcall_text(upcall: &Upcall) -> String {
    match upcall {
        Upcall::Completion { request, result } => {
            format!("the completion of id {request} with {}", result_text(*result))
        }
        Upcall::NewCall { .. } => "LINE_NEWCALL".to_owned(),
        Upcall::Line { message: LINE_CALLSTATE, params: [state, ..], .. } => {
            let known = u32::try_from(*state).ok().and_then(CallState::from_raw);
            match known {
                Some(state) => format!("LINE_CALLSTATE with {}", state.name()),
                None => format!("LINE_CALLSTATE with the state {state:#x}"),
            }
        }
        Upcall::Line { message, params: [one, two, three], .. }
        | Upcall::Phone { message, params: [one, two, three], .. } => {
            format!("{} ({one:#x}, {two:#x}, {three:#x})", returns::message_name(*message))
        }
    }
}

/// The requests that their functions have accepted.
fn accepted<'h>(history: &'h History<'_>) -> impl Iterator<Item = &'h Request> {
    history.requests.iter().filter(|request| request.fate == Fate::Accepted)
}
