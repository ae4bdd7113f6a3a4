//! The clock of all measurements: CLOCK_MONOTONIC in nanoseconds.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use ringback_driver::Time;

/// The current time.
pub(crate) fn now() -> u64 {
    Time::monotonic().as_nanos()
}

/// CPU time that the calling thread has used.
pub(crate) fn thread_cpu() -> u64 {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
}

/// Sleeps until the given time.
pub(crate) fn sleep_until(time: u64) {
    let until = TimeSpec::new((time / 1_000_000_000) as i64, (time % 1_000_000_000) as i64);
    // Only a signal ends it early, and the caller reads the clock again.
    let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &until);
}
