//! Hands commands over to the holder of a busy card: no submitter waits, and no command is left
//! behind.
//!
//! The state is behind one mutex. A submitter that finds it free works on it. A submitter that
//! finds it busy queues its command, and the thread that holds the state checks the queue again
//! after unlocking. A command that is queued between the holder's last check and its unlocking is
//! found either by that second check or by its submitter, which tries the state again after
//! queueing. At least one of the two finds it; sequential consistency guarantees this on weakly
//! ordered memory as well.
//!
//! - **A submitter works for itself.** It works off at most [`FOREIGN`] commands of other
//!   submitters and then wakes the reaper for the rest.
//! - **Waiting threads go first.** While a thread waits for the state, submitters only queue, so
//!   that a busy submitter can't keep the state from the reaper.
//! - **Only a thread that will get CPU time holds the state.** A thread that is entitled to less of
//!   a CPU than the reaper only queues ([`Handover::queue`], [`Handover::errand`]): if it were
//!   preempted while it held the state, it would stop the card for as long as other threads are
//!   busy.

use std::marker::PhantomData;
use std::sync::TryLockError;

use crate::request::{LineNumber, RequestSlot};
use crate::sync::{AtomicU32, EvenPoisoned, Mutex, MutexGuard, Ordering, fence};

use super::commands::{Commands, NotQueued, Queueing, Taken};

/// The most commands of other submitters that a submitter works off.
pub(crate) const FOREIGN: usize = 4;

/// The most commands that the reaper works off before it looks at everything else.
pub(crate) const SHARE: usize = 64;

/// How commands are carried out on the state while it is held.
pub(crate) trait Work<Command> {
    /// Identifies the request of a command.
    type Request: Copy;
    /// What a submitter gets when its command is worked off directly.
    type Outcome;
    /// The slot of a request, which is all that the queue stores of it.
    fn slot(request: Self::Request) -> RequestSlot;
    /// The line of the request in a slot.
    fn line(&self, slot: RequestSlot) -> LineNumber;
    /// Works off a command whose submitter waits for the outcome.
    fn now(&mut self, request: Self::Request, command: Command) -> Self::Outcome;
    /// Works off a command that was queued, and whose submitter does not wait for it.
    fn queued(&mut self, slot: RequestSlot, command: Command);
    /// Called before unlocking. Returns whether the reaper must be woken once the state is free.
    fn leave(&mut self) -> bool;
}

/// What a model can leave out or weaken, to show that it is needed.
pub(crate) trait Parting: Queueing {
    /// The holder checks the queue again after unlocking.
    const LOOKS_AGAIN: bool = true;
    /// Unlocking and checking again stay in this order, also as seen by other threads.
    const IN_ORDER: bool = true;
    /// A thread that has waited for the state works off what was queued before.
    const LOOKS_FIRST: bool = true;
    /// A thread that has queued a command tries the state again.
    const TRIES_AGAIN: bool = true;
    /// A thread that leaves commands to the reaper wakes it.
    const WAKES: bool = true;
    /// An errand is announced after it is stored.
    const ANNOUNCES_LAST: bool = true;
    /// The most commands of other submitters that a submitter works off. With a smaller number a
    /// model needs fewer threads.
    const FOREIGN: usize = FOREIGN;
}

/// Leaves nothing out: what runs outside of the models.
#[derive(Debug)]
pub(crate) struct Careful;

impl Queueing for Careful {}
impl Parting for Careful {}

/// The result of submitting a command.
#[derive(Debug)]
pub(crate) enum Submitted<Outcome> {
    /// The command was worked off.
    Done(Outcome),
    /// The command is queued, and the holder of the card will start it.
    Queued,
    /// The command was not queued and will not be started.
    Refused(NotQueued),
}

impl<Outcome> From<Result<(), NotQueued>> for Submitted<Outcome> {
    fn from(queued: Result<(), NotQueued>) -> Self {
        match queued {
            Ok(()) => Submitted::Queued,
            Err(why) => Submitted::Refused(why),
        }
    }
}

/// A closure to be run on the state by a thread that may hold it.
type Errand<State> = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Debug)]
struct Inner<State> {
    state: State,
    taken: Taken,
}

/// State behind a mutex with a queue in front of it.
pub(crate) struct Handover<State, Command, P = Careful> {
    inner: Mutex<Inner<State>>,
    commands: Commands<Command, P>,
    /// Number of threads that wait for the state.
    waiting: AtomicU32,
    /// Errands of threads that may not hold the state. Only such threads block on this lock.
    errands: Mutex<Vec<Errand<State>>>,
    /// Whether there are errands, so that the lock is not needed to find out.
    any_errands: AtomicU32,
    parting: PhantomData<fn() -> P>,
}

impl<Command, State: Work<Command>, P: Parting> Handover<State, Command, P> {
    /// Makes a hand-over for requests in slots below `capacity`, on `lines` lines.
    pub(crate) fn new(state: State, capacity: usize, lines: usize) -> Self {
        Handover {
            inner: Mutex::new(Inner { state, taken: Taken::default() }),
            commands: Commands::new(capacity, lines),
            waiting: AtomicU32::new(0),
            errands: Mutex::new(Vec::new()),
            any_errands: AtomicU32::new(0),
            parting: PhantomData,
        }
    }

    /// Works the command off at once and returns the outcome, or queues it if the state is busy.
    /// Never waits for the state. The second value says whether the reaper must be woken.
    pub(crate) fn submit(
        &self,
        request: State::Request,
        line: LineNumber,
        command: Command,
    ) -> (Submitted<State::Outcome>, bool) {
        let Some(mut inner) = self.try_lock_for_submitter() else {
            let queued = self.commands.push(State::slot(request), line, command);
            let tries = P::TRIES_AGAIN && queued.is_ok();
            return (queued.into(), tries && self.work_off_rest(false, P::FOREIGN));
        };
        let mut left = P::FOREIGN;
        let rest = self.work_off(&mut inner, &mut left);
        let submitted = if rest {
            // Commands that were queued before go first.
            self.commands.push(State::slot(request), line, command).into()
        } else {
            Submitted::Done(inner.state.now(request, command))
        };
        let wake = inner.state.leave() | (rest && P::WAKES);
        drop(inner);
        (submitted, self.work_off_rest(wake, left))
    }

    /// Queues the command without trying the state. The caller must wake the reaper.
    pub(crate) fn queue(
        &self,
        request: State::Request,
        line: LineNumber,
        command: Command,
    ) -> Submitted<State::Outcome> {
        self.commands.push(State::slot(request), line, command).into()
    }

    /// Waits for the state and runs `act` on it, after all commands that were queued before. The
    /// second value says whether the reaper must be woken.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> (R, bool) {
        let (inner, _) = self.lock();
        self.act(inner, usize::MAX, |state| {
            let result = act(state);
            (result, state.leave())
        })
    }

    /// Like [`Handover::with`], for the reaper: it works off at most its share of the queued
    /// commands, and runs the errands. If it had to wait, `waited` is called first. `act` itself
    /// returns whether there is more to look at, because it knows more than [`Work::leave`].
    pub(crate) fn reap<R>(
        &self,
        waited: impl FnOnce(&State),
        act: impl FnOnce(&mut State) -> (R, bool),
    ) -> (R, bool) {
        let (mut inner, had_to_wait) = self.lock();
        if had_to_wait {
            waited(&inner.state);
        }
        if self.any_errands.load(Ordering::SeqCst) != 0 {
            self.do_errands(&mut inner);
        }
        self.act(inner, SHARE, act)
    }

    /// Like [`Handover::reap`], but returns `None` at once if another thread holds the state.
    pub(crate) fn try_reap<R>(
        &self,
        act: impl FnOnce(&mut State) -> (R, bool),
    ) -> Option<(R, bool)> {
        Some(self.act(self.try_lock()?, SHARE, act))
    }

    /// Leaves an errand to the reaper. The caller must wake the reaper.
    pub(crate) fn errand(&self, errand: Errand<State>) {
        if !P::ANNOUNCES_LAST {
            self.any_errands.store(1, Ordering::SeqCst);
        }
        self.errands.lock().even_poisoned().push(errand);
        if P::ANNOUNCES_LAST {
            self.any_errands.store(1, Ordering::SeqCst);
        }
    }

    /// Runs `act` on the state; before unlocking, closes the queue and works off what was in it.
    /// Every command is refused from then on.
    pub(crate) fn close<R>(&self, act: impl FnOnce(&mut State) -> R) -> (R, bool) {
        let (mut inner, _) = self.lock();
        let result = act(&mut inner.state);
        let Inner { state, taken } = &mut *inner;
        self.commands.close(taken);
        while let Some((slot, command)) = self.commands.pop_taken(taken) {
            self.commands.left(state.line(slot));
            state.queued(slot, command);
        }
        let wake = inner.state.leave();
        (result, wake)
    }

    fn act<R>(
        &self,
        mut inner: MutexGuard<'_, Inner<State>>,
        mut limit: usize,
        act: impl FnOnce(&mut State) -> (R, bool),
    ) -> (R, bool) {
        let rest = P::LOOKS_FIRST && self.work_off(&mut inner, &mut limit);
        let (result, wake) = act(&mut inner.state);
        drop(inner);
        (result, self.work_off_rest(wake | (rest && P::WAKES), P::FOREIGN))
    }

    /// Works off what was queued while the state was held, until another thread holds the state or
    /// waits for it, the queue is empty, or `left` commands are done.
    #[inline]
    fn work_off_rest(&self, wake: bool, left: usize) -> bool {
        if P::IN_ORDER {
            fence(Ordering::SeqCst);
        }
        if !P::LOOKS_AGAIN || self.commands.is_empty() { wake } else { self.look_again(wake, left) }
    }

    #[cold]
    fn look_again(&self, mut wake: bool, mut left: usize) -> bool {
        while !self.commands.is_empty() {
            // If another thread holds the state or waits for it, that thread checks the queue.
            let Some(mut inner) = self.try_lock_for_submitter() else { break };
            let rest = self.work_off(&mut inner, &mut left);
            wake |= inner.state.leave();
            drop(inner);
            if rest {
                wake |= P::WAKES;
                break;
            }
            if P::IN_ORDER {
                fence(Ordering::SeqCst);
            }
        }
        wake
    }

    /// Works off at most `limit` commands, and subtracts them from it. Returns `true` if some are
    /// left.
    #[inline]
    fn work_off(&self, inner: &mut Inner<State>, limit: &mut usize) -> bool {
        if inner.taken.is_empty() && self.commands.is_empty() {
            return false;
        }
        self.work_off_some(inner, limit)
    }

    #[cold]
    fn work_off_some(&self, inner: &mut Inner<State>, limit: &mut usize) -> bool {
        let Inner { state, taken } = inner;
        while *limit > 0 {
            let Some((slot, command)) = self.commands.pop(taken) else { return false };
            *limit -= 1;
            self.commands.left(state.line(slot));
            state.queued(slot, command);
        }
        !taken.is_empty() || !self.commands.is_empty()
    }

    #[cold]
    fn do_errands(&self, inner: &mut Inner<State>) {
        // If the lock is taken, its holder wakes the reaper after it has stored its errand.
        let Ok(errands) = self.errands.try_lock().map(|mut errands| {
            self.any_errands.store(0, Ordering::SeqCst);
            std::mem::take(&mut *errands)
        }) else {
            return;
        };
        // An errand comes after the commands that its thread has queued before.
        let mut all = usize::MAX;
        self.work_off(inner, &mut all);
        for errand in errands {
            errand(&mut inner.state);
        }
    }

    /// Waits for the state. The second value says whether another thread held it.
    fn lock(&self) -> (MutexGuard<'_, Inner<State>>, bool) {
        if let Some(inner) = self.try_lock() {
            return (inner, false);
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let inner = self.inner.lock().even_poisoned();
        // Only now may submitters try the state again. What they have queued because this thread
        // waited is in the queue, and the thread works it off.
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        (inner, true)
    }

    /// For submitters: returns `None` also if other threads wait for the state, because they go
    /// first.
    fn try_lock_for_submitter(&self) -> Option<MutexGuard<'_, Inner<State>>> {
        if self.waiting.load(Ordering::SeqCst) != 0 {
            return None;
        }
        self.try_lock()
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Inner<State>>> {
        match self.inner.try_lock() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(inner)) => Some(inner.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Reads the state without changing it.
    #[cfg(all(test, loom))]
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.inner.lock().unwrap().state)
    }

    /// Returns the state, and whether commands were left behind.
    #[cfg(all(test, loom))]
    pub(crate) fn parts(&self) -> (State, bool)
    where
        State: Default,
    {
        let mut inner = self.inner.lock().unwrap();
        let left = !inner.taken.is_empty() || !self.commands.is_empty();
        (std::mem::take(&mut inner.state), left)
    }
}

impl<State: std::fmt::Debug, Command: std::fmt::Debug, P: std::fmt::Debug> std::fmt::Debug
    for Handover<State, Command, P>
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handover").field("commands", &self.commands).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Arc, Weak};

    use super::*;

    /// While this thread holds the state, another one queues a command in the slot of that number.
    struct Wanted {
        me: Weak<Handover<Wanted, ()>>,
        slot: u16,
        worked_off: Arc<AtomicUsize>,
    }

    impl Work<()> for Wanted {
        type Request = RequestSlot;
        type Outcome = ();
        fn slot(request: RequestSlot) -> RequestSlot {
            request
        }
        fn line(&self, _: RequestSlot) -> LineNumber {
            LineNumber(0)
        }
        fn now(&mut self, _: RequestSlot, (): ()) {}
        fn queued(&mut self, _: RequestSlot, (): ()) {
            self.worked_off.fetch_add(1, Ordering::Relaxed);
        }
        fn leave(&mut self) -> bool {
            if let Some(me) = self.me.upgrade()
                && self.slot > 0
            {
                self.slot -= 1;
                assert!(matches!(
                    me.queue(RequestSlot(self.slot), LineNumber(0), ()),
                    Submitted::Queued
                ));
            }
            false
        }
    }

    #[test]
    fn a_submitter_leaves_to_the_reaper_what_others_go_on_queueing() {
        let worked_off = Arc::new(AtomicUsize::new(0));
        let handover = Arc::<Handover<Wanted, ()>>::new_cyclic(|me| {
            let worked_off = Arc::clone(&worked_off);
            Handover::new(Wanted { me: Weak::clone(me), slot: 100, worked_off }, 101, 1)
        });
        let (submitted, wake) = handover.submit(RequestSlot(100), LineNumber(0), ());
        assert!(matches!(submitted, Submitted::Done(())));
        assert_eq!(worked_off.load(Ordering::Relaxed), FOREIGN);
        assert!(wake, "the reaper starts the rest");
        while worked_off.load(Ordering::Relaxed) < 100 {
            handover.reap(|_| (), |state| ((), state.leave()));
        }
    }

    #[test]
    fn who_had_to_wait_sees_what_it_waited_for_before_anything_else_is_done() {
        let worked_off = Arc::new(AtomicUsize::new(0));
        let wanted = Wanted { me: Weak::new(), slot: 0, worked_off: Arc::clone(&worked_off) };
        let handover = Handover::<Wanted, ()>::new(wanted, 2, 1);
        let held = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                handover.with(|_| {
                    held.store(1, Ordering::SeqCst);
                    while handover.waiting.load(Ordering::SeqCst) == 0 {
                        std::thread::yield_now();
                    }
                })
            });
            while held.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            assert!(matches!(handover.queue(RequestSlot(0), LineNumber(0), ()), Submitted::Queued));
            let mut found = None;
            let waited = |_: &Wanted| found = Some(worked_off.load(Ordering::SeqCst));
            let (done, _) = handover.reap(waited, |_| (worked_off.load(Ordering::SeqCst), false));
            assert_eq!((found, done), (Some(0), 1));
        });
    }
}
