//! One card, shared by all its handles and its reaper: the only way to its state.

use std::sync::{Arc, Mutex, mpsc};

use crate::Time;
use crate::engine::Engine;
use crate::report;
use crate::request::{LineNumber, Token};
use crate::sync::EvenPoisoned;

use super::core::Core;
use super::handover::{Handover, Submitted};
use super::state::{Refusal, State};
use super::{SETTLE_LIMIT, SLOW};

/// The engine behind its hand-over. What a thread logs while it holds the card is written after it
/// has unlocked the card.
pub(crate) struct Card<E: Engine> {
    pub(crate) core: Arc<Core>,
    pub(crate) lines: usize,
    state: Handover<State<E>, E::Command>,
}

impl<E: Engine> Card<E> {
    pub(crate) fn new(engine: E, core: Core) -> Card<E> {
        let core = Arc::new(core);
        let capacity = core.table.capacity();
        let state = State::new(engine, Arc::clone(&core));
        let lines = state.outbox.lines();
        Card { lines, state: Handover::new(state, capacity, lines), core }
    }

    /// Starts a command here if the card is free and the calling thread may hold it; otherwise
    /// queues it.
    #[inline]
    pub(crate) fn submit(
        &self,
        line: LineNumber,
        request: Token,
        command: E::Command,
        may_hold: bool,
    ) -> Submitted<Result<(), Refusal>> {
        let (submitted, wake) = if may_hold && !report::is_holding() {
            let _held = report::hold();
            self.state.submit(request, line, command)
        } else {
            (self.state.queue(request, line, command), true)
        };
        if wake {
            self.core.wake();
        }
        submitted
    }

    /// Holds the card and runs `act`, after all commands that were queued before, then wakes the
    /// reaper if necessary. Must not be called by a thread that holds a card already.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State<E>) -> R) -> R {
        let _held = report::hold();
        let (result, wake) = self.state.with(act);
        if wake {
            self.core.wake();
        }
        result
    }

    /// Like [`Card::with`], but the reaper runs `act`: for a thread that may not hold the card. If
    /// the reaper does not run it within two seconds, because an upcall does not return, this
    /// thread runs it after all. `None` if `act` panicked on the reaper's thread.
    pub(crate) fn with_by_reaper<R: Send + 'static>(
        &self,
        act: impl FnOnce(&mut State<E>) -> R + Send + 'static,
    ) -> Option<R> {
        // Either the reaper or, after the limit, this thread takes it out and runs it.
        let errand = Arc::new(Mutex::new(Some(act)));
        let (tell, told) = mpsc::sync_channel(1);
        let taken = {
            let errand = Arc::clone(&errand);
            move || errand.lock().even_poisoned().take()
        };
        self.state.errand(Box::new(move |state| {
            if let Some(act) = taken() {
                let _ = tell.send(act(state));
            }
        }));
        self.core.wake();
        loop {
            match told.recv_timeout(SETTLE_LIMIT) {
                Ok(result) => return Some(result),
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            let act = errand.lock().even_poisoned().take();
            if let Some(act) = act {
                return Some(self.with(act));
            }
        }
    }

    /// Like [`Card::with`], for the reaper, which needs no wake-up. The second value of `act` asks
    /// for another look, and so does that of the result. `now` is the time at which the reaper
    /// began to wait for the card.
    pub(crate) fn reap<R>(
        &self,
        now: Time,
        act: impl FnOnce(&mut State<E>) -> (R, bool),
    ) -> (R, bool) {
        let _held = report::hold();
        self.state.reap(|state| self.name_holder(now, state), act)
    }

    /// Logs the command for which another thread held the card, if that took long.
    #[cold]
    fn name_holder(&self, before: Time, state: &State<E>) {
        let took = self.core.clock.now() - before;
        if took <= SLOW {
            return;
        }
        let (core, text) = (&self.core, "for a thread that was in the engine");
        let last = state.last.and_then(|last| Some((core.table.id(last)?, core.table.line(last)?)));
        if let Some((id, line)) = last {
            report!(
                WARN,
                "the reaper waited {took:?} {text}; the request that was started last is {id} of \
                 line {line}"
            );
        } else {
            report!(WARN, "the reaper waited {took:?} {text}");
        }
    }

    /// Like [`Card::reap`], but returns `None` at once if another thread holds the card.
    pub(crate) fn try_reap<R>(
        &self,
        act: impl FnOnce(&mut State<E>) -> (R, bool),
    ) -> Option<(R, bool)> {
        let _held = report::hold();
        self.state.try_reap(act)
    }

    /// Holds the card and runs `act`. All commands are refused from then on.
    pub(crate) fn close<R>(&self, act: impl FnOnce(&mut State<E>) -> R) -> R {
        let _held = report::hold();
        let (result, wake) = self.state.close(act);
        if wake {
            self.core.wake();
        }
        result
    }
}
