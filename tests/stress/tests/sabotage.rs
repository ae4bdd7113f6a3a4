//! The stress test notices every violation that it is made for.

use ringback_stress::{Sabotage, run_with};

/// The number of seeds in which each sabotage has to be noticed. Most are noticed in the first;
/// those that need two threads at the same moment take several.
const SEEDS: u64 = 60;

/// The reports of a sabotage, one of which is required.
fn verdicts(sabotage: Sabotage) -> &'static [&'static str] {
    match sabotage {
        Sabotage::Lose | Sabotage::LoseAtShutdown => &["R5", "C3: the provider has not"],
        Sabotage::Twice => &["C3: completion of"],
        Sabotage::Early => &["G1"],
        Sabotage::OtherThread => &["from another thread"],
        Sabotage::AfterClose | Sabotage::LivesOn => &["D2 at event"],
        Sabotage::NoShutdown => &["D12", "has leaked", "does not start"],
        Sabotage::TwoHosts => &["D15"],
        Sabotage::SecondCloserAtOnce => &["D1: opening", "D2: "],
        _ => &[],
    }
}

#[test]
fn every_sabotage_is_noticed() {
    let mut missed = Vec::new();
    for sabotage in Sabotage::ALL {
        let said = |text: &String| verdicts(sabotage).iter().any(|word| text.contains(word));
        let noticed = (0..SEEDS).find_map(|seed| {
            let broken = run_with(seed, sabotage).broken;
            broken.into_iter().find(said).map(|text| (seed, text))
        });
        match noticed {
            Some((seed, text)) => println!("{sabotage:?}: seed {seed}: {text}"),
            None => missed.push(sabotage),
        }
    }
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}
