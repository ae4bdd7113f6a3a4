//! Messages and descriptors off a socket.
//!
//! One system call takes as many messages as have come, posted writes above all. Descriptors come
//! with the last message of what one call has taken: the kernel ends a call behind them.

use std::io::{self, IoSliceMut};
use std::mem::{self, MaybeUninit};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::cmsg_space;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use super::wire::{HEADER, Header, MAX_MESSAGE};

/// Descriptors that are taken at a time. A client is told that it may send one; what is more than
/// this the kernel closes, and the message is refused.
const MAX_FDS: usize = 8;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) header: Header,
    pub(super) payload: &'a [u8],
    pub(super) fds: Vec<OwnedFd>,
    /// Further descriptors came with it, and were not taken.
    pub(super) lost_fds: bool,
}

/// Why no further message can be taken from a connection.
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
    /// What of the buffer is still to be given out.
    start: usize,
    end: usize,
    /// Descriptors that came with the byte before this one of the buffer.
    fds: Vec<(usize, OwnedFd)>,
    /// Bytes of the buffer in front of which descriptors were lost.
    lost: Vec<usize>,
    /// By when something has to have come.
    deadline: Option<Instant>,
}

impl<'a> Connection<'a> {
    /// Messages have to come by the deadline.
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

    /// From now on there is no deadline: a machine may stand still for as long as it likes.
    pub(super) fn take_your_time(&mut self) -> io::Result<()> {
        self.deadline = None;
        self.stream.set_read_timeout(None)
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
        let lost = self.lost.partition_point(|end| *end <= self.start);
        let lost_fds = self.lost.drain(..lost).next().is_some();
        let payload = self.buffer.get(from + HEADER..self.start).unwrap_or_default();
        Ok(Some(Message { header, payload, fds, lost_fds }))
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
        // A client that sends nothing but descriptors must not use up those of the process.
        if flags.contains(ReturnFlags::CTRUNC) || self.fds.len() > 2 * MAX_FDS {
            self.fds.truncate(2 * MAX_FDS);
            self.lost.push(self.end);
        }
        Ok(came > 0)
    }
}
