//! The samples of ports in the ring: READs that return received samples, and WRITEs that complete
//! when their last sample was played.
//!
//! The files behave as the char devices of the `ringback` module do. A READ waits for as much as it
//! asks for. A WRITE is copied when the kernel takes it and completes with its length when it was
//! played; the kernel can't cancel it, but an empty WRITE drops all that is queued, and what is
//! dropped completes with `-ECANCELED`. WRITEs to a port are taken in the order in which they were
//! queued here.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr;
use std::sync::atomic::AtomicU8;

use io_uring::{opcode, squeue, types::Fixed};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Samples that a READ of a port asks for: 20 ms.
pub const READ_SAMPLES: usize = 160;

/// How many ports one ring takes at the most.
pub const MAX_PORTS: usize = 64;

/// Set in the `user_data` of every [`Ring::write`](super::Ring::write), and of nothing else.
pub const WRITE_BIT: u64 = 1 << 63;

/// The place of a port in its [`Ring`](super::Ring), which is not its number on the card; of use
/// only with the ring that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortIndex(pub(super) u32);

pub(super) struct RingPort {
    /// Kept to drop what is queued when the ring is dropped.
    pub(super) fd: OwnedFd,
    /// Filled by the kernel; leaked, as the buffers of the interrupt files are.
    pub(super) received: &'static [AtomicU8; READ_SAMPLES],
    /// The `user_data` of the READ in flight.
    pub(super) reading: Option<u64>,
}

/// A WRITE from being queued until its memory is asked for.
pub(super) struct PendingWrite {
    pub(super) user_data: u64,
    /// The kernel may read it until `over`.
    pub(super) samples: Vec<u8>,
    pub(super) over: bool,
}

/// An operation of a port, waiting to be submitted.
#[derive(Debug, Clone, Copy)]
pub(super) enum PortOperation {
    Read { port: PortIndex, user_data: u64 },
    Write { port: PortIndex, user_data: u64 },
    Silence { port: PortIndex, user_data: u64 },
}

impl PortOperation {
    pub(super) fn user_data(self) -> u64 {
        match self {
            PortOperation::Read { user_data, .. }
            | PortOperation::Write { user_data, .. }
            | PortOperation::Silence { user_data, .. } => user_data,
        }
    }
}

/// The ports of a ring.
pub(super) struct RingPorts {
    /// The place of the first port's file.
    pub(super) first: u32,
    pub(super) ports: Vec<RingPort>,
    pub(super) writes: Vec<PendingWrite>,
}

impl RingPorts {
    pub(super) fn new(first: u32) -> RingPorts {
        RingPorts { first, ports: Vec::new(), writes: Vec::new() }
    }

    /// Makes the submission queue entry of an operation. It points to memory that lives until the
    /// completion: that of a READ is leaked, that of a WRITE is released only by `ended`.
    pub(super) fn entry(&self, operation: PortOperation) -> squeue::Entry {
        let nothing = |user_data| opcode::Nop::new().build().user_data(user_data);
        let fixed = |port: PortIndex| Fixed(self.first + port.0);
        match operation {
            PortOperation::Read { port, user_data } => match self.ports.get(port.0 as usize) {
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
            PortOperation::Write { port, user_data } => {
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
            PortOperation::Silence { port, user_data } => {
                opcode::Write::new(fixed(port), ptr::NonNull::dangling().as_ptr(), 0)
                    .offset(u64::MAX)
                    .build()
                    .user_data(user_data)
            }
        }
    }

    /// Notes a completion: the kernel does not use the operation's memory any more. `Ring::queue`
    /// and `Ring::write` guarantee that no other operation has the `user_data` of a WRITE.
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
            // If this fails the card is gone, and the kernel ends the writes. Non-blocking, because
            // dropping must not wait here.
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

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}
