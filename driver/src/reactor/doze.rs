//! Wakes a reaper that sleeps or is about to sleep. No wake-up is lost, and none is sent to a
//! reaper that is awake.

use crate::sync::{AtomicU32, Ordering};

const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;
const NOTIFIED: u32 = 2;

/// Whether the reaper sleeps. A thread publishes work before it calls [`Doze::notify`]; the reaper
/// looks for work after [`Doze::awake`], and sleeps only if [`Doze::fall_asleep`] returns that no
/// work was published since.
#[derive(Debug)]
pub(crate) struct Doze(AtomicU32);

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze(AtomicU32::new(AWAKE))
    }

    /// Called when the reaper is about to look for work: work that is published from now on may be
    /// missed by this look and sets the notification.
    pub(crate) fn awake(&self) {
        self.0.swap(AWAKE, Ordering::AcqRel);
    }

    /// Returns `true` if the reaper may sleep. A thread that publishes work from now on gets `true`
    /// from [`Doze::notify`].
    pub(crate) fn fall_asleep(&self) -> bool {
        self.0.compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Returns whether work was published since [`Doze::awake`]; a reaper that does not sleep uses
    /// this to find work.
    pub(crate) fn is_notified(&self) -> bool {
        self.0.load(Ordering::Acquire) == NOTIFIED
    }

    /// Announces work. Returns `true` if the caller must wake the reaper: it sleeps, and no other
    /// caller has got `true`.
    #[must_use = "if this is true, the reaper sleeps until somebody signals its eventfd"]
    pub(crate) fn notify(&self) -> bool {
        self.0.swap(NOTIFIED, Ordering::AcqRel) == ASLEEP
    }
}
