//! The client of the commands, at a socket or at a serial port of a virtual machine that leads to
//! one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use serde_json::Value;

/// The longest reply that is read: half a minute of samples, each of at most seven characters.
const MAX_REPLY: usize = 30 * 8000 * 7 + 1024;
/// How long a reply may take: far longer than a machine without KVM needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends commands for a card's far ends and reads the replies.
#[derive(Debug)]
pub struct Client {
    commands: File,
    replies: BufReader<File>,
    /// Becomes readable when waiting for a reply is to end.
    cancel: Option<OwnedFd>,
    patience: Duration,
}

/// Why a command has no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The socket or port can't be opened.
    #[error(
        "{}: {cause}; is it where `ringback softcard --control` listens, or the port of a virtual \
         machine that leads there?", path.display()
    )]
    Unreachable {
        /// The socket or port.
        path: PathBuf,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// The connection ended or failed.
    #[error("the connection to the far ends of the card is lost: {0}")]
    Lost(#[from] io::Error),
    /// No reply came within the limit.
    #[error(
        "the far ends of the card have not answered {command:?} for {seconds} s: does a `ringback \
         softcard` run behind the socket or port, and is nobody else using it?"
    )]
    Silent {
        /// The command that was sent.
        command: String,
        /// How long the client has waited.
        seconds: u64,
    },
    /// The wait was cancelled: see [`Client::cancel_by`].
    #[error("called off")]
    Cancelled,
    /// The answer is not a valid reply.
    #[error("{command:?} was answered with {reply:?}, which is no reply of a card's far ends")]
    Strange {
        /// The command that was sent.
        command: String,
        /// The answer, or the beginning of it.
        reply: String,
    },
    /// The command was refused.
    #[error("the far ends of the card refuse {command:?}: {reason}")]
    Refused {
        /// The command that was sent.
        command: String,
        /// Cause and cure, from the server.
        reason: String,
    },
}

impl Client {
    /// Connects to a socket, or opens a port.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub fn open(path: impl AsRef<Path>) -> Result<Client, ClientError> {
        let path = path.as_ref();
        reach(path).map_err(|cause| ClientError::Unreachable { path: path.to_path_buf(), cause })
    }

    /// Sends a command, and waits for the reply.
    ///
    /// # Errors
    /// The command was refused, or the connection can't be used any more.
    pub fn ask(&mut self, command: &str) -> Result<Value, ClientError> {
        if command.trim().is_empty() || command.contains('\n') {
            // An empty line would not be answered, and two lines would be answered twice.
            let reason = "a command is one line, and not an empty one".to_owned();
            return Err(ClientError::Refused { command: command.to_owned(), reason });
        }
        let until = Instant::now() + self.patience;
        let line = match self.exchange(command, until) {
            Err(Stopped::Late) => {
                let (command, seconds) = (command.to_owned(), self.patience.as_secs());
                return Err(ClientError::Silent { command, seconds });
            }
            Err(Stopped::Cancelled) => return Err(ClientError::Cancelled),
            Err(Stopped::Io(error)) => return Err(error.into()),
            Ok(line) => line,
        };
        judge(command, &line)
    }

    /// Ends the current and every later wait for a reply once `cancel` is readable.
    pub fn cancel_by(&mut self, cancel: OwnedFd) {
        self.cancel = Some(cancel);
    }

    fn exchange(&mut self, command: &str, until: Instant) -> Result<Vec<u8>, Stopped> {
        let line = format!("{command}\n");
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            match self.commands.write(rest) {
                Ok(wrote) => rest = rest.get(wrote..).unwrap_or_default(),
                Err(error) => self.await_ready(error, PollFlags::OUT, until)?,
            }
        }
        let mut line = Vec::new();
        loop {
            let came = match self.replies.fill_buf() {
                Ok([]) => return Err(Stopped::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(came) => came,
                Err(error) => {
                    self.await_ready(error, PollFlags::IN, until)?;
                    continue;
                }
            };
            let end = came.iter().position(|byte| *byte == b'\n').map(|place| place + 1);
            let taken = end.unwrap_or(came.len());
            line.extend_from_slice(came.get(..taken).unwrap_or_default());
            self.replies.consume(taken);
            if end.is_some() || line.len() > MAX_REPLY {
                return Ok(line);
            }
        }
    }

    /// Waits until the operation that would have blocked can go on.
    fn await_ready(
        &self,
        error: io::Error,
        what: PollFlags,
        until: Instant,
    ) -> Result<(), Stopped> {
        match error.kind() {
            io::ErrorKind::Interrupted => return Ok(()),
            io::ErrorKind::WouldBlock => {}
            _ => return Err(Stopped::Io(error)),
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Stopped::Late);
        }
        let timeout = Timespec::try_from(left).unwrap_or_default();
        let mut fds = vec![PollFd::new(&self.commands, what)];
        fds.extend(self.cancel.as_ref().map(|cancel| PollFd::new(cancel, PollFlags::IN)));
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Stopped::Io(error.into())),
        }
        match fds.get(1) {
            Some(cancel) if !cancel.revents().is_empty() => Err(Stopped::Cancelled),
            _ => Ok(()),
        }
    }
}

/// Why the wait for a reply ended.
enum Stopped {
    Late,
    Cancelled,
    Io(io::Error),
}

/// Turns a line from [`Control::execute`](super::Control::execute) into the result of its command.
pub(super) fn judge(command: &str, line: &[u8]) -> Result<Value, ClientError> {
    let reply: Value = serde_json::from_slice(line).unwrap_or_default();
    let command = command.to_owned();
    match (&reply["ok"], &reply["error"]) {
        (Value::Bool(true), _) => Ok(reply),
        (Value::Bool(false), Value::String(reason)) => {
            Err(ClientError::Refused { command, reason: reason.clone() })
        }
        _ => {
            let reply = String::from_utf8_lossy(line).chars().take(80).collect();
            Err(ClientError::Strange { command, reply })
        }
    }
}

fn reach(path: &Path) -> io::Result<Client> {
    // Reads and writes do not block: waiting is done by polling.
    let commands = if path.metadata()?.file_type().is_socket() {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match connect(&socket, &SocketAddrUnix::new(path)?) {
            Err(Errno::AGAIN) => {
                let text = "the program that listens there accepts no connection now";
                return Err(io::Error::new(io::ErrorKind::WouldBlock, text));
            }
            connected => connected?,
        }
        File::from(socket)
    } else {
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?
    };
    let replies = BufReader::new(commands.try_clone()?);
    Ok(Client { commands, replies, cancel: None, patience: PATIENCE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_distinguished() {
        assert_eq!(judge("state", b"{\"ok\":true,\"now_ms\":7}\n").unwrap()["now_ms"], 7);
        let refused = judge("dance", b"{\"ok\":false,\"error\":\"no\"}\n").unwrap_err();
        assert_eq!(refused.to_string(), "the far ends of the card refuse \"dance\": no");
        for strange in [&b"login: "[..], b"{}\n", b"[1]", b"{\"ok\":false}", b"\xFF\xFE"] {
            let error = judge("state", strange).unwrap_err();
            assert!(matches!(error, ClientError::Strange { .. }), "{error}");
        }
    }

    /// Makes a server that accepts and never replies.
    fn silent() -> (tempfile::TempDir, std::os::unix::net::UnixListener, Client) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("far");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let client = Client::open(&path).unwrap();
        (folder, listener, client)
    }

    #[test]
    fn a_far_end_that_never_answers_is_an_error() {
        let (_folder, _listener, mut client) = silent();
        client.patience = Duration::from_millis(50);
        let error = client.ask("state").unwrap_err();
        assert!(matches!(error, ClientError::Silent { .. }), "{error}");
        assert!(error.to_string().contains("ringback softcard"), "{error}");
    }

    #[test]
    fn waiting_for_a_reply_is_called_off() {
        let (_folder, _listener, mut client) = silent();
        let (cancel, mut signal) = io::pipe().unwrap();
        client.cancel_by(cancel.into());
        let asking = std::thread::spawn(move || client.ask("state").unwrap_err());
        signal.write_all(b"!").unwrap();
        let error = asking.join().unwrap();
        assert!(matches!(error, ClientError::Cancelled), "{error}");
    }

    #[test]
    fn a_missing_server_is_an_error_with_the_cure() {
        let error = Client::open("/nowhere/far").unwrap_err().to_string();
        assert!(error.contains("/nowhere/far") && error.contains("--control"), "{error}");
    }
}
