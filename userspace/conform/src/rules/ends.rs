//! D: closing, dropping, shutting down.

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::{
    LINE_CLOSE, LINE_LINEDEVSTATE, LINE_REMOVE, LINEDEVSTATE_CLOSE, PHONE_CLOSE, PHONE_REMOVE,
};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    TSPI_lineDevSpecific, TSPI_lineDevSpecificFeature, TSPI_lineDrop, TSPI_lineForward,
    TSPI_lineSetTerminal, TSPI_lineUncompleteCall, TSPI_providerInit, TSPI_providerShutdown,
};

use super::returns::message_name;
use super::{Docket, accepted, called, entries, named, result_text, span, upcall_text};
use crate::history::{Call, Fate, History, Opening, Request, Run};
use crate::log::Upcall;

/// What was outstanding when this function was called is complete when it has returned.
fn completes_all(
    history: &History<'_>,
    docket: &mut Docket,
    run: &Run<'_>,
    which: impl Fn(&Request) -> bool,
) {
    let Some(returned) = run.returned.filter(|returned| returned.result == 0) else { return };
    for request in accepted(history).filter(|request| which(request)) {
        if !request.is_outstanding(run.at) {
            continue;
        }
        if request.is_reported(returned.at) {
            docket.kept();
        } else if request.first().is_none_or(|done| done.at > returned.at) {
            docket.broken(
                format!("{} while {} was outstanding", called(run), named(history, request)),
                format!("it returned before id {} was completed", request.id),
                [entries(request), span(run)].concat(),
            );
        }
    }
}

/// The function that closed this opening.
fn closer<'h, 'a>(history: &'h History<'a>, opening: &Opening) -> Option<&'h Run<'a>> {
    opening.closed.map(|run| &history.runs[run])
}

pub(super) fn d1(history: &History<'_>, docket: &mut Docket) {
    for (index, line) in history.lines.iter().enumerate() {
        if let Some(run) = closer(history, line) {
            completes_all(history, docket, run, |request| request.line == Some(index));
        }
    }
}

/// The line, call and phone that an upcall is about, as TAPI's handles; 0 for none.
fn about(upcall: &Upcall) -> (u64, u64, u64) {
    match *upcall {
        Upcall::Line { line, call, .. } => (line, call, 0),
        Upcall::NewCall { line, .. } => (line, 0, 0),
        Upcall::Phone { phone, .. } => (0, 0, phone),
        Upcall::Completion { .. } => (0, 0, 0),
    }
}

/// Checks that no upcall about a line or a phone comes after it was closed.
fn silent(
    history: &History<'_>,
    docket: &mut Docket,
    openings: &[Opening],
    of: impl Fn(&Upcall) -> u64,
) {
    for (index, opening) in openings.iter().enumerate() {
        let closed = closer(history, opening);
        let Some((run, returned)) = closed.and_then(|run| Some((run, run.returned?))) else {
            continue;
        };
        let again = openings[index + 1..].iter().find(|later| later.tapi == opening.tapi);
        let until = again.map_or(u64::MAX, |later| later.at);
        let late = history
            .ups
            .iter()
            .find(|up| up.at > returned.at && up.at < until && of(up.upcall) == opening.tapi);
        match late {
            None => docket.kept(),
            Some(late) => docket.broken(
                format!("{} and returned 0", called(run)),
                format!("{} came afterwards", upcall_text(late.upcall)),
                [returned.at, late.at],
            ),
        }
    }
}

pub(super) fn d2(history: &History<'_>, docket: &mut Docket) {
    silent(history, docket, &history.lines, |upcall| about(upcall).0);
}

pub(super) fn d4(history: &History<'_>, docket: &mut Docket) {
    for line in &history.lines {
        let Some(run) = closer(history, line) else { continue };
        let own = history.ups.iter().find(|up| {
            run.is_under_way(up.at)
                && matches!(up.upcall,
                    Upcall::Line { line: of, message: LINE_LINEDEVSTATE, params, .. }
                    if *of == line.tapi && params[0] & u64::from(LINEDEVSTATE_CLOSE) != 0)
        });
        match own {
            None => docket.kept(),
            Some(up) => docket.broken(
                called(run),
                "LINE_LINEDEVSTATE with LINEDEVSTATE_CLOSE reported this close",
                [run.at, up.at],
            ),
        }
    }
}

pub(super) fn d5(history: &History<'_>, docket: &mut Docket) {
    for (index, call) in history.calls.iter().enumerate() {
        let Some(run) = history.close_of(call) else { continue };
        completes_all(history, docket, run, |request| {
            request.calls.contains(&index) || request.makes.contains(&index)
        });
        let Some(returned) = run.returned.filter(|_| call.tapi != 0) else { continue };
        let late = call.events.iter().map(|up| &history.ups[*up]).find(|up| up.at > returned.at);
        match late {
            None => docket.kept(),
            Some(late) => docket.broken(
                format!("{} and returned 0", called(run)),
                format!("{} came afterwards", upcall_text(late.upcall)),
                [returned.at, late.at],
            ),
        }
    }
}

pub(super) fn d6(history: &History<'_>, docket: &mut Docket) {
    for call in &history.calls {
        let failed = call.maker.is_some_and(|maker| {
            let maker = &history.requests[maker];
            matches!(maker.fate, Fate::Refused(_)) || maker.first().is_some_and(|d| d.result < 0)
        });
        let Some(close) = call.closes.first().map(|run| &history.runs[*run]) else { continue };
        let line_closed = call.line.and_then(|line| closer(history, &history.lines[line]));
        if failed || line_closed.is_some_and(|run| run.at < close.at) {
            continue;
        }
        match close.result() {
            Some(0) => docket.kept(),
            Some(result) => docket.broken(
                called(close),
                format!("it was refused with {}", result_text(result)),
                span(close),
            ),
            None => {}
        }
    }
}

/// The calls whose dropping was accepted, each with the request.
fn drops<'h>(history: &'h History<'_>) -> impl Iterator<Item = (&'h Request, usize, &'h Call)> {
    let drops = history.requests.iter().filter(|r| history.run(r).is(&TSPI_lineDrop));
    drops.filter_map(|request| {
        let call = *request.calls.first()?;
        Some((request, call, &history.calls[call]))
    })
}

pub(super) fn d7(history: &History<'_>, docket: &mut Docket) {
    for (drop, index, _) in drops(history).filter(|(drop, ..)| drop.is_accepted()) {
        let Some(done) = drop.first().filter(|done| done.result == 0) else { continue };
        let others = accepted(history).filter(|other| {
            other.id != drop.id
                && (other.calls.contains(&index) || other.makes.contains(&index))
                && other.is_outstanding(drop.at)
        });
        for other in others {
            if other.first().is_some() {
                docket.kept();
            } else if history.is_quiet_after(done.at) {
                docket.broken(
                    format!(
                        "{} was completed with 0 while {} was outstanding",
                        named(history, drop),
                        named(history, other)
                    ),
                    "that one was never completed",
                    [entries(other), entries(drop)].concat(),
                );
            }
        }
    }
}

pub(super) fn d8(history: &History<'_>, docket: &mut Docket) {
    for (drop, _, call) in drops(history).filter(|(drop, ..)| drop.is_accepted()) {
        let Some(done) = drop.first().filter(|done| done.result == 0) else { continue };
        if history.idle(call).is_some() {
            docket.kept();
        } else if history.is_quiet_after(done.at) && !history.is_ended_after(call, drop.at) {
            docket.broken(
                format!("{} was completed with 0", named(history, drop)),
                "the call never became IDLE",
                entries(drop),
            );
        }
    }
}

pub(super) fn d9(history: &History<'_>, docket: &mut Docket) {
    for (drop, _, call) in drops(history) {
        let refused = [LineError::INVALCALLSTATE.raw(), LineError::OPERATIONUNAVAIL.raw()];
        let result = match drop.fate {
            Fate::Refused(error) => Some(error),
            _ => drop.first().map(|done| done.result),
        };
        let Some(result) = result else { continue };
        let state = history.states(call).take_while(|(at, _)| *at < drop.at).last();
        let Some((at, state)) = state.filter(|(_, state)| *state != CallState::Idle) else {
            continue;
        };
        if !refused.contains(&result) {
            docket.kept();
        } else if history.idle(call).is_none()
            && history.is_quiet_after(drop.at)
            && !history.is_ended_after(call, drop.at)
        {
            // Without this condition the call may have become IDLE in the meantime.
            docket.broken(
                format!("{} in the state {}", named(history, drop), state.name()),
                format!("it was refused with {}", result_text(result)),
                [vec![at], entries(drop)].concat(),
            );
        }
    }
}

pub(super) fn d10(history: &History<'_>, docket: &mut Docket) {
    for (index, phone) in history.phones.iter().enumerate() {
        if let Some(run) = closer(history, phone) {
            completes_all(history, docket, run, |request| request.phone == Some(index));
        }
    }
    silent(history, docket, &history.phones, |upcall| about(upcall).2);
}

pub(super) fn d11(history: &History<'_>, docket: &mut Docket) {
    let of_no_call = [
        TSPI_lineDevSpecific,
        TSPI_lineDevSpecificFeature,
        TSPI_lineForward,
        TSPI_lineSetTerminal,
        TSPI_lineUncompleteCall,
    ];
    let asked = accepted(history)
        .filter(|request| of_no_call.iter().any(|function| history.run(request).is(function)));
    for request in asked {
        if request.first().is_some() {
            docket.kept();
        } else if history.is_quiet_after(request.at) {
            docket.broken(
                format!("{} was accepted", named(history, request)),
                "it was never completed",
                entries(request),
            );
        }
    }
}

pub(super) fn d12(history: &History<'_>, docket: &mut Docket) {
    for run in history.runs.iter().filter(|run| run.is(&TSPI_providerShutdown) && run.is_done()) {
        let begun = history
            .runs
            .iter()
            .rfind(|init| init.is(&TSPI_providerInit) && init.is_done() && init.at < run.at);
        let begun = begun.map_or(0, |init| init.at);
        completes_all(history, docket, run, |request| request.at > begun);
        let Some(returned) = run.returned else { continue };
        let again =
            history.runs.iter().find(|init| init.is(&TSPI_providerInit) && init.at > returned.at);
        let until = again.map_or(u64::MAX, |init| init.at);
        match history.ups.iter().find(|up| up.at > returned.at && up.at < until) {
            None => docket.kept(),
            Some(late) => docket.broken(
                "TSPI_providerShutdown was called and returned 0",
                format!("{} came afterwards", upcall_text(late.upcall)),
                [returned.at, late.at],
            ),
        }
    }
}

pub(super) fn d13(history: &History<'_>, docket: &mut Docket) {
    for up in &history.ups {
        let (line, phone) = match *up.upcall {
            Upcall::Line { line, message: LINE_CLOSE, .. } => (history.line(line, up.at), None),
            Upcall::Phone { phone, message: PHONE_CLOSE, .. } => {
                let phones = &history.phones;
                (None, phones.iter().rposition(|open| open.tapi == phone && open.at < up.at))
            }
            _ => continue,
        };
        let outstanding = accepted(history).find(|request| {
            let of =
                line.is_some() && request.line == line || phone.is_some() && request.phone == phone;
            // A request that was submitted while the message was on its way may complete later.
            let before = request.returned.is_some_and(|returned| returned < up.at);
            of && before && request.is_outstanding(up.at)
        });
        match outstanding {
            None => docket.kept(),
            Some(request) => docket.broken(
                format!("{} was outstanding", named(history, request)),
                format!("{} came before its completion", upcall_text(up.upcall)),
                [entries(request), vec![up.at]].concat(),
            ),
        }
    }
}

pub(super) fn d14(history: &History<'_>, docket: &mut Docket) {
    for up in &history.ups {
        let (message, device, openings, close) = match *up.upcall {
            Upcall::Line { message: LINE_REMOVE, params, .. } => {
                (LINE_REMOVE, params[0], &history.lines, LINE_CLOSE)
            }
            Upcall::Phone { message: PHONE_REMOVE, params, .. } => {
                (PHONE_REMOVE, params[0], &history.phones, PHONE_CLOSE)
            }
            _ => continue,
        };
        let open = openings.iter().find(|opening| {
            let run = history.runs.iter().find(|run| run.at == opening.at);
            let of = run.and_then(|run| run.number("device_id")).map(u64::from);
            let closed = closer(history, opening).is_some_and(|run| run.at < up.at);
            let told = history.ups.iter().any(|before| {
                let tapi = match *before.upcall {
                    Upcall::Line { line, message, .. } if message == close => line,
                    Upcall::Phone { phone, message, .. } if message == close => phone,
                    _ => return false,
                };
                before.at < up.at && before.at > opening.at && tapi == opening.tapi
            });
            of == Some(device) && opening.at < up.at && !opening.failed && !closed && !told
        });
        match open {
            None => docket.kept(),
            Some(opening) => docket.broken(
                format!("device {device} was open"),
                format!("{} came, and no {} before it", message_name(message), message_name(close)),
                [opening.at, up.at],
            ),
        }
    }
}

pub(super) fn d15(history: &History<'_>, docket: &mut Docket) {
    let mut open = false;
    for run in &history.runs {
        if run.is(&TSPI_providerShutdown) && run.is_done() {
            open = false;
        }
        if !run.is(&TSPI_providerInit) {
            continue;
        }
        match run.result() {
            Some(0) if open => docket.kept(),
            Some(0) => open = true,
            Some(result) if open => docket.broken(
                "TSPI_providerInit was called a second time",
                format!("it returned {}", result_text(result)),
                span(run),
            ),
            _ => {}
        }
    }
    // Each init passes its own callbacks; those of an init that was ignored must not be called.
    let inits: Vec<_> = history.runs.iter().filter(|run| run.is(&TSPI_providerInit)).collect();
    let mut open = false;
    for (way, init) in inits.iter().enumerate() {
        let ended = inits[..way].last().is_some_and(|before| {
            history.runs.iter().any(|run| {
                run.is(&TSPI_providerShutdown)
                    && run.is_done()
                    && run.at > before.at
                    && run.at < init.at
            })
        });
        let ignored = open && !ended;
        open = ignored || init.is_done();
        let used = history.ups.iter().find(|up| u64::from(up.way) == way as u64);
        if let Some(up) = used.filter(|_| ignored) {
            docket.broken(
                "TSPI_providerInit was called a second time",
                "its completion procedure was called",
                [init.at, up.at],
            );
        }
    }
}
