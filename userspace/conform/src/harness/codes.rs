//! The exit codes by which the provider's process reports to the suite's process how it ended.

/// The scenario ran to its end.
pub(super) const DONE: i32 = 90;
/// The library can't be loaded; stderr says why.
pub(super) const NOT_LOADED: i32 = 91;
/// A function did not return; the log says which.
pub(super) const HUNG: i32 = 92;
/// The suite itself has failed; stderr says how.
pub(super) const FAILED: i32 = 93;

/// Ends the process at once: nothing of the provider's runs any more.
pub(super) fn end(code: i32) -> ! {
    // SAFETY: _exit may be called at any time.
    unsafe { libc::_exit(code) }
}
