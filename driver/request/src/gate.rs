//! The gate of one request: two bits, RETURNED and COMPLETED, each set by one atomic step.
//!
//! The thread that sets the second bit has made the completion deliverable and must make the reaper
//! look; a callback never runs on the submitter's stack. Result and generation are in the same word
//! as the bits, so that completing is one atomic step, too: no thread can see COMPLETED without its
//! result, and no thread can complete another use of the slot.

use std::marker::PhantomData;

use crate::error_code::ErrorCode;
use crate::sync::{AtomicU64, Ordering};

const RETURNED: u64 = 1 << 32;
const COMPLETED: u64 = 1 << 33;
const LIVE: u64 = 1 << 34;
/// An event waits for RETURNED as well.
const AWAITED: u64 = 1 << 35;
const GENERATION_SHIFT: u32 = 36;
/// Generations count modulo 2^28.
const GENERATION_MASK: u64 = (1 << 28) - 1;

/// What the thread that sets RETURNED has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// The operation still runs; its completion will be deliverable at once.
    Running,
    /// The completion, or an event of the request, waited for this. It is deliverable now, and the
    /// reaper must look.
    Deliverable,
}

/// What the thread that sets COMPLETED has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// This call has completed the request, and its function has returned: deliverable.
    Deliverable,
    /// This call has completed the request, but its function has not returned yet: held back (G1).
    Held,
    /// The request is completed already, or the token is of another use of the slot: no effect
    /// (C3).
    Late,
}

/// The memory orders of the gate; a parameter so that the models can show that weaker ones fail.
pub(crate) trait Orders {
    /// The order of both bit-setting operations.
    const SET: Ordering;
}

/// The orders in use: each operation publishes what its thread did before, and sees what the other
/// did.
#[derive(Debug)]
pub(crate) struct Strict;

impl Orders for Strict {
    const SET: Ordering = Ordering::AcqRel;
}

/// The gate word: result in bits 31..0, then RETURNED, COMPLETED, LIVE, AWAITED and the generation.
#[derive(Debug)]
pub(crate) struct Gate<O = Strict>(AtomicU64, PhantomData<O>);

impl<O: Orders> Gate<O> {
    pub(crate) fn new() -> Self {
        Gate(AtomicU64::new(0), PhantomData)
    }

    /// Starts a use of the slot and returns its generation. Only the thread that took the slot from
    /// the free list may call it.
    #[inline]
    pub(crate) fn open(&self) -> u32 {
        let generation = generation_of(self.0.load(Ordering::Relaxed));
        self.0.store(LIVE | u64::from(generation) << GENERATION_SHIFT, Ordering::Release);
        generation
    }

    /// Sets RETURNED. Only the holder of the request's one ticket may call it.
    #[inline]
    pub(crate) fn release(&self) -> Released {
        let before = self.0.fetch_or(RETURNED, O::SET);
        if before & (COMPLETED | AWAITED) != 0 { Released::Deliverable } else { Released::Running }
    }

    /// Makes setting RETURNED return [`Released::Deliverable`]. Returns `false` if RETURNED is set
    /// already, or the use is over.
    #[inline]
    pub(crate) fn await_return(&self, generation: u32) -> bool {
        let mut seen = self.0.load(Ordering::Acquire);
        // The loop is short: each bit is set once, and the use ends once.
        loop {
            if !is_use(seen, generation) || seen & RETURNED != 0 {
                return false;
            }
            match self.0.compare_exchange_weak(seen, seen | AWAITED, O::SET, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
    }

    /// Returns whether RETURNED is set, or the use is over.
    #[inline]
    pub(crate) fn has_returned(&self, generation: u32) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        !is_use(seen, generation) || seen & RETURNED != 0
    }

    /// Sets COMPLETED with the result, if it is not set.
    #[cfg(test)]
    pub(crate) fn complete(&self, generation: u32, result: Result<(), ErrorCode>) -> Completed {
        self.complete_after(generation, result, || ())
    }

    /// Sets COMPLETED with the result, if it is not set. What `note` does just before is visible to
    /// the thread that takes the result.
    #[inline]
    pub(crate) fn complete_after(
        &self,
        generation: u32,
        result: Result<(), ErrorCode>,
        note: impl Fn(),
    ) -> Completed {
        let mut seen = self.0.load(Ordering::Relaxed);
        // The loop is short: the other writers set RETURNED or AWAITED, each once, or COMPLETED,
        // which ends the loop.
        loop {
            if !is_use(seen, generation) || seen & COMPLETED != 0 {
                return Completed::Late;
            }
            note();
            let number = ErrorCode::number_of(result);
            let completed = seen | COMPLETED | u64::from(number.cast_unsigned());
            match self.0.compare_exchange_weak(seen, completed, O::SET, Ordering::Relaxed) {
                Ok(_) if seen & RETURNED != 0 => return Completed::Deliverable,
                Ok(_) => return Completed::Held,
                Err(now) => seen = now,
            }
        }
    }

    /// Ends the use if both bits are set, and returns the result. Only one thread at a time takes
    /// from a table: the holder of the outbox.
    #[inline]
    pub(crate) fn take(&self, generation: u32) -> Option<Result<(), ErrorCode>> {
        let seen = self.0.load(Ordering::Acquire);
        let both = RETURNED | COMPLETED;
        if !is_use(seen, generation) || seen & both != both {
            return None;
        }
        // Both bits are set, so that only the taker still writes this word.
        self.0.store(next_use(generation), Ordering::Release);
        // The stored number is never positive.
        Some(ErrorCode::of_kept((seen as u32).cast_signed()))
    }

    /// Ends a use that is not completed, without a completion (R4), and returns what setting
    /// RETURNED would have returned; `None` if it is completed. Only the holder of the request's
    /// one ticket may call it.
    #[inline]
    pub(crate) fn abandon(&self, generation: u32) -> Option<Released> {
        let running = LIVE | u64::from(generation) << GENERATION_SHIFT;
        let abandon = |from| {
            let next = next_use(generation);
            self.0.compare_exchange(from, next, Ordering::AcqRel, Ordering::Relaxed)
        };
        match abandon(running) {
            Ok(_) => Some(Released::Running),
            Err(seen) if seen == running | AWAITED => {
                abandon(seen).is_ok().then_some(Released::Deliverable)
            }
            Err(_) => None,
        }
    }

    /// Returns whether both bits are set.
    #[inline]
    pub(crate) fn is_deliverable(&self, generation: u32) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        is_use(seen, generation) && seen & (RETURNED | COMPLETED) == RETURNED | COMPLETED
    }

    /// Returns whether this use is completed and not taken.
    pub(crate) fn is_completed(&self, generation: u32) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        is_use(seen, generation) && seen & COMPLETED != 0
    }

    /// Returns whether this use is running: live and not completed.
    #[inline]
    pub(crate) fn is_running(&self, generation: u32) -> bool {
        let seen = self.0.load(Ordering::Acquire);
        let ours = LIVE | u64::from(generation) << GENERATION_SHIFT;
        // A single comparison, because each submission makes it.
        seen & (GENERATION_MASK << GENERATION_SHIFT | LIVE | COMPLETED) == ours
    }

    /// Returns the generation of the running use: live and not completed.
    #[inline]
    pub(crate) fn running(&self) -> Option<u32> {
        let seen = self.0.load(Ordering::Acquire);
        (seen & (LIVE | COMPLETED) == LIVE).then(|| generation_of(seen))
    }
}

fn generation_of(word: u64) -> u32 {
    // The generation has 28 bits, so that it fits.
    (word >> GENERATION_SHIFT) as u32
}

fn is_use(word: u64, generation: u32) -> bool {
    word & LIVE != 0 && generation_of(word) == generation
}

fn next_use(generation: u32) -> u64 {
    ((u64::from(generation) + 1) & GENERATION_MASK) << GENERATION_SHIFT
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FAILED: Result<(), ErrorCode> = Err(ErrorCode::of::<-7>());

    #[test]
    fn g1_a_completion_before_the_return_is_held() {
        let gate = Gate::<Strict>::new();
        let generation = gate.open();
        assert_eq!(gate.complete(generation, FAILED), Completed::Held);
        assert_eq!(gate.take(generation), None);
        assert_eq!(gate.release(), Released::Deliverable);
        assert_eq!(gate.take(generation), Some(FAILED));
    }

    #[test]
    fn c3_the_first_completion_counts() {
        let gate = Gate::<Strict>::new();
        let generation = gate.open();
        assert_eq!(gate.release(), Released::Running);
        assert_eq!(gate.complete(generation, Ok(())), Completed::Deliverable);
        assert_eq!(gate.complete(generation, FAILED), Completed::Late);
        assert_eq!(gate.take(generation), Some(Ok(())));
        assert_eq!(gate.take(generation), None);
    }

    #[test]
    fn r4_an_abandoned_request_cannot_complete_and_a_completed_one_not_be_abandoned() {
        let gate = Gate::<Strict>::new();
        let generation = gate.open();
        assert_eq!(gate.abandon(generation), Some(Released::Running));
        assert_eq!(gate.complete(generation, Ok(())), Completed::Late);
        let generation = gate.open();
        assert_eq!(gate.complete(generation, Ok(())), Completed::Held);
        assert_eq!(gate.abandon(generation), None);
    }

    #[test]
    fn a_token_of_an_earlier_use_touches_nothing() {
        let gate = Gate::<Strict>::new();
        let old = gate.open();
        assert!(gate.abandon(old).is_some());
        let new = gate.open();
        assert_ne!(old, new);
        assert_eq!(gate.complete(old, FAILED), Completed::Late);
        assert_eq!(gate.running(), Some(new));
    }

    #[test]
    fn g1_a_waiter_for_the_return_is_signalled() {
        let gate = Gate::<Strict>::new();
        let generation = gate.open();
        assert!(gate.await_return(generation) && !gate.has_returned(generation));
        assert_eq!(gate.release(), Released::Deliverable, "not the completion, but an event");
        assert!(gate.has_returned(generation) && !gate.await_return(generation));
        assert_eq!(gate.complete(generation, Ok(())), Completed::Deliverable);
        assert_eq!(gate.take(generation), Some(Ok(())));
        let refused = gate.open();
        assert!(gate.await_return(refused));
        assert_eq!(gate.abandon(refused), Some(Released::Deliverable), "R4");
        assert!(gate.has_returned(refused), "a use that is over holds nothing back");
    }

    #[test]
    fn generations_wrap() {
        assert_eq!(next_use(GENERATION_MASK as u32), 0);
    }

    #[test]
    fn results_keep_their_sign_and_bits() {
        for number in [0, -1, i32::MIN, -2_147_483_576] {
            let result = ErrorCode::result_of(number).unwrap();
            let gate = Gate::<Strict>::new();
            let generation = gate.open();
            gate.complete(generation, result);
            gate.release();
            assert_eq!(gate.take(generation), Some(result));
        }
    }
}
