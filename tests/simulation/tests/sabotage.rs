//! Breaks rules on purpose: each kind of sabotage is noticed, under a rule that it breaks.

use std::thread;

use ringback_simulation::{Rule, Sabotage, run_with};

/// The number of worlds for each saboteur. Not every world has a situation in which it can act.
const WORLDS: u64 = 40;

/// Each sabotage, and the rules under which it may be noticed first.
const CASES: &[(Sabotage, &[Rule])] = &[
    (Sabotage::TellTwice, &[Rule::C3]),
    (Sabotage::Lose, &[Rule::C3]),
    (Sabotage::Delay, &[Rule::C3]),
    (Sabotage::WrongLine, &[Rule::C3]),
    (Sabotage::OpenGate, &[Rule::G1]),
    (Sabotage::CompleteRefused, &[Rule::R4]),
    (Sabotage::Overtake, &[Rule::O1, Rule::N4]),
    (Sabotage::Swap, &[Rule::N14]),
    // It is the same state again where the call was offered before.
    (Sabotage::WrongState, &[Rule::Steps, Rule::Repeated]),
    (Sabotage::StateFirst, &[Rule::N4]),
    (Sabotage::LoseFirstState, &[Rule::Steps, Rule::N14, Rule::Agrees]),
    (Sabotage::RepeatState, &[Rule::Repeated, Rule::O3]),
    (Sabotage::Resurrect, &[Rule::O3]),
    (Sabotage::InfoAfterIdle, &[Rule::O4]),
    (Sabotage::LateDigit, &[Rule::O5]),
    (Sabotage::LoseIdle, &[Rule::D8, Rule::Agrees]),
    (Sabotage::LoseConnected, &[Rule::Answered, Rule::Agrees]),
    (Sabotage::LoseGenerated, &[Rule::D17]),
    (Sabotage::AfterCloseCall, &[Rule::D5]),
    (Sabotage::AfterCloseLine, &[Rule::D2]),
    (Sabotage::SecondCall, &[Rule::OneCall]),
    (Sabotage::CloseFirst, &[Rule::D13]),
    (Sabotage::CloseSucceeds, &[Rule::D1, Rule::D5, Rule::N6]),
    (Sabotage::DropFirst, &[Rule::D7]),
    (Sabotage::DropSucceeds, &[Rule::D7]),
    (Sabotage::BusyBus, &[Rule::Budget]),
    (Sabotage::DeafModules, &[Rule::OnHook, Rule::Rings]),
    (Sabotage::NoStop, &[Rule::D12, Rule::OnHook, Rule::Rings]),
];

fn check(sabotage: Sabotage, rules: &[Rule]) {
    let found = (0..WORLDS).find_map(|seed| run_with(seed, Some(sabotage)).broken);
    let Some(broken) = found else { panic!("{sabotage:?} went unnoticed in {WORLDS} worlds") };
    assert!(rules.contains(&broken.rule), "{sabotage:?} was noticed as {broken}");
}

#[test]
fn every_sabotage_is_noticed() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for part in 0..threads {
            scope.spawn(move || {
                for (sabotage, rules) in CASES.iter().skip(part).step_by(threads) {
                    check(*sabotage, rules);
                }
            });
        }
    });
}
