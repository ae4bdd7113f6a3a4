//! What each kind of line can do. It is announced in the capabilities, and requests are checked
//! against it.

use ringback_lines::{Codes, DeviceConfig, Forwarding, Profile, Treatment};
use ringback_tspi::callstate::{CallState, CallStates};
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::dialstring::Modifiers;

/// What a kind of line can do.
#[derive(Debug)]
pub(super) struct Abilities {
    /// The name of this kind of line, for LINEDEVCAPS.
    pub(super) name: &'static str,
    /// LINEMEDIAMODE_ bits.
    pub(super) media: u32,
    /// The media mode of a call that is made without one.
    pub(super) usual_media: u32,
    /// LINEBEARERMODE_ bits.
    pub(super) bearers: u32,
    /// The highest rate in bit/s; for a voice line the bandwidth in Hz.
    pub(super) rate: u32,
    /// What it can wait for while it dials.
    pub(super) modifiers: Modifiers,
    /// The number of ring modes in LINE_LINEDEVSTATE.
    pub(super) ring_modes: u32,
    /// The LINEDEVSTATE_ bits that are reported by LINE_LINEDEVSTATE.
    pub(super) line_states: u32,
    /// The LINEDEVSTATUSFLAGS_ bits that can be set.
    pub(super) settable_status: u32,
    /// LINEADDRCAPFLAGS_ bits.
    pub(super) address_flags: u32,
    /// LINECALLPARTYID_ bits: what may become known about callers.
    pub(super) caller_id: u32,
    /// LINEDIGITMODE_ bits that can be generated, and that can be monitored.
    pub(super) digits: (u32, u32),
    /// What a telephone can hear that waits.
    pub(super) treatments: &'static [Treatment],
    /// The states of its calls.
    pub(super) states: CallStates,
    /// LINECALLFEATURE_ bits.
    pub(super) features: u32,
    /// The modes of the states.
    pub(super) dial_tone_modes: u32,
    pub(super) busy_modes: u32,
    pub(super) special_info: u32,
    pub(super) connected_modes: u32,
    pub(super) disconnect_modes: u32,
}

const DIALS: CallStates = CallStates::of(&[
    CallState::Idle,
    CallState::Offering,
    CallState::Accepted,
    CallState::DialTone,
    CallState::Dialing,
    CallState::Ringback,
    CallState::Busy,
    CallState::Connected,
    CallState::Proceeding,
    CallState::Disconnected,
]);
const NOTHING: Modifiers = Modifiers { dial_tone: false, quiet: false, billing: false };
const VOICE: u32 = LINEMEDIAMODE_INTERACTIVEVOICE | LINEMEDIAMODE_AUTOMATEDVOICE;
/// Bandwidth of a telephone line in Hz.
const BANDWIDTH: u32 = 3100;
const DIALED: u32 = LINEADDRCAPFLAGS_DIALED | LINEADDRCAPFLAGS_PARTIALDIAL;
const ENDS: u32 =
    LINEDISCONNECTMODE_NORMAL | LINEDISCONNECTMODE_NOANSWER | LINEDISCONNECTMODE_OUTOFORDER;
/// The features of every kind of line.
const USUAL: u32 = LINECALLFEATURE_ACCEPT
    | LINECALLFEATURE_ANSWER
    | LINECALLFEATURE_DROP
    | LINECALLFEATURE_SETCALLPARAMS
    | LINECALLFEATURE_SETCALLDATA;
/// The states that a line of an exchange reports.
const EXCHANGE: u32 = LINEDEVSTATE_RINGING
    | LINEDEVSTATE_INSERVICE
    | LINEDEVSTATE_OUTOFSERVICE
    | LINEDEVSTATE_NUMCALLS
    | LINEDEVSTATE_LOCK;
/// The status that can be set of every kind of line.
const STATUS: u32 = LINEDEVSTATUSFLAGS_INSERVICE | LINEDEVSTATUSFLAGS_LOCKED;
/// The features of lines with samples.
const SOUNDS: u32 = LINECALLFEATURE_GENERATEDIGITS
    | LINECALLFEATURE_GENERATETONE
    | LINECALLFEATURE_GATHERDIGITS
    | LINECALLFEATURE_MONITORDIGITS
    | LINECALLFEATURE_MONITORMEDIA
    | LINECALLFEATURE_MONITORTONES;
const DTMF: (u32, u32) = (LINEDIGITMODE_DTMF, LINEDIGITMODE_DTMF | LINEDIGITMODE_DTMFEND);
/// A telephone may also have a rotary dial.
const DTMF_OR_PULSE: (u32, u32) = (DTMF.0, DTMF.1 | LINEDIGITMODE_PULSE);

/// What an exchange or a modem may report of a caller.
const CALLERS: u32 = LINECALLPARTYID_ADDRESS
    | LINECALLPARTYID_NAME
    | LINECALLPARTYID_BLOCKED
    | LINECALLPARTYID_OUTOFAREA
    | LINECALLPARTYID_UNAVAIL;

const FXO: Abilities = Abilities {
    name: "FXO exchange line",
    media: VOICE,
    usual_media: LINEMEDIAMODE_INTERACTIVEVOICE,
    bearers: LINEBEARERMODE_VOICE,
    rate: BANDWIDTH,
    modifiers: Modifiers { dial_tone: true, ..NOTHING },
    ring_modes: 1,
    line_states: EXCHANGE
        | LINEDEVSTATE_CAPSCHANGE
        | LINEDEVSTATE_MSGWAITON
        | LINEDEVSTATE_MSGWAITOFF,
    settable_status: STATUS,
    address_flags: DIALED,
    caller_id: LINECALLPARTYID_UNAVAIL,
    digits: DTMF,
    treatments: &[],
    states: DIALS.union(CallStates::of(&[CallState::SpecialInfo])),
    features: USUAL | SOUNDS | LINECALLFEATURE_DIAL,
    dial_tone_modes: LINEDIALTONEMODE_NORMAL | LINEDIALTONEMODE_UNAVAIL,
    busy_modes: LINEBUSYMODE_STATION,
    special_info: LINESPECIALINFO_NOCIRCUIT
        | LINESPECIALINFO_CUSTIRREG
        | LINESPECIALINFO_REORDER
        | LINESPECIALINFO_UNAVAIL,
    connected_modes: LINECONNECTEDMODE_ACTIVE | LINECONNECTEDMODE_CONFIRMED,
    disconnect_modes: ENDS
        | LINEDISCONNECTMODE_BUSY
        | LINEDISCONNECTMODE_NODIALTONE
        | LINEDISCONNECTMODE_UNAVAIL,
};

const FXS: Abilities = Abilities {
    name: "FXS telephone",
    media: VOICE,
    usual_media: LINEMEDIAMODE_INTERACTIVEVOICE,
    bearers: LINEBEARERMODE_VOICE,
    rate: BANDWIDTH,
    // Its telephone is rung; nothing is dialled.
    modifiers: NOTHING,
    // The telephone rings, and not the line.
    ring_modes: 0,
    line_states: LINEDEVSTATE_INSERVICE
        | LINEDEVSTATE_OUTOFSERVICE
        | LINEDEVSTATE_NUMCALLS
        | LINEDEVSTATE_LOCK
        | LINEDEVSTATE_MSGWAITON
        | LINEDEVSTATE_MSGWAITOFF,
    settable_status: STATUS | LINEDEVSTATUSFLAGS_MSGWAIT,
    // The telephone shows who calls it, if the application says so.
    address_flags: LINEADDRCAPFLAGS_BLOCKIDOVERRIDE,
    caller_id: LINECALLPARTYID_ADDRESS
        | LINECALLPARTYID_NAME
        | LINECALLPARTYID_BLOCKED
        | LINECALLPARTYID_UNAVAIL,
    digits: DTMF_OR_PULSE,
    treatments: Treatment::ALL,
    states: CallStates::of(&[
        CallState::Idle,
        CallState::Offering,
        CallState::Accepted,
        CallState::Ringback,
        CallState::Busy,
        CallState::Connected,
        CallState::OnHold,
        CallState::Disconnected,
    ]),
    features: USUAL
        | SOUNDS
        | LINECALLFEATURE_HOLD
        | LINECALLFEATURE_UNHOLD
        | LINECALLFEATURE_SETTREATMENT,
    dial_tone_modes: 0,
    busy_modes: LINEBUSYMODE_STATION,
    special_info: 0,
    connected_modes: LINECONNECTEDMODE_ACTIVE | LINECONNECTEDMODE_CONFIRMED,
    disconnect_modes: ENDS,
};

const MODEM: Abilities = Abilities {
    name: "modem",
    media: LINEMEDIAMODE_DATAMODEM,
    usual_media: LINEMEDIAMODE_DATAMODEM,
    bearers: LINEBEARERMODE_VOICE | LINEBEARERMODE_PASSTHROUGH,
    rate: 115_200,
    modifiers: Modifiers { dial_tone: true, quiet: true, billing: true },
    ring_modes: 1,
    line_states: EXCHANGE,
    settable_status: STATUS,
    address_flags: DIALED,
    caller_id: CALLERS,
    digits: (0, 0),
    treatments: &[],
    states: DIALS,
    features: USUAL | LINECALLFEATURE_DIAL,
    dial_tone_modes: LINEDIALTONEMODE_UNAVAIL,
    busy_modes: LINEBUSYMODE_UNAVAIL,
    special_info: 0,
    connected_modes: LINECONNECTEDMODE_ACTIVE | LINECONNECTEDMODE_CONFIRMED,
    disconnect_modes: ENDS
        | LINEDISCONNECTMODE_UNKNOWN
        | LINEDISCONNECTMODE_BUSY
        | LINEDISCONNECTMODE_UNAVAIL
        | LINEDISCONNECTMODE_NODIALTONE
        | LINEDISCONNECTMODE_TEMPFAILURE,
};

/// What a line can do in addition because its exchange can: without a profile it is at most told
/// who calls.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ExchangeAbilities {
    /// LINECALLPARTYID_ bits: what may become known about callers.
    pub(super) caller_id: u32,
    /// LINECALLFEATURE_ bits.
    pub(super) features: u32,
    /// The states of its calls.
    pub(super) states: CallStates,
    /// LINETRANSFERMODE_ bits.
    pub(super) transfer_modes: u32,
    /// The number of calls that can be on hold, and on hold for a consultation.
    pub(super) held: u32,
    pub(super) held_pending: u32,
    /// The number of parties of a conference, the line's own included; 0 for none.
    pub(super) conference: u32,
    /// LINEFORWARDMODE_ bits.
    pub(super) forward_modes: u32,
    /// LINEPARKMODE_ bits.
    pub(super) park_modes: u32,
    /// LINEADDRFEATURE_ and LINEFEATURE_ bits.
    pub(super) address_features: u32,
    pub(super) line_features: u32,
    /// LINECALLCOMPLMODE_ bits.
    pub(super) completion_modes: u32,
}

/// What an exchange can do that joins three parties.
const CONFERENCE: u32 = LINECALLFEATURE_SETUPCONF
    | LINECALLFEATURE_ADDTOCONF
    | LINECALLFEATURE_PREPAREADDCONF
    | LINECALLFEATURE_REMOVEFROMCONF;
const CONFERENCED: CallStates =
    CallStates::of(&[CallState::Conferenced, CallState::OnHoldPendConf]);

impl ExchangeAbilities {
    pub(super) fn of(config: &DeviceConfig) -> ExchangeAbilities {
        ExchangeAbilities {
            caller_id: if config.tells_callers() { CALLERS } else { 0 },
            ..config.profile().map(ExchangeAbilities::of_profile).unwrap_or_default()
        }
    }

    fn of_profile(profile: &Profile) -> ExchangeAbilities {
        let transfers = LINECALLFEATURE_SETUPTRANSFER
            | LINECALLFEATURE_COMPLETETRANSF
            | LINECALLFEATURE_BLINDTRANSFER;
        let features = [
            (true, LINECALLFEATURE_HOLD | LINECALLFEATURE_UNHOLD),
            (profile.transfers, transfers),
            (profile.transfers && profile.swap.is_some(), LINECALLFEATURE_SWAPHOLD),
        ];
        let conference = if profile.join.is_some() { CONFERENCE } else { 0 };
        let bits = features.iter().filter(|(has, _)| *has).map(|(_, bits)| bits);
        let pending: &[CallState] =
            if profile.transfers { &[CallState::OnHoldPendTransfer] } else { &[] };
        let by_codes = ExchangeAbilities::of_codes(&profile.codes);
        ExchangeAbilities {
            features: bits.fold(conference | by_codes.features, |all, bits| all | bits),
            states: CallStates::of(&[CallState::OnHold])
                .union(CallStates::of(pending))
                .union(if conference == 0 { CallStates::NONE } else { CONFERENCED }),
            transfer_modes: match (profile.transfers, conference != 0) {
                (true, true) => LINETRANSFERMODE_TRANSFER | LINETRANSFERMODE_CONFERENCE,
                (true, false) => LINETRANSFERMODE_TRANSFER,
                (false, _) => 0,
            },
            held: 1,
            held_pending: u32::from(profile.transfers || conference != 0),
            conference: if conference == 0 { 0 } else { 3 },
            ..by_codes
        }
    }

    fn of_codes(codes: &Codes) -> ExchangeAbilities {
        let any = |of: &[(bool, u32)]| {
            of.iter().filter(|(has, _)| *has).fold(0, |all, (_, bits)| all | bits)
        };
        let has = |kind| codes.forward(kind).is_some();
        let (busy, no_answer) = (has(Forwarding::Busy), has(Forwarding::NoAnswer));
        let forward_modes = any(&[
            (has(Forwarding::Unconditional), LINEFORWARDMODE_UNCOND),
            (busy, LINEFORWARDMODE_BUSY),
            (no_answer, LINEFORWARDMODE_NOANSW),
            (busy && no_answer, LINEFORWARDMODE_BUSYNA),
        ]);
        let forwards = forward_modes != 0;
        let calls_back = codes.call_back.is_some();
        ExchangeAbilities {
            features: any(&[
                (codes.park.is_some(), LINECALLFEATURE_PARK),
                (calls_back, LINECALLFEATURE_COMPLETECALL),
            ]),
            forward_modes,
            park_modes: any(&[(codes.park.is_some(), LINEPARKMODE_DIRECTED)]),
            address_features: any(&[
                (forwards, LINEADDRFEATURE_FORWARD | LINEADDRFEATURE_FORWARDFWD),
                (codes.unpark.is_some(), LINEADDRFEATURE_UNPARK),
                (codes.pick_up.is_some(), LINEADDRFEATURE_PICKUP | LINEADDRFEATURE_PICKUPDIRECT),
                (codes.pick_up_any.is_some(), LINEADDRFEATURE_PICKUP | LINEADDRFEATURE_PICKUPGROUP),
                (calls_back && codes.cancel_call_back.is_some(), LINEADDRFEATURE_UNCOMPLETECALL),
            ]),
            line_features: any(&[(forwards, LINEFEATURE_FORWARD | LINEFEATURE_FORWARDFWD)]),
            completion_modes: any(&[(calls_back, LINECALLCOMPLMODE_CALLBACK)]),
            ..ExchangeAbilities::default()
        }
    }
}

/// What a kind of line can do.
pub(super) const fn abilities(kind: LineKind) -> &'static Abilities {
    match kind {
        LineKind::Fxo => &FXO,
        LineKind::Fxs => &FXS,
        LineKind::Modem => &MODEM,
    }
}
