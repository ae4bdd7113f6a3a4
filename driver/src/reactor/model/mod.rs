//! Loom: models of submitters, closers and the reaper acting at the same time.
//!
//! If there are too many interleavings, a model tries those with a limited number of preemptions,
//! that is, switches away from a thread that could go on. The comment on the model has the limit.

mod hand_over;
mod wake_up;
mod whole;

/// Tries the interleavings with up to so many preemptions, or all.
fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Returns whether loom finds a fault in a model.
fn is_found(model: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(model).is_err()
}
