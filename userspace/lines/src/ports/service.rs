//! What an exchange is asked for by codes while the line has no call.

use std::collections::VecDeque;

use ringback_country::Forwarding;
use ringback_driver::Time;
use ringback_tspi::dialstring::{DialString, Modifiers, parse};
use ringback_tspi::types::HDRVCALL;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// Forward calls to these numbers, in each case; `None` ends it.
    Forward(Vec<(Forwarding, Option<DialString>)>),
    /// Call back no more.
    Uncomplete(u32),
    /// Connect the caller for whom this number rings, or any.
    PickUp(Option<DialString>),
    /// Connect the party that is parked there.
    Unpark(DialString),
}

/// What is being done.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) task: ServiceTask,
    /// The codes that are not dialled yet; the line hangs up between two.
    pub(super) codes: VecDeque<DialString>,
    /// What they forward.
    pub(super) forwards: Vec<Forwarding>,
    pub(super) stage: ServiceStage,
}

/// For what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceTask {
    /// The line's calls are forwarded elsewhere from now on.
    Forward,
    /// The exchange does not call back any more.
    Uncomplete,
    /// Somebody else's call becomes this one.
    Fetch(HDRVCALL),
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceStage {
    /// On-hook until this time.
    Guard(Time),
    /// Dial tone has to be heard until this time.
    Seizing(Time),
    Dialing,
    /// The exchange has to answer until this time.
    Hearing(Time),
}

/// What is to be dialled for a code of a profile, for this number.
pub(super) fn code(text: &str, number: Option<&DialString>) -> DialString {
    // A test parses the codes of all profiles.
    let part = |text: &str| {
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        parse(text, modifiers).unwrap_or_default()
    };
    let Some((front, back)) = text.split_once('N') else { return part(text) };
    let mut code = part(front);
    code.steps.extend(number.iter().flat_map(|number| number.steps.iter().copied()));
    code.steps.extend(part(back).steps);
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_country::{Codes, Profile};

    #[test]
    fn the_codes_of_profiles_can_be_dialled() {
        let number = parse("205", Modifiers::default()).unwrap();
        for profile in Profile::ALL {
            for text in profile.codes.texts() {
                let dialled = code(text, Some(&number)).to_string();
                assert_eq!(dialled, Codes::with_number(text, "205"), "{}", profile.name);
            }
        }
    }
}
