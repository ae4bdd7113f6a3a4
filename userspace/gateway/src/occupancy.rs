//! Whether a line is free: it has one call at a time, from whichever side that comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a line has a call. Clones are of the same line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Occupancy(Arc<AtomicBool>);

/// The line is kept for one call. Dropping it frees the line.
#[derive(Debug)]
pub(crate) struct Seizure(Arc<AtomicBool>);

impl Occupancy {
    /// Takes the line for a call; `None` if another call has it.
    pub(crate) fn seize(&self) -> Option<Seizure> {
        let was = self.0.swap(true, Ordering::AcqRel);
        (!was).then(|| Seizure(Arc::clone(&self.0)))
    }
}

impl Drop for Seizure {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_at_a_time_has_the_line() {
        let occupancy = Occupancy::default();
        let seizure = occupancy.seize();
        assert!(seizure.is_some() && occupancy.clone().seize().is_none());
        drop(seizure);
        assert!(occupancy.seize().is_some());
    }
}
