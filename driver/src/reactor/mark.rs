//! Marks: places in a line's queue that a thread waits for (D1, D2).

use std::sync::Arc;

use super::latch::Latch;

/// How waiting for a mark has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// Everything before the mark was delivered.
    Delivered,
    /// The reaper has ended, and the mark was not reached.
    Over,
}

/// Signals that a mark was reached.
pub(crate) type Signal = Latch<Reached>;

/// A place in a line's queue that a thread waits for.
#[derive(Debug)]
pub(crate) struct Mark(Arc<Signal>);

impl Mark {
    /// Makes a mark, and the signal that is set when it is reached.
    pub(crate) fn new() -> (Mark, Arc<Signal>) {
        let signal = Arc::new(Signal::new());
        (Mark(Arc::clone(&signal)), signal)
    }

    /// Signals that everything before the mark is delivered.
    pub(crate) fn reached(self) {
        self.0.tell(Reached::Delivered);
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        // A mark that is dropped with its queue was not reached. After `reached` this has no
        // effect.
        self.0.tell(Reached::Over);
    }
}
