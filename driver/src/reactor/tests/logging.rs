//! Subscribers that panic, and subscribers that call the card that their line is about.

use std::sync::atomic::AtomicUsize;

use super::*;

/// A payload that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("the payload of a panic panics when it is dropped");
        }
    }
}

#[test]
fn c3_every_request_completes_although_the_log_panics_at_every_line() {
    in_every_mode(|mode| {
        let lines = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lines);
        let broken = log::subscriber(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            std::panic::panic_any(Bomb);
        });
        let (driver, heard, _guard) = log::start(mode, 8, &broken, |told| {
            if told == Heard::Event(0, 9) {
                std::panic::panic_any(Bomb);
            }
        });
        let handle = driver.handle();
        let submit = |ask| {
            let ticket = handle.submit(LineNumber(0), ask).unwrap();
            (ticket.id(), ticket.token())
        };
        let (id, _) = submit(Ask::Now(0));
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        // Its callback panics, which is logged.
        let (id, _) = submit(Ask::Tell(9, 0));
        assert_eq!(next(&heard), Heard::Event(0, 9));
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        // So is what is completed and then refused.
        assert_eq!(failure(&handle, Ask::CompleteAndRefuse(-9), &heard), 0);
        let (id, token) = submit(FOR_EVER);
        assert!(handle.cancel(token));
        assert_eq!(next(&heard), Heard::Completed(id, -2));
        let (id, _) = submit(Ask::Wait(Duration::from_millis(1)));
        assert_eq!(next(&heard), Heard::Completed(id, -1));
        let (id, _) = submit(Ask::Slow(Duration::from_millis(20)));
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        let (id, _) = submit(FOR_EVER);
        assert_eq!(handle.shutdown(), Settled::Delivered);
        assert_eq!(next(&heard), Heard::Completed(id, -3));
        assert!(lines.load(Ordering::SeqCst) > 10, "the messages were logged");
    });
}

#[test]
fn a_log_that_panics_does_not_keep_a_panicking_engine_from_its_end() {
    in_every_mode(|mode| {
        let broken = log::subscriber(|_, _| std::panic::panic_any(Bomb));
        let (driver, heard, _guard) = log::start(mode, 8, &broken, |_| ());
        let handle = driver.handle();
        let id = handle.submit(LineNumber(1), FOR_EVER).unwrap().id();
        let told = handle.submit(LineNumber(0), Ask::Panic).map(|ticket| ticket.id());
        let due: HashSet<_> = told.into_iter().chain([id]).collect();
        let ended: HashSet<_> = (0..due.len()).map(|_| next(&heard)).collect();
        assert_eq!(ended, due.into_iter().map(|id| Heard::Completed(id, -5)).collect());
        assert!(handle.wait_ended(DEADLINE));
    });
}

#[test]
fn a_log_that_calls_the_card_does_not_wait() {
    in_every_mode(|mode| {
        bounded(move || {
            let handle = Arc::new(std::sync::OnceLock::<Handle<Puppet>>::new());
            let calls = Arc::new(AtomicUsize::new(0));
            let (known, counted) = (Arc::clone(&handle), Arc::clone(&calls));
            let caller = log::subscriber(move |_, _| {
                let Some(handle) = known.get() else { return };
                assert_ne!(handle.with(|_, _| ()), Err(Refused::InEngine), "the card is free");
                // This may be refused because the table is full.
                drop(handle.submit(LineNumber(1), Ask::Now(0)));
                handle.settle(LineNumber(1));
                handle.cancel_id(RequestId::new(1).unwrap());
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let (driver, heard, _guard) = log::start(mode, 64, &caller, |_| ());
            assert!(handle.set(driver.handle()).is_ok());
            let handle = driver.handle();
            let mut due = HashSet::new();
            for _ in 0..20 {
                // The engine logs each of them, on this thread or on the reaper.
                due.insert(handle.submit(LineNumber(0), Ask::Now(0)).unwrap().id());
                due.insert(
                    handle.submit(LineNumber(0), Ask::Wait(Duration::from_millis(1))).unwrap().id(),
                );
                let ticket = handle.submit(LineNumber(0), FOR_EVER).unwrap();
                let (id, token) = (ticket.id(), ticket.token());
                due.insert(id);
                drop(ticket);
                assert!(handle.cancel(token));
                while !due.is_empty() {
                    if let Heard::Completed(id, _) = next(&heard) {
                        due.remove(&id);
                    }
                }
            }
            assert!(calls.load(Ordering::SeqCst) >= 60);
            assert_eq!(handle.shutdown(), Settled::Delivered);
        });
    });
}

#[test]
fn a_log_that_shuts_the_card_down_does_so() {
    in_every_mode(|mode| {
        bounded(move || {
            let handle = Arc::new(std::sync::OnceLock::<Handle<Puppet>>::new());
            let known = Arc::clone(&handle);
            let closer = log::subscriber(move |_, text| {
                // Other lines, which the reaper logs on a slow machine, are ignored.
                if text.contains("the last line") {
                    known.get().map(Handle::shutdown);
                }
            });
            let (driver, heard, _guard) = log::start(mode, 8, &closer, |_| ());
            let running = driver.handle().submit(LineNumber(1), FOR_EVER).unwrap().id();
            assert!(handle.set(driver.handle()).is_ok());
            // The line reaches the subscriber as soon as the card is free.
            driver.handle().with(|_, _| report!(INFO, "the last line")).unwrap();
            assert_eq!(next(&heard), Heard::Completed(running, -3));
            assert!(driver.handle().wait_ended(DEADLINE));
            assert_eq!(
                driver.handle().submit(LineNumber(0), Ask::Now(0)).unwrap_err(),
                Refused::Closed
            );
        });
    });
}
