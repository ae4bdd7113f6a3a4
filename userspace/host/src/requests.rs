//! The outstanding requests of a host, by their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::RequestId;
use ringback_request::sync::EvenPoisoned;

use super::evidence::this_thread;
use super::record::{Outlet, Record};

struct Table {
    outstanding: HashMap<RequestId, Arc<Record>>,
    /// The id that is tried next.
    next: RequestId,
}

impl Default for Table {
    fn default() -> Table {
        Table { outstanding: HashMap::new(), next: RequestId::FIRST }
    }
}

/// All outstanding requests of a host.
#[derive(Default)]
pub(super) struct Requests(Mutex<Table>);

impl Requests {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().even_poisoned()
    }

    /// Makes the record of a request under an id that no outstanding request has (T2, T3).
    pub(super) fn allocate(&self, outlet: Arc<dyn Outlet>, released: bool) -> Arc<Record> {
        let asker = this_thread();
        let mut table = self.lock();
        let id = loop {
            let id = table.next;
            table.next = id.next();
            if !table.outstanding.contains_key(&id) {
                break id;
            }
        };
        let record = Arc::new(Record::new(id, outlet, asker, released));
        table.outstanding.insert(id, Arc::clone(&record));
        record
    }

    /// Takes an outstanding request of this provider out: from here on its id is free (T4).
    pub(super) fn take(&self, id: RequestId, provider: u32) -> Option<Arc<Record>> {
        let mut table = self.lock();
        if !table.outstanding.get(&id)?.is_owed_by(provider) {
            return None;
        }
        table.outstanding.remove(&id)
    }

    /// Frees the id of a request that was never made.
    pub(super) fn give_back(&self, record: &Record) {
        self.lock().outstanding.remove(&record.id);
    }

    /// Takes out all outstanding requests of this provider.
    pub(super) fn take_all(&self, provider: u32) -> Vec<Arc<Record>> {
        let mut table = self.lock();
        let owed = table.outstanding.extract_if(|_, record| record.is_owed_by(provider));
        owed.map(|(_, record)| record).collect()
    }

    /// How many are outstanding.
    pub(super) fn len(&self) -> usize {
        self.lock().outstanding.values().filter(|record| record.is_owed()).count()
    }

    /// Sets the id that is tried next.
    #[cfg(test)]
    pub(super) fn set_next(&self, next: RequestId) {
        self.lock().next = next;
    }
}
