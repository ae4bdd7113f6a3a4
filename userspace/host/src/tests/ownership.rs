//! Ownership of calls: a call without an owner is closed.

use super::*;

fn closed(mock: &Mock) -> usize {
    mock.closed_calls.lock().unwrap().len()
}

#[test]
fn a_call_that_was_made_is_closed_when_the_last_of_it_is_dropped() {
    let (mock, _host, line) = start(Mock::default());
    let call = made(&mock, &line);
    let second = call.clone();
    drop(call);
    assert_eq!(closed(&mock), 0);
    drop(second);
    assert_eq!((closed(&mock), line.0.inner.known_calls()), (1, 0));
}

#[test]
fn n6_a_call_that_takes_too_long_is_given_up_with_its_request() {
    let (mock, host, line) = start(Mock::default());
    assert_eq!(make(&line).wait(Duration::ZERO).unwrap_err(), WaitError::TimedOut);
    assert_eq!((closed(&mock), line.0.inner.known_calls(), host.outstanding()), (1, 0, 0));
}

#[test]
fn a_request_that_is_released_has_its_call_go_on_without_the_application() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    let pending = make(&line);
    let (id, call) = (pending.id(), pending.call().handle());
    pending.release();
    mock.complete(id, Ok(()));
    mock.state(call, CallState::Dialing);
    let event = events.next_timeout(DEADLINE).unwrap();
    assert_eq!(event.call().unwrap().handle(), call);
    drop(event);
    assert_eq!(closed(&mock), 0);
    mock.state(call, CallState::Idle);
    drop(events.next_timeout(DEADLINE).unwrap());
    assert_eq!((closed(&mock), line.0.inner.known_calls()), (1, 0));
}

#[test]
fn a_call_that_was_announced_is_hung_up_by_dropping_it_only_if_it_was_answered() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    mock.call_in(100);
    drop(events.try_next());
    let Some(LineEvent::State { call, .. }) = events.try_next() else { panic!("N14") };
    let again = call.clone();
    drop(call);
    assert_eq!(closed(&mock), 0);
    let answer = again.answer().unwrap();
    mock.complete(answer.id(), Ok(()));
    assert_eq!(answer.wait(DEADLINE), Ok(()));
    drop(again);
    assert_eq!(closed(&mock), 1);
}

#[test]
fn calls_that_are_over_and_not_closed_are_not_kept() {
    const CALLS: usize = 18_000;
    // With a subscriber that fetches events, with one that does not, and without one.
    for way in 0..3 {
        let (mock, _host, line) = start(Mock::default());
        let mut events = Some(line.events());
        if way == 2 {
            events = None;
        }
        for number in 1..=CALLS {
            let call = mock.call_in(number);
            mock.state(call, CallState::Idle);
            if way == 0 {
                events.iter().for_each(|events| events.within(Duration::ZERO).for_each(drop));
            }
        }
        let unfetched = events.as_ref().map_or(0, |events| events.within(Duration::ZERO).count());
        assert_eq!(unfetched, if way == 1 { 4097 } else { 0 });
        assert_eq!((closed(&mock), line.0.inner.known_calls()), (CALLS, 0));
    }
}
