//! C: completions, and how upcalls come.

use ringback_tspi::constants::{LINE_REPLY, PHONE_REPLY};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::Shape;

use super::returns::{message_name, unwritten};
use super::{Docket, accepted, called, entries, named, result_text, span, upcall_text};
use crate::history::{Fate, History};
use crate::log::{Upcall, Watch};

pub(super) fn c2(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        for done in &request.done {
            if done.result <= 0 {
                docket.kept();
            } else {
                docket.broken(
                    format!("{} was asked", named(history, request)),
                    format!("it was completed with {}", done.result),
                    entries(request),
                );
            }
        }
    }
}

pub(super) fn c3(history: &History<'_>, docket: &mut Docket) {
    for request in accepted(history) {
        match request.done.len() {
            1 => docket.kept(),
            0 if !history.is_quiet_after(request.at) => {}
            times => docket.broken(
                format!("{} was accepted", named(history, request)),
                format!("it was completed {times} times"),
                entries(request),
            ),
        }
    }
}

pub(super) fn c5(history: &History<'_>, docket: &mut Docket) {
    for request in &history.requests {
        let run = history.run(request);
        let inline = request.first().filter(|done| {
            done.thread == run.thread && run.is_under_way(done.at) && run.returned.is_some()
        });
        let Some(done) = inline else { continue };
        match (request.fate, run.result()) {
            (Fate::Accepted, _) => docket.kept(),
            (_, Some(result)) => docket.broken(
                format!("{} was asked", named(history, request)),
                format!(
                    "it was completed with {} before it returned, and then returned {}",
                    result_text(done.result),
                    result_text(result)
                ),
                entries(request),
            ),
            _ => {}
        }
    }
}

pub(super) fn c6(history: &History<'_>, docket: &mut Docket) {
    let completions: Vec<_> =
        history.ups.iter().filter(|up| matches!(up.upcall, Upcall::Completion { .. })).collect();
    for up in completions {
        let inside =
            history.ups.iter().find(|other| other.thread == up.thread && up.is_under_way(other.at));
        match inside {
            Some(other) => docket.broken(
                format!("{} was under way", upcall_text(up.upcall)),
                format!(
                    "{} was made on the same thread before it had returned",
                    upcall_text(other.upcall)
                ),
                [up.at, other.at],
            ),
            None if up.ended.is_some() => docket.kept(),
            None => {}
        }
    }
}

pub(super) fn c9(history: &History<'_>, docket: &mut Docket) {
    for call in &history.calls {
        let Some(announced) = call.announced else { continue };
        let up = &history.ups[announced];
        let inside = history.runs.iter().filter(|run| {
            run.thread == up.thread
                && up.is_under_way(run.at)
                && run.handles("HDRVCALL").any(|handle| handle == call.driver)
        });
        for run in inside {
            match run.result() {
                Some(error) if error == LineError::INVALCALLHANDLE.raw() => docket.broken(
                    format!("{} inside LINE_NEWCALL of that call", called(run)),
                    "the provider did not know the call yet: LINEERR_INVALCALLHANDLE",
                    [vec![up.at], span(run)].concat(),
                ),
                Some(_) => docket.kept(),
                None => {}
            }
        }
    }
}

pub(super) fn c11(history: &History<'_>, docket: &mut Docket) {
    for later in accepted(history) {
        let Some(returned) = later.returned else { continue };
        let overlapped = accepted(history).filter(|earlier| {
            earlier.at < later.at
                && earlier.line == later.line
                && earlier.phone == later.phone
                && earlier.is_outstanding(returned)
        });
        for earlier in overlapped {
            if earlier.first().is_some() && later.first().is_some() {
                docket.kept();
            } else if history.is_quiet_after(later.at) {
                let lost = if earlier.first().is_none() { earlier } else { later };
                docket.broken(
                    format!(
                        "{} was accepted while {} was outstanding",
                        named(history, later),
                        named(history, earlier)
                    ),
                    format!("id {} was never completed", lost.id),
                    [entries(earlier), entries(later)].concat(),
                );
            }
        }
    }
}

pub(super) fn c13(history: &History<'_>, docket: &mut Docket) {
    if !history.log.watches(Watch::Outputs) {
        return;
    }
    for request in accepted(history) {
        let run = history.run(request);
        let Some(done) = request.first().filter(|done| done.result == 0) else { continue };
        for parameter in run.function.parameters.iter().filter(|p| p.shape == Shape::Late) {
            if matches!(run.argument(parameter.name), None | Some(crate::log::Data::Null)) {
                continue;
            }
            match unwritten(history, run.at, parameter.name) {
                None => docket.kept(),
                Some(at) => docket.broken(
                    format!("{} was asked", named(history, request)),
                    format!("it was completed with 0, and {} is as it was", parameter.name),
                    [run.at, done.at, at],
                ),
            }
        }
    }
}

pub(super) fn c14(history: &History<'_>, docket: &mut Docket) {
    for up in &history.ups {
        let message = match up.upcall {
            Upcall::Line { message, .. } | Upcall::Phone { message, .. } => *message,
            Upcall::NewCall { .. } | Upcall::Completion { .. } => continue,
        };
        if [LINE_REPLY, PHONE_REPLY].contains(&message) {
            let seen = format!("{} came through the event procedure", message_name(message));
            docket.broken("events were waited for", seen, [up.at]);
        } else {
            docket.kept();
        }
    }
}
