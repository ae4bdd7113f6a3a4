//! Any messages of a virtual machine's monitor, with descriptors or without: the server answers or
//! ends the connection, and serves the next client.

#![no_main]

use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ringback_softcard::vfio_user::Server;
use ringback_softcard::{CardConfig, SoftCard};
use rustix::cmsg_space;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

/// Longer than anything that the server may wait for, and shorter than libFuzzer's limit.
const LIMIT: Duration = Duration::from_secs(20);
/// The first message: version 0.0 without capabilities.
const VERSION: (u16, &[u8]) = (1, b"\0\0\0\0{}\0");

/// A message: its command, what is odd about its header, which descriptor comes with it, and its
/// payload.
type Message<'a> = (u8, u8, u8, &'a [u8]);

/// The server, its card, and the descriptors that messages carry.
struct House {
    _folder: tempfile::TempDir,
    server: Server,
    card: SoftCard,
    memory: OwnedFd,
    event: OwnedFd,
}

fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let card = SoftCard::new(CardConfig::default());
        let server = Server::start(&card, folder.path().join("card")).expect("it listens");
        let memory = memfd_create("guest", MemfdFlags::CLOEXEC).expect("memory");
        ftruncate(&memory, 1 << 20).expect("a size");
        let event = eventfd(0, EventfdFlags::NONBLOCK).expect("an event");
        House { _folder: folder, server, card, memory, event }
    })
}

fn bytes_of(id: u16, command: u16, odd: u8, payload: &[u8]) -> Vec<u8> {
    let size = 16 + payload.len() as u32;
    let (size, flags) = match odd {
        0xFF => (0, 0),
        0xFE => (u32::MAX, 0),
        0xFD => (size + 1, 0),
        0xFC => (size, 1),
        odd => (size, u32::from(odd & 0x10)),
    };
    let mut bytes = [id.to_ne_bytes(), command.to_ne_bytes()].concat();
    [size, flags, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes.extend(payload);
    bytes
}

/// Sends a message. Returns whether the server still reads.
fn send(house: &House, stream: &UnixStream, which: u8, bytes: &[u8]) -> bool {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = match which % 8 {
        1 => vec![house.memory.as_fd()],
        2 => vec![house.event.as_fd()],
        3 => vec![house.memory.as_fd(), house.event.as_fd()],
        _ => Vec::new(),
    };
    if !fds.is_empty() {
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    }
    sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) == Ok(bytes.len())
}

fuzz_target!(|input: (bool, Vec<Message<'_>>)| {
    let (begins, messages) = input;
    let house = house();
    let stream = UnixStream::connect(house.server.path()).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    thread::scope(|scope| {
        // The replies are read at the same time, because the server waits until they are.
        scope.spawn(|| {
            let ended = (&stream).read_to_end(&mut Vec::new()).map_err(|error| error.kind());
            let late = [ErrorKind::WouldBlock, ErrorKind::TimedOut].map(Err);
            assert!(!late.contains(&ended), "the server does not end the connection");
        });
        let mut goes_on = true;
        if begins {
            let (command, payload) = VERSION;
            goes_on = send(house, &stream, 0, &bytes_of(0, command, 0, payload));
        }
        for (id, (command, odd, fds, payload)) in (1..).zip(messages.into_iter().take(24)) {
            if !goes_on {
                break;
            }
            let bytes = bytes_of(id, u16::from(command % 16), odd, payload);
            goes_on = send(house, &stream, fds, &bytes);
            house.card.tick();
        }
        // The server reads everything, and then finds that this client is gone. If it has ended the
        // connection already, there is nothing to shut down.
        let _ = stream.shutdown(Shutdown::Write);
    });
});
