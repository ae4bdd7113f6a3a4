//! Breaks rules on purpose: each kind of sabotage is noticed, under a rule that it breaks.

use std::thread;

use ringback_simulation::{Rule, Sabotage, Wanted, run, shrink};

/// The number of worlds for each saboteur. Not every world has a situation in which it can act.
const WORLDS: u64 = 120;

/// The number of acts of a world that is worth shrinking.
const MANY: usize = 80;

/// Each sabotage, and the rules under which it may be noticed first.
const CASES: &[(Sabotage, &[Rule])] = &[
    (Sabotage::TellTwice, &[Rule::C3]),
    // A call whose completion is missing has events all the same.
    (Sabotage::Lose, &[Rule::C3, Rule::N4]),
    (Sabotage::Delay, &[Rule::C3, Rule::N4]),
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
    (Sabotage::WrongCaller, &[Rule::Caller]),
    (Sabotage::LoseCaller, &[Rule::Caller]),
    (Sabotage::LoseCallerInfo, &[Rule::Caller]),
    (Sabotage::HideCaller, &[Rule::Caller]),
    (Sabotage::BusyBus, &[Rule::Budget]),
    // Nobody hears that a telephone hangs up.
    (Sabotage::DeafModules, &[Rule::OnHook, Rule::Rings, Rule::Follows]),
    (Sabotage::NoStop, &[Rule::D12, Rule::OnHook, Rule::Rings]),
];

fn check(sabotage: Sabotage, rules: &[Rule]) {
    let world = |seed| run(&Wanted::of(seed).with(sabotage));
    let found = (0..WORLDS).find_map(|seed| world(seed).broken);
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

#[test]
fn a_busy_bus_is_noticed_under_a_host_also() {
    // Not every card has so much to do that three times as much is too much.
    let worlds = (0..WORLDS).map(|seed| run(&Wanted::of(seed).with(Sabotage::BusyBus)));
    let mut hosted = worlds.filter(|report| report.coverage.of("worlds with a host") > 0);
    let broken = hosted.find_map(|report| report.broken);
    assert_eq!(broken.map(|broken| broken.rule), Some(Rule::Budget));
}

#[test]
fn a_failing_world_is_shrunk_to_the_few_acts_that_it_needs() {
    // A request that a drop has ended completes with 0: this needs a call, another request of it,
    // and the drop.
    let wanted = |seed| Wanted::of(seed).with(Sabotage::DropSucceeds);
    let mut worlds = (0..WORLDS).map(|seed| run(&wanted(seed)));
    let whole = worlds.find(|report| report.broken.is_some() && report.acts.len() >= MANY);
    let whole = whole.expect("it goes unnoticed, or is noticed after few acts");
    let rule = whole.broken.expect("it was noticed").rule;
    let small = shrink(&wanted(whole.seed));
    assert_eq!(small.broken.as_ref().map(|broken| broken.rule), Some(rule), "{small}");
    let (few, all) = (small.acts.len(), whole.acts.len());
    assert!(few <= all / 8, "{few} of {all} acts are left: {small}");
    assert!(small.to_string().contains("RINGBACK_ACTS="), "{small}");
    // These acts are all that is needed to see it again.
    let kept = Some(small.acts.iter().copied().collect());
    let again = run(&Wanted { kept, ..wanted(whole.seed) });
    assert_eq!((again.broken, again.steps), (small.broken, small.steps));
}
