//! What a seed determines before the history begins.

use std::time::Duration;

use crate::dice::Dice;

/// How many of the cards' milliseconds pass in a real one.
pub(crate) const HASTE: u32 = 8;

/// What a seed determines.
pub(crate) struct Plan {
    /// Whether callbacks may take longer than a close waits.
    pub(crate) long: bool,
    pub(crate) cards: usize,
    pub(crate) lives: Vec<LifePlan>,
}

/// One life of the hosts, between start and shutdown.
#[derive(Clone)]
pub(crate) struct LifePlan {
    pub(crate) time: Duration,
    /// After this time any thread may shut a host down, in a callback as well.
    pub(crate) shutdown_after: Duration,
    /// Whether the log panics.
    pub(crate) storm: bool,
    /// The random numbers of each thread.
    pub(crate) threads: Vec<Dice>,
}

impl Plan {
    pub(crate) fn new(seed: u64, long: bool) -> Plan {
        let mut dice = Dice::new(seed);
        let cards = 1 + usize::from(dice.percent(60));
        let lives = (0..2 + dice.below(2)).map(|_| LifePlan::new(&mut dice, long)).collect();
        Plan { long, cards, lives }
    }
}

impl LifePlan {
    fn new(dice: &mut Dice, long: bool) -> LifePlan {
        let time = if long { dice.ms(300, 6000) } else { dice.ms(200, 1200) };
        let shutdown_after = match dice.below(3) {
            0 => dice.ms(0, 50),
            1 => time / 2,
            _ => time * 2,
        };
        let threads = (0..3 + dice.below(4)).map(|_| dice.fork()).collect();
        LifePlan { time, shutdown_after, storm: dice.percent(50), threads }
    }
}
