//! How many requests a host has made, and how they ended.

use std::sync::atomic::{AtomicU64, Ordering};

/// The numbers of requests by their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests that were accepted: the provider has to complete each once.
    pub requests: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Completions that were delivered to the application.
    pub completed: u64,
    /// Of these, how many came before the function had returned (C4); the application saw none
    /// early (G1).
    pub early: u64,
    /// Completions of no request that was outstanding (C3, R4).
    pub duplicate: u64,
    /// Requests that were never completed (R5).
    pub lost: u64,
}

/// The numbers of [`Counts`], counted by several threads at once.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) early: AtomicU64,
    pub(super) duplicate: AtomicU64,
    pub(super) lost: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: read(&self.requests),
            refused: read(&self.refused),
            completed: read(&self.completed),
            early: read(&self.early),
            duplicate: read(&self.duplicate),
            lost: read(&self.lost),
        }
    }
}

/// Adds one to a counter.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
