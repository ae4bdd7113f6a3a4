//! F: what LINECALLSTATUS says about a call is true.

use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::features::FEATURES;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::{
    TSPI_lineGetCallAddressID, TSPI_lineGetCallInfo, TSPI_lineGetCallStatus,
};
use ringback_tspi::structs::LINECALLSTATUS;

use super::{Docket, result_text, span};
use crate::history::{Call, History, Run};

/// Whether a function can change something about a call.
fn changes(run: &Run<'_>) -> bool {
    let reads = [TSPI_lineGetCallStatus, TSPI_lineGetCallInfo, TSPI_lineGetCallAddressID];
    !reads.iter().any(|function| run.is(function))
}

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

/// Whether something else than this function may have changed the call between its status and the
/// function's return: an event, or what another thread called.
fn may_have_changed(history: &History<'_>, status: &Run<'_>, run: &Run<'_>, call: &Call) -> bool {
    let until = run.returned.map_or(u64::MAX, |returned| returned.at);
    let events = history.messages(call).any(|(at, ..)| status.at < at && at < until);
    let mut others = history
        .runs
        .iter()
        .filter(|other| other.at != run.at && is_of(other, call.driver) && changes(other));
    events
        || others.any(|other| {
            let ended = other.returned.map_or(u64::MAX, |returned| returned.at);
            other.at < until && ended > status.at
        })
}

pub(super) fn f1(history: &History<'_>, docket: &mut Docket) {
    for status in &history.runs {
        let offered = member(status, LINECALLSTATUS::dwCallFeatures.offset());
        let handle = status.handles("HDRVCALL").next();
        let (Some(offered), Some(handle)) = (offered, handle) else { continue };
        for (_, function) in FEATURES.iter().filter(|(feature, _)| offered & feature != 0) {
            if history.log.header().missing.iter().any(|missing| missing == function.name) {
                docket.broken(
                    format!("dwCallFeatures was read, and offered {}", function.name),
                    "the provider does not export this function, so TAPI refuses it as unavailable",
                    span(status),
                );
            }
        }
        let Some(call) = call_at(history, handle, status.at) else { continue };
        let mut later = history.runs.iter().filter(|run| run.at > status.at && is_of(run, handle));
        let Some(run) = later.find(|run| changes(run)) else { continue };
        let is_offered =
            FEATURES.iter().any(|(feature, function)| run.is(function) && offered & feature != 0);
        let is_over = run.returned.is_some();
        if !is_offered || !is_over || may_have_changed(history, status, run, call) {
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
        // No event may be sent of a call that is being made (N4), or that could not be made.
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
