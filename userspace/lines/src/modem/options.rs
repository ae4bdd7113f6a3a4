//! The settings of a modem line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The longest command line. V.250 section 5.2.1 requires a modem to accept 40 characters; usual
/// ones accept more.
const MOST: usize = 255;

/// Settings of a modem line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModemOptions {
    init: String,
}

impl ModemOptions {
    /// The command line, beginning with AT, that is sent before every call. A modem that refuses it
    /// is used nevertheless.
    pub fn init(&self) -> &str {
        &self.init
    }
}

impl Default for ModemOptions {
    /// Report dial tone and busy (X4), signal the carrier by DCD (&C1), hang up by DTR (&D2), never
    /// answer by itself (S0=0).
    fn default() -> Self {
        ModemOptions { init: "ATX4&C1&D2S0=0".into() }
    }
}

/// The text is no command line of a modem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a modem's command line begins with AT and has at most {MOST} printable characters, such as \
     ATX3&C1&D2S0=0"
)]
pub struct InitError;

impl FromStr for ModemOptions {
    type Err = InitError;

    fn from_str(init: &str) -> Result<ModemOptions, InitError> {
        let is_command = init.get(..2).is_some_and(|at| at.eq_ignore_ascii_case("AT"));
        let prints = init.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_command || !prints || init.len() > MOST {
            return Err(InitError);
        }
        Ok(ModemOptions { init: init.to_owned() })
    }
}

impl fmt::Display for ModemOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.init)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_begins_with_at_and_is_one_line() {
        let read = |text: &str| text.parse::<ModemOptions>().map(|options| options.to_string());
        assert_eq!(read("atx3").as_deref(), Ok("atx3"));
        for wrong in ["", "X3", "AT\rATH", "AT\u{e9}", &format!("AT{}", "S".repeat(300))] {
            assert_eq!(read(wrong), Err(InitError), "{wrong:?}");
        }
    }
}
