//! The checker finds the violations that it is made for, and reports nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::request::{Completion, ErrorCode, LineNumber, RequestId, Table};
use ringback_lines::{Event, Subject};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::types::{HDRVCALL, HTAPILINE};

use super::{Checker, Kind, Rule, Submitted};

const LIMIT: Duration = Duration::from_secs(3);
const FAILED: Result<(), LineError> = Err(LineError::OPERATIONFAILED);

/// A checker with two open lines, and the requests that it has seen.
struct Bench {
    checker: Checker,
    table: Table,
    now: Time,
    running: BTreeSet<RequestId>,
}

fn call(number: usize) -> HDRVCALL {
    HDRVCALL::new(number).unwrap()
}

impl Bench {
    fn new() -> Bench {
        let mut checker = Checker::new(2);
        checker.opened(0, HTAPILINE::new(1).unwrap());
        checker.opened(1, HTAPILINE::new(2).unwrap());
        let table = Table::with_capacity(16).unwrap();
        Bench { checker, table, now: Time::ZERO, running: BTreeSet::new() }
    }

    fn submit(&mut self, line: usize, kind: Kind, on: HDRVCALL) -> RequestId {
        let (id, token) =
            self.table.reserve(None, LineNumber::at(line), self.now, Time::NEVER).unwrap();
        let (time, limit) = (self.now, LIMIT);
        self.checker.submitted(Submitted { id, token, line, kind, call: on, time, limit });
        self.running.insert(id);
        id
    }

    /// Submits a request, and releases its ticket.
    fn ask(&mut self, line: usize, kind: Kind, on: HDRVCALL) -> RequestId {
        let id = self.submit(line, kind, on);
        self.checker.released(id);
        id
    }

    /// Marks a request as not running any more.
    fn finish(&mut self, id: RequestId) {
        self.running.remove(&id);
    }

    fn complete(&mut self, id: RequestId, result: Result<(), LineError>) {
        self.complete_on(0, id, result);
    }

    fn complete_on(&mut self, line: usize, id: RequestId, result: Result<(), LineError>) {
        self.finish(id);
        let result = result.map_err(ErrorCode::from);
        let completion = Completion {
            id,
            line: LineNumber::at(line),
            result,
            submitted: Time::ZERO,
            completed: self.now,
            output: (),
        };
        self.checker.completed(&completion, self.now);
    }

    fn event(&mut self, subject: Subject) {
        let line = HTAPILINE::new(1).unwrap();
        self.checker.event(LineNumber(0), &Event { line, subject });
    }

    fn message(&mut self, on: HDRVCALL, message: u32, params: [usize; 3]) {
        self.event(Subject::Call { call: on, message, params });
    }

    fn state(&mut self, on: HDRVCALL, state: CallState, mode: u32) {
        let params = [state.bit() as usize, mode as usize, 0];
        self.message(on, LINE_CALLSTATE, params);
    }

    fn delivered(&mut self) {
        let running = self.running.clone();
        self.checker.delivered(&running);
        self.checker.step(self.now, &running);
    }

    /// Makes a call that is connected.
    fn connected(&mut self, number: usize) -> HDRVCALL {
        let made = self.ask(0, Kind::MakeCall, call(number));
        self.complete(made, Ok(()));
        self.state(call(number), CallState::DialTone, LINEDIALTONEMODE_NORMAL);
        self.state(call(number), CallState::Dialing, 0);
        self.state(call(number), CallState::Connected, LINECONNECTEDMODE_ACTIVE);
        self.delivered();
        self.fine();
        call(number)
    }

    /// Makes an incoming call.
    fn offered(&mut self, number: usize) -> HDRVCALL {
        self.event(Subject::NewCall(call(number)));
        self.state(call(number), CallState::Offering, LINEOFFERINGMODE_ACTIVE);
        self.delivered();
        self.fine();
        call(number)
    }

    fn idle(&mut self, on: HDRVCALL) {
        let dropped = self.ask(0, Kind::Drop, on);
        self.state(on, CallState::Idle, 0);
        self.complete(dropped, Ok(()));
        self.delivered();
        self.fine();
    }

    fn fine(&self) {
        assert_eq!(self.checker.broken(), None);
    }

    fn broke(&self, rule: Rule) {
        let broken = self.checker.broken().expect("a rule was broken");
        assert_eq!(broken.rule, rule, "{}", broken.text);
    }
}

#[test]
fn whole_calls_break_no_rule() {
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.checker.monitoring(on, LINEDIGITMODE_DTMF);
    bench.message(on, LINE_MONITORDIGITS, [0x35, LINEDIGITMODE_DTMF as usize, 0]);
    for (id, how) in [(1, LINEGENERATETERM_DONE), (2, LINEGENERATETERM_CANCEL)] {
        bench.checker.generating(on, Some(id));
        bench.message(on, LINE_GENERATE, [how as usize, id as usize, 0]);
    }
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.idle(on);
    bench.checker.call_closed(on, &BTreeSet::new(), &BTreeSet::new());
    let on = bench.offered(0x201);
    let answered = bench.ask(0, Kind::Answer, on);
    bench.state(on, CallState::Connected, LINECONNECTEDMODE_ACTIVE);
    bench.complete(answered, Ok(()));
    bench.delivered();
    bench.idle(on);
    bench.checker.stopped();
    bench.fine();
}

#[test]
fn c3_r4_t3_results_and_numbers_of_completions() {
    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    bench.complete(id, FAILED);
    bench.complete(id, FAILED);
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    bench.complete(RequestId::new(5).unwrap(), Ok(()));
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    bench.complete_on(1, id, FAILED);
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    bench.finish(id);
    bench.delivered();
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    bench.checker.refused(RequestId::new(5));
    bench.fine();
    bench.complete(RequestId::new(5).unwrap(), Ok(()));
    bench.broke(Rule::R4);

    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    let (_, token) = bench.table.reserve(Some(id), LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
    let (line, kind, time, limit) = (0, Kind::Drop, Time::ZERO, LIMIT);
    bench.checker.submitted(Submitted { id, token, line, kind, call: call(0x101), time, limit });
    bench.broke(Rule::T3);
}

#[test]
fn g1_o1_what_a_held_ticket_holds_back() {
    let mut bench = Bench::new();
    let id = bench.submit(LineNumber(0).index(), Kind::MakeCall, call(0x101));
    bench.complete(id, FAILED);
    bench.broke(Rule::G1);

    // Nothing is delivered behind a completion that is held back, not even another completion.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let held = bench.submit(LineNumber(0).index(), Kind::Dial, on);
    bench.finish(held);
    bench.delivered();
    bench.fine();
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.broke(Rule::O1);

    // After its release it may be, and on the other line at any time.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let held = bench.submit(LineNumber(0).index(), Kind::Dial, on);
    bench.finish(held);
    bench.delivered();
    let other = bench.ask(1, Kind::MakeCall, call(0x102));
    bench.complete_on(1, other, FAILED);
    bench.checker.released(held);
    bench.complete(held, Ok(()));
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.delivered();
    bench.fine();

    // Upcalls that were queued before the held completion may come.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let held = bench.submit(LineNumber(0).index(), Kind::Dial, on);
    bench.finish(held);
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.delivered();
    bench.fine();
}

#[test]
fn n4_n14_o3_o4_events_before_and_after_their_call() {
    let mut bench = Bench::new();
    bench.ask(0, Kind::MakeCall, call(0x101));
    bench.state(call(0x101), CallState::DialTone, LINEDIALTONEMODE_NORMAL);
    bench.broke(Rule::N4);

    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    bench.complete(id, FAILED);
    bench.state(call(0x101), CallState::Idle, 0);
    bench.broke(Rule::N4);

    let mut bench = Bench::new();
    bench.state(call(0x101), CallState::Offering, LINEOFFERINGMODE_ACTIVE);
    bench.broke(Rule::N14);

    let mut bench = Bench::new();
    bench.event(Subject::NewCall(call(0x101)));
    bench.message(call(0x101), LINE_CALLINFO, [0; 3]);
    bench.broke(Rule::N14);

    for (message, rule) in
        [(LINE_CALLSTATE, Rule::O3), (LINE_CALLINFO, Rule::O4), (LINE_GENERATE, Rule::O3)]
    {
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
        bench.idle(on);
        bench.message(on, message, [LINECALLSTATE_IDLE as usize, 0, 0]);
        bench.broke(rule);
    }
}

#[test]
fn steps_are_those_of_an_analog_line_and_delivered_once() {
    for (state, mode, rule) in [
        (CallState::DialTone, LINEDIALTONEMODE_NORMAL, Rule::Steps),
        (CallState::Offering, LINEOFFERINGMODE_ACTIVE, Rule::Steps),
        (CallState::Connected, LINECONNECTEDMODE_ACTIVE, Rule::Repeated),
        (CallState::Disconnected, 3, Rule::Steps),
        (CallState::Idle, 1, Rule::Steps),
    ] {
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
        bench.state(on, state, mode);
        bench.broke(rule);
    }
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.message(on, LINE_CALLSTATE, [3, 0, 0]);
    bench.broke(Rule::Steps);
}

#[test]
fn a_line_has_one_call() {
    let mut bench = Bench::new();
    bench.connected(0x101);
    bench.event(Subject::NewCall(call(0x201)));
    bench.broke(Rule::OneCall);

    let mut bench = Bench::new();
    bench.offered(0x101);
    let id = bench.ask(0, Kind::MakeCall, call(0x201));
    bench.complete(id, Ok(()));
    bench.broke(Rule::OneCall);
}

#[test]
fn d8_a_drop_ends_and_an_answer_connects() {
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let id = bench.ask(0, Kind::Drop, on);
    bench.complete(id, Ok(()));
    bench.delivered();
    bench.broke(Rule::D8);

    let mut bench = Bench::new();
    let on = bench.offered(0x101);
    let id = bench.ask(0, Kind::Answer, on);
    bench.complete(id, Ok(()));
    bench.delivered();
    bench.broke(Rule::Answered);
}

#[test]
fn d17_o5_generation_ends_once_and_monitoring_with_the_conversation() {
    let generated = |id: usize| [LINEGENERATETERM_DONE as usize, id, 0];
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.checker.generating(on, Some(1));
    bench.message(on, LINE_GENERATE, generated(1));
    bench.fine();
    bench.message(on, LINE_GENERATE, generated(1));
    bench.broke(Rule::D17);

    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.checker.generating(on, Some(1));
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.broke(Rule::D17);

    // Neither a known generation, nor an end.
    for params in [generated(2), [3, 1, 0]] {
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
        bench.checker.generating(on, Some(1));
        bench.message(on, LINE_GENERATE, params);
        bench.broke(Rule::D17);
    }

    let digit = [0x35, LINEDIGITMODE_DTMF as usize, 0];
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.message(on, LINE_MONITORDIGITS, digit);
    bench.broke(Rule::O5);

    let mut bench = Bench::new();
    let on = bench.connected(0x101);
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
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
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
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    for id in 1..=3 {
        bench.checker.generating(on, Some(id));
    }
    bench.message(on, LINE_GENERATE, cancelled(2));
    bench.broke(Rule::D17);

    // Nothing more is delivered, although the end of what the next one or a cancel has ended is
    // missing.
    for next in [Some(2), None] {
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
        bench.checker.generating(on, Some(1));
        bench.delivered();
        bench.checker.generating(on, next);
        bench.fine();
        bench.delivered();
        bench.broke(Rule::D17);
    }

    // A held ticket may keep it back.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.checker.generating(on, Some(1));
    let held = bench.submit(LineNumber(0).index(), Kind::Dial, on);
    bench.finish(held);
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
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.ask(0, Kind::Dial, on);
    let before = bench.running.clone();
    let drop = bench.ask(0, Kind::Drop, on);
    bench.finish(drop);
    bench.checker.dropping(drop, on, &before, &bench.running);
    bench.broke(Rule::D7);

    // It does not affect requests of another call.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
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
    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    let before = bench.running.clone();
    bench.finish(id);
    bench.checker.call_closed(call(0x101), &before, &bench.running);
    bench.fine();
    bench.complete(id, Ok(()));
    bench.broke(Rule::N6);

    for line in [true, false] {
        // Its requests still run, or are not completed, or complete with another result.
        for what in 0..3 {
            let mut bench = Bench::new();
            let on = bench.connected(0x101);
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
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
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

    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let id = bench.ask(0, Kind::Dial, on);
    bench.checker.stopping(&bench.running);
    bench.complete(id, Ok(()));
    bench.broke(Rule::D12);

    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    bench.checker.stopping(&bench.running);
    bench.state(on, CallState::Idle, 0);
    bench.broke(Rule::D2);

    // Completions may be delivered after the events before them were dropped.
    let mut bench = Bench::new();
    let on = bench.connected(0x101);
    let dropped = bench.submit(LineNumber(0).index(), Kind::Drop, on);
    bench.finish(dropped);
    let made = bench.submit(LineNumber(0).index(), Kind::MakeCall, call(0x201));
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

#[test]
fn a_request_is_over_within_its_limit() {
    let mut bench = Bench::new();
    bench.ask(0, Kind::MakeCall, call(0x101));
    bench.now = Time::ZERO + LIMIT;
    bench.delivered();
    bench.fine();
    bench.now = Time::ZERO + LIMIT + Duration::from_millis(2);
    bench.delivered();
    bench.broke(Rule::Deadline);

    let mut bench = Bench::new();
    let id = bench.ask(0, Kind::MakeCall, call(0x101));
    bench.now = Time::ZERO + LIMIT + Duration::from_millis(2);
    bench.complete(id, FAILED);
    bench.broke(Rule::Deadline);
}
