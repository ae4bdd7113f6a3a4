//! The far ends of the software card, from inside the machine: the port `far` leads to the
//! commands of `ringback softcard`, which its documentation lists.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;

/// How long something may take that has to happen. The card's time may be slower than the guest's.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(20);

/// The way to the far ends.
pub struct Far {
    port: File,
    replies: BufReader<File>,
}

impl Far {
    /// Opens the port.
    ///
    /// # Errors
    /// The machine has no such port.
    pub fn open() -> Result<Far, String> {
        let path = port().ok_or("the machine has no port named far")?;
        let open = || OpenOptions::new().read(true).write(true).open(&path);
        let port = open().map_err(|error| format!("{path}: {error}"))?;
        let replies = port.try_clone().map_err(|error| format!("{path}: {error}"))?;
        Ok(Far { port, replies: BufReader::new(replies) })
    }

    /// Says a command and returns the reply.
    ///
    /// # Errors
    /// The command was refused, or nobody is there.
    pub fn ask(&mut self, command: &str) -> Result<Value, String> {
        let said = self.port.write_all(format!("{command}\n").as_bytes());
        said.map_err(|error| format!("the far end can't be told '{command}': {error}"))?;
        let mut line = String::new();
        self.replies.read_line(&mut line).map_err(|error| format!("no reply: {error}"))?;
        let reply: Value = serde_json::from_str(&line)
            .map_err(|error| format!("'{command}' is answered with {line:?}: {error}"))?;
        if reply["ok"] == true {
            Ok(reply)
        } else {
            Err(format!("'{command}': {}", reply["error"]))
        }
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

fn port() -> Option<String> {
    let ports = fs::read_dir("/sys/class/virtio-ports").ok()?;
    let named = |name: &str| {
        let path = format!("/sys/class/virtio-ports/{name}/name");
        fs::read_to_string(path).is_ok_and(|text| text.trim() == "far")
    };
    let names = ports.filter_map(|port| port.ok()?.file_name().into_string().ok());
    let mut matching = names.filter(|name| named(name));
    matching.next().map(|name| format!("/dev/{name}"))
}
