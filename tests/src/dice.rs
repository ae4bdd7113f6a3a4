//! The source of chance of simulation and stress test: a seed gives the same throws on every
//! machine.
//!
//! Every actor, thread and callback has dice of its own, made from those of the seed: what one of
//! them does less of moves nothing in what the others do.

use std::time::Duration;

/// Throws that follow from a seed.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(fastrand::Rng::with_seed(seed))
    }

    /// Dice for somebody else, who throws independently from now on.
    pub fn fork(&mut self) -> Dice {
        Dice(self.0.fork())
    }

    /// True once in so many throws.
    pub fn one_in(&mut self, throws: u32) -> bool {
        self.below(throws) == 0
    }

    /// True so often of 100.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// 0 to `end - 1`; 0 where there is nothing to choose from.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0.u32(..end.max(1))
    }

    /// An index into something of this length; 0 where it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.usize(..len.max(1))
    }

    /// Any 64 bits.
    pub fn any(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// One of these, if there are any.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.index(of.len())).cloned()
    }

    /// A time between these two, in milliseconds, all alike.
    pub fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.0.u64(from..=to.max(from)))
    }

    /// A time between these two, in milliseconds, short ones much more often than long ones.
    pub fn mostly_short_ms(&mut self, from: u64, to: u64) -> Duration {
        let share = self.0.f64();
        let span = to.saturating_sub(from) as f64;
        Duration::from_millis(from + (share * share * share * span) as u64)
    }
}
