//! D1, D2, D5: when a close returns, and that its result is true.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll, Waker};

use super::*;

/// A function about the call.
fn monitor(call: &Call) -> impl FnOnce() -> Result<(), LineError> + use<> {
    let call = call.clone();
    move || call.monitor_digits(true)
}

/// Starts a callback of the line's, which does not return before the sender is used.
fn stuck(mock: &Arc<Mock>, call: &Call) -> (Sender<()>, thread::JoinHandle<()>) {
    let (go, may_go) = mpsc::channel::<()>();
    let (tell, is_in): (Sender<()>, Receiver<()>) = mpsc::channel();
    let dial = call.dial("1").unwrap();
    let id = dial.id();
    dial.on_complete(move |_| {
        tell.send(()).unwrap();
        let _ = may_go.recv_timeout(DEADLINE);
    });
    let mock = Arc::clone(mock);
    let teller = thread::spawn(move || mock.complete(id, Ok(())));
    is_in.recv_timeout(DEADLINE).unwrap();
    (go, teller)
}

/// Completes a request of the first call, whose callback closes the second. Returns the result.
fn close_in_callback(mock: &Mock, of: &Call, closes: Call) -> Result<Closed, CloseError> {
    let (give, closed) = mpsc::channel();
    let dial = of.dial("1").unwrap();
    let id = dial.id();
    dial.on_complete(move |_| give.send(closes.close()).unwrap());
    mock.complete(id, Ok(()));
    closed.recv_timeout(DEADLINE).unwrap()
}

/// Calls a function of the provider's, which does not return before the sender is used.
fn long_function<R: Send + 'static>(
    mock: &Arc<Mock>,
    function: impl FnOnce() -> R + Send + 'static,
) -> (Sender<()>, thread::JoinHandle<R>) {
    let (go, may_go) = mpsc::channel::<()>();
    let (tell, is_in): (Sender<()>, Receiver<()>) = mpsc::channel();
    *mock.in_function.lock().unwrap() = Some(Box::new(move || {
        tell.send(()).unwrap();
        let _ = may_go.recv_timeout(DEADLINE);
    }));
    let user = thread::spawn(function);
    is_in.recv_timeout(DEADLINE).unwrap();
    (go, user)
}

#[test]
fn g5_a_handle_is_closed_when_no_function_uses_it_any_more() {
    for of_line in [true, false] {
        let (mock, _host, line) = start(Mock::default());
        let call = made(&mock, &line);
        let (go, user) = long_function(&mock, monitor(&call));
        let closes = || {
            *mock.closed_lines.lock().unwrap() as usize + mock.closed_calls.lock().unwrap().len()
        };
        thread::scope(|scope| {
            let close = || if of_line { line.close() } else { call.close() };
            let closer = scope.spawn(close);
            // No function begins any more, and the one that runs keeps the handle.
            eventually("closing begins", || call.monitor_digits(true).is_err());
            assert_eq!(call.monitor_digits(true), Err(LineError::INVALCALLHANDLE));
            thread::sleep(Duration::from_millis(50));
            assert_eq!(closes(), 0);
            go.send(()).unwrap();
            assert_eq!(closer.join().unwrap(), Ok(Closed::Now));
        });
        assert_eq!(user.join().unwrap(), Ok(()));
        assert_eq!(closes(), 1);
    }
}

#[test]
fn g5_no_provider_is_shut_down_while_a_function_names_its_device() {
    for opens in [true, false] {
        let (mock, host, line) = start(Mock::default());
        let (host, line) = (Arc::new(host), Arc::new(line));
        let (opener, reader) = (Arc::clone(&host), Arc::clone(&line));
        let (go, user) = long_function(&mock, move || match opens {
            true => opener.open(0).map(drop),
            false => reader.caps().map(drop),
        });
        thread::scope(|scope| {
            let closer = scope.spawn(|| host.shutdown());
            eventually("shutting down begins", || line.caps().is_err());
            assert_eq!(line.caps().unwrap_err(), LineError::UNINITIALIZED);
            assert_eq!(host.open(0).unwrap_err(), LineError::UNINITIALIZED);
            thread::sleep(Duration::from_millis(50));
            assert_eq!(*mock.shut_down.lock().unwrap(), 0);
            go.send(()).unwrap();
            assert_eq!(closer.join().unwrap(), Ok(Closed::Now));
        });
        let expected = if opens { Err(LineError::UNINITIALIZED) } else { Ok(()) };
        assert_eq!(user.join().unwrap(), expected);
        assert_eq!(*mock.shut_down.lock().unwrap(), 1);
    }
}

#[test]
fn g5_a_function_that_does_not_return_is_not_waited_for_for_ever() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (go, user) = long_function(&mock, monitor(&call));
    assert_eq!(call.close(), Ok(Closed::Now));
    assert_eq!(line.close(), Ok(Closed::Now));
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    go.send(()).unwrap();
    assert_eq!(user.join().unwrap(), Ok(()));
}

#[test]
fn d1_d2_a_close_that_a_callback_holds_up_says_so_and_can_be_repeated() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (go, teller) = stuck(&mock, &call);
    let dial = call.dial("2").unwrap();
    let begin = Instant::now();
    assert_eq!(line.close(), Err(CloseError::Unfinished { requests: 1 }));
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert!(line.is_closed() && call.dial("3").is_err(), "closed all the same");
    go.send(()).unwrap();
    teller.join().unwrap();
    assert_eq!(line.close(), Ok(Closed::Now));
    assert_eq!(dial.wait(Duration::ZERO), Err(FAILED.into()));
}

#[test]
fn d1_the_second_of_two_closers_waits_for_the_first() {
    for of_line in [true, false] {
        let (mock, _host, line) = start(Mock::default());
        let call = made(&mock, &line);
        let (go, teller) = stuck(&mock, &call);
        let dial = call.dial("2").unwrap();
        let close = || {
            let closed = if of_line { line.close() } else { call.close() };
            (closed, dial.wait(Duration::ZERO))
        };
        thread::scope(|scope| {
            let closers = [scope.spawn(close), scope.spawn(close)];
            thread::sleep(Duration::from_millis(50));
            go.send(()).unwrap();
            for closer in closers {
                let told = (Ok(Closed::Now), Err(FAILED.into()));
                assert_eq!(closer.join().unwrap(), told);
            }
        });
        teller.join().unwrap();
    }
}

#[test]
fn d5_closing_in_a_callback_says_that_the_rest_comes_after_it() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let (give, closed) = mpsc::channel();
    let closes = call.clone();
    let (first, second) = (call.dial("1").unwrap(), call.dial("2").unwrap());
    let id = first.id();
    first.on_complete(move |_| {
        give.send(closes.close()).unwrap();
        give.send(closes.close()).unwrap();
    });
    mock.complete(id, Ok(()));
    assert_eq!(closed.recv_timeout(DEADLINE).unwrap(), Ok(Closed::AfterUpcall));
    assert_eq!(closed.recv_timeout(DEADLINE).unwrap(), Ok(Closed::AfterUpcall));
    assert_eq!(second.wait(DEADLINE), Err(FAILED.into()));
    // With nothing else outstanding it is closed at once.
    let call = made(&mock, &line);
    assert_eq!(close_in_callback(&mock, &call, call.clone()), Ok(Closed::Now));
}

#[test]
fn d2_an_observer_that_closes_the_line_of_an_event_has_it_unpublished() {
    let line: Arc<Mutex<Option<Line>>> = Arc::default();
    let closes = Arc::clone(&line);
    let options = observed(move |happened| {
        if let Traced::Event { .. } = happened {
            drop(closes.lock().unwrap().take());
        }
    });
    let (mock, _host, open) = start_with(Mock::default(), options);
    let events = open.events();
    *line.lock().unwrap() = Some(open);
    mock.line_state([1, 0, 0]);
    assert!(events.try_next().is_none() && events.is_over());
}

#[test]
fn a_close_without_waiting_is_a_future() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let dial = call.dial("1").unwrap();
    let mut closing = pin!(call.close_async());
    eventually("it is closed", || {
        closing.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            == Poll::Ready(Ok(Closed::Now))
    });
    assert_eq!(dial.wait(Duration::ZERO), Err(FAILED.into()), "D5");
    drop(line.close_async());
    eventually("the line is closed", || *mock.closed_lines.lock().unwrap() == 1);
}

/// Two hosts whose callbacks hang up each other's leg do not wait for each other.
#[test]
fn a_callback_closes_a_call_of_another_host_without_waiting() {
    let (here, there) = (start(Mock::default()), start(Mock::default()));
    let (ours, theirs) = (made(&here.0, &here.2), made(&there.0, &there.2));
    // Their line is busy with a callback.
    let (go, teller) = stuck(&there.0, &theirs);
    let left = theirs.dial("2").unwrap();
    let closed = close_in_callback(&here.0, &ours, theirs);
    assert_eq!(closed, Ok(Closed::AfterUpcall));
    go.send(()).unwrap();
    teller.join().unwrap();
    assert_eq!(left.wait(DEADLINE), Err(FAILED.into()));
}

/// What another thread is delivering is not delivered yet: its callback may not have been called.
#[test]
fn d5_a_close_in_a_callback_does_not_return_closed_while_another_thread_delivers() {
    let (here, there) = (start(Mock::default()), start(Mock::default()));
    let (ours, theirs) = (made(&here.0, &here.2), made(&there.0, &there.2));
    // Nothing else of theirs is outstanding, but this callback has not returned.
    let (go, teller) = stuck(&there.0, &theirs);
    let closed = close_in_callback(&here.0, &ours, theirs.clone());
    assert_eq!(closed, Ok(Closed::AfterUpcall));
    go.send(()).unwrap();
    teller.join().unwrap();
    assert_eq!(theirs.close(), Ok(Closed::Now));
}

/// The provider has no such handle any more, because the host is shut down at the same time.
#[test]
fn d12_a_close_that_a_shutdown_overtakes_is_no_error() {
    for of_line in [true, false] {
        let (mock, host, line) = start(Mock::default());
        let call = made(&mock, &line);
        let host = Arc::new(host);
        let (tell, is_in) = mpsc::channel();
        let down = Arc::clone(&host);
        *mock.in_close.lock().even_poisoned() = Some(Box::new(move || {
            tell.send(()).unwrap();
            eventually("it shuts down", || down.open(0).err() == Some(LineError::UNINITIALIZED));
            if of_line { LineError::INVALLINEHANDLE } else { LineError::INVALCALLHANDLE }
        }));
        thread::scope(|scope| {
            let closes = scope.spawn(|| if of_line { line.close() } else { call.close() });
            is_in.recv_timeout(DEADLINE).unwrap();
            assert_eq!(host.shutdown(), Ok(Closed::Now));
            assert_eq!(closes.join().unwrap(), Ok(Closed::Now));
        });
    }
}
