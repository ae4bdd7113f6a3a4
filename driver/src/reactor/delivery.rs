//! One look of the reaper: it handles what has arrived, the timer, deadlines and upcalls. The code
//! is the same with the ring and with a virtual clock, which differ only in how they keep deadlines
//! ([`Alarms`]).

use std::sync::Arc;

use crate::Time;
use crate::engine::{Engine, Failure};
use crate::guard::{contain, discard};
use crate::report;
use crate::request::{LineNumber, RequestId, Token};

use super::arrived::Arrived;
use super::card::Card;
use super::core::Core;
use super::found::Found;
use super::handover::Work;
use super::outbox::Delivery;
use super::samples::Order;
use super::state::State;
use super::{SLOW, Upcalls, submitter};

/// Rounds of delivery before the ring is looked at again.
const ROUNDS: usize = 32;

/// The most readings of the clock in one round of upcalls.
const READINGS: usize = 16;

/// Keeps the deadlines of running requests, and carries out orders to ports.
pub(crate) trait Alarms {
    /// Arms the deadline of a request.
    fn arm(&mut self, request: Token, id: RequestId, at: Time);
    /// Removes the deadline of a request that has ended before.
    fn disarm(&mut self, request: Token, id: RequestId);
    /// Carries out an engine's order to a port.
    fn order(&mut self, order: Order);
}

/// What a look found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// How many upcalls were delivered.
    pub(crate) delivered: usize,
    /// More is left, or something was queued in the meantime: look again before waiting.
    pub(crate) again: bool,
    /// Latest time of the next look.
    pub(crate) until: Time,
    /// Time of this look.
    pub(crate) now: Time,
}

/// The reaper's own state; only it calls the upcalls.
pub(crate) struct Reaping<E: Engine, U> {
    pub(crate) card: Arc<Card<E>>,
    pub(crate) upcalls: U,
    found: Found<E::Event, E::Output>,
    /// The last upcalls, whose duration is judged at the next reading of the clock.
    span: Option<Span>,
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> Reaping<E, U> {
    pub(crate) fn new(card: Arc<Card<E>>, upcalls: U) -> Self {
        Reaping { card, upcalls, found: Found::new(), span: None }
    }

    /// Passes what has arrived to the engine, runs its timer, delivers one round, and arms and
    /// disarms deadlines.
    pub(crate) fn look(&mut self, arrived: &mut Arrived, alarms: &mut impl Alarms) -> Look {
        let now = self.card.core.clock.now();
        if let Some(span) = self.span.take() {
            span.judge(now);
        }
        let found = &mut self.found;
        let ((), again) = self.card.reap(now, |state| {
            state.arrived(arrived, now);
            state.look(now, found);
            // What is left is reported in `found`, and what is queued later wakes the reaper.
            ((), false)
        });
        self.act(again, alarms)
    }

    /// Looks and delivers, round after round, until nothing is left, or until so many rounds were
    /// delivered that the ring has to be looked at. The result counts the upcalls of all rounds.
    pub(crate) fn rounds(&mut self, arrived: &mut Arrived, alarms: &mut impl Alarms) -> Look {
        let (mut rounds, mut delivered) = (0, 0);
        let mut look = loop {
            let mut look = self.look(arrived, alarms);
            rounds += 1;
            delivered += look.delivered;
            // Something that was queued in the meantime has set the reaper's notification.
            look.again |= delivered != 0 && self.card.core.doze.is_notified();
            if look.delivered == 0 || !look.again || rounds == ROUNDS {
                break look;
            }
        };
        look.delivered = delivered;
        // The time after this point must not count as the callbacks'.
        self.judge();
        look
    }

    /// Logs the last upcalls if they took long. Must be called before the thread does anything
    /// else.
    pub(crate) fn judge(&mut self) {
        if let Some(span) = self.span.take() {
            span.judge(self.card.core.clock.now());
        }
    }

    /// Lets the engine poll its hardware, and delivers one round if the engine or another thread
    /// found something. It never waits: if the card is busy, its holder wakes the reaper.
    pub(crate) fn poll(&mut self, alarms: &mut impl Alarms) -> Look {
        let now = self.card.core.clock.now();
        let found = &mut self.found;
        let polled = self.card.try_reap(|state| {
            let something = state.poll(now);
            if something {
                state.look(now, found);
                return (true, false);
            }
            (false, state.leave())
        });
        match polled {
            Some((true, again)) => self.act(again, alarms),
            Some((false, again)) => Look { delivered: 0, again, until: self.found.until, now },
            None => Look { delivered: 0, again: false, until: self.found.until, now },
        }
    }

    /// Carries out what was found, after the card was unlocked.
    fn act(&mut self, again: bool, alarms: &mut impl Alarms) -> Look {
        // Orders come before the upcalls, which must not delay the end of a sound.
        if !self.found.orders.is_empty() {
            self.found.orders.drain(..).for_each(|order| alarms.order(order));
        }
        let delivered = self.found.batch.len();
        if delivered != 0 {
            self.deliver();
        }
        // This comes before the marks: a thread that waited for one may settle again, and must then
        // see that this round is delivered.
        self.card.core.delivered(self.found.round);
        for mark in self.found.marks.drain(..) {
            mark.reached();
        }
        // Deadlines come after the upcalls, which are urgent. The slots may be in use again by now,
        // but deadlines are found by id and generation.
        for deadline in self.found.arm.drain(..) {
            alarms.arm(deadline.request, deadline.id, deadline.at);
        }
        for deadline in self.found.disarm.drain(..) {
            alarms.disarm(deadline.request, deadline.id);
        }
        let again = again || self.found.more;
        Look { delivered, again, until: self.found.until, now: self.found.now }
    }

    /// The reaper's last act: drops the engine and all that it holds open, makes the last upcall,
    /// and drops the upcalls and `rest`, which is the ring.
    pub(crate) fn end(self, rest: impl Sized) {
        /// Wakes the threads that wait for the end, even if this function panics.
        struct End(Arc<Core>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.end();
            }
        }
        let _end = End(Arc::clone(&self.card.core));
        let Reaping { card, mut upcalls, found, .. } = self;
        let cause = contain(|| card.close(State::bury)).unwrap_or(Failure::Internal);
        let _upcall = submitter::enter_upcall();
        if let Err(text) = contain(|| upcalls.over(cause)) {
            report!(ERROR, "the callback of the card's end panicked: {text}");
        }
        discard(upcalls);
        // The batch is empty unless the reaper has panicked during a delivery.
        discard(found);
        discard(rest);
    }

    fn deliver(&mut self) {
        let _upcall = submitter::enter_upcall();
        // The clock is not read after each upcall, because that costs about as much as a short
        // upcall.
        let stride = self.found.batch.len().div_ceil(READINGS);
        let mut before = self.card.core.clock.now();
        let mut first = None;
        // Upcalls are taken one by one, so that the others are still queued if a panic leaves this
        // loop.
        while let Some(delivery) = self.found.batch.pop_front() {
            let what = What::of(&delivery);
            first.get_or_insert(what);
            let upcalls = &mut self.upcalls;
            let told = contain(|| match delivery {
                Delivery::Completed(completion) => upcalls.completed(completion),
                Delivery::Event(line, event) => upcalls.event(line, event),
            });
            if let Err(text) = told {
                report!(ERROR, "the callback of {what} panicked: {text}");
            }
            let left = self.found.batch.len();
            if !left.is_multiple_of(stride) {
                continue;
            }
            let span = Span { first: first.take().unwrap_or(what), last: what, stride, before };
            if left == 0 {
                // The next look reads the clock anyway.
                self.span = Some(span);
                return;
            }
            before = self.card.core.clock.now();
            span.judge(before);
        }
    }
}

/// Upcalls between two readings of the clock.
#[derive(Debug)]
struct Span {
    first: What,
    last: What,
    /// The most upcalls between the two readings.
    stride: usize,
    before: Time,
}

impl Span {
    /// Logs the upcalls if they took long.
    fn judge(&self, after: Time) {
        let took = after - self.before;
        if took <= SLOW {
            return;
        }
        let Span { first, last, stride, .. } = self;
        if *stride == 1 {
            report!(WARN, "the callback of {last} took {took:?}; all others waited");
        } else {
            report!(
                WARN,
                "the callbacks of {first} to {last}, {stride} at the most, took {took:?} together; \
                 all others waited"
            );
        }
    }
}

/// The argument of a callback, as the log names it.
#[derive(Debug, Clone, Copy)]
enum What {
    Completion(RequestId, LineNumber),
    Event(LineNumber),
}

impl What {
    fn of<Event, Output>(delivery: &Delivery<Event, Output>) -> What {
        match delivery {
            Delivery::Completed(completion) => What::Completion(completion.id, completion.line),
            Delivery::Event(line, _) => What::Event(*line),
        }
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Completion(id, line) => write!(f, "request {id} of line {line}"),
            What::Event(line) => write!(f, "an event of line {line}"),
        }
    }
}
