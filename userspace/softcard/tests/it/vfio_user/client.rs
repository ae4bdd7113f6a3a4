//! A client of the vfio-user server, like a machine's monitor: written from the protocol's
//! description, and able to send malformed messages.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::cmsg_space;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

pub const VERSION: u16 = 1;
pub const DMA_MAP: u16 = 2;
pub const DMA_UNMAP: u16 = 3;
pub const GET_INFO: u16 = 4;
pub const SET_IRQS: u16 = 8;
pub const REGION_READ: u16 = 9;
pub const REGION_WRITE: u16 = 10;
pub const RESET: u16 = 13;

const NO_REPLY: u32 = 1 << 4;

/// Long enough for the busiest machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// A reply: its error number, 0 for none, and its payload.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub error: u32,
    pub payload: Vec<u8>,
}

pub struct Client {
    pub stream: UnixStream,
    id: u16,
}

/// The bytes of a message.
pub fn message(id: u16, command: u16, flags: u32, payload: &[u8]) -> Vec<u8> {
    let size = 16 + payload.len() as u32;
    let mut bytes = [id.to_ne_bytes(), command.to_ne_bytes()].concat();
    for word in [size, flags, 0] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(payload);
    bytes
}

pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn access(offset: u64, region: u32, count: u32, data: &[u8]) -> Vec<u8> {
    [&offset.to_ne_bytes()[..], &words(&[region, count]), data].concat()
}

impl Client {
    /// Connects without sending anything.
    pub fn connect(path: &Path) -> Client {
        let stream = UnixStream::connect(path).expect("the server listens");
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Client { stream, id: 0 }
    }

    /// Connects and sends the version.
    pub fn begin(path: &Path) -> Client {
        let mut client = Client::connect(path);
        let version = [&[0; 4][..], b"{\"capabilities\":{\"max_msg_fds\":8}}\0"].concat();
        assert_eq!(client.ask(VERSION, &version).error, 0);
        client
    }

    pub fn send(&mut self, command: u16, flags: u32, payload: &[u8], fds: &[BorrowedFd<'_>]) {
        self.id = self.id.wrapping_add(1);
        self.send_bytes(&message(self.id, command, flags, payload), fds);
    }

    pub fn send_bytes(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
        assert_eq!(self.try_send(bytes, fds), Ok(bytes.len()));
    }

    pub fn try_send(
        &mut self,
        bytes: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<usize, rustix::io::Errno> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(64))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            assert!(control.push(SendAncillaryMessage::ScmRights(fds)));
        }
        sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)
    }

    /// Returns the next reply, which has to be the one to the message sent last.
    pub fn reply(&mut self) -> Reply {
        let mut header = [0; 16];
        self.stream.read_exact(&mut header).expect("a reply");
        assert_eq!(header[..2], self.id.to_ne_bytes());
        let word = |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().unwrap());
        let failed = word(8) & 0x20 != 0;
        assert_eq!(word(8) & 0x0F, 1);
        let mut payload = vec![0; word(4) as usize - 16];
        self.stream.read_exact(&mut payload).expect("the reply's payload");
        Reply { error: if failed { word(12) } else { 0 }, payload }
    }

    pub fn ask(&mut self, command: u16, payload: &[u8]) -> Reply {
        self.ask_with(command, payload, &[])
    }

    pub fn ask_with(&mut self, command: u16, payload: &[u8], fds: &[BorrowedFd<'_>]) -> Reply {
        self.send(command, 0, payload, fds);
        self.reply()
    }

    /// Returns whether the server closes the connection after its remaining replies.
    pub fn is_cut_off(&mut self) -> bool {
        match self.stream.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    pub fn read(&mut self, region: u32, offset: u64, count: u32) -> u32 {
        let reply = self.ask(REGION_READ, &access(offset, region, count, &[]));
        assert_eq!(reply.error, 0);
        reply.payload[16..].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))
    }

    /// Sends a posted write, which has no reply.
    pub fn write(&mut self, region: u32, offset: u64, count: u32, value: u32) {
        let data = &value.to_le_bytes()[..count as usize];
        self.send(REGION_WRITE, NO_REPLY, &access(offset, region, count, data), &[]);
    }

    pub fn map(&mut self, address: u64, size: u64, file: Option<&dyn AsFd>) -> Reply {
        let longs = [0, address, size].map(u64::to_ne_bytes).concat();
        let fds: Vec<_> = file.iter().map(|file| file.as_fd()).collect();
        self.ask_with(DMA_MAP, &[words(&[32, 3]), longs].concat(), &fds)
    }

    pub fn unmap(&mut self, address: u64, size: u64) -> Reply {
        let longs = [address, size].map(u64::to_ne_bytes).concat();
        self.ask(DMA_UNMAP, &[words(&[24, 0]), longs].concat())
    }

    pub fn set_interrupt(&mut self, eventfd: &dyn AsFd) -> Reply {
        self.ask_with(SET_IRQS, &words(&[20, 0x24, 0, 0, 1]), &[eventfd.as_fd()])
    }

    pub fn unmask_interrupt(&mut self) -> Reply {
        self.ask(SET_IRQS, &words(&[20, 0x11, 0, 0, 1]))
    }

    pub fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }
}
