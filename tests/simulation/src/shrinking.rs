//! Finds a smaller copy of a world that breaks the same rule: acts are left out, in halves,
//! quarters and so on down to single ones, as long as the rule is still broken without them.

use std::collections::BTreeSet;

use crate::acts::Act;
use crate::{Report, Wanted, run, run_told};

/// The most copies that are tried.
const COPIES: u32 = 150;
/// A copy may break the rule later than the whole world, by this number of steps.
const LATER: u64 = 3000;

/// Runs a world, and if it breaks a rule, smaller copies of it. Returns the report of the smallest
/// one that breaks the same rule, with its journal.
pub fn shrink(wanted: &Wanted) -> Report {
    let whole = run(wanted);
    let Some(rule) = whole.broken.as_ref().map(|broken| broken.rule) else {
        return run_told(wanted);
    };
    let last = whole.steps.saturating_add(LATER).min(wanted.last);
    let copy = |acts: &[Act]| {
        let kept: BTreeSet<Act> = acts.iter().copied().collect();
        Wanted { kept: Some(kept), last, ..wanted.clone() }
    };
    let mut acts = whole.acts;
    let mut copies = 0;
    let mut piece = acts.len();
    while piece > 0 {
        let mut from = 0;
        while from < acts.len() && copies < COPIES {
            let to = acts.len().min(from + piece);
            let fewer: Vec<Act> = [&acts[..from], &acts[to..]].concat();
            copies += 1;
            let report = run(&copy(&fewer));
            if report.broken.is_some_and(|broken| broken.rule == rule) {
                // Those that the copy did not come to are not needed either.
                acts = report.acts;
            } else {
                from = to;
            }
        }
        piece /= 2;
    }
    run_told(&copy(&acts))
}
