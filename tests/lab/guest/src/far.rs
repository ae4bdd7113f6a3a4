//! The far ends of the software card, controlled from inside the machine: a virtio port leads to
//! `ringback softcard`, whose documentation lists the commands.

use std::time::{Duration, Instant};

use ringback_softcard::control::Client;
use serde_json::Value;

use crate::{Outcome, slowness};

/// Interval at which a state is polled.
const PAUSE: Duration = Duration::from_millis(20);
/// The port, as the guest's init program has named it.
const PORT: &str = "/dev/virtio-ports/far";

/// Limit of waits for what has to happen. The card's time may be slower than the guest's.
pub fn deadline() -> Duration {
    slowness::here(Duration::from_secs(60))
}

/// The connection to the far ends.
pub struct Far(Client);

impl Far {
    /// Opens the port.
    ///
    /// # Errors
    /// The machine has no such port.
    pub fn open() -> Result<Far, String> {
        Client::open(PORT).map(Far).map_err(|error| error.to_string())
    }

    /// Sends a command and returns the reply.
    ///
    /// # Errors
    /// The command was refused, or there is no connection.
    pub fn ask(&mut self, command: &str) -> Result<Value, String> {
        self.0.ask(command).map_err(|error| error.to_string())
    }

    /// Sends a command until the reply is as expected.
    ///
    /// # Errors
    /// It never was; the text has the last reply.
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
            if start.elapsed() > deadline() {
                return Err(format!("{what} never came; at last '{command}' said {reply}"));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// `lab-guest far COMMAND...`: sends one command and prints the reply.
pub fn command() -> Outcome {
    let command: Vec<String> = std::env::args().skip(2).collect();
    println!("{}", Far::open()?.ask(&command.join(" "))?);
    Ok(())
}
