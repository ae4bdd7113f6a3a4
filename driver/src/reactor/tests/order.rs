//! Rules of a running card: order, exclusion, refusal.

use super::*;
use crate::request::LineNumber;

#[test]
fn g1_o1_a_held_ticket_holds_the_line_and_only_it() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let ticket = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
        let id = ticket.id();
        for event in 1..=3 {
            handle.with(move |_, cx| cx.event(LineNumber(0), event)).unwrap();
        }
        let second = handle.submit(LineNumber(0), Ask::Now(-9)).unwrap().id();
        nothing_on_line_0(&driver, &heard);
        assert_eq!(heard.try_recv().ok(), None, "neither the completion nor what is behind it");
        ticket.release();
        let mut threads = HashSet::new();
        for expected in [
            Heard::Completed(id, 0),
            Heard::Event(0, 1),
            Heard::Event(0, 2),
            Heard::Event(0, 3),
            Heard::Completed(second, -9),
        ] {
            let (told, thread) = heard.recv_timeout(DEADLINE).unwrap();
            assert_eq!(told, expected);
            threads.insert(thread);
        }
        assert_eq!(threads.len(), 1, "one reaper");
        assert!(!threads.contains(&thread::current().id()), "never on the submitter's stack");
    });
}

#[test]
fn c5_g1_what_happens_inside_the_call_is_delivered_after_it() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let ticket = driver.handle().submit(LineNumber(0), Ask::Tell(5, -7)).unwrap();
        let id = ticket.id();
        nothing_on_line_0(&driver, &heard);
        assert_eq!(heard.try_recv().ok(), None, "its event is held as its completion is");
        drop(ticket);
        assert_eq!(next(&heard), Heard::Event(0, 5));
        assert_eq!(next(&heard), Heard::Completed(id, -7));
        // The event of a running request is delivered as soon as its function has returned.
        let ticket = driver.handle().submit(LineNumber(0), Ask::TellAndWait(6)).unwrap();
        nothing_on_line_0(&driver, &heard);
        assert_eq!(heard.try_recv().ok(), None);
        ticket.release();
        assert_eq!(next(&heard), Heard::Event(0, 6));
    });
}

#[test]
fn r4_a_refused_request_has_no_completion() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(1);
        assert_eq!(failure(&driver.handle(), Ask::Refuse(-42), &heard), -42);
        assert_eq!(
            driver.handle().submit(LineNumber(2), Ask::Now(0)).unwrap_err(),
            Refused::NoSuchLine(LineNumber(2))
        );
        // The only slot is free again.
        nothing_on_line_0(&driver, &heard);
        driver.shutdown();
        assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn full_is_refused_and_room_comes_with_delivery() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(1);
        let running = driver.handle().submit(LineNumber(0), FOR_EVER).unwrap();
        let refused = driver.handle().submit(LineNumber(0), FOR_EVER).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "1 requests are outstanding, which is the capacity of this card; wait for completions"
        );
        let (id, token) = (running.id(), running.token());
        drop(running);
        assert!(driver.handle().cancel(token));
        assert!(!driver.handle().cancel(token), "C3: it is over");
        assert_eq!(next(&heard), Heard::Completed(id, -2));
        drop(driver.handle().submit(LineNumber(0), FOR_EVER).unwrap());
    });
}

#[test]
fn every_running_request_ends_at_its_deadline_once() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(64);
        let handle = driver.handle();
        // Limits that are shorter and longer than the reaper's look interval.
        let limits = [1, 20, 400];
        let ids: HashSet<_> = limits
            .map(|ms| {
                handle.submit(LineNumber(0), Ask::Wait(Duration::from_millis(ms))).unwrap().id()
            })
            .into();
        let mut ended = HashSet::new();
        for _ in 0..3 {
            let Heard::Completed(id, result) = next(&heard) else {
                panic!("no event was delivered")
            };
            assert_eq!(result, -1);
            assert!(ended.insert(id), "C3");
        }
        assert_eq!(ended, ids);
        let causes = handle.with(|puppet, _| puppet.ended.len()).unwrap();
        assert_eq!(causes, 3, "each end reached the engine");
    });
}

#[test]
fn callbacks_may_panic_resubmit_cancel_and_settle() {
    in_every_mode(|mode| {
        let (handle_in, handle_out) = channel::<Handle<Puppet>>();
        let (found, findings) = channel();
        let mut handle = None;
        let mut victim = None;
        let (ear, heard) = ear(move |told| {
            let handle = handle.get_or_insert_with(|| handle_out.recv_timeout(DEADLINE).unwrap());
            match told {
                Heard::Event(_, 1) => panic!("a careless application"),
                Heard::Event(_, 2) => {
                    let ticket = handle.submit(LineNumber(0), FOR_EVER).unwrap();
                    victim = Some(ticket.token());
                }
                Heard::Event(_, 3) => {
                    let ticket = handle.submit(LineNumber(0), Ask::Now(-30)).unwrap();
                    drop(ticket);
                    let cancelled = handle.cancel(victim.take().unwrap());
                    found.send((cancelled, handle.settle(LineNumber(0)))).unwrap();
                }
                _ => {}
            }
        });
        let driver = mode.run(Puppet::default(), None, ear, 8);
        handle_in.send(driver.handle()).unwrap();
        for event in 1..=3 {
            driver.handle().with(move |_, cx| cx.event(LineNumber(0), event)).unwrap();
            assert_eq!(next(&heard), Heard::Event(0, event));
        }
        let found = findings.recv_timeout(DEADLINE).unwrap();
        assert_eq!(found, (true, Settled::AfterThisUpcall), "C6: nothing nests");
        let results = [next(&heard), next(&heard)].map(|told| match told {
            Heard::Completed(_, result) => result,
            event => panic!("{event:?}"),
        });
        assert_eq!(results, [-30, -2], "in the order in which they ended");
        nothing_on_line_0(&driver, &heard);
    });
}

#[test]
fn c6_upcalls_never_overlap() {
    in_every_mode(|mode| {
        let busy = AtomicBool::new(false);
        let overlapped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&overlapped);
        let (ear, heard) = ear(move |_| {
            // An assertion in a callback would be contained like any other panic.
            seen.fetch_or(busy.swap(true, Ordering::SeqCst), Ordering::SeqCst);
            thread::yield_now();
            busy.store(false, Ordering::SeqCst);
        });
        let driver = mode.run(Puppet::default(), None, ear, 256);
        thread::scope(|scope| {
            for line in [0, 1, 0, 1] {
                let handle = driver.handle();
                scope.spawn(move || {
                    for _ in 0..500 {
                        while handle.submit(LineNumber(line), Ask::Now(0)).is_err() {
                            thread::yield_now();
                        }
                    }
                });
            }
        });
        let mut reaper = HashSet::new();
        for _ in 0..2000 {
            reaper.insert(heard.recv_timeout(DEADLINE).unwrap().1);
        }
        assert_eq!(reaper.len(), 1);
        assert!(!overlapped.load(Ordering::SeqCst), "two upcalls at once");
    });
}

#[test]
fn r6_a_command_for_a_busy_card_is_started_by_its_holder() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let (handle, other) = (driver.handle(), driver.handle());
        let (held, queued) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let holder = {
            let (held, queued) = (Arc::clone(&held), Arc::clone(&queued));
            thread::spawn(move || {
                other.with(move |_, _| {
                    held.wait();
                    queued.wait();
                })
            })
        };
        held.wait();
        // The card is busy, and submitting returns all the same.
        let fine = handle.submit(LineNumber(0), Ask::Now(0)).unwrap().id();
        let refused = handle.submit(LineNumber(1), Ask::Refuse(-8)).unwrap().id();
        queued.wait();
        holder.join().unwrap().unwrap();
        let told = HashSet::from([next(&heard), next(&heard)].map(|told| format!("{told:?}")));
        let expected = [Heard::Completed(fine, 0), Heard::Completed(refused, -8)];
        assert_eq!(told, HashSet::from(expected.map(|told| format!("{told:?}"))));
    });
}

#[test]
fn t3_the_callers_own_id_is_used() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        for number in [1, RequestId::MAX] {
            let id = RequestId::new(number);
            assert_eq!(
                driver.handle().submit_as(id, LineNumber(0), Ask::Now(0)).unwrap().id().get(),
                number
            );
            assert_eq!(next(&heard), Heard::Completed(id.unwrap(), 0));
        }
    });
}
