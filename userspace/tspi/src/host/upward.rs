//! The way up: a provider's completions and events become what the application is told.
//!
//! Everything of a line goes through one queue. With a provider that holds back what is early, it is
//! empty whenever something comes, and the reaper delivers at once. With one that does not, a
//! completion whose ticket is held stays at its head, and what is behind it waits (G1): whoever lets
//! go of the ticket then delivers.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use ringback_driver::request::Completion;

use super::call::{Call, CallInner};
use super::host::Shared;
use super::line::LineInner;
use super::requests::{Arrived, Record, Waiter};
use super::trace::{Traced, count};
use super::{LineEvent, events, inside};
use crate::callstate::CallState;
use crate::clock;
use crate::constants::*;
use crate::error::LineError;
use crate::provider::Tapi;
use crate::types::{HDRVCALL, HTAPICALL, HTAPILINE};

/// A message as the provider sent it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    call: Option<HTAPICALL>,
    message: u32,
    params: [usize; 3],
}

/// Something that is to be told.
pub(super) enum Upcall {
    Completed(Arc<Record>, Arrived),
    NewCall(Arc<CallInner>),
    Event(Told),
}

/// What is to be told on a line, in order.
#[derive(Default)]
pub(super) struct Queue {
    upcalls: VecDeque<Upcall>,
    /// Somebody is telling; so that there is one at a time.
    draining: bool,
}

impl Queue {
    /// What may be told now; a completion whose ticket is held may not, nor what is behind it.
    fn next(&mut self) -> Option<Upcall> {
        if let Some(Upcall::Completed(record, _)) = self.upcalls.front()
            && !record.state().released
        {
            return None;
        }
        self.upcalls.pop_front()
    }
}

/// What the provider is given.
pub(super) struct Upward {
    pub(super) shared: Arc<Shared>,
    pub(super) timing: Option<Completion>,
}

impl Tapi for Upward {
    fn completion(&mut self, id: u32, result: i32) {
        let now = clock::now();
        let timing = self.timing.take().filter(|timing| timing.id.get() == id);
        let completed = timing.map_or(now, |timing| timing.completed);
        let Some(record) = self.shared.requests.take(id) else {
            return self.shared.duplicate(id, result);
        };
        let early = !record.state().returned;
        let line = Arc::clone(&record.line);
        line.push(Upcall::Completed(record, Arrived { result, completed, early }));
    }

    fn line_event(
        &mut self,
        line: HTAPILINE,
        call: Option<HTAPICALL>,
        message: u32,
        param1: usize,
        param2: usize,
        param3: usize,
    ) {
        if let Some(line) = self.shared.line(line) {
            line.push(Upcall::Event(Told { call, message, params: [param1, param2, param3] }));
        }
    }

    fn new_call(&mut self, line: HTAPILINE, call: HDRVCALL) -> Option<HTAPICALL> {
        let line = self.shared.line(line)?;
        let tapi = HTAPICALL::new(self.shared.next_handle())?;
        let call = Arc::new(CallInner::incoming(&line, tapi, call));
        line.remember(&call);
        line.push(Upcall::NewCall(call));
        Some(tapi)
    }

    fn timing(&mut self, completion: &Completion) {
        self.timing = Some(*completion);
    }
}

impl LineInner {
    fn push(self: &Arc<Self>, upcall: Upcall) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).upcalls.push_back(upcall);
        self.drain();
    }

    /// Tells what may be told, unless another thread is at it.
    pub(super) fn drain(self: &Arc<Self>) {
        let queue = || self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut queue().draining, true) {
            return;
        }
        loop {
            let upcall = {
                let mut queue = queue();
                let next = queue.next();
                queue.draining = next.is_some();
                next
            };
            let Some(upcall) = upcall else { return };
            let _inside = inside::enter(&*self.shared);
            match upcall {
                Upcall::Completed(record, arrived) => self.completed(&record, arrived),
                Upcall::NewCall(call) => {
                    self.tell(&LineEvent::NewCall { call: Call(call), at: clock::now() });
                }
                Upcall::Event(told) => self.event(told),
            }
        }
    }

    fn completed(self: &Arc<Self>, record: &Record, arrived: Arrived) {
        let Arrived { result, completed, early } = arrived;
        let shared = &self.shared;
        let id = record.id.get();
        if record.state().refused {
            return shared.duplicate(id, result);
        }
        let outcome = match LineError::from_raw(result) {
            None if result == 0 => Ok(()),
            Some(error) => Err(error),
            // C2: a provider that gives a positive result has failed.
            None => Err(LineError::OPERATIONFAILED),
        };
        let kept = match (&record.making, outcome) {
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
        match record.deliver(outcome) {
            Some(Waiter::Callback(callback)) => {
                guarded("completion callback", || callback(outcome))
            }
            Some(Waiter::Task(waker)) => guarded("waker", || waker.wake()),
            None => {}
        }
        for told in kept {
            self.event(told);
        }
    }

    fn event(self: &Arc<Self>, told: Told) {
        let at = clock::now();
        let Told { call, message, params } = told;
        let [first, second, third] = params;
        let call = match call {
            None => None,
            Some(tapi) => match self.call(tapi) {
                Some(call) if call.admit(&told) => Some(Call(call)),
                _ => return,
            },
        };
        let word = |param: usize| u32::try_from(param).unwrap_or(u32::MAX);
        let event = match (message, call) {
            (LINE_CALLSTATE, Some(call)) if CallState::from_raw(word(first)).is_some() => {
                let state = CallState::from_raw(word(first)).unwrap_or(CallState::Unknown);
                let mode = word(second);
                call.0.set_state(state, mode);
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

    /// Tells an event, unless the line is closed (D2).
    fn tell(&self, event: &LineEvent) {
        if self.is_closed() {
            return;
        }
        self.shared.trace(&Traced::Event { device_id: self.info.device_id, event });
        guarded("waker", || events::publish(&self.subscribers, event));
    }
}

/// Runs code of the application; its panic does not reach the provider.
pub(super) fn guarded(what: &str, act: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(act)) {
        tracing::error!(what, panic = text(&*panic), "the application panicked in an upcall");
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}
