//! The clock that gives the engine the time.

use std::sync::atomic::{AtomicU64, Ordering};

use nix::time::{ClockId, clock_gettime};

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
            Clock::Monotonic => {
                // CLOCK_MONOTONIC exists on every Linux. If it failed, time would stand still here,
                // and only the ring, which has a clock of its own, would keep deadlines.
                let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return Time::ZERO };
                let seconds = now.tv_sec().cast_unsigned();
                Time::from_nanos(seconds.wrapping_mul(1_000_000_000) + now.tv_nsec() as u64)
            }
            Clock::Virtual(nanos) => Time::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
