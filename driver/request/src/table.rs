//! The slot table: finds every outstanding request by its token, without a search.

use std::fmt;

use crate::Time;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

use crate::error_code::ErrorCode;
use crate::free_list::{FreeList, Links};
use crate::gate::{Completed, Gate, Released, Strict};
use crate::id::{RequestId, Token};
use crate::number::{LineNumber, RequestSlot};

/// The most requests a table can hold at once.
pub const MAX_CAPACITY: usize = 65_536;

/// The error for a capacity that a table can't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request table holds 1 to {MAX_CAPACITY} requests, not {0}")]
pub struct CapacityError(pub usize);

/// The error for a full table, with its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} requests are outstanding, which is the capacity of this card; wait for completions")]
pub struct Full(pub usize);

/// The report of a request that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion<Output = ()> {
    /// The request's id; it may be in use again by the time this is read (T4).
    pub id: RequestId,
    /// The line it was submitted to.
    pub line: LineNumber,
    /// Success, or why it failed (C2).
    pub result: Result<(), ErrorCode>,
    /// When the request was submitted.
    pub submitted: Time,
    /// When the operation ended; the delivery may be later.
    pub completed: Time,
    /// The engine's output; meaningful only if `result` is `Ok`.
    pub output: Output,
}

impl Completion {
    /// Adds an output to a completion.
    #[inline]
    pub fn with_output<Output>(self, output: Output) -> Completion<Output> {
        let Completion { id, line, result, submitted, completed, output: () } = self;
        Completion { id, line, result, submitted, completed, output }
    }
}

impl<Output> Completion<Output> {
    /// The output, or the error.
    ///
    /// # Errors
    /// That of the result.
    pub fn into_result(self) -> Result<Output, ErrorCode> {
        self.result.map(|()| self.output)
    }
}

/// One slot on one cache line: everything that is stored for a request.
#[repr(align(64))]
struct Slot {
    gate: Gate<Strict>,
    id: AtomicU32,
    line: AtomicU32,
    submitted: AtomicU64,
    deadline: AtomicU64,
    completed: AtomicU64,
    /// While the slot is free: the free slot below it.
    link: AtomicU32,
}

impl Slot {
    #[inline]
    fn line(&self) -> LineNumber {
        LineNumber(self.line.load(Ordering::Relaxed))
    }

    #[inline]
    fn complete(&self, token: Token, result: Result<(), ErrorCode>, now: Time) -> Completed {
        // The time is stored before the completion can be taken. Only the holder of the card
        // completes, so that it is the time of the completion that follows.
        let note = || self.completed.store(now.as_nanos(), Ordering::Relaxed);
        self.gate.complete_after(token.generation, result, note)
    }
}

impl Links for [Slot] {
    fn link(&self, number: u32) -> Option<&AtomicU32> {
        self.get(number as usize).map(|slot| &slot.link)
    }
}

/// All outstanding requests of one card.
pub struct Table {
    slots: Box<[Slot]>,
    free: FreeList,
    /// Stored in every token, so that tokens of other tables are recognised.
    number: u16,
}

/// The number of the next table. After 65,536 tables the numbers repeat; tokens of two such tables
/// still almost always differ in slot or generation.
static TABLES: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);

impl fmt::Debug for Table {
    /// Prints the capacity only, because thousands of slots would hide everything else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("capacity", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Table {
    /// Creates a table for `capacity` outstanding requests, 1 to [`MAX_CAPACITY`].
    ///
    /// # Errors
    /// [`CapacityError`] outside that range.
    pub fn with_capacity(capacity: usize) -> Result<Table, CapacityError> {
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(CapacityError(capacity));
        }
        let slot = |number| Slot {
            gate: Gate::new(),
            id: AtomicU32::new(0),
            line: AtomicU32::new(0),
            submitted: AtomicU64::new(0),
            deadline: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            link: FreeList::first_link(number, capacity),
        };
        let number = TABLES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(Table { slots: (0..capacity).map(slot).collect(), free: FreeList::full(), number })
    }

    /// The number of requests that can be outstanding.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Takes a slot for a request on `line`.
    ///
    /// With `id` the request has that id, and the caller has to ensure T3; without it, the table
    /// makes one that no other outstanding request has.
    ///
    /// # Errors
    /// [`Full`], without waiting.
    #[inline]
    pub fn reserve(
        &self,
        id: Option<RequestId>,
        line: LineNumber,
        now: Time,
        deadline: Time,
    ) -> Result<(RequestId, Token), Full> {
        let Some((number, slot)) =
            self.free.pop(&self.slots[..]).map(RequestSlot).and_then(|n| Some((n, self.entry(n)?)))
        else {
            return Err(Full(self.capacity()));
        };
        slot.line.store(line.0, Ordering::Relaxed);
        slot.submitted.store(now.as_nanos(), Ordering::Relaxed);
        slot.deadline.store(deadline.as_nanos(), Ordering::Relaxed);
        let generation = slot.gate.open();
        let id = id.unwrap_or_else(|| RequestId::of_slot(number, generation));
        slot.id.store(id.get(), Ordering::Relaxed);
        Ok((id, Token { slot: number, table: self.number, generation }))
    }

    /// Signals that the request's function has returned. Called once per token, by its ticket.
    #[inline]
    pub fn release(&self, token: Token) -> Released {
        self.slot(token).map_or(Released::Running, |slot| slot.gate.release())
    }

    /// Completes the request, unless it is complete already.
    #[inline]
    pub fn complete(&self, token: Token, result: Result<(), ErrorCode>, now: Time) -> Completed {
        let Some(slot) = self.slot(token) else { return Completed::Late };
        slot.complete(token, result, now)
    }

    /// Like [`Table::complete`], and also returns the request's line, which saves another access to
    /// the slot.
    #[inline]
    pub fn complete_on_line(
        &self,
        token: Token,
        result: Result<(), ErrorCode>,
        now: Time,
    ) -> (Completed, LineNumber) {
        let Some(slot) = self.slot(token) else { return (Completed::Late, LineNumber(0)) };
        let completed = slot.complete(token, result, now);
        (completed, slot.line())
    }

    /// Makes the release of the request's ticket return [`Released::Deliverable`] although its
    /// operation still runs. Returns `false` if the ticket is released already.
    #[inline]
    pub fn await_return(&self, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.gate.await_return(token.generation))
    }

    /// Returns whether the request's ticket is released, or the request is over.
    #[inline]
    pub fn has_returned(&self, token: Token) -> bool {
        self.slot(token).is_none_or(|slot| slot.gate.has_returned(token.generation))
    }

    /// When the request was submitted.
    #[inline]
    pub fn submitted(&self, token: Token) -> Time {
        self.slot(token)
            .map_or(Time::ZERO, |slot| Time::from_nanos(slot.submitted.load(Ordering::Relaxed)))
    }

    /// When the request was completed, if it is completed.
    #[inline]
    pub fn completed(&self, token: Token) -> Option<Time> {
        let slot = self.slot(token)?;
        slot.gate
            .is_completed(token.generation)
            .then(|| Time::from_nanos(slot.completed.load(Ordering::Relaxed)))
    }

    /// Whether the completion may be reported.
    #[inline]
    pub fn is_deliverable(&self, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.gate.is_deliverable(token.generation))
    }

    /// Whether the request is outstanding and not yet completed.
    #[inline]
    pub fn is_running(&self, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.gate.is_running(token.generation))
    }

    /// Takes a deliverable request out of the table. Its slot and id are free when this returns, so
    /// that they may be in use again before its report (T4). Only one thread at a time may call it.
    #[inline]
    pub fn take(&self, token: Token) -> Option<Completion> {
        let slot = self.slot(token)?;
        let report = |result| {
            Some(Completion {
                id: RequestId::new(slot.id.load(Ordering::Relaxed))?,
                line: slot.line(),
                result,
                submitted: Time::from_nanos(slot.submitted.load(Ordering::Relaxed)),
                completed: Time::from_nanos(slot.completed.load(Ordering::Relaxed)),
                output: (),
            })
        };
        let completion = slot.gate.take(token.generation).and_then(report)?;
        self.free.give_back(&self.slots[..], token.slot.0);
        Some(completion)
    }

    /// Frees the slot of a refused request without a completion (R4); `None` if it is completed.
    #[inline]
    pub fn abandon(&self, token: Token) -> Option<Released> {
        let abandoned = self.slot(token)?.gate.abandon(token.generation)?;
        self.free.push(&self.slots[..], token.slot.0);
        Some(abandoned)
    }

    /// The id of a request that is outstanding.
    #[inline]
    pub fn id(&self, token: Token) -> Option<RequestId> {
        RequestId::new(self.slot(token)?.id.load(Ordering::Relaxed))
    }

    /// The line of a request that is outstanding.
    #[inline]
    pub fn line(&self, token: Token) -> Option<LineNumber> {
        Some(self.slot(token)?.line())
    }

    /// The line of the request in a slot, or of the last one if the slot is free.
    #[inline]
    pub fn line_in(&self, slot: RequestSlot) -> LineNumber {
        self.entry(slot).map_or(LineNumber(0), Slot::line)
    }

    /// The time by which the request must be over.
    #[inline]
    pub fn deadline(&self, token: Token) -> Time {
        self.slot(token)
            .map_or(Time::NEVER, |slot| Time::from_nanos(slot.deadline.load(Ordering::Relaxed)))
    }

    /// The time by which the request must be over; `None` if it does not run.
    #[inline]
    pub fn running_until(&self, token: Token) -> Option<Time> {
        let slot = self.slot(token)?;
        let runs = slot.gate.is_running(token.generation);
        runs.then(|| Time::from_nanos(slot.deadline.load(Ordering::Relaxed)))
    }

    /// Finds the running request in `slot` if it has this stamp and id: the request of a CQE.
    #[inline]
    pub fn find(&self, slot: RequestSlot, stamp: u16, id: u32) -> Option<Token> {
        let entry = self.entry(slot)?;
        let token = Token { slot, table: self.number, generation: entry.gate.running()? };
        (token.stamp() == stamp && entry.id.load(Ordering::Relaxed) == id).then_some(token)
    }

    /// The running request in a slot.
    #[inline]
    pub fn running_in(&self, slot: RequestSlot) -> Option<Token> {
        let generation = self.entry(slot)?.gate.running()?;
        Some(Token { slot, table: self.number, generation })
    }

    /// Iterates over all requests that are outstanding and not completed.
    #[inline]
    pub fn running(&self) -> impl Iterator<Item = Token> + '_ {
        self.slots.iter().zip((0..=u16::MAX).map(RequestSlot)).filter_map(|(entry, slot)| {
            entry.gate.running().map(|generation| Token { slot, table: self.number, generation })
        })
    }

    /// Returns whether the token is of this table. To be checked for tokens from outside; all other
    /// functions here expect tokens of this table.
    #[inline]
    pub fn owns(&self, token: Token) -> bool {
        token.table == self.number
    }

    #[inline]
    fn entry(&self, slot: RequestSlot) -> Option<&Slot> {
        self.slots.get(slot.index())
    }

    #[inline]
    fn slot(&self, token: Token) -> Option<&Slot> {
        self.entry(token.slot)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FAILED: Result<(), ErrorCode> = Err(ErrorCode::of::<-5>());

    fn reserve(table: &Table) -> Result<(RequestId, Token), Full> {
        table.reserve(None, LineNumber(0), Time::ZERO, Time::NEVER)
    }

    #[test]
    fn capacity_is_checked() {
        assert_eq!(Table::with_capacity(0).unwrap_err(), CapacityError(0));
        assert_eq!(Table::with_capacity(65_537).unwrap_err(), CapacityError(65_537));
        assert_eq!(Table::with_capacity(65_536).unwrap().capacity(), 65_536);
    }

    #[test]
    fn one_request_costs_one_cache_line() {
        assert_eq!(size_of::<Slot>(), 64);
    }

    #[test]
    fn full_is_an_error_and_not_a_wait() {
        let table = Table::with_capacity(2).unwrap();
        let (_, first) = reserve(&table).unwrap();
        reserve(&table).unwrap();
        assert_eq!(reserve(&table).unwrap_err(), Full(2));
        assert_eq!(table.abandon(first), Some(Released::Running));
        reserve(&table).unwrap();
    }

    #[test]
    fn t3_ids_are_unique_among_outstanding_requests() {
        let table = Table::with_capacity(512).unwrap();
        for _ in 0..3 {
            let all: Vec<_> = (0..512).map(|_| reserve(&table).unwrap()).collect();
            let ids: std::collections::HashSet<_> = all.iter().map(|(id, _)| *id).collect();
            assert_eq!(ids.len(), 512);
            for (_, token) in all {
                table.release(token);
                table.complete(token, Ok(()), Time::ZERO);
                assert!(table.take(token).is_some());
            }
        }
    }

    #[test]
    fn t4_the_record_is_gone_when_the_completion_is_reported() {
        let table = Table::with_capacity(1).unwrap();
        let id = RequestId::new(RequestId::MAX).unwrap();
        let (given, token) =
            table.reserve(Some(id), LineNumber(3), Time::ZERO, Time::NEVER).unwrap();
        assert_eq!(given, id);
        assert_eq!(table.release(token), Released::Running);
        assert_eq!(table.complete(token, FAILED, Time::from_nanos(9)), Completed::Deliverable);
        let completion = table.take(token).unwrap();
        assert_eq!(
            (completion.id, completion.line, completion.result),
            (id, LineNumber(3), FAILED)
        );
        assert_eq!(completion.completed, Time::from_nanos(9));
        let (again, _) = table.reserve(Some(id), LineNumber(3), Time::ZERO, Time::NEVER).unwrap();
        assert_eq!(again, id);
        assert!(table.take(token).is_none());
    }

    #[test]
    fn a_completion_queue_entry_finds_only_its_own_live_request() {
        let table = Table::with_capacity(2).unwrap();
        let (id, token) = reserve(&table).unwrap();
        assert_eq!(table.find(RequestSlot(0), token.stamp(), id.get()), Some(token));
        assert_eq!(table.find(RequestSlot(1), token.stamp(), id.get()), None);
        assert_eq!(table.find(RequestSlot(2), token.stamp(), id.get()), None);
        assert_eq!(table.find(RequestSlot(0), token.stamp() + 1, id.get()), None);
        assert_eq!(table.find(RequestSlot(0), token.stamp(), id.get() + 1), None);
        table.complete(token, Ok(()), Time::ZERO);
        assert_eq!(table.find(RequestSlot(0), token.stamp(), id.get()), None);
    }

    #[test]
    fn a_token_belongs_to_one_table() {
        let (mine, other) = (Table::with_capacity(1).unwrap(), Table::with_capacity(1).unwrap());
        let (_, token) = reserve(&mine).unwrap();
        let (_, others) = reserve(&other).unwrap();
        assert!(mine.owns(token) && !other.owns(token) && other.owns(others));
        assert_ne!(token, others);
    }

    #[test]
    fn running_lists_what_is_not_complete() {
        let table = Table::with_capacity(3).unwrap();
        let (_, a) = reserve(&table).unwrap();
        let (_, b) = reserve(&table).unwrap();
        table.complete(a, Ok(()), Time::ZERO);
        assert_eq!(table.running().collect::<Vec<_>>(), [b]);
    }
}
