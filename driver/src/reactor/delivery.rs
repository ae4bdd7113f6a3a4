//! One look of the reaper: timer, deadlines, upcalls. The same under the ring and under a virtual
//! clock; what differs is who holds the alarms.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Time;
use crate::engine::{Engine, Failure};
use crate::request::{RequestId, Token};

use super::card::Card;
use super::outbox::Delivery;
use super::{LOOK_INTERVAL, SLOW_UPCALL, Upcalls};

/// Who keeps the deadlines of running requests.
pub(crate) trait Alarms {
    /// Calls the request at that time.
    fn arm(&mut self, request: Token, id: RequestId, at: Time);
    /// It has ended before.
    fn disarm(&mut self, request: Token, id: RequestId);
}

/// What a look found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Something was delivered, so there may be more.
    pub(crate) delivered: bool,
    /// Look again by then.
    pub(crate) until: Time,
}

/// The reaper's own state; only it calls the upcalls.
pub(crate) struct Reaping<E: Engine, U> {
    pub(crate) card: Arc<Card<E>>,
    upcalls: U,
    batch: Vec<Delivery<E::Event>>,
    started: Vec<Token>,
    armed: Box<[bool]>,
}

impl<E: Engine, U: Upcalls<E::Event>> Reaping<E, U> {
    pub(crate) fn new(card: Arc<Card<E>>, upcalls: U) -> Self {
        let capacity = card.core.table.capacity();
        Reaping {
            card,
            upcalls,
            batch: Vec::with_capacity(capacity.min(256)),
            started: Vec::with_capacity(capacity),
            armed: vec![false; capacity].into(),
        }
    }

    /// Runs the timer, arms and disarms deadlines, delivers one round.
    pub(crate) fn look(&mut self, alarms: &mut impl Alarms) -> Look {
        let (batch, started) = (&mut self.batch, &mut self.started);
        let (round, until) = self.card.with(|state| {
            let round = state.look(LOOK_INTERVAL, batch, started);
            (round, state.looks_by)
        });
        let table = &self.card.core.table;
        for request in self.started.drain(..) {
            if let Some(id) = table.id(request)
                && table.is_running(request)
                && let Some(armed) = self.armed.get_mut(request.slot())
            {
                *armed = true;
                alarms.arm(request, id, table.deadline(request));
            }
        }
        // Before the upcalls: from the first one on, the slots may be in use again.
        for delivery in &self.batch {
            if let Delivery::Completed(request, completion) = delivery
                && let Some(armed) = self.armed.get_mut(request.slot())
                && std::mem::take(armed)
            {
                alarms.disarm(*request, completion.id);
            }
        }
        let delivered = !self.batch.is_empty();
        if delivered {
            self.deliver();
            self.card.core.delivered(round);
        }
        Look { delivered, until }
    }

    fn deliver(&mut self) {
        let mut before = self.card.core.clock.now();
        for delivery in self.batch.drain(..) {
            let (what, number) = match &delivery {
                Delivery::Completed(_, completion) => ("completion", completion.id.get() as usize),
                Delivery::Event(line, _) => ("event of line", *line),
            };
            let upcalls = &mut self.upcalls;
            let result = catch_unwind(AssertUnwindSafe(|| match delivery {
                Delivery::Completed(_, completion) => upcalls.completed(completion),
                Delivery::Event(line, event) => upcalls.event(line, event),
            }));
            if let Err(panic) = result {
                tracing::error!(what, number, panic = text(&*panic), "a callback panicked");
            }
            let now = self.card.core.clock.now();
            if now - before > SLOW_UPCALL {
                let took = now - before;
                tracing::warn!(what, number, ?took, "a callback was slow; all others waited");
            }
            before = now;
        }
    }

    /// The card interrupted.
    pub(crate) fn interrupt(&mut self, count: u64) {
        self.card.with(|state| state.call(|engine, cx| engine.interrupt(count, cx)));
    }

    /// A request's alarm went off.
    pub(crate) fn expired(&mut self, request: Token) {
        if let Some(armed) = self.armed.get_mut(request.slot()) {
            *armed = false;
        }
        self.card.with(|state| state.end(request, Failure::Deadline));
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
