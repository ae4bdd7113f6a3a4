//! What callers and the reaper share: the engine behind its hand-over, and the core of the request
//! path that knows no engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use nix::sys::eventfd::EventFd;

use crate::Time;
use crate::engine::{Context, Engine, Failure};
use crate::request::{RequestId, Table, Token};
use crate::sync::OwnLine;

use super::LOOK_INTERVAL;
use super::bits::Bits;
use super::clock::Clock;
use super::doze::Doze;
use super::handover::{Handover, Work};
use super::outbox::{BATCH, Delivery, Outbox};
use super::samples::{Order, Sound};

/// The part that tickets hold on to.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) table: Table,
    pub(crate) clock: Clock,
    /// Written by the reaper in each of its turns; what stands around it is read by every caller.
    pub(crate) doze: OwnLine<Doze>,
    pub(crate) stopping: AtomicBool,
    kick: Option<EventFd>,
    reaper: OnceLock<ThreadId>,
    delivered: Mutex<Delivered>,
    progress: Condvar,
}

/// How far delivery has come, as far as anybody wanted to know.
#[derive(Debug, Default)]
struct Delivered {
    round: u64,
    /// The reaper has ended.
    over: bool,
}

impl Core {
    pub(crate) fn new(table: Table, clock: Clock, kick: Option<EventFd>) -> Core {
        Core {
            table,
            clock,
            doze: OwnLine(Doze::new()),
            stopping: AtomicBool::new(false),
            kick,
            reaper: OnceLock::new(),
            delivered: Mutex::default(),
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

    /// All rounds up to this one have been delivered, and somebody waits to hear that.
    pub(crate) fn delivered(&self, round: u64) {
        self.tell(|delivered| delivered.round = round);
    }

    /// The reaper has ended; nothing is delivered any more.
    pub(crate) fn over(&self) {
        self.tell(|delivered| delivered.over = true);
    }

    fn tell(&self, what: impl FnOnce(&mut Delivered)) {
        what(&mut self.delivered.lock().unwrap_or_else(PoisonError::into_inner));
        self.progress.notify_all();
    }

    /// Waits until that round has been delivered.
    pub(crate) fn wait_delivered(&self, round: u64, until: Instant) -> Wait {
        let delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        let waits = |delivered: &mut Delivered| delivered.round < round && !delivered.over;
        let (delivered, _) = self
            .progress
            .wait_timeout_while(delivered, left, waits)
            .unwrap_or_else(PoisonError::into_inner);
        match *delivered {
            Delivered { round: delivered, .. } if delivered >= round => Wait::Delivered,
            Delivered { over: true, .. } => Wait::Over,
            Delivered { over: false, .. } => Wait::TimedOut,
        }
    }
}

/// How waiting for a round has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Delivered,
    Over,
    TimedOut,
}

/// A command on its way into the engine.
pub(crate) struct Start<Command> {
    pub(crate) request: Token,
    pub(crate) command: Command,
    /// When it was submitted.
    pub(crate) now: Time,
    pub(crate) deadline: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Failed(Failure),
}

/// A deadline that the ring is to keep, or to forget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) request: Token,
    pub(crate) id: RequestId,
    pub(crate) at: Time,
}

/// What a look at the card has found, to be acted upon when the card is free again.
#[derive(Debug)]
pub(crate) struct Found<Event> {
    pub(crate) batch: Vec<Delivery<Event>>,
    pub(crate) arm: Vec<Deadline>,
    pub(crate) disarm: Vec<Deadline>,
    /// What the engine wants of ports.
    pub(crate) orders: Vec<Order>,
    /// Somebody waits to hear that all rounds up to this one have been delivered.
    pub(crate) settled: Option<u64>,
    /// Look again by then.
    pub(crate) until: Time,
    /// The time of the look.
    pub(crate) now: Time,
}

impl<Event> Found<Event> {
    pub(crate) fn new() -> Self {
        Found {
            batch: Vec::with_capacity(BATCH),
            arm: Vec::new(),
            disarm: Vec::new(),
            orders: Vec::new(),
            settled: None,
            until: Time::ZERO,
            now: Time::ZERO,
        }
    }
}

/// What came up the ring since the last look.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// The card interrupted.
    pub(crate) interrupted: bool,
    /// What came of ports.
    pub(crate) sounds: Vec<Sound>,
    /// Buffers of samples to be used again.
    pub(crate) spare: Vec<Vec<u8>>,
    /// Requests whose alarms went off.
    pub(crate) expired: Vec<Token>,
    /// The interrupt file failed.
    pub(crate) gone: bool,
}

/// The engine and all that is changed while it is held.
pub(crate) struct State<E: Engine> {
    engine: E,
    core: Arc<Core>,
    outbox: Outbox<E::Event>,
    /// By slot: running under no alarm yet.
    young: Bits,
    /// By slot: the ring keeps its deadline.
    armed: Bits,
    /// The nearest deadline of the young.
    earliest: Time,
    /// When the young are armed.
    sweep: Time,
    /// The reaper looks again by then, whatever happens.
    pub(crate) looks_by: Time,
    /// Rounds of delivery taken so far.
    round: u64,
    /// The last round that somebody waits for.
    awaited: u64,
    /// The latest time that the engine was told: it never goes back.
    now: Time,
    phase: Phase,
}

impl<E: Engine> State<E> {
    fn new(engine: E, core: Arc<Core>) -> Self {
        let outbox = Outbox::new(engine.lines());
        let capacity = core.table.capacity();
        State {
            engine,
            core,
            outbox,
            young: Bits::none(capacity),
            armed: Bits::none(capacity),
            earliest: Time::NEVER,
            sweep: Time::ZERO,
            looks_by: Time::NEVER,
            round: 0,
            awaited: 0,
            now: Time::ZERO,
            phase: Phase::Running,
        }
    }

    /// Calls into the engine. A panic ends the engine, not the thread: from then on every request
    /// fails and the caller gets `None`.
    pub(crate) fn call<R>(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event>) -> R,
    ) -> Option<R> {
        if self.phase != Phase::Running {
            return None;
        }
        self.now = self.now.max(now);
        let mut cx = Context { now: self.now, table: &self.core.table, outbox: &mut self.outbox };
        let engine = &mut self.engine;
        let result = catch_unwind(AssertUnwindSafe(|| act(engine, &mut cx)));
        if result.is_err() {
            tracing::error!("the engine panicked; every request on this card fails from now on");
            self.fail(Failure::Internal);
        }
        result.ok()
    }

    /// As [`State::call`], for those who have not looked at the clock.
    pub(crate) fn call_now<R>(
        &mut self,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event>) -> R,
    ) -> Option<R> {
        let now = self.core.clock.now();
        self.call(now, act)
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
        self.call_now(|engine, cx| engine.ended(request, cause, cx));
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

    /// The last call of the engine: safe state, everything settled.
    pub(crate) fn stop(&mut self) {
        self.call_now(Engine::stop);
        self.fail(Failure::Closed);
    }

    /// Tells the engine what has arrived.
    pub(crate) fn arrived(&mut self, arrived: &mut Arrived, now: Time) {
        if std::mem::take(&mut arrived.interrupted) {
            self.call(now, Engine::interrupt);
        }
        for sound in arrived.sounds.drain(..) {
            match sound {
                Sound::Received { port, samples, length } => {
                    let samples = samples.get(..length).unwrap_or(&samples);
                    self.call(now, |engine, cx| engine.received(port, samples, cx));
                }
                Sound::Played { port, play, played } => {
                    self.call(now, |engine, cx| engine.played(port, play, played, cx));
                }
            }
        }
        self.outbox.orders.spare.append(&mut arrived.spare);
        // After the interrupt: what the card has done in time has ended in time.
        for request in arrived.expired.drain(..) {
            self.armed.clear(request.slot());
            self.end(request, Failure::Deadline);
        }
        if std::mem::take(&mut arrived.gone) {
            // The engine says what it has to say, the rest fails.
            self.call(now, Engine::gone);
            self.end_running(Failure::Gone);
        }
    }

    /// Has the engine look without an interrupt. `true` if that gave something to deliver.
    pub(crate) fn poll(&mut self, now: Time) -> bool {
        self.call(now, Engine::poll);
        self.outbox.wakes()
    }

    /// Runs the timer if its time has come, then takes one round of deliveries, and the deadlines
    /// that the ring has to know of.
    pub(crate) fn look(&mut self, now: Time, found: &mut Found<E::Event>) {
        if self.phase == Phase::Running && self.engine.next_timer() <= now {
            self.call(now, Engine::timer);
        }
        // Whoever looks has delivered what it took before.
        found.settled = (self.awaited != 0).then_some(self.round);
        if self.awaited <= self.round {
            self.awaited = 0;
        }
        let (young, armed) = (&mut self.young, &mut self.armed);
        self.outbox.take(&self.core.table, &mut found.batch, |request, completion| {
            young.clear(request.slot());
            if armed.clear(request.slot()) {
                found.disarm.push(Deadline { request, id: completion.id, at: Time::NEVER });
            }
        });
        self.round += u64::from(!found.batch.is_empty());
        if self.earliest < self.sweep || self.sweep <= now {
            self.arm_young(&mut found.arm);
            self.earliest = Time::NEVER;
            self.sweep = now + LOOK_INTERVAL;
        }
        found.orders.append(&mut self.outbox.orders.given);
        self.looks_by = self.next_timer().min(self.sweep);
        self.outbox.take_wake();
        (found.until, found.now) = (self.looks_by, now);
    }

    fn arm_young(&mut self, arm: &mut Vec<Deadline>) {
        let (table, armed) = (&self.core.table, &mut self.armed);
        self.young.drain(|slot| {
            if let Some(request) = table.running_in(slot)
                && let Some(id) = table.id(request)
            {
                armed.set(slot);
                arm.push(Deadline { request, id, at: table.deadline(request) });
            }
        });
    }

    /// What a caller must wait for so that all that is deliverable on the line now is delivered;
    /// with `announce`, the reaper tells when it is.
    pub(crate) fn settled_by(&mut self, line: usize, announce: bool) -> (bool, u64) {
        let waits = self.outbox.is_deliverable(&self.core.table, line);
        let round = self.round + u64::from(waits);
        if announce {
            self.awaited = self.awaited.max(round);
        }
        (waits, round)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    fn next_timer(&self) -> Time {
        if self.phase == Phase::Running { self.engine.next_timer() } else { Time::NEVER }
    }

    fn start(&mut self, start: Start<E::Command>) -> Result<(), i32> {
        let Start { request, command, now, deadline } = start;
        if let Phase::Failed(cause) = self.phase {
            return Err(E::failure(cause));
        }
        // Ended before it began, with all others or while it was queued.
        if !self.core.table.is_running(request) {
            return Ok(());
        }
        let started = self.call(now, |engine, cx| engine.start(request, command, cx));
        started.unwrap_or(Err(E::failure(Failure::Internal)))?;
        if self.core.table.is_running(request) {
            self.earliest = self.earliest.min(deadline);
            self.young.set(request.slot());
        }
        Ok(())
    }
}

impl<E: Engine> Work<Start<E::Command>> for State<E> {
    type Outcome = Result<(), i32>;

    fn now(&mut self, start: Start<E::Command>) -> Self::Outcome {
        self.start(start)
    }

    fn queued(&mut self, mut start: Start<E::Command>) {
        let request = start.request;
        start.now = self.core.clock.now();
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
}
