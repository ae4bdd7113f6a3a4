//! The log of a reactor under test: reapers with a subscriber of the test, and waiting for lines.
//!
//! A subscriber is set for one thread, so that tests do not disturb each other. The reaper gets its
//! own in its first upcall.

use std::time::Instant;

pub(super) use ringback_listener::{Log, subscriber};
use tracing::dispatcher::DefaultGuard;
use tracing::{Dispatch, Level};

use super::*;
use crate::request::LineNumber;

/// Waits until there is a line of this level with this text.
pub(super) fn wait(log: &Log, level: Level, text: &str) {
    let until = Instant::now() + DEADLINE;
    while log.with(level, text).is_empty() {
        assert!(Instant::now() < until, "no {level} with {text:?}: {:?}", log.lines());
        thread::sleep(Duration::from_millis(1));
    }
}

/// An event whose only purpose is an upcall.
const HELLO: u32 = 4_294_967_295;

/// Starts a puppet whose reaper has this subscriber, which the calling thread has as well until the
/// guard is dropped.
pub(super) fn start(
    mode: Mode,
    capacity: usize,
    subscriber: &Dispatch,
    mut act: impl FnMut(Heard) + Send + 'static,
) -> (Running<Puppet>, Receiver<(Heard, ThreadId)>, DefaultGuard) {
    let mut once = Some(subscriber.clone());
    let (ear, heard) = ear(move |told| {
        if let Some(subscriber) = once.take() {
            // The subscriber stays set until the thread ends.
            std::mem::forget(tracing::dispatcher::set_default(&subscriber));
        } else {
            act(told);
        }
    });
    let driver = mode.run(Puppet::default(), None, ear, capacity);
    driver.handle().with(|_, cx| cx.event(LineNumber(1), HELLO)).unwrap();
    assert_eq!(next(&heard), Heard::Event(1, HELLO));
    (driver, heard, tracing::dispatcher::set_default(subscriber))
}
