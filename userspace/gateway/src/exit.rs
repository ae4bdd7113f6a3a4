//! How a run ends: exit codes, as those of the program `ringback`, and the error sentence.

use std::fmt;
use std::process::ExitCode;

/// The exit code of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// Any failure without an exit code of its own.
    Failed,
    /// The command line or the configuration file is wrong.
    Usage,
    /// A card is gone.
    Gone,
    /// A signal ended the program, after all calls were hung up.
    Signal(u8),
}

impl Exit {
    /// The number that the shell gets.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Gone => 7,
            Exit::Signal(number) => 128u8.saturating_add(number),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a run did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Cause and cure, in one sentence. Empty if nothing is to be printed.
    pub text: String,
}

impl Failure {
    /// A failure with its exit code and its sentence.
    pub fn new(exit: Exit, text: impl fmt::Display) -> Failure {
        Failure { exit, text: text.to_string() }
    }

    /// A failure with the exit code [`Exit::Failed`].
    pub fn failed(text: impl fmt::Display) -> Failure {
        Failure::new(Exit::Failed, text)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
