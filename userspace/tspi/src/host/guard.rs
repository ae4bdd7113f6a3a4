//! Code of others that runs on the provider's thread: callbacks, wakers, the observer, and whoever
//! prints the log. Whatever it does, the thread goes on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the application. A panic is logged and goes no further.
pub(super) fn guarded(what: &'static str, act: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(act)) {
        let panic = text(&*payload).to_owned();
        discard(payload);
        log(|| tracing::error!(what, panic, "the application panicked in an upcall"));
    }
}

/// Writes to the log. A subscriber may panic, when its output is closed for example, and may call
/// the host: no lock of the host's may be held here.
pub(super) fn log(write: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(write)) {
        discard(payload);
    }
}

/// Drops what a panic has thrown, which may panic once more. What that throws is leaked: a third
/// panic could not be told from the second.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// What a panic said.
fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "the payload of a panic panics when it is dropped");
        }
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_goes_no_further() {
        guarded("test", || std::panic::panic_any(Bomb));
        log(|| std::panic::panic_any(Bomb));
    }
}
