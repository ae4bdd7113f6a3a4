//! T, K and R: what functions return, and what else comes of them.

use ringback_tspi::constants::PHONE_MESSAGE;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    Shape, TSPI_lineNegotiateTSPIVersion, TSPI_phoneNegotiateTSPIVersion,
};

use super::{Docket, accepted, called, entries, error_name, named, result_text, span, upcall_text};
use crate::history::{Fate, History, Request};
use crate::log::{Data, Watch, What};

/// The first error that is left to providers (T6).
const DEVICE_SPECIFIC: u32 = 0xC000_0000;

pub(super) fn t4(history: &History<'_>, docket: &mut Docket) {
    for again in accepted(history) {
        let reused = history.requests.iter().find(|first| {
            let inside = |done: crate::history::Done| {
                done.at < again.at && done.ended.is_none_or(|ended| again.at < ended)
            };
            first.id == again.id && first.at < again.at && first.first().is_some_and(inside)
        });
        let Some(first) = reused else { continue };
        match again.done.len() {
            1 => docket.kept(),
            0 if !history.is_quiet_after(again.at) => {}
            times => docket.broken(
                format!("{} was asked inside the completion of that id", named(history, again)),
                format!("it was completed {times} times"),
                [entries(first), entries(again)].concat(),
            ),
        }
    }
}

pub(super) fn t6(history: &History<'_>, docket: &mut Docket) {
    let mut check = |result: i32, what: String, entries: Vec<u64>| {
        if result >= 0 {
            return;
        }
        if error_name(result).is_some() || result.cast_unsigned() >= DEVICE_SPECIFIC {
            docket.kept();
        } else {
            docket.broken(what, format!("the error {result:#010x}, which no header has"), entries);
        }
    };
    for run in &history.runs {
        check(run.result().unwrap_or(0), called(run), span(run));
    }
    for request in &history.requests {
        for done in &request.done {
            check(done.result, format!("{} was asked", named(history, request)), vec![done.at]);
        }
    }
}

pub(super) fn k2(history: &History<'_>, docket: &mut Docket) {
    for run in history.runs.iter().filter(|run| !run.function.is_async()) {
        match run.result() {
            Some(result) if result > 0 => {
                docket.broken(called(run), format!("it returned {result}"), span(run));
            }
            Some(_) => docket.kept(),
            None => {}
        }
    }
}

pub(super) fn k3(history: &History<'_>, docket: &mut Docket) {
    for stray in &history.stray {
        let up = &history.ups[*stray];
        let within = history.runs.iter().rev().find(|run| {
            !run.function.is_async() && run.thread == up.thread && run.is_under_way(up.at)
        });
        let done = within.map_or_else(|| "no request bears this id".to_owned(), called);
        docket.broken(done, upcall_text(up.upcall), [up.at]);
    }
    let sync = |run: &&crate::history::Run<'_>| !run.function.is_async() && run.result().is_some();
    history.runs.iter().filter(sync).for_each(|_| docket.kept());
}

pub(super) fn k4(history: &History<'_>, docket: &mut Docket) {
    if !history.log.watches(Watch::Outputs) {
        return;
    }
    let gives = |shape| matches!(shape, Shape::Out | Shape::New | Shape::Filled);
    for run in history.runs.iter().filter(|run| run.is_done()) {
        for parameter in run.function.parameters.iter().filter(|p| gives(p.shape)) {
            let left = unwritten(history, run.at, parameter.name);
            match left {
                None => docket.kept(),
                Some(at) => docket.broken(
                    format!("{} returned 0", run.function.name),
                    format!("{} is as it was before", parameter.name),
                    [span(run), vec![at]].concat(),
                ),
            }
        }
    }
}

/// The entry that says that this parameter was left unwritten.
pub(super) fn unwritten(history: &History<'_>, run: u64, name: &str) -> Option<u64> {
    let left = history.log.entries().iter().find(|entry| {
        matches!(&entry.what, What::Unwritten { of, parameter } if *of == run && parameter == name)
    });
    left.map(|entry| entry.number)
}

pub(super) fn k7(history: &History<'_>, docket: &mut Docket) {
    hung(history, docket, false);
}

/// A function that did not return breaks the rule, and one that returned keeps it.
fn hung(history: &History<'_>, docket: &mut Docket, is_async: bool) {
    for run in history.runs.iter().filter(|run| run.function.is_async() == is_async) {
        let hung = history.log.entries().iter().find_map(|entry| match &entry.what {
            What::Hung { of, milliseconds } if *of == run.at => Some((entry.number, milliseconds)),
            _ => None,
        });
        match hung {
            Some((at, milliseconds)) => docket.broken(
                called(run),
                format!("it did not return within {milliseconds} ms"),
                [run.at, at],
            ),
            None if run.result().is_some() && !is_async => docket.kept(),
            None => {}
        }
    }
}

pub(super) fn r1(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        match request.fate {
            Fate::Accepted | Fate::Refused(_) => docket.kept(),
            Fate::Wrong(result) => wrong(history, docket, request, result),
            Fate::Asking => {}
        }
    }
    hung(history, docket, true);
}

fn wrong(history: &History<'_>, docket: &mut Docket, request: &Request, result: i32) {
    docket.broken(
        format!("{} was asked", named(history, request)),
        format!("it returned {result}"),
        entries(request),
    );
}

pub(super) fn r2(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        match request.fate {
            Fate::Wrong(0) => wrong(history, docket, request, 0),
            Fate::Asking => {}
            _ => docket.kept(),
        }
    }
}

pub(super) fn r3(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        match request.fate {
            Fate::Wrong(result) if result > 0 => wrong(history, docket, request, result),
            Fate::Asking => {}
            _ => docket.kept(),
        }
    }
}

pub(super) fn r4(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        let Fate::Refused(error) = request.fate else { continue };
        match request.first() {
            None => docket.kept(),
            Some(done) => docket.broken(
                format!("{} was refused with {}", named(history, request), result_text(error)),
                format!("it was completed with {} all the same", result_text(done.result)),
                entries(request),
            ),
        }
    }
}

pub(super) fn r5(history: &History<'_>, docket: &mut Docket) {
    for request in accepted(history) {
        if request.first().is_some() {
            docket.kept();
        } else if let Some(quiet) = history.quiet.iter().find(|quiet| **quiet > request.at) {
            docket.broken(
                format!("{} was accepted", named(history, request)),
                "no completion came, however long it was waited for",
                [entries(request), vec![*quiet]].concat(),
            );
        }
    }
}

/// The errors for a modifier in a dial string that the line can't carry out.
const BY_MODIFIER: [LineError; 4] =
    [LineError::DIALBILLING, LineError::DIALQUIET, LineError::DIALDIALTONE, LineError::DIALPROMPT];

pub(super) fn r7(history: &History<'_>, docket: &mut Docket) {
    let by_modifier = |result: i32| BY_MODIFIER.iter().any(|error| error.raw() == result);
    for request in &history.requests {
        let asked = || {
            let address = history.run(request).argument("dest_address");
            let text = if let Some(Data::Text(text)) = address { text } else { "" };
            format!("{} was asked to dial {text:?}", named(history, request))
        };
        if let Fate::Refused(error) = request.fate
            && by_modifier(error)
        {
            let events = request.makes.iter().flat_map(|call| &history.calls[*call].events);
            let events: Vec<u64> = events.map(|up| history.ups[*up].at).collect();
            if events.is_empty() {
                docket.kept();
            } else {
                let error = result_text(error);
                let seen = format!("it was refused with {error}, and yet the call had events");
                docket.broken(asked(), seen, [entries(request), events].concat());
            }
        }
        if let Some(done) = request.first().filter(|done| by_modifier(done.result)) {
            let error = result_text(done.result);
            let seen = format!("{error} came as its completion instead of at once");
            docket.broken(asked(), seen, entries(request));
        }
    }
}

pub(super) fn v1(history: &History<'_>, docket: &mut Docket) {
    let negotiates = [TSPI_lineNegotiateTSPIVersion, TSPI_phoneNegotiateTSPIVersion];
    for run in &history.runs {
        let range = run.number("low").zip(run.number("high"));
        let given = run.returned.and_then(|returned| returned.gave.first());
        let (Some((low, high)), Some(given)) = (range, given) else { continue };
        if !run.is_done() || !negotiates.iter().any(|function| run.is(function)) {
            continue;
        }
        let given = given.word();
        if (u64::from(low)..=u64::from(high)).contains(&given) {
            docket.kept();
        } else {
            docket.broken(
                format!("{} was offered {low:#x} to {high:#x}", run.function.name),
                format!("it chose {given:#x}"),
                span(run),
            );
        }
    }
}

pub(super) fn x1(history: &History<'_>, docket: &mut Docket) {
    let mut ended = false;
    for entry in history.log.entries() {
        let seen = match entry.what {
            What::Died { signal } => format!("its process was ended by signal {signal}"),
            What::Exited { code } => format!("its process ended with code {code}"),
            _ => continue,
        };
        ended = true;
        let inside = history.runs.iter().rev().find(|run| run.returned.is_none());
        let done = inside.map_or_else(|| "nothing was being called".to_owned(), called);
        docket.broken(done, seen, inside.map(|run| run.at).into_iter().chain([entry.number]));
    }
    if !ended {
        history.runs.iter().filter(|run| run.result().is_some()).for_each(|_| docket.kept());
    }
}

/// What a message is called.
pub(super) fn message_name(message: u32) -> String {
    let name = ringback_tspi::constants::line_message_name(message);
    let name = name.or_else(|| PHONE_MESSAGE.name_of(message));
    name.map_or_else(|| format!("message {message:#x}"), str::to_owned)
}
