//! The open lines, or phones, of a host, by their handles.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;

/// The open devices of a kind.
pub(super) struct Open<H, D>(Mutex<HashMap<H, Arc<D>>>);

impl<H: Eq + Hash, D> Open<H, D> {
    fn lock(&self) -> MutexGuard<'_, HashMap<H, Arc<D>>> {
        self.0.lock().even_poisoned()
    }

    pub(super) fn get(&self, handle: H) -> Option<Arc<D>> {
        self.lock().get(&handle).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<D>> {
        self.lock().values().cloned().collect()
    }

    pub(super) fn insert(&self, handle: H, device: &Arc<D>) {
        self.lock().insert(handle, Arc::clone(device));
    }

    pub(super) fn remove(&self, handle: H) {
        // Dropping it may run the application's code, which must not happen under a lock.
        let device = self.lock().remove(&handle);
        drop(device);
    }
}

impl<H, D> Default for Open<H, D> {
    fn default() -> Open<H, D> {
        Open(Mutex::default())
    }
}
