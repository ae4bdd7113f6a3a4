//! Log lines that harm nobody.
//!
//! A subscriber is somebody else's code: it may panic because its output is gone, take a lock, or
//! call back into the card that it is told about. So a line is never given to it while its thread
//! holds a card (`hold`), but as soon as the card is free, and a panic of it ends with the line.

use std::cell::{Cell, RefCell};

#[doc(hidden)]
pub use tracing;

use crate::guard::{contain, discard};

/// Gives a line to the log: `report!(WARN, "line {line} is open")`, with the levels of `tracing`.
#[macro_export]
macro_rules! report {
    ($level:ident, $($text:tt)+) => {{
        // A function, so that the line has the place where it stands as its origin.
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
    /// Whether [`WAITING`] has anything.
    static ANY: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    /// A subscriber is being told something by this thread.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// A thread that holds a card; until it is dropped, lines of the thread wait.
#[derive(Debug)]
pub struct Held(());

/// The calling thread is about to hold a card.
#[inline]
pub fn hold() -> Held {
    HELD.set(HELD.get() + 1);
    Held(())
}

/// Whether the calling thread holds a card, that is: whether an engine is at work on it.
#[inline]
pub fn is_holding() -> bool {
    // All of loom's threads are one to std, and no engine of a model asks.
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
        // The thread may be at its end, and its lines gone.
        let kept = WAITING.try_with(|waiting| waiting.borrow_mut().push(line));
        ANY.set(kept.is_ok());
    } else {
        tell(&line);
    }
}

fn tell(line: &Line) {
    // What a subscriber does while it is told something is not told to it again.
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

    /// Notes whether the card was held when it was told a line, and panics.
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
