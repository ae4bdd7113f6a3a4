//! The one source of chance: a seed gives the same throws on every machine.
//!
//! Every actor of a world has dice of its own, made from the world's: what one of them does less of
//! moves nothing in what the others do.

use std::time::Duration;

/// Dice.
#[derive(Debug, Clone)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(fastrand::Rng::with_seed(seed))
    }

    /// Dice for an actor.
    pub(crate) fn fork(&mut self) -> Dice {
        Dice(self.0.fork())
    }

    /// True once in so many throws.
    pub(crate) fn one_in(&mut self, throws: u32) -> bool {
        self.below(throws) == 0
    }

    /// True so often of 100.
    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// 0 to `end - 1`; 0 where there is nothing to choose from.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0.u32(..end.max(1))
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        self.0.usize(..len.max(1))
    }

    pub(crate) fn any(&mut self) -> u64 {
        self.0.u64(..)
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.index(of.len())).cloned()
    }

    /// Between the two, all alike.
    pub(crate) fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.0.u64(from..=to.max(from)))
    }

    /// Between the two, short ones much more often than long ones.
    pub(crate) fn mostly_short_ms(&mut self, from: u64, to: u64) -> Duration {
        let share = self.0.f64();
        let span = to.saturating_sub(from) as f64;
        Duration::from_millis(from + (share * share * share * span) as u64)
    }
}
