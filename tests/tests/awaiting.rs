//! Requests and events with `.await`.

use std::future::Future;
use std::sync::{Arc, mpsc};
use std::task::Context;
use std::thread;

use ringback_host::{CallOptions, Closed, LineEvent, WaitError};
use ringback_tests::{DEADLINE, FXO, FXS, SUPERVISED, World, block_on, waker};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;

#[test]
fn a_call_is_made_and_ended_with_await() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let mut events = line.events();
    block_on(async {
        let call = line.make_call("200", &CallOptions::default()).unwrap().await.unwrap();
        loop {
            match events.next().await {
                Some(LineEvent::State { state: CallState::Connected, .. }) => break,
                Some(_) => {}
                None => panic!("the line is closed"),
            }
        }
        call.drop_call().unwrap().await.unwrap();
        call.close().unwrap();
        line.close().unwrap();
        while events.next().await.is_some() {}
    });
    assert!(events.is_over());
}

#[test]
fn a_failure_is_the_result() {
    let world = World::new();
    let line = world.open(FXO);
    let pending = world.stuck(&line, 500);
    assert_eq!(block_on(pending).map(|_| ()), Err(LineError::CALLUNAVAIL.into()));
}

#[test]
fn a_future_that_is_dropped_lets_the_request_go_on() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let mut events = line.events();
    let mut pending = Box::pin(line.make_call("200", &CallOptions::default()).unwrap());
    let polled = pending.as_mut().poll(&mut Context::from_waker(&waker()));
    // The call continues with the request as long as a handle of the call exists.
    let call = pending.call();
    drop((polled, pending));
    let first = block_on(events.next());
    assert!(matches!(first, Some(LineEvent::State { .. })), "{first:?}");
    call.close().unwrap();
}

#[test]
fn requests_may_be_awaited_in_any_order() {
    let world = World::new();
    let (_line, _events, call) = world.talking();
    let first = call.dial("1").unwrap();
    let second = call.dial("2").unwrap();
    block_on(async {
        second.await.unwrap();
        first.await.unwrap();
    });
}

#[test]
fn a_future_may_move_to_another_thread_when_it_was_polled() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let mut pending = Box::pin(line.make_call("200", &CallOptions::default()).unwrap());
    let _ = pending.as_mut().poll(&mut Context::from_waker(&waker()));
    let made = thread::scope(|scope| scope.spawn(|| block_on(pending)).join().unwrap());
    assert!(made.is_ok());
}

#[test]
fn an_executor_in_a_callback_is_an_error_and_no_deadlock() {
    let world = World::new();
    let line = world.open(FXS);
    let (tell, told) = mpsc::channel();
    line.make_call("", &CallOptions::default()).unwrap().on_complete(move |made| {
        tell.send(block_on(made.unwrap().drop_call().unwrap())).unwrap();
    });
    assert_eq!(told.recv_timeout(DEADLINE).unwrap(), Err(WaitError::InUpcall));
}

#[test]
fn d1_a_line_is_closed_with_await() {
    let world = World::new();
    let line = world.open(SUPERVISED);
    let mut events = line.events();
    let call = world.connected(&line, &events);
    let dial = call.dial("1").unwrap();
    block_on(async {
        assert_eq!(line.close_async().await, Ok(Closed::Now));
        while events.next().await.is_some() {}
    });
    // It may have been done just before.
    dial.wait(DEADLINE).ok();
    assert_eq!(call.info(), Err(LineError::INVALCALLHANDLE));
}

#[test]
fn c3_a_future_that_is_polled_first_after_a_shutdown_in_a_callback_ends() {
    let world = World::new();
    let (line, telephone) = (world.open(SUPERVISED), world.open(FXS));
    let events = line.events();
    let call = world.connected(&line, &events);
    let pending = call.dial(",,,,,,,,,,1").unwrap();
    let host = Arc::clone(&world.host);
    telephone.make_call("", &CallOptions::default()).unwrap().on_complete(move |_| {
        host.shutdown().unwrap();
    });
    world.host.wait_down(DEADLINE).unwrap();
    assert_eq!(block_on(pending), Err(LineError::OPERATIONFAILED.into()));
}
