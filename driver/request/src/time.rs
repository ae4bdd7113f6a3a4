//! Points in time, and the one place that reads CLOCK_MONOTONIC. Engines are passed the time and
//! never read a clock.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A point in time in nanoseconds since an arbitrary start (CLOCK_MONOTONIC, or a virtual clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The start of the clock.
    pub const ZERO: Time = Time(0);
    /// A time that never comes.
    pub const NEVER: Time = Time(u64::MAX);

    /// The time now on CLOCK_MONOTONIC, the clock of the reactor and of the timers in its ring. Not
    /// for engines: their time may be that of a simulation.
    #[inline]
    pub fn monotonic() -> Time {
        // The clock exists on every Linux. If reading it failed, time would stand still here, and
        // only the ring, which has the kernel's, would keep deadlines.
        let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return Time::ZERO };
        let seconds = now.tv_sec().cast_unsigned();
        Time(seconds.wrapping_mul(1_000_000_000) + now.tv_nsec() as u64)
    }

    /// The time `nanos` nanoseconds after the start of the clock.
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the start of the clock.
    #[inline]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the start of the clock.
    #[inline]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long this is after `earlier`; zero if it is before.
    #[inline]
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    #[inline]
    fn add(self, rhs: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Time {
    #[inline]
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Time {
    type Output = Duration;
    #[inline]
    fn sub(self, rhs: Time) -> Duration {
        self.since(rhs)
    }
}
