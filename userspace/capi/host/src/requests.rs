//! Requests by their ids, from [`rb_request_new`] until their completion has been delivered.
//!
//! [`rb_request_new`]: crate::exports::rb_request_new

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::LineError;
use ringback_tspi::functions::RequestId;

use crate::asker::Asker;
use crate::deliveries::Deliveries;

/// The stage of a request.
enum Stage {
    /// It has its id and nothing else.
    Reserved,
    /// The function that makes it is running.
    Making,
    /// It was made by this call; `None` if the thread is about to end.
    Made(Option<Asker>),
}

/// A request of the application's.
pub struct Request {
    pub id: u32,
    /// The handle of its line or phone.
    pub line: u64,
    /// Where its completion is delivered.
    deliveries: Arc<Deliveries>,
    stage: Mutex<Stage>,
    /// Whether the application has released it, so that its completion is not held back.
    released: AtomicBool,
}

impl Request {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().even_poisoned()
    }

    /// Notes that the calling thread is about to make the request.
    ///
    /// # Errors
    /// INVALPARAM if it was made before, or is of another line or phone.
    pub fn make(&self, line: u64) -> Result<(), LineError> {
        let mut stage = self.stage();
        if self.line != line || !matches!(*stage, Stage::Reserved) {
            return Err(LineError::INVALPARAM);
        }
        *stage = Stage::Making;
        Ok(())
    }

    /// Notes that it was made, and that everything its completion refers to is stored.
    pub fn made(&self) {
        *self.stage() = Stage::Made(Asker::here(&self.deliveries));
        if self.released.load(Ordering::SeqCst) {
            self.deliveries.signal();
        }
    }

    /// Notes that it was refused, so that it can be made again.
    pub fn refused(&self) {
        *self.stage() = Stage::Reserved;
    }

    /// Whether its completion may be delivered: the function that made it has returned, or is about
    /// to and the application has released the request.
    pub fn may_be_told(&self) -> bool {
        match &*self.stage() {
            Stage::Reserved | Stage::Making => false,
            Stage::Made(_) if self.released.load(Ordering::SeqCst) => true,
            Stage::Made(asker) => asker.as_ref().is_none_or(Asker::has_returned),
        }
    }

    /// The application has stored the id: the completion may come now, even before the function
    /// that makes the request has returned.
    pub fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        self.deliveries.signal();
    }
}

/// All requests of the process, of all hosts.
#[derive(Default)]
struct Book {
    last: u32,
    requests: HashMap<u32, Arc<Request>>,
}

static BOOK: Mutex<Option<Book>> = Mutex::new(None);

fn book<R>(act: impl FnOnce(&mut Book) -> R) -> R {
    act(BOOK.lock().even_poisoned().get_or_insert_default())
}

/// Takes an id for a request on this line or phone (T2, T3).
///
/// # Errors
/// NOMEM if every id is taken.
pub fn reserve(line: u64, deliveries: &Arc<Deliveries>) -> Result<u32, LineError> {
    book(|book| {
        if book.requests.len() >= RequestId::MAX as usize {
            return Err(LineError::NOMEM);
        }
        loop {
            book.last = if book.last >= RequestId::MAX { 1 } else { book.last + 1 };
            let id = book.last;
            if let Entry::Vacant(place) = book.requests.entry(id) {
                place.insert(Arc::new(Request {
                    id,
                    line,
                    deliveries: Arc::clone(deliveries),
                    stage: Mutex::new(Stage::Reserved),
                    released: AtomicBool::new(false),
                }));
                return Ok(id);
            }
        }
    })
}

/// The request with this id.
///
/// # Errors
/// INVALPARAM if it is not outstanding.
pub fn find(id: u32) -> Result<Arc<Request>, LineError> {
    book(|book| book.requests.get(&id).cloned()).ok_or(LineError::INVALPARAM)
}

/// Frees the id (T4).
pub fn forget(id: u32) {
    let forgotten = book(|book| book.requests.remove(&id));
    // It may hold the last reference to its deliveries.
    drop(forgotten);
}

/// Forgets the requests of a line or phone that were never made.
pub fn forget_unmade(line: u64) {
    let unmade =
        |request: &Request| request.line == line && matches!(*request.stage(), Stage::Reserved);
    book(|book| book.requests.retain(|_, request| !unmade(request)));
}

/// Forgets all requests whose completions would be delivered here.
pub fn forget_all(deliveries: &Arc<Deliveries>) {
    book(|book| {
        book.requests.retain(|_, request| !Arc::ptr_eq(&request.deliveries, deliveries));
    });
}
