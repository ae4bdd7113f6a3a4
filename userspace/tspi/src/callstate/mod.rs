//! The states of a call: what they are, what is legal in them, what follows them.
//!
//! A call has no reported state until its first LINE_CALLSTATE. IDLE is its last one, not its
//! first: a call never leaves it (O3). An idle *line* is a line without a call. States may be
//! skipped and no sequence is promised; what a plain analog line does is in [`pots`], which
//! operations are offered in a state in [`features`], and [`monitor`] watches the upcalls of a
//! provider for violations of the order rules.

pub mod features;
pub mod monitor;
pub mod pots;

use std::fmt;

use crate::constants::*;

/// One call state. The discriminant is the LINECALLSTATE_ bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum CallState {
    /// The call is over; nothing follows (O3).
    Idle = LINECALLSTATE_IDLE,
    /// An incoming call is announced.
    Offering = LINECALLSTATE_OFFERING,
    /// The offered call is accepted, but not answered yet.
    Accepted = LINECALLSTATE_ACCEPTED,
    /// The exchange is ready for digits.
    DialTone = LINECALLSTATE_DIALTONE,
    /// Digits are being sent.
    Dialing = LINECALLSTATE_DIALING,
    /// The called telephone rings.
    Ringback = LINECALLSTATE_RINGBACK,
    /// A busy tone is heard.
    Busy = LINECALLSTATE_BUSY,
    /// A special information tone is heard.
    SpecialInfo = LINECALLSTATE_SPECIALINFO,
    /// The parties hear each other.
    Connected = LINECALLSTATE_CONNECTED,
    /// Dialling is complete, the network looks for the destination.
    Proceeding = LINECALLSTATE_PROCEEDING,
    /// Held by the switch.
    OnHold = LINECALLSTATE_ONHOLD,
    /// Member of a conference.
    Conferenced = LINECALLSTATE_CONFERENCED,
    /// Waiting for a party to be added to a conference.
    OnHoldPendConf = LINECALLSTATE_ONHOLDPENDCONF,
    /// Waiting to be transferred.
    OnHoldPendTransfer = LINECALLSTATE_ONHOLDPENDTRANSFER,
    /// The other party has gone; the call still has to be dropped.
    Disconnected = LINECALLSTATE_DISCONNECTED,
    /// The provider does not know the state.
    Unknown = LINECALLSTATE_UNKNOWN,
}

impl CallState {
    /// Every state, in the order of its bit.
    pub const ALL: [CallState; 16] = [
        CallState::Idle,
        CallState::Offering,
        CallState::Accepted,
        CallState::DialTone,
        CallState::Dialing,
        CallState::Ringback,
        CallState::Busy,
        CallState::SpecialInfo,
        CallState::Connected,
        CallState::Proceeding,
        CallState::OnHold,
        CallState::Conferenced,
        CallState::OnHoldPendConf,
        CallState::OnHoldPendTransfer,
        CallState::Disconnected,
        CallState::Unknown,
    ];

    /// The state of a LINE_CALLSTATE's first parameter. The high 8 bits, a vendor's substate, are
    /// left aside; `None` unless exactly one of the other bits is set and means a state.
    pub fn from_raw(word: u32) -> Option<CallState> {
        let bit = word & 0x00FF_FFFF;
        CallState::ALL.into_iter().find(|state| state.bit() == bit)
    }

    /// The LINECALLSTATE_ bit.
    pub const fn bit(self) -> u32 {
        self as u32
    }

    /// The C name without its prefix, e.g. `CONNECTED`.
    pub fn name(self) -> &'static str {
        LINECALLSTATE.name_of(self.bit()).unwrap_or("UNKNOWN")
    }

    /// The family of the modes that travel with this state (second parameter of LINE_CALLSTATE);
    /// `None` where there is no mode.
    pub const fn mode_family(self) -> Option<Family> {
        match self {
            CallState::Disconnected => Some(LINEDISCONNECTMODE),
            CallState::DialTone => Some(LINEDIALTONEMODE),
            CallState::Busy => Some(LINEBUSYMODE),
            CallState::SpecialInfo => Some(LINESPECIALINFO),
            CallState::Connected => Some(LINECONNECTEDMODE),
            CallState::Offering => Some(LINEOFFERINGMODE),
            _ => None,
        }
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of call states.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CallStates(u32);

impl CallStates {
    /// The set without a state.
    pub const NONE: CallStates = CallStates(0);
    /// The set of all states.
    pub const ALL: CallStates = CallStates::of(&CallState::ALL);

    /// The set of these states.
    pub const fn of(states: &[CallState]) -> CallStates {
        let mut bits = 0;
        let mut rest = states;
        while let [state, tail @ ..] = rest {
            bits |= state.bit();
            rest = tail;
        }
        CallStates(bits)
    }

    /// Every state but these.
    pub const fn all_but(states: &[CallState]) -> CallStates {
        CallStates(CallStates::ALL.0 & !CallStates::of(states).0)
    }

    /// Whether the state is in the set.
    pub const fn contains(self, state: CallState) -> bool {
        self.0 & state.bit() != 0
    }

    /// The states of both sets.
    pub const fn union(self, other: CallStates) -> CallStates {
        CallStates(self.0 | other.0)
    }

    /// The LINECALLSTATE_ bits, as dwCallStates members have them.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for CallStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", LINECALLSTATE.show(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_their_bits() {
        assert_eq!(CallState::ALL.len(), LINECALLSTATE.members.len());
        for (state, (name, bit)) in CallState::ALL.into_iter().zip(LINECALLSTATE.members) {
            assert_eq!(state.bit(), *bit);
            assert_eq!(CallState::from_raw(*bit), Some(state));
            assert_eq!(format!("LINECALLSTATE_{state}"), *name);
        }
    }

    #[test]
    fn a_state_word_is_one_bit_and_a_vendors_substate() {
        assert_eq!(CallState::from_raw(0x4200_0100), Some(CallState::Connected));
        assert_eq!(CallState::from_raw(0), None);
        assert_eq!(CallState::from_raw(0x3), None);
        assert_eq!(CallState::from_raw(0x1_0000), None);
    }

    #[test]
    fn sets_contain_what_they_were_made_of() {
        let set = CallStates::of(&[CallState::Busy, CallState::Ringback]);
        assert!(set.contains(CallState::Busy) && !set.contains(CallState::Idle));
        assert_eq!(format!("{set:?}"), "RINGBACK|BUSY");
        assert_eq!(CallStates::ALL.bits(), 0xFFFF);
        assert!(!CallStates::all_but(&[CallState::Idle]).contains(CallState::Idle));
    }
}
