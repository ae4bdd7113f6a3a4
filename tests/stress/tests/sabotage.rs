//! That what the stress test is made for does not pass it.

use ringback_stress::{Sabotage, run_with};

/// So many seeds each sabotage has to be noticed.
const SEEDS: u64 = 12;

#[test]
fn every_sabotage_is_noticed() {
    let mut missed = Vec::new();
    for sabotage in Sabotage::ALL {
        let found = (0..SEEDS).map(|seed| run_with(seed, sabotage));
        let noticed =
            found.map(|report| (report.seed, report.broken)).find(|(_, broken)| !broken.is_empty());
        match noticed {
            Some((seed, broken)) => println!("{sabotage:?}: seed {seed}: {}", broken[0]),
            None => missed.push(sabotage),
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}
