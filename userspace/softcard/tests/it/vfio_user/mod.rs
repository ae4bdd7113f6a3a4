//! The vfio-user server, through its socket: a machine that uses the card, machines that disconnect
//! and come back, and clients that send malformed messages.

mod client;

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use ringback_media::g711;
use ringback_request::PortNumber;
use ringback_softcard::ModuleKind::{self, Empty, Fxo, Fxs};
use ringback_softcard::vfio_user::Server;
use ringback_softcard::{CardConfig, SocketPathError, SoftCard};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, memfd_create};
use tempfile::TempDir;

use crate::host::*;
use client::*;

const BAR1: u32 = 1;
const CONFIG: u32 = 7;

/// A card with its server.
struct Served {
    card: SoftCard,
    server: Server,
    path: PathBuf,
    _folder: TempDir,
}

fn serve(modules: [ModuleKind; 4]) -> Served {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("card.sock");
    let card = SoftCard::new(CardConfig { modules, ..CardConfig::default() });
    let server = Server::start(&card, &path).unwrap();
    Served { card, server, path, _folder: folder }
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "it never came true");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A machine with a card: a client, its memory from address 0 on, its eventfd.
struct Machine {
    client: Client,
    memory: File,
    interrupt: File,
}

impl Machine {
    const MEMORY: u64 = 0x20_0000;

    fn new(served: &Served) -> Machine {
        let mut client = Client::begin(&served.path);
        let memory = File::from(memfd_create("guest", MemfdFlags::CLOEXEC).unwrap());
        memory.set_len(Machine::MEMORY).unwrap();
        let interrupt = eventfd(0, EventfdFlags::NONBLOCK).unwrap();
        assert_eq!(client.map(0, Machine::MEMORY, Some(&memory)).error, 0);
        assert_eq!(client.map(0xFFFC_0000, 0x4_0000, None).error, 0, "a ROM");
        assert_eq!(client.set_interrupt(&interrupt).error, 0);
        client.write(CONFIG, 0x04, 2, 0x06);
        Machine { client, memory, interrupt: File::from(interrupt) }
    }

    /// Waits until all earlier posted writes are carried out.
    fn settle(&mut self) {
        self.client.read(CONFIG, 0, 4);
    }

    fn interrupted(&mut self) -> bool {
        let mut count = [0; 8];
        let came = self.interrupt.read_exact(&mut count).is_ok();
        assert!(!came || u64::from_ne_bytes(count) == 1);
        came
    }

    fn word(&self, index: u32) -> u32 {
        let mut word = [0; 4];
        self.memory.read_exact_at(&mut word, u64::from(RING + 4 * index)).unwrap();
        u32::from_le_bytes(word)
    }

    /// Places the rings at [`RING`] and starts them, by posted writes.
    fn start(&mut self) {
        for (register, offset) in
            [(0x08, 0), (0x0C, 28), (0x10, 60), (0x18, 64), (0x1C, 92), (0x20, 124)]
        {
            self.client.write(BAR1, register, 4, RING + offset);
        }
        for (register, value) in [(0x04, 0x3F), (0x00, 0x41), (0x01, 0x01)] {
            self.client.write(BAR1, register, 1, value);
        }
        self.settle();
    }

    /// Serves an interrupt like a guest, whose first access unmasks it.
    fn serve_interrupt(&mut self) -> u32 {
        assert!(self.interrupted());
        let status = self.client.read(BAR1, 0x06, 1);
        assert_eq!(self.client.unmask_interrupt().error, 0);
        self.client.write(BAR1, 0x06, 1, status);
        self.settle();
        status
    }
}

#[test]
fn a_machine_finds_the_card() {
    let served = serve([Fxs, Fxo, Fxs, Empty]);
    let mut machine = Machine::new(&served);
    assert_eq!(machine.client.read(CONFIG, 0x00, 4), 0x0001_E159);
    assert_eq!(machine.client.read(CONFIG, 0x2C, 4), 0x0003_B100);
    machine.client.write(BAR1, 0x00, 1, 0x01);
    assert_eq!(machine.client.read(BAR1, 0xCC, 1), 0x73);
}

#[test]
fn samples_go_through_the_guests_memory_both_ways_with_an_interrupt_each_millisecond() {
    let served = serve([Fxs, Empty, Empty, Empty]);
    let mut machine = Machine::new(&served);
    machine.settle();
    // Initialising modules is tested elsewhere, so that it is done here without the socket.
    let host = Host::of(&served.card);
    host.initialise();
    host.bring_up_fxs(0).unwrap();
    let to_line: Vec<u8> = (0..16).map(|frame| 0x90 + frame).collect();
    for (frame, byte) in to_line.iter().enumerate() {
        let at = u64::from(RING) + 4 * frame as u64;
        machine.memory.write_all_at(&[*byte, 0xFF, 0xFF, 0xFF], at).unwrap();
    }
    let phone = served.card.telephone(PortNumber(0)).unwrap();
    phone.off_hook();
    served.card.advance(50);
    phone.take_heard();
    let spoken: Vec<i16> = (1..=24).map(|level| g711::ulaw_decode(0x80 + level)).collect();
    phone.play(&spoken);

    machine.start();
    let mut from_line = Vec::new();
    for (status, half) in [(0x05, 0), (0x0A, 8), (0x05, 0)] {
        assert!(!machine.interrupted());
        served.card.tick();
        assert_eq!(machine.serve_interrupt(), status);
        from_line.extend((0..8).map(|frame| machine.word(16 + half + frame)));
    }
    let expected: Vec<u32> = (1..=24).map(|level| 0xFFFF_FF80 + level).collect();
    assert_eq!(from_line, expected);
    let played: Vec<i16> =
        to_line.iter().chain(&to_line[..8]).map(|byte| g711::ulaw_decode(*byte)).collect();
    // The telephone hears each millisecond of memory one millisecond later.
    assert_eq!(phone.take_heard()[8..], played[..16]);
}

#[test]
fn the_interrupt_is_signalled_once_until_it_is_unmasked_and_then_in_the_next_millisecond() {
    let served = serve([Empty; 4]);
    let mut machine = Machine::new(&served);
    machine.start();
    served.card.advance(3);
    assert!(machine.interrupted());
    served.card.advance(3);
    assert!(!machine.interrupted(), "masked by itself");
    machine.client.unmask_interrupt();
    assert!(!machine.interrupted(), "unmasking signals nothing");
    served.card.tick();
    assert_eq!(machine.serve_interrupt(), 0x0F);
    machine.client.write(BAR1, 0x04, 1, 0);
    machine.settle();
    served.card.advance(3);
    assert!(!machine.interrupted(), "no cause is enabled");
}

#[test]
fn memory_that_is_unmapped_is_a_master_abort() {
    let served = serve([Empty; 4]);
    let mut machine = Machine::new(&served);
    machine.start();
    served.card.tick();
    assert_eq!(machine.serve_interrupt(), 0x05);
    assert_eq!(machine.client.unmap(0, Machine::MEMORY).error, 0);
    served.card.tick();
    assert_eq!(machine.serve_interrupt(), 0x10);
}

#[test]
fn a_guest_without_bus_mastership_and_one_that_resets_the_card_stop_the_dma() {
    let served = serve([Empty; 4]);
    let mut machine = Machine::new(&served);
    machine.start();
    machine.client.write(CONFIG, 0x04, 2, 0x02);
    machine.settle();
    served.card.tick();
    assert_eq!(machine.serve_interrupt(), 0x10);
    assert_eq!(machine.client.ask(RESET, &[]).error, 0);
    served.card.advance(5);
    assert!(!machine.interrupted());
    assert_eq!(machine.client.read(CONFIG, 0x04, 2), 0);
}

#[test]
fn a_machine_goes_and_another_comes() {
    let served = serve([Empty; 4]);
    for _ in 0..3 {
        let mut machine = Machine::new(&served);
        assert_eq!(machine.client.read(BAR1, 0x04, 1), 0, "the last one's interrupts");
        machine.start();
        served.card.tick();
        assert_eq!(machine.serve_interrupt(), 0x05);
        drop(machine);
        wait_until(|| served.card.read(0x01, 1) == 0);
        served.card.advance(3);
        assert_eq!(served.card.read(0x01, 1), 0, "the DMA of a machine that is gone");
    }
}

#[test]
fn a_silent_client_changes_nothing() {
    let served = serve([Empty; 4]);
    let machine = Machine::new(&served);
    drop(Client::connect(&served.path));
    served.card.write(0x00, 1, 0x01);
    drop(machine);
    wait_until(|| served.card.read(0x00, 1) != 0x01);
    served.card.write(0x00, 1, 0x01);
    drop(Client::connect(&served.path));
    let mut other = Client::connect(&served.path);
    other.send(GET_INFO, 0, &words(&[16, 0, 0, 0]), &[]);
    assert_eq!(other.reply().error, 22, "before the version");
    assert!(other.is_cut_off());
    assert_eq!(served.card.read(0x00, 1), 0x01);
}

#[test]
fn two_cards_are_two_sockets() {
    let (one, other) = (serve([Fxs, Empty, Empty, Empty]), serve([Empty; 4]));
    let (mut first, mut second) = (Machine::new(&one), Machine::new(&other));
    first.start();
    second.settle();
    one.card.tick();
    other.card.tick();
    assert!(first.interrupted() && !second.interrupted());
}

#[test]
fn a_message_may_come_in_pieces_and_many_at_once() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    let memory = File::from(memfd_create("guest", MemfdFlags::CLOEXEC).unwrap());
    memory.set_len(0x1000).unwrap();
    let map = [words(&[32, 3]), [0, 0, 0x1000].map(u64::to_ne_bytes).concat()].concat();
    let bytes = message(0, DMA_MAP, 0, &map);
    client.send_bytes(&bytes[..1], &[memory.as_fd()]);
    for byte in &bytes[1..] {
        client.write_all(&[*byte]).unwrap();
    }
    let mut header = [0; 16];
    client.stream.read_exact(&mut header).unwrap();
    assert_eq!(header[8..], [1, 0, 0, 0, 0, 0, 0, 0]);

    // Sends writes and a read at once, then a mapping to whose message the descriptor does not
    // belong.
    client.unmap(0, 0x1000);
    let write = [&8_u64.to_ne_bytes()[..], &words(&[BAR1, 4, 0x1234_5678])].concat();
    let mut pile = message(0, REGION_WRITE, 1 << 4, &write).repeat(100);
    pile.extend(message(0, GET_INFO, 1 << 4, &words(&[16, 0, 0, 0])));
    pile.extend(message(0, DMA_MAP, 1 << 4, &map));
    client.send_bytes(&pile, &[memory.as_fd()]);
    assert_eq!(client.read(BAR1, 0x08, 4), 0x1234_5678);
    assert_eq!(client.map(0, 0x1000, None).error, 17, "it is mapped");
}

#[test]
fn a_refused_message_leaves_the_connection_as_it_was() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    for (command, payload) in [
        (99, vec![0; 1000]),
        (GET_INFO, vec![0; 3]),
        (REGION_READ, words(&[0, 0, BAR1, u32::MAX])),
        (REGION_WRITE, words(&[0, 0, BAR1, u32::MAX])),
        (VERSION, vec![0; 4]),
        (DMA_MAP, vec![0; 31]),
    ] {
        let reply = client.ask(command, &payload);
        assert!(reply.error > 0 && reply.payload.is_empty());
        client.send(command, 1 << 4, &payload, &[]);
    }
    assert_eq!(client.read(CONFIG, 0, 4), 0x0001_E159, "no reply where none is wanted");
}

#[test]
fn a_message_without_an_end_is_cut_off() {
    let served = serve([Empty; 4]);
    for size in [0, 15, 0x1_0001, u32::MAX] {
        let mut client = Client::begin(&served.path);
        let mut bytes = message(1, GET_INFO, 0, &[]);
        bytes[4..8].copy_from_slice(&u32::to_ne_bytes(size));
        client.send_bytes(&bytes, &[]);
        assert!(client.is_cut_off());
    }
    let mut client = Client::begin(&served.path);
    client.write_all(&message(1, GET_INFO, 0, &[0; 16])[..20]).unwrap();
    drop(client);
    Client::begin(&served.path);
}

#[test]
fn a_client_that_reads_no_replies_does_not_hold_up_the_end() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    client.stream.set_nonblocking(true).unwrap();
    let ask = message(0, GET_INFO, 0, &words(&[16, 0, 0, 0])).repeat(100);
    while client.write_all(&ask).is_ok() {}
    drop(served.server);
}

#[test]
fn the_end_of_the_server_ends_the_connection_and_removes_the_socket() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    drop(served.server);
    assert!(client.is_cut_off());
    assert!(!served.path.exists());
    assert_eq!(served.card.config_read(0, 4), 0x0001_E159, "the card itself goes on");
}

#[test]
fn a_stale_socket_is_replaced_and_nothing_else_is() {
    let folder = TempDir::new().unwrap();
    let card = SoftCard::new(CardConfig::default());
    let path = folder.path().join("card.sock");
    drop(UnixListener::bind(&path).unwrap());
    let server = Server::start(&card, &path).expect("no server listens any more");
    let error = Server::start(&card, &path).unwrap_err();
    assert!(matches!(error, SocketPathError::InUse(_)), "{error}");
    Client::begin(&path);

    fs::remove_file(&path).unwrap();
    let other = UnixListener::bind(&path).unwrap();
    drop(server);
    assert!(path.exists(), "it was not the server's");
    drop(other);

    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let error = Server::start(&card, &file).unwrap_err();
    assert!(matches!(error, SocketPathError::NotASocket(_)), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    let error = Server::start(&card, folder.path().join("no/such")).unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[test]
fn a_silent_connection_gives_its_seat_to_the_next_one() {
    let served = serve([Empty; 4]);
    let silent = Client::connect(&served.path);
    // This client waits in the queue until the other one's time is over.
    let machine = Client::begin(&served.path);
    drop((silent, machine));
}

#[test]
fn a_connection_that_takes_no_replies_gives_its_seat_to_the_next_one() {
    let served = serve([Empty; 4]);
    let mut deaf = Client::begin(&served.path);
    deaf.stream.set_nonblocking(true).unwrap();
    let ask = message(0, GET_INFO, 0, &words(&[16, 0, 0, 0])).repeat(100);
    while deaf.write_all(&ask).is_ok() {}
    let machine = Client::begin(&served.path);
    drop((deaf, machine));
}

#[test]
fn a_machine_that_stands_still_keeps_its_card() {
    let served = serve([Empty; 4]);
    let mut machine = Client::begin(&served.path);
    // Longer than the limit for sending the version.
    thread::sleep(Duration::from_secs(6));
    assert_eq!(machine.ask(GET_INFO, &words(&[16, 0, 0, 0])).error, 0);
}

#[test]
fn an_ordinary_file_is_no_eventfd() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    let file = File::from(memfd_create("interrupts", MemfdFlags::CLOEXEC).unwrap());
    let trigger = words(&[20, 1 << 2 | 1 << 5, 0, 0, 1]);
    client.send(SET_IRQS, 0, &trigger, &[file.as_fd()]);
    assert_eq!(client.reply().error, 22, "EINVAL");
}

#[test]
fn a_message_whose_descriptor_was_lost_is_refused() {
    let served = serve([Empty; 4]);
    let mut client = Client::begin(&served.path);
    let file = File::from(memfd_create("guest", MemfdFlags::CLOEXEC).unwrap());
    let many: Vec<BorrowedFd<'_>> = (0..32).map(|_| file.as_fd()).collect();
    // More descriptors than the server takes at a time: the kernel drops the rest, as it does when
    // the process has no free descriptor.
    let switch_off = words(&[20, 1 << 2 | 1 << 5, 0, 0, 1]);
    client.send(SET_IRQS, 0, &switch_off, &many);
    assert_eq!(client.reply().error, 24, "EMFILE");
    assert_eq!(client.ask(GET_INFO, &words(&[16, 0, 0, 0])).error, 0, "and it goes on");
}

/// Descriptors of a hostile client: anything but memory.
fn odd_descriptors(file: &File) -> Vec<OwnedFd> {
    let (reader, writer) = std::io::pipe().unwrap();
    vec![
        reader.into(),
        writer.into(),
        file.try_clone().unwrap().into(),
        eventfd(0, EventfdFlags::empty()).unwrap(),
        File::open("/dev/null").unwrap().into(),
        File::open("/").unwrap().into(),
    ]
}

/// Messages that are nearly right, and arbitrary bytes.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![0_u32..64, Just(0x1000), any::<u32>()];
    let near = (0_u16..20, 0_u32..64, proptest::collection::vec(field, 0..12))
        .prop_map(|(command, flags, payload)| message(7, command, flags, &words(&payload)));
    prop_oneof![8 => near, 1 => proptest::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_client_sends_the_next_one_is_served(
        pieces in proptest::collection::vec((bytes(), 0_usize..8), 1..40),
    ) {
        let served = serve([Fxs, Fxo, Empty, Empty]);
        let mut hostile = Client::begin(&served.path);
        let file = File::from(memfd_create("odd", MemfdFlags::CLOEXEC).unwrap());
        let odd = odd_descriptors(&file);
        for (bytes, count) in pieces {
            // Sending fails once the server has closed the connection.
            let fds = odd.iter().cycle().take(count).map(AsFd::as_fd);
            let fds: Vec<BorrowedFd<'_>> = fds.collect();
            if hostile.try_send(&bytes, &fds).is_err() {
                break;
            }
            served.card.tick();
        }
        drop(hostile);
        let mut machine = Machine::new(&served);
        machine.start();
        served.card.tick();
        prop_assert_eq!(machine.serve_interrupt(), 0x05);
    }
}
