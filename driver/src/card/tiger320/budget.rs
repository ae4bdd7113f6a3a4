//! How many register accesses one tick may make.
//!
//! A register access takes 0.3 to 1 us on the bus of a real card, and a module register takes 38 to
//! 65 of them. All that has to be done in a tick (samples, hook and ring commands, setting a module
//! up again) shares one budget, so that the next interrupt is always served in time. What does not
//! fit waits for the next tick. The order in a tick is status sample, commands, repairs, so that
//! many repairs can't delay samples or commands.

/// Register accesses in one tick, everything included: at most a quarter of it, 256 us of 1 ms.
///
/// The interrupt service itself takes 4 and the status samples at most 132. The rest is enough for
/// two FXO or three FXS commands in the same tick.
pub const ACCESSES_PER_TICK: u32 = 256;

/// Acknowledging the interrupt and finding the place in the ring.
const SERVICE: u32 = 4;

/// The card's own registers in a step of a trial: whether it was reset meanwhile, and starting DMA.
const TRIAL: u32 = 16;

/// What is left of a tick's budget.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    /// A new tick's budget.
    pub(super) const fn new() -> Budget {
        Budget(ACCESSES_PER_TICK - SERVICE)
    }

    /// The budget of a step that begins or ends a trial. It has room for a write to each of four
    /// modules of either kind.
    pub(super) const fn of_trial() -> Budget {
        Budget(ACCESSES_PER_TICK - SERVICE - TRIAL)
    }

    /// Takes room for so many accesses, if there is.
    pub(super) fn take(&mut self, accesses: u32) -> bool {
        match self.0.checked_sub(accesses) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}
