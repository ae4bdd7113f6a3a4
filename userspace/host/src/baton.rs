//! The right to deliver. One thread of a host has it at a time, so that upcalls never overlap, on
//! whichever threads they come (C6).

use std::collections::VecDeque;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::Outlet;

#[derive(Default)]
struct Turn {
    taken: bool,
    /// Outlets at which something has come meanwhile.
    waiting: VecDeque<Arc<dyn Outlet>>,
}

/// The right to deliver; one thread of a host has it at a time.
#[derive(Default)]
pub(super) struct Baton(Mutex<Turn>);

/// The baton while a thread has it.
struct Holding<'a> {
    baton: &'a Baton,
    put_down: bool,
}

impl Baton {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers what may be delivered there, unless another thread has the baton, which then
    /// delivers this as well.
    pub(super) fn deliver(&self, outlet: Arc<dyn Outlet>) {
        let Some(mut holding) = self.take(&outlet) else { return };
        outlet.drain();
        while let Some(outlet) = holding.next() {
            outlet.drain();
        }
    }

    /// Takes it; `None` if another thread has it, which has noted the outlet then.
    fn take(&self, outlet: &Arc<dyn Outlet>) -> Option<Holding<'_>> {
        let mut turn = self.turn();
        if turn.taken {
            let is_it = |known: &Arc<_>| ptr::addr_eq(Arc::as_ptr(known), Arc::as_ptr(outlet));
            if !turn.waiting.iter().any(is_it) {
                turn.waiting.push_back(Arc::clone(outlet));
            }
            return None;
        }
        turn.taken = true;
        Some(Holding { baton: self, put_down: false })
    }
}

impl Holding<'_> {
    /// The next outlet; with none the baton is put down.
    fn next(&mut self) -> Option<Arc<dyn Outlet>> {
        let mut turn = self.baton.turn();
        let outlet = turn.waiting.pop_front();
        self.put_down = outlet.is_none();
        turn.taken = !self.put_down;
        outlet
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        // It is still taken only after a panic; the next thread delivers what is left.
        if !self.put_down {
            self.baton.turn().taken = false;
        }
    }
}
