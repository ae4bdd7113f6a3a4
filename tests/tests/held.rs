//! Requests that an application keeps without using them: they are delivered in order and hold
//! nothing back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringback_host::{CallOptions, HostOptions, LineEvent, Traced, WaitError};
use ringback_tests::{DEADLINE, SLOW, SUPERVISED, World, eventually, make, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

/// What was delivered to the application, in order.
type Told = Arc<Mutex<Vec<String>>>;

fn observer(told: &Told) -> HostOptions {
    let told = Arc::clone(told);
    let trace = move |happened: &Traced<'_>| {
        let text = match happened {
            Traced::Completed { id, outcome, .. } => format!("{}: {outcome:?}", id.get()),
            Traced::Event { event: LineEvent::State { state, .. }, .. } => state.to_string(),
            _ => return,
        };
        told.lock().unwrap().push(text);
    };
    HostOptions { trace: Some(Arc::new(trace)) }
}

#[test]
fn o1_a_request_that_is_not_waited_for_is_delivered_before_later_events() {
    let told = Told::default();
    let world = World::with(observer(&told));
    let line = world.open(SUPERVISED);
    let events = line.events();
    let pending = line.make_call("200", &CallOptions::default()).unwrap();
    // This thread does not come back to the host meanwhile.
    let connected = CallState::Connected.to_string();
    eventually("the call is connected", || told.lock().unwrap().contains(&connected));
    let call = pending.call();
    let passed = state(&events, &call, CallState::Connected);
    assert!(passed.starts_with(&[CallState::DialTone, CallState::Dialing, CallState::Proceeding]));
    let mut expected = vec![format!("{}: Ok(())", pending.id().get())];
    expected.extend(passed.iter().map(ToString::to_string));
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(pending.wait(DEADLINE), Ok(call));
}

#[test]
fn events_come_while_a_request_is_in_scope() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let _pending = line.make_call("200", &CallOptions::default()).unwrap();
    assert!(events.next_timeout(DEADLINE).is_some());
}

#[test]
fn c11_requests_may_be_waited_for_in_any_order() {
    let world = World::new();
    let (_line, _events, call) = world.talking();
    let first = call.dial("1").unwrap();
    let second = call.dial("2").unwrap();
    assert_eq!(second.wait(DEADLINE), Ok(()));
    assert_eq!(first.wait_without_limit(), Ok(()));
}

#[test]
fn d7_what_was_emitted_before_a_request_in_scope_is_not_held_back() {
    let world = World::new();
    let (_line, events, call) = world.talking();
    let dial = call.dial(SLOW).unwrap();
    let drop = call.drop_call().unwrap();
    let (give, result) = std::sync::mpsc::channel();
    dial.on_complete(move |dialled| give.send(dialled).unwrap());
    assert!(result.recv_timeout(DEADLINE).unwrap().is_err());
    drop.wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
}

#[test]
fn a_request_that_is_released_goes_on_with_its_call() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    line.make_call("200", &CallOptions::default()).unwrap().release();
    let call = events.next_timeout(DEADLINE).and_then(|event| event.call().cloned()).unwrap();
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().release();
    state(&events, &call, CallState::Idle);
}

#[test]
fn a_call_that_takes_too_long_is_given_up_and_leaves_its_line_free() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let timed_out = line.make_call("200", &CallOptions::default()).unwrap().wait(Duration::ZERO);
    assert!(matches!(timed_out, Ok(_) | Err(WaitError::TimedOut)), "{timed_out:?}");
    drop(timed_out);
    assert_eq!(line.status().unwrap().active_calls, 0);
    let events = line.events();
    let call = make(&line, "200");
    state(&events, &call, CallState::Connected);
}

#[test]
fn a_request_of_a_closed_line_does_not_hold_back_the_next_opening() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let kept = line.make_call("", &CallOptions::default()).unwrap();
    line.close().unwrap();
    let line = world.open(SUPERVISED);
    std::mem::forget(line.make_call("", &CallOptions::default()).unwrap());
    line.close().unwrap();
    let line = world.open(SUPERVISED);
    assert!(line.make_call("200", &CallOptions::default()).unwrap().wait(DEADLINE).is_ok());
    drop(kept);
}

#[test]
fn d12_what_is_held_fails_when_the_host_is_shut_down() {
    let world = World::new();
    let (line, _events, call) = world.talking();
    let pending = call.dial(SLOW).unwrap();
    world.host.shutdown().unwrap();
    let counts = world.host.counts();
    assert_eq!((counts.requests, counts.completed, counts.lost), (2, 2, 0));
    assert_eq!(pending.wait(DEADLINE), Err(LineError::OPERATIONFAILED.into()));
    assert!(line.make_call("", &CallOptions::default()).is_err());
}
