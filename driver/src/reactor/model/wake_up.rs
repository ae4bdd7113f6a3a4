//! Models of waking a reaper that is about to sleep.

use std::time::Duration;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use std::sync::Arc;

use super::super::doze::Doze;
use super::super::kick::Kick;
use super::{check, is_found};

/// The reaper's mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reaper {
    Right,
    /// It looks for work before it announces that it is awake.
    LooksFirst,
    /// It sleeps although work was published in the meantime.
    SleepsAnyway,
}

/// Publishers with a mailbox each, and a reaper that sleeps while there is nothing to do. If the
/// reaper is not woken although there is work, it sleeps for ever, and loom reports the deadlock.
fn wake_up(publishers: usize, reaper: Reaper, preemptions: Option<usize>) {
    check(preemptions, move || {
        let doze = Arc::new(Doze::new());
        let kick = Arc::new(Kick::new().unwrap());
        let work: Vec<_> = (0..publishers).map(|_| Arc::new(AtomicU32::new(0))).collect();
        let publish = |work: &Arc<AtomicU32>| {
            let (doze, kick, work) = (Arc::clone(&doze), Arc::clone(&kick), Arc::clone(work));
            thread::spawn(move || {
                work.store(1, Ordering::Relaxed);
                if doze.notify() {
                    kick.signal().unwrap();
                }
            })
        };
        let threads: Vec<_> = work.iter().map(publish).collect();
        let look = || work.iter().all(|work| work.load(Ordering::Relaxed) == 1);
        loop {
            let mut all = reaper == Reaper::LooksFirst && look();
            doze.awake();
            all = all || (reaper != Reaper::LooksFirst && look());
            if all {
                break;
            }
            if doze.fall_asleep() || reaper == Reaper::SleepsAnyway {
                kick.wait(Duration::MAX);
            }
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// Every interleaving of the reaper with one publisher; with two, those with up to three
/// preemptions.
#[test]
fn model_no_wake_up_is_lost() {
    wake_up(1, Reaper::Right, None);
    wake_up(2, Reaper::Right, Some(3));
}

#[test]
fn model_notices_a_reaper_that_looks_before_it_says_so() {
    assert!(is_found(|| wake_up(1, Reaper::LooksFirst, None)), "the wake-up is lost");
}

#[test]
fn model_notices_a_reaper_that_sleeps_although_work_came() {
    assert!(is_found(|| wake_up(1, Reaper::SleepsAnyway, None)), "the wake-up is lost");
}

/// Two publishers wake a sleeping reaper with one signal, because two would be two system calls.
/// Every interleaving.
#[test]
fn model_one_of_two_wakes_the_reaper() {
    check(None, || {
        let doze = Arc::new(Doze::new());
        doze.awake();
        assert!(doze.fall_asleep());
        let notify = || {
            let doze = Arc::clone(&doze);
            thread::spawn(move || doze.notify())
        };
        let (a, b) = (notify(), notify());
        assert!(a.join().unwrap() != b.join().unwrap(), "one, and only one");
    });
}

/// A reaper that does not sleep: it polls the notification, and then looks. Every interleaving.
#[test]
fn model_a_reaper_that_polls_finds_work() {
    check(None, || {
        let doze = Arc::new(Doze::new());
        let work = Arc::new(AtomicU32::new(0));
        let publisher = {
            let (doze, work) = (Arc::clone(&doze), Arc::clone(&work));
            thread::spawn(move || {
                work.store(1, Ordering::Relaxed);
                assert!(!doze.notify(), "the reaper is awake, so it need not be woken");
            })
        };
        doze.awake();
        if work.load(Ordering::Relaxed) == 0 {
            while !doze.is_notified() {
                thread::yield_now();
            }
            doze.awake();
            assert_eq!(work.load(Ordering::Relaxed), 1, "woken, but no work is there");
        }
        publisher.join().unwrap();
    });
}
