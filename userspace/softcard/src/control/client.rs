//! The other end of the commands: at a socket, or at a port of a virtual machine that leads to one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The longest reply that is read: half a minute of samples, each of at most seven characters.
const MAX_REPLY: u64 = 30 * 8000 * 7 + 1024;

/// Tells a card's far ends what to do.
#[derive(Debug)]
pub struct Client {
    commands: File,
    replies: BufReader<File>,
}

/// Why the far ends were not told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody can be reached.
    #[error(
        "{}: {cause}; is it where `ringback softcard --control` listens, or the port of a virtual \
         machine that leads there?", path.display()
    )]
    Unreachable {
        /// The socket or port.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The connection ended or failed.
    #[error("the far ends of the card can't be told anything any more: {0}")]
    Lost(#[from] io::Error),
    /// What came is no reply.
    #[error("{command:?} was answered with {reply:?}, which is no reply of a card's far ends")]
    Strange {
        /// The command.
        command: String,
        /// What came, or the beginning of it.
        reply: String,
    },
    /// The command was refused.
    #[error("the far ends of the card refuse {command:?}: {reason}")]
    Refused {
        /// The command.
        command: String,
        /// Cause and cure, from the other end.
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
        connect(path).map_err(|cause| ClientError::Unreachable { path: path.to_path_buf(), cause })
    }

    /// Says a command, and waits for the reply.
    ///
    /// # Errors
    /// The command was refused, or the connection is of no use any more.
    pub fn ask(&mut self, command: &str) -> Result<Value, ClientError> {
        if command.trim().is_empty() || command.contains('\n') {
            // It would not be answered, or be answered twice.
            let reason = "a command is one line, and not an empty one".to_owned();
            return Err(ClientError::Refused { command: command.to_owned(), reason });
        }
        self.commands.write_all(format!("{command}\n").as_bytes())?;
        let mut line = Vec::new();
        self.replies.by_ref().take(MAX_REPLY).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        judge(command, &line)
    }
}

/// The reply to a command, as [`Control::execute`](super::Control::execute) gives it.
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

fn connect(path: &Path) -> io::Result<Client> {
    let commands = if path.metadata()?.file_type().is_socket() {
        File::from(OwnedFd::from(UnixStream::connect(path)?))
    } else {
        OpenOptions::new().read(true).write(true).open(path)?
    };
    let replies = BufReader::new(commands.try_clone()?);
    Ok(Client { commands, replies })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(judge("state", b"{\"ok\":true,\"now_ms\":7}\n").unwrap()["now_ms"], 7);
        let refused = judge("dance", b"{\"ok\":false,\"error\":\"no\"}\n").unwrap_err();
        assert_eq!(refused.to_string(), "the far ends of the card refuse \"dance\": no");
        for strange in [&b"login: "[..], b"{}\n", b"[1]", b"{\"ok\":false}", b"\xFF\xFE"] {
            let error = judge("state", strange).unwrap_err();
            assert!(matches!(error, ClientError::Strange { .. }), "{error}");
        }
    }

    #[test]
    fn nobody_is_told_with_the_cure() {
        let error = Client::open("/nowhere/far").unwrap_err().to_string();
        assert!(error.contains("/nowhere/far") && error.contains("--control"), "{error}");
    }
}
