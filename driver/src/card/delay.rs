//! Waiting while a card is brought up: the only time the card layer waits at all.

use std::thread;
use std::time::Duration;

/// Lets time pass during bring-up.
///
/// A real card gets [`ThreadDelay`]; a software card under a virtual clock is moved on by as many
/// ticks. Any closure over a [`Duration`] is one.
pub trait Delay {
    /// Returns when at least `time` has passed for the card.
    fn delay(&mut self, time: Duration);
}

impl<F: FnMut(Duration)> Delay for F {
    fn delay(&mut self, time: Duration) {
        self(time);
    }
}

/// Sleeps in the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadDelay;

impl Delay for ThreadDelay {
    fn delay(&mut self, time: Duration) {
        thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_is_a_delay() {
        let mut waited = Duration::ZERO;
        let mut delay = |time| waited += time;
        let dynamic: &mut dyn Delay = &mut delay;
        dynamic.delay(Duration::from_millis(250));
        dynamic.delay(Duration::from_millis(250));
        assert_eq!(waited, Duration::from_millis(500));
    }
}
