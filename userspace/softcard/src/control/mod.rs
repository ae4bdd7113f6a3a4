//! The far ends by lines of text: what a person, or a test in a virtual machine, does to the
//! telephones, the exchange and the card while a driver runs it.
//!
//! One command a line, one JSON object a line in reply: `{"ok":true, ...}`, or
//! `{"ok":false,"error":"..."}` with cause and cure. An empty line is answered with nothing.
//!
//! | command | what it does, and replies |
//! |---|---|
//! | `state` | `now_ms`, `faults`, `slots`, `subscribers` |
//! | `telephone SLOT ...` | the telephone at an FXS slot, 0 to 3: see below |
//! | `subscriber NUMBER add` | a subscriber of the exchange with a telephone, unless there is one |
//! | `subscriber NUMBER ...` | that telephone: see below |
//! | `line NUMBER unplug`, `plug-in` | takes the exchange's line away, and puts it back |
//! | `fault NAME on`, `off` | switches a fault: see [`Fault`](crate::Fault) for the names |
//! | `help` | `commands` |
//!
//! What a telephone does:
//!
//! | command | what it does, and replies |
//! |---|---|
//! | `off-hook`, `on-hook`, `flash` | the hook switch |
//! | `dial DIGITS` | DTMF; a comma is a pause of 2 s |
//! | `call NUMBER` | lifts the handset, waits for dial tone, and dials |
//! | `tone HZ MS` | speaks a sine of -10 dBm0 |
//! | `speak SAMPLE ...` | speaks 16-bit linear samples at 8 kHz |
//! | `answer-after RINGS`, `manual` | what it does when it rings, from now on |
//! | `state` | `off_hook`, `ringing`, `rings`, `battery`, `reversed`, `busy`, `digits` (heard) |
//! | `heard MS` | the last milliseconds of what was heard: `samples`, `dbm0` |
//! | `forget` | forgets what was heard; it also does when the handset is lifted |
//! | `level HZ MS` | `dbm0` at one frequency in the last milliseconds |
//!
//! A telephone is `busy` while it speaks or follows a script; `digits` are those that it heard.
//!
//! [`Client`] is the other end.
//!
//! With several cards a command may begin with `card N`; without it is card 0's.
//!
//! Rules: a command takes effect with the card's next millisecond, and waits for nothing. It
//! reaches the cards and nothing else, no file above all, so a guest may be given the other end.
//! What commands can have kept is bounded: a minute to say for each telephone, 100 subscribers, 16
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

/// The longest line that is taken: a second of speech.
const MAX_LINE: u64 = 64 * 1024;

/// Cards and their far ends, to be told what to do. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    cards: Vec<SoftCard>,
}

impl Control {
    /// Commands for these cards, numbered from 0.
    pub fn new(cards: Vec<SoftCard>) -> Control {
        Control { cards }
    }

    /// Does what a line says. Returns the reply, one line of JSON without its end.
    pub fn execute(&self, line: &str) -> String {
        let reply = self
            .answer(line)
            .unwrap_or_else(|error| json!({ "ok": false, "error": error.to_string() }));
        reply.to_string()
    }

    /// As a [`Client`] of these cards says it: does what the command says, and returns the reply.
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

    /// Reads commands and writes replies until the commands end.
    ///
    /// # Errors
    /// Reading or writing failed, or a line was longer than 64 KiB.
    pub fn converse(&self, commands: impl BufRead, replies: impl Write) -> io::Result<()> {
        self.converse_heard(commands, replies, || ())
    }

    /// The same; `heard` is called for every line.
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
