//! Handles: numbers that stand for hosts, lines, calls and phones.
//!
//! A handle is never 0 and never given out twice. A dead handle, or a number that was never given
//! out, is in no table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use ringback_host::{Call, Line, Phone};
use ringback_tspi::EvenPoisoned;
use ringback_tspi::error::{LineError, PhoneError};

use crate::host::LoadedHost;

static LAST: AtomicU64 = AtomicU64::new(0);

/// A number for a handle.
pub fn next() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The things of one kind, by their handles.
pub struct Table<T> {
    things: RwLock<Option<HashMap<u64, Arc<T>>>>,
    dead: LineError,
}

impl<T> Table<T> {
    const fn new(dead: LineError) -> Table<T> {
        Table { things: RwLock::new(None), dead }
    }

    fn change<R>(&self, change: impl FnOnce(&mut HashMap<u64, Arc<T>>) -> R) -> R {
        let mut things = self.things.write().even_poisoned();
        change(things.get_or_insert_default())
    }

    /// The thing with this handle.
    ///
    /// # Errors
    /// The error of the table's kind.
    pub fn find(&self, handle: u64) -> Result<Arc<T>, LineError> {
        let things = self.things.read().even_poisoned();
        things.as_ref().and_then(|things| things.get(&handle).cloned()).ok_or(self.dead)
    }

    pub fn insert(&self, handle: u64, thing: T) {
        self.insert_shared(handle, Arc::new(thing));
    }

    /// As [`insert`](Table::insert), for something that has references already.
    pub fn insert_shared(&self, handle: u64, thing: Arc<T>) {
        self.change(|things| things.insert(handle, thing));
    }

    /// Takes the thing out, to be dropped by the caller with no lock held.
    pub fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.change(|things| things.remove(&handle))
    }

    /// Takes out what fits.
    pub fn remove_all(&self, fits: impl Fn(&T) -> bool) -> Vec<(u64, Arc<T>)> {
        self.change(|things| things.extract_if(|_, thing| fits(thing)).collect())
    }
}

/// An open line.
pub struct OpenLine {
    pub host: Arc<LoadedHost>,
    pub line: Line,
}

/// A call that the application has.
pub struct OwnedCall {
    pub host: Arc<LoadedHost>,
    /// The handle of its line.
    pub line: u64,
    pub call: Call,
}

pub static HOSTS: Table<LoadedHost> = Table::new(LineError::INVALAPPHANDLE);
pub static LINES: Table<OpenLine> = Table::new(LineError::INVALLINEHANDLE);
/// An open phone.
pub struct OpenPhone {
    pub host: Arc<LoadedHost>,
    pub phone: Phone,
}

/// An error of phones as the functions here return it: only its number counts.
pub const fn of_phones(error: PhoneError) -> LineError {
    match LineError::from_raw(error.raw()) {
        Some(error) => error,
        None => LineError::OPERATIONFAILED,
    }
}

pub static PHONES: Table<OpenPhone> = Table::new(of_phones(PhoneError::INVALPHONEHANDLE));
pub static CALLS: Table<OwnedCall> = Table::new(LineError::INVALCALLHANDLE);
