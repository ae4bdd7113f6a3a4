//! Real time for a card: a thread that ticks it every millisecond, or more slowly.
//!
//! Rules: the schedule is absolute (CLOCK_MONOTONIC), so lateness does not add up. A tick that is
//! late is made up for as soon as the host has taken the last interrupt, and in any case one period
//! after it, so that a late clock does not look like a card that lost interrupts. What is more than
//! [`MAX_BACKLOG`] periods late is dropped. A patient clock waits longer for the host: where the host
//! gets too little of the processor, time slows down and no sample is lost.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::card::SoftCard;

/// What a tick is for the card.
const MILLISECOND: Duration = Duration::from_millis(1);
/// The most periods that are made up for after the thread could not run.
const MAX_BACKLOG: u32 = 20;
/// How long a patient clock waits for the host before it ticks all the same.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often a late clock looks whether the host has acknowledged.
const POLL: Duration = Duration::from_micros(50);

/// A clock that runs until it is dropped.
#[derive(Debug)]
pub struct RealClock {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RealClock {
    /// Starts a thread that calls [`SoftCard::tick`] every millisecond. The first tick comes a
    /// millisecond from now.
    ///
    /// # Panics
    /// If the operating system can't start a thread.
    pub fn start(card: &SoftCard) -> RealClock {
        RealClock::start_slowed(card, NonZeroU32::MIN)
    }

    /// As [`start`](RealClock::start), but one of the card's milliseconds takes `scale` real ones:
    /// for hosts that can't serve an interrupt every millisecond, as a virtual machine in software
    /// emulation.
    ///
    /// # Panics
    /// If the operating system can't start a thread.
    pub fn start_slowed(card: &SoftCard, scale: NonZeroU32) -> RealClock {
        let period = MILLISECOND.saturating_mul(scale.get());
        RealClock::with(card, period, period)
    }

    /// As [`start`](RealClock::start), but no tick comes before the host has taken the interrupt of
    /// the last one, unless it takes more than 100 ms for that. For a host that has to keep every
    /// sample on a machine that is busy with other things: a demonstration, or a test.
    ///
    /// # Panics
    /// If the operating system can't start a thread.
    pub fn start_patient(card: &SoftCard) -> RealClock {
        RealClock::with(card, MILLISECOND, PATIENCE)
    }

    fn with(card: &SoftCard, period: Duration, patience: Duration) -> RealClock {
        let stop = Arc::new(AtomicBool::new(false));
        let (card, stopped) = (card.clone(), stop.clone());
        let thread = thread::Builder::new()
            .name("softcard-clock".to_owned())
            .spawn(move || run(&card, &stopped, period, patience))
            .expect("the operating system starts a thread");
        RealClock { stop, thread: Some(thread) }
    }
}

impl Drop for RealClock {
    /// Stops the clock and waits for the tick under way. Dropped by its own thread (from within
    /// [`InterruptLine::raise`](crate::InterruptLine::raise)), it does not wait.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A panic in the host's callbacks has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

/// When ticks are due.
#[derive(Debug)]
struct Schedule {
    period: Duration,
    due: Instant,
    last: Instant,
    /// How long after the last tick one that is due waits for the host.
    patience: Duration,
}

impl Schedule {
    fn new(period: Duration, now: Instant, patience: Duration) -> Schedule {
        Schedule { period, due: now + period, last: now, patience }
    }

    /// How long to wait before looking again; `None` to tick now.
    fn wait(&self, now: Instant, acknowledged: bool) -> Option<Duration> {
        let early = self.due.saturating_duration_since(now);
        if !early.is_zero() {
            return Some(early);
        }
        let hasty = !acknowledged && now.saturating_duration_since(self.last) < self.patience;
        hasty.then_some(POLL)
    }

    /// A tick was made at `now`.
    fn ticked(&mut self, now: Instant) {
        self.last = now;
        self.due += self.period;
        let backlog = self.period * MAX_BACKLOG;
        if now.saturating_duration_since(self.due) > backlog {
            self.due = now - backlog;
        }
    }
}

fn run(card: &SoftCard, stop: &AtomicBool, period: Duration, patience: Duration) {
    let mut schedule = Schedule::new(period, Instant::now(), patience);
    while !stop.load(Ordering::Acquire) {
        match schedule.wait(Instant::now(), card.acknowledged()) {
            Some(wait) => thread::sleep(wait),
            None => {
                schedule.ticked(Instant::now());
                card.tick();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn lateness_does_not_add_up() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MS, start, MS);
        assert_eq!(schedule.wait(start, true), Some(MS));
        schedule.ticked(start + MS * 3 / 2);
        assert_eq!(schedule.wait(start + MS * 3 / 2, true), Some(MS / 2));
        schedule.ticked(start + MS * 2);
        assert_eq!(schedule.wait(start + MS * 2, true), Some(MS));
    }

    #[test]
    fn a_late_tick_is_made_up_for_when_the_host_has_acknowledged_or_a_millisecond_later() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MS, start, MS);
        let late = start + MS * 5;
        assert_eq!(schedule.wait(late, false), None);
        schedule.ticked(late);
        assert_eq!(schedule.wait(late, false), Some(POLL));
        assert_eq!(schedule.wait(late + MS, false), None);
        assert_eq!(schedule.wait(late, true), None);
    }

    #[test]
    fn a_slowed_clock_keeps_its_own_period() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MS * 10, start, MS * 10);
        assert_eq!(schedule.wait(start, true), Some(MS * 10));
        schedule.ticked(start + MS * 13);
        assert_eq!(schedule.wait(start + MS * 13, true), Some(MS * 7));
        assert_eq!(schedule.wait(start + MS * 21, false), Some(POLL));
        assert_eq!(schedule.wait(start + MS * 23, false), None);
    }

    #[test]
    fn a_patient_clock_waits_for_the_host() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MS, start, PATIENCE);
        schedule.ticked(start + MS);
        assert_eq!(schedule.wait(start + MS * 90, false), Some(POLL));
        assert_eq!(schedule.wait(start + MS * 90, true), None);
        assert_eq!(schedule.wait(start + MS * 101, false), None, "it may be gone");
    }

    #[test]
    fn what_is_far_too_late_is_dropped() {
        let start = Instant::now();
        let mut schedule = Schedule::new(MS, start, MS);
        let late = start + MS * 1000;
        let mut ticks = 0;
        while schedule.wait(late, true).is_none() {
            schedule.ticked(late);
            ticks += 1;
        }
        assert_eq!(ticks, 22, "the one that was due, the backlog, and the one due now");
    }
}
