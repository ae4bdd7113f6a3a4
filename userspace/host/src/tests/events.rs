//! The queue of events: its limit, its descriptor, its stream.

use std::os::fd::BorrowedFd;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;

fn tell(mock: &Mock, number: usize) {
    mock.line_state([number, 0, 0]);
}

#[test]
fn events_that_are_not_fetched_are_lost_oldest_first_and_replaced_by_an_event() {
    let (mock, _host, line) = start(Mock::default());
    (0..5000).for_each(|number| tell(&mock, number));
    let events = line.events();
    assert_eq!(events.lost(), 5000 - 4096);
    let lost = events.try_next();
    assert!(matches!(lost, Some(LineEvent::Lost { count: 904, .. })), "{lost:?}");
    let oldest = events.try_next();
    assert!(matches!(oldest, Some(LineEvent::Other { params: [904, 0, 0], .. })), "{oldest:?}");
    // A second one starts now, and each gets every event.
    let second = line.events();
    assert!(second.try_next().is_none());
    tell(&mock, 7);
    assert!(second.try_next().is_some());
    assert_eq!(events.within(Duration::ZERO).count(), 4096);
}

fn is_readable(fd: BorrowedFd<'_>) -> bool {
    poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], PollTimeout::ZERO).unwrap() == 1
}

#[test]
fn the_descriptor_is_readable_while_there_are_events_and_from_the_end_on() {
    let (mock, _host, line) = start(Mock::default());
    let events = line.events();
    tell(&mock, 1);
    let fd = events.fd().unwrap();
    assert!(is_readable(fd), "an event came before the descriptor");
    tell(&mock, 2);
    assert!(events.try_next().is_some() && is_readable(fd));
    assert!(events.try_next().is_some() && !is_readable(fd));
    tell(&mock, 3);
    assert!(is_readable(fd) && events.next_timeout(DEADLINE).is_some() && !is_readable(fd));
    line.close().unwrap();
    assert!(is_readable(fd) && events.try_next().is_none() && events.is_over());
    assert!(is_readable(fd), "so that a poll loop notices the end");
}

#[test]
fn events_are_a_stream() {
    let (mock, _host, line) = start(Mock::default());
    let mut events = pin!(line.events());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(events.as_mut().poll_next(&mut cx).is_pending());
    tell(&mock, 1);
    assert!(matches!(events.as_mut().poll_next(&mut cx), Poll::Ready(Some(_))));
    line.close().unwrap();
    assert!(matches!(events.as_mut().poll_next(&mut cx), Poll::Ready(None)));
}
