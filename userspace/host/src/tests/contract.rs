//! The rules of the contract, one by one.

use super::*;

/// Makes lineMakeCall complete its request and send a state of the call before it returns.
fn dials_at_once(mock: &Mock) {
    mock.in_make_call(|tapi, id, line, call| {
        tapi.completion(&done(id));
        tell_state(tapi, line, call, CallState::Dialing);
        None
    });
}

#[test]
fn c4_g1_a_completion_inside_the_function_is_held_back_with_all_behind_it() {
    let (mock, host, line) = start(Mock::default());
    let events = line.events();
    dials_at_once(&mock);
    let pending = make(&line);
    let call = pending.call();
    mock.state(call.handle(), CallState::Proceeding);
    // Read inside the host, because calling it would be evidence that the function has returned.
    assert_eq!(call.inner.state().0, None);
    assert_eq!(host.shared.counters.read().completed, 0);
    let (give, result) = mpsc::channel();
    let seen = call.clone();
    pending.on_complete(move |made| give.send((made.is_ok(), seen.state())).unwrap());
    assert_eq!(result.recv_timeout(DEADLINE).unwrap(), (true, None), "O1: before any state");
    assert_eq!(states(&events, 2), [CallState::Dialing, CallState::Proceeding]);
    let counts = host.counts();
    assert_eq!((counts.completed, counts.early, counts.duplicate), (1, 1, 0));
}

#[test]
fn c4_a_completion_from_another_thread_before_the_function_returned() {
    let (mock, host, line) = start(Mock::default());
    mock.in_make_call(|tapi, id, _, _| {
        thread::scope(|scope| scope.spawn(|| tapi.completion(&failed(id, -1))).join().unwrap());
        None
    });
    let failed = make(&line).wait(DEADLINE).unwrap_err();
    assert_eq!(failed, WaitError::Failed(LineError::from_raw(-1).unwrap()), "T6: kept as it is");
    assert_eq!(host.counts().early, 1);
    assert!(mock.closed_calls.lock().unwrap().is_empty(), "N8: the host does not close it");
}

#[test]
fn c11_completions_may_overtake_each_other() {
    let (mock, host, line) = start(Mock::default());
    let (first, second) = (make(&line), make(&line));
    mock.complete(second.id(), Ok(()));
    assert_eq!(host.outstanding(), 1);
    let call = second.wait(DEADLINE).unwrap();
    assert_eq!(first.wait(Duration::ZERO).unwrap_err(), WaitError::TimedOut);
    mock.complete(first.id(), Ok(()));
    assert_ne!(first.wait(DEADLINE).unwrap(), call);
    assert_eq!(host.counts().early, 0, "both functions had returned");
}

#[test]
fn c3_a_completion_of_no_outstanding_request_is_only_counted() {
    let (mock, host, line) = start(Mock::default());
    let pending = make(&line);
    let id = pending.id();
    mock.complete(id, Ok(()));
    for id in [id, id, id.next()] {
        mock.tell(|tapi| tapi.completion(&failed(id, -5)));
    }
    assert!(pending.wait(DEADLINE).is_ok(), "the first counts");
    let counts = host.counts();
    assert_eq!((counts.completed, counts.duplicate), (1, 3));
}

#[test]
fn r4_a_request_that_is_refused_and_completed_does_not_hold_its_line_back() {
    let (mock, host, line) = start(Mock::default());
    let events = line.events();
    mock.in_make_call(|tapi, id, _, _| {
        tapi.completion(&done(id));
        Some(LineError::INUSE)
    });
    let refused = line.make_call("1", &CallOptions::default());
    assert_eq!(refused.unwrap_err(), LineError::INUSE);
    eventually("it is counted", || host.counts().duplicate == 1);
    let counts = host.counts();
    assert_eq!((counts.requests, counts.refused, counts.completed), (0, 1, 0));
    mock.in_make_call(|_, _, _, _| None);
    let pending = make(&line);
    mock.complete(pending.id(), Ok(()));
    let call = pending.wait(DEADLINE).unwrap();
    mock.state(call.handle(), CallState::Idle);
    assert_eq!(states(&events, 1), [CallState::Idle]);
}

#[test]
fn r5_d12_what_is_never_completed_fails_at_shutdown_and_is_counted() {
    let (mock, host, line) = start(Mock { never: true, ..Mock::default() });
    let (give, result) = mpsc::channel();
    make(&line).on_complete(move |made| give.send(made.map(|_| ())).unwrap());
    let waits = make(&line);
    assert_eq!(waits.wait(Duration::ZERO).unwrap_err(), WaitError::TimedOut);
    let held = make(&line);
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!(result.try_recv().unwrap(), Err(LineError::OPERATIONFAILED));
    for pending in [waits, held] {
        let failed = pending.wait(DEADLINE).unwrap_err();
        assert_eq!(failed, LineError::OPERATIONFAILED.into());
    }
    let counts = host.counts();
    assert_eq!((counts.requests, counts.completed, counts.lost), (3, 0, 3));
    assert_eq!(*mock.shut_down.lock().unwrap(), 1);
}

#[test]
fn n9_events_before_the_completion_are_kept_until_it_is_delivered() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let pending = make(&line);
    let (call, id) = (pending.call(), pending.id());
    mock.state(call.handle(), CallState::Dialing);
    let (give, made) = mpsc::channel();
    let seen = call.clone();
    pending.on_complete(move |_| give.send(seen.state()).unwrap());
    assert!(events.try_next().is_none());
    mock.complete(id, Ok(()));
    assert_eq!(made.recv_timeout(DEADLINE).unwrap(), None);
    assert_eq!(states(&events, 1), [CallState::Dialing]);

    let pending = make(&line);
    mock.state(pending.call().handle(), CallState::Dialing);
    mock.tell(|tapi| tapi.completion(&failed(pending.id(), -7)));
    assert!(pending.wait(DEADLINE).is_err());
    mock.state(pending.call().handle(), CallState::Idle);
    assert!(events.try_next().is_none(), "of a call that never was");
}

#[test]
fn n17_a_call_that_is_announced_while_the_line_is_opened_is_delivered() {
    let (_mock, _host, line) = start(Mock { in_open: true, ..Mock::default() });
    let events = line.events();
    assert!(matches!(events.try_next(), Some(LineEvent::NewCall { .. })));
    let Some(LineEvent::State { call, state, .. }) = events.try_next() else {
        panic!("N14: its state comes next");
    };
    assert_eq!((call.state(), state), (Some(CallState::Offering), CallState::Offering));
}

#[test]
fn d2_d5_events_of_what_is_closed_or_unknown_are_dropped() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let tapi = mock.line();
    let call = mock.tell(|up| up.new_call(tapi, HDRVCALL::new(8).unwrap())).unwrap();
    let LineEvent::NewCall { call: told, .. } = events.try_next().unwrap() else {
        panic!("a new call was announced");
    };
    told.close().unwrap();
    assert_eq!(*mock.closed_calls.lock().unwrap(), [HDRVCALL::new(8).unwrap()]);
    mock.state(call, CallState::Offering);
    mock.state(HTAPICALL::new(12_345).unwrap(), CallState::Offering);
    line.close().unwrap();
    mock.line_state([1, 2, 3]);
    let stranger = HTAPILINE::new(12_345).unwrap();
    for line in [tapi, stranger] {
        let refused = mock.tell(|up| up.new_call(line, HDRVCALL::new(9).unwrap()));
        assert_eq!(refused, None, "N15");
    }
    assert!(events.try_next().is_none() && events.is_over());
}

#[test]
fn messages_become_events_of_their_kind() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let tapi = mock.line();
    let call = mock.tell(|up| up.new_call(tapi, HDRVCALL::new(8).unwrap()));
    events.try_next().unwrap();
    let tell = |call, message, params| {
        mock.tell(|up| up.line_event(&LineMessage { line: tapi, call, message, params }));
        events.try_next()
    };
    let bits = LINECALLINFOSTATE_CALLERID as usize;
    let info = tell(call, LINE_CALLINFO, [bits, 0, 0]);
    assert!(matches!(info, Some(LineEvent::CallInfo { changed: LINECALLINFOSTATE_CALLERID, .. })));
    let digit = tell(call, LINE_MONITORDIGITS, [0x123, LINEDIGITMODE_DTMFEND as usize, 9]);
    assert!(matches!(digit, Some(LineEvent::Digit { digit: '#', end: true, ticks: 9, .. })));
    let digit = tell(call, LINE_MONITORDIGITS, [0x30, LINEDIGITMODE_PULSE as usize, 9]);
    assert!(matches!(digit, Some(LineEvent::Digit { digit: '0', end: false, pulse: true, .. })));
    let sent = tell(call, LINE_GENERATE, [LINEGENERATETERM_CANCEL as usize, 4, 0]);
    assert!(matches!(sent, Some(LineEvent::Generated { end_to_end: 4, done: false, .. })));
    let odd = tell(call, LINE_CALLSTATE, [3, 0, 0]);
    assert!(matches!(odd, Some(LineEvent::Other { message: LINE_CALLSTATE, .. })), "two states");
    let ring = tell(None, LINE_LINEDEVSTATE, [LINEDEVSTATE_RINGING as usize, 1, 2]);
    assert!(matches!(ring, Some(LineEvent::Other { call: None, params: [2, 1, 2], .. })));
    assert!(matches!(tell(None, LINE_CLOSE, [0; 3]), Some(LineEvent::Closed { .. })));
    assert!(tell(None, LINE_LINEDEVSTATE, [1, 0, 0]).is_none(), "nothing behind LINE_CLOSE");
    assert!(line.is_closed() && events.is_over());
}

#[test]
fn t2_t3_ids_count_up_wrap_and_pass_over_outstanding_ones() {
    let (mock, host, line) = start(Mock::default());
    let first = make(&line);
    assert_eq!(first.id(), RequestId::FIRST);
    let largest = RequestId::new(RequestId::MAX).unwrap();
    host.shared.requests.set_next(largest);
    let (last, next) = (make(&line), make(&line));
    assert_eq!((last.id(), next.id().get()), (largest, 2), "1 is outstanding");
    // T4: from inside the completion the id is free.
    let (shared, id) = (Arc::clone(&host.shared), first.id());
    let (give, free) = mpsc::channel();
    first.on_complete(move |_| give.send(shared.requests.take(id, 1).is_none()).unwrap());
    mock.complete(id, Ok(()));
    assert!(free.recv_timeout(DEADLINE).unwrap());
}

#[test]
fn what_a_provider_does_not_have_is_operationunavail() {
    let (mock, _host, line) = start(Mock::default());
    assert_eq!(line.status(), Err(LineError::OPERATIONUNAVAIL));
    assert_eq!(line.audio().err(), Some(LineError::OPERATIONUNAVAIL));
    let pending = make(&line);
    mock.complete(pending.id(), Ok(()));
    let call = pending.wait(DEADLINE).unwrap();
    assert_eq!(call.drop_call().unwrap_err(), LineError::OPERATIONUNAVAIL);
    assert_eq!(call.send(b"x").unwrap_err(), LineError::OPERATIONUNAVAIL);
    assert_eq!(call.info(), Err(LineError::OPERATIONUNAVAIL));
    assert_eq!(line.info().slot, None, "not one of ours");
}

#[test]
fn a_callback_that_panics_leaves_the_line_in_order() {
    let (mock, host, line) = start(Mock::default());
    let events = line.events();
    dials_at_once(&mock);
    let pending = make(&line);
    let _kept = pending.call();
    pending.on_complete(|_| panic!("on purpose"));
    assert_eq!(states(&events, 1), [CallState::Dialing]);
    assert!(make(&line).wait(DEADLINE).is_ok());
    assert_eq!(host.counts().completed, 2);
}
