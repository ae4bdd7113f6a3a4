//! The right to deliver. One thread of a host has it at a time, so that upcalls never overlap, on
//! whichever threads they come (C6).

use std::collections::VecDeque;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;

/// Has completions or events to deliver: an open line or phone.
pub(super) trait Deliver: Send + Sync {
    /// Delivers what may be delivered. The calling thread has the host's baton.
    fn drain(self: Arc<Self>);
}

#[derive(Default)]
struct Turn {
    taken: bool,
    /// Lines and phones that got something to deliver while another thread had the baton.
    waiting: VecDeque<Arc<dyn Deliver>>,
}

/// The right to deliver; one thread of a host has it at a time.
#[derive(Default)]
pub(super) struct Baton(Mutex<Turn>);

/// The baton, held by a thread.
struct Holding<'a> {
    baton: &'a Baton,
    put_down: bool,
}

impl Baton {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().even_poisoned()
    }

    /// Delivers what may be delivered there. If another thread has the baton, that thread does it.
    pub(super) fn deliver(&self, outlet: Arc<dyn Deliver>) {
        let Some(mut holding) = self.take(&outlet) else { return };
        outlet.drain();
        while let Some(outlet) = holding.next() {
            outlet.drain();
        }
    }

    /// Takes the baton. `None` if another thread has it; `outlet` is noted for that thread then.
    fn take(&self, outlet: &Arc<dyn Deliver>) -> Option<Holding<'_>> {
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
    /// The next line or phone. If there is none, the baton is put down.
    fn next(&mut self) -> Option<Arc<dyn Deliver>> {
        let mut turn = self.baton.turn();
        let outlet = turn.waiting.pop_front();
        self.put_down = outlet.is_none();
        turn.taken = !self.put_down;
        outlet
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        // Only after a panic the baton is still taken here; the next thread delivers the rest.
        if !self.put_down {
            self.baton.turn().taken = false;
        }
    }
}
