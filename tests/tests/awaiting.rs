//! Requests and events with `.await`, on an executor of ten lines.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use ringback_tests::{DEADLINE, FXO, SUPERVISED, World};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;
use ringback_tspi::host::{CallOptions, LineEvent};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let start = Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let left = DEADLINE.checked_sub(start.elapsed()).expect("it never was ready");
        thread::park_timeout(left);
    }
}

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
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let polled = pending.as_mut().poll(&mut Context::from_waker(&waker));
    // The call goes on with the request as long as somebody has it.
    let call = pending.call();
    drop((polled, pending));
    let first = block_on(events.next());
    assert!(matches!(first, Some(LineEvent::State { .. })), "{first:?}");
    call.close().unwrap();
}
