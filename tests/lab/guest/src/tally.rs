//! Counts the completions of requests: none is lost, early or doubled.
//!
//! Every request has an id of its own in the whole run, so that a second completion can't be
//! mistaken for the first one of another request.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ringback_driver::engine::Engine;
use ringback_driver::reactor::{Handle, Refused, Ticket, Upcalls};
use ringback_driver::request::{Completion, ErrorCode, LineNumber, RequestId};
use ringback_tspi::EvenPoisoned;

use crate::Outcome;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    /// The submitter has not released the ticket.
    Submitting,
    Returned,
    Completed(i32),
}

/// The requests of one card, whose ids are `first` and those after it.
pub struct Tally {
    first: u32,
    book: Mutex<Book>,
    changed: Condvar,
}

struct Book {
    states: Vec<State>,
    counts: Counts,
}

/// The number of requests by what has happened to them.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// Submitted, and not refused.
    pub submitted: usize,
    /// Completed at least once.
    pub completed: usize,
    /// The most that were outstanding at the same time.
    pub most: usize,
    /// Completed before the submitter had released the ticket.
    pub early: usize,
    /// Completed more than once.
    pub doubled: usize,
    /// Completed without having been submitted.
    pub unknown: usize,
    /// The number of completions by result.
    pub results: BTreeMap<i32, usize>,
}

impl Tally {
    /// Makes a tally for `requests` requests with ids from `first` on.
    pub fn new(first: u32, requests: u32) -> Arc<Tally> {
        let states = vec![State::Unknown; requests as usize];
        let book = Mutex::new(Book { states, counts: Counts::default() });
        Arc::new(Tally { first, book, changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().even_poisoned()
    }

    /// Submits with this id. While the card has no free slot, this releases the ticket that the
    /// caller holds, for which everything may be waiting, and waits.
    ///
    /// # Errors
    /// The reason for which the card refused.
    pub fn submit<E: Engine>(
        &self,
        handle: &Handle<E>,
        id: u32,
        command: impl Fn() -> E::Command,
        held: &mut Option<Ticket>,
    ) -> Result<Ticket, Refused> {
        let request = Some(
            RequestId::new(id).ok_or(Refused::Rejected(ErrorCode::of::<{ -libc::EINVAL }>()))?,
        );
        loop {
            let seen = {
                let mut book = self.lock();
                book.set(self.first, id, State::Submitting);
                book.counts.completed
            };
            match handle.submit_as(request, LineNumber(0), command()) {
                Ok(ticket) => {
                    let counts = &mut self.lock().counts;
                    counts.submitted += 1;
                    let outstanding = counts.submitted.saturating_sub(counts.completed);
                    counts.most = counts.most.max(outstanding);
                    return Ok(ticket);
                }
                Err(Refused::Full(full)) => {
                    if let Some(ticket) = held.take() {
                        self.release(ticket);
                    }
                    let until = Instant::now() + Duration::from_secs(60);
                    let mut book = self.lock();
                    while book.counts.completed == seen {
                        book = self.wait_until(book, until).ok_or(Refused::Full(full))?;
                    }
                }
                Err(refused) => {
                    self.lock().set(self.first, id, State::Unknown);
                    return Err(refused);
                }
            }
        }
    }

    /// Notes that the submitter has returned, then opens the gate.
    pub fn release(&self, ticket: Ticket) {
        let id = ticket.id().get();
        let mut book = self.lock();
        // A completion that came before this was early, and was counted as such.
        if book.get(self.first, id) == State::Submitting {
            book.set(self.first, id, State::Returned);
        }
        drop(book);
        ticket.release();
    }

    /// To be called from the card's upcall.
    pub fn completed<Output>(&self, completion: &Completion<Output>) {
        let mut book = self.lock();
        let id = completion.id.get();
        let result = ErrorCode::number_of(completion.result);
        let before = book.get(self.first, id);
        book.set(self.first, id, State::Completed(result));
        let counts = &mut book.counts;
        match before {
            State::Returned => {}
            State::Submitting => counts.early += 1,
            State::Completed(_) => counts.doubled += 1,
            State::Unknown => counts.unknown += 1,
        }
        counts.completed += 1;
        *counts.results.entry(result).or_default() += 1;
        drop(book);
        self.changed.notify_all();
    }

    fn wait_until<'a>(
        &self,
        book: MutexGuard<'a, Book>,
        until: Instant,
    ) -> Option<MutexGuard<'a, Book>> {
        let left = until.checked_duration_since(Instant::now())?;
        Some(self.changed.wait_timeout(book, left).even_poisoned().0)
    }

    /// Waits until everything submitted has completed.
    ///
    /// # Errors
    /// The requests that are missing after `limit`.
    pub fn wait(&self, limit: Duration) -> Outcome {
        let until = Instant::now() + limit;
        let mut book = self.lock();
        loop {
            let missing = book.counts.submitted.saturating_sub(book.counts.completed);
            if missing == 0 {
                return Ok(());
            }
            let late = || format!("{missing} requests did not complete within {limit:?}");
            book = self.wait_until(book, until).ok_or_else(late)?;
        }
    }

    /// The current counts; final once the driver has shut down.
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// The result of a request that has ended.
    pub fn result(&self, id: u32) -> Option<i32> {
        match self.lock().get(self.first, id) {
            State::Completed(result) => Some(result),
            _ => None,
        }
    }
}

impl Book {
    fn get(&self, first: u32, id: u32) -> State {
        let state = self.states.get(id.wrapping_sub(first) as usize);
        state.copied().unwrap_or(State::Unknown)
    }

    fn set(&mut self, first: u32, id: u32, state: State) {
        if let Some(place) = self.states.get_mut(id.wrapping_sub(first) as usize) {
            *place = state;
        }
    }
}

impl Counts {
    /// Checks that each of `expected` requests completed exactly once, and not early.
    pub fn exactly_once(&self, expected: usize) -> Outcome {
        println!("{self:?}");
        let lost = self.submitted.saturating_sub(self.completed);
        if self.submitted != expected {
            return Err(format!(
                "{} requests were submitted instead of {expected}",
                self.submitted
            ));
        }
        if (lost, self.early, self.doubled, self.unknown) != (0, 0, 0, 0) {
            return Err(format!(
                "lost {lost}, early {}, doubled {}, unknown {}",
                self.early, self.doubled, self.unknown
            ));
        }
        Ok(())
    }

    /// Checks that there were no other results than these.
    pub fn only(&self, allowed: &[i32]) -> Outcome {
        match self.results.iter().find(|(result, _)| !allowed.contains(result)) {
            Some((result, count)) => Err(format!("{count} requests ended with {result}")),
            None => Ok(()),
        }
    }

    /// The number of requests with this result.
    pub fn count(&self, result: i32) -> usize {
        self.results.get(&result).copied().unwrap_or(0)
    }
}

/// Upcalls that pass each completion to a tally.
pub struct Tallied(pub Arc<Tally>);

impl<Event, Output> Upcalls<Event, Output> for Tallied {
    fn completed(&mut self, completion: Completion<Output>) {
        self.0.completed(&completion);
    }

    fn event(&mut self, _: LineNumber, _: Event) {}
}
