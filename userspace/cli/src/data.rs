//! The files that `--send` and `--receive` transfer over the connection of a modem.

use std::fs::File;
use std::io;
use std::io::{Read, Write};
use std::path::Path;

use ringback_tspi::media::Data;

use crate::exit::Failure;
use crate::files::{Sink, Source, Target, not_written};
use crate::signals::Signals;

/// Bytes that one request sends: more than a second at the speed of a fast modem, so that the gap
/// before the next request does not matter.
const PIECE: usize = 16 * 1024;
/// With more bytes than this waiting for the disk, the modem is asked to wait.
const ROOM: usize = 1024 * 1024;

/// The files of one call.
#[derive(Debug)]
pub(crate) struct Bytes {
    send: Option<Source<u8>>,
    target: Option<Target>,
    receive: Option<Sink<u8>>,
    received: u64,
}

impl Bytes {
    /// Opens the file to send, and checks that the file to receive into can be written.
    pub(crate) fn open(
        send: Option<&Path>,
        receive: Option<Target>,
        signals: &Signals,
    ) -> Result<Bytes, Failure> {
        let send = send.map(|path| {
            let path = path.to_owned();
            let name = path.clone();
            let told = move |error: io::Error| format!("{}: {error}", name.display());
            Source::open(signals, move || {
                let mut file = File::open(&path).map_err(&told)?;
                Ok(Box::new(move || next(&mut file).map_err(&told)))
            })
        });
        Ok(Bytes { send: send.transpose()?, target: receive, receive: None, received: 0 })
    }

    /// Begins to receive into the file; to be called when the call is connected.
    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        if let Some(target) = self.target.take() {
            let (mut file, path) = target.open()?;
            let name = path.clone();
            let put = move |bytes: Option<Vec<u8>>| {
                let written = file.write_all(&bytes.unwrap_or_default());
                written.map_err(|error| not_written(&name, &error))
            };
            self.receive = Some(Sink::start(path, Box::new(put))?);
        }
        Ok(())
    }

    /// Returns the source of what is to be sent. `None` without `--send`, and at the second call.
    pub(crate) fn take_source(&mut self) -> Option<Source<u8>> {
        self.send.take()
    }

    /// Returns whether received bytes are written to a file.
    pub(crate) fn is_receiving(&self) -> bool {
        self.receive.is_some()
    }

    /// Receives what has come, and returns it as text if it is not written to a file.
    pub(crate) fn pump(&mut self, data: &Data) -> Result<Option<String>, Failure> {
        if self.receive.as_ref().is_some_and(|sink| sink.waiting() > ROOM) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        data.fetch(&mut bytes);
        if bytes.is_empty() {
            return Ok(None);
        }
        self.received += bytes.len() as u64;
        match &mut self.receive {
            Some(sink) => sink.put(bytes).map(|()| None),
            None => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        }
    }

    /// Receives the rest, and returns the number of bytes written if there is a file for them.
    pub(crate) fn finish(
        &mut self,
        data: &Data,
        signals: &Signals,
    ) -> Result<Option<u64>, Failure> {
        if self.receive.is_none() {
            return Ok(None);
        }
        let pumped = self.pump(data);
        let Some(sink) = self.receive.take() else { return Ok(None) };
        pumped?;
        sink.finish(signals)?;
        Ok(Some(self.received))
    }
}

/// The next piece of a file.
fn next(file: &mut File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; PIECE];
    loop {
        match file.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(count) => {
                bytes.truncate(count);
                return Ok((count > 0).then_some(bytes));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_at_before_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let signals = Signals::default();
        let open = |name: &str| Bytes::open(Some(&folder.path().join(name)), None, &signals);
        let failure = open("none.txt").unwrap_err();
        assert!(failure.text.contains("none.txt: No such file"), "{failure}");
        assert!(open("").unwrap_err().text.contains("Is a directory"));
        let there = folder.path().join("there.txt");
        let target = Target::look(&there, false, &[], &signals).unwrap();
        let mut bytes = Bytes::open(None, Some(target), &signals).unwrap();
        assert!(!there.exists());
        bytes.start().unwrap();
        assert_eq!(bytes.finish(&Data::default(), &signals), Ok(Some(0)));
        assert!(there.exists());
    }

    #[test]
    fn a_file_without_end_is_read_as_it_is_sent() {
        let mut bytes =
            Bytes::open(Some(Path::new("/dev/zero")), None, &Signals::default()).unwrap();
        let source = bytes.send.as_mut().unwrap();
        for _ in 0..3 {
            while source.now().unwrap().is_empty() {
                std::thread::yield_now();
            }
            let count = source.now().unwrap().len();
            assert!(count <= PIECE);
            source.took(count);
        }
        assert!(!source.is_over());
    }
}
