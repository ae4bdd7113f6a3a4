//! Loom: models of the gate and the slot table. All interleavings are tried, except in models that
//! name a bound. Run by `RUSTFLAGS="--cfg loom" cargo test -p ringback-request --lib --release
//! model`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;

use crate::gate::{Completed, Gate, Orders, Released, Strict};
use crate::table::Table;
use crate::{ErrorCode, LineNumber, Time};

/// The result of a request that failed.
const FAILED: Result<(), ErrorCode> = Err(ErrorCode::of::<-3>());

/// Two threads race for the last bit. Exactly one of them finds the completion deliverable, and it
/// sees what the other did before (C13: output is written before completion).
fn two_bits<O: Orders + 'static>() {
    loom::model(|| {
        let gate = Arc::new(Gate::<O>::new());
        let generation = gate.open();
        let (output, id_stored) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let completer = {
            let (gate, output, id_stored) =
                (Arc::clone(&gate), Arc::clone(&output), Arc::clone(&id_stored));
            thread::spawn(move || {
                output.store(7, Ordering::Relaxed);
                let second = gate.complete(generation, FAILED) == Completed::Deliverable;
                if second {
                    assert_eq!(id_stored.load(Ordering::Relaxed), 1, "never before the return");
                }
                second
            })
        };
        id_stored.store(1, Ordering::Relaxed);
        let second = gate.release() == Released::Deliverable;
        if second {
            assert_eq!(output.load(Ordering::Relaxed), 7, "C13");
        }
        assert!(completer.join().unwrap() != second, "once: never twice, never lost");
        assert_eq!(gate.take(generation), Some(FAILED));
        assert_eq!(gate.take(generation), None);
    });
}

#[test]
fn model_c3_g1_once_never_early_never_lost() {
    two_bits::<Strict>();
}

#[test]
fn model_notices_a_weakened_gate() {
    struct Weak;
    impl Orders for Weak {
        const SET: Ordering = Ordering::Relaxed;
    }
    let weak = catch_unwind(AssertUnwindSafe(two_bits::<Weak>));
    assert!(weak.is_err(), "loom must find that relaxed bits publish nothing");
}

#[test]
fn model_c3_a_cancelling_third_thread_gets_one_completion() {
    loom::model(|| {
        let gate = Arc::new(Gate::<Strict>::new());
        let generation = gate.open();
        let complete = |result| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.complete(generation, result))
        };
        let (device, canceller) = (complete(Ok(())), complete(FAILED));
        let released = gate.release();
        let (device, canceller) = (device.join().unwrap(), canceller.join().unwrap());
        let firsts = [device, canceller].iter().filter(|one| **one != Completed::Late).count();
        assert_eq!(firsts, 1);
        let announced =
            [device, canceller].iter().filter(|one| **one == Completed::Deliverable).count()
                + usize::from(released == Released::Deliverable);
        assert_eq!(announced, 1, "one of the three hands it to the reaper");
        let result = gate.take(generation).unwrap();
        assert_eq!(result, if device == Completed::Late { FAILED } else { Ok(()) });
    });
}

#[test]
fn model_t4_a_reused_slot_is_safe_from_late_completions() {
    loom::model(|| {
        let table = Arc::new(Table::with_capacity(1).unwrap());
        let reserve = |table: &Table| table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER);
        let (_, first) = reserve(&table).unwrap();
        let late = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.complete(first, FAILED, Time::ZERO))
        };
        table.release(first);
        table.complete(first, Ok(()), Time::ZERO);
        // The reaper takes the completion, and the slot is used again, while the late completer
        // still runs.
        assert!(table.take(first).is_some());
        let (_, second) = reserve(&table).unwrap();
        assert_ne!(first, second);
        late.join().unwrap();
        assert!(table.is_running(second), "the late completion touched the slot's next use");
    });
}

/// Tries the interleavings with up to so many preemptions, that is, switches away from a thread
/// that could go on.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Up to three preemptions.
#[test]
fn model_t3_a_slot_goes_to_one_of_two_submitters() {
    check(3, || {
        let table = Arc::new(Table::with_capacity(2).unwrap());
        let submit = || {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let (id, token) =
                    table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
                // The slot is given back and taken again, which would be the stack's ABA.
                assert!(table.abandon(token).is_some());
                let (_, token) =
                    table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap();
                (id, token)
            })
        };
        let (a, b) = (submit(), submit());
        let ((_, a), (_, b)) = (a.join().unwrap(), b.join().unwrap());
        assert_ne!(a.slot(), b.slot());
        assert!(table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).is_err());
    });
}

/// Up to three preemptions.
#[test]
fn model_t3_t4_a_slot_given_back_goes_to_one_of_two_submitters() {
    check(3, || {
        let table = Arc::new(Table::with_capacity(2).unwrap());
        let reserve =
            |table: &Table| table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).unwrap().1;
        let first = reserve(&table);
        table.release(first);
        table.complete(first, FAILED, Time::ZERO);
        let reaper = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.take(first).is_some())
        };
        let other = {
            let table = Arc::clone(&table);
            thread::spawn(move || table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).ok())
        };
        let mine = table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).ok();
        assert!(reaper.join().unwrap());
        let other = other.join().unwrap();
        let got: Vec<_> = [mine, other].into_iter().flatten().map(|(_, token)| token).collect();
        assert!(!got.is_empty(), "there was one free slot all the time");
        if let [mine, other] = got[..] {
            assert_ne!(mine.slot(), other.slot());
        }
        // No slot is lost: those that the two did not get are still free, and no other is.
        for _ in got.len()..2 {
            reserve(&table);
        }
        assert!(table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER).is_err());
    });
}

/// What a waiter for a return can leave out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiter {
    Right,
    /// It checks whether the function has returned, and does not set AWAITED.
    OnlyLooks,
}

/// The holder of the card has an event that waits for the function's return, and then completes the
/// request, if `completes`. Meanwhile the function returns or is refused. Every interleaving.
fn wait_for_return(waiter: Waiter, completes: bool) {
    loom::model(move || {
        let gate = Arc::new(Gate::<Strict>::new());
        let told = Arc::new(AtomicU32::new(0));
        let generation = gate.open();
        let holder = {
            let (gate, told) = (Arc::clone(&gate), Arc::clone(&told));
            thread::spawn(move || {
                told.store(1, Ordering::Relaxed);
                let waits = match waiter {
                    Waiter::Right => gate.await_return(generation),
                    Waiter::OnlyLooks => !gate.has_returned(generation),
                };
                let completed = completes.then(|| gate.complete(generation, FAILED));
                (waits, completed)
            })
        };
        let released = gate.release();
        if released == Released::Deliverable {
            assert_eq!(told.load(Ordering::Relaxed), 1, "the reaper finds what it is woken for");
        }
        let (waits, completed) = holder.join().unwrap();
        assert!(!waits || released == Released::Deliverable, "the event waits for ever");
        if let Some(completed) = completed {
            let announced = completed == Completed::Deliverable;
            assert!(
                announced || released == Released::Deliverable,
                "the completion waits for ever"
            );
            assert_eq!(gate.take(generation), Some(FAILED));
        } else {
            assert!(waits || released == Released::Running, "woken for nothing");
        }
        assert!(gate.has_returned(generation));
    });
}

#[test]
fn model_g1_an_event_that_waits_for_the_return_is_delivered() {
    wait_for_return(Waiter::Right, false);
    wait_for_return(Waiter::Right, true);
}

#[test]
fn model_notices_a_waiter_that_leaves_no_word() {
    let wrong = catch_unwind(|| wait_for_return(Waiter::OnlyLooks, false));
    assert!(wrong.is_err(), "loom must find the event that waits for ever");
}

/// A request is refused while another thread waits for its return and completes it. Either it is
/// abandoned, and the waiting thread has to be woken, or it is completed; never both. Every
/// interleaving.
#[test]
fn model_r4_a_refused_request_is_abandoned_or_completed() {
    loom::model(|| {
        let gate = Arc::new(Gate::<Strict>::new());
        let generation = gate.open();
        let holder = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                let waits = gate.await_return(generation);
                (waits, gate.complete(generation, FAILED))
            })
        };
        let abandoned = gate.abandon(generation);
        let (waits, completed) = holder.join().unwrap();
        match abandoned {
            Some(released) => {
                assert_eq!(completed, Completed::Late);
                assert_eq!(
                    waits,
                    released == Released::Deliverable,
                    "the waiting thread is signalled"
                );
                assert_ne!(gate.open(), generation);
            }
            None => {
                assert_eq!(completed, Completed::Held);
                assert_eq!(gate.release(), Released::Deliverable);
                assert_eq!(gate.take(generation), Some(FAILED));
            }
        }
    });
}
