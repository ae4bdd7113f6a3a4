//! Requests to a line.

use std::time::Duration;

use ringback_country::Forwarding;
use ringback_driver::request::LineNumber;
use ringback_tspi::constants::*;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;
use ringback_tspi::types::HDRVCALL;

use super::Caller;
use super::call::CallNotes;
use super::opening::Opening;
use super::phone_setting::PhoneSetting;
use super::sounds::Treatment;

/// The command of a request to a line. Every command owns its input (B1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// TSPI_lineMakeCall: seize the line and dial, or ring the telephone.
    MakeCall {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// What to dial; empty to get dial tone and dial later.
        address: DialString,
        /// The address as the application wrote it, for LINECALLINFO.
        called: String,
        /// LINECALLPARAMFLAGS_IDLE: fail with CALLUNAVAIL rather than dial without dial tone.
        only_if_idle: bool,
        /// One or more LINEMEDIAMODE_.
        media: u32,
        /// Durations of digits, pauses and waits.
        timing: DialTiming,
        /// Who calls, as a telephone is to show it; nothing on a line of another kind.
        caller: Caller,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineDial: dial more on a call that is being dialled.
    Dial {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// What to dial; empty says that dialling is complete.
        address: DialString,
    },
    /// TSPI_lineAnswer: answer the call that is offered.
    Answer {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineDrop: hang up.
    Drop {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineMakeCall with LINEBEARERMODE_PASSTHROUGH: give the application direct access to the
    /// modem. The call is connected at once, and its data are all bytes between computer and modem.
    PassThrough {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// One or more LINEMEDIAMODE_.
        media: u32,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineAccept: an application has taken charge of the offered call. Nothing happens on the
    /// line.
    Accept {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineSetCallData: attach bytes to the call.
    SetCallData {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// At most [`CallNotes::MOST_DATA`] bytes; an empty list removes what is attached.
        data: Vec<u8>,
    },
    /// TSPI_lineSetCallParams: set the durations for what is dialled from now on.
    SetCallParams {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// Durations of digits, pauses and waits; `None` leaves them unchanged.
        timing: Option<DialTiming>,
    },
    /// TSPI_lineHold: mute a telephone's call in both directions, or have the exchange hold it.
    Hold {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineUnhold: connect it again.
    Unhold {
        /// The provider's handle of the call.
        call: HDRVCALL,
    },
    /// TSPI_lineSetupTransfer: hold the call, and make a consultation call at the second dial tone.
    SetupTransfer {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// The consultation call's handle, chosen before the request is submitted (N1).
        consult: HDRVCALL,
        /// One or more LINEMEDIAMODE_ of the consultation call.
        media: u32,
        /// Durations of digits, pauses and waits.
        timing: DialTiming,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineSetupConference: hold the call as the first party of a conference, and make a
    /// consultation call for the next one.
    SetupConference {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// The conference call's handle, and the consultation call's, chosen before the request is
        /// submitted (N1).
        made: [HDRVCALL; 2],
        /// One or more LINEMEDIAMODE_ of the new calls.
        media: u32,
        /// Durations of digits, pauses and waits.
        timing: DialTiming,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_linePrepareAddToConference: hold the conference, and make a consultation call.
    PrepareAddToConference {
        /// The provider's handle of the conference call.
        call: HDRVCALL,
        /// The consultation call's handle, chosen before the request is submitted (N1).
        consult: HDRVCALL,
        /// One or more LINEMEDIAMODE_ of the consultation call.
        media: u32,
        /// Durations of digits, pauses and waits.
        timing: DialTiming,
        /// What is only kept.
        notes: CallNotes,
    },
    /// TSPI_lineAddToConference: join the parties of the conference and of the consultation call.
    AddToConference {
        /// The provider's handle of the conference call.
        call: HDRVCALL,
        /// That of the consultation call.
        consult: HDRVCALL,
    },
    /// TSPI_lineRemoveFromConference: release the party that came last.
    RemoveFromConference {
        /// The provider's handle of that party's call.
        call: HDRVCALL,
    },
    /// TSPI_lineCompleteTransfer: hang up, so that the held and the called party are connected.
    CompleteTransfer {
        /// The provider's handle of the held call.
        call: HDRVCALL,
        /// That of the consultation call.
        consult: HDRVCALL,
        /// LINETRANSFERMODE_CONFERENCE: the handle of the conference call that both join instead,
        /// chosen before the request is submitted (N1).
        conference: Option<HDRVCALL>,
    },
    /// TSPI_lineForward: forward the line's calls, or not any more.
    Forward {
        /// The number of the line in the engine.
        line: LineNumber,
        /// The opening of the line that the request is for.
        opening: Opening,
        /// Where calls go in each case; `None` ends it.
        forwards: Vec<(Forwarding, Option<DialString>)>,
    },
    /// TSPI_linePark, directed: park the party of the conversation.
    Park {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// Where.
        place: DialString,
    },
    /// TSPI_lineUnpark: connect a party that is parked.
    Unpark {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// Where it is parked.
        place: DialString,
    },
    /// TSPI_linePickup: connect a caller for whom another telephone rings.
    PickUp {
        /// The opening of the line that the call is for: it fails on any later one (D2).
        opening: Opening,
        /// The new call's handle, chosen before the request is submitted (N1).
        call: HDRVCALL,
        /// The number of that telephone; any for `None`.
        number: Option<DialString>,
    },
    /// TSPI_lineCompleteCall: have the exchange call back when the called line is free.
    CompleteCall {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// The number by which TSPI_lineUncompleteCall names this.
        completion: u32,
    },
    /// TSPI_lineUncompleteCall: call back no more.
    UncompleteCall {
        /// The number of the line in the engine.
        line: LineNumber,
        /// The opening of the line that the request is for.
        opening: Opening,
        /// What TSPI_lineCompleteCall has returned.
        completion: u32,
    },
    /// TSPI_lineBlindTransfer: hold the call, dial, and hang up when the called telephone rings.
    BlindTransfer {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// What to dial.
        address: DialString,
    },
    /// TSPI_lineSwapHold: hold the party of the conversation and connect the held one.
    SwapHold {
        /// The provider's handle of the call in conversation.
        call: HDRVCALL,
        /// That of the held call.
        held: HDRVCALL,
    },
    /// TSPI_lineSetCallTreatment: choose what the telephone hears while it waits.
    SetCallTreatment {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// What it hears from now on, or from when it waits.
        treatment: Treatment,
    },
    /// TSPI_lineSetLineDevStatus: lock a line, take it out of service, or the opposite.
    SetLineDevStatus {
        /// The number of the line in the engine.
        line: LineNumber,
        /// The opening of the line that the request is for.
        opening: Opening,
        /// LINEDEVSTATUSFLAGS_ bits.
        bits: u32,
        /// Whether they are set, or cleared.
        on: bool,
    },
    /// Sends bytes on a connected call of a modem. Complete when the last has left the computer.
    Send {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// The bytes to send, in order.
        bytes: Vec<u8>,
    },
    /// Waits on a connected call of a modem until so many bytes can be fetched.
    Receive {
        /// The provider's handle of the call.
        call: HDRVCALL,
        /// How many, at most 65536.
        bytes: usize,
        /// How long to wait.
        time_limit: Duration,
    },
    /// TSPI_phoneSetLamp and its like: set something on the phone beside the line.
    SetPhone {
        /// The line.
        line: LineNumber,
        /// The opening of the phone that it is for: it fails on any later one (D10).
        opening: Opening,
        /// What to set.
        setting: PhoneSetting,
    },
}

impl Command {
    /// The call it is about; `None` for one that is about its line or a phone.
    pub fn call(&self) -> Option<HDRVCALL> {
        Some(match self {
            Command::MakeCall { call, .. }
            | Command::Dial { call, .. }
            | Command::Answer { call }
            | Command::Drop { call }
            | Command::PassThrough { call, .. }
            | Command::Accept { call }
            | Command::SetCallData { call, .. }
            | Command::SetCallParams { call, .. }
            | Command::Hold { call }
            | Command::Unhold { call }
            | Command::SetupTransfer { call, .. }
            | Command::SetupConference { call, .. }
            | Command::PrepareAddToConference { call, .. }
            | Command::AddToConference { call, .. }
            | Command::RemoveFromConference { call }
            | Command::CompleteTransfer { call, .. }
            | Command::BlindTransfer { call, .. }
            | Command::SwapHold { call, .. }
            | Command::Park { call, .. }
            | Command::Unpark { call, .. }
            | Command::PickUp { call, .. }
            | Command::CompleteCall { call, .. }
            | Command::SetCallTreatment { call, .. }
            | Command::Send { call, .. }
            | Command::Receive { call, .. } => *call,
            Command::SetLineDevStatus { .. }
            | Command::Forward { .. }
            | Command::UncompleteCall { .. }
            | Command::SetPhone { .. } => return None,
        })
    }

    /// The LINECALLFEATURE_ bit of its function; `None` if the command is not about an existing
    /// call, or is not TSPI's.
    pub fn feature(&self) -> Option<u32> {
        Some(match self {
            Command::Dial { .. } => LINECALLFEATURE_DIAL,
            Command::Answer { .. } => LINECALLFEATURE_ANSWER,
            Command::Drop { .. } => LINECALLFEATURE_DROP,
            Command::Accept { .. } => LINECALLFEATURE_ACCEPT,
            Command::SetCallData { .. } => LINECALLFEATURE_SETCALLDATA,
            Command::SetCallParams { .. } => LINECALLFEATURE_SETCALLPARAMS,
            Command::Hold { .. } => LINECALLFEATURE_HOLD,
            Command::Unhold { .. } => LINECALLFEATURE_UNHOLD,
            Command::SetupTransfer { .. } => LINECALLFEATURE_SETUPTRANSFER,
            Command::SetupConference { .. } => LINECALLFEATURE_SETUPCONF,
            Command::PrepareAddToConference { .. } => LINECALLFEATURE_PREPAREADDCONF,
            Command::AddToConference { .. } => LINECALLFEATURE_ADDTOCONF,
            Command::RemoveFromConference { .. } => LINECALLFEATURE_REMOVEFROMCONF,
            Command::CompleteTransfer { .. } => LINECALLFEATURE_COMPLETETRANSF,
            Command::BlindTransfer { .. } => LINECALLFEATURE_BLINDTRANSFER,
            Command::SwapHold { .. } => LINECALLFEATURE_SWAPHOLD,
            Command::SetCallTreatment { .. } => LINECALLFEATURE_SETTREATMENT,
            Command::Park { .. } => LINECALLFEATURE_PARK,
            Command::CompleteCall { .. } => LINECALLFEATURE_COMPLETECALL,
            Command::MakeCall { .. }
            | Command::Unpark { .. }
            | Command::PickUp { .. }
            | Command::Forward { .. }
            | Command::UncompleteCall { .. }
            | Command::PassThrough { .. }
            | Command::SetLineDevStatus { .. }
            | Command::Send { .. }
            | Command::Receive { .. }
            | Command::SetPhone { .. } => return None,
        })
    }
}
