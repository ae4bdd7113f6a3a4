//! Calls code that may panic, where the panic must not propagate.
//!
//! The payload of a panic may be a value of any type, and dropping it may panic as well. It is
//! therefore dropped here, inside a guard of its own.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `act`; if it panics, returns the panic's message.
///
/// # Errors
/// The text of the panic.
#[inline]
pub fn contain<R>(act: impl FnOnce() -> R) -> Result<R, String> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(result) => Ok(result),
        Err(payload) => Err(caught(payload)),
    }
}

#[cold]
fn caught(payload: Box<dyn Any + Send>) -> String {
    let text = text(&*payload);
    discard(payload);
    text
}

/// Drops a value whose `Drop` may panic.
pub fn discard(value: impl Sized) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Dropping the payload has panicked; another attempt could end the process.
        std::mem::forget(payload);
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_string()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn a_panic_becomes_its_text() {
        assert_eq!(contain(|| 7), Ok(7));
        assert_eq!(contain(|| panic!("no {}", 5)), Err::<(), _>("no 5".to_string()));
        assert!(contain(|| std::panic::panic_any(7)).is_err());
    }

    #[test]
    fn a_payload_that_panics_when_dropped_goes_no_further() {
        assert!(contain(|| std::panic::panic_any(Bomb)).is_err());
        discard(Bomb);
    }
}
