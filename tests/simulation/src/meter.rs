//! How many register accesses the driver makes, from one time that it comes to the card to the
//! next: no more than [`ACCESSES_PER_TICK`] for each part of the card, with the commands that
//! follow.
//!
//! It comes by interrupts and to look after the card. A look comes long after whatever came before,
//! so that one in the middle of a step has a budget of its own; in a long step there are several.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringback_driver::Time;
use ringback_driver::card::tiger320::ACCESSES_PER_TICK;
use ringback_tspi::EvenPoisoned;

/// The accesses beyond the budget when the DMA is restarted.
const RECOVERY: u64 = 24;
/// A look that comes sooner than this after another visit has no budget of its own.
const APART: Duration = Duration::from_millis(5);
/// The most ticks whose work is done in one look where the kernel moves the samples.
const MOST_WORK: u64 = 8;

/// Counts the register accesses of all parts of a card.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    accesses: AtomicU64,
    window: Mutex<Window>,
}

/// The time from one visit to the next.
#[derive(Debug, Default)]
struct Window {
    parts: u64,
    kernel: bool,
    /// The accesses that are allowed in it.
    allowed: u64,
    visited: Time,
    exceeded: Option<String>,
}

impl Window {
    /// Ends with so many accesses, and begins anew with the work of so many ticks.
    fn turn(&mut self, accesses: u64, ticks: u64) {
        if accesses > self.allowed {
            let text = format!("{accesses} register accesses, and {} are allowed", self.allowed);
            self.exceeded.get_or_insert(text);
        }
        self.allowed = self.parts * (ticks * u64::from(ACCESSES_PER_TICK) + RECOVERY);
    }
}

impl Meter {
    /// Begins to measure a card with so many parts, without what was before.
    pub(crate) fn begin(&self, parts: usize, kernel: bool) {
        let mut window = self.window.lock().even_poisoned();
        *window = Window { parts: parts as u64, kernel, allowed: u64::MAX, ..Window::default() };
        window.turn(self.accesses.swap(0, Ordering::Relaxed), 1);
    }

    pub(crate) fn count(&self, accesses: u64) {
        self.accesses.fetch_add(accesses, Ordering::Relaxed);
    }

    /// A step of the world begins, or an interrupt is to come.
    pub(crate) fn turn(&self) {
        let accesses = self.accesses.swap(0, Ordering::Relaxed);
        self.window.lock().even_poisoned().turn(accesses, 1);
    }

    /// The driver comes to the card.
    pub(crate) fn visit(&self, now: Time) {
        let mut window = self.window.lock().even_poisoned();
        let since = now - std::mem::replace(&mut window.visited, now);
        if since < APART {
            return;
        }
        // Where the kernel moves the samples, a look does the work of all ticks since the last.
        let passed = 1 + u64::try_from(since.as_millis()).unwrap_or(MOST_WORK);
        let ticks = if window.kernel { passed.min(MOST_WORK) } else { 1 };
        window.turn(self.accesses.swap(0, Ordering::Relaxed), ticks);
    }

    /// Ends the last window, and says in words what was too much.
    pub(crate) fn exceeded(&self) -> Option<String> {
        self.turn();
        self.window.lock().even_poisoned().exceeded.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: u64 = ACCESSES_PER_TICK as u64 + RECOVERY;

    fn at(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    /// Whether too much is found in visits at these times with so many accesses each, in one step.
    fn is_too_much(parts: usize, kernel: bool, visits: &[(u64, u64)]) -> bool {
        let meter = Meter::default();
        meter.count(100_000);
        meter.begin(parts, kernel);
        for (ms, accesses) in visits {
            meter.visit(at(*ms));
            meter.count(*accesses);
        }
        meter.exceeded().is_some()
    }

    #[test]
    fn a_look_has_a_budget_of_its_own_unless_it_comes_too_soon() {
        // A card that is started anew while the machine is busy for 46 ms, with one FXO and two
        // FXS modules: a trial begins and ends.
        assert!(!is_too_much(1, false, &[(1000, 16), (1010, 144), (1020, 148)]));
        assert!(is_too_much(1, false, &[(1000, 16), (1010, TICK + 1), (1020, 0)]));
        assert!(is_too_much(1, false, &[(1000, 144), (1001, 148)]));
        assert!(!is_too_much(2, false, &[(1000, 2 * TICK)]));
        assert!(is_too_much(2, false, &[(1000, 2 * TICK + 1)]));
    }

    #[test]
    fn where_the_kernel_moves_the_samples_a_look_does_the_work_of_the_ticks_since_the_last() {
        let of = |ticks: u64| ticks * u64::from(ACCESSES_PER_TICK) + RECOVERY;
        assert!(!is_too_much(1, true, &[(1000, of(8)), (1008, of(8)), (1015, of(8))]));
        assert!(is_too_much(1, true, &[(1000, of(8) + 1)]));
        assert!(is_too_much(1, true, &[(1000, 0), (1005, of(6) + 1)]));
    }
}
