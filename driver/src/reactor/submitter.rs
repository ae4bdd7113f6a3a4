//! Properties of the calling thread: its entitlement, and whether it is in an upcall.

use std::cell::Cell;
use std::time::Duration;

use crate::Time;
use crate::device::scheduling::Entitlement;

/// How long the kernel's answer is cached. A thread whose entitlement was lowered in that time has
/// been running; once the kernel keeps it from running, the cached answer becomes too old, and the
/// kernel is asked again.
const BELIEVED: Duration = Duration::from_millis(100);

thread_local! {
    /// The time of the kernel's last answer, and the answer.
    static ASKED: Cell<(Time, Entitlement)> =
        const { Cell::new((Time::ZERO, Entitlement::ORDINARY)) };
    /// The number of upcalls that this thread is in, of any card.
    static UPCALLS: Cell<u32> = const { Cell::new(0) };
}

/// Returns the calling thread's entitlement, with at most one system call in a tenth of a second.
#[inline]
pub(crate) fn entitlement(now: Time) -> Entitlement {
    let (asked, answer) = ASKED.get();
    if now - asked < BELIEVED { answer } else { ask(now) }
}

#[cold]
fn ask(now: Time) -> Entitlement {
    let answer = Entitlement::of_this_thread();
    ASKED.set((now, answer));
    answer
}

/// Marks the calling thread as being in an upcall until this is dropped.
#[derive(Debug)]
pub(crate) struct UpcallMark(());

/// Marks the calling thread as being in an upcall.
pub(crate) fn enter_upcall() -> UpcallMark {
    UPCALLS.set(UPCALLS.get() + 1);
    UpcallMark(())
}

impl Drop for UpcallMark {
    fn drop(&mut self) {
        UPCALLS.set(UPCALLS.get() - 1);
    }
}

/// Returns whether the calling thread is in an upcall of any card. Such a thread must not wait for
/// a reaper: neither for its own, which is itself, nor for another, which may be waiting for this
/// one.
pub fn is_in_upcall() -> bool {
    // All of loom's threads share this variable, and no upcall of a model asks.
    UPCALLS.get() != 0 && !cfg!(loom)
}
