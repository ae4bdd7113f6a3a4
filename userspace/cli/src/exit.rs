//! How a run ends: the exit codes, and the error sentence.
//!
//! The codes are part of the interface: scripts branch on them. They are listed in `--help`, and
//! none of them changes its meaning.

use std::fmt;
use std::process::ExitCode;

use ringback_tspi::error::LineError;

/// The exit code of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded; for a call: it was answered.
    Done,
    /// Any failure without an exit code of its own.
    Failed,
    /// The command line is wrong. This is also clap's own code.
    Usage,
    /// The called party is busy.
    Busy,
    /// The called party did not answer, or no call came in.
    NoAnswer,
    /// The exchange gives no dial tone.
    NoDialTone,
    /// The line or the exchange does not take the call.
    Refused,
    /// The card is gone.
    Gone,
    /// The reader of our stdout or stderr has closed the pipe.
    BrokenPipe,
    /// A signal ended the program: 2 is Ctrl-C, 15 `kill`, 1 a terminal that was closed.
    Signal(i32),
}

impl Exit {
    /// Ended by Ctrl-C.
    pub(crate) const INTERRUPTED: Exit = Exit::Signal(2);

    /// The number that the shell gets.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Busy => 3,
            Exit::NoAnswer => 4,
            Exit::NoDialTone => 5,
            Exit::Refused => 6,
            Exit::Gone => 7,
            Exit::BrokenPipe => 141,
            // Signal numbers end at 64, so that the sum fits.
            Exit::Signal(number) => 128 + number as u8,
        }
    }
}

/// The exit codes of `call` and `answer`, for `--help`.
pub(crate) const CODES: &str = "\
Exit codes:
  0    the call was answered
  1    something else went wrong (the message says what)
  2    the command line is wrong: no such line, a number that can't be dialled
  3    busy
  4    not answered (call), nobody called within --timeout (answer)
  5    no dial tone: the line is dead or used by somebody else
  6    refused: the exchange does not put the number through, or the line is in use
  7    the card is gone
  130  interrupted by Ctrl-C (129 SIGHUP, 143 SIGTERM, 128 + N any other signal N that can be
       caught): the call was hung up first
  141  the output is a pipe that its reader has closed: the call was hung up first";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a run did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// Cause and cure, in one sentence. Empty if nothing is to be printed.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, text: impl fmt::Display) -> Failure {
        Failure { exit, text: cured(text.to_string()) }
    }

    /// A failure with the exit code [`Exit::Failed`].
    pub(crate) fn failed(text: impl fmt::Display) -> Failure {
        Failure::new(Exit::Failed, text)
    }

    /// A failure because the card is gone. `what` was used on it.
    pub(crate) fn gone(what: impl fmt::Display, card: &str) -> Failure {
        let text = format_args!(
            "{what} is gone: the card {card} was removed, or does not answer any more; seat it \
             (with the power off, unless the slot is made for hot-plug), and start again when \
             `ringback lines --card {card}` shows its lines"
        );
        Failure::new(Exit::Gone, text)
    }

    /// A failure that the user asked for, and that prints nothing.
    pub(crate) fn silent(exit: Exit) -> Failure {
        Failure::new(exit, "")
    }

    /// A failure for an error that a line returned. `what` is the beginning of the sentence.
    pub(crate) fn line<E>(what: impl fmt::Display, error: E) -> Failure
    where
        E: fmt::Display + Clone + Into<LineError>,
    {
        let exit = match error.clone().into() {
            // No handle is used that was closed here: the provider has closed it, with its card.
            LineError::NODEVICE | LineError::INVALLINEHANDLE | LineError::INVALCALLHANDLE => {
                Exit::Gone
            }
            LineError::INUSE
            | LineError::ALLOCATED
            | LineError::CALLUNAVAIL
            | LineError::INVALLINESTATE
            | LineError::INVALCALLSTATE
            | LineError::OPERATIONUNAVAIL => Exit::Refused,
            _ => Exit::Failed,
        };
        Failure::new(exit, format_args!("{what}: {error}"))
    }
}

/// Adds a cure to the kernel's error texts, which give only the cause.
fn cured(mut text: String) -> String {
    const TOO_MANY_FILES: &str = "(os error 24)";
    if text.contains(TOO_MANY_FILES) && !text.contains("ulimit -n") {
        text.push_str(": raise the limit (ulimit -n, LimitNOFILE=)");
    }
    text
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code_that_a_call_can_end_with() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Busy,
            Exit::NoAnswer,
            Exit::NoDialTone,
            Exit::Refused,
            Exit::Gone,
            Exit::INTERRUPTED,
            Exit::BrokenPipe,
        ] {
            let listed = format!("\n  {:<5}", exit.code());
            assert!(CODES.contains(&listed), "{exit:?}");
        }
        assert!(CODES.contains("129 SIGHUP") && CODES.contains("143 SIGTERM"));
    }

    #[test]
    fn a_handle_that_the_provider_has_closed_is_a_card_that_is_gone() {
        for error in [LineError::NODEVICE, LineError::INVALLINEHANDLE, LineError::INVALCALLHANDLE] {
            assert_eq!(Failure::line("line 2", error).exit, Exit::Gone, "{error}");
        }
        assert_eq!(Failure::line("line 2", LineError::OPERATIONFAILED).exit, Exit::Failed);
    }
}
