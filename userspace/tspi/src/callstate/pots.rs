//! The call states of a plain analog line, as data.
//!
//! A provider may skip states, and an application must not rely on a sequence. But not every step
//! is possible: no call goes from ringback back to dialling. These tables hold every step that a
//! call on an analog line can take, including those that skip states.

use super::{CallState, CallStates};

/// What may follow a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The state before; `None` for a call whose state was not yet reported.
    pub from: Option<CallState>,
    /// The states that may come next.
    pub to: CallStates,
}

const fn step(from: Option<CallState>, to: &[CallState]) -> Transition {
    Transition { from, to: CallStates::of(to) }
}

use CallState::{
    Accepted, Busy, Conferenced, Connected, DialTone, Dialing, Disconnected, Idle, Offering,
    OnHold, OnHoldPendConf, OnHoldPendTransfer, Proceeding, Ringback, SpecialInfo,
};

/// A call that was made here, by lineMakeCall or by hand on the set.
pub const OUTBOUND: &[Transition] = &[
    step(
        None,
        &[
            DialTone,
            Dialing,
            Proceeding,
            Ringback,
            Busy,
            SpecialInfo,
            Connected,
            OnHoldPendConf,
            Disconnected,
            Idle,
        ],
    ),
    // An exchange that receives no digits plays a special information tone.
    step(
        Some(DialTone),
        &[Dialing, Proceeding, Ringback, Busy, SpecialInfo, Connected, Disconnected, Idle],
    ),
    // A second dial tone, after a W or between two parts of a number.
    step(
        Some(Dialing),
        &[DialTone, Proceeding, Ringback, Busy, SpecialInfo, Connected, Disconnected, Idle],
    ),
    step(Some(Proceeding), &[Dialing, Ringback, Busy, SpecialInfo, Connected, Disconnected, Idle]),
    step(Some(Ringback), &[Busy, SpecialInfo, Connected, Disconnected, Idle]),
    step(Some(Busy), &[SpecialInfo, Disconnected, Idle]),
    step(Some(SpecialInfo), &[Disconnected, Idle]),
    // More digits by lineDial; on hold by lineHold or for a consultation, with a swap in between.
    step(
        Some(Connected),
        &[Dialing, OnHold, OnHoldPendTransfer, OnHoldPendConf, Conferenced, Disconnected, Idle],
    ),
    step(Some(OnHold), &[Connected, Disconnected, Idle]),
    // A transfer may end in a conference of three.
    step(Some(OnHoldPendTransfer), &[Connected, Conferenced, Disconnected, Idle]),
    // A conference call begins on hold. Its parties stay conferenced until they leave.
    step(Some(OnHoldPendConf), &[Connected, Disconnected, Idle]),
    step(Some(Conferenced), &[Disconnected, Idle]),
    step(Some(Disconnected), &[Idle]),
    step(Some(Idle), &[]),
];

/// A call that rang here.
pub const INBOUND: &[Transition] = &[
    step(None, &[Offering]),
    step(Some(Offering), &[Accepted, Connected, Disconnected, Idle]),
    step(Some(Accepted), &[Connected, Disconnected, Idle]),
    step(
        Some(Connected),
        &[OnHold, OnHoldPendTransfer, OnHoldPendConf, Conferenced, Disconnected, Idle],
    ),
    step(Some(OnHold), &[Connected, Disconnected, Idle]),
    // A transfer may end in a conference of three.
    step(Some(OnHoldPendTransfer), &[Connected, Conferenced, Disconnected, Idle]),
    // A conference call begins on hold. Its parties stay conferenced until they leave.
    step(Some(OnHoldPendConf), &[Connected, Disconnected, Idle]),
    step(Some(Conferenced), &[Disconnected, Idle]),
    step(Some(Disconnected), &[Idle]),
    step(Some(Idle), &[]),
];

/// Whether a call of the table can go from one state to another. Staying in a state is no step:
/// each state is reported once, unless its mode changes.
pub fn may_follow(table: &[Transition], from: Option<CallState>, to: CallState) -> bool {
    table.iter().any(|step| step.from == from && step.to.contains(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_the_end_and_reached_from_everywhere_o3() {
        for table in [OUTBOUND, INBOUND] {
            for step in table {
                if step.from == Some(Idle) {
                    assert_eq!(step.to, CallStates::NONE, "O3");
                } else if step.from.is_some() {
                    assert!(step.to.contains(Idle), "D9: dropped in {:?}", step.from);
                }
                assert!(step.from.is_none_or(|from| !step.to.contains(from)));
            }
        }
    }

    #[test]
    fn every_state_that_is_reached_leads_on() {
        for table in [OUTBOUND, INBOUND] {
            let reached = table.iter().fold(CallStates::NONE, |set, step| set.union(step.to));
            for state in CallState::ALL {
                let rows = table.iter().filter(|step| step.from == Some(state)).count();
                assert_eq!(rows, usize::from(reached.contains(state)), "{state}");
            }
        }
    }

    #[test]
    fn ordinary_calls_are_walks_through_the_tables() {
        let walk = |table: &[Transition], states: &[CallState]| {
            let mut from = None;
            for to in states {
                assert!(may_follow(table, from, *to), "{from:?} to {to}");
                from = Some(*to);
            }
        };
        walk(OUTBOUND, &[DialTone, Dialing, Proceeding, Ringback, Connected, Disconnected, Idle]);
        walk(OUTBOUND, &[Dialing, Connected, Idle]);
        walk(OUTBOUND, &[DialTone, Dialing, Proceeding, Busy, Idle]);
        walk(INBOUND, &[Offering, Accepted, Connected, Disconnected, Idle]);
        walk(INBOUND, &[Offering, Idle]);
        assert!(!may_follow(OUTBOUND, Some(Ringback), Dialing));
        assert!(!may_follow(INBOUND, None, Connected));
        assert!(!may_follow(OUTBOUND, Some(Disconnected), Connected));
    }
}
