//! Waiting, awaiting, cancelling, dropping and leaking a request.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use super::*;

#[test]
fn requests_may_be_waited_for_in_any_order() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (first, second) = (call.dial("at once").unwrap(), call.dial("at once").unwrap());
    assert_eq!(second.wait(DEADLINE), Ok(()));
    assert_eq!(first.wait_without_limit(), Ok(()));
    assert_eq!(first.wait(Duration::ZERO), Ok(()), "the outcome is kept");
}

#[test]
fn a_request_that_is_leaked_holds_nothing_back() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    std::mem::forget(call.dial("at once").unwrap());
    assert_eq!(call.dial("at once").unwrap().wait(DEADLINE), Ok(()));
    std::mem::forget(call.dial("1").unwrap());
    assert_eq!(line.close(), Ok(Closed::Now));
}

#[test]
fn a_request_is_cancelled() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let dial = call.dial("1").unwrap();
    assert!(dial.cancel());
    assert_eq!(dial.wait(DEADLINE), Err(FAILED.into()));
    assert!(!dial.cancel(), "it is over");
    let making = make(&line);
    assert!(making.cancel());
    assert_eq!(making.wait(DEADLINE).map(|_| ()), Err(FAILED.into()), "N6");
    assert_eq!(mock.closed_calls.lock().unwrap().len(), 1);
    assert_eq!(host.outstanding(), 0);
}

#[test]
fn a_callback_is_never_called_by_the_thread_that_gives_it() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    // Completed before there is a callback, and held back until there is one.
    let told = call.dial("at once").unwrap();
    assert_eq!(told.wait(DEADLINE), Ok(()));
    let parked = call.dial("at once").unwrap();
    let lock = Arc::new(Mutex::new(()));
    let (give, results) = mpsc::channel();
    let held = lock.lock().unwrap();
    for pending in [told, parked] {
        let (wants, give) = (Arc::clone(&lock), give.clone());
        pending.on_complete(move |result| {
            drop(wants.lock());
            give.send((result, thread::current().id())).unwrap();
        });
    }
    drop(held);
    for _ in 0..2 {
        let (result, by) = results.recv_timeout(DEADLINE).unwrap();
        assert_eq!(result, Ok(()));
        assert_ne!(by, thread::current().id());
    }
}

#[test]
fn an_executor_in_a_callback_gets_an_error_instead_of_waiting() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let mut events = line.events();
    let (give, results) = mpsc::channel();
    let dials = call.clone();
    let dial = call.dial("1").unwrap();
    let id = dial.id();
    dial.on_complete(move |_| {
        let mut cx = Context::from_waker(Waker::noop());
        let polled = pin!(dials.dial("2").unwrap()).poll(&mut cx);
        let none = pin!(events.next()).poll(&mut cx).map(|event| event.is_none());
        give.send((polled, none)).unwrap();
    });
    mock.complete(id, Ok(()));
    let (polled, none) = results.recv_timeout(DEADLINE).unwrap();
    assert_eq!(polled, Poll::Ready(Err(WaitError::InUpcall)));
    assert_eq!(none, Poll::Ready(true));
    assert_eq!(host.outstanding(), 1, "the request goes on");
}

#[test]
fn a_wait_without_a_limit_ends_with_the_host() {
    let (_mock, host, line) = start(Mock { never: true, ..Mock::default() });
    let pending = make(&line);
    thread::scope(|scope| {
        let waits = scope.spawn(|| pending.wait_without_limit().map(|_| ()));
        assert_eq!(host.shutdown(), Ok(Closed::Now));
        assert_eq!(waits.join().unwrap(), Err(FAILED.into()));
    });
}
