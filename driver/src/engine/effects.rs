//! The effects of an engine: completions, events, and orders to play samples.
//!
//! An engine calls a [`Context`](super::Context), and the context calls an implementation of
//! [`Effects`], which is the reactor's. Engines therefore do not depend on queues, rounds or the
//! reaper.
//!
//! Rules for an implementation: the first completion of a request counts (C3); completions and
//! events of a line keep their order (O1); an event that is about a request waits until its ticket
//! is released (G1).

use crate::request::{ErrorCode, LineNumber, RequestId, Table, Token};
use crate::{PortNumber, Time};

use super::Play;

/// Receives the effects of an engine, in order.
pub(crate) trait Effects<Event, Output> {
    /// Completes a request of this table; `false` if it was complete already, and then the output
    /// is dropped.
    fn complete(
        &mut self,
        table: &Table,
        request: Token,
        result: Result<(), ErrorCode>,
        output: Output,
        now: Time,
    ) -> bool;

    /// Emits an event on a line. It is about the request that is being started, if one is.
    fn event(&mut self, table: &Table, line: LineNumber, event: Event);

    /// Emits an event that is about this request of this table, or about none.
    fn event_of(&mut self, table: &Table, about: Option<Token>, line: LineNumber, event: Event);

    /// Drops the line's undelivered events for which `keep` is false.
    fn retain_events(&mut self, line: LineNumber, keep: &mut dyn FnMut(&Event) -> bool);

    /// Plays samples on a port, for the request with this id or for none.
    fn play(&mut self, port: PortNumber, id: Option<RequestId>, samples: &[u8]) -> Play;

    /// Discards a port's pending samples.
    fn silence(&mut self, port: PortNumber);
}
