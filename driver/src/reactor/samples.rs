//! Samples that the kernel moves: those that engines play, and those that ports receive.
//!
//! An engine queues its orders in the outbox. [`Ports`] turns them into WRITEs in the reaper's
//! ring, each under the id of its request, and keeps a READ in flight on every port. Their results
//! reach the engine in [`Arrived`].
//!
//! Rules: a play ends exactly once, played, dropped or failed, whatever happens to its WRITEs.
//! Never more is written than the kernel's queue accepts at once, so that no WRITE waits in the
//! kernel for room, where dropping the queue would not reach it.

use std::collections::VecDeque;

use crate::device::PortFile;
use crate::device::ring::{PortIndex, Ring, RingError};
use crate::engine::{Play, Played};
use crate::request::RequestId;
use crate::{PortNumber, report};

use super::arrived::{Arrived, Sound};
use super::user_data::{self, EntryKind};

/// The number of samples that a port's queue in the kernel accepts.
const ROOM: usize = 65_536;

/// An order of an engine to a port.
#[derive(Debug)]
pub(crate) enum Order {
    /// Plays samples behind those that are queued; `id` is that of the request, if there is one.
    Play { port: PortNumber, play: Play, id: Option<RequestId>, samples: Vec<u8> },
    /// Drops everything that is queued.
    Silence { port: PortNumber },
}

/// The orders of the engine, and buffers to use again. Part of the outbox.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    pub(crate) given: Vec<Order>,
    pub(crate) spare: Vec<Vec<u8>>,
    plays: u32,
}

impl Orders {
    pub(crate) fn play(&mut self, port: PortNumber, id: Option<RequestId>, samples: &[u8]) -> Play {
        self.plays = self.plays.wrapping_add(1);
        let play = Play(self.plays);
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(samples);
        self.given.push(Order::Play { port, play, id, samples: buffer });
        play
    }

    pub(crate) fn silence(&mut self, port: PortNumber) {
        self.given.push(Order::Silence { port });
    }
}

/// A play whose samples are still to be written.
#[derive(Debug)]
struct UnsentPlay {
    play: Play,
    id: Option<RequestId>,
    samples: Vec<u8>,
}

/// A WRITE in flight.
#[derive(Debug)]
struct SentWrite {
    place: usize,
    play: Play,
    id: Option<RequestId>,
    length: usize,
}

#[derive(Debug)]
struct Port {
    number: PortNumber,
    index: PortIndex,
    /// Number of samples in the kernel's queue, or on their way to it.
    queued: usize,
    waiting: VecDeque<UnsentPlay>,
    /// Set when the port's file has failed, and nothing is read or written any more.
    failed: bool,
}

/// The ports of a card, with their READs and WRITEs.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    ports: Vec<Port>,
    /// The WRITEs in flight, by place; the stamp distinguishes one use of a place from the next.
    writing: Vec<(u16, Option<SentWrite>)>,
    /// Plays that have ended without a WRITE and are not reported to the engine yet.
    ended: Vec<Sound>,
}

impl Ports {
    pub(crate) fn new(files: Vec<PortFile>, ring: &mut Ring) -> Result<Ports, RingError> {
        let mut ports = Vec::with_capacity(files.len());
        for PortFile { port: number, fd } in files {
            let index = ring.add_port(fd)?;
            ports.push(Port { number, index, queued: 0, waiting: VecDeque::new(), failed: false });
        }
        Ok(Ports { ports, ..Ports::default() })
    }

    /// Submits a READ for each port that has none in flight.
    pub(crate) fn listen(&self, ring: &mut Ring) {
        for (place, port) in self.ports.iter().enumerate().filter(|(_, port)| !port.failed) {
            // If a READ is already in flight, no other is queued.
            ring.read_samples(port.index, user_data::received(place));
        }
    }

    /// Carries out an engine's order.
    pub(crate) fn order(&mut self, order: Order, ring: &mut Ring) {
        let (Order::Play { port: number, .. } | Order::Silence { port: number }) = order;
        let place = self.ports.iter().position(|port| port.number == number && !port.failed);
        match (order, place) {
            (Order::Play { play, id, samples, .. }, Some(place)) => {
                if let Some(port) = self.ports.get_mut(place) {
                    port.waiting.push_back(UnsentPlay { play, id, samples });
                }
                self.pump(place, ring);
            }
            (Order::Play { port, play, .. }, None) => {
                self.end(port, play, Played::Failed(libc::ENODEV));
            }
            (Order::Silence { .. }, Some(place)) => self.silence(place, ring),
            (Order::Silence { .. }, None) => {}
        }
    }

    fn silence(&mut self, place: usize, ring: &mut Ring) {
        let Some(port) = self.ports.get_mut(place) else { return };
        let (number, dropped) = (port.number, std::mem::take(&mut port.waiting));
        if port.queued > 0 {
            ring.silence(port.index, user_data::silence(place));
        }
        for waiting in dropped {
            self.end(number, waiting.play, Played::Dropped);
        }
    }

    fn end(&mut self, port: PortNumber, play: Play, played: Played) {
        self.ended.push(Sound::Played { port, play, played });
    }

    /// Returns whether a play has ended without a completion of the ring.
    pub(crate) fn has_news(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Moves the plays that ended without a WRITE to `arrived`.
    pub(crate) fn tell(&mut self, arrived: &mut Arrived) {
        arrived.sounds.append(&mut self.ended);
    }

    /// Submits WRITEs for as much as the kernel's queue accepts.
    fn pump(&mut self, place: usize, ring: &mut Ring) {
        let Some(port) = self.ports.get_mut(place) else { return };
        while let Some(next) = port.waiting.front() {
            // A play that is larger than the queue is written alone; the kernel takes a part of it,
            // and the rest is written later.
            if port.queued > 0 && port.queued + next.samples.len() > ROOM {
                return;
            }
            let Some(UnsentPlay { play, id, samples }) = port.waiting.pop_front() else { return };
            let length = samples.len();
            let free = self.writing.iter().position(|(_, writing)| writing.is_none());
            let write = free.unwrap_or_else(|| {
                self.writing.push((0, None));
                self.writing.len() - 1
            });
            let Some((stamp, writing)) = self.writing.get_mut(write) else { return };
            *stamp = stamp.wrapping_add(1) & user_data::STAMP;
            let value = user_data::play(write, *stamp, id);
            if ring.write(port.index, samples, value).is_err() {
                report!(ERROR, "the ring takes no samples for port {}", port.number);
                let played = Played::Failed(libc::EIO);
                self.ended.push(Sound::Played { port: port.number, play, played });
                continue;
            }
            *writing = Some(SentWrite { place, play, id, length });
            port.queued += length;
        }
    }

    /// Handles the completion of a READ or WRITE, whose kind was read from `user_data`.
    pub(crate) fn completed(
        &mut self,
        kind: EntryKind,
        user_data: u64,
        result: i32,
        ring: &mut Ring,
        arrived: &mut Arrived,
    ) {
        match kind {
            EntryKind::Received(place) => self.received(place, result, ring, arrived),
            EntryKind::Play { place, stamp, .. } => {
                self.written(place, stamp, user_data, result, ring, arrived);
            }
            _ => {}
        }
    }

    fn received(&mut self, place: usize, result: i32, ring: &mut Ring, arrived: &mut Arrived) {
        let Some(port) = self.ports.get_mut(place) else { return };
        match usize::try_from(result) {
            Ok(length) if length > 0 => {
                let samples = ring.received(port.index);
                let length = length.min(samples.len());
                arrived.sounds.push(Sound::Received { port: port.number, samples, length });
            }
            // The kernel cancels a READ when its submitter gets a signal; it is queued again.
            _ if result == -libc::ECANCELED || result == -libc::EINTR => {}
            _ => {
                let error = std::io::Error::from_raw_os_error(-result);
                report!(
                    ERROR,
                    "the file of port {} failed ({error}); the card is gone",
                    port.number
                );
                arrived.gone = true;
                let (number, waiting) = (port.number, std::mem::take(&mut port.waiting));
                port.failed = true;
                for waiting in waiting {
                    self.end(number, waiting.play, Played::Failed(libc::ENODEV));
                }
            }
        }
    }

    fn written(
        &mut self,
        write: usize,
        stamp: u16,
        user_data: u64,
        result: i32,
        ring: &mut Ring,
        arrived: &mut Arrived,
    ) {
        let Some((current, writing)) = self.writing.get_mut(write) else { return };
        let Some(SentWrite { place, play, id, length }) = writing.take_if(|_| *current == stamp)
        else {
            return;
        };
        let mut samples = ring.take_back(user_data).unwrap_or_default();
        let Some(port) = self.ports.get_mut(place) else { return };
        port.queued = port.queued.saturating_sub(length);
        let played = match usize::try_from(result) {
            Ok(written) if written >= length => Played::All,
            Ok(written) if written > 0 => {
                // The kernel has not taken the rest. It is written next, before plays that wait.
                samples.drain(..written.min(samples.len()));
                port.waiting.push_front(UnsentPlay { play, id, samples });
                return self.pump(place, ring);
            }
            Ok(_) => Played::Failed(libc::EIO),
            Err(_) if result == -libc::ECANCELED => Played::Dropped,
            Err(_) => Played::Failed(result.saturating_neg()),
        };
        arrived.spare.push(samples);
        arrived.sounds.push(Sound::Played { port: port.number, play, played });
        self.pump(place, ring);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;
    use crate::device::ring::Places;
    use crate::request::Table;

    const ID: Option<RequestId> = RequestId::new(77);

    /// Makes port 2, whose file is a pipe for 4096 samples.
    fn piped() -> (Ring, Ports, std::fs::File) {
        let (read, write) = nix::unistd::pipe().unwrap();
        let size = nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096);
        assert_eq!(nix::fcntl::fcntl(&write, size), Ok(4096));
        let mut ring = Ring::new(16, Places { files: 0, ports: 4 }).unwrap();
        let files = vec![PortFile { port: PortNumber(2), fd: write }];
        let ports = Ports::new(files, &mut ring).unwrap();
        (ring, ports, std::fs::File::from(read))
    }

    /// Plays samples as the play with this number.
    fn play(ports: &mut Ports, ring: &mut Ring, number: u32, samples: Vec<u8>) {
        ports.order(Order::Play { port: PortNumber(2), play: Play(number), id: ID, samples }, ring);
    }

    /// Takes completions from the ring, and returns the plays that have ended.
    fn ended(ports: &mut Ports, ring: &mut Ring, arrived: &mut Arrived) -> Vec<(u32, Played)> {
        let table = Table::with_capacity(1).unwrap();
        let mut came = Vec::new();
        ring.completions(&mut |completion| came.push(completion));
        for completion in came {
            let kind = user_data::classify(completion.user_data, &table);
            assert_eq!(completion.user_data as u32, 77, "the request's id");
            ports.completed(kind, completion.user_data, completion.result, ring, arrived);
        }
        ports.tell(arrived);
        let plays = arrived.sounds.drain(..).filter_map(|sound| match sound {
            Sound::Played { port: PortNumber(2), play, played } => Some((play.0, played)),
            _ => None,
        });
        plays.collect()
    }

    #[test]
    fn a_write_that_was_cut_short_goes_on_and_ends_once() {
        let (mut ring, mut ports, mut pipe) = piped();
        let samples: Vec<u8> = (0..10_000).map(|n| (n % 251) as u8).collect();
        play(&mut ports, &mut ring, 1, samples.clone());
        play(&mut ports, &mut ring, 2, vec![255; 8]);
        let reader = thread::spawn(move || {
            let mut heard = vec![0; 10_008];
            pipe.read_exact(&mut heard).unwrap();
            heard
        });
        let (mut arrived, mut plays) = (Arrived::default(), Vec::new());
        while plays.len() < 2 {
            ring.wait(None).unwrap();
            plays.extend(ended(&mut ports, &mut ring, &mut arrived));
        }
        plays.sort_by_key(|(number, _)| *number);
        assert_eq!(plays, [(1, Played::All), (2, Played::All)]);
        let heard = reader.join().unwrap();
        assert_eq!(heard.iter().filter(|&&sample| sample == 255).count(), 8);
        let rest: Vec<u8> = heard.into_iter().filter(|&sample| sample != 255).collect();
        assert_eq!(rest, samples);
        assert_eq!(arrived.spare.len(), 2, "their memory is used again");
    }

    #[test]
    fn what_waits_for_room_is_dropped_at_once_and_the_rest_by_the_kernel() {
        let (mut ring, mut ports, _pipe) = piped();
        let mut arrived = Arrived::default();
        // This play fills the kernel's queue; the pipe takes a part of it, and the rest waits.
        play(&mut ports, &mut ring, 1, vec![1; ROOM]);
        play(&mut ports, &mut ring, 2, vec![2; 100]);
        assert!(!ports.has_news());
        ports.order(Order::Silence { port: PortNumber(2) }, &mut ring);
        assert!(ports.has_news());
        ports.tell(&mut arrived);
        assert!(matches!(
            arrived.sounds[..],
            [Sound::Played { port: PortNumber(2), play: Play(2), played: Played::Dropped }]
        ));
        arrived.sounds.clear();
        // The module's result for a WRITE that it drops, and one completion too many.
        let value = user_data::play(0, 1, ID);
        let kind = EntryKind::Play { place: 0, stamp: 1, id: ID };
        ports.completed(kind, value, -libc::ECANCELED, &mut ring, &mut arrived);
        ports.completed(kind, value, -libc::ECANCELED, &mut ring, &mut arrived);
        assert!(matches!(
            arrived.sounds[..],
            [Sound::Played { port: PortNumber(2), play: Play(1), played: Played::Dropped }]
        ));
    }

    #[test]
    fn errors_of_the_kernel_end_a_play_once() {
        for (result, played) in [
            (-libc::EIO, Played::Failed(libc::EIO)),
            (-libc::ENODEV, Played::Failed(libc::ENODEV)),
            (0, Played::Failed(libc::EIO)),
        ] {
            let (mut ring, mut ports, _pipe) = piped();
            let mut arrived = Arrived::default();
            play(&mut ports, &mut ring, 1, vec![1; ROOM]);
            let (kind, value) =
                (EntryKind::Play { place: 0, stamp: 1, id: ID }, user_data::play(0, 1, ID));
            ports.completed(kind, value, result, &mut ring, &mut arrived);
            ports.completed(kind, value, result, &mut ring, &mut arrived);
            let [Sound::Played { played: told, .. }] = arrived.sounds[..] else {
                panic!("{:?}", arrived.sounds)
            };
            assert_eq!(told, played);
        }
    }

    #[test]
    fn a_port_that_is_not_there_plays_nothing_and_says_so() {
        let (mut ring, mut ports, _pipe) = piped();
        let order = Order::Play { port: PortNumber(0), play: Play(9), id: None, samples: vec![1] };
        ports.order(order, &mut ring);
        ports.order(Order::Silence { port: PortNumber(0) }, &mut ring);
        let mut arrived = Arrived::default();
        ports.tell(&mut arrived);
        let [Sound::Played { port: PortNumber(0), play: Play(9), played }] = arrived.sounds[..]
        else {
            panic!("{:?}", arrived.sounds)
        };
        assert_eq!(played, Played::Failed(libc::ENODEV));
    }
}
