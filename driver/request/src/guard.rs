//! Runs code that may panic where a panic must not pass.
//!
//! A panic's payload is a value of somebody else's type, and dropping it may panic as well. So it
//! is dropped here, inside a guard of its own, and never where it was caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `act`; if it panics, gives what the panic said.
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
        // It has panicked once while it was dropped; a second time would end the process.
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
