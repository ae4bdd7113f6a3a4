//! What an application may do in a callback: everything but wait for the callback itself.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use ringback_host::{CallOptions, Closed, HostOptions, Line, Traced, WaitError};
use ringback_tests::{DEADLINE, FXO, FXS, SLOW, SUPERVISED, World, eventually, state};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

#[test]
fn a_callback_that_panics_does_not_affect_others() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let events = line.events();
    let pending = line.make_call("200", &CallOptions::default()).unwrap();
    let call = pending.call();
    pending.on_complete(|_| panic!("on purpose"));
    state(&events, &call, CallState::Connected);
    call.drop_call().unwrap().on_complete(|_| panic!("again"));
    state(&events, &call, CallState::Idle);
    call.close().unwrap();
    let _call = world.connected(&line, &events);
}

#[test]
fn an_observer_that_panics_does_not_affect_others() {
    let trace = |_: &Traced<'_>| panic!("on purpose");
    let world = World::with(HostOptions { trace: Some(Arc::new(trace)) });
    let (_line, events, call) = world.talking();
    call.drop_call().unwrap().wait(DEADLINE).unwrap();
    state(&events, &call, CallState::Idle);
}

/// Rings a telephone and stops, repeatedly; each call is made in the completion of the one before.
fn ring_again(line: Arc<Line>, left: u32, done: Sender<u32>) {
    let pending = line.make_call("", &CallOptions::default()).unwrap();
    pending.on_complete(move |made| {
        let call = made.unwrap();
        let closes = call.clone();
        call.drop_call().unwrap().on_complete(move |dropped| {
            dropped.unwrap();
            closes.close().unwrap();
            done.send(left).unwrap();
            if left > 0 {
                ring_again(line, left - 1, done);
            }
        });
    });
}

#[test]
fn a_callback_may_submit() {
    let world = World::new();
    let line = Arc::new(world.open(FXS));
    let (done, rounds) = mpsc::channel();
    ring_again(Arc::clone(&line), 99, done);
    let mut expected = (0..100).rev();
    while let Ok(left) = rounds.recv_timeout(DEADLINE) {
        assert_eq!(Some(left), expected.next());
        if left == 0 {
            break;
        }
    }
    assert_eq!(expected.next(), None);
    let counts = world.host.counts();
    assert_eq!((counts.requests, counts.completed), (200, 200));
}

const FAILED: Result<(), LineError> = Err(LineError::OPERATIONFAILED);

#[test]
fn d5_a_callback_may_close_a_call_and_the_rest_is_delivered_after_it() {
    let world = World::new();
    let (line, telephone) = (world.open(SUPERVISED), world.open(FXS));
    let events = line.events();
    let call = world.connected(&line, &events);
    let (give, results) = mpsc::channel();
    for _ in 0..2 {
        let give = give.clone();
        call.dial(SLOW).unwrap().on_complete(move |result| give.send(result).unwrap());
    }
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        call.close().unwrap();
    });
    for _ in 0..2 {
        assert_eq!(results.recv_timeout(DEADLINE).unwrap(), FAILED);
    }
    // A callback may close its own call, too.
    let call = world.connected(&line, &events);
    let closes = call.clone();
    call.drop_call().unwrap().on_complete(move |result| {
        closes.close().unwrap();
        give.send(result).unwrap();
    });
    assert_eq!(results.recv_timeout(DEADLINE).unwrap(), Ok(()));
    assert_eq!(call.info(), Err(LineError::INVALCALLHANDLE));
}

#[test]
fn d1_d2_a_callback_may_close_its_line_and_the_rest_is_delivered_after_it() {
    let world = World::new();
    let line = Arc::new(world.open(SUPERVISED));
    let events = line.events();
    let connected = world.connected(&line, &events);
    let order = Arc::new(Mutex::new(Vec::new()));
    let log = |name| {
        let order = Arc::clone(&order);
        move || order.lock().unwrap().push(name)
    };
    let (closing, closed, dialled) = (log("closing"), log("closed"), log("dialled"));
    let telephone = Arc::new(world.open(FXS));
    let (give, result) = mpsc::channel();
    connected.dial(SLOW).unwrap().on_complete(move |result| {
        dialled();
        give.send(result).unwrap();
    });
    // A completion of another line closes this one.
    let closes = Arc::clone(&line);
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        closing();
        assert_eq!(closes.close(), Ok(Closed::AfterUpcall));
        closed();
    });
    assert_eq!(result.recv_timeout(DEADLINE).unwrap(), FAILED);
    assert_eq!(*order.lock().unwrap(), ["closing", "closed", "dialled"], "C6: not nested");
    assert!(line.is_closed());
    assert!(events.within(DEADLINE).all(|event| event.call() == Some(&connected)));
    assert!(events.is_over());
}

#[test]
fn a_callback_may_shut_the_host_down() {
    let world = World::new();
    let (line, telephone) = (world.open(SUPERVISED), world.open(FXS));
    let events = line.events();
    let connected = world.connected(&line, &events);
    let (give, results) = mpsc::channel();
    let dialled = give.clone();
    connected.dial(SLOW).unwrap().on_complete(move |result| dialled.send(result).unwrap());
    let host = Arc::clone(&world.host);
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |made| {
        assert_eq!(host.shutdown(), Ok(Closed::AfterUpcall));
        give.send(made.map(|_| ())).unwrap();
    });
    assert_eq!(results.recv_timeout(DEADLINE).unwrap(), Ok(()));
    assert_eq!(results.recv_timeout(DEADLINE).unwrap(), FAILED);
    world.host.wait_down(DEADLINE).unwrap();
    assert_eq!(world.host.outstanding(), 0);
    assert_eq!(world.host.counts().lost, 0);
}

#[test]
fn waiting_in_a_callback_is_an_error_and_no_deadlock() {
    let world = World::new();
    let line = Arc::new(world.open(FXS));
    let other = Arc::new(world.open(FXO));
    let (give, results) = mpsc::channel();
    let waits = Arc::clone(&other);
    let pending = line.make_call("", &CallOptions::default()).unwrap();
    pending.on_complete(move |made| {
        let call = made.unwrap();
        let drop = call.drop_call().unwrap();
        let waited = drop.wait(DEADLINE);
        // The request can still be given a callback.
        let give_again = give.clone();
        drop.on_complete(move |result| {
            give_again.send((Err(WaitError::TimedOut), result.is_ok())).unwrap();
        });
        let none = waits.events().next_timeout(DEADLINE).is_none();
        give.send((waited, none)).unwrap();
    });
    let first = results.recv_timeout(DEADLINE).unwrap();
    assert_eq!(first, (Err(WaitError::InUpcall), true));
    assert!(results.recv_timeout(DEADLINE).unwrap().1, "the drop was done");
}

#[test]
fn d2_a_close_waits_for_the_callback_that_runs() {
    let world = World::new();
    let line = Arc::new(world.open(FXS));
    let returned = Arc::new(AtomicBool::new(false));
    let early = Arc::new(AtomicU32::new(0));
    let (entered, is_in) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (seen, count) = (Arc::clone(&returned), Arc::clone(&early));
    line.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        entered.send(()).unwrap();
        may_go_on.recv_timeout(DEADLINE).unwrap();
        count.fetch_add(u32::from(seen.load(Ordering::SeqCst)), Ordering::SeqCst);
    });
    is_in.recv_timeout(DEADLINE).unwrap();
    let closes = Arc::clone(&line);
    let closer = thread::spawn(move || {
        closes.close().unwrap();
        returned.store(true, Ordering::SeqCst);
    });
    // Once the line can be opened again, the close has only the callback left to wait for. What was
    // opened stays so meanwhile: closing it would wait for the callback as well.
    let mut again = None;
    eventually("the line is closed", || {
        again = world.host.open(FXS).ok();
        again.is_some()
    });
    go_on.send(()).unwrap();
    closer.join().unwrap();
    drop(again);
    assert_eq!(early.load(Ordering::SeqCst), 0);
}
