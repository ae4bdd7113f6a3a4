//! How calls, lines and providers end (D).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_host::{Call, CallOptions, Host, HostOptions, Line, Pending};
use ringback_softcard::LineState;
use ringback_tests::{
    DEADLINE, Desk, FXO, FXS, SLOW, SUPERVISED, World, call, eventually, id, incoming, make,
    refusal, state,
};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::Seen;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::{Completion, Init, LineMessage, PhoneMessage, Tapi};
use ringback_tspi::types::{HDRVCALL, HTAPICALL, HTAPILINE, Version};

/// The name of a request, and its result.
type Outcome = (&'static str, Result<(), LineError>);

/// Stores the results of requests in the order of delivery.
#[derive(Clone, Default)]
struct Results(Arc<Mutex<Vec<Outcome>>>);

impl Results {
    fn of<T: Clone + Send + 'static>(&self, name: &'static str, pending: Pending<T>) {
        let results = Arc::clone(&self.0);
        pending.on_complete(move |result| {
            results.lock().unwrap().push((name, result.map(|_| ())));
        });
    }

    fn now(&self) -> Vec<Outcome> {
        self.0.lock().unwrap().clone()
    }
}

const FAILED: Result<(), LineError> = Err(LineError::OPERATIONFAILED);

#[test]
fn d1_d2_closing_a_line_completes_everything_first_and_nothing_follows() {
    let world = World::new();
    let (line, _events, connected) = world.talking();
    let results = Results::default();
    // Three requests are outstanding.
    for name in ["first", "second", "third"] {
        results.of(name, connected.dial(SLOW).unwrap());
    }
    assert_eq!(results.now(), []);
    line.close().unwrap();
    assert_eq!(results.now(), [("first", FAILED), ("second", FAILED), ("third", FAILED)]);
    let seen = world.witness.seen().len();
    assert!(line.is_closed());
    // D3: the call is dropped.
    world.until_line("103", LineState::Idle);
    // The line rings, and no event is sent.
    let telephone = world.subscriber("201");
    telephone.call("103");
    world.until_line("103", LineState::Ringing);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.witness.seen().len(), seen);
    assert_eq!(connected.drop_call().unwrap_err(), LineError::INVALCALLHANDLE);
    assert_eq!(line.status(), Err(LineError::INVALLINEHANDLE));
    line.close().unwrap();
    telephone.on_hook();
    // Another can be opened in its place.
    world.open(SUPERVISED).close().unwrap();
}

#[test]
fn d5_closing_a_call_completes_everything_first_and_nothing_follows() {
    let world = World::new();
    let (line, events, connected) = world.talking();
    let results = Results::default();
    results.of("dial", connected.dial(SLOW).unwrap());
    connected.generate_digits("12345", 0).unwrap();
    connected.close().unwrap();
    assert_eq!(results.now(), [("dial", FAILED)]);
    world.until_line("103", LineState::Idle);
    assert!(events.try_next().is_none());
    // A second call on the line is not mixed up with the first.
    let next = world.connected(&line, &events);
    assert_ne!(next.handle(), connected.handle());
    connected.close().unwrap();
    assert_eq!(next.state(), Some(CallState::Connected));
}

#[test]
fn d6_a_drop_and_at_once_a_close() {
    let world = World::new();
    let (_line, _events, connected) = world.talking();
    let results = Results::default();
    results.of("drop", connected.drop_call().unwrap());
    connected.close().unwrap();
    let results = results.now();
    assert_eq!(results.len(), 1, "complete before the close has returned");
    assert!(results[0].1.is_ok() || results[0].1 == FAILED);
    world.until_line("103", LineState::Idle);
}

#[test]
fn d7_a_drop_ends_what_else_was_asked() {
    let world = World::new();
    let (_line, events, connected) = world.talking();
    let results = Results::default();
    results.of("dial", connected.dial(SLOW).unwrap());
    results.of("drop", connected.drop_call().unwrap());
    eventually("both are complete", || results.now().len() == 2);
    assert_eq!(results.now(), [("dial", FAILED), ("drop", Ok(()))]);
    state(&events, &connected, CallState::Idle);
}

/// Brings a call into a state on the supervised line.
fn brought(world: &World, line: &Line, wanted: CallState) -> Call {
    let events = line.events();
    let number = match wanted {
        CallState::Offering => {
            world.exchange().call("201", "103").unwrap();
            return incoming(&events);
        }
        CallState::DialTone => "",
        CallState::Dialing => "12345678901234567890",
        CallState::Busy => {
            world.subscriber("201").off_hook();
            "201"
        }
        CallState::SpecialInfo => "999",
        _ => "200",
    };
    let made = line.make_call(number, &CallOptions::default()).unwrap();
    let call = made.wait(DEADLINE).unwrap();
    if wanted == CallState::Disconnected {
        state(&events, &call, CallState::Connected);
        world.subscriber("200").on_hook();
    }
    state(&events, &call, wanted);
    call
}

#[test]
fn d9_a_call_is_dropped_in_every_state() {
    for wanted in [
        CallState::Offering,
        CallState::DialTone,
        CallState::Dialing,
        CallState::Proceeding,
        CallState::Busy,
        CallState::SpecialInfo,
        CallState::Connected,
        CallState::Disconnected,
    ] {
        let world = World::new();
        let line = world.open(SUPERVISED);
        let events = line.events();
        let call = brought(&world, &line, wanted);
        call.drop_call().unwrap().wait(DEADLINE).unwrap();
        assert_eq!(state(&events, &call, CallState::Idle).last(), Some(&CallState::Idle));
        // Twice is once too often, but no violation.
        assert_eq!(refusal(call.drop_call()), LineError::INVALCALLSTATE, "{wanted}");
        call.close().unwrap();
        let on_hook = |state| !matches!(state, LineState::Talking | LineState::DialTone);
        eventually("the line is on-hook", || world.exchange().state("103").is_some_and(on_hook));
    }
}

#[test]
fn d12_shutting_down_completes_everything_and_is_the_last_word() {
    let world = World::new();
    let results = Results::default();
    let [line, other] = [FXO, SUPERVISED].map(|device| world.open(device));
    results.of("stuck", world.stuck(&line, 30_000));
    let events = other.events();
    let connected = world.connected(&other, &events);
    results.of("dial", connected.dial(SLOW).unwrap());
    world.host.shutdown().unwrap();
    let mut now = results.now();
    now.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(now, [("dial", FAILED), ("stuck", FAILED)]);
    let seen = world.witness.seen().len();
    assert_eq!(
        line.make_call("1", &CallOptions::default()).unwrap_err(),
        LineError::INVALLINEHANDLE
    );
    assert_eq!(world.host.open(FXS).unwrap_err(), LineError::UNINITIALIZED);
    for number in ["102", "103"] {
        world.exchange().plug_in(number).unwrap();
        eventually("every line is on-hook", || {
            world.exchange().state(number) == Some(LineState::Idle)
        });
    }
    assert_eq!(world.witness.seen().len(), seen);
}

/// Must never be called.
struct Nobody;

impl Tapi for Nobody {
    fn completion(&mut self, completion: &Completion) {
        panic!("completion of {}", completion.id);
    }
    fn line_event(&mut self, event: &LineMessage) {
        panic!("message {} of {}", event.message, event.line);
    }
    fn new_call(&mut self, _: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        panic!("a call {call}");
    }
    fn phone_event(&mut self, event: &PhoneMessage) {
        panic!("message {} of {}", event.message, event.phone);
    }
}

#[test]
fn d15_a_second_init_is_ignored_with_success_and_pairs_follow_each_other() {
    let desk = Desk::new();
    let init = Init {
        version: Version::V3_1,
        permanent_provider_id: 1,
        line_device_id_base: 7,
        phone_device_id_base: 0,
        num_lines: 4,
        num_phones: 0,
    };
    for round in 1..=2 {
        let line = desk.open(3, 1);
        // Not through the witness, which would take it for the start of another pair.
        assert_eq!(desk.bare().provider_init(init, Box::new(Nobody)), Ok(0));
        let handle = desk.make_call(id(round), line, call(9), Some("200"));
        assert_eq!(desk.completion(id(round)), Ok(()), "delivered to the first");
        desk.provider.line_close_call(handle).unwrap();
        desk.provider.provider_shutdown(Version::V3_1, 1).unwrap();
        // One pair, however often init was called.
        let again = desk.bare().provider_shutdown(Version::V3_1, 1);
        assert_eq!(again, Err(LineError::OPERATIONFAILED));
        assert_eq!(
            desk.provider.line_close(line),
            Err(LineError::INVALLINEHANDLE),
            "no state kept"
        );
        desk.start();
    }
}

#[test]
fn d12_a_handle_of_an_earlier_pair_means_nothing_in_the_next() {
    let desk = Desk::new();
    let make = |request, line| {
        let handle = desk.make_call(id(request), line, call(9), None);
        assert_eq!(desk.completion(id(request)), Ok(()));
        handle
    };
    let old_line = desk.open(0, 1);
    let old_call = make(1, old_line);
    desk.provider.provider_shutdown(Version::V3_1, 1).unwrap();
    desk.start();
    let line = desk.open(0, 2);
    let made = make(2, line);
    // The old handles reach nothing of the new pair.
    let drop = desk.provider.line_drop(id(3), old_call, &[]).map(|ticket| ticket.id());
    assert_eq!(drop, Err(LineError::INVALCALLHANDLE));
    let make_old = desk.provider.line_make_call(id(4), old_line, call(8), None, 0, None);
    assert_eq!(make_old.map(|_| ()), Err(LineError::INVALLINEHANDLE));
    assert_eq!(desk.provider.line_close(old_line), Err(LineError::INVALLINEHANDLE));
    let _ = desk.provider.line_close_call(old_call);
    desk.provider.line_drop(id(5), made, &[]).expect("the call lives on").release();
    assert_eq!(desk.completion(id(5)), Ok(()));
}

#[test]
fn a_provider_serves_one_host_after_the_other() {
    let world = World::new();
    world.host.shutdown().unwrap();
    let host = Host::start(Arc::clone(&world.provider), HostOptions::default()).unwrap();
    assert_eq!(host.lines().len(), 4);
    let line = host.open(SUPERVISED).unwrap();
    let events = line.events();
    eventually("the line is in service", || line.status().is_ok_and(|status| status.in_service));
    let call = make(&line, "200");
    state(&events, &call, CallState::Connected);
    drop(line);
    let closed = world.witness.seen().iter().any(|seen| matches!(seen, Seen::LineClosed { .. }));
    assert!(closed, "dropping a line closes it");
    drop(host);
}
