//! Text commands for the far ends: a person, or a test in a virtual machine, operates the
//! telephones, the exchange and the card while a driver runs the card.
//!
//! Each command is a line, and each reply a line with a JSON object: `{"ok":true, ...}`, or
//! `{"ok":false,"error":"..."}` with cause and cure. An empty line has no reply.
//!
//! | command | what it does, and replies |
//! |---|---|
//! | `state` | `now_ms`, `faults`, `exchange`, `slots`, `subscribers` |
//! | `telephone SLOT ...` | the telephone at an FXS slot, 0 to 3: see below |
//! | `subscriber NUMBER add` | a subscriber of the exchange with a telephone, unless there is one |
//! | `subscriber NUMBER ...` | that telephone: see below |
//! | `line NUMBER unplug`, `plug-in` | disconnects the exchange's line, and connects it again |
//! | `line NUMBER messages on`, `off` | messages wait for that number, or do not, and it is told |
//! | `fault NAME on`, `off` | switches a fault: see [`Fault`](crate::Fault) for the names |
//! | `exchange country COUNTRY` | sets the exchange's country: `ringback softcard --country` |
//! | `exchange callers on`, `off` | it tells lines who calls, or does not; first it does not |
//! | `exchange profile NAME`, `none` | what it does by a hook flash and by codes; first nothing |
//! | `help` | `commands` |
//!
//! What a telephone does:
//!
//! | command | what it does, and replies |
//! |---|---|
//! | `off-hook`, `on-hook`, `flash` | the hook switch |
//! | `break MS` | opens the loop for so long, as a bouncing hook switch does |
//! | `pulse DIGITS` | a rotary dial |
//! | `dial DIGITS` | DTMF; a comma is a pause of 2 s |
//! | `call NUMBER` | lifts the handset, waits for dial tone, and dials |
//! | `tone HZ MS` | plays a sine of -10 dBm0 |
//! | `speak SAMPLE ...` | plays 16-bit linear samples at 8 kHz |
//! | `answer-after RINGS`, `manual` | how it reacts to ringing from now on |
//! | `display` | from now on it shows who calls and whether messages wait, as told in the country |
//! | `state` | `off_hook`, `ringing`, `rings`, `battery`, `reversed`, `busy`, and as below |
//! | `heard MS` | the last milliseconds of the recording: `samples`, `dbm0` |
//! | `forget` | clears the recording, as lifting the handset does |
//! | `level HZ MS` | `dbm0` at one frequency in the last milliseconds |
//!
//! A telephone is `busy` while it plays, dials or follows a script. Its state also has the `digits`
//! that it heard; `caller` (`number` and `name`) and `messages` are what its display was told last,
//! or null.
//!
//! [`Client`] sends these commands.
//!
//! With several cards a command may begin with `card N`; without that it is for card 0.
//!
//! Rules: a command takes effect with the card's next millisecond, and never waits. It can change
//! the cards and nothing else, in particular no file, so that a guest may be given access. What
//! commands can store is bounded: a minute of sound for each telephone, 100 subscribers, 16
//! conversations at a socket.

mod answer;
mod client;
mod command;
mod socket;

use std::io::{self, BufRead, Read, Write};

use serde_json::{Value, json};

pub use client::{Client, ClientError};
pub use socket::ControlSocket;

use crate::SoftCard;
use command::{Command, CommandError};

/// The longest line that is accepted: enough for a second of samples.
const MAX_LINE: u64 = 64 * 1024;

/// Carries out commands on cards and their far ends. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    cards: Vec<SoftCard>,
}

impl Control {
    /// Accepts commands for these cards, numbered from 0.
    pub fn new(cards: Vec<SoftCard>) -> Control {
        Control { cards }
    }

    /// Carries out one line. Returns the reply, one line of JSON without its end.
    pub fn execute(&self, line: &str) -> String {
        let reply = self
            .answer(line)
            .unwrap_or_else(|error| json!({ "ok": false, "error": error.to_string() }));
        reply.to_string()
    }

    /// Carries out a command as [`Client::ask`] does, without a connection.
    ///
    /// # Errors
    /// The command was refused.
    pub fn ask(&self, command: &str) -> Result<Value, ClientError> {
        client::judge(command, self.execute(command).as_bytes())
    }

    fn answer(&self, line: &str) -> Result<Value, CommandError> {
        let (number, command) = Command::parse(line)?;
        let card = self
            .cards
            .get(number)
            .ok_or(CommandError::NoSuchCard { number, cards: self.cards.len() })?;
        let mut reply = answer::execute(card, command)?;
        if let Value::Object(fields) = &mut reply {
            fields.insert("ok".to_owned(), Value::Bool(true));
        }
        Ok(reply)
    }

    /// Reads commands and writes replies until the input ends.
    ///
    /// # Errors
    /// Reading or writing failed, or a line was longer than 64 KiB.
    pub fn converse(&self, commands: impl BufRead, replies: impl Write) -> io::Result<()> {
        self.converse_heard(commands, replies, || ())
    }

    /// Like `converse`; calls `heard` for every line.
    fn converse_heard(
        &self,
        mut commands: impl BufRead,
        mut replies: impl Write,
        heard: impl Fn(),
    ) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if commands.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if line.len() as u64 == MAX_LINE && line.last() != Some(&b'\n') {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a command of 64 KiB"));
            }
            heard();
            let line = String::from_utf8_lossy(&line);
            if line.trim().is_empty() {
                continue;
            }
            let reply = self.execute(&line) + "\n";
            replies.write_all(reply.as_bytes())?;
            replies.flush()?;
        }
    }
}

#[cfg(test)]
mod tests;
