//! Calls: made, refused, overlapping, coming in.

use std::time::Duration;

use ringback_tspi::constants::{
    LINE_GATHERDIGITS, LINE_GENERATE, LINECALLSTATE_CONNECTED, LINECALLSTATE_OFFERING,
};
use ringback_tspi::functions::*;

use super::arguments::{Around, filled, handle, plausible, with};
use super::stage::{Line, Stage, StageCall};
use crate::log::Data;

/// Numbers that name generations and gatherings.
const FIRST: u32 = 0x6001;

pub(super) fn calls(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    for device in 0..stage.lines.get().min(4) {
        let Some(line) = stage.open(device) else { continue };
        let address = stage.options.dial.clone();
        if let Some(call) = stage.make_call(line, &address) {
            if stage.done(call.request) == Some(0) && stage.connects(call) {
                talk(stage, line, call);
            }
            look(stage, call);
            if stage.drop_call(call).is_some() {
                stage.idle(call);
            }
            stage.quiet();
            look(stage, call);
            // In IDLE it is refused.
            let arguments = with([("call", handle("HDRVCALL", call.driver))]);
            stage.ask(&TSPI_lineDrop, arguments);
            stage.close_call(call);
        }
        stage.quiet();
        stage.close(line);
        stage.quiet();
    }
    stage.shutdown();
}

/// What TAPI asks about a call.
fn look(stage: &Stage<'_>, call: StageCall) {
    for room in [0, 512] {
        let around =
            Around { call: call.driver, version: stage.version.get(), ..Around::default() };
        for function in [&TSPI_lineGetCallStatus, &TSPI_lineGetCallInfo] {
            stage.call(function, plausible(function, &around, room));
        }
    }
}

/// What is done with a call that is connected.
fn talk(stage: &Stage<'_>, line: Line, call: StageCall) {
    let around = stage.around(line, call.driver);
    for function in [&TSPI_lineMonitorDigits, &TSPI_lineMonitorMedia, &TSPI_lineMonitorTones] {
        stage.call(function, plausible(function, &around, 0));
    }
    stage.ask(&TSPI_lineDial, plausible(&TSPI_lineDial, &around, 0));
    let digits = |digits: &str| with([("digits", Data::Text(digits.to_owned()))]);
    // The second one cancels the first (D17), and the third ends by itself (K5).
    stage.starts(&TSPI_lineGenerateDigits, LINE_GENERATE, call, FIRST, digits("123456789"));
    stage.starts(&TSPI_lineGenerateDigits, LINE_GENERATE, call, FIRST + 1, digits("12345"));
    stage.quiet();
    stage.starts(&TSPI_lineGenerateDigits, LINE_GENERATE, call, FIRST + 2, digits("1"));
    stage.quiet();
    let gather = |count: u64| {
        with([
            ("digits", Data::Late(count * 2)),
            ("first_digit_timeout", Data::Number(400)),
            ("inter_digit_timeout", Data::Number(400)),
        ])
    };
    let gathers = |id: u32, count: u64| {
        stage.starts(&TSPI_lineGatherDigits, LINE_GATHERDIGITS, call, id, gather(count))
    };
    // The second one cancels the first (D18), and ends by its time (K5).
    gathers(FIRST + 3, 8);
    gathers(FIRST + 4, 4);
    stage.quiet();
    gathers(FIRST + 5, 0);
    stage.quiet();
}

/// Requests that are refused, at once or later.
pub(super) fn refusals(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    for device in (0..stage.lines.get()).rev().take(4) {
        let Some(line) = stage.open(device) else { continue };
        for modifier in ["$", "@", "W", "?", "!;"] {
            let address = format!("{}{modifier}{}", stage.options.dial, stage.options.dial);
            if let Some(call) = stage.make_call(line, &address) {
                stage.close_call(call);
            }
            stage.quiet();
        }
        // A number that leads nowhere; its call is closed after its end, however that comes (N8).
        if let Some(call) = stage.make_call(line, "0") {
            stage.done(call.request);
            stage.close_call(call);
        }
        stage.quiet();
        // A second call where there is room for one.
        let address = stage.options.dial.clone();
        let calls = [stage.make_call(line, &address), stage.make_call(line, &address)];
        calls.into_iter().flatten().for_each(|call| stage.close_call(call));
        stage.quiet();
        stage.close(line);
    }
    stage.shutdown();
}

/// Several requests at a time.
pub(super) fn overlap(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    // The ids at both ends of their range (T2).
    stage.desk.state().next_is(0x7FFF_FFFE);
    if let Some((line, call)) = stage.connected_call() {
        let around = stage.around(line, call.driver);
        for round in 0..4 {
            for _ in 0..3 {
                stage.request(&TSPI_lineDial, plausible(&TSPI_lineDial, &around, 0));
            }
            for function in [
                &TSPI_lineDevSpecific,
                &TSPI_lineDevSpecificFeature,
                &TSPI_lineForward,
                &TSPI_lineSetTerminal,
                &TSPI_lineUncompleteCall,
            ] {
                stage.request(function, plausible(function, &around, 0));
            }
            if round < 3 {
                stage.quiet();
            }
        }
        // Dropping ends what is outstanding on the call (D7).
        stage.drop_call(call);
        stage.idle(call);
        stage.quiet();
        stage.close_call(call);
        stage.close(line);
    }
    stage.shutdown();
}

/// Ids that are used again while their completion is being delivered.
pub(super) fn reuse(stage: &Stage<'_>) {
    if !stage.start() || !stage.desk.reuses() {
        return;
    }
    if let Some((line, call)) = stage.connected_call() {
        let around = stage.around(line, call.driver);
        for _ in 0..6 {
            let dials = plausible(&TSPI_lineDial, &around, 0);
            let Some((id, _)) = stage.request(&TSPI_lineDial, dials.clone()) else { break };
            let patience = stage.options.patience;
            let tells = stage.desk.wait(patience, |state| {
                state.telling.contains(&id).then(|| {
                    state.telling.retain(|other| *other != id);
                    state.completed.remove(&id);
                    state.next_is(id);
                })
            });
            if tells.is_some() {
                stage.request(&TSPI_lineDial, dials);
                stage.desk.state().reused = true;
            }
            stage.quiet();
        }
        stage.drop_call(call);
        stage.quiet();
        stage.close_call(call);
        stage.close(line);
    }
    stage.shutdown();
}

/// A call that comes in.
pub(super) fn incoming(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    let lines: Vec<_> = (0..stage.lines.get()).filter_map(|device| stage.open(device)).collect();
    stage.subject.far("ring");
    let rung = stage.desk.wait(stage.options.patience, |state| state.announced.pop_front());
    if let Some(tapi) = rung.filter(|tapi| *tapi != 0) {
        let known = stage.desk.state().calls.get(&tapi).cloned().unwrap_or_default();
        let call = StageCall { tapi, driver: known.driver, request: 0 };
        let offered = stage.desk.wait(stage.options.patience, |state| {
            state.calls.get(&tapi)?.was(LINECALLSTATE_OFFERING).then_some(())
        });
        look(stage, call);
        if offered.is_some() {
            stage.ask(&TSPI_lineAnswer, with([("call", handle("HDRVCALL", call.driver))]));
            stage.desk.wait(stage.options.patience, |state| {
                state.calls.get(&tapi)?.was(LINECALLSTATE_CONNECTED).then_some(())
            });
        }
        let status = filled("LPLINECALLSTATUS", 0);
        let arguments = with([("call", handle("HDRVCALL", call.driver)), ("status", status)]);
        stage.call(&TSPI_lineGetCallStatus, arguments);
        stage.drop_call(call);
        stage.idle(call);
        stage.quiet();
        stage.close_call(call);
    } else {
        // What follows a call without a handle would come now (N15).
        std::thread::sleep(Duration::from_millis(500));
    }
    stage.quiet();
    let waiting = std::mem::take(&mut stage.desk.state().announced);
    for tapi in waiting.into_iter().filter(|tapi| *tapi != 0) {
        let known = stage.desk.state().calls.get(&tapi).cloned().unwrap_or_default();
        stage.close_call(StageCall { tapi, driver: known.driver, request: 0 });
    }
    lines.into_iter().for_each(|line| stage.close(line));
    stage.quiet();
    stage.shutdown();
}
