//! What callers and the reaper share: the engine behind its hand-over, and the core of the request
//! path that knows no engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use nix::sys::eventfd::EventFd;

use crate::Time;
use crate::engine::{Context, Engine, Failure};
use crate::request::{Table, Token};

use super::clock::Clock;
use super::doze::Doze;
use super::handover::{Handover, Work};
use super::outbox::{Delivery, Outbox};

/// The part that tickets hold on to.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) table: Table,
    pub(crate) clock: Clock,
    pub(crate) doze: Doze,
    pub(crate) stopping: AtomicBool,
    kick: Option<EventFd>,
    reaper: OnceLock<ThreadId>,
    delivered: Mutex<u64>,
    progress: Condvar,
}

impl Core {
    pub(crate) fn new(table: Table, clock: Clock, kick: Option<EventFd>) -> Core {
        Core {
            table,
            clock,
            doze: Doze::new(),
            stopping: AtomicBool::new(false),
            kick,
            reaper: OnceLock::new(),
            delivered: Mutex::new(0),
            progress: Condvar::new(),
        }
    }

    /// Has the reaper look again. One system call if it sleeps, none if it is awake.
    pub(crate) fn wake(&self) {
        if self.doze.notify()
            && let Some(kick) = &self.kick
            && let Err(error) = kick.write(1)
        {
            tracing::error!(%error, "the reaper could not be woken");
        }
    }

    /// Names the calling thread as the reaper.
    pub(crate) fn become_reaper(&self) {
        let _ = self.reaper.set(thread::current().id());
    }

    pub(crate) fn is_reaper(&self) -> bool {
        self.reaper.get() == Some(&thread::current().id())
    }

    /// All rounds up to this one have been delivered.
    pub(crate) fn delivered(&self, round: u64) {
        *self.delivered.lock().unwrap_or_else(PoisonError::into_inner) = round;
        self.progress.notify_all();
    }

    /// Waits until that round has been delivered; `false` if it was not by then.
    pub(crate) fn wait_delivered(&self, round: u64, until: Instant) -> bool {
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        while *delivered < round {
            let left = until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return false;
            }
            delivered = self
                .progress
                .wait_timeout(delivered, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// A command on its way into the engine.
pub(crate) struct Start<Command> {
    pub(crate) request: Token,
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Failed(Failure),
}

/// The engine and all that is changed while it is held.
pub(crate) struct State<E: Engine> {
    engine: E,
    core: Arc<Core>,
    outbox: Outbox<E::Event>,
    /// Requests started since the reaper last looked.
    started: Vec<Token>,
    earliest: Time,
    /// The reaper looks again by then, whatever happens.
    pub(crate) looks_by: Time,
    /// Rounds of delivery taken so far.
    round: u64,
    phase: Phase,
}

impl<E: Engine> State<E> {
    fn new(engine: E, core: Arc<Core>) -> Self {
        let outbox = Outbox::new(engine.lines());
        let started = Vec::with_capacity(core.table.capacity());
        State {
            engine,
            core,
            outbox,
            started,
            earliest: Time::NEVER,
            looks_by: Time::NEVER,
            round: 0,
            phase: Phase::Running,
        }
    }

    /// Calls into the engine. A panic ends the engine, not the thread: from then on every request
    /// fails and the caller gets `None`.
    pub(crate) fn call<R>(
        &mut self,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event>) -> R,
    ) -> Option<R> {
        if self.phase != Phase::Running {
            return None;
        }
        let now = self.core.clock.now();
        let mut cx = Context { now, table: &self.core.table, outbox: &mut self.outbox };
        let engine = &mut self.engine;
        let result = catch_unwind(AssertUnwindSafe(|| act(engine, &mut cx)));
        if result.is_err() {
            tracing::error!("the engine panicked; every request on this card fails from now on");
            self.fail(Failure::Internal);
        }
        result.ok()
    }

    /// From now on there is no engine; every running request ends with this cause.
    pub(crate) fn fail(&mut self, cause: Failure) {
        if self.phase == Phase::Running {
            self.phase = Phase::Failed(cause);
        }
        self.end_running(cause);
    }

    /// Ends one request: the engine may clean up and choose the result.
    pub(crate) fn end(&mut self, request: Token, cause: Failure) -> bool {
        if !self.core.table.is_running(request) {
            return false;
        }
        self.call(|engine, cx| engine.ended(request, cause, cx));
        let core = Arc::clone(&self.core);
        self.outbox.complete(&core.table, request, E::failure(cause), core.clock.now());
        true
    }

    /// Ends all that still run.
    pub(crate) fn end_running(&mut self, cause: Failure) {
        let core = Arc::clone(&self.core);
        for request in core.table.running() {
            self.end(request, cause);
        }
    }

    /// The card is gone: the engine says what it has to say, the rest fails.
    pub(crate) fn gone(&mut self) {
        self.call(Engine::gone);
        self.end_running(Failure::Gone);
    }

    /// The last call of the engine: safe state, everything settled.
    pub(crate) fn stop(&mut self) {
        self.call(Engine::stop);
        self.fail(Failure::Closed);
    }

    /// Runs the timer if its time has come, then takes one round of deliveries and what was started.
    pub(crate) fn look(
        &mut self,
        interval: Duration,
        batch: &mut Vec<Delivery<E::Event>>,
        started: &mut Vec<Token>,
    ) -> u64 {
        let now = self.core.clock.now();
        if self.phase == Phase::Running && self.engine.next_timer() <= now {
            self.call(Engine::timer);
        }
        self.outbox.take(&self.core.table, batch);
        started.append(&mut self.started);
        self.earliest = Time::NEVER;
        self.looks_by = self.next_timer().min(now + interval);
        self.outbox.take_wake();
        if !batch.is_empty() {
            self.round += 1;
        }
        self.round
    }

    /// What a caller must wait for so that all that is deliverable on the line now is delivered.
    pub(crate) fn settled_by(&self, line: usize) -> (bool, u64) {
        let waits = self.outbox.is_deliverable(&self.core.table, line);
        (waits, self.round + u64::from(waits))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    fn next_timer(&self) -> Time {
        if self.phase == Phase::Running { self.engine.next_timer() } else { Time::NEVER }
    }

    fn start(&mut self, start: Start<E::Command>) -> Result<(), i32> {
        let Start { request, command } = start;
        if let Phase::Failed(cause) = self.phase {
            return Err(E::failure(cause));
        }
        // Ended while it was queued.
        if !self.core.table.is_running(request) {
            return Ok(());
        }
        let started = self.call(|engine, cx| engine.start(request, command, cx));
        started.unwrap_or(Err(E::failure(Failure::Internal)))?;
        if self.core.table.is_running(request) {
            self.earliest = self.earliest.min(self.core.table.deadline(request));
            self.started.push(request);
        }
        Ok(())
    }
}

impl<E: Engine> Work<Start<E::Command>> for State<E> {
    type Outcome = Result<(), i32>;

    fn now(&mut self, start: Start<E::Command>) -> Self::Outcome {
        self.start(start)
    }

    fn queued(&mut self, start: Start<E::Command>) {
        let request = start.request;
        if let Err(result) = self.start(start) {
            let core = Arc::clone(&self.core);
            self.outbox.complete(&core.table, request, result, core.clock.now());
        }
    }

    fn leave(&mut self) -> bool {
        self.outbox.take_wake() || self.earliest.min(self.next_timer()) < self.looks_by
    }
}

/// One card, shared by all its handles and its reaper.
pub(crate) struct Card<E: Engine> {
    pub(crate) core: Arc<Core>,
    pub(crate) lines: usize,
    pub(crate) state: Handover<State<E>, Start<E::Command>>,
}

impl<E: Engine> Card<E> {
    pub(crate) fn new(engine: E, core: Core) -> Card<E> {
        let core = Arc::new(core);
        let room = core.table.capacity();
        let state = State::new(engine, Arc::clone(&core));
        Card { lines: state.outbox.lines(), state: Handover::new(state, room), core }
    }

    /// Does something while the card is held, then wakes the reaper if that needs it.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut State<E>) -> R) -> R {
        let (result, wake) = self.state.with(act);
        if wake {
            self.core.wake();
        }
        result
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.core.stopping.load(Ordering::Acquire)
    }
}
