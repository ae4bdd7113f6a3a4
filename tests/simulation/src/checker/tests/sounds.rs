//! The rules about digits that are generated and listened for.

use super::*;

#[test]
fn d17_o5_generation_ends_once_and_monitoring_with_the_conversation() {
    let generated = |id: usize| [LINEGENERATETERM_DONE as usize, id, 0];
    let (mut bench, on) = Bench::talking();
    bench.checker.generating(on, Some(1));
    bench.message(on, LINE_GENERATE, generated(1));
    bench.fine();
    bench.message(on, LINE_GENERATE, generated(1));
    bench.broke(Rule::D17);

    let (mut bench, on) = Bench::talking();
    bench.checker.generating(on, Some(1));
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.broke(Rule::D17);

    // Neither a known generation, nor an end.
    for params in [generated(2), [3, 1, 0]] {
        let (mut bench, on) = Bench::talking();
        bench.checker.generating(on, Some(1));
        bench.message(on, LINE_GENERATE, params);
        bench.broke(Rule::D17);
    }

    let digit = [0x35, LINEDIGITMODE_DTMF as usize, 0];
    let (mut bench, on) = Bench::talking();
    bench.message(on, LINE_MONITORDIGITS, digit);
    bench.broke(Rule::O5);

    let (mut bench, on) = Bench::talking();
    bench.checker.monitoring(on, LINEDIGITMODE_DTMF);
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.fine();
    bench.message(on, LINE_MONITORDIGITS, digit);
    bench.broke(Rule::O5);
}

#[test]
fn d17_generations_end_as_they_began_before_the_delivery_is_over() {
    let cancelled = |id: usize| [LINEGENERATETERM_CANCEL as usize, id, 0];

    // Several begin between two upcalls: the ends of all but the last are queued.
    let (mut bench, on) = Bench::talking();
    for id in 1..=3 {
        bench.checker.generating(on, Some(id));
    }
    bench.message(on, LINE_GENERATE, [LINEGENERATETERM_DONE as usize, 1, 0]);
    bench.message(on, LINE_GENERATE, cancelled(2));
    bench.delivered();
    bench.fine();
    // A cancel ends the last one, and leaves none for the next.
    bench.checker.generating(on, None);
    bench.message(on, LINE_GENERATE, cancelled(3));
    bench.delivered();
    bench.checker.generating(on, None);
    bench.checker.generating(on, Some(4));
    bench.delivered();
    bench.fine();

    // The oldest has to end first.
    let (mut bench, on) = Bench::talking();
    for id in 1..=3 {
        bench.checker.generating(on, Some(id));
    }
    bench.message(on, LINE_GENERATE, cancelled(2));
    bench.broke(Rule::D17);

    // Nothing more is delivered, although the end of what the next one or a cancel has ended is
    // missing.
    for next in [Some(2), None] {
        let (mut bench, on) = Bench::talking();
        bench.checker.generating(on, Some(1));
        bench.delivered();
        bench.checker.generating(on, next);
        bench.fine();
        bench.delivered();
        bench.broke(Rule::D17);
    }

    // A held ticket may keep it back.
    let (mut bench, on) = Bench::talking();
    bench.checker.generating(on, Some(1));
    let held = bench.held(on);
    bench.delivered();
    bench.checker.generating(on, Some(2));
    bench.delivered();
    bench.fine();
    bench.checker.released(held);
    bench.complete(held, Ok(()));
    bench.message(on, LINE_GENERATE, cancelled(1));
    bench.delivered();
    bench.fine();
}
