//! What the calling thread is: how much of a CPU it is entitled to, and whether it is in an upcall.

use std::cell::Cell;
use std::time::Duration;

use crate::Time;
use crate::device::scheduling::Entitlement;

/// How long the kernel's answer is kept. A thread whose entitlement was lowered since then has run
/// all the while; once it is kept from running, its answer gets too old and the kernel is asked
/// again.
const BELIEVED: Duration = Duration::from_millis(100);

thread_local! {
    /// When the kernel was asked, and what it said.
    static ASKED: Cell<(Time, Entitlement)> =
        const { Cell::new((Time::ZERO, Entitlement::ORDINARY)) };
    /// How many upcalls this thread is in, of any card.
    static UPCALLS: Cell<u32> = const { Cell::new(0) };
}

/// The calling thread's entitlement, by at most one system call in a tenth of a second.
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

/// The calling thread is in an upcall, until this is dropped.
#[derive(Debug)]
pub(crate) struct Upcall(());

/// Notes that the calling thread enters an upcall.
pub(crate) fn enter_upcall() -> Upcall {
    UPCALLS.set(UPCALLS.get() + 1);
    Upcall(())
}

impl Drop for Upcall {
    fn drop(&mut self) {
        UPCALLS.set(UPCALLS.get() - 1);
    }
}

/// Whether the calling thread is in an upcall of any card. It must not wait for a reaper then: not
/// for its own, which would be itself, nor for another, which may be waiting for this one.
pub fn is_in_upcall() -> bool {
    // All of loom's threads are one to std, and no upcall of a model asks.
    UPCALLS.get() != 0 && !cfg!(loom)
}
