//! The reaper without a thread or a ring: the caller provides time and interrupts.
//!
//! For simulations. Everything else, such as hand-over, gate, order and deadlines, is the code of
//! the real reaper.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::device::ring::READ_SAMPLES;
use crate::engine::{Engine, Failure, Play, Played};
use crate::request::{CapacityError, RequestId, RequestSlot, Table, Token};
use crate::{PortNumber, Time};

use super::Upcalls;
use super::arrived::{Arrived, Sound};
use super::card::Card;
use super::clock::Clock;
use super::core::Core;
use super::delivery::{Alarms, Reaping};
use super::handle::Handle;
use super::samples::Order;

/// Deadlines in order of time, and orders to ports.
#[derive(Default)]
struct Calendar(BTreeMap<(Time, RequestSlot), Token>, Vec<Order>);

/// An engine's order to a port, for the caller, which stands in for the kernel.
#[derive(Debug, PartialEq, Eq)]
pub enum PortOrder {
    /// Play samples behind those that are queued, for the request with this id or for none.
    Play {
        /// The port's number on the card.
        port: PortNumber,
        /// The number with which the end of this play is reported.
        play: Play,
        /// The id of the request it belongs to, if there is one.
        id: Option<RequestId>,
        /// At 8 kHz, companded as the card's modules are set.
        samples: Vec<u8>,
    },
    /// Drop everything that is queued: each of these plays ends with [`Played::Dropped`].
    Silence {
        /// The port's number on the card.
        port: PortNumber,
    },
}

impl Alarms for Calendar {
    fn arm(&mut self, request: Token, _: RequestId, at: Time) {
        self.0.insert((at, request.slot()), request);
    }
    fn disarm(&mut self, request: Token, _: RequestId) {
        self.0.retain(|_, other| *other != request);
    }
    fn order(&mut self, order: Order) {
        self.1.push(order);
    }
}

/// An engine with its upcalls under a virtual clock.
pub struct Stepper<E: Engine, U: Upcalls<E::Event, E::Output>> {
    reaping: Reaping<E, U>,
    calendar: Calendar,
}

impl<E: Engine, U: Upcalls<E::Event, E::Output>> Stepper<E, U> {
    /// Starts at time zero.
    ///
    /// # Errors
    /// [`CapacityError`] for a capacity that a table can't have.
    pub fn new(engine: E, upcalls: U, capacity: usize) -> Result<Self, CapacityError> {
        let table = Table::with_capacity(capacity)?;
        let core = Core::new(table, Clock::Virtual(AtomicU64::new(0)), None);
        let card = Arc::new(Card::new(engine, core));
        Ok(Stepper { reaping: Reaping::new(card, upcalls), calendar: Calendar::default() })
    }

    /// Returns a handle of the card.
    pub fn handle(&self) -> Handle<E> {
        Handle { card: Arc::clone(&self.reaping.card) }
    }

    /// The time on the virtual clock.
    pub fn now(&self) -> Time {
        self.reaping.card.core.clock.now()
    }

    /// Signals an interrupt of the card, then delivers everything that is due.
    pub fn interrupt(&mut self) {
        self.deliver_after(Arrived { interrupted: true, ..Arrived::default() });
    }

    /// Makes the interrupt file fail: the card is gone.
    pub fn gone(&mut self) {
        self.deliver_after(Arrived { gone: true, ..Arrived::default() });
    }

    /// Takes the engine's orders to ports since the last call, in order.
    pub fn orders(&mut self) -> Vec<PortOrder> {
        let orders = self.calendar.1.drain(..);
        let public = orders.map(|order| match order {
            Order::Play { port, play, id, samples } => PortOrder::Play { port, play, id, samples },
            Order::Silence { port } => PortOrder::Silence { port },
        });
        public.collect()
    }

    /// Makes a port receive samples; of more than 160 the rest is dropped.
    pub fn received(&mut self, port: PortNumber, samples: &[u8]) {
        let mut place = [0; READ_SAMPLES];
        let length = samples.len().min(place.len());
        for (place, sample) in place.iter_mut().zip(samples) {
            *place = *sample;
        }
        let sounds = vec![Sound::Received { port, samples: place, length }];
        self.deliver_after(Arrived { sounds, ..Arrived::default() });
    }

    /// Reports the end of something that the engine has [played](PortOrder::Play).
    pub fn played(&mut self, port: PortNumber, play: Play, played: Played) {
        let sounds = vec![Sound::Played { port, play, played }];
        self.deliver_after(Arrived { sounds, ..Arrived::default() });
    }

    /// Delivers everything that may be delivered. Returns the number of upcalls.
    pub fn deliver(&mut self) -> usize {
        self.deliver_after(Arrived::default())
    }

    fn deliver_after(&mut self, mut arrived: Arrived) -> usize {
        // The calling thread becomes the reaper, so that settling in an upcall does not wait for
        // itself.
        self.reaping.card.core.become_reaper();
        let mut upcalls = 0;
        loop {
            let look = self.reaping.look(&mut arrived, &mut self.calendar);
            upcalls += look.delivered;
            if look.delivered == 0 && !look.again {
                return upcalls;
            }
        }
    }

    /// Advances the clock, and stops at every deadline and timer on the way.
    pub fn advance(&mut self, time: Duration) {
        let end = self.now() + time;
        loop {
            self.deliver();
            let timer = self.reaping.card.with(|state| state.looks_by);
            let alarm = self.calendar.0.first_key_value().map_or(Time::NEVER, |((at, _), _)| *at);
            let next = timer.min(alarm).max(self.now());
            if next > end {
                break;
            }
            self.set(next);
            if let Some(due) = self.calendar.0.first_entry()
                && due.key().0 <= next
            {
                let request = due.remove();
                self.deliver_after(Arrived { expired: vec![request], ..Arrived::default() });
            }
        }
        self.set(end);
        self.deliver();
    }

    /// Puts the hardware into its safe state and delivers everything that is left.
    pub fn stop(&mut self) {
        self.reaping.card.close(|state| state.end(Failure::Closed));
        self.deliver();
    }

    /// The reaper's last act, once the card was shut down by a handle and everything is delivered;
    /// before that it is returned unchanged.
    pub fn end(self) -> Option<Self> {
        let card = &self.reaping.card;
        if !card.core.is_stopping() || !card.with(|state| state.is_empty()) {
            return Some(self);
        }
        self.reaping.end(self.calendar);
        None
    }

    /// Requests whose deadlines are armed, the nearest first.
    #[cfg(all(test, not(loom)))]
    pub(super) fn armed(&self) -> Vec<Token> {
        self.calendar.0.values().copied().collect()
    }

    fn set(&self, time: Time) {
        if let Clock::Virtual(nanos) = &self.reaping.card.core.clock {
            nanos.store(time.as_nanos(), Ordering::Relaxed);
        }
    }
}
