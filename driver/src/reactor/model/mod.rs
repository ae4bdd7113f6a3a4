//! Loom: what submitters, closers and the reaper do to each other.
//!
//! Where every interleaving is too many, a model goes through those with up to so many preemptions,
//! that is: switches away from a thread that could go on. Its text says how many.

mod hand_over;
mod wake_up;
mod whole;

/// The interleavings with up to so many preemptions, or all.
fn check(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Whether loom finds fault with a model.
fn is_found(model: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    std::panic::catch_unwind(model).is_err()
}
