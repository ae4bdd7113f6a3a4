//! The hand-over of a command to a busy card: nobody waits, and no command is left behind.
//!
//! The state is behind one mutex. Who finds it free works on it; who finds it busy leaves the
//! command in the queue, and whoever holds the state works the queue off before leaving for good.
//! "For good" is the point: a command queued between the holder's last look and its unlocking is
//! found because the holder looks again after unlocking, and its submitter tries again after
//! queueing. One of the two succeeds; the fences make that true on weakly ordered memory as well.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{PoisonError, TryLockError};

use crate::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, fence};

/// What is done with the state while it is held.
pub(crate) trait Work<Command> {
    /// What working a command off directly gives its submitter.
    type Outcome;
    /// Works a command off for the submitter who waits for the outcome.
    fn now(&mut self, command: Command) -> Self::Outcome;
    /// Works a command off that was queued; its submitter has gone.
    fn queued(&mut self, command: Command);
    /// Called before unlocking: whether the reaper must be woken once the state is free.
    fn leave(&mut self) -> bool;
}

/// Whether the holder looks at the queue again after unlocking; a parameter so that the models can
/// show that it must.
pub(crate) trait Parting {
    /// It does.
    const LOOKS_AGAIN: bool;
}

/// The parting in use.
#[derive(Debug)]
pub(crate) struct Careful;

impl Parting for Careful {
    const LOOKS_AGAIN: bool = true;
}

/// State behind a mutex with a queue in front of it.
#[derive(Debug)]
pub(crate) struct Handover<State, Command, P = Careful> {
    state: Mutex<State>,
    queue: Mutex<VecDeque<Command>>,
    waiting: AtomicUsize,
    parting: PhantomData<fn() -> P>,
}

impl<Command, State: Work<Command>, P: Parting> Handover<State, Command, P> {
    /// Up to `room` commands are queued at a time; the first 256 without allocating.
    pub(crate) fn new(state: State, room: usize) -> Self {
        Handover {
            state: Mutex::new(state),
            queue: Mutex::new(VecDeque::with_capacity(room.min(256))),
            waiting: AtomicUsize::new(0),
            parting: PhantomData,
        }
    }

    /// Works the command off at once and gives the outcome, or queues it behind the others if the
    /// state is busy (`None`). Never waits for the state. The second value says whether the reaper
    /// must be woken.
    pub(crate) fn submit(&self, command: Command) -> (Option<State::Outcome>, bool) {
        let Some(mut state) = self.try_lock() else {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push_back(command);
            self.waiting.fetch_add(1, Ordering::SeqCst);
            drop(queue);
            return (None, self.work_off_rest(false));
        };
        self.work_off(&mut state);
        let outcome = state.now(command);
        let wake = state.leave();
        drop(state);
        (Some(outcome), self.work_off_rest(wake))
    }

    /// Does something with the state that can't be queued; waits for whoever holds it. The second
    /// value says whether the reaper must be woken.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> (R, bool) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.act(state, act)
    }

    /// As [`Handover::with`], but `None` at once if somebody holds the state.
    pub(crate) fn try_with<R>(&self, act: impl FnOnce(&mut State) -> R) -> Option<(R, bool)> {
        Some(self.act(self.try_lock()?, act))
    }

    fn act<R>(
        &self,
        mut state: MutexGuard<'_, State>,
        act: impl FnOnce(&mut State) -> R,
    ) -> (R, bool) {
        self.work_off(&mut state);
        let result = act(&mut state);
        let wake = state.leave();
        drop(state);
        (result, self.work_off_rest(wake))
    }

    /// Works off what was queued while the state was held, until it is held by another or the queue
    /// is empty.
    fn work_off_rest(&self, mut wake: bool) -> bool {
        loop {
            fence(Ordering::SeqCst);
            if !P::LOOKS_AGAIN || self.waiting.load(Ordering::SeqCst) == 0 {
                break;
            }
            // Busy again: then its holder comes by here after unlocking.
            let Some(mut state) = self.try_lock() else { break };
            self.work_off(&mut state);
            wake |= state.leave();
        }
        wake
    }

    fn work_off(&self, state: &mut State) {
        while self.waiting.load(Ordering::Acquire) != 0 {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(command) = next else { return };
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            state.queued(command);
        }
    }

    /// The state and how many commands were left behind.
    #[cfg(all(test, loom))]
    pub(crate) fn parts(&self) -> (State, usize)
    where
        State: Default,
    {
        let mut state = self.state.lock().unwrap();
        (std::mem::take(&mut *state), self.waiting.load(Ordering::SeqCst))
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
