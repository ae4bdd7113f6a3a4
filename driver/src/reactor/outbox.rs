//! What engines have to tell, one queue per line, until the reaper takes it.
//!
//! Order within a line is kept (O1): a completion that the gate holds back holds everything behind
//! it on that line.

use std::collections::VecDeque;

use crate::Time;
use crate::engine::Play;
use crate::request::{Completed, Completion, Table, Token};

use super::samples::Orders;

/// Completions that one round delivers at the most before the ring is looked at again.
pub(super) const BATCH: usize = 256;

#[derive(Debug)]
enum Upcall<Event> {
    Completed(Token),
    Event(Event),
}

/// Something taken out, about to be delivered.
#[derive(Debug)]
pub(crate) enum Delivery<Event> {
    Completed(Completion),
    Event(usize, Event),
}

/// One queue of upcalls per line. Changed only while the card is held.
#[derive(Debug)]
pub struct Outbox<Event> {
    lines: Vec<VecDeque<Upcall<Event>>>,
    first: usize,
    wake: bool,
    pub(super) orders: Orders,
}

impl<Event> Outbox<Event> {
    pub(crate) fn new(lines: usize) -> Self {
        let queue = || VecDeque::with_capacity(64);
        let lines = std::iter::repeat_with(queue).take(lines).collect();
        Outbox { lines, first: 0, wake: false, orders: Orders::default() }
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn complete(
        &mut self,
        table: &Table,
        request: Token,
        result: i32,
        now: Time,
    ) -> bool {
        debug_assert!(result <= 0, "C2: a result is 0 or negative, not {result}");
        let result = if result > 0 { i32::MIN } else { result };
        let Some(line) = table.line(request) else { return false };
        let completed = table.complete(request, result, now);
        if completed == Completed::Late {
            return false;
        }
        // A held completion needs no wake-up: releasing its ticket gives one.
        self.wake |= completed == Completed::Deliverable;
        if let Some(queue) = self.lines.get_mut(line) {
            queue.push_back(Upcall::Completed(request));
        }
        true
    }

    pub(crate) fn event(&mut self, line: usize, event: Event) {
        let Some(queue) = self.lines.get_mut(line) else {
            tracing::error!(line, "an engine told an event on a line that it does not have");
            return;
        };
        // Behind others it is delivered with them.
        self.wake |= queue.is_empty();
        queue.push_back(Upcall::Event(event));
    }

    pub(crate) fn retain_events(&mut self, line: usize, mut keep: impl FnMut(&Event) -> bool) {
        if let Some(queue) = self.lines.get_mut(line) {
            queue.retain(|upcall| match upcall {
                Upcall::Completed(_) => true,
                Upcall::Event(event) => keep(event),
            });
        }
    }

    /// Puts in samples to play, for the request with this id or for none (0).
    pub(crate) fn play(&mut self, port: usize, id: u32, samples: &[u8]) -> Play {
        self.wake = true;
        self.orders.play(port, id, samples)
    }

    /// Puts in that a port is to drop its samples.
    pub(crate) fn silence(&mut self, port: usize) {
        self.wake = true;
        self.orders.silence(port);
    }

    /// Whether something was put in that the reaper can deliver, since this was last asked.
    pub(crate) fn take_wake(&mut self) -> bool {
        // Written only where it changes: the reaper and the callers share this line.
        self.wake && std::mem::take(&mut self.wake)
    }

    /// Whether something was put in that the reaper can deliver; without forgetting it.
    pub(crate) fn wakes(&self) -> bool {
        self.wake
    }

    /// Whether the line has anything that may be delivered now.
    pub(crate) fn is_deliverable(&self, table: &Table, line: usize) -> bool {
        match self.lines.get(line).and_then(VecDeque::front) {
            Some(Upcall::Completed(request)) => table.is_deliverable(*request),
            Some(Upcall::Event(_)) => true,
            None => false,
        }
    }

    /// Whether nothing is left, held back or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(VecDeque::is_empty)
    }

    /// Takes what one round delivers: a run of completions, or a single event. An event goes alone
    /// because closing its line from the upcall before it must still be able to drop it (D2).
    /// `taken` hears of each request that is over.
    pub(crate) fn take(
        &mut self,
        table: &Table,
        batch: &mut Vec<Delivery<Event>>,
        mut taken: impl FnMut(Token, &Completion),
    ) {
        let count = self.lines.len();
        for n in 0..count {
            let line = if self.first + n < count { self.first + n } else { self.first + n - count };
            let Some(queue) = self.lines.get_mut(line) else { continue };
            while batch.len() < BATCH {
                match queue.front() {
                    Some(&Upcall::Completed(request)) => {
                        let Some(completion) = table.take(request) else { break };
                        queue.pop_front();
                        taken(request, &completion);
                        batch.push(Delivery::Completed(completion));
                    }
                    Some(Upcall::Event(_)) if batch.is_empty() => {
                        if let Some(Upcall::Event(event)) = queue.pop_front() {
                            batch.push(Delivery::Event(line, event));
                        }
                        self.first = (line + 1) % count;
                        return;
                    }
                    _ => break,
                }
            }
        }
        if !batch.is_empty() {
            self.first = (self.first + 1) % count;
        }
    }
}
