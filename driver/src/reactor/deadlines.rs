//! Which running requests have their deadline as a TIMEOUT in the ring, and which not yet.
//!
//! A request gets its TIMEOUT at a sweep, once in a [`LOOK_INTERVAL`], or before that if its
//! deadline is sooner; most requests are over by then and never cost one.

use crate::Time;
use crate::request::{RequestId, Table, Token};

use super::LOOK_INTERVAL;
use super::bits::Bits;

/// A deadline that the ring is to keep, or to forget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) request: Token,
    pub(crate) id: RequestId,
    pub(crate) at: Time,
}

/// The deadlines of a card's running requests.
pub(super) struct Deadlines {
    /// By slot: running requests without a kernel timer yet.
    unarmed: Bits,
    /// By slot: running requests whose deadline is a TIMEOUT in the ring.
    armed: Bits,
    /// The nearest deadline of the unarmed.
    earliest: Time,
    /// When the unarmed get their TIMEOUTs.
    sweep: Time,
}

impl Deadlines {
    /// `capacity` is the number of request slots.
    pub(super) fn new(capacity: usize) -> Deadlines {
        Deadlines {
            unarmed: Bits::none(capacity),
            armed: Bits::none(capacity),
            earliest: Time::NEVER,
            sweep: Time::ZERO,
        }
    }

    /// A request runs from now on.
    #[inline]
    pub(super) fn started(&mut self, slot: usize, deadline: Time) {
        self.earliest = self.earliest.min(deadline);
        self.unarmed.set(slot);
    }

    /// Whether the request in this slot was started and is not over.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.unarmed.has(slot) || self.armed.has(slot)
    }

    /// The request in this slot is over. `true` if the ring still keeps its TIMEOUT.
    #[inline]
    pub(super) fn over(&mut self, slot: usize) -> bool {
        self.unarmed.clear(slot);
        self.armed.clear(slot)
    }

    /// The TIMEOUT of this slot has expired: the ring keeps it no more.
    pub(super) fn expired(&mut self, slot: usize) {
        self.armed.clear(slot);
    }

    /// The kernel did not take the TIMEOUT of this slot. If its request still runs, the next sweep
    /// tries again, when the kernel may have the memory that it lacked.
    pub(super) fn refused(&mut self, slot: usize, runs: bool) {
        if self.armed.clear(slot) && runs {
            self.unarmed.set(slot);
        }
    }

    /// The nearest deadline that the ring does not keep.
    pub(super) fn earliest(&self) -> Time {
        self.earliest
    }

    /// When the next sweep is.
    pub(super) fn sweep(&self) -> Time {
        self.sweep
    }

    /// Adds to `arm` what the ring is to keep from now on, if a sweep is due.
    pub(super) fn arm(&mut self, table: &Table, now: Time, arm: &mut Vec<Deadline>) {
        if self.earliest >= self.sweep && self.sweep > now {
            return;
        }
        let armed = &mut self.armed;
        self.unarmed.drain(|slot| {
            if let Some(request) = table.running_in(slot)
                && let Some(id) = table.id(request)
            {
                armed.set(slot);
                arm.push(Deadline { request, id, at: table.deadline(request) });
            }
        });
        self.earliest = Time::NEVER;
        self.sweep = now + LOOK_INTERVAL;
    }
}
