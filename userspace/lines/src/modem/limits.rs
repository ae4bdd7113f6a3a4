//! How long everything that a modem is asked for may take.

use std::time::Duration;

use ringback_tspi::dial_timing::DialTiming;

use crate::{Command, dialing_time};

/// From the last digit to CONNECT or another result. Modems give up after S7, 50 s by default.
pub(super) const RESULT: Duration = Duration::from_secs(120);
/// Longer than a modem waits for dial tone before it says that there is none.
pub(super) const NO_DIAL_TONE: Duration = Duration::from_secs(10);
/// From the last digit of a partial number to OK.
pub(super) const DIALED: Duration = Duration::from_secs(10);
/// From ATA to CONNECT or another result.
pub(super) const ANSWERED: Duration = Duration::from_secs(60);
/// More than the end of the last call, and getting a modem that does not answer to do so, take.
const PREPARED: Duration = Duration::from_secs(25);
/// More than hanging up takes.
const HUNG_UP: Duration = Duration::from_secs(15);
/// Bookkeeping takes no time.
const KEPT: Duration = Duration::from_secs(5);
/// Sending, besides the time of the bytes at 300 bit/s: the other modem may ask to wait.
const SENT: Duration = Duration::from_secs(15);
const BYTE: Duration = Duration::from_millis(40);

/// How long a request may take before it is ended from outside; longer than the modem is given.
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
        Command::Accept { .. } | Command::SetCallData { .. } | Command::SetCallParams { .. } => {
            KEPT
        }
        Command::Drop { .. } => HUNG_UP,
        Command::Send { bytes, .. } => SENT + BYTE * u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        Command::Receive { time_limit, .. } => *time_limit,
    }
}
