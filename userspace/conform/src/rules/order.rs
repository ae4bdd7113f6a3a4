//! O, and what else is about order: N4 and N14, generating and gathering.
//!
//! The order rules of calls are those of [`Monitor`], which is shown the log.

use ringback_request::ErrorCode;
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::{Monitor, Rule as Order, Seen};
use ringback_tspi::constants::{
    LINE_GATHERDIGITS, LINE_GENERATE, LINEGATHERTERM_CANCEL, LINEGENERATETERM_CANCEL,
};
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    RequestId, TSPI_lineGatherDigits, TSPI_lineGenerateDigits, TSPI_lineGenerateTone,
    TSPI_lineMonitorDigits, TSPI_lineMonitorMedia, TSPI_lineMonitorTones,
};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE};

use super::calls::completed;
use super::{Docket, called, span};
use crate::history::{Call, History, Run};
use crate::log::{Data, Upcall};

fn handle<T>(value: u64, of: fn(usize) -> Option<T>) -> Option<T> {
    usize::try_from(value).ok().and_then(of)
}

/// What of the log is shown to the monitor, each with its entry.
fn seen(history: &History<'_>) -> Vec<(u64, Seen)> {
    let mut seen = Vec::new();
    for request in &history.requests {
        let Some(id) = RequestId::new(request.id) else { continue };
        for call in &request.makes {
            let call = &history.calls[*call];
            let line = call.line.map_or(0, |line| history.lines[line].tapi);
            if let Some(line) = handle(line, HTAPILINE::new)
                && let Some(call) = handle(call.tapi, HTAPICALL::new)
            {
                seen.push((request.at, Seen::Making { request: id, line, call }));
            }
        }
        let refused = history.run(request).returned.filter(|returned| returned.result < 0);
        let ends = refused.map(|returned| (returned.at, returned.result));
        let done = request.done.first().map(|done| (done.at, done.result));
        for (at, result) in ends.into_iter().chain(done) {
            // A positive result violates C2, which is judged elsewhere; it ends the request, too.
            let result = ErrorCode::new(result).map_or(Ok(()), Err);
            seen.push((at, Seen::Completed { request: id, result }));
        }
    }
    for call in &history.calls {
        if let Some(close) = history.close_of(call).and_then(|run| run.returned)
            && let Some(call) = handle(call.tapi, HTAPICALL::new)
        {
            seen.push((close.at, Seen::CallClosed { call }));
        }
        if let Some(up) = call.announced.map(|announced| &history.ups[announced])
            && let Upcall::NewCall { line, call: driver } = up.upcall
            && let Some(line) = handle(*line, HTAPILINE::new)
            && let Some(driver_call) = handle(*driver, HDRVCALL::new)
        {
            let call = handle(call.tapi, HTAPICALL::new);
            seen.push((up.at, Seen::NewCall { line, driver_call, call }));
        }
    }
    for line in &history.lines {
        if let Some(at) = history.closed(line)
            && let Some(line) = handle(line.tapi, HTAPILINE::new)
        {
            seen.push((at, Seen::LineClosed { line }));
        }
    }
    for up in &history.ups {
        if let Upcall::Line { line, call, message, params } = up.upcall
            && let Some(line) = handle(*line, HTAPILINE::new)
        {
            let call = handle(*call, HTAPICALL::new);
            let param1 = usize::try_from(params[0]).unwrap_or(usize::MAX);
            seen.push((up.at, Seen::Event { line, call, message: *message, param1 }));
        }
    }
    seen.sort_by_key(|(at, _)| *at);
    seen
}

/// What the monitor finds against one rule.
fn against(history: &History<'_>, docket: &mut Docket, rule: Order) {
    let seen = seen(history);
    let mut monitor = Monitor::new();
    seen.iter().for_each(|(_, seen)| {
        monitor.see(*seen);
    });
    for violation in monitor.violations().iter().filter(|violation| violation.rule == rule) {
        let (at, event) = seen[violation.index];
        let call = violation.call.map(HTAPICALL::raw);
        let call = history.calls.iter().rfind(|known| Some(known.tapi as usize) == call);
        let done = match call {
            Some(Call { maker: Some(maker), .. }) => {
                format!("{} had made the call", super::named(history, &history.requests[*maker]))
            }
            Some(_) => "the provider had announced the call".to_owned(),
            None => format!("{event:?}"),
        };
        docket.broken(
            done,
            violation.text.clone(),
            call.map(|call| call.at).into_iter().chain([at]),
        );
    }
}

pub(super) fn o1(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::O1);
    completed(history).filter(|call| history.states(call).next().is_some()).for_each(|_| {
        docket.kept();
    });
}

pub(super) fn n4(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::N4);
    completed(history).for_each(|_| docket.kept());
}

pub(super) fn n14(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::N14);
    let announced = history.calls.iter().filter(|call| call.announced.is_some());
    announced.filter(|call| !call.events.is_empty()).for_each(|_| docket.kept());
}

/// The calls that became IDLE.
fn idle(history: &History<'_>, docket: &mut Docket) {
    let idle = history.calls.iter().filter(|call| history.idle(call).is_some());
    idle.for_each(|_| docket.kept());
}

pub(super) fn o3(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::O3);
    idle(history, docket);
}

pub(super) fn o4(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::O4);
    idle(history, docket);
}

pub(super) fn o5(history: &History<'_>, docket: &mut Docket) {
    against(history, docket, Order::O5);
    let monitors = [TSPI_lineMonitorDigits, TSPI_lineMonitorMedia, TSPI_lineMonitorTones];
    for call in &history.calls {
        let over = history
            .states(call)
            .find(|(_, state)| matches!(state, CallState::Idle | CallState::Disconnected));
        let Some((over, _)) = over else { continue };
        let monitored = history.runs.iter().any(|run| {
            run.at > call.at
                && run.at < over
                && run.is_done()
                && monitors.iter().any(|function| run.is(function))
                && run.handles("HDRVCALL").any(|handle| handle == call.driver)
        });
        if monitored {
            docket.kept();
        }
    }
}

/// The message that ends what such a function starts, and its CANCEL.
fn ending(run: &Run<'_>) -> Option<(u32, u32)> {
    if run.is(&TSPI_lineGenerateDigits) || run.is(&TSPI_lineGenerateTone) {
        Some((LINE_GENERATE, LINEGENERATETERM_CANCEL))
    } else if run.is(&TSPI_lineGatherDigits) {
        Some((LINE_GATHERDIGITS, LINEGATHERTERM_CANCEL))
    } else {
        None
    }
}

/// Whether it has started something; without digits or tone it only cancels.
fn starts(run: &Run<'_>) -> bool {
    let cancels = matches!(run.argument("digits"), Some(Data::Null));
    run.is_done() && !cancels && run.number("tone_mode") != Some(0)
}

/// The call that it is about.
fn call_of<'h>(history: &'h History<'_>, run: &Run<'_>) -> Option<&'h Call> {
    let handle = run.handles("HDRVCALL").next()?;
    history.calls.iter().rfind(|call| call.driver == handle && call.at < run.at)
}

/// The entries of the events that report the end of what this function started.
pub(super) fn ends_of(history: &History<'_>, run: &Run<'_>) -> Vec<u64> {
    let Some((message, _)) = ending(run) else { return Vec::new() };
    let Some(call) = call_of(history, run) else { return Vec::new() };
    let id = run.number("end_to_end_id").map(u64::from);
    // An id may be used again: the next one that has it is the end of this.
    let next = history.runs.iter().find(|later| {
        later.at > run.at && starts(later) && later.number("end_to_end_id").map(u64::from) == id
    });
    let until = next.map_or(u64::MAX, |later| later.at);
    let ends = history.messages(call).filter(|(at, of, params)| {
        *of == message && *at > run.at && *at < until && Some(params[1]) == id
    });
    ends.map(|(at, ..)| at).collect()
}

pub(super) fn k5(history: &History<'_>, docket: &mut Docket) {
    for run in history.runs.iter().filter(|run| ending(run).is_some() && starts(run)) {
        let Some(call) = call_of(history, run) else { continue };
        let ends = ends_of(history, run);
        match ends.len() {
            1 => docket.kept(),
            0 if !history.is_quiet_after(run.at) || history.is_ended_after(call, run.at) => {}
            times => docket.broken(
                called(run),
                format!("the event that ends it came {times} times"),
                [span(run), ends].concat(),
            ),
        }
    }
}

pub(super) fn d17(history: &History<'_>, docket: &mut Docket) {
    one_at_a_time(history, docket, LINE_GENERATE);
}

pub(super) fn d18(history: &History<'_>, docket: &mut Docket) {
    one_at_a_time(history, docket, LINE_GATHERDIGITS);
    for run in history.runs.iter().filter(|run| run.is(&TSPI_lineGatherDigits)) {
        if run.argument("digits") != Some(&Data::Late(0)) {
            continue;
        }
        match run.result() {
            Some(0) => docket.broken(
                "TSPI_lineGatherDigits was called for 0 digits",
                "it returned 0 instead of LINEERR_INVALPARAM",
                span(run),
            ),
            Some(error) if error == LineError::INVALPARAM.raw() => docket.kept(),
            _ => {}
        }
    }
}

/// Checks that each start ends what is running already.
fn one_at_a_time(history: &History<'_>, docket: &mut Docket, which: u32) {
    let starting: Vec<_> = history
        .runs
        .iter()
        .filter(|run| run.is_done() && ending(run).is_some_and(|(message, _)| message == which))
        .collect();
    for (index, first) in starting.iter().enumerate().filter(|(_, run)| starts(run)) {
        let handle = first.handles("HDRVCALL").next();
        let Some(call) = call_of(history, first) else { continue };
        let mut later = starting[index + 1..].iter();
        let Some(second) = later.find(|run| run.handles("HDRVCALL").next() == handle) else {
            continue;
        };
        let ends = ends_of(history, first);
        let cancelled = |at: u64| {
            history.messages(call).any(|(of, _, params)| {
                of == at && Some(params[0]) == ending(first).map(|(_, cancel)| u64::from(cancel))
            })
        };
        match ends.first() {
            // It had ended by itself.
            Some(end) if *end < second.at => {}
            Some(end) if cancelled(*end) => docket.kept(),
            // It may have ended by itself while the second was being started.
            Some(_) => {}
            None if !history.is_quiet_after(second.at)
                || history.is_ended_after(call, first.at) => {}
            None => docket.broken(
                format!("{} a second time on the same call", called(second)),
                "the first was never reported as cancelled",
                [span(first), span(second)].concat(),
            ),
        }
    }
}
