//! Several providers in one host.

use super::*;

/// A host of two providers, and the open line of each.
fn two(second: Mock) -> (Host, [(Arc<Mock>, Line); 2]) {
    let (first, mut host, line) = start(Mock::default());
    let second = Arc::new(second);
    host.add(Arc::clone(&second) as Arc<dyn Provider>).unwrap();
    let other = host.open(1).unwrap();
    (host, [(first, line), (second, other)])
}

#[test]
fn providers_side_by_side_have_their_own_lines_and_ids() {
    let (host, [(first, line), (second, other)]) = two(Mock::default());
    assert_eq!(host.lines().iter().map(|line| line.device_id).collect::<Vec<_>>(), [0, 1]);
    let given = [&first, &second].map(|mock| mock.given.lock().even_poisoned().unwrap());
    assert_eq!(given.map(|init| init.line_device_id_base), [0, 1]);
    assert_eq!(given.map(|init| init.permanent_provider_id), [1, 2]);
    let calls = [made(&first, &line), made(&second, &other)];
    for (mock, call) in [&first, &second].into_iter().zip(&calls) {
        mock.state(call.handle(), CallState::Connected);
        eventually("it is delivered", || call.state() == Some(CallState::Connected));
    }
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!([&first, &second].map(|mock| *mock.shut_down.lock().unwrap()), [1, 1]);
    assert_eq!(host.counts().lost, 0);
}

#[test]
fn r5_the_end_of_one_provider_loses_nothing_of_another() {
    let (host, [(first, line), (second, other)]) = two(Mock { never: true, ..Mock::default() });
    let (pending, lost) = (make(&line), make(&other));
    *second.tapi.lock().even_poisoned() = None;
    assert_eq!(lost.wait(DEADLINE).map(|_| ()), Err(FAILED.into()));
    assert_eq!((host.outstanding(), host.counts().lost), (1, 1));
    first.complete(pending.id(), Ok(()));
    assert!(pending.wait(DEADLINE).is_ok());
}

#[test]
fn c3_a_provider_can_not_complete_requests_of_another() {
    let (host, [(first, line), (second, _other)]) = two(Mock::default());
    let events = line.events();
    let pending = make(&line);
    let (id, call) = (pending.id(), pending.call().handle());
    second.complete(id, Ok(()));
    assert_eq!((host.counts().duplicate, host.outstanding()), (1, 1));
    first.complete(id, Ok(()));
    assert!(pending.wait(DEADLINE).is_ok());
    let theirs = first.line();
    second.tell(|tapi| {
        tell_state(tapi, theirs, call, CallState::Idle);
        assert_eq!(tapi.new_call(theirs, HDRVCALL::new(9).unwrap()), None);
    });
    assert!(events.try_next().is_none());
}

#[test]
fn a_provider_that_does_not_start_leaves_the_others_alone() {
    let (first, mut host, line) = start(Mock::default());
    let broken = Mock { answers: [None, Some(Version::V1_4)], ..Mock::default() };
    let broken: Arc<dyn Provider> = Arc::new(broken);
    assert_eq!(host.add(broken).unwrap_err(), LineError::INCOMPATIBLEAPIVERSION);
    let same = Arc::clone(&first) as Arc<dyn Provider>;
    assert_eq!(host.add(same).unwrap_err(), LineError::ALLOCATED, "D15");
    assert_eq!(host.lines().len(), 1);
    assert!(made(&first, &line).close().is_ok());
    host.add(Arc::new(Mock::default()) as Arc<dyn Provider>).unwrap();
    assert_eq!(host.lines()[1].device_id, 1);
    assert_eq!(host.shutdown(), Ok(Closed::Now));
    assert_eq!(*first.shut_down.lock().unwrap(), 1);
    let late = host.add(Arc::new(Mock::default()) as Arc<dyn Provider>);
    assert_eq!(late.unwrap_err(), LineError::UNINITIALIZED);
}
