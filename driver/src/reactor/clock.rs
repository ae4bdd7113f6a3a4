//! The clock that gives the engine the time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Time;

/// CLOCK_MONOTONIC, or the time of a simulation.
#[derive(Debug)]
pub(crate) enum Clock {
    Monotonic,
    Virtual(AtomicU64),
}

impl Clock {
    #[inline]
    pub(crate) fn now(&self) -> Time {
        match self {
            Clock::Monotonic => Time::monotonic(),
            Clock::Virtual(nanos) => Time::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
