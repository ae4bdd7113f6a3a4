//! Delivery of completions and events to the application, one at a time.
//!
//! Usually a line's queue is empty when a completion or event comes, and the provider's thread
//! delivers it at once. If another thread is delivering, that thread delivers this as well.

use std::sync::Arc;

use ringback_request::{ErrorCode, RequestId, Time};
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::LineMessage;

use super::asked;
use super::baton::Deliver;
use super::call::Call;
use super::counts::count;
use super::events::LineEvent;
use super::guard::guarded;
use super::inside;
use super::ledger::{Ledger, Telling, Turns};
use super::mailbox;
use super::outlet::{LineOutlet, LineUpcall};
use super::queue::{Next, Upcall};
use super::record::{Arrived, Asking, Callback, Ending, Outcome, Outlet, Record, Waiter};
use super::trace::Traced;

impl Outlet for LineOutlet {
    fn ledgers(&self) -> [&Ledger; 2] {
        [&self.inner.shared.ledger, &self.inner.ledger]
    }

    fn provider(&self) -> u32 {
        self.inner.service.id
    }

    fn turns(&self) -> &Turns {
        &self.inner.shared.turns
    }

    fn asking(&self, id: RequestId, asking: Asking) {
        let at = Time::monotonic();
        self.observer.see(&match asking {
            Asking::Submitted { function, call: Some(call) } => {
                Traced::Submitted { id, function, device_id: self.inner.info.device_id, call, at }
            }
            // A request of a line always has a call.
            Asking::Submitted { call: None, .. } => return,
            Asking::Returned => Traced::Returned { id, at },
            Asking::Refused(error) => Traced::Refused { id, error: error.into(), at },
        });
    }

    fn put(&self, record: Arc<Record>, ending: Ending) {
        self.queue_up(Upcall::Request(record, ending));
    }

    fn arrived(self: Arc<Self>) {
        let service = Arc::clone(&self.inner.service);
        service.arrived(self);
    }

    fn deliver_later(self: Arc<Self>) {
        let shared = Arc::clone(&self.inner.shared);
        shared.hand.deliver(self);
    }
}

impl Deliver for LineOutlet {
    fn drain(self: Arc<Self>) {
        loop {
            let next = self.queue().next();
            match next {
                Next::Upcall(upcall) => self.upcall(upcall),
                Next::Parks(record) => return self.inner.shared.hand.watch(&record),
                Next::Nothing => return,
            }
        }
    }
}

impl LineOutlet {
    /// Queues something that has come in an upcall, and delivers what may be delivered.
    pub(super) fn push(self: Arc<Self>, message: LineUpcall) {
        self.queue_up(Upcall::Message(message));
        self.arrived();
    }

    fn upcall(&self, upcall: Upcall<LineUpcall>) {
        let inside = inside::enter();
        match upcall {
            Upcall::Request(record, Ending::Completed(arrived)) => self.completed(&record, arrived),
            Upcall::Request(record, Ending::Lost) => self.lost(&record),
            Upcall::Request(record, Ending::Late(callback)) => late(&record, callback),
            Upcall::Message(LineUpcall::NewCall(tapi)) => {
                // The call is not found if the line was closed.
                if let Some(call) = self.inner.call(tapi) {
                    let call = Call::mentioned(&call);
                    self.tell(&LineEvent::NewCall { call, at: Time::monotonic() });
                }
            }
            Upcall::Message(LineUpcall::Event(told)) => self.event(told),
        }
        drop(inside);
        // Functions that the callback has called have returned by now.
        asked::enter();
    }

    fn completed(&self, record: &Record, arrived: Arrived) {
        let Arrived { outcome, completed, early } = arrived;
        let shared = &self.inner.shared;
        let id = record.id;
        let Some(_telling) = record.begin_telling() else {
            return self.observer.duplicate(&shared.counters, id, outcome);
        };
        let kept = match (record.making(), outcome) {
            (Some(call), Ok(())) => self.inner.call(call).map_or(Vec::new(), |call| call.made()),
            (Some(call), Err(_)) => {
                self.inner.not_made(call);
                Vec::new()
            }
            (None, _) => Vec::new(),
        };
        count(&shared.counters.completed);
        if early {
            count(&shared.counters.early);
        }
        let delivered = Time::monotonic();
        let told = outcome.map_err(LineError::from);
        self.observer.see(&Traced::Completed { id, outcome: told, completed, delivered, early });
        wake(record, outcome);
        for told in kept {
            self.event(told);
        }
    }

    fn lost(&self, record: &Record) {
        let Some(_telling) = record.begin_telling() else { return };
        count(&self.inner.shared.counters.lost);
        if let Some(call) = record.making() {
            self.inner.not_made(call);
        }
        self.observer.see(&Traced::Lost { id: record.id, at: Time::monotonic() });
        wake(record, Err(LineError::OPERATIONFAILED.into()));
    }

    fn event(&self, told: LineMessage) {
        let at = Time::monotonic();
        let LineMessage { call, message, params, .. } = told;
        let [first, second, third] = params;
        let call = match call {
            None => None,
            Some(tapi) => match self.inner.call(tapi) {
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
                pulse: word(second) == LINEDIGITMODE_PULSE,
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

    /// Delivers an event, unless its line or call is closed (D2, D5). A thread that closes one of
    /// them waits until this has returned.
    fn tell(&self, event: &LineEvent) {
        let call = event.call().map(|call| &call.inner);
        let [host, line] = self.ledgers();
        let ledgers = [Some(host), Some(line), call.map(|call| &*call.ledger)];
        let _telling = Telling::begin(ledgers, self.turns());
        let is_closed = || self.inner.is_ended() || call.is_some_and(|call| call.is_dead());
        if is_closed() {
            return;
        }
        self.observer.see(&Traced::Event { device_id: self.inner.info.device_id, event });
        // The observer may have closed it.
        if !is_closed() {
            if matches!(event, LineEvent::Closed { .. }) {
                // Who has the event finds the line closed.
                self.inner.set_ended();
                self.inner.ledger.close();
            }
            mailbox::publish(&self.subscribers, event);
        }
    }
}

/// Calls a callback that was set after the outcome had come.
pub(super) fn late(record: &Record, callback: Callback) {
    // It was set because there is an outcome.
    let outcome = record.state().outcome.unwrap_or(Err(ErrorCode::UNKNOWN));
    let _telling = record.begin_telling();
    guarded("completion callback", || callback(outcome));
}

/// Hands the outcome to the waiter of the request.
pub(super) fn wake(record: &Record, outcome: Outcome) {
    match record.deliver(outcome) {
        Some(Waiter::Callback(callback)) => guarded("completion callback", || callback(outcome)),
        Some(Waiter::Task(waker)) => guarded("waker", || waker.wake()),
        None => {}
    }
}
