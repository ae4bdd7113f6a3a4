//! How often a module is set up again before it is given up.
//!
//! A module that fails rarely is repaired each time. Repairing one that fails all the time would
//! only cause clicks on its line and take time from the other modules.

use std::time::Duration;

use crate::Time;

const MOST: u32 = 10;
const FORGIVEN: Duration = Duration::from_secs(10);

/// Attempts of one module.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    used: u32,
    /// Start of the window in which attempts are counted.
    since: Time,
}

impl Attempts {
    /// Takes one attempt, if there is one left. One is given back for each 10 s.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let forgiven = now.since(self.since).as_nanos() / FORGIVEN.as_nanos();
        if forgiven > 0 || self.used == 0 {
            self.used = self.used.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
            self.since = now;
        }
        if self.used == MOST {
            return false;
        }
        self.used += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_and_one_more_every_ten_seconds() {
        let mut attempts = Attempts::default();
        let start = Time::from_nanos(1 << 60);
        assert_eq!((0..20).filter(|_| attempts.take(start)).count(), 10);
        assert!(!attempts.take(start + (FORGIVEN - Duration::from_millis(1))));
        assert!(attempts.take(start + FORGIVEN));
        assert!(!attempts.take(start + FORGIVEN));
        assert_eq!((0..20).filter(|_| attempts.take(start + FORGIVEN * 100)).count(), 10);
    }
}
