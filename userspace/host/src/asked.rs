//! The latest request of each thread: it may not be delivered before the function that made it has
//! returned (G1).
//!
//! A library can't observe its own return. If the thread calls the host again, or ends, that is
//! evidence of it. Every function that an application can call therefore begins with [`enter`].

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::record::Record;

/// Dropped when the thread ends.
struct Last(RefCell<Option<Weak<Record>>>);

thread_local! {
    /// Weak, so that a thread that never calls again does not keep a host alive.
    static LAST: Last = const { Last(RefCell::new(None)) };
}

impl Last {
    fn release(&self) {
        let last = self.0.borrow_mut().take();
        if let Some(record) = last.and_then(|record| record.upgrade()) {
            record.release();
        }
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        self.release();
    }
}

/// The calling thread calls the host again, so the function of its latest request has returned.
pub(super) fn enter() {
    // A thread that is ending has released it already.
    let _ = LAST.try_with(Last::release);
}

/// The calling thread is about to return to the application with this request.
pub(super) fn leave(record: &Arc<Record>) {
    let remembered = LAST.try_with(|last| last.0.replace(Some(Arc::downgrade(record))));
    if remembered.is_err() {
        // The request was made by a destructor while the thread ends, so the thread will not call
        // again.
        record.release();
    }
    record.set_leaving();
}
