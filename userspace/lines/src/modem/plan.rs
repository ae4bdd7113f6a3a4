//! What a modem line will do next, and whether it rings.

use ringback_driver::Time;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;

/// What is done as soon as the modem takes commands.
#[derive(Debug)]
pub(super) enum Plan {
    Dial { address: DialString, only_if_idle: bool, timing: DialTiming },
    PassThrough,
    Answer,
}

/// Whether it rings, and when it did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ringing {
    No,
    /// A call is offered.
    Offered(Time),
    /// A call that was dropped keeps ringing: an analog line can't be told to stop.
    Rejected(Time),
    /// A call was not offered, because TAPI has not asked for such calls. It is offered at a later
    /// ring if TAPI has asked by then.
    Unwanted(Time),
}
