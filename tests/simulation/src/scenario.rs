//! What a seed determines before a world begins.

use std::time::Duration;

use ringback_driver::PortNumber;
use ringback_lines::SoundOptions;
use ringback_softcard::{CardConfig, ExchangeConfig, Fault, LineOptions, ModuleKind, SLOTS};

use crate::dice::Dice;

/// How the application behaves.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Percentage of its actions that fit the state of the line.
    pub(crate) sense: u32,
    /// Percentage of tickets that are held for a while.
    pub(crate) holds: u32,
    /// Percentage of upcalls inside which it acts.
    pub(crate) inside: u32,
    /// The longest pause between two actions in milliseconds; most are much shorter.
    pub(crate) pause_ms: u64,
    /// Whether it chooses the request ids itself.
    pub(crate) own_ids: bool,
    /// The numbers that it calls.
    pub(crate) numbers: Vec<String>,
}

/// How a world ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Faults and calls end, every line proves that it still works, then the reactor is stopped.
    Calm,
    /// The reactor is stopped while everything runs.
    Stop,
    /// The card is pulled out while everything runs.
    Removal,
    /// The interrupt file fails while everything runs.
    Gone,
}

/// How regularly time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Each step is a millisecond.
    Even,
    /// Steps of 0.3 to 1 ms: interrupts are served late, but no sample is lost.
    Uneven,
    /// Like `Uneven`, but at times the machine is busy for up to 60 ms, and samples are lost.
    Halting,
}

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) card: CardConfig,
    /// Whether the kernel moves the samples.
    pub(crate) kernel: bool,
    /// What every line does to its sound.
    pub(crate) sound: SoundOptions,
    /// Whether the bus may lie.
    pub(crate) dishonest: bool,
    /// The second part of a card with eight ports.
    pub(crate) second: Option<CardConfig>,
    /// Faults that are on when the card is brought up, and stay on.
    pub(crate) broken: Vec<Fault>,
    /// Subscribers of the exchange.
    pub(crate) subscribers: Vec<String>,
    pub(crate) manner: Manner,
    /// The mean time between two faults; `None` for a world without faults.
    pub(crate) faults_every_ms: Option<u64>,
    /// The longest pause between two actions of telephones.
    pub(crate) telephones_ms: u64,
    pub(crate) pace: Pace,
    pub(crate) storm: Duration,
    pub(crate) ending: Ending,
    /// The number of requests that can be outstanding.
    pub(crate) capacity: usize,
}

impl Scenario {
    pub(crate) fn new(seed: u64, dice: &mut Dice) -> Scenario {
        // It has dice of its own, so that the rest of the world is the same in every country.
        let country = Dice::new(!seed)
            .pick(&["FCC", "UK", "GERMANY", "FCC", "TBR21", "SWEDEN", "JAPAN", "BRAZIL"]);
        let country = country.unwrap_or_default().parse().unwrap_or_default();
        let mut of_second = Dice::new(seed.rotate_left(32));
        let eight = of_second.one_in(4);
        let mut of_way = Dice::new(seed.rotate_left(16));
        let (kernel, dishonest) = (of_way.one_in(3), of_way.one_in(6));
        let mut of_sound = Dice::new(seed.rotate_left(48));
        let mut gain = || of_sound.pick(&[0, 0, 0, -6, 6]).unwrap_or_default();
        let (gain_received, gain_sent) = (gain(), gain());
        let echo_cancel = of_sound.one_in(3);
        let sound = SoundOptions { echo_cancel, gain_received, gain_sent };
        let mut modules = [(); SLOTS].map(|()| match dice.below(5) {
            0 => ModuleKind::Empty,
            1 | 2 => ModuleKind::Fxs,
            _ => ModuleKind::Fxo,
        });
        if modules.iter().all(|module| *module == ModuleKind::Empty) {
            modules[dice.index(SLOTS)] = ModuleKind::Fxo;
        }
        let mut number = 0;
        let lines = [(); SLOTS].map(|()| {
            number += 1;
            LineOptions {
                number: (99 + number).to_string(),
                polarity_on_answer: dice.percent(40),
                loop_break_ms: dice.pick(&[0, 120, 500, 500, 1500]).unwrap_or_default(),
            }
        });
        let exchange = ExchangeConfig {
            country,
            first_digit_ms: 1500 + dice.below(8000),
            inter_digit_ms: 600 + dice.below(2400),
            hang_up_ms: 300 + dice.below(400),
            ..ExchangeConfig::default()
        };
        let mut broken = Vec::new();
        if dice.one_in(8) {
            let slot = dice.index(SLOTS);
            broken.extend(dice.pick(&[
                Fault::NoPower(PortNumber::at(slot)),
                Fault::NoIsoLink(PortNumber::at(slot)),
                Fault::StuckSpi(PortNumber::at(slot)),
                Fault::StuckSpiLow(PortNumber::at(slot)),
            ]));
        }
        let subscribers: Vec<String> =
            ["20", "21", "5550123", "7"][..=dice.index(4)].iter().map(|&n| n.into()).collect();
        let own = lines.iter().map(|line| line.number.clone());
        let numbers = subscribers.iter().cloned().chain(own).chain(["999".into()]).collect();
        let manner = Manner {
            sense: dice.pick(&[50, 80, 95]).unwrap_or(80),
            holds: dice.pick(&[0, 15, 50]).unwrap_or(15),
            inside: dice.pick(&[0, 3, 15]).unwrap_or(3),
            pause_ms: dice.pick(&[400, 2000, 6000]).unwrap_or(2000),
            own_ids: dice.percent(50),
            numbers,
        };
        let second = eight.then(|| CardConfig {
            modules: [(); SLOTS].map(|()| {
                let kinds = [ModuleKind::Fxs, ModuleKind::Fxo, ModuleKind::Empty, ModuleKind::Fxo];
                of_second.pick(&kinds).unwrap_or(ModuleKind::Fxo)
            }),
            ..CardConfig { modules, lines: lines.clone(), exchange: exchange.clone() }
        });
        Scenario {
            card: CardConfig { modules, lines, exchange },
            kernel,
            sound,
            dishonest,
            second,
            broken,
            subscribers,
            manner,
            faults_every_ms: dice.pick(&[None, Some(8000), Some(2500), Some(600)]).flatten(),
            telephones_ms: dice.pick(&[3000, 12_000]).unwrap_or(3000),
            pace: dice.pick(&[Pace::Even, Pace::Uneven, Pace::Halting]).unwrap_or(Pace::Even),
            storm: dice.ms(15_000, 60_000),
            ending: dice
                .pick(&[Ending::Calm, Ending::Calm, Ending::Stop, Ending::Removal, Ending::Gone])
                .unwrap_or(Ending::Calm),
            capacity: dice.pick(&[2, 8, 64]).unwrap_or(64),
        }
    }
}
