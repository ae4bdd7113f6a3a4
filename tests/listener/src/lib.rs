//! Subscribers of the log for tests: one that calls a function with each line, and one that keeps
//! the lines.
//!
//! A test sets its subscriber for its own thread, so that tests do not disturb each other. The
//! crate depends on nothing of Ringback, so that the tests of every crate can use it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// Calls the function with each line of every level.
struct Listener<F>(F);

impl<F: Fn(Level, String) + 'static> Subscriber for Listener<F> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
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

/// Makes a subscriber that calls this function with each line and its level. It may panic, and log.
pub fn subscriber(hear: impl Fn(Level, String) + Send + Sync + 'static) -> Dispatch {
    Dispatch::new(Listener(hear))
}

/// The lines that were logged by threads with this subscriber, in order.
#[derive(Default, Clone)]
pub struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// Makes a subscriber that keeps its lines here.
    pub fn subscriber(&self) -> Dispatch {
        let log = self.clone();
        subscriber(move |level, text| log.lines().push((level, text)))
    }

    /// The lines with their levels.
    pub fn lines(&self) -> MutexGuard<'_, Vec<(Level, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the lines of this level that contain this text.
    pub fn with(&self, level: Level, text: &str) -> Vec<String> {
        let lines = self.lines();
        let found = lines.iter().filter(|(its, line)| *its == level && line.contains(text));
        found.map(|(_, line)| line.clone()).collect()
    }

    /// Takes the lines of this level, and drops the others.
    pub fn take(&self, level: Level) -> Vec<String> {
        let lines = std::mem::take(&mut *self.lines()).into_iter();
        lines.filter(|(its, _)| *its == level).map(|(_, line)| line).collect()
    }
}
