//! Closing, shutting down and removal of the device, at every step of a call.

use std::time::Duration;

use ringback_tspi::functions::*;

use super::arguments::{handle, plausible, with};
use super::stage::{Line, Stage, StageCall};

/// How far a call is when its end begins.
const STEPS: u32 = 5;

/// Makes a call and goes so many steps with it: asked for, asked for a moment ago, complete,
/// connected with requests outstanding, dropped a moment ago.
fn make(stage: &Stage<'_>, step: u32) -> Option<(Line, StageCall)> {
    let (line, call) = stage.first_call()?;
    match step {
        0 => {}
        1 => std::thread::sleep(Duration::from_millis(20)),
        2 => {
            stage.done(call.request);
        }
        _ => {
            if stage.done(call.request) == Some(0) && stage.connects(call) {
                let around = stage.around(line, call.driver);
                stage.request(&TSPI_lineDial, plausible(&TSPI_lineDial, &around, 0));
                stage.request(&TSPI_lineDevSpecific, plausible(&TSPI_lineDevSpecific, &around, 0));
            }
            if step == 4 {
                stage.drop_call(call);
            }
        }
    }
    Some((line, call))
}

pub(super) fn close_call(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    for step in 0..STEPS {
        let Some((line, call)) = make(stage, step) else { break };
        stage.close_call(call);
        stage.quiet();
        stage.close(line);
        stage.quiet();
    }
    stage.shutdown();
}

pub(super) fn close_line(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    for step in 0..STEPS {
        let Some((line, _)) = make(stage, step) else { break };
        stage.close(line);
        stage.quiet();
    }
    stage.shutdown();
}

pub(super) fn shutdown(stage: &Stage<'_>) {
    for step in 0..STEPS {
        if !(if step == 0 { stage.start() } else { stage.init() }) {
            return;
        }
        make(stage, step);
        stage.shutdown();
    }
}

/// A device that goes away while requests are outstanding (D13, D14).
pub(super) fn removal(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    let lines: Vec<_> = (0..stage.lines.get()).filter_map(|device| stage.open(device)).collect();
    for line in &lines {
        let around = stage.around(*line, 0);
        stage.request(&TSPI_lineDevSpecific, plausible(&TSPI_lineDevSpecific, &around, 0));
        stage.make_call(*line, &stage.options.dial);
    }
    stage.subject.far("remove");
    let gone = stage
        .desk
        .wait(Duration::from_secs(1), |state| (!state.closed_lines.is_empty()).then_some(()));
    if gone.is_some() {
        stage.desk.wait(Duration::from_millis(300), |state| (state.removed > 0).then_some(()));
    }
    stage.quiet();
    let closed = stage.desk.state().closed_lines.clone();
    for line in lines {
        // After LINE_CLOSE TAPI does not use the handle.
        if !closed.contains(&line.tapi) {
            stage.call(&TSPI_lineClose, with([("line", handle("HDRVLINE", line.driver))]));
        }
    }
    stage.shutdown();
}
