//! The log as text: a line per entry in aligned columns, and a table of all requests.

use ringback_tspi::error::LineError;

use super::{Entry, Log, Request, What};
use crate::output::{Colour, Output};

/// The headings of [`row`].
pub(crate) const HEADINGS: &str = "       ms  line  request  ";

/// One entry as a line of the time line.
pub(crate) fn row(log: &Log, out: Output<'_>, entry: &Entry) -> String {
    let line = entry.line.map(|line| line.to_string()).unwrap_or_default();
    let request = entry.what.request().map(|id| format!("#{id}")).unwrap_or_default();
    let time = out.paint(Colour::Dim, format!("{:9.1}", log.ms(entry.at)));
    format!("{time}  {line:>4}  {request:>7}  {}", says(log, out, &entry.what))
}

fn says(log: &Log, out: Output<'_>, what: &What) -> String {
    match what {
        What::Submitted { function, .. } => {
            format!("{} submitted", out.paint(Colour::Bold, function))
        }
        What::Returned { .. } => "  returned".to_owned(),
        What::Refused { error, .. } => {
            out.paint(Colour::Bad, format!("  refused: {error}")).to_string()
        }
        What::Completed { early, .. } if *early => {
            out.paint(Colour::Bad, "  completed, before it had returned").to_string()
        }
        What::Completed { .. } => "  completed".to_owned(),
        What::Delivered { id, result } => {
            let outcome = match result {
                0 => out.paint(Colour::Good, "ok".to_owned()),
                _ => out.paint(Colour::Bad, outcome(*result)),
            };
            format!("  {} delivered: {outcome}", log.function(*id))
        }
        What::Duplicate { .. } => {
            out.paint(Colour::Bad, "  completed although nothing was outstanding").to_string()
        }
        What::Lost { .. } => out.paint(Colour::Bad, "  never completed").to_string(),
        What::NewCall { call } => {
            format!("{}  call {call}", out.paint(Colour::State, "new call"))
        }
        What::CallState { call, state, mode, .. } => {
            let mode = mode.as_ref().map(|mode| format!(" ({mode})")).unwrap_or_default();
            format!("{}{mode}  call {call}", out.paint(Colour::State, state))
        }
        What::CallInfo { call, changed, .. } => format!("known now: {changed}  call {call}"),
        What::Caller { call, .. } | What::Shown { call, .. } => {
            format!("{}  call {call}", told(what).unwrap_or_default())
        }
        What::Messages { .. } => told(what).unwrap_or_default(),
        What::Digit { call, digit, end: false } => format!("digit {digit} comes  call {call}"),
        What::Digit { call, digit, end: true } => format!("digit {digit} has ended  call {call}"),
        What::Generated { call, done: true, .. } => format!("digits are sent  call {call}"),
        What::Generated { call, done: false, .. } => format!("digits cancelled  call {call}"),
        What::Levels { heard_dbm0, heard_clipped, sent_dbm0, sent_clipped } => {
            let side = |dbm0: f64, clipped: u64| {
                let level = format!("{dbm0:6.1} dBm0");
                if clipped == 0 { level } else { format!("{level}, {clipped} samples clipped") }
            };
            let (heard, sent) =
                (side(*heard_dbm0, *heard_clipped), side(*sent_dbm0, *sent_clipped));
            format!("hears {heard}; sends {sent}")
        }
        What::LineClosed => out.paint(Colour::Bad, "line closed by the provider").to_string(),
        What::Message { message, name, params, .. } => match name {
            Some(name) => format!("{name} {params:?}"),
            None => format!("message {message} {params:?}"),
        },
        What::CallClosed { call } => format!("closed  call {call}"),
        What::Does { who, does } => out.paint(Colour::Dim, format!("{who} {does}")).to_string(),
        What::Check { what, ok: true, found } => {
            format!("{} {what}: {found}", out.paint(Colour::Good, "✓"))
        }
        What::Check { what, ok: false, found } => {
            format!("{} {what}: {found}", out.paint(Colour::Bad, "✗"))
        }
    }
}

/// What an exchange has told, in words: who calls, who else calls, and whether messages wait;
/// `None` for anything else.
pub(crate) fn told(what: &What) -> Option<String> {
    match what {
        What::Caller { number, name, unknown, time, .. } => {
            let words = [number.as_deref(), name.as_deref(), *unknown, time.as_deref()];
            let words: Vec<_> = words.into_iter().flatten().collect();
            Some(format!("from {}", words.join(", ")))
        }
        What::Shown { text, .. } => Some(format!("the exchange shows: {text}")),
        What::Messages { waiting: true } => Some("messages wait".to_owned()),
        What::Messages { waiting: false } => Some("no messages wait any more".to_owned()),
        _ => None,
    }
}

/// Describes the result of a completion.
fn outcome(result: i32) -> String {
    match LineError::from_raw(result) {
        None => "ok".to_owned(),
        Some(error) => error.name().map_or_else(|| format!("{result:#x}"), str::to_owned),
    }
}

/// Formats milliseconds as a column, with a dash for what has not happened.
fn moment(ms: Option<f64>) -> String {
    ms.map_or_else(|| format!("{:>10}", "-"), |ms| format!("{ms:10.3}"))
}

/// A table of all requests with their four times.
#[derive(Debug)]
pub(crate) struct Table<'a>(pub(crate) &'a Log);

impl std::fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Table(log) = self;
        write!(f, "request  line  {:<14}", "function")?;
        for heading in ["submitted", "returned", "completed", "delivered"] {
            write!(f, "{heading:>10}  ")?;
        }
        write!(f, "result")?;
        for request in log.requests() {
            writeln!(f)?;
            one(f, log, request)?;
        }
        Ok(())
    }
}

fn one(f: &mut std::fmt::Formatter<'_>, log: &Log, request: &Request) -> std::fmt::Result {
    let line = request.line.map(|line| line.to_string()).unwrap_or_default();
    write!(f, "{:>7}  {line:>4}  {:<14}", format!("#{}", request.id), request.function)?;
    let moments = [Some(request.submitted), request.returned, request.completed, request.delivered];
    for at in moments {
        write!(f, "{}  ", moment(at.map(|at| log.ms(at))))?;
    }
    f.write_str(&request.result.map_or_else(|| "none".to_owned(), outcome))
}
