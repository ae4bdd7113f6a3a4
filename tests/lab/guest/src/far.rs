//! The far ends of the software card, from inside the machine: a port leads to the commands of
//! `ringback softcard`, which its documentation lists.

use std::time::{Duration, Instant};

use ringback_softcard::control::Client;
use serde_json::Value;

use crate::Outcome;

/// How long something may take that has to happen. The card's time may be slower than the guest's.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(20);
/// The port, as the guest's first program has named it.
const PORT: &str = "/dev/virtio-ports/far";

/// The way to the far ends.
pub struct Far(Client);

impl Far {
    /// Opens the port.
    ///
    /// # Errors
    /// The machine has no such port.
    pub fn open() -> Result<Far, String> {
        Client::open(PORT).map(Far).map_err(|error| error.to_string())
    }

    /// Says a command and returns the reply.
    ///
    /// # Errors
    /// The command was refused, or nobody is there.
    pub fn ask(&mut self, command: &str) -> Result<Value, String> {
        self.0.ask(command).map_err(|error| error.to_string())
    }

    /// Asks until the reply is as expected.
    ///
    /// # Errors
    /// It never was; the cause has the last reply.
    pub fn until(
        &mut self,
        what: &str,
        command: &str,
        expected: impl Fn(&Value) -> bool,
    ) -> Result<Value, String> {
        let start = Instant::now();
        loop {
            let reply = self.ask(command)?;
            if expected(&reply) {
                return Ok(reply);
            }
            if start.elapsed() > DEADLINE {
                return Err(format!("{what} never came; at last '{command}' said {reply}"));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// `lab-guest far COMMAND...`: says one command and prints the reply.
pub fn command() -> Outcome {
    let command: Vec<String> = std::env::args().skip(2).collect();
    println!("{}", Far::open()?.ask(&command.join(" "))?);
    Ok(())
}
