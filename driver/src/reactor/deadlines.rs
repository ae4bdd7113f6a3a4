//! Records which running requests have their deadline as a TIMEOUT in the ring.
//!
//! A request gets its TIMEOUT at the next sweep, which comes once in a [`LOOK_INTERVAL`], or before
//! that if its deadline is sooner. Most requests are over by then and never need one.

use crate::Time;
use crate::request::{RequestId, RequestSlot, Table, Token};

use super::LOOK_INTERVAL;
use super::bits::Bits;

/// A deadline whose TIMEOUT is to be added to the ring, or removed from it.
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
    /// The nearest deadline of a request without a kernel timer.
    earliest: Time,
    /// When the requests without a kernel timer get one.
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

    /// Adds a request that was started.
    #[inline]
    pub(super) fn started(&mut self, slot: RequestSlot, deadline: Time) {
        self.earliest = self.earliest.min(deadline);
        self.unarmed.set(slot);
    }

    /// Returns whether the request in this slot was started and is not over.
    pub(super) fn has(&self, slot: RequestSlot) -> bool {
        self.unarmed.has(slot) || self.armed.has(slot)
    }

    /// Removes a request that is over. Returns whether its TIMEOUT is still in the ring.
    #[inline]
    pub(super) fn over(&mut self, slot: RequestSlot) -> bool {
        self.unarmed.clear(slot);
        self.armed.clear(slot)
    }

    /// Notes that the TIMEOUT of this slot has expired, and so has left the ring.
    pub(super) fn expired(&mut self, slot: RequestSlot) {
        self.armed.clear(slot);
    }

    /// Notes that the kernel has refused the TIMEOUT of this slot. If the request still runs, the
    /// next sweep tries again; the kernel may have enough memory by then.
    pub(super) fn refused(&mut self, slot: RequestSlot, runs: bool) {
        if self.armed.clear(slot) && runs {
            self.unarmed.set(slot);
        }
    }

    /// The nearest deadline that has no TIMEOUT in the ring.
    pub(super) fn earliest(&self) -> Time {
        self.earliest
    }

    /// The time of the next sweep.
    pub(super) fn sweep(&self) -> Time {
        self.sweep
    }

    /// If a sweep is due, adds to `arm` the deadlines that are to be added to the ring.
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
