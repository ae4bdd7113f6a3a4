//! The wake-up of a reaper that is about to sleep. No wake-up is lost, and a reaper that is awake
//! is sent none.

use crate::sync::{AtomicU32, Ordering};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const NOTIFIED: u32 = 2;

/// Whether the reaper sleeps. Work is published before [`Doze::notify`]; the reaper looks for work
/// after [`Doze::awake`] and sleeps only if [`Doze::fall_asleep`] says that no work was published
/// since.
#[derive(Debug)]
pub(crate) struct Doze(AtomicU32);

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze(AtomicU32::new(AWAKE))
    }

    /// The reaper is about to look for work: what is published from now on may be missed by this
    /// look and is announced again.
    pub(crate) fn awake(&self) {
        self.0.swap(AWAKE, Ordering::AcqRel);
    }

    /// `true` if the reaper may sleep: whoever publishes work from now on gets `true` from
    /// [`Doze::notify`].
    pub(crate) fn fall_asleep(&self) -> bool {
        self.0.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether work was published since [`Doze::awake`]: so a reaper that does not sleep learns of
    /// it.
    pub(crate) fn is_notified(&self) -> bool {
        self.0.load(Ordering::Acquire) == NOTIFIED
    }

    /// There is work. `true` if the caller must wake the reaper: it sleeps, and no other caller got
    /// `true`.
    #[must_use = "if this is true, the reaper sleeps until somebody signals its eventfd"]
    pub(crate) fn notify(&self) -> bool {
        self.0.swap(NOTIFIED, Ordering::AcqRel) == ASLEEP
    }
}
