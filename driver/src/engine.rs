//! What a new kind of device implements: one state machine that is told everything.
//!
//! An [`Engine`] takes commands, interrupts and the time, and puts effects (completions, events)
//! into its [`Context`]. It starts no thread, asks no clock and waits for nothing, so the same
//! engine runs under the reaper and under a virtual clock. Exactly one thread is in it at a time.
//! Where the kernel moves a card's samples, an engine also plays ([`Context::play`]) and is told what
//! came in ([`Engine::received`], [`Engine::played`]); other engines leave that out.
//! `card/mailbox` is a whole engine, written to be read first.

use std::time::Duration;

use crate::Time;
use crate::reactor::Outbox;
use crate::request::{Table, Token};

/// Why the reactor, and not the engine, ends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Its deadline passed.
    #[error("its time limit has passed")]
    Deadline,
    /// Its submitter cancelled it.
    #[error("it was cancelled")]
    Cancelled,
    /// The card was closed.
    #[error("it was shut down")]
    Closed,
    /// The card is gone: removed, or its interrupt file failed.
    #[error("it is gone")]
    Gone,
    /// The engine panicked, or the ring failed; the card can't be used any more.
    #[error("its engine panicked or its ring failed")]
    Internal,
}

/// Something that is being played on a port; see [`Context::play`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Play(pub(crate) u32);

/// How a [`Play`] has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Played {
    /// Its last sample was played.
    All,
    /// It was dropped by [`Context::silence`].
    Dropped,
    /// The kernel gave up, with this errno: EIO if the card stands still, ENODEV if it is gone.
    Failed(i32),
}

/// The state machine of one card and what hangs on it.
pub trait Engine: Send + 'static {
    /// What a caller may ask. A command owns all of its input (rule B1).
    type Command: Send + 'static;
    /// What is told without being asked.
    type Event: Send + 'static;

    /// Whether [`Engine::poll`] finds all that an interrupt would tell, so that a reaper that polls
    /// need not have it.
    const POLLS: bool = false;

    /// How many lines there are. Upcalls keep their order within a line, and only there.
    fn lines(&self) -> usize;

    /// How long a command may take before it is ended with [`Failure::Deadline`].
    fn time_limit(command: &Self::Command) -> Duration;

    /// The result (negative, C2) that stands for a failure the reactor found.
    fn failure(cause: Failure) -> i32;

    /// Starts a command. Runs on the caller's thread when the card is free, so it must be short.
    ///
    /// The request is over when someone calls [`Context::complete`] for it, here or later.
    ///
    /// # Errors
    /// A negative result where nothing was started. If the card was free, the submitter gets it as
    /// its return value and no completion ever comes (R4); if not, it is the completion's (R6). A
    /// result that is not negative is a bug: it is logged, and `i32::MIN` stands for it.
    fn start(
        &mut self,
        request: Token,
        command: Self::Command,
        cx: &mut Context<'_, Self::Event>,
    ) -> Result<(), i32>;

    /// The card interrupted since the last call, once or more; or another card did that shares its
    /// line. An interrupt that comes after this has looked is told again.
    fn interrupt(&mut self, cx: &mut Context<'_, Self::Event>);

    /// Looks for what has ended without having been interrupted. Called again and again by a reaper
    /// that [polls](crate::reactor::Waiting), so it must cost next to nothing where nothing has: a
    /// read of memory that the hardware writes, not of a register behind a bus. Where there is no
    /// such memory, leave it out: the interrupt tells. Where there is, say [`Engine::POLLS`].
    fn poll(&mut self, cx: &mut Context<'_, Self::Event>) {
        let _ = cx;
    }

    /// Samples came in at a port, u-law at 8 kHz, where the kernel moves them.
    fn received(&mut self, port: usize, samples: &[u8], cx: &mut Context<'_, Self::Event>) {
        let _ = (port, samples, cx);
    }

    /// Something that this engine [plays](Context::play) has ended. Told exactly once.
    fn played(&mut self, port: usize, play: Play, how: Played, cx: &mut Context<'_, Self::Event>) {
        let _ = (port, play, how, cx);
    }

    /// When [`Engine::timer`] wants to be called next; [`Time::NEVER`] where it does not.
    fn next_timer(&self) -> Time {
        Time::NEVER
    }

    /// The time [`Engine::next_timer`] named has come. It must name a later one now: a timer that is
    /// due again at once is called every millisecond, and logged.
    fn timer(&mut self, cx: &mut Context<'_, Self::Event>) {
        let _ = cx;
    }

    /// A request is about to be ended with `cause`: forget it, and undo what it did to the hardware.
    /// It may be completed here with another result.
    fn ended(&mut self, request: Token, cause: Failure, cx: &mut Context<'_, Self::Event>);

    /// The interrupt file failed: the card is gone. Requests still running afterwards are ended.
    fn gone(&mut self, cx: &mut Context<'_, Self::Event>) {
        let _ = cx;
    }

    /// The last call: put the hardware into its safe state. Requests still running afterwards are
    /// ended. It is made by whoever shuts the card down, on that thread, and also after a panic of
    /// this engine, whose state may then be half changed.
    fn stop(&mut self, cx: &mut Context<'_, Self::Event>);
}

/// What an engine may do while it is called.
#[derive(Debug)]
pub struct Context<'a, Event> {
    pub(crate) now: Time,
    pub(crate) table: &'a Table,
    pub(crate) outbox: &'a mut Outbox<Event>,
}

impl<Event> Context<'_, Event> {
    /// The time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether the request is still running.
    pub fn is_running(&self, request: Token) -> bool {
        self.table.owns(request) && self.table.is_running(request)
    }

    /// Completes a request with 0 or a negative error. Only the first completion of a request
    /// counts (C3); `true` if this was it. A positive result is a bug in the engine: it is logged with
    /// the request and the line, and reported as `i32::MIN`, which is negative, as C2 asks.
    pub fn complete(&mut self, request: Token, result: i32) -> bool {
        self.table.owns(request) && self.outbox.complete(self.table, request, result, self.now)
    }

    /// Has the kernel play samples on a port (u-law at 8 kHz), behind those that are queued there.
    /// They are copied; [`Engine::played`] tells their end.
    ///
    /// With a request, the WRITE that carries them is in the ring under the request's id. It is the
    /// engine that completes the request then: one request may play more than once.
    pub fn play(&mut self, port: usize, request: Option<Token>, samples: &[u8]) -> Play {
        let id = request.filter(|&request| self.is_running(request));
        let id = id.and_then(|request| self.table.id(request)).map_or(0, |id| id.get());
        self.outbox.play(port, id, samples)
    }

    /// Has the kernel drop all that it has to play on a port, at once.
    pub fn silence(&mut self, port: usize) {
        self.outbox.silence(port);
    }

    /// Tells an event on a line, behind everything told on that line before.
    ///
    /// What [`Engine::start`] tells is about its request: it is held back until the function that
    /// asked has returned (G1). An event that is about a request and comes later, but before its
    /// completion, is told by [`Context::event_of`].
    pub fn event(&mut self, line: usize, event: Event) {
        self.outbox.event(self.table, line, event);
    }

    /// Tells an event that is about a request which may not be complete: it is held back until the
    /// request's ticket is released (G1).
    pub fn event_of(&mut self, request: Token, line: usize, event: Event) {
        let about = Some(request).filter(|&request| self.table.owns(request));
        let started = self.outbox.starts(about);
        self.outbox.event(self.table, line, event);
        self.outbox.starts(started);
    }

    /// Drops the line's undelivered events for which `keep` is false (D2, D5). Completions stay.
    pub fn retain_events(&mut self, line: usize, keep: impl FnMut(&Event) -> bool) {
        self.outbox.retain_events(line, keep);
    }
}
