//! The lines or phones that C has opened, each with its event procedure.

use std::sync::{RwLock, RwLockWriteGuard};

use super::outward::ErrorFamily;
use ringback_request::sync::EvenPoisoned;

/// One call of an open function that has not failed, until the device is closed.
struct Opening<D, P> {
    /// TAPI's handle, by which events name the device.
    tapi: usize,
    /// The provider's handle, once the open function has returned it.
    driver: Option<D>,
    procedure: P,
    /// Distinguishes two openings under one TAPI handle while neither has a provider's handle.
    serial: u64,
}

/// The openings in the order in which they began. There are as many as the provider has devices, so
/// they are looked through one by one.
struct Book<D, P> {
    openings: Vec<Opening<D, P>>,
    serials: u64,
}

/// The openings of lines or of phones. `D` is the provider's handle, `P` the event procedure.
///
/// TAPI gives each opening a handle of its own. If two have the same, events go to the first one's
/// procedure, because the handle does not distinguish them, and a second opening that is refused
/// must not take the events of the first.
pub(super) struct Openings<D, P>(RwLock<Book<D, P>>);

impl<D: Copy + PartialEq, P: Copy> Openings<D, P> {
    pub const fn new() -> Openings<D, P> {
        Openings(RwLock::new(Book { openings: Vec::new(), serials: 0 }))
    }

    fn book(&self) -> RwLockWriteGuard<'_, Book<D, P>> {
        self.0.write().even_poisoned()
    }

    /// The procedure for events under this handle of TAPI's.
    pub fn procedure(&self, tapi: usize) -> Option<P> {
        let book = self.0.read().even_poisoned();
        book.openings.iter().find(|opening| opening.tapi == tapi).map(|opening| opening.procedure)
    }

    /// Opens a device by `open`. The procedure is stored before, because the first event may come
    /// before the provider's function has returned.
    ///
    /// # Errors
    /// Those of `open`; INVALPOINTER without a procedure.
    pub fn open<E: ErrorFamily>(
        &self,
        tapi: usize,
        procedure: Option<P>,
        open: impl FnOnce() -> Result<D, E>,
    ) -> Result<D, E> {
        let procedure = procedure.ok_or(E::NULL)?;
        let serial = {
            let mut book = self.book();
            book.serials += 1;
            let serial = book.serials;
            book.openings.push(Opening { tapi, driver: None, procedure, serial });
            serial
        };
        let opened = open();
        let mut book = self.book();
        match opened {
            Ok(driver) => {
                let mine = book.openings.iter_mut().find(|opening| opening.serial == serial);
                if let Some(opening) = mine {
                    opening.driver = Some(driver);
                }
            }
            Err(_) => book.openings.retain(|opening| opening.serial != serial),
        }
        opened
    }

    /// Removes the opening with this handle of the provider's: its procedure is called no more
    /// (D2).
    pub fn closed(&self, driver: D) {
        self.book().openings.retain(|opening| opening.driver != Some(driver));
    }

    /// Forgets all openings at the shutdown (D12).
    pub fn clear(&self) {
        self.book().openings.clear();
    }
}
