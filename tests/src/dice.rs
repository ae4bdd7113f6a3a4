//! The random numbers of simulation and stress test: a seed gives the same numbers on every
//! machine.
//!
//! Every actor, thread and callback has a generator of its own, derived from the seed's, so that a
//! change in what one of them does changes nothing for the others.

use std::time::Duration;

/// A generator of random numbers.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(fastrand::Rng::with_seed(seed))
    }

    /// A generator for another actor, independent of this one from now on.
    pub fn fork(&mut self) -> Dice {
        Dice(self.0.fork())
    }

    /// True in one of so many cases.
    pub fn one_in(&mut self, throws: u32) -> bool {
        self.below(throws) == 0
    }

    /// True in so many percent of all cases.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// A number from 0 to `end - 1`; 0 if `end` is 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0.u32(..end.max(1))
    }

    /// An index below `len`; 0 if `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.usize(..len.max(1))
    }

    /// A number of 64 bits.
    pub fn any(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// One of these, if there are any.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.index(of.len())).cloned()
    }

    /// A time between these two, in milliseconds, uniformly distributed.
    pub fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.0.u64(from..=to.max(from)))
    }

    /// A time between these two, in milliseconds; short times are much more frequent than long
    /// ones.
    pub fn mostly_short_ms(&mut self, from: u64, to: u64) -> Duration {
        let share = self.0.f64();
        let span = to.saturating_sub(from) as f64;
        Duration::from_millis(from + (share * share * share * span) as u64)
    }
}
