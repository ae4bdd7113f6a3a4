//! The journal of a world, line by line. Two runs of one seed write the same journal.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_driver::Time;
use ringback_tspi::EvenPoisoned;

/// The journal of a world; clones write into the same one. By itself it keeps nothing, because most
/// worlds break no rule, and one that does can be run again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    now: Time,
    step: u64,
    /// `None` if nobody will read it.
    lines: Option<Vec<String>>,
}

impl Journal {
    /// A journal that keeps what is written.
    pub(crate) fn kept() -> Journal {
        Journal(Arc::new(Mutex::new(Pages { lines: Some(Vec::new()), ..Pages::default() })))
    }

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
        let step = pages.step;
        if let Some(lines) = &mut pages.lines {
            lines.push(format!("{step:>7} {ms:>7}.{micros:03} {what}"));
        }
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.pages().lines.take().unwrap_or_default()
    }
}

/// Adds a line to a journal.
macro_rules! note {
    ($journal:expr, $($text:tt)+) => { $journal.write(format_args!($($text)+)) };
}
pub(crate) use note;
