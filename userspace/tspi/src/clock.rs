//! The clock of the reactor, CLOCK_MONOTONIC, for stamps that are compared with its own.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use ringback_request::Time;

/// The time now, on CLOCK_MONOTONIC.
pub fn now() -> Time {
    // It exists on every Linux.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(Time::ZERO, |now| Time::ZERO + Duration::from(now))
}
