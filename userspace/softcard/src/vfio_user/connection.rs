//! Receives messages and descriptors from a socket.
//!
//! One system call receives all messages that have arrived, in particular posted writes. The kernel
//! ends such a call after descriptors, so that they belong to the last message it returned.

use std::io::{self, IoSliceMut};
use std::mem::{self, MaybeUninit};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use super::wire::{HEADER, Header, MAX_MESSAGE};

/// The number of descriptors that one call receives. The server announces that a message may have
/// one; the kernel closes any beyond this number, and their message is refused.
const MAX_FDS: usize = 8;

/// A received message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) header: Header,
    pub(super) payload: &'a [u8],
    pub(super) fds: Vec<OwnedFd>,
    /// Whether further descriptors came with it and are lost.
    pub(super) lost_fds: bool,
}

/// Why no further message can be received.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the connection ended within a message")]
    CutOff,
    #[error("it did not introduce itself in time")]
    Silent,
    #[error("it does not take the replies to what it asks")]
    Unread,
    #[error("a message of {0} bytes; the smallest has {HEADER}, the largest {MAX_MESSAGE}")]
    Size(u32),
}

/// The receiving side of a connection.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    stream: &'a UnixStream,
    buffer: Vec<u8>,
    /// The start of what is not returned yet in the buffer.
    start: usize,
    end: usize,
    /// Descriptors, each with the offset in the buffer at which the bytes end that it came with.
    fds: Vec<(usize, OwnedFd)>,
    /// The same offsets of descriptors that were lost.
    lost: Vec<usize>,
    /// The time by which the next message has to come.
    deadline: Option<Instant>,
}

impl<'a> Connection<'a> {
    /// Receives messages, the first ones before the deadline.
    pub(super) fn new(stream: &'a UnixStream, deadline: Instant) -> Connection<'a> {
        Connection {
            stream,
            buffer: vec![0; MAX_MESSAGE],
            start: 0,
            end: 0,
            fds: Vec::new(),
            lost: Vec::new(),
            deadline: Some(deadline),
        }
    }

    /// Removes the deadline: a virtual machine may be stopped for any time.
    pub(super) fn take_your_time(&mut self) -> io::Result<()> {
        self.deadline = None;
        self.stream.set_read_timeout(None)
    }

    /// Returns the next message; `None` when the client has closed the connection.
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
        let lost = self.lost.partition_point(|end| *end <= self.start);
        let lost_fds = self.lost.drain(..lost).next().is_some();
        let payload = self.buffer.get(from + HEADER..self.start).unwrap_or_default();
        Ok(Some(Message { header, payload, fds, lost_fds }))
    }

    /// Returns the header of the next message if the whole message is in the buffer.
    fn header(&self) -> Result<Option<Header>, Broken> {
        let came = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(header) = came.first_chunk().map(Header::parse) else { return Ok(None) };
        match header.size as usize {
            HEADER..=MAX_MESSAGE => Ok((header.size as usize <= came.len()).then_some(header)),
            _ => Err(Broken::Size(header.size)),
        }
    }

    /// Waits for more bytes. Returns `false` at the end of the connection.
    fn receive(&mut self) -> Result<bool, Broken> {
        // Makes room for the rest of the largest message.
        self.buffer.copy_within(self.start..self.end, 0);
        for (end, _) in &mut self.fds {
            *end -= self.start;
        }
        for end in &mut self.lost {
            *end -= self.start;
        }
        self.end -= self.start;
        self.start = 0;
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        }

        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let (came, flags) = loop {
            let mut into = [IoSliceMut::new(&mut *room)];
            match recvmsg(self.stream, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Ok(came) => break (came.bytes, came.flags),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Err(Broken::Silent),
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
        // A client that only sends descriptors must not use up those of the process.
        if flags.contains(ReturnFlags::CTRUNC) || self.fds.len() > 2 * MAX_FDS {
            self.fds.truncate(2 * MAX_FDS);
            self.lost.push(self.end);
        }
        Ok(came > 0)
    }
}
