//! The samples of ports in the ring: READs that bring what came in, WRITEs that end when their last
//! sample was played.
//!
//! The files behave as the char devices of the `ringback` module do. A READ waits for as much as it
//! asks for. A WRITE is copied when the kernel takes it and completes with its length when it was
//! played; the kernel can't cancel it, but a WRITE of nothing drops all that is queued, and what is
//! dropped completes with `-ECANCELED`. WRITEs to a port are taken in the order in which they were
//! queued here.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};

use io_uring::{opcode, squeue, types::Fixed};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use super::{Operation as RingOperation, Ring, RingError};

/// Samples that a READ of a port asks for: 20 ms.
pub const READ_SAMPLES: usize = 160;

/// How many ports one ring takes at the most.
pub const MAX_PORTS: usize = 64;

/// Set in the `user_data` of every [`Ring::write`], and of nothing else.
pub const WRITE_BIT: u64 = 1 << 63;

/// A port of a [`Ring`]; of use only with the ring that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortIndex(u32);

struct Port {
    /// Kept to drop what is queued when the ring is dropped.
    fd: OwnedFd,
    /// Filled by the kernel; leaked, as the buffers of the interrupt files are.
    received: &'static [AtomicU8; READ_SAMPLES],
    /// The `user_data` of the READ in flight.
    reading: Option<u64>,
}

/// A WRITE from being queued until its memory is asked for.
struct Writing {
    user_data: u64,
    /// The kernel may read it until `over`.
    samples: Vec<u8>,
    over: bool,
}

/// An operation of a port, waiting to be submitted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Read { port: u32, user_data: u64 },
    Write { port: u32, user_data: u64 },
    Silence { port: u32, user_data: u64 },
}

impl Operation {
    pub(super) fn user_data(self) -> u64 {
        match self {
            Operation::Read { user_data, .. }
            | Operation::Write { user_data, .. }
            | Operation::Silence { user_data, .. } => user_data,
        }
    }
}

/// The ports of a ring.
pub(super) struct Ports {
    /// The place of the first port's file.
    first: u32,
    ports: Vec<Port>,
    writes: Vec<Writing>,
}

impl Ports {
    pub(super) fn new(first: u32) -> Ports {
        Ports { first, ports: Vec::new(), writes: Vec::new() }
    }

    /// What this operation is for the kernel. Points to memory that lives until its completion:
    /// that of a READ for ever, that of a WRITE because `ended` alone lets go of it.
    pub(super) fn entry(&self, operation: Operation) -> squeue::Entry {
        let nothing = |user_data| opcode::Nop::new().build().user_data(user_data);
        let fixed = |port: u32| Fixed(self.first + port);
        match operation {
            Operation::Read { port, user_data } => match self.ports.get(port as usize) {
                Some(state) => opcode::Read::new(
                    fixed(port),
                    state.received.as_ptr().cast_mut().cast(),
                    READ_SAMPLES as u32,
                )
                .offset(u64::MAX)
                .build()
                .user_data(user_data),
                None => nothing(user_data),
            },
            Operation::Write { port, user_data } => {
                match self.writes.iter().find(|write| write.user_data == user_data) {
                    Some(write) => {
                        let length = u32::try_from(write.samples.len()).unwrap_or(u32::MAX);
                        opcode::Write::new(fixed(port), write.samples.as_ptr(), length)
                            .offset(u64::MAX)
                            .build()
                            .user_data(user_data)
                    }
                    None => nothing(user_data),
                }
            }
            Operation::Silence { port, user_data } => {
                opcode::Write::new(fixed(port), ptr::NonNull::dangling().as_ptr(), 0)
                    .offset(u64::MAX)
                    .build()
                    .user_data(user_data)
            }
        }
    }

    /// A completion has come: the kernel is done with what it belongs to. No other operation has
    /// the `user_data` of a WRITE, which `Ring::queue` and `Ring::write` see to.
    pub(super) fn ended(&mut self, user_data: u64) {
        if user_data & WRITE_BIT != 0 {
            if let Some(write) = self.writes.iter_mut().find(|write| write.user_data == user_data) {
                write.over = true;
            }
        } else if let Some(port) =
            self.ports.iter_mut().find(|port| port.reading == Some(user_data))
        {
            port.reading = None;
        }
    }

    /// Whether an operation of a port is in flight in the kernel.
    pub(super) fn busy(&self) -> bool {
        self.ports.iter().any(|port| port.reading.is_some())
            || self.writes.iter().any(|write| !write.over)
    }

    /// Drops what is queued for every port, at once.
    pub(super) fn silence_all(&self) {
        if self.writes.iter().all(|write| write.over) {
            return;
        }
        for port in &self.ports {
            // Where it fails the card is gone, and the kernel ends the writes. It must not wait.
            let _ = set_nonblocking(&port.fd)
                .and_then(|()| Ok(nix::unistd::write(port.fd.as_fd(), &[])?));
        }
    }

    /// Memory of operations that the kernel has not completed is never freed.
    pub(super) fn leave(&mut self) {
        for write in self.writes.drain(..).filter(|write| !write.over) {
            std::mem::forget(write.samples);
        }
    }
}

impl Ring {
    /// Takes over the file of a port's samples. It should not be O_NONBLOCK.
    ///
    /// The ring keeps the file open until it is dropped.
    ///
    /// # Errors
    /// [`RingError::TooManyFiles`] if there is no place for it; [`RingError::File`] when the kernel
    /// refuses the file.
    pub fn add_port(&mut self, fd: OwnedFd) -> Result<PortIndex, RingError> {
        if self.ports.ports.len() >= self.places.ports {
            return Err(RingError::TooManyFiles { limit: self.places.ports });
        }
        let index = self.ports.ports.len() as u32;
        let place = self.ports.first + index;
        let registered = self.uring.submitter().register_files_update(place, &[fd.as_raw_fd()]);
        registered.map_err(RingError::File)?;
        let received = Box::leak(Box::new([const { AtomicU8::new(0) }; READ_SAMPLES]));
        self.ports.ports.push(Port { fd, received, reading: None });
        Ok(PortIndex(index))
    }

    /// Queues a READ of [`READ_SAMPLES`] samples; [`Ring::received`] gives them after its
    /// completion.
    ///
    /// One READ per port may be in flight. Returns false, and queues nothing, if there is one or if
    /// the port is not one of this ring.
    pub fn read_samples(&mut self, port: PortIndex, user_data: u64) -> bool {
        match self.ports.ports.get_mut(port.0 as usize) {
            Some(state) if state.reading.is_none() => state.reading = Some(user_data),
            _ => return false,
        }
        self.queue(RingOperation::Port(Operation::Read { port: port.0, user_data }));
        true
    }

    /// What the last READ of a port has brought; valid until the next is queued.
    pub fn received(&self, port: PortIndex) -> [u8; READ_SAMPLES] {
        let Some(port) = self.ports.ports.get(port.0 as usize) else { return [0; READ_SAMPLES] };
        port.received.each_ref().map(|sample| sample.load(Ordering::Relaxed))
    }

    /// Queues a WRITE of samples, which completes with their number when they were played. The ring
    /// owns them until then; [`Ring::take_back`] gives them back.
    ///
    /// # Errors
    /// The samples, if the port is not one of this ring, if `user_data` lacks [`WRITE_BIT`] or is
    /// that of another WRITE whose samples were not taken back.
    pub fn write(
        &mut self,
        port: PortIndex,
        samples: Vec<u8>,
        user_data: u64,
    ) -> Result<(), Vec<u8>> {
        let known = (port.0 as usize) < self.ports.ports.len();
        let used = self.ports.writes.iter().any(|write| write.user_data == user_data);
        if !known || used || user_data & WRITE_BIT == 0 {
            return Err(samples);
        }
        self.ports.writes.push(Writing { user_data, samples, over: false });
        self.queue(RingOperation::Port(Operation::Write { port: port.0, user_data }));
        Ok(())
    }

    /// The samples of a WRITE whose completion has come.
    pub fn take_back(&mut self, user_data: u64) -> Option<Vec<u8>> {
        let over = |write: &Writing| write.user_data == user_data && write.over;
        let place = self.ports.writes.iter().position(over)?;
        Some(self.ports.writes.swap_remove(place).samples)
    }

    /// Queues a WRITE of nothing, which drops all that a port has to play: its WRITEs complete with
    /// `-ECANCELED`.
    pub fn silence(&mut self, port: PortIndex, user_data: u64) {
        if (port.0 as usize) < self.ports.ports.len() {
            self.queue(RingOperation::Port(Operation::Silence { port: port.0, user_data }));
        }
    }
}

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::super::tests::EVERY;
    use super::super::{Completion, monotonic_nanos};
    use super::*;

    const W: u64 = WRITE_BIT;

    /// A port, where a socket stands in for the char device: a datagram is a WRITE.
    fn port(ring: &mut Ring) -> (UnixDatagram, PortIndex) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        (theirs, ring.add_port(ours.into()).unwrap())
    }

    fn take(ring: &mut Ring, n: usize) -> Vec<(u64, i32)> {
        let end = monotonic_nanos() + 60_000_000_000;
        let mut got = Vec::new();
        while got.len() < n {
            assert!(monotonic_nanos() < end, "{} of {n} completions came", got.len());
            ring.wait(Some(end)).unwrap();
            ring.completions(&mut |Completion { user_data, result, .. }| {
                got.push((user_data, result));
            });
        }
        got
    }

    fn heard(theirs: &UnixDatagram) -> Vec<u8> {
        let mut samples = vec![0; 100_000];
        let count = theirs.recv(&mut samples).unwrap();
        samples.truncate(count);
        samples
    }

    #[test]
    fn samples_come_and_go() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (theirs, port) = port(&mut ring);
        assert!(ring.read_samples(port, 5));
        assert!(!ring.read_samples(port, 6), "one READ is in flight");
        theirs.send(&[7; READ_SAMPLES]).unwrap();
        assert_eq!(take(&mut ring, 1), [(5, 160)]);
        assert_eq!(ring.received(port), [7; READ_SAMPLES]);
        assert!(ring.read_samples(port, 6));

        ring.write(port, vec![1; 1000], W | 77).unwrap();
        ring.silence(port, 9);
        assert_eq!(ring.take_back(W | 77), None, "the kernel has them");
        let mut ended = take(&mut ring, 2);
        ended.sort();
        assert_eq!(ended, [(9, 0), (W | 77, 1000)]);
        assert_eq!(ring.take_back(W | 77), Some(vec![1; 1000]));
        assert_eq!((heard(&theirs), heard(&theirs)), (vec![1; 1000], vec![]), "in this order");
    }

    #[test]
    fn memory_is_given_back_by_a_value_that_only_its_write_has() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (_theirs, port) = port(&mut ring);
        assert_eq!(ring.write(port, vec![1], 7), Err(vec![1]), "without the bit");
        assert_eq!(ring.write(PortIndex(3), vec![1], W), Err(vec![1]), "another ring's port");
        ring.write(port, vec![2], W | 1).unwrap();
        assert_eq!(ring.write(port, vec![3], W | 1), Err(vec![3]), "in flight already");
        // Nothing else may have the bit, and so end a WRITE in its stead.
        ring.timeout(0, W | 1);
        ring.silence(port, W | 1);
        ring.timeout(0, 4);
        let mut ended = take(&mut ring, 2);
        ended.sort();
        assert_eq!(ended, [(4, -libc::ETIME), (W | 1, 1)]);
        assert_eq!(ring.take_back(W | 1), Some(vec![2]));
    }

    #[test]
    fn a_ring_that_is_dropped_waits_for_nothing_that_can_be_cancelled() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let (theirs, port) = port(&mut ring);
        assert!(ring.read_samples(port, 1));
        // More than the socket takes: the rest waits.
        for n in 0..40 {
            ring.write(port, vec![n as u8; 20_000], W | n).unwrap();
        }
        ring.poll().unwrap();
        let began = monotonic_nanos();
        drop(ring);
        assert!(monotonic_nanos() - began < 60_000_000_000);
        // Our end is closed, so what was not queued never comes.
        theirs.set_nonblocking(true).unwrap();
        let mut queued = 0;
        while theirs.recv(&mut [0; 20_000]).is_ok() {
            queued += 1;
        }
        assert!((1..40).contains(&queued), "{queued}");
    }

    #[test]
    fn ports_are_limited() {
        let mut ring = Ring::new(16, EVERY).unwrap();
        let ports: Vec<_> = (0..MAX_PORTS).map(|_| port(&mut ring)).collect();
        let (ours, _theirs) = UnixDatagram::pair().unwrap();
        let error = ring.add_port(ours.into()).unwrap_err();
        assert!(matches!(error, RingError::TooManyFiles { limit: MAX_PORTS }));
        for (n, (theirs, port)) in ports.iter().enumerate() {
            assert!(ring.read_samples(*port, n as u64));
            theirs.send(&[n as u8; 10]).unwrap();
        }
        for (n, result) in take(&mut ring, MAX_PORTS) {
            assert_eq!(result, 10);
            let (_, port) = ports[n as usize];
            assert_eq!(ring.received(port)[..10], [n as u8; 10]);
        }
    }
}
