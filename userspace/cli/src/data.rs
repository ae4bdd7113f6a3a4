//! What goes over the connection of a modem: files at the application's end of its data.
//!
//! Rule: files are opened before a call is made, so that a wrong name costs no call.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ringback_tspi::error::LineError;
use ringback_tspi::host::{Call, WaitError};
use ringback_tspi::modem::Data;

use crate::conversation::{Conversation, End};
use crate::exit::Failure;

/// The files of one call.
#[derive(Debug)]
pub(crate) struct Bytes {
    send: Option<Vec<u8>>,
    receive: Option<(PathBuf, File)>,
    received: u64,
    scratch: Vec<u8>,
}

impl Bytes {
    /// Reads what is to be sent, and creates what is to be received.
    pub(crate) fn open(send: Option<&Path>, receive: Option<&Path>) -> Result<Bytes, Failure> {
        let told =
            |path: &Path, error| Failure::failed(format_args!("{}: {error}", path.display()));
        let read = |path: &Path| fs::read(path).map_err(|error| told(path, error));
        let create = |path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(error) => Err(told(path, error)),
        };
        Ok(Bytes {
            send: send.map(read).transpose()?,
            receive: receive.map(create).transpose()?,
            received: 0,
            scratch: Vec::new(),
        })
    }

    /// Takes what has come. Without a file for it, it is returned as text.
    fn pump(&mut self, data: &Data) -> Result<Option<String>, Failure> {
        data.fetch(&mut self.scratch);
        if self.scratch.is_empty() {
            return Ok(None);
        }
        self.received += self.scratch.len() as u64;
        let mut text = None;
        match &mut self.receive {
            Some((path, file)) => file.write_all(&self.scratch).map_err(|error| {
                Failure::failed(format_args!("{} can't be written: {error}", path.display()))
            })?,
            None => text = Some(String::from_utf8_lossy(&self.scratch).into_owned()),
        }
        self.scratch.clear();
        Ok(text)
    }

    /// Takes the rest; the bytes that were written, where there is a file for them.
    pub(crate) fn finish(&mut self, data: &Data) -> Result<Option<u64>, Failure> {
        if self.receive.is_none() {
            return Ok(None);
        }
        self.pump(data)?;
        Ok(Some(self.received))
    }
}

impl Conversation<'_> {
    /// Sends and receives until somebody hangs up, or there is nothing left to do.
    pub(crate) fn transfer(
        &mut self,
        call: &Call,
        bytes: &mut Bytes,
        data: &Data,
        hangup_after: Option<Duration>,
        connected: Instant,
    ) -> Result<End, Failure> {
        let asked = bytes.send.take().map(|bytes| call.send(&bytes)).transpose();
        let sends = matches!(asked, Ok(Some(_)));
        let mut sending = match asked {
            Ok(sending) => sending,
            // The other side was faster: that it has hung up is told in a moment.
            Err(LineError::INVALCALLSTATE) => None,
            Err(error) => return Err(Failure::line("the bytes can't be sent", error)),
        };
        loop {
            let event = self.beat()?;
            if let Some(text) = bytes.pump(data)? {
                self.say("the other side", format!("sends {text:?}"));
            }
            if self.is_over(event.as_ref())? {
                return Ok(End::FarEnd);
            }
            if let Some(pending) = &sending {
                match pending.wait(Duration::ZERO) {
                    Err(WaitError::TimedOut) => {}
                    Ok(()) => {
                        sending = None;
                        self.say("this side", "has sent everything".to_owned());
                    }
                    // With the call, whose end is told in a moment.
                    Err(WaitError::Failed(
                        LineError::OPERATIONFAILED | LineError::INVALCALLSTATE,
                    )) => sending = None,
                    Err(error) => {
                        return Err(Failure::failed(format_args!("not all was sent: {error}")));
                    }
                }
            }
            let over = match hangup_after {
                Some(limit) => connected.elapsed() >= limit,
                None => sends && sending.is_none() && bytes.receive.is_none(),
            };
            if over {
                return Ok(End::Here);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_opened_before_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none.txt");
        let failure = Bytes::open(Some(&missing), None).unwrap_err();
        assert!(failure.text.contains("none.txt: No such file"), "{failure}");
        let nowhere = folder.path().join("no/such/folder.txt");
        assert!(Bytes::open(None, Some(&nowhere)).unwrap_err().text.contains("folder.txt"));
        let there = folder.path().join("there.txt");
        let mut bytes = Bytes::open(None, Some(&there)).unwrap();
        assert_eq!(bytes.finish(&Data::default()), Ok(Some(0)));
        assert!(there.exists());
    }
}
