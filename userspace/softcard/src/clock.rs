//! Real time for a card: a thread that ticks it every millisecond.
//!
//! Rules: the schedule is absolute (CLOCK_MONOTONIC), so lateness does not add up. A tick that is
//! late is made up for as soon as the host has taken the last interrupt, and in any case a
//! millisecond after it, so that a late clock does not look like a card that lost interrupts. What is
//! more than [`MAX_BACKLOG`] late is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::card::SoftCard;

const TICK: Duration = Duration::from_millis(1);
/// The most that is made up for after the thread could not run.
const MAX_BACKLOG: Duration = Duration::from_millis(20);
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
        let stop = Arc::new(AtomicBool::new(false));
        let (card, stopped) = (card.clone(), stop.clone());
        let thread = thread::Builder::new()
            .name("softcard-clock".to_owned())
            .spawn(move || run(&card, &stopped))
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

fn run(card: &SoftCard, stop: &AtomicBool) {
    let mut due = Instant::now() + TICK;
    while !stop.load(Ordering::Acquire) {
        let now = Instant::now();
        if let Some(early) = due.checked_duration_since(now).filter(|early| !early.is_zero()) {
            thread::sleep(early);
            continue;
        }
        card.tick();
        let ticked = Instant::now();
        due += TICK;
        let late = ticked.saturating_duration_since(due);
        if late > MAX_BACKLOG {
            due = ticked - MAX_BACKLOG;
        }
        // The next one is due already: give the host its turn first.
        while !card.acknowledged()
            && Instant::now() >= due
            && ticked.elapsed() < TICK
            && !stop.load(Ordering::Acquire)
        {
            thread::sleep(POLL);
        }
    }
}
