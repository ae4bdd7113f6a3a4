//! Runs code of the application on the provider's thread: callbacks, wakers and the observer. Its
//! panics do not end the thread.

use ringback_request::guard::contain;
use ringback_request::report;

/// Runs code of the application. A panic is caught and logged.
pub(super) fn guarded(what: &'static str, act: impl FnOnce()) {
    if let Err(text) = contain(act) {
        report!(ERROR, "the application panicked in an upcall ({what}): {text}");
    }
}
