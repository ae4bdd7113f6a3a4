//! One thread at a time in a provider that sets LINETSPIOPTION_NONREENTRANT.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::{Asked, Layer, Outcome, Step};
use crate::error::{LineError, PhoneError};
use crate::functions::Group;
use ringback_request::sync::EvenPoisoned;

/// How long a function waits for the one before it. Then it fails, because a function that does not
/// return must not block every thread of the application.
const LIMIT: Duration = Duration::from_secs(30);

/// Lets one function at a time into the provider, until it has returned, not until its request is
/// complete (G9). Functions that show a dialog are let in at any time: the dialog may be open for
/// minutes, and the provider has to be prepared for it (G10).
///
/// If an upcall inside one function called another function, that would wait for itself. So a host
/// of such a provider must not call it in upcalls (C8).
#[derive(Default)]
pub struct Serial {
    busy: Mutex<bool>,
    free: Condvar,
}

/// A function's turn, until it is dropped.
pub struct Turn<'a>(&'a Serial);

impl Serial {
    fn busy(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().even_poisoned()
    }

    /// `None` if it did not become free in time.
    fn enter(&self) -> Option<Turn<'_>> {
        let waited = self.free.wait_timeout_while(self.busy(), LIMIT, |busy| *busy);
        let mut busy = waited.even_poisoned().0;
        if std::mem::replace(&mut *busy, true) { None } else { Some(Turn(self)) }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy() = false;
        self.0.free.notify_one();
    }
}

impl Layer for Serial {
    type Kept<'a> = Option<Turn<'a>>;

    fn before<'a>(&'a self, asked: &Asked<'_>) -> Step<Option<Turn<'a>>> {
        let function = asked.function();
        let shows_dialog = function.is_some_and(|function| {
            function.c_parameters().any(|parameter| parameter.kind == "HWND")
        });
        if shows_dialog {
            return Step::Go(None);
        }
        match self.enter() {
            Some(turn) => Step::Go(Some(turn)),
            None if function.is_some_and(|function| function.group == Group::Phone) => {
                Step::Answer(Outcome::failed(PhoneError::RESOURCEUNAVAIL))
            }
            None => Step::Answer(Outcome::failed(LineError::RESOURCEUNAVAIL)),
        }
    }

    fn after<'a>(&'a self, _: &Asked<'_>, _: &Outcome, turn: Option<Turn<'a>>) {
        drop(turn);
    }
}
