//! The journal of a world, line by line. Two runs of one seed write the same journal.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_driver::Time;
use ringback_tspi::EvenPoisoned;

/// The journal of a world; clones write into the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    now: Time,
    step: u64,
    lines: Vec<String>,
}

impl Journal {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().even_poisoned()
    }

    /// Sets the time and step of the lines that follow.
    pub(crate) fn at(&self, now: Time, step: u64) {
        let mut pages = self.pages();
        pages.now = now;
        pages.step = step;
    }

    pub(crate) fn write(&self, what: fmt::Arguments<'_>) {
        let mut pages = self.pages();
        let micros = pages.now.as_nanos() / 1000;
        let (ms, micros) = (micros / 1000, micros % 1000);
        let line = format!("{:>7} {ms:>7}.{micros:03} {what}", pages.step);
        pages.lines.push(line);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.pages().lines)
    }
}

/// Adds a line to a journal.
macro_rules! note {
    ($journal:expr, $($text:tt)+) => { $journal.write(format_args!($($text)+)) };
}
pub(crate) use note;
