//! The slot table: every outstanding request, found by token, never by search.

use std::fmt;

use crate::Time;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

use crate::free_list::{FreeList, Links};
use crate::gate::{Completed, Gate, Released, Strict};
use crate::id::{RequestId, Token};

/// The most requests a table can hold at once.
pub const MAX_CAPACITY: usize = 65_536;

/// A table was asked for with a capacity it can't have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request table holds 1 to {MAX_CAPACITY} requests, not {0}")]
pub struct CapacityError(pub usize);

/// Every slot is taken: as many requests are outstanding as the table was created for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} requests are outstanding, which is the capacity of this card; wait for completions")]
pub struct Full(pub usize);

/// A request that is over, as it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion<Output = ()> {
    /// The request's id; it may be in use again by the time this is read (T4).
    pub id: RequestId,
    /// The line it was submitted to.
    pub line: usize,
    /// 0, or a negative error (C2).
    pub result: i32,
    /// When it was submitted.
    pub submitted: Time,
    /// When its operation ended; delivery may be later.
    pub completed: Time,
    /// What it carries besides; means something only where `result` is 0.
    pub output: Output,
}

impl Completion {
    /// The same completion with an output.
    #[inline]
    pub fn with_output<Output>(self, output: Output) -> Completion<Output> {
        let Completion { id, line, result, submitted, completed, output: () } = self;
        Completion { id, line, result, submitted, completed, output }
    }
}

impl<Output> Completion<Output> {
    /// The output, or the negative error.
    ///
    /// # Errors
    /// The result, where it is not 0.
    pub fn into_result(self) -> Result<Output, i32> {
        if self.result == 0 { Ok(self.output) } else { Err(self.result) }
    }
}

/// One slot, one cache line: all that one request costs.
#[repr(align(64))]
struct Slot {
    gate: Gate<Strict>,
    id: AtomicU32,
    line: AtomicU32,
    submitted: AtomicU64,
    deadline: AtomicU64,
    completed: AtomicU64,
    /// While it is free: the free slot below it.
    link: AtomicU32,
}

impl Slot {
    #[inline]
    fn complete(&self, token: Token, result: i32, now: Time) -> Completed {
        // The time is there before the completion is there to be taken. Only whoever holds the card
        // completes, so it is the time of the completion that follows.
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
    /// Told by every token, so that one of another card touches nothing here.
    number: u16,
}

/// Numbers for tables. Two of 65,537 have the same: their tokens still differ in slot or generation
/// almost always.
static TABLES: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);

impl fmt::Debug for Table {
    /// The capacity alone: thousands of slots would bury what else is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("capacity", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Table {
    /// A table for `capacity` outstanding requests, 1 to [`MAX_CAPACITY`].
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

    /// How many requests can be outstanding.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Takes a slot for a request on `line`.
    ///
    /// With `id` the request goes by the caller's id (who then answers for T3); without, the table
    /// makes one that no other outstanding request has.
    ///
    /// # Errors
    /// [`Full`], at once: this never waits.
    #[inline]
    pub fn reserve(
        &self,
        id: Option<RequestId>,
        line: usize,
        now: Time,
        deadline: Time,
    ) -> Result<(RequestId, Token), Full> {
        let Some((number, slot)) =
            self.free.pop(&self.slots[..]).and_then(|n| Some((n, self.slots.get(usize::from(n))?)))
        else {
            return Err(Full(self.capacity()));
        };
        slot.line.store(u32::try_from(line).unwrap_or(u32::MAX), Ordering::Relaxed);
        slot.submitted.store(now.as_nanos(), Ordering::Relaxed);
        slot.deadline.store(deadline.as_nanos(), Ordering::Relaxed);
        let generation = slot.gate.open();
        let id = id.unwrap_or_else(|| RequestId::of_slot(number, generation));
        slot.id.store(id.get(), Ordering::Relaxed);
        Ok((id, Token { slot: number, table: self.number, generation }))
    }

    /// Opens the gate: the function that asked has returned. Once per token, by its ticket.
    #[inline]
    pub fn release(&self, token: Token) -> Released {
        self.slot(token).map_or(Released::Running, |slot| slot.gate.release())
    }

    /// Completes the request with 0 or a negative error, unless it is complete already.
    #[inline]
    pub fn complete(&self, token: Token, result: i32, now: Time) -> Completed {
        let Some(slot) = self.slot(token) else { return Completed::Late };
        slot.complete(token, result, now)
    }

    /// As [`Table::complete`], and gives the request's line with it: one look at the slot.
    #[inline]
    pub fn complete_on_line(&self, token: Token, result: i32, now: Time) -> (Completed, usize) {
        let Some(slot) = self.slot(token) else { return (Completed::Late, 0) };
        let completed = slot.complete(token, result, now);
        (completed, slot.line.load(Ordering::Relaxed) as usize)
    }

    /// Has releasing the request's ticket report [`Released::Deliverable`] although its operation
    /// still runs; `false` if the ticket is released already.
    #[inline]
    pub fn await_return(&self, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.gate.await_return(token.generation))
    }

    /// Whether the request's ticket is released, or the request is over.
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

    /// When the request was completed, if it is.
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
    /// that its report may already find them reused (T4). One thread at a time takes.
    #[inline]
    pub fn take(&self, token: Token) -> Option<Completion> {
        let slot = self.slot(token)?;
        let report = |result| {
            Some(Completion {
                id: RequestId::new(slot.id.load(Ordering::Relaxed))?,
                line: slot.line.load(Ordering::Relaxed) as usize,
                result,
                submitted: Time::from_nanos(slot.submitted.load(Ordering::Relaxed)),
                completed: Time::from_nanos(slot.completed.load(Ordering::Relaxed)),
                output: (),
            })
        };
        let completion = slot.gate.take(token.generation).and_then(report)?;
        self.free.give_back(&self.slots[..], token.slot);
        Some(completion)
    }

    /// Gives the slot of a refused request back without a completion (R4); `None` if one has come.
    #[inline]
    pub fn abandon(&self, token: Token) -> Option<Released> {
        let abandoned = self.slot(token)?.gate.abandon(token.generation)?;
        self.free.push(&self.slots[..], token.slot);
        Some(abandoned)
    }

    /// The id of a request that is outstanding.
    #[inline]
    pub fn id(&self, token: Token) -> Option<RequestId> {
        RequestId::new(self.slot(token)?.id.load(Ordering::Relaxed))
    }

    /// The line of a request that is outstanding.
    #[inline]
    pub fn line(&self, token: Token) -> Option<usize> {
        Some(self.slot(token)?.line.load(Ordering::Relaxed) as usize)
    }

    /// The line of the request that is in a slot, or was last.
    #[inline]
    pub fn line_in(&self, slot: usize) -> usize {
        self.slots.get(slot).map_or(0, |slot| slot.line.load(Ordering::Relaxed) as usize)
    }

    /// When the request must be over.
    #[inline]
    pub fn deadline(&self, token: Token) -> Time {
        self.slot(token)
            .map_or(Time::NEVER, |slot| Time::from_nanos(slot.deadline.load(Ordering::Relaxed)))
    }

    /// When the request must be over, if it still runs.
    #[inline]
    pub fn running_until(&self, token: Token) -> Option<Time> {
        let slot = self.slot(token)?;
        let runs = slot.gate.is_running(token.generation);
        runs.then(|| Time::from_nanos(slot.deadline.load(Ordering::Relaxed)))
    }

    /// The running request in `slot` if it has this stamp and id: how a CQE finds its request.
    #[inline]
    pub fn find(&self, slot: u16, stamp: u16, id: u32) -> Option<Token> {
        let entry = self.slots.get(usize::from(slot))?;
        let token = Token { slot, table: self.number, generation: entry.gate.running()? };
        (token.stamp() == stamp && entry.id.load(Ordering::Relaxed) == id).then_some(token)
    }

    /// The request that runs in a slot.
    #[inline]
    pub fn running_in(&self, slot: usize) -> Option<Token> {
        let generation = self.slots.get(slot)?.gate.running()?;
        Some(Token { slot: u16::try_from(slot).ok()?, table: self.number, generation })
    }

    /// All requests that are outstanding and not completed, as they are found.
    #[inline]
    pub fn running(&self) -> impl Iterator<Item = Token> + '_ {
        self.slots.iter().zip(0..=u16::MAX).filter_map(|(entry, slot)| {
            entry.gate.running().map(|generation| Token { slot, table: self.number, generation })
        })
    }

    /// Whether the token is of this table. Whoever gets a token from outside asks first; everything
    /// else here takes tokens of this table.
    #[inline]
    pub fn owns(&self, token: Token) -> bool {
        token.table == self.number
    }

    #[inline]
    fn slot(&self, token: Token) -> Option<&Slot> {
        self.slots.get(token.slot())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn reserve(table: &Table) -> Result<(RequestId, Token), Full> {
        table.reserve(None, 0, Time::ZERO, Time::NEVER)
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
                table.complete(token, 0, Time::ZERO);
                assert!(table.take(token).is_some());
            }
        }
    }

    #[test]
    fn t4_the_record_is_gone_when_the_completion_is_reported() {
        let table = Table::with_capacity(1).unwrap();
        let id = RequestId::new(RequestId::MAX).unwrap();
        let (given, token) = table.reserve(Some(id), 3, Time::ZERO, Time::NEVER).unwrap();
        assert_eq!(given, id);
        assert_eq!(table.release(token), Released::Running);
        assert_eq!(table.complete(token, -5, Time::from_nanos(9)), Completed::Deliverable);
        let completion = table.take(token).unwrap();
        assert_eq!((completion.id, completion.line, completion.result), (id, 3, -5));
        assert_eq!(completion.completed, Time::from_nanos(9));
        let (again, _) = table.reserve(Some(id), 3, Time::ZERO, Time::NEVER).unwrap();
        assert_eq!(again, id);
        assert!(table.take(token).is_none());
    }

    #[test]
    fn a_completion_queue_entry_finds_only_its_own_live_request() {
        let table = Table::with_capacity(2).unwrap();
        let (id, token) = reserve(&table).unwrap();
        assert_eq!(table.find(0, token.stamp(), id.get()), Some(token));
        assert_eq!(table.find(1, token.stamp(), id.get()), None);
        assert_eq!(table.find(2, token.stamp(), id.get()), None);
        assert_eq!(table.find(0, token.stamp() + 1, id.get()), None);
        assert_eq!(table.find(0, token.stamp(), id.get() + 1), None);
        table.complete(token, 0, Time::ZERO);
        assert_eq!(table.find(0, token.stamp(), id.get()), None);
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
        table.complete(a, 0, Time::ZERO);
        assert_eq!(table.running().collect::<Vec<_>>(), [b]);
    }
}
