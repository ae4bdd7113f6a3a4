//! Waiting for what must come, for as long as a busy machine may need.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use ringback_driver::request::ErrorCode;
use ringback_host::{Call, CallOptions, Events, Line, LineEvent, Pending, WaitError};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::pots::{Transition, may_follow};

/// Limit of all waits: what has not happened by then never will.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Waits until the condition is true.
///
/// # Panics
/// If it never becomes true.
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < DEADLINE, "{what}: it never came true");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A number that takes 20 s to dial.
pub const SLOW: &str = ",,,,,,,,,,1";

/// Makes a call with default options, and waits until it is made.
///
/// # Panics
/// If it is not made.
pub fn make(line: &Line, number: &str) -> Call {
    let made = line.make_call(number, &CallOptions::default()).expect("the call is accepted");
    made.wait(DEADLINE).expect("the call is made")
}

/// Returns the error of a request that the state of the line or phone does not allow. A function
/// that finds the card busy accepts the request, and its completion has the error (R4).
///
/// # Panics
/// If the request is allowed, or never completes.
pub fn refusal<T: Clone, E: From<ErrorCode> + Error>(asked: Result<Pending<T, E>, E>) -> E {
    match asked.map(|pending| pending.wait(DEADLINE)) {
        Err(error) | Ok(Err(WaitError::Failed(error))) => error,
        Ok(Ok(_)) => panic!("it was not refused"),
        Ok(Err(error)) => panic!("{error}"),
    }
}

/// Takes events until the call is in the state; returns the states up to and including it.
///
/// # Panics
/// If the call never gets into the state.
pub fn state(events: &Events, call: &Call, wanted: CallState) -> Vec<CallState> {
    let mut passed = Vec::new();
    for event in events.within(DEADLINE) {
        if let LineEvent::State { call: of, state, .. } = event
            && of == *call
        {
            passed.push(state);
            if state == wanted {
                return passed;
            }
        }
    }
    panic!("{wanted} never came; it passed {passed:?}");
}

/// Asserts that a call can go through these states, one after the other; `before` is its state
/// before them.
///
/// # Panics
/// If the table has no such step.
pub fn assert_walk(table: &[Transition], mut before: Option<CallState>, states: &[CallState]) {
    for state in states {
        assert!(may_follow(table, before, *state), "{state} after {before:?}");
        before = Some(*state);
    }
}

/// Takes events until a call is announced; N14: its first state must be the next event.
///
/// # Panics
/// If no call comes, or if the next event is not its state.
pub fn incoming(events: &Events) -> Call {
    let call = events.within(DEADLINE).find_map(|event| match event {
        LineEvent::NewCall { call, .. } => Some(call),
        _ => None,
    });
    let call = call.expect("a call comes in");
    match events.next_timeout(DEADLINE) {
        Some(LineEvent::State { call: of, state: CallState::Offering, .. }) if of == call => call,
        other => panic!("N14: {other:?} behind the new call"),
    }
}
