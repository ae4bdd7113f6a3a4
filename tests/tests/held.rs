//! The gate: while an application holds a ticket, nothing of that line is told.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use ringback_softcard::LineState;
use ringback_tests::{DEADLINE, FXS, SUPERVISED, World, eventually, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::callstate::monitor::Seen;
use ringback_tspi::host::{CallOptions, LineEvent, Options, Traced};

/// What the application was told about a line, in order, and by which thread.
type Told = Arc<Mutex<Vec<(String, ThreadId)>>>;

/// Takes 20 s to dial.
const SLOW: &str = ",,,,,,,,,,1";

fn observer(told: &Told) -> Options {
    let told = Arc::clone(told);
    let trace = move |happened: &Traced<'_>| {
        let text = match happened {
            Traced::Completed { id, result, .. } => format!("{id}: {result}"),
            Traced::Event { device_id, event } => match event {
                LineEvent::State { state, .. } => format!("line {device_id}: {state}"),
                other => format!("line {device_id}: {other:?}"),
            },
            _ => return,
        };
        told.lock().unwrap().push((text, thread::current().id()));
    };
    Options { trace: Some(Arc::new(trace)) }
}

#[test]
fn g1_o1_nothing_of_a_line_is_told_while_a_ticket_is_held_and_then_all_in_order_by_the_reaper() {
    let told = Told::default();
    let world = World::with(observer(&told));
    let line = world.open(SUPERVISED);
    let other = world.open(FXS);
    let events = line.events();

    let pending = line.make_call("200", &CallOptions::default()).unwrap();
    let call = pending.call();
    let id = pending.id().get();
    // The operation ends, and the call goes on to its answer.
    eventually("the call is through", || world.exchange().state("103") == Some(LineState::Talking));
    eventually("the provider knows", || line.status().is_ok_and(|status| status.active_calls == 1));
    // Whole requests of another line pass meanwhile, so the reaper is not just slow.
    for _ in 0..3 {
        let rung = other.make_call("", &CallOptions::default()).unwrap().wait(DEADLINE).unwrap();
        rung.drop_call().unwrap().wait(DEADLINE).unwrap();
        rung.close().unwrap();
    }
    assert!(events.try_next().is_none());
    assert_eq!(call.state(), None);
    let seen = world.witness.seen();
    assert!(!seen.iter().any(|seen| match seen {
        Seen::Completed { request, .. } => request.get() == id,
        Seen::Event { call: of, .. } => *of == Some(call.handle()),
        _ => false,
    }));
    assert!(told.lock().unwrap().iter().all(|(text, _)| !text.starts_with("line 3")));

    told.lock().unwrap().clear();
    let (give, result) = std::sync::mpsc::channel();
    let here = thread::current().id();
    pending.on_complete(move |made| give.send((made, thread::current().id())).unwrap());
    let (made, by) = result.recv_timeout(DEADLINE).unwrap();
    assert_eq!(made.unwrap(), call);
    assert_ne!(by, here);
    assert_eq!(Some(by), world.witness.reaper());
    let passed = state(&events, &call, CallState::Connected);
    assert!(passed.starts_with(&[CallState::DialTone, CallState::Dialing, CallState::Proceeding]));
    let told = told.lock().unwrap().clone();
    let mut expected = vec![format!("{id}: 0")];
    expected.extend(passed.iter().map(|state| format!("line 3: {state}")));
    let texts: Vec<&String> = told.iter().map(|(text, _)| text).collect();
    assert_eq!(texts, expected.iter().collect::<Vec<_>>());
    assert!(told.iter().all(|(_, thread)| *thread == by), "all by the reaper");
}

#[test]
fn g1_what_was_told_before_a_held_request_is_not_held_back() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let call = world.connected(&line, &events);
    // A long dialling, then a drop whose ticket is held: D7 ends the first, before the second.
    let dial = call.dial(SLOW).unwrap();
    let drop = call.drop_call().unwrap();
    let (give, result) = std::sync::mpsc::channel();
    dial.on_complete(move |dialled| give.send(dialled).unwrap());
    assert!(result.recv_timeout(DEADLINE).unwrap().is_err(), "not held by the other ticket");
    drop.wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
}

#[test]
fn dropping_a_pending_request_releases_it() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    drop(line.make_call("200", &CallOptions::default()).unwrap());
    let call = events.next_timeout(DEADLINE).and_then(|event| event.call().cloned()).unwrap();
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().release();
    state(&events, &call, CallState::Idle);
}

#[test]
fn d12_shutting_down_gives_up_on_a_ticket_that_is_held() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let pending = line.make_call("", &CallOptions::default()).unwrap();
    world.host.shutdown();
    let counts = world.host.counts();
    assert_eq!((counts.requests, counts.completed, counts.lost), (1, 0, 1));
    let result = pending.wait(DEADLINE);
    assert_eq!(result, Err(ringback_tspi::error::LineError::OPERATIONFAILED.into()));
    assert!(line.make_call("", &CallOptions::default()).is_err());
    world.witness.forgive(pending.id().get());
}
