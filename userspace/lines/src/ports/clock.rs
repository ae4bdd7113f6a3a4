//! The time of lines: that of their samples.
//!
//! The waits of a line (cadences, guard times, digits) are times on the telephone line, and the
//! card's samples are its clock: 8 of them are a millisecond, however late they are fetched.
//! Between two fetches the time advances with the real clock, but only by [`LEAD`]: on a card that
//! stands still no time passes. Deadlines of requests are in real time and do not use this clock.

use std::time::Duration;

use ringback_driver::{PortNumber, Time};

/// How far the time advances without samples: one fetch of 20 ms, and a late one.
const LEAD: Duration = Duration::from_millis(40);
const SAMPLE: Duration = Duration::from_micros(125);

/// The clock of a card's lines. Never goes back.
#[derive(Debug)]
pub(super) struct SampleClock {
    start: Time,
    /// The number of samples of each port.
    heard: Vec<u64>,
    latest: u64,
    /// When the latest samples came, in real time.
    at: Time,
    told: Time,
}

impl SampleClock {
    pub(super) fn new(ports: usize, now: Time) -> SampleClock {
        SampleClock { start: now, heard: vec![0; ports], latest: 0, at: now, told: now }
    }

    /// Samples of a port came at the real time `real`.
    pub(super) fn heard(&mut self, port: PortNumber, samples: usize, real: Time) {
        let Some(heard) = self.heard.get_mut(port.index()) else { return };
        *heard += samples as u64;
        if *heard > self.latest {
            self.latest = *heard;
            self.at = real;
        }
    }

    /// Samples of every port were lost.
    pub(super) fn missed(&mut self, samples: u64) {
        self.latest += samples;
        for heard in &mut self.heard {
            *heard += samples;
        }
    }

    /// The time of the lines at the real time `real`.
    pub(super) fn now(&mut self, real: Time) -> Time {
        let heard = SAMPLE.saturating_mul(u32::try_from(self.latest % 8).unwrap_or(0))
            + Duration::from_millis(self.latest / 8);
        self.told = self.told.max(self.start + heard + real.since(self.at).min(LEAD));
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn samples_are_the_time_and_the_real_clock_goes_on_a_little() {
        let start = Time::from_nanos(7_000_000_000);
        let mut clock = SampleClock::new(4, start);
        assert_eq!(clock.now(start), start);
        assert_eq!(clock.now(start + MS * 5), start + MS * 5);
        assert_eq!(clock.now(start + MS * 500), start + LEAD, "the card stands still");
        // The card's clock has half the speed of the real one.
        for n in 1..=100 {
            clock.heard(PortNumber(2), 160, start + MS * 40 * n);
            clock.heard(PortNumber(3), 160, start + MS * 40 * n);
        }
        assert_eq!(clock.now(start + MS * 4000), start + MS * 2000);
        assert_eq!(clock.now(start + MS * 4010), start + MS * 2010);
    }

    #[test]
    fn it_never_goes_back_and_counts_what_was_lost() {
        let mut clock = SampleClock::new(8, Time::ZERO);
        let early = clock.now(Time::ZERO + MS * 30);
        clock.heard(PortNumber(0), 8, Time::ZERO + MS * 30);
        assert_eq!(clock.now(Time::ZERO + MS * 30), early);
        clock.missed(800);
        assert_eq!(clock.now(Time::ZERO + MS * 30), Time::ZERO + MS * 101);
        clock.heard(PortNumber(9), 8000, Time::ZERO + MS * 31);
        assert_eq!(clock.now(Time::ZERO + MS * 30), Time::ZERO + MS * 101, "no such port");
    }
}
