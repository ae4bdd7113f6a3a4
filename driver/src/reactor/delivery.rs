//! One look of the reaper: what arrived, timer, deadlines, upcalls. The same under the ring and under
//! a virtual clock; what differs is who holds the alarms.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::Time;
use crate::engine::Engine;
use crate::request::{RequestId, Token};

use super::card::{Arrived, Card, Found};
use super::outbox::Delivery;
use super::samples::Order;
use super::{SLOW_UPCALL, Upcalls};

/// How often the clock is asked in one round of upcalls, at the most.
const READINGS: usize = 16;

/// Who keeps the deadlines of running requests, and has the ports.
pub(crate) trait Alarms {
    /// Calls the request at that time.
    fn arm(&mut self, request: Token, id: RequestId, at: Time);
    /// It has ended before.
    fn disarm(&mut self, request: Token, id: RequestId);
    /// The engine wants something of a port.
    fn order(&mut self, order: Order);
}

/// What a look found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// How many upcalls were delivered; if any, there may be more.
    pub(crate) delivered: usize,
    /// Something was put in since, so look again before waiting.
    pub(crate) again: bool,
    /// Look again by then.
    pub(crate) until: Time,
    /// When it was.
    pub(crate) now: Time,
}

/// The reaper's own state; only it calls the upcalls.
pub(crate) struct Reaping<E: Engine, U> {
    pub(crate) card: Arc<Card<E>>,
    upcalls: U,
    found: Found<E::Event>,
}

impl<E: Engine, U: Upcalls<E::Event>> Reaping<E, U> {
    pub(crate) fn new(card: Arc<Card<E>>, upcalls: U) -> Self {
        Reaping { card, upcalls, found: Found::new() }
    }

    /// Tells the engine what has arrived, runs its timer, delivers one round, arms and disarms
    /// deadlines.
    pub(crate) fn look(&mut self, arrived: &mut Arrived, alarms: &mut impl Alarms) -> Look {
        let now = self.card.core.clock.now();
        let found = &mut self.found;
        let ((), again) = self.card.state.with(|state| {
            state.arrived(arrived, now);
            state.look(now, found);
        });
        self.act(again, alarms)
    }

    /// Has the engine look without an interrupt, and delivers one round if it found something or
    /// somebody else did. Waits for nobody: if the card is busy, its holder will leave word.
    pub(crate) fn poll(&mut self, alarms: &mut impl Alarms) -> Look {
        let now = self.card.core.clock.now();
        let found = &mut self.found;
        let polled = self.card.state.try_with(|state| {
            let something = state.poll(now);
            if something {
                state.look(now, found);
            }
            something
        });
        match polled {
            Some((true, again)) => self.act(again, alarms),
            Some((false, again)) => Look { delivered: 0, again, until: self.found.until, now },
            None => Look { delivered: 0, again: false, until: self.found.until, now },
        }
    }

    /// Acts upon what was found, with the card free for others.
    fn act(&mut self, again: bool, alarms: &mut impl Alarms) -> Look {
        if let Some(round) = self.found.settled.take() {
            self.card.core.delivered(round);
        }
        // Before the upcalls: sound stops when it should.
        for order in self.found.orders.drain(..) {
            alarms.order(order);
        }
        let delivered = self.found.batch.len();
        if delivered != 0 {
            self.deliver();
        }
        // After the upcalls, which are what is waited for. The slots may be in use again, but
        // alarms go by id and generation.
        for deadline in self.found.arm.drain(..) {
            alarms.arm(deadline.request, deadline.id, deadline.at);
        }
        for deadline in self.found.disarm.drain(..) {
            alarms.disarm(deadline.request, deadline.id);
        }
        Look { delivered, again, until: self.found.until, now: self.found.now }
    }

    fn deliver(&mut self) {
        // Reading the clock costs about as much as a short upcall.
        let stride = self.found.batch.len().div_ceil(READINGS);
        let mut before = self.found.now;
        let mut left = self.found.batch.len();
        for delivery in self.found.batch.drain(..) {
            let (what, number) = match &delivery {
                Delivery::Completed(completion) => ("completion", completion.id.get() as usize),
                Delivery::Event(line, _) => ("event of line", *line),
            };
            let upcalls = &mut self.upcalls;
            let result = catch_unwind(AssertUnwindSafe(|| match delivery {
                Delivery::Completed(completion) => upcalls.completed(completion),
                Delivery::Event(line, event) => upcalls.event(line, event),
            }));
            if let Err(panic) = result {
                tracing::error!(what, number, panic = text(&*panic), "a callback panicked");
            }
            left -= 1;
            if left.is_multiple_of(stride) {
                let now = self.card.core.clock.now();
                let took = now - before;
                if took > SLOW_UPCALL && stride == 1 {
                    tracing::warn!(what, number, ?took, "a callback was slow; all others waited");
                } else if took > SLOW_UPCALL {
                    let last = number;
                    tracing::warn!(what, last, ?took, "{stride} callbacks were slow together");
                }
                before = now;
            }
        }
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
