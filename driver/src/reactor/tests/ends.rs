//! Ends of a card: settling, deadlines, shutting down, failures.

use super::*;
use crate::request::LineNumber;

#[test]
fn d1_settling_waits_for_what_can_be_delivered_and_not_for_held_tickets() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let running = handle.submit(LineNumber(0), FOR_EVER).unwrap();
        let token = running.token();
        drop(running);
        handle.cancel(token);
        assert_eq!(handle.settle(LineNumber(0)), Settled::Delivered);
        assert!(matches!(heard.try_recv(), Ok((Heard::Completed(_, -2), _))), "before it returned");
        let held = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
        assert_eq!(handle.settle(LineNumber(0)), Settled::Delivered);
        assert!(heard.try_recv().is_err(), "G1: its function has not returned");
        drop(held);
        assert!(matches!(next(&heard), Heard::Completed(_, 0)));
    });
}

#[test]
fn d2_events_of_a_closed_line_are_dropped_and_completions_are_not() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let held = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
        let id = held.id();
        for event in 10..20 {
            handle.with(move |_, cx| cx.event(LineNumber(0), event)).unwrap();
        }
        handle.with(|_, cx| cx.retain_events(LineNumber(0), |event| *event == 15)).unwrap();
        drop(held);
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        assert_eq!(next(&heard), Heard::Event(0, 15));
        nothing_on_line_0(&driver, &heard);
    });
}

#[test]
fn d12_shutting_down_settles_everything_and_nothing_comes_after() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(64);
        let handle = driver.handle();
        let ids: HashSet<_> =
            (0..64).map(|n| handle.submit(LineNumber(n % 2), FOR_EVER).unwrap().id()).collect();
        driver.shutdown();
        let ended: HashSet<_> = heard
            .try_iter()
            .map(|(told, _)| match told {
                Heard::Completed(id, -3) => id,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ended, ids, "all of them, before it returned");
        assert_eq!(handle.submit(LineNumber(0), Ask::Now(0)).unwrap_err(), Refused::Closed);
        assert!(matches!(handle.with(|_, _| ()), Err(Refused::Closed)));
        assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
    });
}

#[test]
fn after_the_end_nothing_is_waited_for() {
    let (driver, _heard) = Mode::Thread(Waiting::Sleep).start(8);
    let handle = driver.handle();
    let held = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
    drop(handle.submit(LineNumber(1), Ask::Now(0)).unwrap());
    // Gives the held ticket up after two seconds.
    driver.shutdown();
    assert_eq!(handle.settle(LineNumber(1)), Settled::Delivered);
    drop(held);
    let begin = std::time::Instant::now();
    assert_eq!(handle.settle(LineNumber(0)), Settled::TimedOut, "no reaper is left to deliver it");
    assert!(begin.elapsed() < SETTLE_LIMIT, "it does not wait");
}

#[test]
fn shutting_down_from_an_upcall_does_not_wait_for_itself() {
    in_every_mode(|mode| {
        let (driver_in, driver_out) = channel::<Running<Puppet>>();
        let (ear, heard) = ear(move |told| {
            if told == Heard::Event(0, 1) {
                driver_out.recv_timeout(DEADLINE).unwrap().shutdown();
            }
        });
        let driver = mode.run(Puppet::default(), None, ear, 8);
        let handle = driver.handle();
        let running = handle.submit(LineNumber(1), FOR_EVER).unwrap().id();
        driver_in.send(driver).unwrap();
        handle.with(|_, cx| cx.event(LineNumber(0), 1)).unwrap();
        assert_eq!(next(&heard), Heard::Event(0, 1));
        assert_eq!(next(&heard), Heard::Completed(running, -3));
    });
}

#[test]
fn an_interrupt_file_that_fails_ends_every_request_with_an_error() {
    in_every_mode(|mode| {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let interrupt = InterruptFd { fd: reader, size: InterruptSize::EventFd };
        let (ear, heard) = ear(|_| ());
        let driver = mode.run(Puppet::default(), Some(interrupt), ear, 8);
        let ids =
            [0, 1].map(|line| driver.handle().submit(LineNumber(line), FOR_EVER).unwrap().id());
        drop(writer);
        for _ in ids {
            assert!(matches!(next(&heard), Heard::Completed(id, -4) if ids.contains(&id)));
        }
    });
}

#[test]
fn an_engine_that_panics_fails_only_its_own_requests() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let running = handle.submit(LineNumber(1), FOR_EVER).unwrap().id();
        // The panicking command was started, and ended with the engine.
        let told = handle.submit(LineNumber(0), Ask::Panic).map(|ticket| ticket.id());
        let due: HashSet<_> = told.into_iter().chain([running]).collect();
        let ended: HashSet<_> = (0..due.len()).map(|_| next(&heard)).collect();
        assert_eq!(ended, due.into_iter().map(|id| Heard::Completed(id, -5)).collect());
        assert_eq!(failure(&handle, Ask::Now(0), &heard), -5);
        assert!(handle.wait_ended(DEADLINE), "no ticket has to be dropped for it");
    });
}
