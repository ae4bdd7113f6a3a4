//! The reactor against the real ring, with an engine that does just what a test tells it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::*;
use crate::Time;
use crate::card::mailbox::{Complement, Mailbox, SoftMailbox};
use crate::device::soft::{SoftDevice, SoftInterrupt};
use crate::device::{Device, InterruptFd, InterruptSize};
use crate::engine::{Context, Engine, Failure};
use crate::request::{RequestId, Token};

/// Long enough for any machine; nothing waits this long unless it is broken.
const DEADLINE: Duration = Duration::from_secs(20);

enum Ask {
    /// Completes at once.
    Now(i32),
    /// Tells this event, then completes at once.
    Tell(u32, i32),
    /// Runs until someone ends it.
    Wait(Duration),
    /// Is refused.
    Refuse(i32),
    /// Panics in the engine.
    Panic,
}

#[derive(Default)]
struct Puppet {
    ended: Vec<(Token, Failure)>,
    stopped: bool,
}

impl Engine for Puppet {
    type Command = Ask;
    type Event = u32;
    fn lines(&self) -> usize {
        2
    }
    fn time_limit(ask: &Ask) -> Duration {
        if let Ask::Wait(limit) = ask { *limit } else { Duration::from_secs(60) }
    }
    fn failure(cause: Failure) -> i32 {
        match cause {
            Failure::Deadline => -1,
            Failure::Cancelled => -2,
            Failure::Closed => -3,
            Failure::Gone => -4,
            Failure::Internal => -5,
        }
    }
    fn start(&mut self, request: Token, ask: Ask, cx: &mut Context<'_, u32>) -> Result<(), i32> {
        match ask {
            Ask::Now(result) => assert!(cx.complete(request, result)),
            Ask::Tell(event, result) => {
                cx.event(0, event);
                cx.complete(request, result);
            }
            Ask::Wait(_) => {}
            Ask::Refuse(result) => return Err(result),
            Ask::Panic => panic!("the puppet was told to"),
        }
        Ok(())
    }
    fn interrupt(&mut self, count: u64, cx: &mut Context<'_, u32>) {
        cx.event(1, count as u32);
    }
    fn ended(&mut self, request: Token, cause: Failure, _: &mut Context<'_, u32>) {
        self.ended.push((request, cause));
    }
    fn stop(&mut self, _: &mut Context<'_, u32>) {
        self.stopped = true;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Completed(RequestId, i32),
    Event(usize, u32),
}

type Act = Box<dyn FnMut(Heard) + Send>;

/// Sends what it hears, with the thread that told it, and then does what the test wants.
struct Ear {
    heard: Sender<(Heard, ThreadId)>,
    act: Act,
}

impl Upcalls<u32> for Ear {
    fn completed(&mut self, completion: Completion) {
        self.hear(Heard::Completed(completion.id, completion.result));
    }
    fn event(&mut self, line: usize, event: u32) {
        self.hear(Heard::Event(line, event));
    }
}

impl Ear {
    fn hear(&mut self, heard: Heard) {
        self.heard.send((heard, thread::current().id())).ok();
        (self.act)(heard);
    }
}

fn ear(act: impl FnMut(Heard) + Send + 'static) -> (Ear, Receiver<(Heard, ThreadId)>) {
    let (heard, ears) = channel();
    (Ear { heard, act: Box::new(act) }, ears)
}

fn start(capacity: usize) -> (Driver<Puppet>, Receiver<(Heard, ThreadId)>) {
    let (ear, heard) = ear(|_| ());
    (Driver::start(Puppet::default(), None, ear, capacity).unwrap(), heard)
}

fn next(heard: &Receiver<(Heard, ThreadId)>) -> Heard {
    heard.recv_timeout(DEADLINE).expect("an upcall").0
}

/// Proves that nothing comes: something submitted later on the other line came first.
fn nothing_on_line_0(driver: &Driver<Puppet>, heard: &Receiver<(Heard, ThreadId)>) {
    let id = {
        let ticket = driver.handle().submit(1, Ask::Now(0)).unwrap();
        ticket.id()
    };
    assert_eq!(next(heard), Heard::Completed(id, 0));
}

const FOR_EVER: Ask = Ask::Wait(Duration::from_secs(3600));

#[test]
fn g1_o1_a_held_ticket_holds_the_line_and_only_it() {
    let (driver, heard) = start(8);
    let handle = driver.handle();
    let ticket = handle.submit(0, Ask::Now(0)).unwrap();
    let id = ticket.id();
    for event in 1..=3 {
        handle.with(|_, cx| cx.event(0, event)).unwrap();
    }
    let second = handle.submit(0, Ask::Now(-9)).unwrap().id();
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
}

#[test]
fn c5_completed_inside_the_call_is_still_reported_after_it() {
    let (driver, heard) = start(8);
    let ticket = driver.handle().submit(0, Ask::Tell(5, -7)).unwrap();
    let id = ticket.id();
    assert_eq!(next(&heard), Heard::Event(0, 5), "an event before the completion is not held");
    drop(ticket);
    assert_eq!(next(&heard), Heard::Completed(id, -7));
}

#[test]
fn r4_a_refused_request_has_no_completion() {
    let (driver, heard) = start(1);
    let refused = driver.handle().submit(0, Ask::Refuse(-42)).unwrap_err();
    assert_eq!(refused, Refused::Rejected(-42));
    assert_eq!(driver.handle().submit(2, Ask::Now(0)).unwrap_err(), Refused::NoSuchLine(2));
    // The only slot is free again.
    nothing_on_line_0(&driver, &heard);
    driver.shutdown();
    assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn full_is_refused_and_room_comes_with_delivery() {
    let (driver, heard) = start(1);
    let running = driver.handle().submit(0, FOR_EVER).unwrap();
    let refused = driver.handle().submit(0, FOR_EVER).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "1 requests are outstanding, which is the capacity of this card; wait for completions"
    );
    let (id, token) = (running.id(), running.token());
    drop(running);
    assert!(driver.handle().cancel(token));
    assert!(!driver.handle().cancel(token), "C3: it is over");
    assert_eq!(next(&heard), Heard::Completed(id, -2));
    drop(driver.handle().submit(0, FOR_EVER).unwrap());
}

#[test]
fn every_running_request_ends_at_its_deadline_once() {
    let (driver, heard) = start(64);
    let handle = driver.handle();
    // Shorter and longer than the reaper's look interval.
    let limits = [1, 20, 400];
    let ids: HashSet<_> = limits
        .map(|ms| handle.submit(0, Ask::Wait(Duration::from_millis(ms))).unwrap().id())
        .into();
    let mut ended = HashSet::new();
    for _ in 0..3 {
        let Heard::Completed(id, result) = next(&heard) else { panic!("no event was told") };
        assert_eq!(result, -1);
        assert!(ended.insert(id), "C3");
    }
    assert_eq!(ended, ids);
    let causes = handle.with(|puppet, _| puppet.ended.len()).unwrap();
    assert_eq!(causes, 3, "the engine was told of each");
}

#[test]
fn callbacks_may_panic_resubmit_cancel_and_settle() {
    let (handle_in, handle_out) = channel::<Handle<Puppet>>();
    let (found, findings) = channel();
    let mut handle = None;
    let mut victim = None;
    let (ear, heard) = ear(move |told| {
        let handle = handle.get_or_insert_with(|| handle_out.recv_timeout(DEADLINE).unwrap());
        match told {
            Heard::Event(_, 1) => panic!("a careless application"),
            Heard::Event(_, 2) => {
                let ticket = handle.submit(0, FOR_EVER).unwrap();
                victim = Some(ticket.token());
            }
            Heard::Event(_, 3) => {
                let ticket = handle.submit(0, Ask::Now(-30)).unwrap();
                drop(ticket);
                let cancelled = handle.cancel(victim.take().unwrap());
                found.send((cancelled, handle.settle(0))).unwrap();
            }
            _ => {}
        }
    });
    let driver = Driver::start(Puppet::default(), None, ear, 8).unwrap();
    handle_in.send(driver.handle()).unwrap();
    for event in 1..=3 {
        driver.handle().with(|_, cx| cx.event(0, event)).unwrap();
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
}

#[test]
fn c6_upcalls_never_overlap() {
    let busy = AtomicBool::new(false);
    let overlapped = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&overlapped);
    let (ear, heard) = ear(move |_| {
        // An assertion here would be caught with any other panic of a callback.
        seen.fetch_or(busy.swap(true, Ordering::SeqCst), Ordering::SeqCst);
        thread::yield_now();
        busy.store(false, Ordering::SeqCst);
    });
    let driver = Driver::start(Puppet::default(), None, ear, 256).unwrap();
    thread::scope(|scope| {
        for line in [0, 1, 0, 1] {
            let handle = driver.handle();
            scope.spawn(move || {
                for _ in 0..500 {
                    while handle.submit(line, Ask::Now(0)).is_err() {
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
}

#[test]
fn d1_settling_waits_for_what_can_be_delivered_and_not_for_held_tickets() {
    let (driver, heard) = start(8);
    let handle = driver.handle();
    let running = handle.submit(0, FOR_EVER).unwrap();
    let token = running.token();
    drop(running);
    handle.cancel(token);
    assert_eq!(handle.settle(0), Settled::Delivered);
    assert!(matches!(heard.try_recv(), Ok((Heard::Completed(_, -2), _))), "before it returned");
    let held = handle.submit(0, Ask::Now(0)).unwrap();
    assert_eq!(handle.settle(0), Settled::Delivered);
    assert!(heard.try_recv().is_err(), "G1: its function has not returned");
    drop(held);
    assert!(matches!(next(&heard), Heard::Completed(_, 0)));
}

#[test]
fn d2_events_of_a_closed_line_are_dropped_and_completions_are_not() {
    let (driver, heard) = start(8);
    let handle = driver.handle();
    let held = handle.submit(0, Ask::Now(0)).unwrap();
    let id = held.id();
    for event in 10..20 {
        handle.with(|_, cx| cx.event(0, event)).unwrap();
    }
    handle.with(|_, cx| cx.retain_events(0, |event| *event == 15)).unwrap();
    drop(held);
    assert_eq!(next(&heard), Heard::Completed(id, 0));
    assert_eq!(next(&heard), Heard::Event(0, 15));
    nothing_on_line_0(&driver, &heard);
}

#[test]
fn d12_shutting_down_settles_everything_and_nothing_comes_after() {
    let (driver, heard) = start(64);
    let handle = driver.handle();
    let ids: HashSet<_> = (0..64).map(|_| handle.submit(0, FOR_EVER).unwrap().id()).collect();
    driver.shutdown();
    let ended: HashSet<_> = heard
        .try_iter()
        .map(|(told, _)| match told {
            Heard::Completed(id, -3) => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ended, ids, "all of them, before it returned");
    assert_eq!(handle.submit(0, Ask::Now(0)).unwrap_err(), Refused::Rejected(-3));
    assert!(handle.with(|_, _| ()).is_none());
    assert_eq!(heard.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn shutting_down_from_an_upcall_does_not_wait_for_itself() {
    let (driver_in, driver_out) = channel::<Driver<Puppet>>();
    let (ear, heard) = ear(move |told| {
        if told == Heard::Event(0, 1) {
            driver_out.recv_timeout(DEADLINE).unwrap().shutdown();
        }
    });
    let driver = Driver::start(Puppet::default(), None, ear, 8).unwrap();
    let handle = driver.handle();
    let running = handle.submit(1, FOR_EVER).unwrap().id();
    driver_in.send(driver).unwrap();
    handle.with(|_, cx| cx.event(0, 1)).unwrap();
    assert_eq!(next(&heard), Heard::Event(0, 1));
    assert_eq!(next(&heard), Heard::Completed(running, -3));
}

#[test]
fn an_interrupt_file_that_fails_ends_every_request_with_an_error() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let interrupt = InterruptFd { fd: reader, size: InterruptSize::EventFd };
    let (ear, heard) = ear(|_| ());
    let driver = Driver::start(Puppet::default(), Some(interrupt), ear, 8).unwrap();
    let ids = [0, 1].map(|line| driver.handle().submit(line, FOR_EVER).unwrap().id());
    drop(writer);
    for _ in ids {
        assert!(matches!(next(&heard), Heard::Completed(id, -4) if ids.contains(&id)));
    }
}

#[test]
fn an_engine_that_panics_fails_its_requests_and_nobody_else() {
    let (driver, heard) = start(8);
    let handle = driver.handle();
    let running = handle.submit(1, FOR_EVER).unwrap().id();
    // The panicking command was started and ended with the engine.
    let told = handle.submit(0, Ask::Panic).map(|ticket| ticket.id());
    let mut ended = HashSet::new();
    for _ in 0..1 + usize::from(told.is_ok()) {
        let Heard::Completed(id, -5) = next(&heard) else { panic!("a failure was due") };
        ended.insert(id);
    }
    assert!(ended.contains(&running));
    assert_eq!(handle.submit(0, Ask::Now(0)).unwrap_err(), Refused::Rejected(-5));
}

#[test]
fn r6_a_command_for_a_busy_card_is_started_by_its_holder() {
    let (driver, heard) = start(8);
    let (handle, other) = (driver.handle(), driver.handle());
    let (held, queued) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let holder = {
        let (held, queued) = (Arc::clone(&held), Arc::clone(&queued));
        thread::spawn(move || {
            other.with(|_, _| {
                held.wait();
                queued.wait();
            })
        })
    };
    held.wait();
    // The card is busy, and this returns all the same.
    let fine = handle.submit(0, Ask::Now(0)).unwrap().id();
    let refused = handle.submit(1, Ask::Refuse(-8)).unwrap().id();
    queued.wait();
    holder.join().unwrap().unwrap();
    let told = HashSet::from([next(&heard), next(&heard)].map(|told| format!("{told:?}")));
    let expected = [Heard::Completed(fine, 0), Heard::Completed(refused, -8)];
    assert_eq!(told, HashSet::from(expected.map(|told| format!("{told:?}"))));
}

#[test]
fn t3_the_callers_own_id_is_used() {
    let (driver, heard) = start(8);
    for number in [1, RequestId::MAX] {
        let id = RequestId::new(number);
        assert_eq!(driver.handle().submit_as(id, 0, Ask::Now(0)).unwrap().id().get(), number);
        assert_eq!(next(&heard), Heard::Completed(id.unwrap(), 0));
    }
}

#[test]
fn the_stepper_keeps_deadlines_and_order_under_a_virtual_clock() {
    let (ear, heard) = ear(|_| ());
    let mut stepper = Stepper::new(Puppet::default(), ear, 8).unwrap();
    let handle = stepper.handle();
    let late = handle.submit(0, Ask::Wait(Duration::from_secs(3600))).unwrap().id();
    let soon = handle.submit(0, Ask::Wait(Duration::from_millis(1))).unwrap().id();
    stepper.advance(Duration::from_micros(999));
    assert!(heard.try_recv().is_err());
    stepper.advance(Duration::from_micros(1));
    assert_eq!(next(&heard), Heard::Completed(soon, -1));
    stepper.interrupt(3);
    assert_eq!(next(&heard), Heard::Event(1, 3));
    stepper.advance(Duration::from_secs(3599));
    assert!(heard.try_recv().is_err());
    stepper.advance(Duration::from_secs(1));
    assert_eq!(next(&heard), Heard::Completed(late, -1));
    assert_eq!(stepper.now(), Time::from_nanos(3_600_001_000_000));
    assert_eq!(handle.settle(0), Settled::Delivered);
    stepper.stop();
    assert!(handle.with(|_, _| ()).is_none());
}

/// Counts completions; checks C3 by id.
struct Tally(Sender<Completion>);

impl Upcalls<()> for Tally {
    fn completed(&mut self, completion: Completion) {
        self.0.send(completion).ok();
    }
    fn event(&mut self, _: usize, (): ()) {}
}

type SoftDriver = Driver<Mailbox<SoftDevice<SoftMailbox>>>;

fn mailbox(capacity: usize) -> (SoftMailbox, SoftInterrupt, SoftDriver, Receiver<Completion>) {
    let hardware = SoftMailbox::new(1024);
    let interrupt = SoftInterrupt::new().unwrap();
    let device = SoftDevice::new(hardware.clone(), None, interrupt.clone());
    let file = device.interrupt().unwrap();
    let engine = Mailbox::new(device, capacity).unwrap();
    let (tally, told) = channel();
    let driver = Driver::start(engine, Some(file), Tally(tally), capacity).unwrap();
    (hardware, interrupt, driver, told)
}

fn complement(operand: u32) -> Complement {
    Complement { operand, time_limit: DEADLINE }
}

#[test]
fn mailbox_thousands_outstanding_from_many_threads_each_once() {
    const EACH: usize = 5000;
    let (hardware, interrupt, driver, told) = mailbox(4096);
    let over = AtomicBool::new(false);
    let (submitted, ended) = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if hardware.step(64) != 0 {
                    interrupt.raise();
                }
                thread::yield_now();
            }
        });
        let submitters: Vec<_> = (0..4)
            .map(|_| {
                let handle = driver.handle();
                scope.spawn(move || {
                    let mut ids = Vec::with_capacity(EACH);
                    while ids.len() < EACH {
                        match handle.submit(0, complement(ids.len() as u32)) {
                            Ok(ticket) => ids.push(ticket.id()),
                            Err(Refused::Full(_)) => thread::yield_now(),
                            Err(other) => panic!("{other}"),
                        }
                    }
                    ids
                })
            })
            .collect();
        let ended: Vec<_> =
            (0..4 * EACH).map(|_| told.recv_timeout(DEADLINE).expect("none is lost")).collect();
        over.store(true, Ordering::Relaxed);
        let submitted: Vec<_> =
            submitters.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (submitted, ended)
    });
    assert!(ended.iter().all(|one| one.result == 0));
    let sorted = |mut ids: Vec<RequestId>| {
        ids.sort_unstable();
        ids
    };
    let ended = sorted(ended.into_iter().map(|one| one.id).collect());
    assert_eq!(ended, sorted(submitted), "C3: each submission has its completion");
    drop(driver);
    assert!(told.try_recv().is_err());
}

#[test]
fn mailbox_wrong_answers_removal_and_lost_interrupts_end_requests_with_errors() {
    let (hardware, interrupt, driver, told) = mailbox(16);
    let handle = driver.handle();
    drop(handle.submit(0, complement(1)).unwrap());
    hardware.answer_wrongly();
    hardware.step(1);
    interrupt.raise();
    assert_eq!(told.recv_timeout(DEADLINE).unwrap().result, -libc::EBADMSG);

    // Answered, but the interrupt is lost: its deadline ends it, and the late answer finds nobody.
    let lost = Complement { operand: 2, time_limit: Duration::from_millis(30) };
    drop(handle.submit(0, lost).unwrap());
    hardware.step(1);
    assert_eq!(told.recv_timeout(DEADLINE).unwrap().result, -libc::ETIMEDOUT);
    interrupt.raise();

    let running = [3, 4].map(|operand| handle.submit(0, complement(operand)).unwrap().id());
    hardware.remove();
    interrupt.raise();
    for id in running {
        let completion = told.recv_timeout(DEADLINE).unwrap();
        assert_eq!((completion.id, completion.result), (id, -libc::ENODEV));
    }
    assert_eq!(handle.submit(0, complement(5)).unwrap_err(), Refused::Rejected(-libc::ENODEV));
    drop(driver);
    assert!(told.try_recv().is_err(), "C3");
}
