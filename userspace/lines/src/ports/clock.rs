//! The time of lines: that of their samples.
//!
//! The waits of a line (cadences, guard times, digits) are times on the telephone line, and the
//! card's samples are its clock: 8 of them are a millisecond, however late they are fetched.
//! Between two fetches the time goes on with the real clock, but only by [`LEAD`]: on a card that
//! stands still no time passes. It goes on as fast as the samples came lately: on a slow card, as
//! in a virtual machine, it would else run ahead and fall back behind again, and a flash that
//! begins ahead of the samples and ends behind them is too short for the exchange. Deadlines of
//! requests are in real time and do not use this clock.

use std::time::Duration;

use ringback_driver::{PortNumber, Time};

/// How far the time advances without samples: one fetch.
const LEAD: Duration = Duration::from_millis(20);
const SAMPLE: Duration = Duration::from_micros(125);
/// The share of the latest fetch in the pace.
const SHARE: u32 = 8;
/// The slowest card whose pace is followed, as a divisor of the real clock's.
const SLOWEST: u32 = 16;

/// The clock of a card's lines. Never goes back.
#[derive(Debug)]
pub(super) struct SampleClock {
    start: Time,
    /// The number of samples of each port.
    heard: Vec<u64>,
    latest: u64,
    /// When the latest samples came, in real time.
    at: Time,
    pace: Pace,
    told: Time,
}

/// How fast samples come: averages of the fetches.
#[derive(Debug, Default)]
struct Pace {
    /// How long what is fetched at once lasts.
    samples: Duration,
    /// The real time between two fetches.
    real: Duration,
}

impl Pace {
    fn fetched(&mut self, samples: Duration, real: Duration) {
        let mean = |mean: Duration, latest| {
            if mean.is_zero() { latest } else { (mean * (SHARE - 1) + latest) / SHARE }
        };
        // After a standstill the pace is found again soon.
        self.real = mean(self.real, real.min(samples * SLOWEST));
        self.samples = mean(self.samples, samples);
    }

    /// How long samples are that came in this real time.
    fn samples_in(&self, real: Duration) -> Duration {
        if self.real <= self.samples {
            return real;
        }
        let nanos = real.as_nanos() * self.samples.as_nanos() / self.real.as_nanos();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl SampleClock {
    pub(super) fn new(ports: usize, now: Time) -> SampleClock {
        SampleClock {
            start: now,
            heard: vec![0; ports],
            latest: 0,
            at: now,
            pace: Pace::default(),
            told: now,
        }
    }

    /// Samples of a port came at the real time `real`.
    pub(super) fn heard(&mut self, port: PortNumber, samples: usize, real: Time) {
        let Some(heard) = self.heard.get_mut(port.index()) else { return };
        *heard += samples as u64;
        if *heard > self.latest {
            self.pace.fetched(length(*heard - self.latest), real.since(self.at));
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
        let since = self.pace.samples_in(real.since(self.at)).min(LEAD);
        self.told = self.told.max(self.start + length(self.latest) + since);
        self.told
    }
}

/// How long samples last.
fn length(samples: u64) -> Duration {
    let rest = u32::try_from(samples % 8).unwrap_or(0);
    Duration::from_millis(samples / 8) + SAMPLE * rest
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
        let between = clock.now(start + MS * 4010);
        assert!((between - (start + MS * 2005)) < MS, "{between:?}");
    }

    /// The time on the line, and what the clock says between the fetches, of a card whose 20 ms
    /// come in the real times of `fetches`, which are repeated.
    fn told(fetches: [u32; 4]) -> Vec<(f64, f64)> {
        let mut clock = SampleClock::new(1, Time::ZERO);
        let (mut real, mut told) = (Time::ZERO, Vec::new());
        for n in 0..100 {
            let fetch = fetches[n % 4];
            for ms in 0..fetch {
                let line = 20.0 * (n as f64 + f64::from(ms) / f64::from(fetch));
                let now = clock.now(real + MS * ms).since(Time::ZERO);
                told.push((line, now.as_secs_f64() * 1000.0));
            }
            real += MS * fetch;
            clock.heard(PortNumber(0), 160, real);
        }
        told
    }

    #[test]
    fn a_slow_cards_time_does_not_run_ahead() {
        for slowness in 1..=12 {
            let told = told([20 * slowness; 4]);
            for (line, now) in &told[told.len() / 2..] {
                assert!((now - line).abs() < 1.0, "{slowness}: {now} at {line}");
            }
        }
    }

    #[test]
    fn late_fetches_do_not_change_the_pace() {
        let told = told([20, 35, 5, 20]);
        for (line, now) in &told[told.len() / 2..] {
            assert!((now - line).abs() <= 15.0, "{now} at {line}");
        }
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
