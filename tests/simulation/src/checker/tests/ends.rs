//! The rules about what ends a call, a line and the engine (D).

use super::*;

#[test]
fn d7_a_drop_fails_the_calls_other_requests_before_it_completes() {
    /// A call that is being made or dials is dropped: returns the bench, the other request and the
    /// drop.
    fn dropped(kind: Kind, done: bool) -> (Bench, RequestId, RequestId) {
        let mut bench = Bench::new();
        let on = match kind {
            Kind::MakeCall => call(0x101),
            _ => bench.connected(0x101),
        };
        let other = bench.ask(0, kind, on);
        let before = bench.running.clone();
        let drop = bench.ask(0, Kind::Drop, on);
        if done {
            bench.finish(other);
            bench.finish(drop);
        }
        bench.checker.dropping(drop, on, &before, &bench.running);
        bench.fine();
        (bench, other, drop)
    }

    for kind in [Kind::MakeCall, Kind::Dial] {
        let (mut bench, other, drop) = dropped(kind, true);
        bench.complete(other, FAILED);
        if kind != Kind::MakeCall {
            bench.state(call(0x101), CallState::Idle, 0);
        }
        bench.complete(drop, Ok(()));
        bench.delivered();
        bench.fine();

        let (mut bench, other, _) = dropped(kind, true);
        bench.complete(other, Ok(()));
        bench.broke(Rule::D7);

        for done in [true, false] {
            let (mut bench, _, drop) = dropped(kind, done);
            bench.complete(drop, Ok(()));
            bench.broke(Rule::D7);
        }

        // While the drop runs, the others may run as well; and a failed drop has ended nothing.
        let (mut bench, other, drop) = dropped(kind, false);
        bench.complete(drop, FAILED);
        bench.complete(other, Ok(()));
        bench.delivered();
        bench.fine();
    }

    // The drop is complete, and the other request still runs.
    let (mut bench, on) = Bench::talking();
    bench.ask(0, Kind::Dial, on);
    let before = bench.running.clone();
    let drop = bench.ask(0, Kind::Drop, on);
    bench.finish(drop);
    bench.checker.dropping(drop, on, &before, &bench.running);
    bench.broke(Rule::D7);

    // It does not affect requests of another call.
    let (mut bench, on) = Bench::talking();
    bench.ask(1, Kind::MakeCall, call(0x102));
    let before = bench.running.clone();
    let drop = bench.ask(0, Kind::Drop, on);
    bench.finish(drop);
    bench.checker.dropping(drop, on, &before, &bench.running);
    bench.state(on, CallState::Idle, 0);
    bench.complete(drop, Ok(()));
    bench.delivered();
    bench.fine();
}

#[test]
fn d1_d2_d5_n6_closing_completes_first_and_nothing_follows() {
    // Closing a call that is being made.
    let (mut bench, id) = Bench::making();
    let before = bench.running.clone();
    bench.finish(id);
    bench.checker.call_closed(call(0x101), &before, &bench.running);
    bench.fine();
    bench.complete(id, Ok(()));
    bench.broke(Rule::N6);

    for line in [true, false] {
        // Its requests still run, or are not completed, or complete with another result.
        for what in 0..3 {
            let (mut bench, on) = Bench::talking();
            let id = bench.ask(0, Kind::Dial, on);
            let before = bench.running.clone();
            if what > 0 {
                bench.finish(id);
            }
            let after = bench.running.clone();
            if line {
                bench.checker.line_closed(0, &before, &after);
            } else {
                bench.checker.call_closed(on, &before, &after);
            }
            match what {
                1 => bench.delivered(),
                2 => bench.complete(id, Ok(())),
                _ => {}
            }
            bench.broke(if line { Rule::D1 } else { Rule::D5 });
        }
        let (mut bench, on) = Bench::talking();
        if line {
            bench.checker.line_closed(0, &BTreeSet::new(), &BTreeSet::new());
        } else {
            bench.checker.call_closed(on, &BTreeSet::new(), &BTreeSet::new());
        }
        bench.state(on, CallState::Idle, 0);
        bench.broke(if line { Rule::D2 } else { Rule::D5 });
    }

    // The line is opened again, with another handle: events of the old one are late.
    let mut bench = Bench::new();
    bench.checker.line_closed(0, &BTreeSet::new(), &BTreeSet::new());
    bench.checker.opened(0, HTAPILINE::new(3).unwrap());
    bench.event(Subject::NewCall(call(0x101)));
    bench.broke(Rule::D2);
}

#[test]
fn d12_d13_nothing_outlives_the_line_or_the_shutdown() {
    let mut bench = Bench::new();
    bench.ask(0, Kind::MakeCall, call(0x101));
    bench.checker.stopped();
    bench.broke(Rule::D12);

    let (mut bench, on) = Bench::talking();
    let id = bench.ask(0, Kind::Dial, on);
    bench.checker.stopping(&bench.running);
    bench.complete(id, Ok(()));
    bench.broke(Rule::D12);

    let (mut bench, on) = Bench::talking();
    bench.checker.stopping(&bench.running);
    bench.state(on, CallState::Idle, 0);
    bench.broke(Rule::D2);

    // Completions may be delivered after the events before them were dropped.
    let (mut bench, on) = Bench::talking();
    let dropped = bench.submit(0, Kind::Drop, on);
    bench.finish(dropped);
    let made = bench.submit(0, Kind::MakeCall, call(0x201));
    bench.finish(made);
    bench.delivered();
    bench.checker.stopping(&bench.running);
    for id in [dropped, made] {
        bench.checker.released(id);
        bench.complete(id, Ok(()));
    }
    bench.delivered();
    bench.checker.stopped();
    bench.fine();

    let mut bench = Bench::new();
    bench.ask(0, Kind::MakeCall, call(0x101));
    bench.event(Subject::Line { message: LINE_CLOSE, params: [0; 3] });
    bench.broke(Rule::D13);

    let mut bench = Bench::new();
    bench.event(Subject::Line { message: LINE_CLOSE, params: [0; 3] });
    bench.fine();
    assert!(!bench.checker.is_open(0));
    bench.event(Subject::NewCall(call(0x101)));
    bench.broke(Rule::D2);
}
