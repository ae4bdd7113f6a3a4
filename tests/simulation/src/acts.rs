//! The acts of a world: everything that the application, people and faults do at random. Each act
//! has a number within its series, and its random numbers follow from the seed and that number
//! alone. So an act can be left out, and the others do what they did before.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::dice::Dice;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The application by itself, from time to time.
    Application,
    /// The application in an upcall, and because of it.
    Reaction,
    /// The people at the telephones.
    People,
    /// What switches faults on.
    Faults,
    /// A second application of the same host.
    OtherApplication,
    /// The second application in a callback.
    OtherReaction,
}

/// One act of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Act {
    /// Who acts.
    pub actor: Actor,
    /// How many acts of this actor came before.
    pub number: u32,
}

impl fmt::Display for Act {
    /// Prints it as `a12`, `r7`, `b2`, `s1`, `p3` or `f0`, which [`Act::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.actor {
            Actor::Application => 'a',
            Actor::Reaction => 'r',
            Actor::People => 'p',
            Actor::Faults => 'f',
            Actor::OtherApplication => 'b',
            Actor::OtherReaction => 's',
        };
        write!(f, "{letter}{}", self.number)
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(text: &str) -> Result<Act, String> {
        let refused = || format!("{text:?} is no act: write one as a12, r7, b2, s1, p3 or f0");
        let (letter, number) = text.split_at_checked(1).ok_or_else(refused)?;
        let actor = match letter {
            "a" => Actor::Application,
            "r" => Actor::Reaction,
            "p" => Actor::People,
            "f" => Actor::Faults,
            "b" => Actor::OtherApplication,
            "s" => Actor::OtherReaction,
            _ => return Err(refused()),
        };
        Ok(Act { actor, number: number.parse().map_err(|_| refused())? })
    }
}

/// The acts of one actor.
#[derive(Debug)]
pub(crate) struct Acts {
    seed: u64,
    next: Act,
    /// The acts that are carried out; all if there is no set.
    kept: Option<BTreeSet<Act>>,
    done: Vec<Act>,
}

impl Acts {
    /// `kept` are the acts to carry out; without it all are.
    pub(crate) fn new(seed: u64, actor: Actor, kept: Option<&BTreeSet<Act>>) -> Acts {
        let kept = kept.cloned();
        Acts { seed, next: Act { actor, number: 0 }, kept, done: Vec::new() }
    }

    /// The random numbers of the next act; `None` if it is left out.
    pub(crate) fn next(&mut self) -> Option<Dice> {
        let act = self.next;
        self.next.number += 1;
        if self.kept.as_ref().is_some_and(|kept| !kept.contains(&act)) {
            return None;
        }
        self.done.push(act);
        Some(self.dice(act.number))
    }

    /// The random numbers by which the actor decides when its next act comes, which is decided also
    /// if an act is left out.
    pub(crate) fn pause(&self) -> Dice {
        self.dice(!self.next.number)
    }

    fn dice(&self, number: u32) -> Dice {
        let actor = self.next.actor as u64 + 1;
        // A generator whose seeds are near each other gives numbers that are not.
        Dice::new(self.seed ^ actor << 56 ^ u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The acts that were carried out so far.
    pub(crate) fn done(&self) -> &[Act] {
        &self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_that_is_left_out_changes_no_other_one() {
        let numbers = |kept: Option<&BTreeSet<Act>>| {
            let mut acts = Acts::new(7, Actor::People, kept);
            let mut numbers = Vec::new();
            for _ in 0..4 {
                numbers.push((acts.pause().any(), acts.next().map(|mut dice| dice.any())));
            }
            numbers
        };
        let all = numbers(None);
        let kept = [1, 3].map(|number| Act { actor: Actor::People, number }).into();
        let some = numbers(Some(&kept));
        assert_eq!(
            some.iter().map(|(_, act)| act.is_some()).collect::<Vec<_>>(),
            [false, true, false, true]
        );
        assert_eq!([some[1], some[3]], [all[1], all[3]]);
        assert_eq!([some[0].0, some[2].0], [all[0].0, all[2].0]);
        let act: Act = "p3".parse().unwrap();
        assert_eq!((act, act.to_string()), (Act { actor: Actor::People, number: 3 }, "p3".into()));
        for wrong in ["", "3", "x3", "p", "p-1", "\u{e4}1"] {
            assert!(wrong.parse::<Act>().is_err(), "{wrong}");
        }
    }
}
