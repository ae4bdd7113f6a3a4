//! Counts what happens, to show that a run has done something.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ringback_tspi::EvenPoisoned;

/// Counts by name.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<String, u64>>);

impl Tally {
    pub(crate) fn count(&self, what: impl Into<String>) {
        let mut counts = self.0.lock().even_poisoned();
        *counts.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        self.0.lock().even_poisoned().clone()
    }
}
