//! Log lines that can't disturb the driver.
//!
//! A subscriber is foreign code: it may panic because its output is gone, take a lock, or call back
//! into the card that the line is about. A line is therefore not passed to it while its thread
//! holds a card (`hold`), but as soon as the card is free, and a panic of the subscriber is
//! contained.

use std::cell::{Cell, RefCell};

#[doc(hidden)]
pub use tracing;

use crate::guard::{contain, discard};

/// Logs a line: `report!(WARN, "line {line} is open")`, with the levels of `tracing`.
#[macro_export]
macro_rules! report {
    ($level:ident, $($text:tt)+) => {{
        // This is a function, so that the line's origin is the place of the macro.
        fn emit(text: &str) {
            $crate::report::tracing::event!($crate::report::tracing::Level::$level, "{text}");
        }
        let level = $crate::report::tracing::Level::$level;
        if level <= $crate::report::tracing::level_filters::LevelFilter::current() {
            $crate::report::put(emit, format!($($text)+));
        }
    }};
}

/// A line that waits for the card to be free.
struct Line {
    emit: fn(&str),
    text: String,
}

thread_local! {
    /// How many cards this thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
    /// Whether [`WAITING`] has any lines.
    static ANY: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    /// Whether this thread is in a subscriber.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Means that the thread holds a card; the thread's log lines wait until it is dropped.
#[derive(Debug)]
pub struct Held(());

/// Called by a thread that is about to hold a card.
#[inline]
pub fn hold() -> Held {
    HELD.set(HELD.get() + 1);
    Held(())
}

/// Returns whether the calling thread holds a card, so that an engine is at work on it.
#[inline]
pub fn is_holding() -> bool {
    // All of loom's threads share this variable, and no engine of a model asks.
    HELD.get() != 0 && !cfg!(loom)
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let left = HELD.get() - 1;
        HELD.set(left);
        if left == 0 && ANY.get() {
            flush();
        }
    }
}

#[cold]
fn flush() {
    ANY.set(false);
    let lines = WAITING.try_with(RefCell::take).unwrap_or_default();
    for line in lines {
        tell(&line);
    }
}

#[doc(hidden)]
#[cold]
pub fn put(emit: fn(&str), text: String) {
    let line = Line { emit, text };
    if is_holding() {
        // This fails if the thread is ending and its variables are gone; then the line is dropped.
        let kept = WAITING.try_with(|waiting| waiting.borrow_mut().push(line));
        ANY.set(kept.is_ok());
    } else {
        tell(&line);
    }
}

fn tell(line: &Line) {
    // Lines that a subscriber causes itself are dropped, to avoid an endless recursion.
    if TELLING.replace(true) {
        return;
    }
    discard(contain(|| (line.emit)(&line.text)));
    TELLING.set(false);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// A subscriber that records whether the card was held, and panics.
    #[derive(Default, Clone)]
    struct Broken(Arc<Mutex<Vec<bool>>>);

    impl Subscriber for Broken {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.lock().unwrap().push(is_holding());
            report!(ERROR, "told to the one that is being told");
            panic!("the output is gone");
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_broken_subscriber_is_told_when_the_card_is_free_and_harms_nobody() {
        let broken = Broken::default();
        tracing::subscriber::with_default(broken.clone(), || {
            let held = hold();
            let inner = hold();
            report!(ERROR, "while the card is held: {}", 1);
            drop(inner);
            assert!(broken.0.lock().unwrap().is_empty());
            drop(held);
            report!(ERROR, "while it is free");
        });
        assert_eq!(*broken.0.lock().unwrap(), [false, false]);
        assert!(!is_holding());
    }
}
