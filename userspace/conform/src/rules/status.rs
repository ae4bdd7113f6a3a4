//! F: what LINECALLSTATUS says of a call is so.

use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::features::FEATURES;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    Function, TSPI_lineGetCallAddressID, TSPI_lineGetCallInfo, TSPI_lineGetCallStatus,
};
use ringback_tspi::structs::LINECALLSTATUS;

use super::{Docket, result_text, span};
use crate::history::{Call, History, Run};

/// What changes nothing about a call.
const READS: [Function; 3] =
    [TSPI_lineGetCallStatus, TSPI_lineGetCallInfo, TSPI_lineGetCallAddressID];

/// A member of the LINECALLSTATUS that this function has filled.
fn member(run: &Run<'_>, offset: usize) -> Option<u32> {
    let filled = run.returned.filter(|_| run.is(&TSPI_lineGetCallStatus) && run.is_done())?;
    let bytes = &filled.filled.get("status")?.0;
    // Only what the provider says it has filled.
    let used = bytes.get(LINECALLSTATUS::dwUsedSize.offset()..)?.first_chunk()?;
    let end = offset.checked_add(4)?;
    (end <= u32::from_le_bytes(*used) as usize).then_some(())?;
    Some(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn is_of(run: &Run<'_>, call: u64) -> bool {
    run.handles("HDRVCALL").any(|handle| handle == call)
}

/// The call that this handle of the provider's names at this entry.
fn call_at<'h>(history: &'h History<'_>, driver: u64, at: u64) -> Option<&'h Call> {
    history.calls.iter().rev().find(|call| call.driver == driver && call.at < at)
}

/// How a function was refused: by its return, or by the completion of its request.
fn refused(history: &History<'_>, run: &Run<'_>) -> Option<i32> {
    let result = run.result()?;
    let unavailable = LineError::OPERATIONUNAVAIL.raw();
    if [unavailable, LineError::INVALCALLSTATE.raw()].contains(&result) {
        return Some(result);
    }
    // The state may be another when a request is completed.
    let request = history.requests.iter().find(|request| request.at == run.at)?;
    request.first().map(|done| done.result).filter(|result| *result == unavailable)
}

pub(super) fn f1(history: &History<'_>, docket: &mut Docket) {
    for status in &history.runs {
        let Some(offered) = member(status, LINECALLSTATUS::dwCallFeatures.offset()) else {
            continue;
        };
        let (Some(handle), Some(told)) = (status.handles("HDRVCALL").next(), status.returned)
        else {
            continue;
        };
        let Some(call) = call_at(history, handle, status.at) else { continue };
        let changes = |run: &&Run<'_>| !READS.iter().any(|function| run.is(function));
        let mut later = history.runs.iter().filter(|run| run.at > told.at && is_of(run, handle));
        let Some(run) = later.find(changes) else { continue };
        let until = run.returned.map_or(u64::MAX, |returned| returned.at);
        let is_offered =
            FEATURES.iter().any(|(feature, function)| run.is(function) && offered & feature != 0);
        // What another thread does to the call meanwhile, and what happens to it, may change it.
        let changed = history.messages(call).any(|(at, ..)| at > status.at && at < until)
            || history.runs.iter().filter(|other| is_of(other, handle)).filter(changes).any(
                |other| {
                    let ended = other.returned.map_or(u64::MAX, |returned| returned.at);
                    other.at != run.at && other.at < until && ended > status.at
                },
            );
        if !is_offered || changed || run.returned.is_none() {
            continue;
        }
        match refused(history, run) {
            None => docket.kept(),
            Some(result) => docket.broken(
                format!("{} was called, which dwCallFeatures offered", run.function.name),
                format!("it was refused with {}", result_text(result)),
                [span(status), span(run)].concat(),
            ),
        }
    }
}

pub(super) fn f2(history: &History<'_>, docket: &mut Docket) {
    for status in &history.runs {
        let raw = member(status, LINECALLSTATUS::dwCallState.offset());
        let Some(state) = raw.and_then(CallState::from_raw) else { continue };
        let Some(handle) = status.handles("HDRVCALL").next() else { continue };
        let Some(call) = call_at(history, handle, status.at) else { continue };
        // Nothing may be sent of a call that is being made (N4), or whose making has failed.
        let is_made = call.maker.is_none_or(|maker| {
            let done = history.requests[maker].first();
            done.is_some_and(|done| done.result == 0 && done.at < status.at)
        });
        if !is_made || state == CallState::Unknown {
            continue;
        }
        if history.states(call).any(|(_, sent)| sent == state) {
            docket.kept();
        } else if history.is_quiet_after(status.at) && !history.is_ended_after(call, status.at) {
            docket.broken(
                format!("TSPI_lineGetCallStatus returned the state {}", state.name()),
                "no LINE_CALLSTATE with this state was sent of the call",
                span(status),
            );
        }
    }
}
