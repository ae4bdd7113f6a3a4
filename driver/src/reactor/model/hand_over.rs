//! Models of handing a command over to the holder of a busy card.

use loom::thread::{self, JoinHandle, ThreadId};
use std::sync::Arc;

use super::super::commands::{NotQueued, Queueing};
use super::super::doze::Doze;
use super::super::handover::{Careful, Handover, Parting, Submitted, Work};
use super::super::kick::Kick;
use super::{check, is_found};
use crate::request::{LineNumber, RequestSlot};
use crate::sync::Ordering;

/// What was worked off, by which thread, and whether it was queued before.
#[derive(Default)]
struct Done {
    all: Vec<(u32, ThreadId, bool)>,
    errands: u32,
    closed: bool,
}

impl Done {
    fn has(&self, command: u32) -> bool {
        self.all.iter().any(|(done, _, _)| *done == command)
    }

    fn commands(&self) -> Vec<u32> {
        self.all.iter().map(|(done, _, _)| *done).collect()
    }
}

impl Work<u32> for Done {
    type Request = RequestSlot;
    /// Whether the command was accepted.
    type Outcome = bool;
    fn slot(request: RequestSlot) -> RequestSlot {
        request
    }
    fn line(&self, _: RequestSlot) -> LineNumber {
        LineNumber(0)
    }
    fn now(&mut self, _: RequestSlot, command: u32) -> bool {
        if !self.closed {
            self.all.push((command, thread::current().id(), false));
        }
        !self.closed
    }
    fn queued(&mut self, _: RequestSlot, command: u32) {
        self.all.push((command, thread::current().id(), true));
    }
    fn leave(&mut self) -> bool {
        false
    }
}

/// A hand-over, and how its reaper is woken.
struct Card<P> {
    state: Handover<Done, u32, P>,
    doze: Doze,
    kick: Kick,
}

impl<P: Parting + 'static> Card<P> {
    fn new() -> Arc<Card<P>> {
        let (state, kick) = (Handover::new(Done::default(), 4, 1), Kick::new().unwrap());
        Arc::new(Card { state, doze: Doze::new(), kick })
    }

    fn wake(&self) {
        if self.doze.notify() {
            self.kick.signal().unwrap();
        }
    }

    /// Submits a command. Returns whether it was accepted.
    fn submit(&self, command: u32) -> bool {
        let (submitted, wake) =
            self.state.submit(RequestSlot(command as u16), LineNumber(0), command);
        if wake {
            self.wake();
        }
        accepted(submitted)
    }

    /// Like [`Card::submit`], for a thread that may not hold the state.
    fn queue(&self, command: u32) -> bool {
        let submitted = self.state.queue(RequestSlot(command as u16), LineNumber(0), command);
        self.wake();
        accepted(submitted)
    }

    fn with<R>(&self, act: impl FnOnce(&mut Done) -> R) -> R {
        let (result, wake) = self.state.with(act);
        if wake {
            self.wake();
        }
        result
    }

    /// Runs the reaper until the condition is met.
    fn reap_until(&self, enough: impl Fn(&Done) -> bool) {
        loop {
            self.doze.awake();
            let (over, again) = self.state.reap(|_| (), |done| (enough(done), false));
            if over {
                return;
            }
            if !again && self.doze.fall_asleep() {
                self.kick.wait(std::time::Duration::MAX);
            }
        }
    }

    /// Ends a model: returns what was done, and checks that nothing is left of which the reaper was
    /// not notified.
    fn done(&self) -> Done {
        if self.doze.is_notified() {
            self.state.reap(|_| (), |_| ((), false));
        }
        // Reads the state directly, because locking it would work off what was left behind.
        let (done, left) = self.state.parts();
        assert!(!left, "a command was left behind");
        done
    }
}

fn accepted(submitted: Submitted<bool>) -> bool {
    match submitted {
        Submitted::Done(accepted) => accepted,
        Submitted::Queued => true,
        Submitted::Refused(why) => {
            assert_eq!(why, NotQueued::Closed);
            false
        }
    }
}

fn spawn<P: Parting + 'static, R: 'static>(
    card: &Arc<Card<P>>,
    act: impl FnOnce(&Card<P>) -> R + 'static,
) -> JoinHandle<R> {
    let card = Arc::clone(card);
    thread::spawn(move || act(&card))
}

fn sorted(mut commands: Vec<u32>) -> Vec<u32> {
    commands.sort_unstable();
    commands
}

/// Runs so many submitters, and a reaper that services an interrupt.
fn hand_over<P: Parting + 'static>(submitters: u32, preemptions: Option<usize>) {
    check(preemptions, move || {
        let card = Card::<P>::new();
        let threads: Vec<_> =
            (0..submitters).map(|command| spawn(&card, move |card| card.submit(command))).collect();
        card.with(|_| ());
        for thread in threads {
            thread.join().unwrap();
        }
        let done = card.done();
        assert!(sorted(done.commands()).into_iter().eq(0..submitters), "each command once");
    });
}

/// With one submitter every interleaving; with two, those with up to two preemptions.
#[test]
fn model_no_command_is_left_behind() {
    hand_over::<Careful>(1, None);
    hand_over::<Careful>(2, Some(2));
}

#[test]
fn model_notices_a_holder_that_does_not_look_again() {
    struct Careless;
    impl Queueing for Careless {}
    impl Parting for Careless {
        const LOOKS_AGAIN: bool = false;
    }
    assert!(is_found(|| hand_over::<Careless>(1, None)), "a command is left behind");
}

#[test]
fn model_notices_a_submitter_that_does_not_try_again() {
    struct Careless;
    impl Queueing for Careless {}
    impl Parting for Careless {
        const TRIES_AGAIN: bool = false;
    }
    assert!(is_found(|| hand_over::<Careless>(1, None)), "a command is left behind");
}

#[test]
fn model_notices_a_look_that_may_come_before_the_unlocking() {
    struct Careless;
    impl Queueing for Careless {}
    impl Parting for Careless {
        const IN_ORDER: bool = false;
    }
    assert!(is_found(|| hand_over::<Careless>(1, None)), "a command is left behind");
}

/// A thread that may not hold the state queues one command after another while others hold it.
fn order<P: Parting + 'static>(preemptions: Option<usize>) {
    check(preemptions, || {
        let card = Card::<P>::new();
        let unfit = spawn(&card, |card| {
            card.queue(1);
            card.queue(0);
        });
        card.with(|_| ());
        unfit.join().unwrap();
        assert_eq!(card.done().commands(), [1, 0], "each once, in order");
    });
}

/// Every interleaving of the two threads.
#[test]
fn model_c3_o1_what_is_queued_is_worked_off_once_and_in_order() {
    order::<Careful>(None);
}

#[test]
fn model_notices_a_command_that_is_queued_without_publishing_it() {
    struct Relaxed;
    impl Queueing for Relaxed {
        const PUBLISHES: Ordering = Ordering::Relaxed;
    }
    impl Parting for Relaxed {}
    assert!(is_found(|| order::<Relaxed>(None)), "the command under it is lost");
}

/// While a thread waits for the state, other submitters only queue. The waiting thread works their
/// commands off, so that what a thread has submitted before is done when it asks.
fn waiting<P: Parting + 'static>(preemptions: usize) {
    check(Some(preemptions), || {
        let card = Card::<P>::new();
        let asking = spawn(&card, |card| {
            card.submit(0);
            card.with(|done| assert!(done.has(0), "it overtakes an earlier submission"));
        });
        let other = spawn(&card, |card| card.submit(1));
        card.with(|_| ());
        asking.join().unwrap();
        other.join().unwrap();
        assert_eq!(sorted(card.done().commands()), [0, 1], "each once");
    });
}

/// Up to two preemptions.
#[test]
fn model_a_waiting_thread_finds_what_was_queued_meanwhile() {
    waiting::<Careful>(2);
}

#[test]
fn model_notices_a_waiter_that_does_not_look_at_the_queue() {
    struct Careless;
    impl Queueing for Careless {}
    impl Parting for Careless {
        const LOOKS_FIRST: bool = false;
    }
    assert!(is_found(|| waiting::<Careless>(2)), "it overtakes its own submission");
}

/// Three submitters at once, each of which works off at most one command of another.
fn limited<P: Parting + 'static>(preemptions: usize) {
    check(Some(preemptions), || {
        let card = Card::<P>::new();
        let threads = [1, 2].map(|command| {
            spawn(&card, move |card| {
                card.submit(command);
                (command, thread::current().id())
            })
        });
        card.submit(0);
        let mut who = vec![(0, thread::current().id())];
        who.extend(threads.map(|thread| thread.join().unwrap()));
        let foreign = card.state.peek(|done| {
            let foreign = |(own, id)| {
                let theirs = |(command, by, queued): &&(u32, ThreadId, bool)| {
                    *queued && *by == id && *command != own
                };
                done.all.iter().filter(theirs).count()
            };
            who.iter().copied().map(foreign).max()
        });
        assert!(foreign <= Some(P::FOREIGN), "a submitter starts too many commands");
        assert_eq!(sorted(card.done().commands()), [0, 1, 2], "each once");
    });
}

/// Up to two preemptions.
#[test]
fn model_the_reaper_is_woken_for_what_a_submitter_leaves() {
    struct One;
    impl Queueing for One {}
    impl Parting for One {
        const FOREIGN: usize = 1;
    }
    limited::<One>(2);
}

#[test]
fn model_notices_a_submitter_that_leaves_the_rest_without_a_word() {
    struct Silent;
    impl Queueing for Silent {}
    impl Parting for Silent {
        const FOREIGN: usize = 1;
        const WAKES: bool = false;
    }
    assert!(is_found(|| limited::<Silent>(2)), "the rest is not worked off");
}

/// A thread that may not hold the state queues a command and leaves an errand, beside a submitter
/// that may hold it; the reaper sleeps when there is nothing to do.
fn unfit<P: Parting + 'static>(submitters: u32, preemptions: Option<usize>) {
    check(preemptions, move || {
        let card = Card::<P>::new();
        let unfit = spawn(&card, |card| {
            card.queue(0);
            card.state.errand(Box::new(|done: &mut Done| {
                assert!(done.has(0), "behind what was queued before");
                done.errands += 1;
            }));
            card.wake();
            thread::current().id()
        });
        let others: Vec<_> = (1..=submitters)
            .map(|command| spawn(&card, move |card| card.submit(command)))
            .collect();
        card.reap_until(|done| done.errands == 1);
        for other in others {
            other.join().unwrap();
        }
        let unfit = unfit.join().unwrap();
        let done = card.done();
        assert_eq!(done.errands, 1);
        assert!(done.all.iter().all(|(_, by, _)| *by != unfit), "it may not hold the state");
        assert!(sorted(done.commands()).into_iter().eq(0..=submitters), "each command once");
    });
}

/// Every interleaving of the two threads; with a submitter, those with up to two preemptions.
#[test]
fn model_the_reaper_runs_errands_of_threads_that_may_not_hold_the_state() {
    unfit::<Careful>(0, None);
    unfit::<Careful>(1, Some(2));
}

#[test]
fn model_notices_an_errand_that_is_announced_before_it_is_there() {
    struct Hasty;
    impl Queueing for Hasty {}
    impl Parting for Hasty {
        const ANNOUNCES_LAST: bool = false;
    }
    assert!(is_found(|| unfit::<Hasty>(0, None)), "the errand is not run");
}

/// Submitters, one of which may not hold the state, and a thread that closes.
fn close<P: Parting + 'static>(submitters: u32, preemptions: Option<usize>) {
    check(preemptions, move || {
        let card = Card::<P>::new();
        let unfit = spawn(&card, |card| (0, card.queue(0)));
        let mut threads = vec![unfit];
        for command in 1..=submitters {
            threads.push(spawn(&card, move |card| (command, card.submit(command))));
        }
        card.state.close(|done| done.closed = true);
        // The queue stays closed, whatever the other threads do.
        assert!(!card.queue(3) && !card.submit(3), "accepted after the end");
        let mut accepted = Vec::new();
        for thread in threads {
            let (command, was_accepted) = thread.join().unwrap();
            accepted.extend(was_accepted.then_some(command));
        }
        let done = card.done();
        assert_eq!(sorted(done.commands()), accepted, "what was accepted, and nothing else");
    });
}

/// Every interleaving of closing with a thread that only queues; with another submitter, those with
/// up to two preemptions.
#[test]
fn model_d12_what_is_queued_while_it_closes_is_refused_or_worked_off() {
    close::<Careful>(0, None);
    close::<Careful>(1, Some(2));
}

#[test]
fn model_notices_a_queue_that_closes_in_two_steps() {
    struct Gap;
    impl Queueing for Gap {
        const CLOSES_AT_ONCE: bool = false;
    }
    impl Parting for Gap {}
    assert!(is_found(|| close::<Gap>(0, None)), "a command is accepted and forgotten");
}
