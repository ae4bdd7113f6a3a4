//! Random walks by seed: calls, gaps, ids, closes, in any order that TAPI may choose.

use ringback_tspi::functions::*;

use super::arguments::{Around, plausible};
use super::stage::{Line, Stage, StageCall};

/// How many steps are done.
const STEPS: u32 = 60;
/// How many threads there are at a time.
const THREADS: u64 = 4;

/// The line and the call that a walk uses.
#[derive(Default)]
struct Hands {
    line: Option<Line>,
    call: Option<StageCall>,
    /// Whether the call's completion with 0 has come, so that it may be used (G7).
    is_made: bool,
}

pub(super) fn chance(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    let edges = [1, 0x7FFF_FFF0, 0x0001_0000, 0x4000_0000];
    stage.desk.state().next_is(edges[stage.random(4) as usize]);
    let device = stage.random(stage.lines.get());
    walk(stage, device);
    stage.quiet();
    stage.shutdown();
}

/// Several threads, each with a line of its own if there are enough.
pub(super) fn threads(stage: &Stage<'_>) {
    if !stage.start() {
        return;
    }
    std::thread::scope(|scope| {
        for number in 0..THREADS.min(u64::from(stage.lines.get())) {
            let seed = stage.rng.borrow_mut().u64(..);
            let (subject, desk, options) = (stage.subject, stage.desk, stage.options);
            let version = stage.version.get();
            scope.spawn(move || {
                let own = Stage::new(subject, desk, options, seed);
                own.version.set(version);
                walk(&own, number as u32);
            });
        }
    });
    stage.quiet();
    stage.shutdown();
}

fn walk(stage: &Stage<'_>, device: u32) {
    let mut hands = Hands::default();
    for _ in 0..STEPS {
        step(stage, device, &mut hands);
        stage.gap();
    }
    if let Some(line) = hands.line {
        stage.close(line);
    }
}

fn step(stage: &Stage<'_>, device: u32, hands: &mut Hands) {
    let Some(line) = hands.line else {
        hands.line = stage.open(device);
        return;
    };
    let Some(call) = hands.call else {
        if stage.random(8) == 0 {
            stage.close(line);
            hands.line = None;
        } else {
            hands.call = stage.make_call(line, &stage.options.dial);
            hands.is_made = false;
        }
        return;
    };
    if !hands.is_made {
        let done = match stage.random(3) {
            0 => stage.done(call.request),
            _ => stage.desk.state().completed.get(&call.request).and_then(|d| d.front().copied()),
        };
        hands.is_made = done == Some(0);
    }
    let has_failed = !hands.is_made && !stage.desk.state().outstanding.contains(&call.request);
    match stage.random(10) {
        // TAPI closes a call in every state, also a pending one (D6, N6) and a failed one (N8).
        0 | 1 => {
            stage.close_call(call);
            hands.call = None;
        }
        2 if stage.random(3) == 0 => {
            stage.close(line);
            *hands = Hands::default();
        }
        _ if has_failed => {
            stage.close_call(call);
            hands.call = None;
        }
        _ if !hands.is_made => {}
        3 | 4 => {
            stage.drop_call(call);
        }
        5 | 6 => {
            let around = Around { call: call.driver, ..stage.around(line, call.driver) };
            stage.request(&TSPI_lineDial, plausible(&TSPI_lineDial, &around, 0));
        }
        7 => {
            let around = stage.around(line, call.driver);
            let room = stage.random(600) as usize & !3;
            for function in [&TSPI_lineGetCallStatus, &TSPI_lineGetCallInfo] {
                stage.call(function, plausible(function, &around, room));
            }
        }
        8 => {
            let around = stage.around(line, call.driver);
            stage.request(&TSPI_lineDevSpecific, plausible(&TSPI_lineDevSpecific, &around, 0));
        }
        _ => {
            let around = stage.around(line, 0);
            let arguments = plausible(&TSPI_lineGetLineDevStatus, &around, 64);
            stage.call(&TSPI_lineGetLineDevStatus, arguments);
        }
    }
}
