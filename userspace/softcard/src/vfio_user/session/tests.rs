//! Every command, and malformed messages.

use std::fs::File;

use proptest::prelude::*;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;

use super::*;
use crate::{CardConfig, HostMemory, InterruptLine};

/// The header of a command as it is received.
fn header(command: u16) -> Header {
    let mut bytes = [0; 16];
    bytes[2..4].copy_from_slice(&command.to_ne_bytes());
    Header::parse(&bytes)
}

fn version() -> Vec<u8> {
    [&[0; 4][..], b"{\"capabilities\":{\"max_msg_fds\":8}}\0"].concat()
}

fn begun(card: &SoftCard) -> Session<'_> {
    let mut session = Session::new(card);
    session.answer(header(command::VERSION), &version(), Vec::new()).unwrap();
    session
}

fn ask(session: &mut Session<'_>, command: u16, payload: &[u8]) -> Result<Vec<u8>, Refusal> {
    session.answer(header(command), payload, Vec::new())
}

fn read_words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect()
}

fn longs(longs: &[u64]) -> Vec<u8> {
    longs.iter().flat_map(|long| long.to_ne_bytes()).collect()
}

fn region(offset: u64, index: u32, count: u32, data: &[u8]) -> Vec<u8> {
    [&longs(&[offset])[..], &words(&[index, count]), data].concat()
}

fn irqs(flags: u32, index: u32, start: u32, count: u32) -> Vec<u8> {
    words(&[20, flags, index, start, count])
}

fn memory() -> OwnedFd {
    memfd_create("guest", MemfdFlags::CLOEXEC).unwrap()
}

#[test]
fn the_version_comes_first_and_once() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = Session::new(&card);
    assert!(ask(&mut session, command::GET_INFO, &words(&[16, 0, 0, 0])).is_err());
    assert!(ask(&mut session, command::VERSION, &[0, 0]).is_err());
    assert!(ask(&mut session, command::VERSION, &[1, 0, 0, 0]).is_err(), "another major version");
    for data in [&b"{}"[..], b"{\0", b"[]\0", b"{}\0\0", b"\xFF\0", b"\0"] {
        let version = [&[0; 4], data].concat();
        assert!(ask(&mut session, command::VERSION, &version).is_err(), "{data:?}");
    }
    assert!(!session.has_begun());
    let reply = ask(&mut session, command::VERSION, &[0, 0, 1, 0]).unwrap();
    assert_eq!(reply[..4], [0; 4], "no later version than is used");
    assert_eq!(reply.last(), Some(&0));
    let json: Value = serde_json::from_slice(&reply[4..reply.len() - 1]).unwrap();
    assert_eq!(json["capabilities"]["max_msg_fds"], 1);
    assert!(session.has_begun());
    assert!(ask(&mut session, command::VERSION, &version()).is_err());
}

#[test]
fn the_card_is_described() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    let info = ask(&mut session, command::GET_INFO, &words(&[16, 0, 0, 0])).unwrap();
    assert_eq!(read_words(&info), [16, 3, 9, 5]);
    assert!(ask(&mut session, command::GET_INFO, &words(&[15, 0, 0, 0])).is_err());

    let mut request = words(&[32, 0, 1, 0]);
    request.extend(longs(&[0, 0]));
    let bar1 = ask(&mut session, command::GET_REGION_INFO, &request).unwrap();
    assert_eq!(read_words(&bar1), [32, 3, 1, 0, 0x1000, 0, 0, 0]);

    for (index, expected) in [(0, [16, 7, 0, 1]), (1, [16, 0, 1, 0]), (4, [16, 0, 4, 0])] {
        let irq = ask(&mut session, command::GET_IRQ_INFO, &words(&[16, 0, index, 0])).unwrap();
        assert_eq!(read_words(&irq), expected);
    }
    assert!(ask(&mut session, command::GET_IRQ_INFO, &words(&[16, 0, 5, 0])).is_err());
}

#[test]
fn registers_are_read_and_written() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    let written = ask(&mut session, command::REGION_WRITE, &region(0, 1, 1, &[0x01])).unwrap();
    assert_eq!(written, region(0, 1, 1, &[]));
    let read = ask(&mut session, command::REGION_READ, &region(0xCC, 1, 1, &[])).unwrap();
    assert_eq!(read, region(0xCC, 1, 1, &[0x73]));
    let identity = ask(&mut session, command::REGION_READ, &region(0, 7, 4, &[])).unwrap();
    assert_eq!(identity[16..], [0x59, 0xE1, 0x01, 0x00]);
    for refused in [
        region(0x1000, 1, 1, &[]),
        region(0, 0, 1, &[]),
        region(0, 9, 1, &[]),
        region(0, 1, u32::MAX, &[]),
        region(0, 1, 4, &[0]),
    ] {
        assert!(ask(&mut session, command::REGION_READ, &refused).is_err());
    }
    assert!(ask(&mut session, command::REGION_WRITE, &region(0, 1, 2, &[0])).is_err());
    assert!(ask(&mut session, command::REGION_WRITE, &region(0, 1, 1, &[0, 0])).is_err());
}

#[test]
fn a_reset_takes_the_bus_mastership_away() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    assert_eq!(card.config_read(0x04, 2), 0);
    ask(&mut session, command::REGION_WRITE, &region(4, 7, 2, &[0x06, 0])).unwrap();
    ask(&mut session, command::REGION_WRITE, &region(0, 1, 1, &[0x01])).unwrap();
    ask(&mut session, command::RESET, &[]).unwrap();
    assert_eq!(card.config_read(0x04, 2), 0);
    assert_eq!(card.read(0, 1), 0);
    assert!(ask(&mut session, command::RESET, &[0]).is_err());
}

#[test]
fn memory_is_mapped_and_unmapped() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    let map = |flags, offset, address, size| {
        [words(&[32, flags]), longs(&[offset, address, size])].concat()
    };
    let file = File::from(memory());
    file.set_len(0x2000).unwrap();
    let mut send = |payload: &[u8], fds: usize| {
        let fds = (0..fds).map(|_| file.try_clone().unwrap().into()).collect();
        session.answer(header(command::DMA_MAP), payload, fds)
    };
    assert!(send(&map(4, 0, 0, 0x1000), 1).is_err(), "an unknown flag");
    assert!(send(&map(3, 0, 0, 0x1000), 2).is_err(), "two descriptors");
    assert!(send(&map(3, 0, 0, 0x1000)[..31], 1).is_err());
    assert_eq!(send(&map(3, 0x1000, 0x8000, 0x1000), 1), Ok(Vec::new()));
    assert_eq!(send(&map(3, 0, 0xF000, 0x1000), 0), Ok(Vec::new()), "no descriptor: a ROM");
    assert_eq!(send(&map(3, 0, 0x8800, 0x1000), 1).unwrap_err().errno(), 17);
    assert!(session.memory.write32(0x8000, 7));

    let unmap = |flags, address, size| [words(&[24, flags]), longs(&[address, size])].concat();
    assert!(ask(&mut session, command::DMA_UNMAP, &unmap(1, 0x8000, 0x1000)).is_err());
    assert!(ask(&mut session, command::DMA_UNMAP, &unmap(0, 0x8000, 0x800)).is_err());
    let request = unmap(0, 0x8000, 0x1000);
    assert_eq!(ask(&mut session, command::DMA_UNMAP, &request), Ok(request));
    assert!(!session.memory.write32(0x8000, 7));
    ask(&mut session, command::DMA_UNMAP, &unmap(2, 0, 0)).unwrap();
    let rom = map(3, 0, 0xF000, 0x1000);
    assert!(session.answer(header(command::DMA_MAP), &rom, Vec::new()).is_ok());
}

#[test]
fn the_interrupt_is_set_up_masked_and_triggered() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    let client = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
    let signalled = || {
        let mut count = [0; 8];
        rustix::io::read(&client, &mut count).is_ok()
    };
    let set = |session: &mut Session<'_>, payload: &[u8]| {
        session.answer(header(command::SET_IRQS), payload, vec![client.try_clone().unwrap()])
    };
    // Data: 1 none, 2 booleans, 4 eventfd. Action: 8 mask, 0x10 unmask, 0x20 trigger.
    assert!(set(&mut session, &irqs(0x14, 0, 0, 1)).is_err(), "an eventfd that unmasks");
    assert!(set(&mut session, &irqs(0x24, 1, 0, 1)).is_err(), "no MSI");
    assert!(set(&mut session, &irqs(0x24, 0, 0, 0)).is_err(), "a descriptor for none");
    assert!(set(&mut session, &irqs(0x21, 0, 0, 1)).is_err(), "a descriptor without need");
    set(&mut session, &irqs(0x24, 0, 0, 1)).unwrap();
    session.intx.raise();
    assert!(signalled());
    session.intx.raise();
    assert!(!signalled(), "masked by itself");
    ask(&mut session, command::SET_IRQS, &irqs(0x11, 0, 0, 1)).unwrap();
    ask(&mut session, command::SET_IRQS, &irqs(0x21, 0, 0, 1)).unwrap();
    assert!(signalled(), "triggered by the client");
    ask(&mut session, command::SET_IRQS, &irqs(0x11, 0, 0, 1)).unwrap();
    let boolean = |flags, on: u8| [&irqs(flags, 0, 0, 1)[..], &[on]].concat();
    ask(&mut session, command::SET_IRQS, &boolean(0x0A, 0)).unwrap();
    session.intx.raise();
    assert!(signalled(), "the boolean says not to mask");
    ask(&mut session, command::SET_IRQS, &boolean(0x12, 1)).unwrap();
    ask(&mut session, command::SET_IRQS, &boolean(0x0A, 1)).unwrap();
    session.intx.raise();
    assert!(!signalled());
    ask(&mut session, command::SET_IRQS, &irqs(0x21, 0, 0, 0)).unwrap();
    ask(&mut session, command::SET_IRQS, &irqs(0x21, 1, 0, 0)).unwrap();
    session.intx.raise();
    assert!(!signalled(), "switched off");
    for (flags, index, start, count) in [
        (0x21, 5, 0, 0),
        (0x21, 0, 1, 1),
        (0x21, 0, u32::MAX, 1),
        (0x20, 0, 0, 1),
        (0x23, 0, 0, 1),
        (0x31, 0, 0, 1),
        (0x01, 0, 0, 1),
        (0x61, 0, 0, 1),
    ] {
        let refused = irqs(flags, index, start, count);
        assert!(ask(&mut session, command::SET_IRQS, &refused).is_err(), "{flags:#x} {index}");
    }
}

#[test]
fn what_is_not_a_command_of_the_card_is_refused() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    for unknown in [0, 6, 11, 12, 14, 15, 16, u16::MAX] {
        let refusal = ask(&mut session, unknown, &[]).unwrap_err();
        assert_eq!(refusal.errno(), Errno::OPNOTSUPP.raw_os_error() as u32);
    }
    let mut reply = [0; 16];
    reply[2..4].copy_from_slice(&command::GET_INFO.to_ne_bytes());
    reply[8] = 1;
    let request = words(&[16, 0, 0, 0]);
    assert!(session.answer(Header::parse(&reply), &request, Vec::new()).is_err());
}

#[test]
fn the_end_of_a_session_resets_the_card() {
    let card = SoftCard::new(CardConfig::default());
    let mut session = begun(&card);
    ask(&mut session, command::REGION_WRITE, &region(0, 1, 1, &[0x01])).unwrap();
    drop(Session::new(&card));
    assert_eq!(card.read(0, 1), 0x01, "a silent client changes nothing");
    drop(session);
    assert_eq!(card.read(0, 1), 0);
}

/// Returns values of a field: those with a meaning, and arbitrary ones.
fn field() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..64, Just(0x1000), Just(u32::MAX), any::<u32>()]
}

/// Returns commands with payloads of about the right length.
fn message() -> impl Strategy<Value = (u16, Vec<u8>)> {
    let payload = (proptest::collection::vec(field(), 0..12), 0_usize..4)
        .prop_map(|(fields, over)| [words(&fields), vec![1; over]].concat());
    (prop_oneof![0_u16..20, any::<u16>()], payload)
}

proptest! {
    #[test]
    fn no_message_does_any_harm(
        messages in proptest::collection::vec((message(), 0_usize..4), 0..40),
    ) {
        let card = SoftCard::new(CardConfig::default());
        let mut session = begun(&card);
        for ((command, payload), fds) in messages {
            let fds = match fds {
                0 => vec![],
                1 => vec![memory()],
                2 => vec![eventfd(0, EventfdFlags::empty()).unwrap()],
                _ => vec![memory(), memory()],
            };
            if let Ok(reply) = session.answer(header(command), &payload, fds) {
                prop_assert!(reply.len() <= MAX_TRANSFER as usize + 32);
            }
            card.tick();
        }
        drop(session);
        let mut next = begun(&card);
        prop_assert!(ask(&mut next, command::GET_INFO, &words(&[16, 0, 0, 0])).is_ok());
    }
}
