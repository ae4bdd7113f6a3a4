//! Time limits of everything that is asked of a modem.

use std::time::Duration;

use ringback_tspi::dial_timing::DialTiming;

use crate::{Command, dialing_time};

/// How long a modem is left alone that has not confirmed that it hung up.
pub(super) const RETRY: Duration = Duration::from_secs(10);
/// From the last digit to CONNECT or another result. Modems give up after S7, 50 s by default.
pub(super) const RESULT: Duration = Duration::from_secs(120);
/// Longer than a modem waits for dial tone before it reports that there is none.
pub(super) const NO_DIAL_TONE: Duration = Duration::from_secs(10);
/// From the last digit of a partial number to OK.
pub(super) const DIALED: Duration = Duration::from_secs(10);
/// How long a call stays busy. The modem has hung up already.
pub(super) const BUSY: Duration = Duration::from_secs(60);
/// From ATA to CONNECT or another result.
pub(super) const ANSWERED: Duration = Duration::from_secs(60);
/// More than it takes to end the last call and to recover a modem that does not answer.
const PREPARED: Duration = Duration::from_secs(25);
/// More than hanging up takes.
const HUNG_UP: Duration = Duration::from_secs(15);
/// For commands that only store data.
const KEPT: Duration = Duration::from_secs(5);
/// For sending, in addition to the time of the bytes at 300 bit/s: the other modem may stop the
/// flow.
const SENT: Duration = Duration::from_secs(15);
const BYTE: Duration = Duration::from_millis(40);

/// The time limit of a request, at which the reactor ends it; longer than the limits for the modem.
pub(super) fn time_limit(command: &Command) -> Duration {
    match command {
        Command::MakeCall { address, timing, .. } => {
            let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
            PREPARED + wait.max(NO_DIAL_TONE) + dialing_time(address, timing) + DIALED
        }
        Command::PassThrough { .. } => PREPARED,
        Command::Dial { address, .. } => {
            let timing = DialTiming::MAX;
            let wait = Duration::from_millis(u64::from(timing.dial_tone_ms));
            wait + dialing_time(address, &timing) + 2 * DIALED
        }
        Command::Answer { .. } => PREPARED + ANSWERED,
        Command::Accept { .. }
        | Command::SetCallData { .. }
        | Command::SetCallParams { .. }
        | Command::SetLineDevStatus { .. } => KEPT,
        // These are for telephones and for lines of an exchange, and refused.
        Command::Hold { .. }
        | Command::SetupTransfer { .. }
        | Command::SetupConference { .. }
        | Command::PrepareAddToConference { .. }
        | Command::AddToConference { .. }
        | Command::RemoveFromConference { .. }
        | Command::CompleteTransfer { .. }
        | Command::BlindTransfer { .. }
        | Command::Forward { .. }
        | Command::Park { .. }
        | Command::Unpark { .. }
        | Command::PickUp { .. }
        | Command::CompleteCall { .. }
        | Command::UncompleteCall { .. }
        | Command::SwapHold { .. }
        | Command::Unhold { .. }
        | Command::SetCallTreatment { .. }
        | Command::SetPhone { .. } => KEPT,
        Command::Drop { .. } => HUNG_UP,
        Command::Send { bytes, .. } => SENT + BYTE * u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        Command::Receive { time_limit, .. } => *time_limit,
    }
}
