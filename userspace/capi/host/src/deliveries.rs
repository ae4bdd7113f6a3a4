//! The completions and events of a host, until a thread of the application's or of the host's
//! delivers them.
//!
//! Each line and phone has a queue. A completion whose function may not have returned yet waits at
//! the head of its queue and holds back everything behind it (G1, O1). One thread delivers at a
//! time and upcalls do not nest (C6): a dispatch while another thread delivers returns at once.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use nix::sys::eventfd::{EfdFlags, EventFd};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;

use crate::asker;
use crate::event::Event;
use crate::requests::{self, Request};

/// The most messages that one dispatch delivers, so that it returns also if more keep coming.
const ROUND: u32 = 1024;
/// How long a close waits for a running callback.
const LIMIT: Duration = Duration::from_secs(2);

/// A completion or event to be delivered.
struct Message {
    event: Event,
    /// The request whose completion it is.
    request: Option<Arc<Request>>,
}

#[derive(Default)]
struct State {
    /// The queue of each line and phone, by its handle.
    queues: BTreeMap<u64, VecDeque<Message>>,
    /// The line or phone whose message was delivered last, so that one does not starve the others.
    served: u64,
    /// The thread that delivers.
    teller: Option<ThreadId>,
    /// The line or phone, and the call, that the running callback is about.
    about: Option<(u64, u64)>,
    /// A thread of the host's delivers, and no dispatch.
    has_thread: bool,
    /// Nothing more is delivered.
    ended: bool,
}

impl State {
    /// Takes the next message that may be delivered, beginning with the line after `served`.
    fn next(&mut self) -> Option<Message> {
        let is_ready = |queue: &VecDeque<Message>| {
            let request = queue.front().map(|message| message.request.as_ref());
            request.is_some_and(|request| request.is_none_or(|request| request.may_be_told()))
        };
        let after = self.served.saturating_add(1)..;
        let line = self.queues.range(after).chain(self.queues.range(..=self.served));
        let line = line.filter(|(_, queue)| is_ready(queue)).map(|(line, _)| *line).next()?;
        self.served = line;
        let queue = self.queues.get_mut(&line)?;
        let message = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&line);
        }
        message
    }
}

/// The queued completions and events of a host, and the thread that delivers them.
#[derive(Default)]
pub struct Deliveries {
    state: Mutex<State>,
    changed: Condvar,
    /// Created by the first call of [`Deliveries::fd`].
    readable: OnceLock<EventFd>,
}

impl Deliveries {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().even_poisoned()
    }

    /// Wakes the delivering thread, because something may be deliverable now.
    pub fn signal(&self) {
        // The lock is taken because a thread could otherwise sleep right after it found nothing.
        let state = self.state();
        self.changed.notify_all();
        drop(state);
        if let Some(readable) = self.readable.get() {
            // This fails only if the count is full, and then the descriptor is readable.
            let _ = readable.write(1);
        }
    }

    /// Queues a completion or event; `request` is the one that a completion ends.
    pub fn push(&self, event: Event, request: Option<Arc<Request>>) {
        {
            let mut state = self.state();
            if state.ended {
                return;
            }
            state.queues.entry(event.device()).or_default().push_back(Message { event, request });
        }
        self.signal();
    }

    /// The descriptor that is readable when there may be something to deliver.
    ///
    /// # Errors
    /// RESOURCEUNAVAIL if it can't be created.
    pub fn fd(&self) -> Result<i32, LineError> {
        // Under the lock, so that two threads do not create two, and no message is queued in
        // between.
        let _state = self.state();
        if self.readable.get().is_none() {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            let made = EventFd::from_value_and_flags(1, flags);
            let _ = self.readable.set(made.map_err(|_| LineError::RESOURCEUNAVAIL)?);
        }
        let readable = self.readable.get().ok_or(LineError::RESOURCEUNAVAIL)?;
        Ok(readable.as_fd().as_raw_fd())
    }

    /// Delivers everything that may be delivered, on this thread, and returns how many messages
    /// that was: 0 if another thread delivers, or if this is called in a callback.
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if a thread of the host's delivers.
    pub fn dispatch(&self, tell: impl FnMut(&Event)) -> Result<u32, LineError> {
        if self.state().has_thread {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        Ok(self.tell(tell))
    }

    fn tell(&self, mut tell: impl FnMut(&Event)) -> u32 {
        let mut state = self.state();
        if state.teller.is_some() {
            return 0;
        }
        if let Some(readable) = self.readable.get() {
            // It is signalled again for every message that is queued from here on.
            let _ = readable.read();
        }
        state.teller = Some(thread::current().id());
        let mut told = 0;
        while told < ROUND
            && !state.ended
            && let Some(Message { event, request }) = state.next()
        {
            state.about = Some((event.device(), event.call));
            drop(state);
            if let Some(request) = request {
                // The id may be used again as soon as its completion is reported (T4).
                requests::forget(request.id);
            }
            tell(&event);
            // Functions that the callback has called have returned by now.
            asker::enter();
            told += 1;
            state = self.state();
            state.about = None;
            self.changed.notify_all();
        }
        state.teller = None;
        drop(state);
        if told == ROUND {
            self.signal();
        }
        told
    }

    /// Makes the calling thread the one that delivers, until the host ends.
    ///
    /// # Errors
    /// OPERATIONUNAVAIL if there is such a thread already.
    pub fn claim(&self) -> Result<(), LineError> {
        let mut state = self.state();
        if std::mem::replace(&mut state.has_thread, true) {
            return Err(LineError::OPERATIONUNAVAIL);
        }
        Ok(())
    }

    /// Undoes [`Deliveries::claim`], because the thread could not be started.
    pub fn disclaim(&self) {
        self.state().has_thread = false;
    }

    /// The loop of the thread for which [`Deliveries::claim`] was called.
    pub fn run(&self, mut tell: impl FnMut(&Event)) {
        loop {
            if self.tell(&mut tell) > 0 {
                continue;
            }
            let state = self.state();
            if state.ended {
                return;
            }
            // Everything that makes a completion deliverable signals this. The limit is needed if a
            // dispatch was running at the time of `claim`.
            drop(self.changed.wait_timeout(state, LIMIT));
        }
    }

    /// Drops the events of a line or phone, or of one call of a line (D2, D5), and waits for a
    /// callback about it. Completions stay.
    ///
    /// # Errors
    /// OPERATIONFAILED if the callback does not return in time.
    pub fn drop_events(&self, line: u64, call: Option<u64>) -> Result<(), LineError> {
        let concerns =
            |of_line: u64, of_call: u64| of_line == line && call.is_none_or(|call| call == of_call);
        let mut state = self.state();
        if let Some(queue) = state.queues.get_mut(&line) {
            queue.retain(|message| {
                message.request.is_some() || !concerns(message.event.device(), message.event.call)
            });
            if queue.is_empty() {
                state.queues.remove(&line);
            }
        }
        self.settle(state, |about| concerns(about.0, about.1))
    }

    /// Nothing more is delivered.
    ///
    /// # Errors
    /// OPERATIONFAILED if a running callback does not return in time.
    pub fn end(&self) -> Result<(), LineError> {
        let mut state = self.state();
        state.ended = true;
        state.queues.clear();
        drop(state);
        self.signal();
        self.settle(self.state(), |_| true)
    }

    /// Waits until no callback about this is running, except on this thread.
    fn settle(
        &self,
        state: MutexGuard<'_, State>,
        concerns: impl Fn((u64, u64)) -> bool,
    ) -> Result<(), LineError> {
        let me = thread::current().id();
        let busy =
            |state: &mut State| state.teller != Some(me) && state.about.is_some_and(&concerns);
        let waited = self.changed.wait_timeout_while(state, LIMIT, busy);
        let timed_out = waited.even_poisoned().1.timed_out();
        if timed_out { Err(LineError::OPERATIONFAILED) } else { Ok(()) }
    }
}
