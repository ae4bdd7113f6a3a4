//! Whether the calling thread is in an upcall, where it would wait for itself.
//!
//! Upcalls of every host of this process count, because callbacks of two cards that close calls of
//! each other's would otherwise wait for each other.

use std::cell::Cell;

thread_local! {
    /// How many upcalls this thread is in, one within the other.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Keeps the thread marked until it is dropped, by a panic as well.
pub(super) struct Inside(());

/// Marks the thread as being in an upcall.
pub(super) fn enter() -> Inside {
    DEPTH.set(DEPTH.get() + 1);
    Inside(())
}

/// Whether the thread is in an upcall.
pub(super) fn is_inside() -> bool {
    DEPTH.get() != 0
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_inside_until_the_outermost_upcall_has_returned() {
        assert!(!is_inside());
        let outer = enter();
        let inner = enter();
        drop(inner);
        assert!(is_inside());
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(!is_inside(), "another thread"));
        });
        drop(outer);
        assert!(!is_inside());
    }
}
