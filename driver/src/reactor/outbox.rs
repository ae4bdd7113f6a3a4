//! Completions and events of an engine, in one queue per line, until the reaper takes them.
//!
//! Order within a line is kept (O1): a completion that the gate holds back holds back everything
//! behind it on that line. An event that an engine emits while it starts a command belongs to a
//! request whose function has not returned; it waits for that return as well (G1).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::{Effects, Payload, Play};
use crate::guard::discard;
use crate::report;
use crate::request::{Completed, Completion, ErrorCode, LineNumber, RequestId, Table, Token};
use crate::{PortNumber, Time};

use super::mark::{Mark, Signal};
use super::samples::Orders;

/// The most completions that one round delivers before the ring is looked at again.
pub(super) const BATCH: usize = 256;

#[derive(Debug)]
enum QueuedUpcall<Event, Output> {
    /// A completion; it owns the output until its delivery.
    Completed(Token, Output),
    Event(Event),
    /// Holds back everything behind it until the request's function has returned.
    Return(Token),
    /// A thread waits until everything before this is delivered.
    Mark(Mark),
}

impl<Event, Output> QueuedUpcall<Event, Output> {
    /// Returns whether a ticket holds back this entry and everything behind it.
    fn is_held(&self, table: &Table) -> bool {
        match self {
            QueuedUpcall::Completed(request, _) => !table.is_deliverable(*request),
            QueuedUpcall::Return(request) => !table.has_returned(*request),
            QueuedUpcall::Event(_) | QueuedUpcall::Mark(_) => false,
        }
    }
}

/// An upcall that was taken out of the outbox and is to be made.
#[derive(Debug)]
pub(crate) enum Delivery<Event, Output> {
    Completed(Completion<Output>),
    Event(LineNumber, Event),
}

#[derive(Debug)]
struct LineQueue<Event, Output> {
    queue: VecDeque<QueuedUpcall<Event, Output>>,
    /// The round in which an upcall of this line was last taken.
    taken: u64,
    /// The request for which the last [`QueuedUpcall::Return`] was queued.
    awaited: Option<Token>,
    /// The held request that was logged.
    complained: Option<Token>,
}

/// One queue of upcalls per line. Changed only by the holder of the card.
#[derive(Debug)]
pub(crate) struct Outbox<Event, Output> {
    lines: Vec<LineQueue<Event, Output>>,
    first: usize,
    /// The number of the reaper's looks; each delivers one round.
    round: u64,
    wake: bool,
    /// The request that is being started, to which emitted events belong.
    pub(super) starting: Option<Token>,
    pub(super) orders: Orders,
}

impl<Event, Output: Payload> Outbox<Event, Output> {
    pub(crate) fn new(lines: usize) -> Self {
        let line = || LineQueue {
            queue: VecDeque::with_capacity(64),
            taken: 0,
            awaited: None,
            complained: None,
        };
        let lines = std::iter::repeat_with(line).take(lines).collect();
        let orders = Orders::default();
        Outbox { lines, first: 0, round: 1, wake: false, starting: None, orders }
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Returns and clears "something deliverable was queued".
    pub(crate) fn take_wake(&mut self) -> bool {
        // It is written only when it changes, because the reaper and the callers share its cache
        // line.
        self.wake && std::mem::take(&mut self.wake)
    }

    /// Returns whether something deliverable was queued since [`Outbox::take_wake`].
    pub(crate) fn wakes(&self) -> bool {
        self.wake
    }

    /// Inserts a mark at the end of what can be delivered on a line now. Returns `None` if all of
    /// that is delivered already, which it is up to the round `delivered`.
    ///
    /// The mark is before the first completion that a ticket holds back: no thread may wait for
    /// that, because it may hold the ticket itself.
    pub(crate) fn mark(
        &mut self,
        table: &Table,
        line: LineNumber,
        delivered: u64,
    ) -> Option<Arc<Signal>> {
        let line = self.lines.get_mut(line.index())?;
        let held = line.queue.iter().position(|upcall| upcall.is_held(table));
        let end = held.unwrap_or(line.queue.len());
        if end == 0 && line.taken <= delivered {
            return None;
        }
        let (mark, signal) = Mark::new();
        line.queue.insert(end, QueuedUpcall::Mark(mark));
        self.wake = true;
        Some(signal)
    }

    /// Returns whether the line has an entry that may be delivered now.
    pub(crate) fn is_deliverable(&self, table: &Table, line: LineNumber) -> bool {
        match self.lines.get(line.index()).and_then(|line| line.queue.front()) {
            Some(QueuedUpcall::Completed(request, _)) => table.is_deliverable(*request),
            Some(QueuedUpcall::Return(request)) => table.has_returned(*request),
            Some(QueuedUpcall::Event(_)) => true,
            Some(QueuedUpcall::Mark(_)) | None => false,
        }
    }

    /// Returns whether nothing is left, held back or not.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.queue.is_empty())
    }

    /// Logs once each line's first entry, if a ticket holds it back since before `since`.
    pub(crate) fn complain(&mut self, table: &Table, since: Time) {
        for (number, line) in self.lines.iter_mut().enumerate() {
            let Some(first) = line.queue.front() else { continue };
            let (request, what, from) = match first {
                QueuedUpcall::Completed(request, _) => {
                    (*request, "is complete", table.completed(*request))
                }
                // The event was queued while the request was started.
                QueuedUpcall::Return(request) => {
                    (*request, "has an event to tell", Some(table.submitted(*request)))
                }
                QueuedUpcall::Event(_) | QueuedUpcall::Mark(_) => continue,
            };
            let old = from.is_some_and(|from| from <= since);
            if !old || !first.is_held(table) || line.complained == Some(request) {
                continue;
            }
            line.complained = Some(request);
            if let Some(id) = table.id(request) {
                report!(
                    WARN,
                    "request {id} of line {number} {what}, but its ticket is still held; \
                     everything behind it on the line waits until the ticket is dropped"
                );
            }
        }
    }

    /// Moves everything that no ticket holds back before everything else, so that the last round
    /// delivers it. Events that a ticket holds back, or that are behind such an entry, are dropped
    /// with the card (D2). Returns whether anything is left that may be delivered.
    pub(crate) fn pass_held(&mut self, table: &Table) -> bool {
        let mut any = false;
        for line in &mut self.lines {
            let mut held = VecDeque::new();
            let mut free = VecDeque::new();
            for upcall in line.queue.drain(..) {
                match upcall {
                    upcall if upcall.is_held(table) => held.push_back(upcall),
                    QueuedUpcall::Event(_) if !held.is_empty() => {}
                    upcall => free.push_back(upcall),
                }
            }
            any |= !free.is_empty();
            free.append(&mut held);
            line.queue = free;
        }
        any
    }

    /// At the end of the reaper, logs the requests whose completions are held back, and wakes the
    /// threads that wait for marks, because nothing is delivered any more.
    pub(crate) fn give_up(&mut self, table: &Table) {
        for (number, line) in self.lines.iter_mut().enumerate() {
            line.queue.retain(|upcall| matches!(upcall, QueuedUpcall::Completed(..)));
            for upcall in &mut line.queue {
                if let QueuedUpcall::Completed(request, output) = upcall {
                    // It is dropped with the same protection as the engine, because it may hold
                    // files open as well.
                    discard(std::mem::replace(output, Output::NONE));
                    let Some(id) = table.id(*request) else { continue };
                    report!(
                        ERROR,
                        "request {id} of line {number} is never reported: its ticket was held \
                         until the card was shut down"
                    );
                }
            }
        }
    }

    /// Takes what one round delivers: a run of completions, or a single event. An event is
    /// delivered alone because the upcall before it may close its line, which must still be able to
    /// drop it (D2). `taken` is called for each request that is over; `marks` gets the marks that
    /// are reached once the round is delivered. Returns the number of the round, and whether more
    /// is left for the next.
    pub(crate) fn take(
        &mut self,
        table: &Table,
        batch: &mut VecDeque<Delivery<Event, Output>>,
        marks: &mut Vec<Mark>,
        mut taken: impl FnMut(Token, &Completion),
    ) -> (u64, bool) {
        self.round += 1;
        let count = self.lines.len();
        let mut more = false;
        for n in 0..count {
            let number =
                if self.first + n < count { self.first + n } else { self.first + n - count };
            let Some(line) = self.lines.get_mut(number) else { continue };
            while batch.len() < BATCH {
                match line.queue.front() {
                    Some(&QueuedUpcall::Completed(request, _)) => {
                        let Some(completion) = table.take(request) else { break };
                        line.taken = self.round;
                        taken(request, &completion);
                        if let Some(QueuedUpcall::Completed(_, output)) = line.queue.pop_front() {
                            batch.push_back(Delivery::Completed(completion.with_output(output)));
                        }
                    }
                    Some(QueuedUpcall::Event(_)) if batch.is_empty() => {
                        if let Some(QueuedUpcall::Event(event)) = line.queue.pop_front() {
                            batch.push_back(Delivery::Event(LineNumber::at(number), event));
                        }
                        line.taken = self.round;
                        self.first = (number + 1) % count;
                        return (self.round, true);
                    }
                    Some(&QueuedUpcall::Return(request)) if table.has_returned(request) => {
                        line.queue.pop_front();
                    }
                    Some(QueuedUpcall::Mark(_)) => {
                        if let Some(QueuedUpcall::Mark(mark)) = line.queue.pop_front() {
                            marks.push(mark);
                        }
                    }
                    Some(QueuedUpcall::Event(_)) => {
                        more = true;
                        break;
                    }
                    // A ticket holds this back; its release wakes the reaper.
                    _ => break,
                }
            }
        }
        if !batch.is_empty() {
            self.first = (self.first + 1) % count;
        }
        (self.round, more || batch.len() >= BATCH)
    }
}

impl<Event, Output> Effects<Event, Output> for Outbox<Event, Output> {
    fn complete(
        &mut self,
        table: &Table,
        request: Token,
        result: Result<(), ErrorCode>,
        output: Output,
        now: Time,
    ) -> bool {
        let (completed, line) = table.complete_on_line(request, result, now);
        if completed == Completed::Late {
            return false;
        }
        // A held completion needs no wake-up, because the release of its ticket causes one.
        self.wake |= completed == Completed::Deliverable;
        if let Some(line) = self.lines.get_mut(line.index()) {
            line.queue.push_back(QueuedUpcall::Completed(request, output));
        }
        true
    }

    fn event(&mut self, table: &Table, line: LineNumber, event: Event) {
        let count = self.lines.len();
        let Some(place) = self.lines.get_mut(line.index()) else {
            report!(
                ERROR,
                "an engine emitted an event on line {line}, but has only {count} lines, from 0"
            );
            return;
        };
        // For all events of one command one such entry on each line is enough.
        if let Some(request) = self.starting.filter(|_| place.awaited != self.starting)
            && table.await_return(request)
        {
            place.queue.push_back(QueuedUpcall::Return(request));
            place.awaited = Some(request);
        }
        // An event behind other entries is delivered with them and needs no wake-up.
        self.wake |= place.queue.is_empty();
        place.queue.push_back(QueuedUpcall::Event(event));
    }

    fn event_of(&mut self, table: &Table, about: Option<Token>, line: LineNumber, event: Event) {
        let starting = std::mem::replace(&mut self.starting, about);
        self.event(table, line, event);
        self.starting = starting;
    }

    fn retain_events(&mut self, line: LineNumber, keep: &mut dyn FnMut(&Event) -> bool) {
        if let Some(line) = self.lines.get_mut(line.index()) {
            line.queue.retain(|upcall| match upcall {
                QueuedUpcall::Event(event) => keep(event),
                QueuedUpcall::Completed(..) | QueuedUpcall::Return(_) | QueuedUpcall::Mark(_) => {
                    true
                }
            });
        }
    }

    fn play(&mut self, port: PortNumber, id: Option<RequestId>, samples: &[u8]) -> Play {
        self.wake = true;
        self.orders.play(port, id, samples)
    }

    fn silence(&mut self, port: PortNumber) {
        self.wake = true;
        self.orders.silence(port);
    }
}
