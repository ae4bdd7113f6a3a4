//! What the calling thread is: how much of a CPU it is entitled to, and whether it is in an upcall.

use std::cell::Cell;
use std::time::Duration;

use crate::Time;
use crate::device::scheduling::Entitlement;

/// How long an answer of the kernel is believed. A thread that has lost its entitlement since then
/// has run all the while; once it is kept from running its answer is too old.
const BELIEVED: Duration = Duration::from_millis(100);

thread_local! {
    /// When the kernel was asked, and what it said.
    static ASKED: Cell<(Time, Entitlement)> =
        const { Cell::new((Time::ZERO, Entitlement::ORDINARY)) };
    /// How many upcalls this thread is in, of any card.
    static UPCALLS: Cell<u32> = const { Cell::new(0) };
}

/// What the calling thread is entitled to. One system call in a tenth of a second.
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
