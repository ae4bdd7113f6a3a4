//! Delivery of completions and events to the application, one at a time.
//!
//! Each line has its queue. A completion that may not be delivered yet stays at its head and holds
//! back what is behind it (O1). Usually the queue is empty when something comes, and the provider's
//! thread delivers it at once. If another thread is delivering, that thread delivers this as well:
//! upcalls never overlap, on whichever threads they come (C6).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_tspi::callstate::CallState;
use ringback_tspi::clock;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::types::HTAPICALL;

use super::call::Call;
use super::guard::guarded;
use super::ledger::Telling;
use super::life::CallInner;
use super::line::LineInner;
use super::requests::{Admission, Arrived, Callback, Record, Waiter};
use super::trace::{Traced, count};
use super::{LineEvent, asked, inside, mailbox};

/// A message as the provider sent it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) call: Option<HTAPICALL>,
    pub(super) message: u32,
    pub(super) params: [usize; 3],
}

/// An entry that is to be delivered.
pub(super) enum Upcall {
    Completed(Arc<Record>, Arrived),
    /// The provider is gone without having completed it.
    Lost(Arc<Record>),
    /// A callback that was set after the outcome had come.
    Late(Arc<Record>, Callback),
    NewCall(Arc<CallInner>),
    Event(Told),
}

/// What is to be delivered on a line, in order.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Upcall>);

/// What comes next on a line.
enum Next {
    Upcall(Upcall),
    /// A completion that may not be delivered yet, and that the host's thread does not watch yet.
    Parks(Arc<Record>),
    Nothing,
}

impl Queue {
    fn next(&mut self) -> Next {
        if let Some(Upcall::Completed(record, _) | Upcall::Lost(record)) = self.0.front() {
            match record.admit() {
                Admission::Open => {}
                Admission::Parks => return Next::Parks(Arc::clone(record)),
                Admission::Parked => return Next::Nothing,
            }
        }
        self.0.pop_front().map_or(Next::Nothing, Next::Upcall)
    }
}

#[derive(Default)]
struct Turn {
    taken: bool,
    /// Lines on which something has come meanwhile.
    lines: VecDeque<Arc<LineInner>>,
}

/// The right to deliver; one thread of a host has it at a time.
#[derive(Default)]
pub(super) struct Baton(Mutex<Turn>);

/// The baton while a thread has it.
struct Holding<'a> {
    baton: &'a Baton,
    put_down: bool,
}

impl Baton {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it; `None` if another thread has it, which then delivers what is on the line.
    fn take(&self, line: &Arc<LineInner>) -> Option<Holding<'_>> {
        let mut turn = self.turn();
        if turn.taken {
            if !turn.lines.iter().any(|known| Arc::ptr_eq(known, line)) {
                turn.lines.push_back(Arc::clone(line));
            }
            return None;
        }
        turn.taken = true;
        Some(Holding { baton: self, put_down: false })
    }
}

impl Holding<'_> {
    /// The next line; with none the baton is put down.
    fn next(&mut self) -> Option<Arc<LineInner>> {
        let mut turn = self.baton.turn();
        let line = turn.lines.pop_front();
        self.put_down = line.is_none();
        turn.taken = !self.put_down;
        line
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        // It is still taken only after a panic; the next thread delivers what is left.
        if !self.put_down {
            self.baton.turn().taken = false;
        }
    }
}

impl LineInner {
    /// Queues something and delivers what may be delivered.
    pub(super) fn push(self: &Arc<Self>, upcall: Upcall) {
        self.put(upcall);
        self.deliver();
    }

    /// Queues something that the next delivery takes.
    pub(super) fn put(&self, upcall: Upcall) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).0.push_back(upcall);
    }

    /// Delivers what may be delivered, unless another thread is doing so.
    pub(super) fn deliver(self: &Arc<Self>) {
        let Some(mut holding) = self.shared.baton.take(self) else { return };
        self.drain();
        while let Some(line) = holding.next() {
            line.drain();
        }
    }

    fn drain(self: &Arc<Self>) {
        loop {
            let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Next::Upcall(upcall) => self.upcall(upcall),
                Next::Parks(record) => return self.shared.hand.watch(&record),
                Next::Nothing => return,
            }
        }
    }

    fn upcall(self: &Arc<Self>, upcall: Upcall) {
        let inside = inside::enter();
        match upcall {
            Upcall::Completed(record, arrived) => self.completed(&record, arrived),
            Upcall::Lost(record) => self.lost(&record),
            Upcall::Late(record, callback) => {
                let outcome = record.state().outcome.unwrap_or(Err(LineError::OPERATIONFAILED));
                let _telling = record.begin_telling();
                guarded("completion callback", || callback(outcome));
            }
            Upcall::NewCall(call) => {
                let call = Call::mentioned(&call);
                self.tell(&LineEvent::NewCall { call, at: clock::now() });
            }
            Upcall::Event(told) => self.event(told),
        }
        drop(inside);
        // Functions that the callback has called have returned by now.
        asked::enter();
    }

    fn completed(self: &Arc<Self>, record: &Record, arrived: Arrived) {
        let Arrived { result, completed, early } = arrived;
        let shared = &self.shared;
        let id = record.id.get();
        let Some(_telling) = record.begin_telling() else {
            return shared.duplicate(id, result);
        };
        let outcome = match LineError::from_raw(result) {
            None if result == 0 => Ok(()),
            Some(error) => Err(error),
            // C2: a provider that gives a positive result has failed.
            None => Err(LineError::OPERATIONFAILED),
        };
        let kept = match (record.making(), outcome) {
            (Some(call), Ok(())) => call.made(),
            (Some(call), Err(_)) => {
                call.kill();
                self.forget(call.tapi);
                Vec::new()
            }
            (None, _) => Vec::new(),
        };
        count(&shared.counters.completed);
        if early {
            count(&shared.counters.early);
        }
        let delivered = clock::now();
        shared.trace(&Traced::Completed { id, result, completed, delivered, early });
        wake(record, outcome);
        for told in kept {
            self.event(told);
        }
    }

    fn lost(self: &Arc<Self>, record: &Record) {
        let Some(_telling) = record.begin_telling() else { return };
        let shared = &self.shared;
        count(&shared.counters.lost);
        if let Some(call) = record.making() {
            call.kill();
            self.forget(call.tapi);
        }
        shared.trace(&Traced::Lost { id: record.id.get(), at: clock::now() });
        wake(record, Err(LineError::OPERATIONFAILED));
    }

    fn event(self: &Arc<Self>, told: Told) {
        let at = clock::now();
        let Told { call, message, params } = told;
        let [first, second, third] = params;
        let call = match call {
            None => None,
            Some(tapi) => match self.call(tapi) {
                Some(call) if call.admit(&told) => Some(Call::mentioned(&call)),
                _ => return,
            },
        };
        let word = |param: usize| u32::try_from(param).unwrap_or(u32::MAX);
        let event = match (message, call) {
            (LINE_CALLSTATE, Some(call)) if CallState::from_raw(word(first)).is_some() => {
                let state = CallState::from_raw(word(first)).unwrap_or(CallState::Unknown);
                let mode = word(second);
                call.inner.set_state(state, mode);
                LineEvent::State { call, state, mode, media: word(third), at }
            }
            (LINE_CALLINFO, Some(call)) => LineEvent::CallInfo { call, changed: word(first), at },
            (LINE_MONITORDIGITS, Some(call)) => LineEvent::Digit {
                call,
                digit: char::from((first & 0xFF) as u8),
                end: word(second) == LINEDIGITMODE_DTMFEND,
                ticks: word(third),
                at,
            },
            (LINE_GENERATE, Some(call)) => LineEvent::Generated {
                call,
                end_to_end: word(second),
                done: word(first) == LINEGENERATETERM_DONE,
                at,
            },
            (LINE_CLOSE, None) => LineEvent::Closed { at },
            (message, call) => LineEvent::Other { call, message, params, at },
        };
        let closed = matches!(event, LineEvent::Closed { .. });
        self.tell(&event);
        if closed {
            self.end();
        }
    }

    /// Delivers an event, unless what it is about is closed (D2, D5). A thread that closes that
    /// waits until it is delivered.
    fn tell(&self, event: &LineEvent) {
        let call = event.call().map(|call| &call.inner);
        let ledgers =
            [Some(&self.shared.ledger), Some(&self.ledger), call.map(|call| &call.ledger)];
        let _telling = Telling::begin(ledgers, &self.shared.turns);
        let is_closed = || self.is_closed() || call.is_some_and(|call| call.is_dead());
        if is_closed() {
            return;
        }
        self.shared.trace(&Traced::Event { device_id: self.info.device_id, event });
        // The observer may have closed it.
        if !is_closed() {
            mailbox::publish(&self.subscribers, event);
        }
    }
}

/// Hands the outcome to the waiter of the request.
fn wake(record: &Record, outcome: Result<(), LineError>) {
    match record.deliver(outcome) {
        Some(Waiter::Callback(callback)) => guarded("completion callback", || callback(outcome)),
        Some(Waiter::Task(waker)) => guarded("waker", || waker.wake()),
        None => {}
    }
}
