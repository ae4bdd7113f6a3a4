//! D12, D15: how hosts start and end.

use std::sync::mpsc;

use super::*;

#[test]
fn d15_a_provider_that_serves_another_host_is_refused_and_left_alone() {
    let (mock, host, line) = start(Mock::default());
    let provider: Arc<dyn Provider> = Arc::clone(&mock) as Arc<dyn Provider>;
    let second = Host::start(provider, HostOptions::default()).unwrap_err();
    assert_eq!(second, LineError::ALLOCATED);
    assert!(second.to_string().contains("serves another host"), "{second}");
    assert_eq!(*mock.shut_down.lock().unwrap(), 0);
    assert!(made(&mock, &line).close().is_ok());
    assert_eq!(host.counts().duplicate, 0);
}

#[test]
fn a_host_that_does_not_start_says_why_in_the_providers_words() {
    let init_fails = Some(LineError::RESOURCEUNAVAIL);
    let (mock, host) = try_start(Mock { init_fails, ..Mock::default() }, HostOptions::default());
    let (error, words) = (host.unwrap_err(), "the mock is not in the mood");
    assert_eq!((error.error(), error.cause()), (LineError::RESOURCEUNAVAIL, Some(words)));
    let text = Box::<dyn std::error::Error>::from(error).to_string();
    assert!(text.ends_with(words), "{text}");
    assert_eq!(*mock.shut_down.lock().unwrap(), 0, "there is no pair to end");
}

#[test]
fn d12_a_shutdown_in_a_callback_loses_no_request_and_can_be_waited_for() {
    for never in [false, true] {
        let (mock, host, line) = start(Mock { never, ..Mock::default() });
        let host = Arc::new(host);
        let call = made(&mock, &line);
        let (held, leaked) = (call.dial("1").unwrap(), call.dial("2").unwrap());
        std::mem::forget(leaked);
        let (give, down) = mpsc::channel();
        let shuts = Arc::clone(&host);
        let dial = call.dial("3").unwrap();
        let id = dial.id();
        dial.on_complete(move |_| {
            let inside = shuts.wait_down(DEADLINE);
            give.send((shuts.shutdown(), inside)).unwrap();
        });
        mock.complete(id, Ok(()));
        let (shut, inside) = down.recv_timeout(DEADLINE).unwrap();
        assert_eq!((shut, inside), (Ok(Closed::AfterUpcall), Err(CloseError::InUpcall)));
        assert_eq!(host.wait_down(DEADLINE), Ok(()));
        assert_eq!(held.wait(Duration::ZERO), Err(FAILED.into()));
        assert_eq!(host.shutdown(), Ok(Closed::Now));
        let counts = host.counts();
        let lost = if never { 2 } else { 0 };
        assert_eq!((counts.requests, counts.completed, counts.lost), (4, 4 - lost, lost));
    }
}

#[test]
fn d12_the_second_of_two_that_shut_down_waits_for_the_first() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let pending = call.dial("1").unwrap();
    thread::scope(|scope| {
        let shut = || (host.shutdown(), pending.wait(Duration::ZERO));
        for down in [scope.spawn(shut), scope.spawn(shut)] {
            assert_eq!(down.join().unwrap(), (Ok(Closed::Now), Err(FAILED.into())));
        }
    });
    assert_eq!(*mock.shut_down.lock().unwrap(), 1);
    assert_eq!(host.open(0).unwrap_err(), LineError::UNINITIALIZED);
}

#[test]
fn d12_a_callback_that_does_not_return_holds_a_shutdown_up_for_some_seconds_only() {
    let (mock, host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let dial = call.dial("1").unwrap();
    let id = dial.id();
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let wants = Arc::clone(&lock);
    let (tell, is_in) = mpsc::channel();
    dial.on_complete(move |_| {
        tell.send(()).unwrap();
        drop(wants.lock());
    });
    let tells = Arc::clone(&mock);
    let teller = thread::spawn(move || tells.complete(id, Ok(())));
    is_in.recv_timeout(DEADLINE).unwrap();
    let begin = Instant::now();
    assert_eq!(host.shutdown(), Err(CloseError::Unfinished { requests: 0 }));
    assert!(begin.elapsed() < Duration::from_secs(30));
    drop(held);
    teller.join().unwrap();
    assert_eq!(host.wait_down(DEADLINE), Ok(()));
    assert_eq!(host.shutdown(), Ok(Closed::Now));
}

/// An event may still be in delivery when the provider's shutdown has returned.
#[test]
fn d12_a_shutdown_waits_for_an_event_that_is_being_delivered() {
    let (go, may_go) = mpsc::channel::<()>();
    let (tell, is_in) = mpsc::channel();
    let may_go = Mutex::new(may_go);
    let returned = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&returned);
    let options = observed(move |happened| {
        if let Traced::Event { .. } = happened {
            tell.send(()).unwrap();
            let _ = may_go.lock().unwrap().recv_timeout(DEADLINE);
            seen.store(true, Ordering::SeqCst);
        }
    });
    let (mock, host, _line) = start_with(Mock::default(), options);
    thread::scope(|scope| {
        scope.spawn(|| mock.line_state([1, 0, 0]));
        is_in.recv_timeout(DEADLINE).unwrap();
        let shuts = scope.spawn(|| (host.shutdown(), returned.load(Ordering::SeqCst)));
        thread::sleep(Duration::from_millis(100));
        go.send(()).unwrap();
        assert_eq!(shuts.join().unwrap(), (Ok(Closed::Now), true));
    });
}
