//! Mistakes of an engine's author end in an error that names the cause, or in a log line with
//! request and line.

use crate::request::LineNumber;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tracing::Level;

use super::*;

#[test]
fn a_token_of_another_card_ends_nothing() {
    in_every_mode(|mode| {
        let ((a, _heard_a), (b, heard_b)) = (mode.start(8), mode.start(8));
        let of_a = a.handle().submit(LineNumber(0), FOR_EVER).unwrap();
        let of_b = b.handle().submit(LineNumber(0), FOR_EVER).unwrap();
        let id = of_b.id();
        assert!(!b.handle().cancel(of_a.token()));
        let alike = of_a.token();
        let running =
            b.handle().with(move |_, cx| (cx.is_running(alike), cx.complete(alike, Ok(()))));
        assert_eq!(running, Ok((false, false)));
        let token = of_b.token();
        drop(of_b);
        assert!(b.handle().cancel(token));
        assert_eq!(next(&heard_b), Heard::Completed(id, -2));
    });
}

#[test]
fn a_slow_callback_is_named_and_it_is_the_slow_one() {
    in_every_mode(|mode| {
        let log = log::Log::default();
        let slow = Arc::new(Mutex::new(None));
        let wanted = Arc::clone(&slow);
        let (driver, heard, _guard) = log::start(mode, 128, &log.subscriber(), move |told| {
            if let Heard::Completed(id, _) = told
                && *wanted.lock().unwrap() == Some(id)
            {
                thread::sleep(Duration::from_millis(50));
            }
        });
        // Callbacks are slow one at a time, as the first and the last of several, and among so many
        // that not each is timed.
        for (count, place) in [(1, 0), (8, 0), (8, 5), (8, 7), (40, 20)] {
            let handle = driver.handle();
            // They are delivered together once the ticket of the first is released.
            let first = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
            let others: Vec<_> =
                (1..count).map(|_| handle.submit(LineNumber(0), Ask::Now(0)).unwrap()).collect();
            let ids: Vec<_> = [&first].into_iter().chain(&others).map(Ticket::id).collect();
            let id = ids[place];
            *slow.lock().unwrap() = Some(id);
            drop(others);
            drop(first);
            for id in &ids {
                assert_eq!(next(&heard), Heard::Completed(*id, 0));
            }
            let is_named = || {
                let alone = format!("the callback of request {id} of line 0 took ");
                let range = log.with(Level::WARN, "the callbacks of request ");
                let among = range.iter().any(|line| {
                    let named = |id: &RequestId| line.contains(&format!("request {id} of line 0"));
                    let ends: Vec<_> = (0..ids.len()).filter(|&n| named(&ids[n])).collect();
                    let (first, last) = (ends.first(), ends.last());
                    first.is_some_and(|&n| n <= place) && last.is_some_and(|&n| n >= place)
                });
                among || !log.with(Level::WARN, &alone).is_empty()
            };
            eventually(&format!("{place} of {count} is not named"), is_named);
        }
    });
}

#[test]
fn a_callback_is_not_blamed_for_what_the_application_does_then() {
    let log = log::Log::default();
    let _guard = tracing::dispatcher::set_default(&log.subscriber());
    let (ear, _heard) = ear(|_| ());
    // A polling reaper delivers at once, as the last thing before the thread goes on.
    let options = Options { capacity: 8, waiting: Waiting::Poll, ..Options::default() };
    let mut local = Local::new(Puppet::default(), None, ear, &options).unwrap();
    for _ in 0..10 {
        drop(local.handle().submit(LineNumber(0), Ask::Polled).unwrap());
        while local.run_once(Time::NEVER) == 0 {}
        thread::sleep(Duration::from_millis(20));
    }
    // A callback that was kept from its CPU may rightly be logged.
    let named = log.with(Level::WARN, "the callback of").len();
    assert!(named < 9, "{named} of 10 are blamed");
}

#[test]
fn a_command_that_is_slow_to_start_is_named() {
    in_every_mode(|mode| {
        let log = log::Log::default();
        let (driver, heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        let id = {
            let ticket = driver
                .handle()
                .submit(LineNumber(1), Ask::Slow(Duration::from_millis(20)))
                .unwrap();
            ticket.id()
        };
        assert_eq!(next(&heard), Heard::Completed(id, 0));
        log.wait(Level::WARN, &format!("to start request {id} of line 1"));
    });
}

#[test]
fn the_reaper_names_what_it_had_to_wait_for() {
    let log = log::Log::default();
    let mode = Mode::Thread(Waiting::Sleep);
    let (driver, heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
    // Usually the first attempt succeeds, unless the reaper holds the card and so starts the
    // command.
    let is_named = (0..10).any(|_| {
        let slow = {
            let handle = driver.handle();
            thread::spawn(move || {
                let ticket =
                    handle.submit(LineNumber(1), Ask::Slow(Duration::from_millis(400))).unwrap();
                ticket.id()
            })
        };
        // Others are queued in the meantime, which the reaper starts as soon as it holds the card.
        thread::sleep(Duration::from_millis(100));
        for _ in 0..2 {
            driver.handle().submit(LineNumber(0), Ask::Now(0)).unwrap().release();
        }
        let slow = slow.join().unwrap();
        for _ in 0..3 {
            next(&heard);
        }
        let text = format!("the request that was started last is {slow} of line 1");
        !log.with(Level::WARN, &text).is_empty()
    });
    assert!(is_named, "the slow one is not named");
}

#[test]
fn a_wrong_interrupt_file_is_refused_with_its_cause_and_the_engine_is_stopped() {
    let regular = tempfile::tempfile().unwrap();
    let open = |path: &str| OwnedFd::from(File::open(path).unwrap());
    // The other end of the pipe stays open, so that there is no hang-up.
    let (_read, write) = nix::unistd::pipe().unwrap();
    let files: [(OwnedFd, &str); 5] = [
        (regular.into(), "the interrupt file is a regular file, which is always ready"),
        (open("/dev/null"), "the interrupt file is a memory device, which is always ready"),
        (open("/dev/zero"), "the interrupt file is a memory device, which is always ready"),
        (open("/"), "the interrupt file is a directory, which is always ready"),
        (write, "the interrupt file is open for writing only"),
    ];
    for (fd, cause) in files {
        for local in [false, true] {
            let fd = fd.try_clone().unwrap();
            let interrupt = Some(InterruptFd { fd, size: InterruptSize::EventFd });
            let log = Arc::new(Mutex::new(Vec::new()));
            let engine = Ended(Arc::clone(&log));
            let (ear, heard) = ear(|_| ());
            let options = Options { capacity: 8, ..Options::default() };
            let refused = if local {
                Local::new(engine, interrupt, ear, &options).map(drop).unwrap_err()
            } else {
                Driver::start_with(engine, interrupt, ear, &options).map(drop).unwrap_err()
            };
            assert!(matches!(refused, StartError::InterruptFile(_)), "{refused:?}");
            assert!(refused.to_string().starts_with(cause), "{refused}");
            assert_eq!(*log.lock().unwrap(), ["stopped", "dropped"]);
            assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
        }
    }
}

/// Records that it was stopped and dropped.
struct Ended(Arc<Mutex<Vec<&'static str>>>);

impl Engine for Ended {
    engine_without_hardware!();
    fn start(&mut self, _: Token, (): (), _: &mut Context<'_, u32>) -> Result<(), ErrorCode> {
        Ok(())
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.0.lock().unwrap().push("stopped");
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("dropped");
    }
}

/// Its timer is always due after the first command.
struct Restless {
    calls: Arc<AtomicUsize>,
    due: bool,
}

impl Engine for Restless {
    engine_without_hardware!();
    fn start(
        &mut self,
        request: Token,
        (): (),
        cx: &mut Context<'_, u32>,
    ) -> Result<(), ErrorCode> {
        cx.complete(request, Ok(()));
        Ok(())
    }
    fn next_timer(&self) -> Time {
        if self.due { Time::ZERO } else { Time::NEVER }
    }
    fn timer(&mut self, _: &mut Context<'_, u32>) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {}
}

#[test]
fn a_timer_that_is_always_due_is_called_now_and_then_and_named_once() {
    in_every_mode_at_once(|mode| {
        let log = log::Log::default();
        let (subscriber, calls) = (log.subscriber(), Arc::new(AtomicUsize::new(0)));
        let mut once = Some(subscriber.clone());
        let (ear, heard) = ear(move |_| {
            if let Some(subscriber) = once.take() {
                std::mem::forget(tracing::dispatcher::set_default(&subscriber));
            }
        });
        let engine = Restless { calls: Arc::clone(&calls), due: false };
        let driver = mode.run(engine, None, ear, 8);
        let handle = driver.handle();
        handle.submit(LineNumber(0), ()).unwrap().release();
        next(&heard);
        let before = handle.now();
        handle.with(|engine, _| engine.due = true).unwrap();
        log.wait(Level::ERROR, "the engine's timer was due again");
        let called = calls.load(Ordering::SeqCst);
        let most = (handle.now() - before).as_millis() as usize + 2;
        assert!(called <= most, "{called} calls in {most} ms");
        for _ in 0..20 {
            handle.submit(LineNumber(0), ()).unwrap().release();
            next(&heard);
        }
        assert_eq!(log.with(Level::ERROR, "the engine's timer").len(), 1);
    });
}

/// The engine calls the card from within itself, in the way that the command says.
#[test]
fn an_engine_that_asks_its_own_card_is_refused_and_not_kept_waiting() {
    in_every_mode(|mode| {
        bounded(move || {
            let (driver, heard) = mode.start(8);
            let handle = driver.handle();
            let inner = driver.handle();
            let held = handle.submit(LineNumber(1), FOR_EVER).unwrap();
            let token = held.token();
            let asked = handle.with(move |_, _| {
                let asked = inner.with(|_, _| ());
                let waited = (inner.settle(LineNumber(0)), inner.wait_ended(10 * DEADLINE));
                (asked, waited, inner.cancel(token))
            });
            let (asked, waited, cancelled) = asked.unwrap();
            assert_eq!(asked, Err(Refused::InEngine));
            assert_eq!(waited, (Settled::AfterThisUpcall, false));
            assert!(!cancelled);
            // What the engine submits is queued.
            let inner = driver.handle();
            let nested =
                handle.with(move |_, _| inner.submit(LineNumber(0), Ask::Now(-7)).unwrap().id());
            assert_eq!(next(&heard), Heard::Completed(nested.unwrap(), -7));
            // Shutting down is carried out as soon as the engine has returned.
            let inner = driver.handle();
            let id = held.id();
            drop(held);
            assert_eq!(handle.with(move |_, _| inner.shutdown()), Ok(Settled::AfterThisUpcall));
            assert_eq!(next(&heard), Heard::Completed(id, -3));
            assert!(handle.wait_ended(DEADLINE));
        });
    });
}

#[test]
fn a_request_that_is_completed_and_then_refused_is_named() {
    let log = log::Log::default();
    let _guard = tracing::dispatcher::set_default(&log.subscriber());
    let (ear, heard) = ear(|_| ());
    let mut stepper = Stepper::new(Puppet::default(), ear, 8).unwrap();
    let id = RequestId::new(0x78);
    stepper.handle().submit_as(id, LineNumber(1), Ask::CompleteAndRefuse(-9)).unwrap().release();
    stepper.deliver();
    assert_eq!(next(&heard), Heard::Completed(id.unwrap(), 0));
    let line = "completed request 0x00000078 of line 1 and then refused it with -9";
    assert_eq!(log.with(Level::WARN, line).len(), 1);
}

#[test]
fn g1_an_event_of_a_request_waits_for_its_ticket() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let handle = driver.handle();
        let held = handle.submit(LineNumber(0), FOR_EVER).unwrap();
        let (id, token) = (held.id(), held.token());
        handle.with(move |_, cx| cx.event_of(token, LineNumber(0), 4)).unwrap();
        nothing_on_line_0(&driver, &heard);
        assert_eq!(heard.try_recv().ok(), None);
        drop(held);
        assert_eq!(next(&heard), Heard::Event(0, 4));
        // After the function has returned such events are delivered like all others.
        handle.with(move |_, cx| cx.event_of(token, LineNumber(0), 5)).unwrap();
        assert_eq!(next(&heard), Heard::Event(0, 5));
        assert!(handle.cancel(token));
        assert_eq!(next(&heard), Heard::Completed(id, -2));
        // An event of a request that does not run holds nothing up.
        handle.with(move |_, cx| cx.event_of(token, LineNumber(0), 6)).unwrap();
        assert_eq!(next(&heard), Heard::Event(0, 6));
    });
}

#[test]
fn g1_events_of_a_command_wait_for_its_ticket_on_every_line() {
    let (ear, heard) = ear(|_| ());
    let mut stepper = Stepper::new(Puppet::default(), ear, 8).unwrap();
    let held = stepper.handle().submit(LineNumber(0), Ask::TellOnBoth(4)).unwrap();
    stepper.deliver();
    assert!(heard.try_recv().is_err());
    held.release();
    stepper.deliver();
    let mut told: Vec<_> =
        std::iter::from_fn(|| heard.try_recv().ok()).map(|(told, _)| told).collect();
    let on_1 = told.extract_if(.., |told| matches!(told, Heard::Event(1, _))).collect::<Vec<_>>();
    assert_eq!(on_1, [Heard::Event(1, 4), Heard::Event(1, 6)], "O1");
    assert_eq!(told, [Heard::Event(0, 5)]);
}

#[test]
fn r4_reasons_of_refusals_are_distinguished() {
    in_every_mode(|mode| {
        let (driver, heard) = mode.start(8);
        let rejected = failure(&driver.handle(), Ask::Refuse(-108), &heard);
        let handle = driver.handle();
        drop(driver);
        let closed = handle.submit(LineNumber(0), Ask::Now(0)).unwrap_err();
        assert_eq!((rejected, closed), (-108, Refused::Closed));
        assert_eq!(handle.with(|_, _| ()).unwrap_err(), Refused::Closed);
        let (driver, _heard) = mode.start(8);
        let handle = driver.handle();
        drop(handle.submit(LineNumber(0), Ask::Panic));
        assert!(handle.wait_ended(DEADLINE));
        let failed = handle.submit(LineNumber(0), Ask::Now(0)).unwrap_err();
        assert_eq!(failed, Refused::Failed(Failure::Internal));
        assert_eq!(handle.with(|_, _| ()).unwrap_err(), failed);
        let texts =
            [Refused::Rejected(error(-108)), closed, failed].map(|refused| refused.to_string());
        assert_eq!(
            texts,
            [
                "the engine refused the request with result -108",
                "the card is shut down and accepts no more requests",
                "the card is stopped: its engine panicked or its ring failed",
            ]
        );
    });
}

#[test]
fn a_forgotten_ticket_is_named_after_a_while_and_at_the_end() {
    in_every_mode_at_once(|mode| {
        let log = log::Log::default();
        let (driver, heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        let handle = driver.handle();
        // One of them is complete, and the other has only emitted an event.
        let forgotten = handle.submit(LineNumber(0), Ask::Now(0)).unwrap();
        let with_event = handle.submit(LineNumber(1), Ask::TellAndWait(3)).unwrap();
        let [complete, event] = [&forgotten, &with_event].map(Ticket::id);
        std::mem::forget((forgotten, with_event));
        log.wait(Level::WARN, &format!("request {complete} of line 0 is complete, but its ticket"));
        // The event is on line 0, although its request is on line 1.
        let text = format!("request {event} of line 1 has an event to tell");
        // The event is behind the other entry, which is the first of its line.
        assert_eq!(log.with(Level::WARN, &text).len(), 0);
        assert_eq!(handle.settle(LineNumber(0)), Settled::Delivered, "it is not waited for");
        assert!(heard.try_recv().is_err());
        driver.shutdown();
        assert!(handle.wait_ended(DEADLINE));
        for (id, line) in [(complete, 0), (event, 1)] {
            let text =
                format!("request {id} of line {line} is never reported: its ticket was held");
            assert_eq!(log.with(Level::ERROR, &text).len(), 1);
        }
        let text = format!("request {complete} of line 0 is complete, but its ticket");
        assert_eq!(log.with(Level::WARN, &text).len(), 1, "once");
    });
}

#[test]
fn a_forgotten_ticket_that_holds_back_an_event_is_named() {
    in_every_mode_at_once(|mode| {
        let log = log::Log::default();
        let (driver, _heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        let handle = driver.handle();
        let forgotten = handle.submit(LineNumber(0), Ask::Tell(3, 0)).unwrap();
        let text = format!("request {} of line 0 has an event to tell", forgotten.id());
        std::mem::forget(forgotten);
        log.wait(Level::WARN, &text);
    });
}

#[test]
fn a_deadline_that_passes_is_named() {
    in_every_mode(|mode| {
        let log = log::Log::default();
        let (driver, heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        let ticket =
            driver.handle().submit(LineNumber(1), Ask::Wait(Duration::from_millis(1))).unwrap();
        let id = ticket.id();
        drop(ticket);
        assert_eq!(next(&heard), Heard::Completed(id, -1));
        log.wait(Level::WARN, &format!("request {id} of line 1 is ended: its time limit"));
    });
}

#[test]
fn an_event_on_a_line_that_is_not_there_is_named() {
    in_every_mode(|mode| {
        let log = log::Log::default();
        let (driver, _heard, _guard) = log::start(mode, 8, &log.subscriber(), |_| ());
        driver.handle().with(|_, cx| cx.event(LineNumber(2), 1)).unwrap();
        log.wait(Level::ERROR, "an engine emitted an event on line 2");
    });
}
