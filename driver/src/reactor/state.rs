//! The engine, its outbox and its deadlines: everything that is changed while the card is held.

use std::sync::Arc;
use std::time::Duration;

use crate::Time;
use crate::engine::{Context, Effects, Engine, Failure, Payload};
use crate::guard::{contain, discard};
use crate::report;
use crate::request::{ErrorCode, LineNumber, RequestSlot, Token};

use super::arrived::{Arrived, Sound};
use super::complaints::{self, Complaints};
use super::core::Core;
use super::deadlines::{Deadline, Deadlines};
use super::found::Found;
use super::handover::Work;
use super::mark::Signal;
use super::outbox::Outbox;
use super::{LOOK_INTERVAL, PATIENCE};

/// How long a timer is delayed that is due again at once.
const TIMER_PAUSE: Duration = Duration::from_millis(1);

/// One of this many commands is timed, to find an engine that is slow to start them.
const TIMED: u32 = 16;

/// Why a command was not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The engine's error.
    Rejected(ErrorCode),
    /// The engine has ended, or the request was ended before it was started.
    Ended(Failure),
}

/// Something is left that will not be delivered any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undeliverable;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Ended(Failure),
}

/// The engine and everything that is changed while the card is held.
pub(crate) struct State<E: Engine> {
    /// `None` once the reaper has ended, so that everything the engine held open is closed.
    engine: Option<E>,
    core: Arc<Core>,
    pub(crate) outbox: Outbox<E::Event, E::Output>,
    deadlines: Deadlines,
    /// Requests that were ended before they were started, and why.
    doomed: Vec<(Token, Failure)>,
    /// When to check next for held tickets and too many interrupts.
    complains: Time,
    /// Latest time of the reaper's next look.
    pub(crate) looks_by: Time,
    /// The engine's timer is not called before this time.
    timer_pause: Time,
    /// The latest time that was passed to the engine, so that its time never goes back.
    now: Time,
    phase: Phase,
    complaints: Complaints,
    /// Number of commands started; see [`TIMED`].
    started: u32,
    /// The request that was started last, which is logged if the card was held for long.
    pub(crate) last: Option<Token>,
}

impl<E: Engine> State<E> {
    pub(crate) fn new(engine: E, core: Arc<Core>) -> Self {
        let outbox = Outbox::new(engine.lines());
        let capacity = core.table.capacity();
        State {
            engine: Some(engine),
            core,
            outbox,
            deadlines: Deadlines::new(capacity),
            doomed: Vec::new(),
            complains: Time::ZERO,
            looks_by: Time::NEVER,
            timer_pause: Time::ZERO,
            now: Time::ZERO,
            phase: Phase::Running,
            complaints: Complaints::default(),
            started: 0,
            last: None,
        }
    }

    /// Why the engine has ended; `None` while it runs.
    pub(crate) fn ended(&self) -> Option<Failure> {
        match self.phase {
            Phase::Running => None,
            Phase::Ended(cause) => Some(cause),
        }
    }

    /// Calls into the engine. A panic ends the engine, not the thread: every request fails, the
    /// hardware is stopped, and the caller gets `None`.
    pub(crate) fn call<R>(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event, E::Output>) -> R,
    ) -> Option<R> {
        if self.phase == Phase::Running { self.call_running(now, act) } else { None }
    }

    /// Like [`State::call`], for callers that have checked that the engine runs.
    #[inline]
    fn call_running<R>(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event, E::Output>) -> R,
    ) -> Option<R> {
        match self.attempt(now, act)? {
            Ok(result) => Some(result),
            Err(text) => {
                report!(ERROR, "the engine panicked ({text}); the card is stopped");
                self.end(Failure::Internal);
                None
            }
        }
    }

    /// Like [`State::call`], for callers that have not read the clock.
    pub(crate) fn call_now<R>(
        &mut self,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event, E::Output>) -> R,
    ) -> Option<R> {
        let now = self.core.clock.now();
        self.call(now, act)
    }

    /// Calls into the engine in any phase; returns the text of a panic to the caller.
    #[inline]
    fn attempt<R>(
        &mut self,
        now: Time,
        act: impl FnOnce(&mut E, &mut Context<'_, E::Event, E::Output>) -> R,
    ) -> Option<Result<R, String>> {
        self.now = self.now.max(now);
        let engine = self.engine.as_mut()?;
        let mut cx = Context { now: self.now, table: &self.core.table, effects: &mut self.outbox };
        Some(contain(|| act(engine, &mut cx)))
    }

    /// Ends the engine: puts its hardware into the safe state and completes every running request.
    /// Every command fails with this cause from now on. A second call has no effect.
    pub(crate) fn end(&mut self, cause: Failure) {
        if self.phase != Phase::Running {
            return;
        }
        // From now on there is no other call into the engine.
        self.phase = Phase::Ended(cause);
        let now = self.core.clock.now();
        let mut cause = cause;
        if let Some(Err(text)) = self.attempt(now, Engine::stop) {
            report!(ERROR, "the engine panicked while it stopped ({text})");
            cause = Failure::Internal;
            self.phase = Phase::Ended(cause);
        }
        self.end_running(cause);
        // This may be any thread. The reaper delivers what is left, and makes the last upcall.
        self.core.stop(cause);
    }

    /// Drops the engine, and with it everything that it holds open: the reaper's last act. Returns
    /// why the card has ended.
    pub(crate) fn bury(&mut self) -> Failure {
        self.end(Failure::Closed);
        discard(self.engine.take());
        self.outbox.give_up(&self.core.table);
        self.ended().unwrap_or(Failure::Closed)
    }

    /// Ends one request. The engine may clean up and choose the result.
    pub(crate) fn end_request(&mut self, request: Token, cause: Failure) -> bool {
        if !self.core.table.owns(request) || !self.core.table.is_running(request) {
            return false;
        }
        if !self.deadlines.has(request.slot()) {
            // The request was not started yet, so that its slot stays in use until its command
            // leaves the queue.
            if !self.doomed.iter().any(|(doomed, _)| *doomed == request) {
                // Requests that were refused in the meantime will never be taken from the queue.
                let table = &self.core.table;
                self.doomed.retain(|(doomed, _)| table.is_running(*doomed));
                self.doomed.push((request, cause));
            }
            return true;
        }
        self.call_now(|engine, cx| engine.ended(request, cause, cx));
        let core = Arc::clone(&self.core);
        let result = Err(self.failure(cause));
        self.outbox.complete(&core.table, request, result, E::Output::NONE, core.clock.now());
        true
    }

    /// Returns the engine's result for a failure. May be called after the engine has panicked.
    #[cold]
    fn failure(&mut self, cause: Failure) -> ErrorCode {
        contain(|| E::failure(cause)).unwrap_or_else(|text| {
            if self.phase == Phase::Running {
                report!(ERROR, "the engine panicked in failure ({text}); the card is stopped");
                self.end(Failure::Internal);
            }
            ErrorCode::UNKNOWN
        })
    }

    /// Ends all requests that still run.
    fn end_running(&mut self, cause: Failure) {
        let core = Arc::clone(&self.core);
        for request in core.table.running() {
            // A request that is not started yet fails when its command is taken from the queue.
            if self.deadlines.has(request.slot()) {
                self.end_request(request, cause);
            }
        }
    }

    /// Passes what has arrived to the engine.
    pub(crate) fn arrived(&mut self, arrived: &mut Arrived, now: Time) {
        if std::mem::take(&mut arrived.interrupted) {
            self.complaints.interrupted();
            self.call(now, Engine::interrupt);
        }
        if !arrived.is_empty() {
            self.arrived_besides(arrived, now);
        }
    }

    #[inline(never)]
    fn arrived_besides(&mut self, arrived: &mut Arrived, now: Time) {
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
        for request in arrived.unarmed.drain(..) {
            self.deadlines.refused(request.slot(), self.core.table.is_running(request));
        }
        // This comes after the interrupt, so that an operation that the card has finished in time
        // does not expire.
        for request in arrived.expired.drain(..) {
            if self.core.table.is_running(request)
                && let (Some(id), Some(line)) =
                    (self.core.table.id(request), self.core.table.line(request))
            {
                report!(WARN, "request {id} of line {line} is ended: its time limit has passed");
            }
            self.end_request(request, Failure::Deadline);
            self.deadlines.expired(request.slot());
        }
        if std::mem::take(&mut arrived.gone) {
            // The engine completes what it can, and the rest fails.
            self.call(now, Engine::gone);
            self.end_running(Failure::Gone);
        }
    }

    /// Lets the engine poll its hardware. Returns whether there is something to deliver.
    pub(crate) fn poll(&mut self, now: Time) -> bool {
        self.call(now, Engine::poll);
        self.outbox.wakes()
    }

    /// Runs the timer if its time has come, then takes one round of deliveries, and the deadlines
    /// that the ring has to keep.
    pub(crate) fn look(&mut self, now: Time, found: &mut Found<E::Event, E::Output>) {
        let mut timer = self.next_timer();
        if timer <= now {
            self.call(now, Engine::timer);
            timer = self.next_timer();
            let again = timer <= now;
            if again {
                // Without a pause this thread would do nothing but call the timer.
                self.timer_pause = now + TIMER_PAUSE;
                timer = self.timer_pause;
            }
            self.complaints.timer(again);
        }
        let (table, deadlines) = (&self.core.table, &mut self.deadlines);
        (found.round, found.more) =
            self.outbox.take(table, &mut found.batch, &mut found.marks, |request, completion| {
                if deadlines.over(request.slot()) {
                    found.disarm.push(Deadline { request, id: completion.id, at: Time::NEVER });
                }
            });
        self.deadlines.arm(table, now, &mut found.arm);
        if self.complains <= now {
            self.complain(now);
            self.complains = now + LOOK_INTERVAL;
        }
        if !self.outbox.orders.given.is_empty() {
            found.orders.append(&mut self.outbox.orders.given);
        }
        self.looks_by = timer.min(self.deadlines.sweep());
        self.outbox.take_wake();
        (found.until, found.now) = (self.looks_by, now);
    }

    /// Logs held tickets and too many interrupts, which would otherwise go unnoticed.
    fn complain(&mut self, now: Time) {
        if let Some(since) = now.as_nanos().checked_sub(PATIENCE.as_nanos() as u64) {
            self.outbox.complain(&self.core.table, Time::from_nanos(since));
        }
        self.complaints.interval();
    }

    fn next_timer(&mut self) -> Time {
        let Some(engine) = self.engine.as_ref().filter(|_| self.phase == Phase::Running) else {
            return Time::NEVER;
        };
        match contain(|| engine.next_timer()) {
            Ok(at) => at.max(self.timer_pause),
            Err(text) => {
                report!(ERROR, "the engine panicked in next_timer ({text}); the card is stopped");
                self.end(Failure::Internal);
                Time::NEVER
            }
        }
    }

    /// Returns the signal to wait for until everything deliverable on the line is delivered; `None`
    /// if it is delivered already.
    ///
    /// # Errors
    /// The reaper has ended, and something is left that will not be delivered.
    pub(crate) fn mark(&mut self, line: LineNumber) -> Result<Option<Arc<Signal>>, Undeliverable> {
        if self.engine.is_some() {
            return Ok(self.outbox.mark(&self.core.table, line, self.core.latest_delivered()));
        }
        let left = self.outbox.is_deliverable(&self.core.table, line);
        if left { Err(Undeliverable) } else { Ok(None) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Stops waiting for held tickets. Returns `true` if nothing is left that may be delivered.
    pub(crate) fn pass_held(&mut self) -> bool {
        !self.outbox.pass_held(&self.core.table)
    }

    #[inline]
    fn start(&mut self, request: Token, command: E::Command, now: Time) -> Result<(), Refusal> {
        if let Some(cause) = self.ended().or_else(|| self.doom(request)) {
            discard(command);
            return Err(Refusal::Ended(cause));
        }
        self.last = Some(request);
        // The first command is timed, so that an engine that is always slow is logged at once.
        let timed = self.started.is_multiple_of(TIMED);
        self.started = self.started.wrapping_add(1);
        self.outbox.starting = Some(request);
        let started = self.call_running(now, |engine, cx| engine.start(request, command, cx));
        self.outbox.starting = None;
        if timed {
            complaints::slow(&self.core.table, request, self.core.clock.now() - now);
        }
        match started {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                complaints::contradiction(&self.core.table, request, error);
                return Err(Refusal::Rejected(error));
            }
            None => return Err(Refusal::Ended(Failure::Internal)),
        }
        if let Some(deadline) = self.core.table.running_until(request) {
            self.deadlines.started(request.slot(), deadline);
        }
        Ok(())
    }

    /// Returns the cause if the request was ended before it was started.
    fn doom(&mut self, request: Token) -> Option<Failure> {
        if self.doomed.is_empty() {
            return None;
        }
        let place = self.doomed.iter().position(|(doomed, _)| *doomed == request)?;
        Some(self.doomed.swap_remove(place).1)
    }
}

impl<E: Engine> Work<E::Command> for State<E> {
    type Request = Token;
    type Outcome = Result<(), Refusal>;

    fn slot(request: Token) -> RequestSlot {
        request.slot()
    }

    fn line(&self, slot: RequestSlot) -> LineNumber {
        self.core.table.line_in(slot)
    }

    fn now(&mut self, request: Token, command: E::Command) -> Self::Outcome {
        let now = self.core.table.submitted(request);
        self.start(request, command, now)
    }

    fn queued(&mut self, slot: RequestSlot, command: E::Command) {
        let Some(request) = self.core.table.running_in(slot) else {
            // The request was completed with all others when the engine ended.
            return discard(command);
        };
        let now = self.core.clock.now();
        let error = match self.start(request, command, now) {
            Ok(()) => return,
            Err(Refusal::Rejected(error)) => error,
            Err(Refusal::Ended(cause)) => self.failure(cause),
        };
        let core = Arc::clone(&self.core);
        let result = Err(error);
        self.outbox.complete(&core.table, request, result, E::Output::NONE, core.clock.now());
    }

    fn leave(&mut self) -> bool {
        self.outbox.take_wake()
            || self.deadlines.earliest().min(self.next_timer()) < self.looks_by
            // The engine may have ended in `next_timer`.
            || self.outbox.take_wake()
    }
}
