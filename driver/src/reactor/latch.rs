//! A value that is set once and waited for.
use std::time::{Duration, Instant};

use crate::sync::EvenPoisoned;
use crate::sync::asleep::{Condvar, Mutex, MutexGuard};

/// Empty until it is set; from then on it holds the first value.
#[derive(Debug)]
pub(crate) struct Latch<T> {
    word: Mutex<Option<T>>,
    told: Condvar,
}

impl<T: Copy> Latch<T> {
    pub(crate) fn new() -> Self {
        Latch { word: Mutex::new(None), told: Condvar::new() }
    }

    /// Sets the value; only the first call has an effect.
    pub(crate) fn tell(&self, word: T) {
        self.lock().get_or_insert(word);
        self.told.notify_all();
    }

    /// Returns the value if it was set.
    pub(crate) fn get(&self) -> Option<T> {
        *self.lock()
    }

    /// Waits for the value; `None` if it is not set within `limit`.
    pub(crate) fn wait(&self, limit: Duration) -> Option<T> {
        // An `Instant` can't express every limit, so that it is cut to 136 years.
        let until = Instant::now() + limit.min(Duration::from_secs(u64::from(u32::MAX)));
        let mut word = self.lock();
        while word.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.told.wait_timeout(word, left);
            word = waited.even_poisoned().0;
        }
        *word
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.word.lock().even_poisoned()
    }
}

/// Loom: a waiting thread is woken, and sees what was done before the value was set. Every
/// interleaving of two threads.
#[cfg(all(test, loom))]
mod model {
    use std::panic::catch_unwind;

    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicU32, Ordering};
    use loom::thread;

    use super::*;

    /// Loom's condition variables never time out: a thread that is not woken waits for ever, and
    /// loom reports the deadlock.
    fn wait_for_it(tell: fn(&Latch<u32>, u32)) {
        loom::model(move || {
            let latch = Arc::new(Latch::new());
            let work = Arc::new(AtomicU32::new(0));
            let teller = {
                let (latch, work) = (Arc::clone(&latch), Arc::clone(&work));
                thread::spawn(move || {
                    work.store(1, Ordering::Relaxed);
                    tell(&latch, 7);
                })
            };
            assert_eq!(latch.wait(Duration::MAX), Some(7));
            assert_eq!(work.load(Ordering::Relaxed), 1, "work before the value was set is seen");
            teller.join().unwrap();
            latch.tell(8);
            assert_eq!(latch.get(), Some(7), "the first word counts");
        });
    }

    #[test]
    fn model_a_waiting_thread_is_woken() {
        wait_for_it(Latch::tell);
    }

    #[test]
    fn model_notices_a_teller_that_wakes_before_it_says_so() {
        let hasty = catch_unwind(|| {
            wait_for_it(|latch, word| {
                latch.told.notify_all();
                latch.lock().get_or_insert(word);
            });
        });
        assert!(hasty.is_err(), "loom must find the thread that is not woken");
    }
}
