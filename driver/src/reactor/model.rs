//! Loom: the hand-over of a command to a busy card, and of a wake-up to a reaper about to sleep.

use std::panic::catch_unwind;

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::doze::Doze;
use super::handover::{Careful, Handover, Parting, Work};

#[derive(Default)]
struct Done(Vec<u32>);

impl Work<u32> for Done {
    type Outcome = ();
    fn now(&mut self, command: u32) {
        self.0.push(command);
    }
    fn queued(&mut self, command: u32) {
        self.0.push(command);
    }
    fn leave(&mut self) -> bool {
        false
    }
}

/// `submitters` threads and the reaper servicing an interrupt. Every interleaving of one submitter;
/// of two, those with up to `preemptions` switches away from a thread that could go on.
fn hand_over<P: Parting + 'static>(submitters: u32, preemptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let card = Arc::new(Handover::<Done, u32, P>::new(Done::default(), 4, 1));
        let threads: Vec<_> = (0..submitters)
            .map(|command| {
                let card = Arc::clone(&card);
                thread::spawn(move || {
                    card.submit(command as usize, 0, command);
                })
            })
            .collect();
        card.with(|_| ());
        for thread in threads {
            thread.join().unwrap();
        }
        // Straight to the state: `with` would work off what was left behind.
        let (mut done, left) = card.parts();
        assert!(!left, "a command was left behind");
        done.0.sort_unstable();
        assert!(done.0.into_iter().eq(0..submitters), "each command once");
    });
}

#[test]
fn model_no_command_is_left_behind() {
    hand_over::<Careful>(1, None);
    hand_over::<Careful>(2, Some(2));
}

#[test]
fn model_notices_a_holder_that_does_not_look_again() {
    struct Careless;
    impl Parting for Careless {
        const LOOKS_AGAIN: bool = false;
    }
    let careless = catch_unwind(|| hand_over::<Careless>(1, None));
    assert!(careless.is_err(), "loom must find the command that is left behind");
}

/// A mailbox of one, and an eventfd: the reaper sleeps only while there is nothing to do.
fn wake_up(look_after_waking: bool) {
    loom::model(move || {
        let doze = Arc::new(Doze::new());
        let work = Arc::new(AtomicU32::new(0));
        let eventfd = Arc::new(Mutex::new(0_u32));
        let publisher = {
            let (doze, work, eventfd) =
                (Arc::clone(&doze), Arc::clone(&work), Arc::clone(&eventfd));
            thread::spawn(move || {
                work.store(1, Ordering::Relaxed);
                if doze.notify() {
                    *eventfd.lock().unwrap() += 1;
                }
            })
        };
        let mut seen = 0;
        let mut asleep = false;
        for _ in 0..2 {
            if look_after_waking {
                doze.awake();
                seen |= work.load(Ordering::Relaxed);
            } else {
                seen |= work.load(Ordering::Relaxed);
                doze.awake();
            }
            asleep = doze.fall_asleep();
            if asleep {
                break;
            }
        }
        publisher.join().unwrap();
        let signalled = *eventfd.lock().unwrap() != 0;
        assert!(seen == 1 || !asleep || signalled, "asleep with work to do and nobody to wake it");
    });
}

#[test]
fn model_no_wake_up_is_lost() {
    wake_up(true);
}

/// A reaper that does not sleep: it watches for the notice, and then looks.
#[test]
fn model_a_reaper_that_polls_hears_of_work() {
    loom::model(|| {
        let doze = Arc::new(Doze::new());
        let work = Arc::new(AtomicU32::new(0));
        let publisher = {
            let (doze, work) = (Arc::clone(&doze), Arc::clone(&work));
            thread::spawn(move || {
                work.store(1, Ordering::Relaxed);
                assert!(!doze.notify(), "nobody sleeps, so there is nobody to wake");
            })
        };
        doze.awake();
        if work.load(Ordering::Relaxed) == 0 {
            while !doze.is_notified() {
                thread::yield_now();
            }
            doze.awake();
            assert_eq!(work.load(Ordering::Relaxed), 1, "told, and nothing there");
        }
        publisher.join().unwrap();
    });
}

#[test]
fn model_notices_a_reaper_that_looks_before_it_says_so() {
    let wrong = catch_unwind(|| wake_up(false));
    assert!(wrong.is_err(), "loom must find the lost wake-up");
}
