//! Why a call was not answered, or has ended: what a line says of it, as SIP's status and the cause
//! of ITU-T Q.850.
//!
//! | on the line | status | Q.850 |
//! |---|---|---|
//! | busy tone; a telephone that is off-hook | 486 | 17 |
//! | the line is in use | 486 | 34 |
//! | reorder tone, or the exchange gives dial tone again | 503 | 42 |
//! | a special information tone: no circuit | 503 | 34 |
//! | any other special information tone | 404 | 1 |
//! | no dial tone | 480 | 38 |
//! | no battery, or the module does not work | 480 | 27 |
//! | nobody answered | 480 | 19 |
//! | what is dialled is no number | 484 | 28 |
//! | no telephone has the number | 404 | 1 |
//! | all lines of the trunk are in use | 503 | 34 |

use ringback_tspi::constants::*;
use ringback_tspi::error::LineError;
use rsipstack::sip::StatusCode;

/// A cause of Q.850.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) u8);

impl Cause {
    /// A call that was answered has ended.
    pub(crate) const NORMAL: Cause = Cause(16);
    /// The other side does not react any more.
    pub(crate) const RECOVERY: Cause = Cause(102);
    /// The line does not work any more.
    pub(crate) const OUT_OF_ORDER: Cause = Cause(27);
    /// The gateway is being stopped.
    pub(crate) const TEMPORARY: Cause = Cause(41);

    /// The header `Reason` (RFC 3326).
    pub(crate) fn reason(self) -> String {
        format!("Q.850;cause={}", self.0)
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// SIP's status.
    pub(crate) status: u16,
    pub(crate) cause: Cause,
}

impl Refusal {
    pub(crate) const BUSY: Refusal = Refusal::of(486, 17);
    pub(crate) const IN_USE: Refusal = Refusal::of(486, 34);
    pub(crate) const REORDER: Refusal = Refusal::of(503, 42);
    /// No line is free, here or in the network.
    pub(crate) const NO_CIRCUIT: Refusal = Refusal::of(503, 34);
    pub(crate) const NO_SUCH_NUMBER: Refusal = Refusal::of(404, 1);
    pub(crate) const NO_DIAL_TONE: Refusal = Refusal::of(480, 38);
    pub(crate) const OUT_OF_ORDER: Refusal = Refusal::of(480, 27);
    pub(crate) const NO_ANSWER: Refusal = Refusal::of(480, 19);
    pub(crate) const NO_NUMBER: Refusal = Refusal::of(484, 28);
    /// The gateway is being stopped.
    pub(crate) const STOPPING: Refusal = Refusal::of(503, 41);
    /// There is no descriptor, or no port left.
    pub(crate) const NO_RESOURCE: Refusal = Refusal::of(503, 47);
    /// The offer has nothing that we have.
    pub(crate) const NOT_ACCEPTABLE: Refusal = Refusal::of(488, 65);
    /// The offer is malformed.
    pub(crate) const MALFORMED: Refusal = Refusal::of(400, 95);
    /// An error of our own.
    pub(crate) const FAILED: Refusal = Refusal::of(500, 41);

    const fn of(status: u16, cause: u8) -> Refusal {
        Refusal { status, cause: Cause(cause) }
    }

    /// After how many seconds the PBX may try again, if that is worth while.
    pub(crate) fn retry_after(self) -> Option<u32> {
        match self {
            Refusal::NO_CIRCUIT => Some(5),
            Refusal::STOPPING => Some(30),
            _ => None,
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        StatusCode::from(self.status)
    }

    /// Why a line has refused to make a call, at once or later.
    pub(crate) fn of_error(error: LineError, telephone: bool) -> Refusal {
        match error {
            // The telephone has another call.
            LineError::CALLUNAVAIL | LineError::INUSE if telephone => Refusal::BUSY,
            LineError::CALLUNAVAIL => Refusal::NO_DIAL_TONE,
            LineError::INUSE => Refusal::IN_USE,
            LineError::INVALLINESTATE | LineError::NODEVICE => Refusal::OUT_OF_ORDER,
            LineError::INVALADDRESS => Refusal::NO_NUMBER,
            _ => Refusal::FAILED,
        }
    }

    /// Why a call was not put through, by its LINESPECIALINFO_.
    pub(crate) fn of_special_information(mode: u32) -> Refusal {
        match mode {
            LINESPECIALINFO_REORDER => Refusal::REORDER,
            LINESPECIALINFO_NOCIRCUIT => Refusal::NO_CIRCUIT,
            _ => Refusal::NO_SUCH_NUMBER,
        }
    }

    /// Why a call ended before it was answered, by its LINEDISCONNECTMODE_.
    pub(crate) fn of_disconnect(mode: u32) -> Refusal {
        match mode {
            LINEDISCONNECTMODE_BUSY => Refusal::BUSY,
            LINEDISCONNECTMODE_NODIALTONE => Refusal::NO_DIAL_TONE,
            LINEDISCONNECTMODE_UNAVAIL => Refusal::REORDER,
            LINEDISCONNECTMODE_OUTOFORDER => Refusal::OUT_OF_ORDER,
            _ => Refusal::NO_ANSWER,
        }
    }
}
