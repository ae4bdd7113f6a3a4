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

mod ends;
mod sounds;

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

    /// With a call that is connected.
    fn talking() -> (Bench, HDRVCALL) {
        let mut bench = Bench::new();
        let on = bench.connected(0x101);
        (bench, on)
    }

    /// With a request that makes a call.
    fn making() -> (Bench, RequestId) {
        let mut bench = Bench::new();
        let id = bench.ask(0, Kind::MakeCall, call(0x101));
        (bench, id)
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

    /// A request of a call that has ended and whose ticket is held.
    fn held(&mut self, on: HDRVCALL) -> RequestId {
        let held = self.submit(0, Kind::Dial, on);
        self.finish(held);
        held
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
        self.checker.event(LineNumber(0), &Event::Line { line, subject });
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
    let (mut bench, on) = Bench::talking();
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
    let (mut bench, id) = Bench::making();
    bench.complete(id, FAILED);
    bench.complete(id, FAILED);
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    bench.complete(RequestId::new(5).unwrap(), Ok(()));
    bench.broke(Rule::C3);

    let (mut bench, id) = Bench::making();
    bench.complete_on(1, id, FAILED);
    bench.broke(Rule::C3);

    let (mut bench, id) = Bench::making();
    bench.finish(id);
    bench.delivered();
    bench.broke(Rule::C3);

    let mut bench = Bench::new();
    bench.checker.refused(RequestId::new(5));
    bench.fine();
    bench.complete(RequestId::new(5).unwrap(), Ok(()));
    bench.broke(Rule::R4);

    let (mut bench, id) = Bench::making();
    let (_, token) = bench.table.reserve(Some(id), LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
    let (line, kind, time, limit) = (0, Kind::Drop, Time::ZERO, LIMIT);
    bench.checker.submitted(Submitted { id, token, line, kind, call: call(0x101), time, limit });
    bench.broke(Rule::T3);
}

#[test]
fn g1_o1_what_a_held_ticket_holds_back() {
    let mut bench = Bench::new();
    let id = bench.submit(0, Kind::MakeCall, call(0x101));
    bench.complete(id, FAILED);
    bench.broke(Rule::G1);

    // Nothing is delivered behind a completion that is held back, not even another completion.
    let (mut bench, on) = Bench::talking();
    bench.held(on);
    bench.delivered();
    bench.fine();
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.broke(Rule::O1);

    // After its release it may be, and on the other line at any time.
    let (mut bench, on) = Bench::talking();
    let held = bench.held(on);
    bench.delivered();
    let other = bench.ask(1, Kind::MakeCall, call(0x102));
    bench.complete_on(1, other, FAILED);
    bench.checker.released(held);
    bench.complete(held, Ok(()));
    bench.state(on, CallState::Disconnected, LINEDISCONNECTMODE_NORMAL);
    bench.delivered();
    bench.fine();

    // Upcalls that were queued before the held completion may come.
    let (mut bench, on) = Bench::talking();
    bench.held(on);
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

    let (mut bench, id) = Bench::making();
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
        let (mut bench, on) = Bench::talking();
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
        let (mut bench, on) = Bench::talking();
        bench.state(on, state, mode);
        bench.broke(rule);
    }
    let (mut bench, on) = Bench::talking();
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
    let (mut bench, on) = Bench::talking();
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
fn a_request_is_over_within_its_limit() {
    let mut bench = Bench::new();
    bench.ask(0, Kind::MakeCall, call(0x101));
    bench.now = Time::ZERO + LIMIT;
    bench.delivered();
    bench.fine();
    bench.now = Time::ZERO + LIMIT + Duration::from_millis(2);
    bench.delivered();
    bench.broke(Rule::Deadline);

    let (mut bench, id) = Bench::making();
    bench.now = Time::ZERO + LIMIT + Duration::from_millis(2);
    bench.complete(id, FAILED);
    bench.broke(Rule::Deadline);
}
