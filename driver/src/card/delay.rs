//! Waiting while a card is brought up. The card layer waits at no other time.

use std::thread;
use std::time::Duration;

/// Lets time pass during bring-up.
///
/// A real card uses [`ThreadDelay`]; for a software card under a virtual clock the implementation
/// advances the card by as many ticks. Any closure that takes a [`Duration`] implements it.
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
