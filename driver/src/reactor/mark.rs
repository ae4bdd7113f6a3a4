//! Marks: places in a line's queue that a thread waits for (D1, D2).

use std::sync::Arc;

use super::latch::Latch;

/// How waiting for a mark has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Everything before the mark was delivered.
    Delivered,
    /// The reaper has ended before that.
    Over,
}

/// Signals that a mark was reached.
pub(crate) type Signal = Latch<Reached>;

/// A place in a line's queue that a thread waits for.
#[derive(Debug)]
pub(crate) struct Mark(Arc<Signal>);

impl Mark {
    /// Makes a mark, and the signal that it was reached.
    pub(crate) fn new() -> (Mark, Arc<Signal>) {
        let signal = Arc::new(Signal::new());
        (Mark(Arc::clone(&signal)), signal)
    }

    /// Everything before it is delivered.
    pub(crate) fn reached(self) {
        self.0.tell(Reached::Delivered);
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // A mark that is dropped with its queue was never reached.
        self.0.tell(Reached::Over);
    }
}
