//! What a modem line is about to do, and whether it rings.

use ringback_driver::Time;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::DialString;

/// What is to be done as soon as the modem takes commands.
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
    /// A call that was dropped rings on: a plain line can't be told to stop.
    Rejected(Time),
    /// A call that nobody wants was not offered. It is with a later ring if somebody wants it then.
    Unwanted(Time),
}
