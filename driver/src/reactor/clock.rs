//! Which clock tells the engine the time.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::time::{ClockId, clock_gettime};

use crate::Time;

/// CLOCK_MONOTONIC, or a number that a simulation moves.
#[derive(Debug)]
pub(crate) enum Clock {
    Monotonic,
    Virtual(AtomicU64),
}

impl Clock {
    pub(crate) fn now(&self) -> Time {
        match self {
            Clock::Monotonic => {
                // CLOCK_MONOTONIC exists on every Linux; were it refused, time would stand still
                // and deadlines would be the ring's, which has its own.
                let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(std::time::Duration::from);
                now.map_or(Time::ZERO, |now| Time::ZERO + now)
            }
            Clock::Virtual(nanos) => Time::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
