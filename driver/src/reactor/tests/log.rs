//! Subscribers for tests: one that stores the lines, and one that calls a function of the test.
//!
//! A subscriber is set for one thread, so that tests do not disturb each other. The reaper gets its
//! own in its first upcall.

use crate::request::LineNumber;
use crate::sync::EvenPoisoned;
use std::fmt;
use std::sync::Mutex;

use tracing::dispatcher::DefaultGuard;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Level, Metadata, Subscriber};

use super::*;

type Hear = Box<dyn Fn(Level, String) + Send + Sync>;

/// Calls the function with each line of every level.
struct Listener(Hear);

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
                self.0 = format!("{value:?}");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0(*event.metadata().level(), text.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Makes a subscriber that calls this function with each line.
pub(super) fn subscriber(hear: impl Fn(Level, String) + Send + Sync + 'static) -> Dispatch {
    Dispatch::new(Listener(Box::new(hear)))
}

/// The lines that were logged by threads with this subscriber.
#[derive(Default, Clone)]
pub(super) struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    pub(super) fn subscriber(&self) -> Dispatch {
        let log = self.clone();
        subscriber(move |level, text| log.lock().push((level, text)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Level, String)>> {
        self.0.lock().even_poisoned()
    }

    /// Returns the lines of this level that contain this text.
    pub(super) fn with(&self, level: Level, text: &str) -> Vec<String> {
        let lines = self.lock();
        let found = lines.iter().filter(|(its, line)| *its == level && line.contains(text));
        found.map(|(_, line)| line.clone()).collect()
    }

    /// Waits until there is such a line.
    pub(super) fn wait(&self, level: Level, text: &str) {
        let until = std::time::Instant::now() + DEADLINE;
        while self.with(level, text).is_empty() {
            assert!(
                std::time::Instant::now() < until,
                "no {level} with {text:?}: {:?}",
                self.lock()
            );
            thread::sleep(Duration::from_millis(1));
        }
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
