//! Messages and descriptors off a socket.
//!
//! One system call takes as many messages as have come, posted writes above all. Descriptors come
//! with the last message of what one call has taken: the kernel ends a call behind them.

use std::io::{self, IoSliceMut};
use std::mem::{self, MaybeUninit};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::wire::{HEADER, Header, MAX_MESSAGE};

/// Descriptors that are taken at a time. A client is told that it may send one; what is more than
/// this the kernel closes.
const MAX_FDS: usize = 8;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) header: Header,
    pub(super) payload: &'a [u8],
    pub(super) fds: Vec<OwnedFd>,
}

/// Why no further message can be taken from a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the connection ended within a message")]
    CutOff,
    #[error("a message of {0} bytes; the smallest has {HEADER}, the largest {MAX_MESSAGE}")]
    Size(u32),
}

/// The receiving side of a connection.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    stream: &'a UnixStream,
    buffer: Vec<u8>,
    /// What of the buffer is still to be given out.
    start: usize,
    end: usize,
    /// Descriptors that came with the byte before this one of the buffer.
    fds: Vec<(usize, OwnedFd)>,
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: &'a UnixStream) -> Connection<'a> {
        Connection { stream, buffer: vec![0; MAX_MESSAGE], start: 0, end: 0, fds: Vec::new() }
    }

    /// The next message; `None` when the client has closed the connection.
    pub(super) fn next(&mut self) -> Result<Option<Message<'_>>, Broken> {
        let header = loop {
            if let Some(header) = self.header()? {
                break header;
            }
            if !self.receive()? {
                return if self.start == self.end { Ok(None) } else { Err(Broken::CutOff) };
            }
        };
        let from = self.start;
        self.start += header.size as usize;
        let of_later = self.fds.partition_point(|(end, _)| *end <= self.start);
        let rest = self.fds.split_off(of_later);
        let fds = mem::replace(&mut self.fds, rest).into_iter().map(|(_, fd)| fd).collect();
        let payload = self.buffer.get(from + HEADER..self.start).unwrap_or_default();
        Ok(Some(Message { header, payload, fds }))
    }

    /// The header of the next message, if all of that message is in the buffer.
    fn header(&self) -> Result<Option<Header>, Broken> {
        let came = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(header) = came.first_chunk().map(Header::parse) else { return Ok(None) };
        match header.size as usize {
            HEADER..=MAX_MESSAGE => Ok((header.size as usize <= came.len()).then_some(header)),
            _ => Err(Broken::Size(header.size)),
        }
    }

    /// Waits for more. `false`: there will be no more.
    fn receive(&mut self) -> Result<bool, Broken> {
        // Room for the rest of the largest message.
        self.buffer.copy_within(self.start..self.end, 0);
        for (end, _) in &mut self.fds {
            *end -= self.start;
        }
        self.end -= self.start;
        self.start = 0;

        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let came = loop {
            let mut into = [IoSliceMut::new(&mut *room)];
            match recvmsg(self.stream, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Ok(came) => break came.bytes,
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => return Ok(false),
                Err(errno) => return Err(Broken::Io(errno.into())),
            }
        };
        self.end += came;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds.map(|fd| (self.end, fd)));
            }
        }
        // A client that sends nothing but descriptors must not use up those of the process.
        self.fds.truncate(2 * MAX_FDS);
        Ok(came > 0)
    }
}
