//! What the host tolerates from providers that are not Ringback's.

use super::*;

fn start_fails(mock: Mock) -> (Arc<Mock>, StartError) {
    let (mock, host) = try_start(mock, HostOptions::default());
    (mock, host.unwrap_err())
}

#[test]
fn g9_a_provider_that_is_not_reentrant_is_asked_by_one_thread_at_a_time() {
    const ROUNDS: usize = 20;
    for options in [0, LINETSPIOPTION_NONREENTRANT] {
        let (mock, host, line) = start(Mock { options, ..Mock::default() });
        let call = made(&mock, &line);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..ROUNDS).for_each(|_| drop(call.dial("slowly").unwrap())));
            }
        });
        let most = mock.most_inside.load(Ordering::SeqCst);
        assert_eq!(most == 1, options != 0, "{most} at once");
        assert_eq!(host.outstanding(), 4 * ROUNDS);
        assert_eq!(line.close(), Ok(Closed::Now));
        assert_eq!(host.shutdown(), Ok(Closed::Now));
    }
}

/// The observer and a callback make further requests. Returns whether the provider was called in an
/// upcall of its own.
fn asks_in_callbacks(mock: Mock) -> bool {
    let asks: Arc<Mutex<Option<Call>>> = Arc::default();
    let asked_by_observer = Arc::clone(&asks);
    let options = observed(move |happened| {
        if let Traced::Duplicate { .. } | Traced::Event { .. } = happened
            && let Some(call) = &*asked_by_observer.lock().even_poisoned()
        {
            drop(call.dial("at once").unwrap());
        }
    });
    let (mock, host, line) = start_with(mock, options);
    let call = made(&mock, &line);
    *asks.lock().even_poisoned() = Some(call.clone());
    let (give, done) = mpsc::channel();
    let dials = call.clone();
    let first = call.dial("1").unwrap();
    let id = first.id();
    first.on_complete(move |_| {
        dials.dial("at once").unwrap().on_complete(move |outcome| give.send(outcome).unwrap());
    });
    mock.complete(id, Ok(()));
    assert_eq!(done.recv_timeout(DEADLINE).unwrap(), Ok(()));
    mock.state(call.handle(), CallState::Connected);
    let nobodys = RequestId::new(77_777).unwrap();
    mock.complete(nobodys, Ok(()));
    eventually("everything is delivered", || {
        host.outstanding() == 0 && host.counts().completed == 5
    });
    *asks.lock().even_poisoned() = None;
    mock.nested.load(Ordering::SeqCst)
}

#[test]
fn c8_nothing_is_called_back_in_the_upcalls_of_a_provider_that_may_hold_locks() {
    assert!(asks_in_callbacks(Mock::default()), "in its upcalls, which hold no lock");
    assert!(!asks_in_callbacks(Mock { locks: true, ..Mock::default() }));
    let options = LINETSPIOPTION_NONREENTRANT;
    assert!(!asks_in_callbacks(Mock { options, ..Mock::default() }));
}

#[test]
fn a_version_that_was_not_offered_is_refused() {
    let old = Some(Version::V1_4);
    let (mock, error) = start_fails(Mock { answers: [old, None], ..Mock::default() });
    assert_eq!(error, LineError::INCOMPATIBLEAPIVERSION);
    assert!(mock.given.lock().even_poisoned().is_none(), "it is not even initialised");
    let (mock, error) = start_fails(Mock { answers: [None, old], ..Mock::default() });
    assert_eq!(error, LineError::INCOMPATIBLEAPIVERSION);
    assert!(error.to_string().contains("it was not offered"), "{error}");
    assert_eq!(*mock.shut_down.lock().unwrap(), 1, "D15: the pair is closed");
}

#[test]
fn a_line_that_was_not_opened_is_not_closed() {
    let open_fails = Some(LineError::ALLOCATED);
    let (mock, host) = try_start(Mock { open_fails, ..Mock::default() }, HostOptions::default());
    let host = host.unwrap();
    assert_eq!(host.open(0).unwrap_err(), LineError::ALLOCATED);
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!(*mock.closed_lines.lock().unwrap(), 0, "there is no handle to close");
}

#[test]
fn calls_are_asked_for_as_soon_as_the_line_is_open() {
    let (mock, _host, line) = start(Mock::default());
    assert_eq!(
        *mock.detected.lock().even_poisoned(),
        Some(LINEMEDIAMODE_DATAMODEM),
        "the modes of the line"
    );
    assert_eq!(line.info().media_modes, LINEMEDIAMODE_DATAMODEM);
    for (error, opens) in [(LineError::OPERATIONUNAVAIL, true), (FAILED, false)] {
        let detection_fails = Some(error);
        let mock = Mock { detection_fails, ..Mock::default() };
        let (mock, host) = try_start(mock, HostOptions::default());
        assert_eq!(host.unwrap().open(0).map(|_| ()), if opens { Ok(()) } else { Err(error) });
        assert_eq!(*mock.closed_lines.lock().unwrap(), 1, "it was open");
    }
}

#[test]
fn calls_that_have_one_handle_are_kept_apart() {
    let (mock, _host, line) = start(Mock { one_handle: true, ..Mock::default() });
    let events = line.events();
    let (first, second) = (made(&mock, &line), made(&mock, &line));
    assert_ne!(first, second);
    mock.state(second.handle(), CallState::Connected);
    mock.state(first.handle(), CallState::Busy);
    assert_eq!(states(&events, 2), [CallState::Connected, CallState::Busy]);
    assert_eq!(second.state(), Some(CallState::Connected));
    assert_eq!(first.close(), Ok(Closed::Now));
    mock.state(second.handle(), CallState::Disconnected);
    assert_eq!(states(&events, 1), [CallState::Disconnected]);
    assert_eq!(second.close(), Ok(Closed::Now));
    assert_eq!(mock.closed_calls.lock().unwrap().len(), 2, "each is closed once");
}
