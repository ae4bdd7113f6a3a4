//! The source of chance. Every thread and every callback has dice of its own, made from the seed.

use std::time::Duration;

/// Dice.
#[derive(Debug, Clone)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(fastrand::Rng::with_seed(seed))
    }

    /// Dice for somebody else.
    pub(crate) fn fork(&mut self) -> Dice {
        Dice(self.0.fork())
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

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.get(self.index(of.len())).cloned()
    }

    /// Between the two, all alike.
    pub(crate) fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.0.u64(from..=to.max(from)))
    }
}
