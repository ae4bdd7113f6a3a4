//! Log messages that can't disturb the driver.
//!
//! A subscriber is foreign code: it may panic because its output is gone, take a lock, or call the
//! card that the message is about. While a thread holds a card (`hold`), its messages are therefore
//! kept, and passed to the subscriber when the card is free; a panic of the subscriber is
//! contained.

use std::cell::{Cell, RefCell};

#[doc(hidden)]
pub use tracing;
use tracing::level_filters::LevelFilter;

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

/// Whether a subscriber wants messages of the level TRACE: one relaxed load. For code that runs so
/// often that its messages must not even be formatted otherwise.
#[inline]
pub fn is_traced() -> bool {
    LevelFilter::current() >= LevelFilter::TRACE
}

/// A message that waits for the card to be free.
struct Line {
    emit: fn(&str),
    text: String,
}

/// The most messages that wait. A tick of a card causes some tens of them if register accesses are
/// traced; further ones are counted, and the count is logged after those that waited.
const MOST_WAITING: usize = 1024;

/// The waiting messages of a thread, and how many more there were.
#[derive(Default)]
struct Waiting {
    lines: Vec<Line>,
    lost: usize,
}

thread_local! {
    /// How many cards this thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
    /// Whether [`WAITING`] has any messages.
    static ANY: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> =
        const { RefCell::new(Waiting { lines: Vec::new(), lost: 0 }) };
    /// Whether this thread is in a subscriber.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Means that the thread holds a card; the thread's log lines wait until it is dropped.
#[derive(Debug)]
pub struct CardHold(());

/// Called by a thread that is about to hold a card.
#[inline]
pub fn hold() -> CardHold {
    HELD.set(HELD.get() + 1);
    CardHold(())
}

/// Returns whether the calling thread holds a card, and so may be in its engine.
#[inline]
pub fn is_holding() -> bool {
    // All of loom's threads share this variable, and no engine of a model asks.
    HELD.get() != 0 && !cfg!(loom)
}

impl Drop for CardHold {
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
    let Waiting { lines, lost } = WAITING.try_with(RefCell::take).unwrap_or_default();
    for line in lines {
        tell(&line);
    }
    if lost > 0 {
        report!(WARN, "{lost} more lines of the log were lost: too many in one go at the card");
    }
}

#[doc(hidden)]
#[cold]
pub fn put(emit: fn(&str), text: String) {
    let line = Line { emit, text };
    if is_holding() {
        // This fails if the thread is ending and its variables are gone; then the message is
        // dropped.
        let kept = WAITING.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            if waiting.lines.len() < MOST_WAITING {
                waiting.lines.push(line);
            } else {
                waiting.lost += 1;
            }
        });
        ANY.set(kept.is_ok());
    } else {
        tell(&line);
    }
}

fn tell(line: &Line) {
    // Messages that a subscriber causes itself are dropped, to avoid an endless recursion.
    if TELLING.replace(true) {
        return;
    }
    discard(contain(|| (line.emit)(&line.text)));
    TELLING.set(false);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::{Arc, Mutex};

    use ringback_listener::{Log, subscriber};
    use tracing::dispatcher::with_default;

    use super::*;

    #[test]
    fn a_broken_subscriber_is_called_when_the_card_is_free_and_its_panic_is_contained() {
        // Whether the card was held at each line.
        let held = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&held);
        let broken = subscriber(move |_, _| {
            told.lock().unwrap().push(is_holding());
            report!(ERROR, "told to the one that is being told");
            panic!("the output is gone");
        });
        let was_held = || held.lock().unwrap().clone();
        with_default(&broken, || {
            let held = hold();
            let inner = hold();
            report!(ERROR, "while the card is held: {}", 1);
            drop(inner);
            assert!(was_held().is_empty());
            drop(held);
            report!(ERROR, "while it is free");
        });
        assert_eq!(was_held(), [false, false]);
        assert!(!is_holding());
    }

    #[test]
    fn messages_beyond_the_limit_are_counted_and_the_count_is_logged() {
        let log = Log::default();
        let take = || log.lines().drain(..).map(|(_, line)| line).collect::<Vec<_>>();
        with_default(&log.subscriber(), || {
            assert!(is_traced());
            for _ in 0..2 {
                let held = hold();
                for n in 0..MOST_WAITING + 7 {
                    report!(TRACE, "line {n}");
                }
                drop(held);
                let lines = take();
                assert_eq!(lines.len(), MOST_WAITING + 1);
                assert_eq!(lines[MOST_WAITING - 1], format!("line {}", MOST_WAITING - 1));
                assert!(lines[MOST_WAITING].starts_with("7 more lines"), "{lines:?}");
            }
            report!(TRACE, "nothing waits any more");
            assert_eq!(take(), ["nothing waits any more"]);
        });
    }
}
