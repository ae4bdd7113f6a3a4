//! Real time for a card: a thread that ticks it every millisecond, or more slowly.
//!
//! Rules:
//! - The schedule is absolute (CLOCK_MONOTONIC), so that lateness does not add up. A late tick is
//!   made up for as soon as the host has served the last interrupt, at the latest one period after
//!   that interrupt, so that a late clock does not look like a card that lost interrupts. What is
//!   more than [`MAX_BACKLOG`] periods late is dropped.
//! - A host has served an interrupt when it has read the status once more after it acknowledged it.
//!   A real chip takes 7 words to come to the one that the host exchanges last; a tick moves 8 at
//!   once. A host that does not look again does so when it is reminded.
//! - A patient clock waits longer for the host: if the host gets too little processor time, the
//!   card's time slows down and no sample is lost. While it waits, the pin stays asserted and the
//!   interrupt is raised again every period, because a virtual machine can miss a level that rises
//!   while its handler runs.
//! - A slowed clock is patient, and makes up for no late tick.
//! - A hurried clock is patient, too: the card's time runs faster than real time, as long as the
//!   host keeps up.

use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::card::SoftCard;

/// The time that one tick stands for.
const MILLISECOND: Duration = Duration::from_millis(1);
/// Number of late periods that are made up for after the thread could not run.
const MAX_BACKLOG: u32 = 20;
/// How many periods a patient clock waits for the host before it ticks anyway.
const PATIENCE: u32 = 100;
/// The same for a slowed clock: a virtual machine in software emulation on a busy computer can stop
/// for seconds.
const LONG_PATIENCE: u32 = 5000;
/// Interval at which a late clock checks whether the host has served the interrupt.
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
    /// # Errors
    /// The operating system can't start a thread.
    pub fn start(card: &SoftCard) -> io::Result<RealClock> {
        RealClock::start_slowed(card, NonZeroU32::MIN)
    }

    /// As [`start`](RealClock::start), but one of the card's milliseconds takes `scale` real ones,
    /// for hosts that can't serve an interrupt every millisecond, such as a virtual machine in
    /// software emulation. With a scale above 1 the clock is also patient, like that of
    /// [`start_patient`](RealClock::start_patient), and waits for up to 5000 of the card's
    /// milliseconds.
    ///
    /// # Errors
    /// The operating system can't start a thread.
    pub fn start_slowed(card: &SoftCard, scale: NonZeroU32) -> io::Result<RealClock> {
        RealClock::with(
            card,
            if scale == NonZeroU32::MIN { Pace::REAL } else { Pace::slowed(scale) },
        )
    }

    /// As [`start`](RealClock::start), but no tick comes before the host has served the
    /// interrupt of the last one, unless that takes more than 100 ms. For a host that must not lose
    /// a sample on a busy machine: a demonstration, or a test.
    ///
    /// # Errors
    /// The operating system can't start a thread.
    pub fn start_patient(card: &SoftCard) -> io::Result<RealClock> {
        RealClock::with(card, Pace::PATIENT)
    }

    /// As [`start_patient`](RealClock::start_patient), but `haste` of the card's milliseconds pass
    /// in a real one, or as many as the host can follow. For a test that makes many calls in little
    /// time.
    ///
    /// # Errors
    /// The operating system can't start a thread.
    pub fn start_hurried(card: &SoftCard, haste: NonZeroU32) -> io::Result<RealClock> {
        RealClock::with(card, Pace::hurried(haste))
    }

    fn with(card: &SoftCard, pace: Pace) -> io::Result<RealClock> {
        let stop = Arc::new(AtomicBool::new(false));
        let (card, stopped) = (card.clone(), stop.clone());
        let thread = thread::Builder::new()
            .name("softcard-clock".to_owned())
            .spawn(move || run(&card, &stopped, pace))?;
        Ok(RealClock { stop, thread: Some(thread) })
    }
}

impl Drop for RealClock {
    /// Stops the clock and waits for the tick under way. If the clock is dropped by its own thread
    /// (from within [`InterruptLine::raise`](crate::InterruptLine::raise)), it does not wait.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A slowed clock may sleep for weeks.
            thread.thread().unpark();
            // A panic in the host's callbacks has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}

/// The speed of a clock, and its patience.
#[derive(Debug, Clone, Copy)]
struct Pace {
    period: Duration,
    /// How long a due tick waits for the host after the last one, in periods.
    patience: u32,
    /// Number of late periods that are made up for.
    backlog: u32,
}

impl Pace {
    const REAL: Pace = Pace { period: MILLISECOND, patience: 1, backlog: MAX_BACKLOG };
    const PATIENT: Pace = Pace { patience: PATIENCE, ..Pace::REAL };

    fn hurried(haste: NonZeroU32) -> Pace {
        let patience = PATIENCE.saturating_mul(haste.get());
        Pace { period: MILLISECOND / haste.get(), patience, ..Pace::PATIENT }
    }

    fn slowed(scale: NonZeroU32) -> Pace {
        let period = MILLISECOND.saturating_mul(scale.get());
        Pace { period, patience: LONG_PATIENCE, backlog: 0 }
    }
}

/// What the clock has to do now.
#[derive(Debug, PartialEq, Eq)]
enum Now {
    /// Check again after this time.
    Wait(Duration),
    /// Raise the interrupt again.
    Remind,
    Tick,
}

/// Decides when ticks are due.
#[derive(Debug)]
struct Schedule {
    pace: Pace,
    due: Instant,
    last: Instant,
    /// When the interrupt was last raised.
    told: Instant,
}

impl Schedule {
    fn new(pace: Pace, now: Instant) -> Schedule {
        Schedule { pace, due: now + pace.period, last: now, told: now }
    }

    fn now(&self, now: Instant, served: bool) -> Now {
        let early = self.due.saturating_duration_since(now);
        if !early.is_zero() {
            return Now::Wait(early);
        }
        let patience = self.pace.period.saturating_mul(self.pace.patience);
        if served || now.saturating_duration_since(self.last) >= patience {
            Now::Tick
        } else if now.saturating_duration_since(self.told) >= self.pace.period {
            Now::Remind
        } else {
            Now::Wait(POLL)
        }
    }

    /// Notes that the interrupt was raised again at `now`.
    fn reminded(&mut self, now: Instant) {
        self.told = now;
    }

    /// Notes that a tick was made at `now`.
    fn ticked(&mut self, now: Instant) {
        self.last = now;
        self.told = now;
        // The next tick is late by at most the backlog; without a backlog it is a whole period
        // away.
        let earliest = match self.pace.backlog {
            0 => now + self.pace.period,
            backlog => now - self.pace.period.saturating_mul(backlog),
        };
        self.due = (self.due + self.pace.period).max(earliest);
    }
}

fn run(card: &SoftCard, stop: &AtomicBool, pace: Pace) {
    let mut schedule = Schedule::new(pace, Instant::now());
    while !stop.load(Ordering::Acquire) {
        match schedule.now(Instant::now(), card.is_served()) {
            // Only the end of the clock unparks the thread early.
            Now::Wait(wait) => thread::park_timeout(wait),
            Now::Remind => {
                schedule.reminded(Instant::now());
                card.remind();
            }
            Now::Tick => {
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

    fn slowed(scale: u32) -> Pace {
        Pace::slowed(NonZeroU32::new(scale).unwrap())
    }

    #[test]
    fn the_slowest_clock_ends_when_it_is_dropped() {
        let card = SoftCard::new(crate::CardConfig::default());
        // A clock that could not be woken would be dropped only at its first tick, after 49 days.
        drop(RealClock::start_slowed(&card, NonZeroU32::MAX).unwrap());
        assert_eq!(card.now_ms(), 0);
    }

    #[test]
    fn lateness_does_not_add_up() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Pace::REAL, start);
        assert_eq!(schedule.now(start, true), Now::Wait(MS));
        schedule.ticked(start + MS * 3 / 2);
        assert_eq!(schedule.now(start + MS * 3 / 2, true), Now::Wait(MS / 2));
        schedule.ticked(start + MS * 2);
        assert_eq!(schedule.now(start + MS * 2, true), Now::Wait(MS));
    }

    #[test]
    fn a_late_tick_is_made_up_for_when_the_host_has_served_the_last_or_a_millisecond_later() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Pace::REAL, start);
        let late = start + MS * 5;
        assert_eq!(schedule.now(late, false), Now::Tick);
        schedule.ticked(late);
        assert_eq!(schedule.now(late, false), Now::Wait(POLL));
        assert_eq!(schedule.now(late + MS, false), Now::Tick);
        assert_eq!(schedule.now(late, true), Now::Tick);
    }

    #[test]
    fn a_slowed_clock_keeps_its_own_period_and_makes_up_for_nothing() {
        let start = Instant::now();
        let mut schedule = Schedule::new(slowed(10), start);
        assert_eq!(schedule.now(start, true), Now::Wait(MS * 10));
        schedule.ticked(start + MS * 10);
        assert_eq!(schedule.now(start + MS * 10, true), Now::Wait(MS * 10));
        schedule.ticked(start + MS * 27);
        assert_eq!(schedule.now(start + MS * 27, true), Now::Wait(MS * 10));
    }

    #[test]
    fn a_patient_clock_waits_for_the_host_and_reminds_it() {
        let start = Instant::now();
        for (pace, ms, patience) in [(Pace::PATIENT, MS, 100), (slowed(2), MS * 2, 5000)] {
            let mut schedule = Schedule::new(pace, start - ms);
            schedule.ticked(start);
            assert_eq!(schedule.now(start + ms, true), Now::Tick);
            assert_eq!(schedule.now(start + ms, false), Now::Remind);
            schedule.reminded(start + ms);
            assert_eq!(schedule.now(start + ms * 3 / 2, false), Now::Wait(POLL));
            assert_eq!(schedule.now(start + ms * 2, false), Now::Remind);
            assert_eq!(schedule.now(start + ms * 99, true), Now::Tick);
            assert_eq!(schedule.now(start + ms * (patience - 1), false), Now::Remind);
            assert_eq!(schedule.now(start + ms * patience, false), Now::Tick, "it may be gone");
        }
    }

    #[test]
    fn a_hurried_clock_has_a_shorter_period_and_the_patience_of_a_patient_one() {
        let start = Instant::now();
        let mut schedule =
            Schedule::new(Pace::hurried(NonZeroU32::new(4).unwrap()), start - MS / 4);
        schedule.ticked(start);
        assert_eq!(schedule.now(start + MS / 4, true), Now::Tick);
        assert_eq!(schedule.now(start + MS * 99, false), Now::Remind);
        assert_eq!(schedule.now(start + MS * 100, false), Now::Tick, "it may be gone");
    }

    #[test]
    fn ticks_that_are_far_too_late_are_dropped() {
        let start = Instant::now();
        let mut schedule = Schedule::new(Pace::REAL, start);
        let late = start + MS * 1000;
        let mut ticks = 0;
        while schedule.now(late, true) == Now::Tick {
            schedule.ticked(late);
            ticks += 1;
        }
        assert_eq!(ticks, 22, "the one that was due, the backlog, and the one due now");
    }
}
