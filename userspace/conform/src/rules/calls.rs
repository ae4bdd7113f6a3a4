//! N: how calls are made and announced.

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINE_CALLSTATE;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    Shape, TSPI_lineCompleteTransfer, TSPI_lineForward, TSPI_lineOpen, TSPI_phoneOpen,
};

use super::{Docket, accepted, called, entries, named, result_text, span};
use crate::history::{Call, History, Request};
use crate::log::Upcall;

/// The calls that requests make, with their requests.
fn made<'h>(history: &'h History<'_>) -> impl Iterator<Item = (&'h Request, &'h Call)> {
    history.calls.iter().filter_map(|call| Some((&history.requests[call.maker?], call)))
}

pub(super) fn n1(history: &History<'_>, docket: &mut Docket) {
    for (request, call) in made(history).filter(|(request, _)| request.is_accepted()) {
        let run = history.run(request);
        // These two may have made none (N2).
        if run.is(&TSPI_lineForward) || run.is(&TSPI_lineCompleteTransfer) {
            continue;
        }
        let mut written = run.function.parameters.iter().filter(|p| p.shape == Shape::New);
        let left = written
            .find_map(|parameter| super::returns::unwritten(history, run.at, parameter.name));
        if call.driver != 0 && left.is_none() {
            docket.kept();
        } else {
            docket.broken(
                format!("{} was accepted", named(history, request)),
                "it had written no handle of the new call when it returned",
                entries(request).into_iter().chain(left),
            );
        }
    }
}

pub(super) fn n2(history: &History<'_>, docket: &mut Docket) {
    let opens = |run: &&crate::history::Run<'_>| run.is(&TSPI_lineOpen) || run.is(&TSPI_phoneOpen);
    for run in history.runs.iter().filter(opens).filter(|run| run.is_done()) {
        let given = run.returned.and_then(|returned| returned.gave.first());
        match given {
            Some(handle) if handle.word() != 0 => docket.kept(),
            _ => docket.broken(called(run), "it returned 0 and gave the handle 0", span(run)),
        }
    }
    for up in &history.ups {
        match up.upcall {
            Upcall::NewCall { call: 0, .. } => {
                docket.broken("a call was announced", "its handle is 0", [up.at]);
            }
            Upcall::NewCall { .. } => docket.kept(),
            _ => {}
        }
    }
}

pub(super) fn n6(history: &History<'_>, docket: &mut Docket) {
    for (request, call) in made(history) {
        let mut closes = call.closes.iter().map(|run| &history.runs[*run]);
        let pending = closes.find(|run| request.is_outstanding(run.at));
        let Some(close) = pending else { continue };
        let Some(closed) = close.returned else { continue };
        let done = format!(
            "TSPI_lineCloseCall was called while {} was outstanding",
            named(history, request)
        );
        let seen = match request.first() {
            // Another thread may have completed it before it saw the closing.
            Some(done) if done.at < closed.at && done.thread != close.thread => {
                docket.kept();
                continue;
            }
            Some(done) if done.result < 0 && done.at < closed.at => {
                docket.kept();
                continue;
            }
            Some(done) if done.at < closed.at => {
                format!("it was completed with {}", result_text(done.result))
            }
            _ => "closing returned before that request was completed".to_owned(),
        };
        docket.broken(done, seen, [entries(request), span(close)].concat());
    }
}

pub(super) fn n8(history: &History<'_>, docket: &mut Docket) {
    for (request, call) in made(history) {
        let Some(done) = request.first().filter(|done| done.result < 0) else { continue };
        for close in call.closes.iter().map(|run| &history.runs[*run]) {
            if close.at < done.at || !request.is_accepted() {
                continue;
            }
            let accepted = [0, LineError::INVALCALLHANDLE.raw()];
            match close.result() {
                Some(result) if accepted.contains(&result) => docket.kept(),
                Some(result) => docket.broken(
                    format!(
                        "TSPI_lineCloseCall of a call whose {} had failed",
                        history.run(request).function.name
                    ),
                    format!("it returned {}", result_text(result)),
                    [entries(request), span(close)].concat(),
                ),
                None => {}
            }
        }
    }
}

pub(super) fn n10(history: &History<'_>, docket: &mut Docket) {
    for (request, call) in made(history).filter(|(request, _)| request.is_accepted()) {
        let far = [
            CallState::Proceeding,
            CallState::Ringback,
            CallState::Busy,
            CallState::SpecialInfo,
            CallState::Connected,
        ];
        let Some((at, state)) = history.states(call).find(|(_, state)| far.contains(state)) else {
            continue;
        };
        if request.is_outstanding(at) {
            docket.broken(
                format!("{} was accepted", named(history, request)),
                format!("the call became {} and the request was not complete", state.name()),
                entries(request).into_iter().chain([at]),
            );
        } else {
            docket.kept();
        }
    }
}

pub(super) fn n15(history: &History<'_>, docket: &mut Docket) {
    for call in &history.calls {
        let Some(announced) = call.announced else { continue };
        let up = &history.ups[announced];
        let (Some(ended), Upcall::NewCall { line, .. }) = (up.ended, up.upcall) else { continue };
        if call.tapi != 0 {
            continue;
        }
        // A message of a call to which TAPI has given no handle has none.
        let next = history.ups.iter().find(|later| {
            later.at > ended
                && matches!(later.upcall, Upcall::Line { line: of, call: 0, message, .. }
                    if of == line && *message == LINE_CALLSTATE)
        });
        match next {
            Some(later) => docket.broken(
                "TAPI had no handle for the call of a LINE_NEWCALL",
                "a LINE_CALLSTATE without a call followed",
                [up.at, later.at],
            ),
            None => docket.kept(),
        }
    }
}

pub(super) fn n16(history: &History<'_>, docket: &mut Docket) {
    for (index, call) in history.calls.iter().enumerate() {
        let Some(announced) = call.announced else { continue };
        let at = history.ups[announced].at;
        let known = history.calls[..index].iter().find(|known| {
            let failed = known.maker.is_some_and(|maker| {
                let maker = &history.requests[maker];
                !maker.is_accepted() || maker.first().is_some_and(|done| done.result < 0)
            });
            let closed = known.closes.iter().any(|run| history.runs[*run].at < at);
            let line_closed = known.line.is_some_and(|line| history.lines[line].closed.is_some());
            known.driver == call.driver && known.tapi != 0 && !failed && !closed && !line_closed
        });
        match known {
            Some(known) => docket.broken(
                format!("the call {:#x} was there", known.driver),
                "LINE_NEWCALL announced it",
                [known.at, at],
            ),
            None => docket.kept(),
        }
    }
}

/// The calls that have events and whose requests completed with success, for O1 and N4.
pub(super) fn completed<'h>(history: &'h History<'_>) -> impl Iterator<Item = &'h Call> {
    accepted(history)
        .filter(|request| request.first().is_some_and(|done| done.result == 0))
        .flat_map(|request| request.makes.iter().map(|call| &history.calls[*call]))
        .filter(|call| !call.events.is_empty())
}
