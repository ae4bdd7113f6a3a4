//! Whether the function that made a request has returned to its caller.
//!
//! A library can't observe its own return. It can observe that the thread has called another of its
//! functions since, or has ended; and the application can release the request
//! ([`rb_request_release`]). Elapsed time is no evidence.
//!
//! [`rb_request_release`]: crate::exports::rb_request_release

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::deliveries::Deliveries;
use ringback_tspi::EvenPoisoned;

/// A thread of the application's.
#[derive(Default)]
struct Thread {
    /// How many functions of this library it has called; one more when it ends.
    entries: AtomicU64,
    /// Whether anything is in `waiting`, so that most entries take no lock.
    is_awaited: AtomicBool,
    /// The deliveries with completions that are held back until it has called another function.
    waiting: Mutex<Vec<Weak<Deliveries>>>,
}

impl Thread {
    fn enter(&self) {
        self.entries.fetch_add(1, Ordering::SeqCst);
        if self.is_awaited.swap(false, Ordering::SeqCst) {
            let mut waiting = self.waiting.lock().even_poisoned();
            let waiting = std::mem::take(&mut *waiting);
            waiting.iter().filter_map(Weak::upgrade).for_each(|deliveries| deliveries.signal());
        }
    }
}

/// The calling thread, for as long as it lives.
struct Me(Arc<Thread>);

impl Drop for Me {
    fn drop(&mut self) {
        self.0.enter();
    }
}

thread_local! {
    static ME: Me = Me(Arc::default());
}

fn with<R>(act: impl FnOnce(&Arc<Thread>) -> R) -> Option<R> {
    // A thread whose locals are gone is about to end, and makes no requests any more.
    ME.try_with(|me| act(&me.0)).ok()
}

/// Notes that the thread calls a function of this library, so that its earlier calls have returned.
pub fn enter() {
    with(|me| me.enter());
}

/// The call in which a thread made a request.
pub struct Asker {
    thread: Arc<Thread>,
    entry: u64,
}

impl Asker {
    /// The call that is running on this thread. `deliveries` are signalled once it is certain that
    /// the call has returned.
    pub fn here(deliveries: &Arc<Deliveries>) -> Option<Asker> {
        with(|me| {
            let mut waiting = me.waiting.lock().even_poisoned();
            if !waiting.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(deliveries))) {
                waiting.push(Arc::downgrade(deliveries));
            }
            me.is_awaited.store(true, Ordering::SeqCst);
            let entry = me.entries.load(Ordering::SeqCst);
            Asker { thread: Arc::clone(me), entry }
        })
    }

    /// Whether it is certain that the call has returned.
    pub fn has_returned(&self) -> bool {
        self.thread.entries.load(Ordering::SeqCst) != self.entry
    }
}
