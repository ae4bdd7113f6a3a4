//! What an engine can ask of the reactor while it is called.

use std::fmt;

use crate::request::{ErrorCode, LineNumber, Table, Token};
use crate::{PortNumber, Time};

use super::effects::Effects;
use super::{Payload, Play};

/// What an engine may do while it is called.
///
/// `Output` is the engine's [`Engine::Output`](super::Engine::Output).
pub struct Context<'a, Event, Output = ()> {
    pub(crate) now: Time,
    pub(crate) table: &'a Table,
    pub(crate) effects: &'a mut dyn Effects<Event, Output>,
}

impl<Event, Output> fmt::Debug for Context<'_, Event, Output> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("now", &self.now).finish_non_exhaustive()
    }
}

impl<Event, Output: Payload> Context<'_, Event, Output> {
    /// The time at which the engine was called; it never goes back.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether the request is still running.
    pub fn is_running(&self, request: Token) -> bool {
        self.table.owns(request) && self.table.is_running(request)
    }

    /// Completes a request (C2). Only the first completion of a request counts (C3); `true` if
    /// this was it.
    ///
    /// The completion carries [`Payload::NONE`].
    pub fn complete(&mut self, request: Token, result: Result<(), ErrorCode>) -> bool {
        self.end(request, result, Output::NONE)
    }

    /// Completes a request with success and its output. Only the first completion of a request
    /// counts (C3); returns `true` if this was the first, otherwise the output is dropped. The
    /// output waits in the queue of the request's line and is passed to the upcall with the
    /// completion, exactly once. If the card ends before that, it is dropped with the engine.
    pub fn complete_with(&mut self, request: Token, output: Output) -> bool {
        self.end(request, Ok(()), output)
    }

    fn end(&mut self, request: Token, result: Result<(), ErrorCode>, output: Output) -> bool {
        self.table.owns(request)
            && self.effects.complete(self.table, request, result, output, self.now)
    }

    /// Has the kernel play samples on a port, behind those that are queued there: 8 kHz, companded
    /// as the card's modules are set.
    /// They are copied; [`Engine::played`](super::Engine::played) is called when they have ended.
    ///
    /// With a request, the WRITE of the samples is in the ring under the request's id. The end of
    /// the WRITE does not complete the request; the engine does, because one request may play
    /// several times.
    pub fn play(&mut self, port: PortNumber, request: Option<Token>, samples: &[u8]) -> Play {
        let id = request.filter(|&request| self.is_running(request));
        let id = id.and_then(|request| self.table.id(request));
        self.effects.play(port, id, samples)
    }

    /// Has the kernel drop all that it has to play on a port, at once.
    pub fn silence(&mut self, port: PortNumber) {
        self.effects.silence(port);
    }

    /// Emits an event on a line, behind everything emitted on that line before.
    ///
    /// Events that [`Engine::start`](super::Engine::start) emits are about its request: they are
    /// held back until the function that asked has returned (G1). For an event that is about a
    /// request and comes later, but before its completion, use [`Context::event_of`].
    pub fn event(&mut self, line: LineNumber, event: Event) {
        self.effects.event(self.table, line, event);
    }

    /// Emits an event that is about a request that may still run: it is held back until the
    /// request's ticket is released (G1).
    pub fn event_of(&mut self, request: Token, line: LineNumber, event: Event) {
        let about = Some(request).filter(|&request| self.table.owns(request));
        self.effects.event_of(self.table, about, line, event);
    }

    /// Drops the line's undelivered events for which `keep` is false (D2, D5). Completions stay.
    pub fn retain_events(&mut self, line: LineNumber, mut keep: impl FnMut(&Event) -> bool) {
        self.effects.retain_events(line, &mut keep);
    }
}
