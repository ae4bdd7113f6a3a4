//! What submitters do to each other and to the card: racing with its end, working for others, and
//! keeping it from others.

use crate::request::LineNumber;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use super::*;

#[test]
fn c3_d12_submits_that_race_with_a_shutdown_are_completed_or_refused() {
    in_every_mode(|mode| {
        for _ in 0..30 {
            let told = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&told);
            let (ear, _heard) = ear(move |_| {
                count.fetch_add(1, Ordering::SeqCst);
            });
            let driver = mode.run(Puppet::default(), None, ear, 16);
            let accepted = AtomicUsize::new(0);
            let handle = driver.handle();
            thread::scope(|scope| {
                for thread in 0..4 {
                    let (handle, accepted) = (handle.clone(), &accepted);
                    scope.spawn(move || {
                        for n in 0.. {
                            // Some requests are over at once, and others run until the card ends.
                            let ask = if n < 2 { FOR_EVER } else { Ask::Now(0) };
                            match handle.submit(LineNumber(thread % 2), ask) {
                                Ok(ticket) => {
                                    accepted.fetch_add(1, Ordering::SeqCst);
                                    drop(ticket);
                                }
                                Err(Refused::Full(_) | Refused::Crowded(_)) => thread::yield_now(),
                                Err(Refused::Closed) => break,
                                Err(other) => panic!("{other}"),
                            }
                        }
                    });
                }
                eventually("nothing is accepted", || accepted.load(Ordering::SeqCst) > 50);
                driver.shutdown();
            });
            assert!(handle.wait_ended(DEADLINE));
            assert_eq!(told.load(Ordering::SeqCst), accepted.into_inner(), "C3");
            for _ in 0..40 {
                assert_eq!(handle.submit(LineNumber(0), Ask::Now(0)).unwrap_err(), Refused::Closed);
            }
        }
    });
}

#[test]
fn c3_a_ticket_released_after_the_end_has_no_effect() {
    in_every_mode_at_once(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let held = handle.submit(LineNumber(0), FOR_EVER).unwrap();
        // Gives the ticket up after two seconds.
        driver.shutdown();
        assert!(handle.wait_ended(DEADLINE));
        drop(held);
        assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    });
}

/// Records which thread starts each command. The first command does not return before the test lets
/// it.
struct Notes {
    starts: Arc<Mutex<Vec<ThreadId>>>,
    first: Option<(Arc<Barrier>, Arc<Barrier>)>,
}

impl Engine for Notes {
    engine_without_hardware!();
    fn start(
        &mut self,
        request: Token,
        (): (),
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        self.starts.lock().unwrap().push(thread::current().id());
        if let Some((begun, go_on)) = self.first.take() {
            begun.wait();
            go_on.wait();
        }
        cx.complete(request, Ok(()));
        Ok(())
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {}
}

#[test]
fn a_submitter_works_for_itself_and_runs_a_few_commands_of_others() {
    in_every_mode(|mode| {
        let (begun, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let starts = Arc::new(Mutex::new(Vec::new()));
        let first = Some((Arc::clone(&begun), Arc::clone(&go_on)));
        let (ear, heard) = ear(|_| ());
        let driver = mode.run(Notes { starts: Arc::clone(&starts), first }, None, ear, 4 * HUNDRED);
        let handle = driver.handle();
        let holder = {
            let handle = driver.handle();
            thread::spawn(move || {
                handle.submit(LineNumber(0), ()).unwrap().release();
                thread::current().id()
            })
        };
        begun.wait();
        // The card is held by the other thread, or by the reaper, which does the rest.
        for _ in 0..HUNDRED {
            handle.submit(LineNumber(0), ()).unwrap().release();
        }
        go_on.wait();
        let holder = holder.join().unwrap();
        for _ in 0..=HUNDRED {
            next(&heard);
        }
        let starts = starts.lock().unwrap();
        assert_eq!(starts.len(), 1 + HUNDRED, "C3");
        let by_holder = starts.iter().filter(|&&thread| thread == holder).count();
        assert!(by_holder <= 1 + super::super::handover::FOREIGN, "{by_holder}");
        assert!(!starts.contains(&thread::current().id()), "it does not wait for the card");
    });
}

const HUNDRED: usize = 100;

/// Other threads queue all the while, so that there is always another command to work off.
#[test]
fn a_submitter_is_not_delayed_by_others_that_keep_queueing() {
    in_every_mode(|mode| {
        let starts = Arc::new(Mutex::new(Vec::new()));
        let (ear, _heard) = ear(|_| ());
        let engine = Notes { starts: Arc::clone(&starts), first: None };
        let driver = mode.run(engine, None, ear, 256);
        let over = AtomicBool::new(false);
        let most = thread::scope(|scope| {
            for _ in 0..3 {
                let (handle, over) = (driver.handle(), &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        drop(handle.submit(LineNumber(0), ()));
                    }
                });
            }
            let (handle, me) = (driver.handle(), thread::current().id());
            let mine = || starts.lock().unwrap().iter().filter(|&&thread| thread == me).count();
            let most = (0..200).map(|_| {
                starts.lock().unwrap().clear();
                drop(handle.submit(LineNumber(0), ()));
                mine()
            });
            let most = most.max();
            over.store(true, Ordering::Relaxed);
            most
        });
        assert!(most <= Some(1 + super::super::handover::FOREIGN), "{most:?}");
    });
}

#[test]
fn a_line_that_is_asked_without_end_leaves_places_to_the_others() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let (held, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let holder = {
            let (handle, held, go_on) = (driver.handle(), Arc::clone(&held), Arc::clone(&go_on));
            thread::spawn(move || {
                handle.with(move |_, _| {
                    held.wait();
                    go_on.wait();
                })
            })
        };
        held.wait();
        let mut due = HashSet::new();
        let refused = loop {
            match handle.submit(LineNumber(0), Ask::Now(0)) {
                Ok(ticket) => assert!(due.insert(ticket.id())),
                Err(refused) => break refused,
            }
        };
        assert_eq!(refused, Refused::Crowded(4));
        assert_eq!(due.len(), 4);
        for _ in 0..4 {
            assert!(due.insert(handle.submit(LineNumber(1), Ask::Now(0)).unwrap().id()));
        }
        assert!(matches!(handle.submit(LineNumber(1), Ask::Now(0)), Err(Refused::Full(_))));
        go_on.wait();
        holder.join().unwrap().unwrap();
        let told: HashSet<_> = (0..8).map(|_| next(&heard)).collect();
        assert_eq!(told, due.into_iter().map(|id| Heard::Completed(id, 0)).collect());
        drop(handle.submit(LineNumber(0), Ask::Now(0)).unwrap());
    });
}

#[test]
fn a_busy_submitter_leaves_the_card_to_waiting_threads() {
    in_every_mode(|mode| {
        let (driver, _heard) = mode.start(64);
        let over = Arc::new(AtomicBool::new(false));
        let hot: Vec<_> = (0..2)
            .map(|_| {
                let (handle, over) = (driver.handle(), Arc::clone(&over));
                thread::spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        drop(handle.submit(LineNumber(0), Ask::Now(0)));
                    }
                })
            })
            .collect();
        let handle = driver.handle();
        bounded(move || {
            for _ in 0..200 {
                handle.with(|_, _| ()).unwrap();
                assert_eq!(handle.settle(LineNumber(1)), Settled::Delivered);
                // The queue's places are shared among the lines, those of the table are not.
                eventually("the other line never has its turn", || {
                    match handle.submit(LineNumber(1), Ask::Now(0)) {
                        Ok(_) => true,
                        Err(Refused::Full(_)) => false,
                        Err(other) => panic!("{other}"),
                    }
                });
            }
        });
        over.store(true, Ordering::Relaxed);
        for hot in hot {
            hot.join().unwrap();
        }
    });
}
