//! Models of card, outbox, tickets and the end together: everything but the ring, for which [`run`]
//! stands in.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, JoinHandle};

use super::super::Upcalls;
use super::super::arrived::Arrived;
use super::super::card::Card;
use super::super::clock::Clock;
use super::super::core::Core;
use super::super::delivery::{Alarms, Reaping};
use super::super::found::Found;
use super::super::handle::{Handle, Settled};
use super::super::kick::Kick;
use super::super::samples::Order;
use super::super::ticket::Ticket;
use super::{check, is_found};
use crate::Time;
use crate::engine::{Context, Engine, Failure};
use crate::request::{Completion, ErrorCode, LineNumber, RequestId, Table, Token};

/// What the engine does with a command.
#[derive(Debug, Clone, Copy)]
enum Command {
    Complete,
    /// Emits an event and completes the command.
    TellAndComplete,
    /// Emits an event and refuses the command.
    TellAndRefuse,
}

/// With `fails` the engine panics in its timer.
struct Toy {
    fails: bool,
}

impl Engine for Toy {
    type Command = Command;
    type Event = ();
    type Output = ();
    fn lines(&self) -> usize {
        1
    }
    fn time_limit(_: &Command) -> Duration {
        Duration::MAX
    }
    fn failure(_: Failure) -> ErrorCode {
        ErrorCode::of::<-1>()
    }
    fn start(
        &mut self,
        request: Token,
        command: Command,
        cx: &mut Context<'_, ()>,
    ) -> Result<(), ErrorCode> {
        if !matches!(command, Command::Complete) {
            cx.event(LineNumber(0), ());
        }
        if matches!(command, Command::TellAndRefuse) {
            return Err(ErrorCode::of::<-2>());
        }
        cx.complete(request, Ok(()));
        Ok(())
    }
    fn interrupt(&mut self, _: &mut Context<'_, ()>) {}
    fn next_timer(&self) -> Time {
        if self.fails { Time::ZERO } else { Time::NEVER }
    }
    fn timer(&mut self, _: &mut Context<'_, ()>) {
        panic!("the timer of the model");
    }
    fn ended(&mut self, _: Token, _: Failure, _: &mut Context<'_, ()>) {}
    fn stop(&mut self, _: &mut Context<'_, ()>) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Completed,
    Event,
    Over,
}

/// What was delivered, and how many functions have returned.
#[derive(Clone)]
struct Journal {
    told: Arc<Mutex<Vec<Told>>>,
    returned: Arc<AtomicU32>,
}

impl Journal {
    fn new() -> Journal {
        Journal { told: Arc::new(Mutex::new(Vec::new())), returned: Arc::new(AtomicU32::new(0)) }
    }

    fn put(&self, told: Told) {
        self.told.lock().unwrap().push(told);
    }

    fn count(&self, what: Told) -> u32 {
        let told = self.told.lock().unwrap();
        told.iter().filter(|told| **told == what).count() as u32
    }
}

impl Upcalls<()> for Journal {
    fn completed(&mut self, _: Completion) {
        self.put(Told::Completed);
        let early = self.count(Told::Completed) > self.returned.load(Ordering::Relaxed);
        // The mistake is recorded as a second completion, because a panic would be contained.
        if early {
            self.put(Told::Completed);
        }
    }
    fn event(&mut self, _: LineNumber, _: ()) {
        self.put(Told::Event);
    }
    fn over(&mut self, _: Failure) {
        self.put(Told::Over);
    }
}

struct NoAlarms;

impl Alarms for NoAlarms {
    fn arm(&mut self, _: Token, _: RequestId, _: Time) {}
    fn disarm(&mut self, _: Token, _: RequestId) {}
    fn order(&mut self, _: Order) {}
}

fn handle() -> Handle<Toy> {
    handle_of(Toy { fails: false })
}

fn handle_of(toy: Toy) -> Handle<Toy> {
    let clock = Clock::Virtual(std::sync::atomic::AtomicU64::new(0));
    let table = Table::with_capacity(2).unwrap();
    let core = Core::new(table, clock, Some(Kick::new().unwrap()));
    Handle { card: Arc::new(Card::new(toy, core)) }
}

/// The reaper's mistake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reaper {
    Right,
    /// No mistake, but its time for held tickets is over.
    Impatient,
    /// It looks for work before it announces that it is awake.
    LooksFirst,
    /// It signals that marks are reached before it delivers.
    ReachesFirst,
    /// It ends without emptying the outbox.
    LeavesMarks,
    /// It announces its end before it makes the last upcall.
    EndsFirst,
}

/// The reaper's loop, as in `Reaper::run`, until the card is over or enough is delivered.
fn run(reaper: Reaper, handle: &Handle<Toy>, journal: &Journal, enough: impl Fn() -> bool) {
    let card = &handle.card;
    let core = &card.core;
    let mut reaping = Reaping::new(Arc::clone(card), journal.clone());
    let (mut arrived, mut stopping) = (Arrived::default(), false);
    loop {
        if reaper != Reaper::LooksFirst {
            core.doze.awake();
        }
        if core.is_stopping() && !stopping {
            stopping = true;
            card.close(|state| state.end(Failure::Closed));
        }
        if reaper == Reaper::ReachesFirst {
            reach_first(handle, journal);
        }
        let look = reaping.rounds(&mut arrived, &mut NoAlarms);
        if reaper == Reaper::LooksFirst {
            core.doze.awake();
        }
        if enough() {
            return;
        }
        if stopping && !look.again {
            let is_empty = card.reap(core.clock.now(), |state| (state.is_empty(), false)).0;
            if is_empty || reaper == Reaper::Impatient || reaper == Reaper::LeavesMarks {
                break;
            }
        }
        if !look.again && core.doze.fall_asleep() {
            core.sleep(Duration::MAX);
        }
    }
    match reaper {
        Reaper::LeavesMarks => core.end(),
        Reaper::EndsFirst => {
            core.end();
            reaping.end(());
        }
        _ => reaping.end(()),
    }
}

/// One round of delivery in the wrong order.
fn reach_first(handle: &Handle<Toy>, journal: &Journal) {
    let mut found = Found::new();
    let now = handle.now();
    handle.card.reap(now, |state| (state.look(now, &mut found), false));
    found.marks.drain(..).for_each(|mark| mark.reached());
    for _ in found.batch.drain(..) {
        journal.put(Told::Completed);
    }
}

fn spawn<R: 'static>(
    handle: &Handle<Toy>,
    journal: &Journal,
    act: impl FnOnce(&Handle<Toy>, &Journal) -> R + 'static,
) -> JoinHandle<R> {
    let (handle, journal) = (handle.clone(), journal.clone());
    thread::spawn(move || act(&handle, &journal))
}

/// A function of an application that submits a command and returns.
fn ask(handle: &Handle<Toy>, journal: &Journal, command: Command, release: fn(Ticket)) -> bool {
    let Ok(ticket) = handle.submit(LineNumber(0), command) else { return false };
    journal.returned.fetch_add(1, Ordering::Relaxed);
    release(ticket);
    true
}

/// So many functions that submit the same command, and a reaper that sleeps while there is nothing
/// to do, until so many completions and events are delivered. If it sleeps with something to
/// deliver, it sleeps for ever, and loom reports the deadlock.
fn deliver(
    command: Command,
    threads: u32,
    (completions, events): (u32, u32),
    reaper: Reaper,
    release: fn(Ticket),
    preemptions: Option<usize>,
) {
    check(preemptions, move || {
        let (handle, journal) = (handle(), Journal::new());
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                spawn(&handle, &journal, move |handle, journal| {
                    ask(handle, journal, command, release);
                })
            })
            .collect();
        run(reaper, &handle, &journal, || {
            journal.count(Told::Completed) >= completions && journal.count(Told::Event) >= events
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(journal.count(Told::Completed), completions, "each once, and none early");
        assert_eq!(journal.count(Told::Event), events);
    });
}

/// With one submitter every interleaving; with two, those with up to two preemptions.
#[test]
fn model_c3_g1_nothing_deliverable_is_left_while_the_reaper_sleeps() {
    deliver(Command::Complete, 1, (1, 0), Reaper::Right, drop, None);
    deliver(Command::Complete, 2, (2, 0), Reaper::Right, drop, Some(2));
}

/// The same with an event that waits for the function's return: every interleaving.
#[test]
fn model_g1_an_event_that_waits_for_the_return_is_made_deliverable() {
    deliver(Command::TellAndComplete, 1, (1, 1), Reaper::Right, drop, None);
}

/// The same with a function that is refused in the end, so that there is no completion (R4), or
/// whose command was queued, so that the refusal is its completion. Up to three preemptions.
#[test]
fn model_r4_an_event_of_a_refused_request_is_delivered() {
    check(Some(3), || {
        let (handle, journal) = (handle(), Journal::new());
        let asked = spawn(&handle, &journal, |handle, journal| {
            ask(handle, journal, Command::TellAndRefuse, drop)
        });
        run(Reaper::Right, &handle, &journal, || journal.count(Told::Event) == 1);
        let accepted = asked.join().unwrap();
        run(Reaper::Right, &handle, &journal, || {
            journal.count(Told::Completed) == u32::from(accepted)
        });
        assert_eq!(journal.count(Told::Event), 1);
    });
}

#[test]
fn model_notices_a_look_before_the_reaper_says_that_it_is_awake() {
    let wrong = || deliver(Command::Complete, 1, (1, 0), Reaper::LooksFirst, drop, Some(3));
    assert!(is_found(wrong), "the completion is left while the reaper sleeps");
}

#[test]
fn model_notices_a_ticket_that_does_not_wake_the_reaper() {
    let silent = |ticket: Ticket| {
        ticket.core().table.release(ticket.token());
        std::mem::forget(ticket);
    };
    let wrong = move || deliver(Command::Complete, 1, (1, 0), Reaper::Right, silent, Some(3));
    assert!(is_found(wrong), "the completion is left while the reaper sleeps");
}

/// A thread that submits and settles. Whether settling succeeds or fails, its result must be true.
fn settle(handle: &Handle<Toy>, journal: &Journal) -> bool {
    let asked = ask(handle, journal, Command::Complete, drop);
    let settled = handle.settle(LineNumber(0));
    let told = journal.count(Told::Completed);
    if settled == Settled::Delivered {
        assert_eq!(told, u32::from(asked), "the result says delivered");
    }
    asked
}

/// A thread that shuts the card down. Nothing may be delivered after that has returned.
fn shut_down(handle: &Handle<Toy>, journal: &Journal) -> u32 {
    assert_eq!(handle.shutdown(), Settled::Delivered);
    assert_eq!(journal.count(Told::Over), 1, "delivered before it returned");
    let told = journal.count(Told::Completed);
    assert!(handle.wait_ended(Duration::MAX));
    told
}

/// A thread settles while the reaper ends the card.
fn settle_at_the_end(reaper: Reaper, preemptions: usize) {
    check(Some(preemptions), move || {
        let (handle, journal) = (handle(), Journal::new());
        let settling = spawn(&handle, &journal, settle);
        handle.card.core.stop(Failure::Closed);
        run(reaper, &handle, &journal, || false);
        let asked = settling.join().unwrap();
        if reaper == Reaper::Right {
            let told = journal.count(Told::Completed);
            assert_eq!(told, u32::from(asked), "what is accepted is completed");
        }
    });
}

/// A thread shuts the card down.
fn end(reaper: Reaper, preemptions: usize) {
    check(Some(preemptions), move || {
        let (handle, journal) = (handle(), Journal::new());
        let closing = spawn(&handle, &journal, shut_down);
        run(reaper, &handle, &journal, || false);
        closing.join().unwrap();
        assert!(handle.submit(LineNumber(0), Command::Complete).is_err(), "accepted after the end");
    });
}

/// One thread settles, and another shuts the card down.
fn settle_and_end(reaper: Reaper, preemptions: usize) {
    check(Some(preemptions), move || {
        let (handle, journal) = (handle(), Journal::new());
        let settling = spawn(&handle, &journal, settle);
        let closing = spawn(&handle, &journal, shut_down);
        run(reaper, &handle, &journal, || false);
        let asked = settling.join().unwrap();
        let told = closing.join().unwrap();
        assert_eq!(journal.count(Told::Completed), told, "nothing is delivered afterwards");
        if reaper == Reaper::Right {
            assert_eq!(told, u32::from(asked), "what is accepted is completed");
        }
    });
}

/// With two threads up to three preemptions; with three, up to one.
#[test]
fn model_d12_a_thread_that_settles_or_closes_is_woken_when_the_card_ends() {
    settle_at_the_end(Reaper::Right, 3);
    settle_at_the_end(Reaper::Impatient, 3);
    end(Reaper::Right, 3);
    settle_and_end(Reaper::Right, 1);
    settle_and_end(Reaper::Impatient, 1);
}

#[test]
fn model_notices_a_mark_that_is_reached_before_what_it_marks() {
    assert!(is_found(|| settle_at_the_end(Reaper::ReachesFirst, 2)), "the result is not true");
}

#[test]
fn model_notices_a_reaper_that_leaves_marks_behind() {
    assert!(
        is_found(|| settle_at_the_end(Reaper::LeavesMarks, 2)),
        "the settling thread waits for ever"
    );
}

#[test]
fn model_notices_a_reaper_that_says_that_it_is_over_too_early() {
    assert!(is_found(|| end(Reaper::EndsFirst, 2)), "something is delivered afterwards");
}

/// An engine that fails in the reaper's own look: the reaper ends instead of sleeping. Every
/// interleaving.
#[test]
fn model_d12_a_reaper_notices_that_its_engine_failed_in_its_own_look() {
    check(None, || {
        let (handle, journal) = (handle_of(Toy { fails: true }), Journal::new());
        run(Reaper::Right, &handle, &journal, || false);
        assert_eq!(journal.count(Told::Over), 1);
    });
}

/// An engine that fails on a submitter's thread, with nothing outstanding: the reaper is woken and
/// ends. Every interleaving.
#[test]
fn model_d12_a_reaper_notices_that_its_engine_failed() {
    check(None, || {
        let (handle, journal) = (handle(), Journal::new());
        let failing = spawn(&handle, &journal, |handle, _| {
            handle.card.with(|state| state.end(Failure::Internal));
        });
        run(Reaper::Right, &handle, &journal, || false);
        failing.join().unwrap();
        assert_eq!(journal.count(Told::Over), 1);
    });
}
