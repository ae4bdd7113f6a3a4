//! The safe interface to io_uring: interrupts, samples and deadlines, submitted and reaped by one
//! thread.
//!
//! All unsafe submission of the driver is in this file. A [`Ring`] is made, used and dropped on one
//! thread (SINGLE_ISSUER | DEFER_TASKRUN; the type is not `Send`), needs Linux 6.1 and does four
//! things: it listens to interrupt files, it reads and writes the samples of ports (`ports.rs`), it
//! keeps absolute timeouts, and it sleeps until one of these completes.
//!
//! # Rules
//! - **Nothing is lost.** A full submission queue submits itself; what the kernel does not take yet
//!   waits in order in a backlog. Completions that do not fit into the completion queue wait in the
//!   kernel and are fetched by [`Ring::completions`].
//! - **An interrupt is polled, not read.** A multishot POLL completes at each wake-up of its file,
//!   without a read on the way to the callback and without being submitted again. A completion does
//!   not say how often the card interrupted: the code that gets it checks the card. An interrupt
//!   that comes after that check has a completion of its own, so none is missed.
//! - **Memory lives as long as the kernel uses it.** The kernel copies a timeout's time when it
//!   takes the entry, so the time is kept in a place of its own until then. Samples that are
//!   written to a port are owned by the ring until the write's completion.
//! - **The caller owns `user_data`.** The ring passes it through and never invents a value. Polls
//!   in flight should have values that no other operation in flight has; otherwise a completion may
//!   be attributed to the wrong one, and nothing worse. Bit 63 (`WRITE_BIT`) is set for writes of
//!   samples and for nothing else, because their memory is given back by it.
//! - **`Ok` from a wait does not mean that there is a completion.** A signal, the deadline or a
//!   temporary lack of kernel memory end it too; the caller checks its completions and its clock
//!   and waits again.
//!
//! # Dropping a ring with operations in flight
//! Everything still in flight is cancelled, and the ring waits up to a second for the polls, the
//! reads and the writes to end, so that the files are closed when the drop returns. An operation
//! that has not ended by then (because of a broken kernel module) keeps its file and its memory
//! until the kernel completes it.

#![allow(unsafe_code)]

mod error;
mod ports;
mod samples;
#[cfg(test)]
mod tests;

use crate::{Time, report};
use std::collections::VecDeque;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fixed, SubmitArgs, TimeoutFlags, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

pub use error::RingError;
pub(crate) use ports::{MAX_PORTS, PortIndex, READ_SAMPLES, WRITE_BIT};

use ports::RingPorts;

/// How many files a ring has room for. The kernel counts them against the process's limit of open
/// files, so a caller should ask for no more than it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Interrupt files and the like, at most [`MAX_FILES`].
    pub files: usize,
    /// Ports, at most 64.
    pub ports: usize,
}

/// How many interrupt files one ring takes at the most.
pub const MAX_FILES: usize = 64;

/// The longest sleep of a wait with a deadline; if the deadline is later, the caller waits again.
const LONGEST_SLEEP: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a dropped ring waits for what it has cancelled.
const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// The kernel's limit for a completion queue.
const MAX_CQ: usize = 65_536;

/// An interrupt file of a [`Ring`]; of use only with the ring that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileIndex(u32);

/// The end of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The value the operation was queued with.
    pub user_data: u64,
    /// The kernel's result: a number of bytes, or events of poll(2); or a negative errno
    /// (`-ETIME`: a timeout expired, `-ECANCELED`: it was cancelled, `-ENOENT`/`-EALREADY`: there
    /// was nothing to cancel any more, `-EIO`: the interrupt file has failed).
    pub result: i32,
}

#[derive(Default)]
struct File {
    /// The `user_data` of the POLL in flight.
    listening: Option<u64>,
}

enum RingOperation {
    Listen {
        file: usize,
        user_data: u64,
        /// Whether the POLL stays in flight after an interrupt, or ends with the first one.
        on: bool,
    },
    Timeout {
        at_nanos: u64,
        user_data: u64,
    },
    CancelTimeout {
        target: u64,
        user_data: u64,
    },
    /// An operation of a port.
    Port(ports::PortOperation),
}

impl RingOperation {
    fn user_data(&self) -> u64 {
        match self {
            RingOperation::Listen { user_data, .. }
            | RingOperation::Timeout { user_data, .. }
            | RingOperation::CancelTimeout { user_data, .. } => *user_data,
            RingOperation::Port(operation) => operation.user_data(),
        }
    }
}

/// One io_uring with the files and times it works on; see the module documentation.
pub struct Ring {
    uring: IoUring,
    files: Vec<File>,
    places: Places,
    ports: RingPorts,
    /// One place per submission queue entry. Entries are taken by the kernel in order, so the place
    /// of the timeout that is `len` timeouts back is free whenever the queue has room for another.
    times: Box<[Timespec]>,
    next_time: usize,
    backlog: VecDeque<RingOperation>,
    /// The kernel accepts submissions of the creating thread only.
    one_thread: PhantomData<*mut ()>,
}

impl Ring {
    /// A ring for up to `requests` timeouts at a time, with so many places for files.
    ///
    /// More timeouts are not refused; `requests` sizes the completion queue so that the kernel does
    /// not need to put completions aside. Must be called on the thread that uses the ring.
    ///
    /// # Errors
    /// The reason why this system refuses a ring, with the cure in the text.
    pub fn new(requests: usize, places: Places) -> Result<Ring, RingError> {
        let places =
            Places { files: places.files.min(MAX_FILES), ports: places.ports.min(MAX_PORTS) };
        let entries = requests.clamp(16, 256).next_power_of_two();
        // Each request may have its timeout and the failed cancellation of it in the queue.
        let completions = requests.saturating_mul(2).saturating_add(2 * MAX_FILES).min(MAX_CQ);
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_clamp()
            .setup_cqsize(completions.max(2 * entries).next_power_of_two() as u32)
            .build(entries as u32)
            .map_err(RingError::from_setup)?;
        uring
            .submitter()
            .register_files_sparse((places.files + places.ports).max(1) as u32)
            .map_err(RingError::from_setup)?;
        // Nothing is queued yet. If a seccomp filter forbids io_uring_enter, this call finds out.
        uring.submit().map_err(RingError::from_setup)?;
        let entries = uring.params().sq_entries() as usize;
        Ok(Ring {
            uring,
            files: Vec::new(),
            places,
            ports: RingPorts::new(places.files as u32),
            times: vec![Timespec::new(); entries].into_boxed_slice(),
            next_time: 0,
            backlog: VecDeque::new(),
            one_thread: PhantomData,
        })
    }

    /// Takes over an interrupt file.
    ///
    /// The descriptor is closed; the ring keeps the file open until it is dropped.
    ///
    /// # Errors
    /// [`RingError::TooManyFiles`] if there is no place for it; [`RingError::File`] when the kernel
    /// refuses the file.
    pub fn add_file(&mut self, fd: OwnedFd) -> Result<FileIndex, RingError> {
        if self.files.len() >= self.places.files {
            return Err(RingError::TooManyFiles { limit: self.places.files });
        }
        let index = self.files.len() as u32;
        self.uring
            .submitter()
            .register_files_update(index, &[fd.as_raw_fd()])
            .map_err(RingError::File)?;
        self.files.push(File::default());
        Ok(FileIndex(index))
    }

    /// Queues a POLL of an interrupt file: each interrupt gives a completion, and several that come
    /// together may give one; the first may be one that came before.
    ///
    /// One per file may be in flight: it ends only by itself, which is rare. Returns false, and
    /// queues nothing, if there is one or if the file is not one of this ring.
    pub fn listen(&mut self, file: FileIndex, user_data: u64) -> bool {
        self.listen_for(file, user_data, true)
    }

    /// As [`Ring::listen`], for the next interrupt alone.
    pub fn listen_once(&mut self, file: FileIndex, user_data: u64) -> bool {
        self.listen_for(file, user_data, false)
    }

    fn listen_for(&mut self, file: FileIndex, user_data: u64, on: bool) -> bool {
        let index = file.0 as usize;
        match self.files.get_mut(index) {
            Some(file) if file.listening.is_none() => file.listening = Some(user_data),
            _ => return false,
        }
        self.queue(RingOperation::Listen { file: index, user_data, on });
        true
    }

    /// Queues a timeout that completes with `-ETIME` at `at_nanos` on CLOCK_MONOTONIC, at once if
    /// that is past. `u64::MAX` never comes.
    pub fn timeout(&mut self, at_nanos: u64, user_data: u64) {
        self.queue(RingOperation::Timeout { at_nanos, user_data });
    }

    /// Queues the cancellation of the timeout that was queued with `target_user_data`.
    ///
    /// The timeout then completes with `-ECANCELED`, and the cancellation itself gives no
    /// completion. If it comes too late the timeout completes as it would have, and the
    /// cancellation completes under its own `user_data` with `-ENOENT` or `-EALREADY`.
    pub fn cancel_timeout(&mut self, target_user_data: u64, user_data: u64) {
        self.queue(RingOperation::CancelTimeout { target: target_user_data, user_data });
    }

    /// Submits what is queued and sleeps until there is a completion, or until the time `until` on
    /// CLOCK_MONOTONIC. May return early; see the rules of the module.
    ///
    /// # Errors
    /// [`RingError::Lost`] or [`RingError::Enter`]: the ring is then of no more use.
    pub fn wait(&mut self, until: Option<u64>) -> Result<(), RingError> {
        self.flush();
        if !self.backlog.is_empty() || !self.uring.completion().is_empty() {
            return self.poll();
        }
        let Some(until) = until else { return outcome(self.uring.submit_and_wait(1)) };
        let left = Time::from_nanos(until).since(Time::monotonic());
        let sleep = Timespec::from(left.min(LONGEST_SLEEP));
        let args = SubmitArgs::new().timespec(&sleep);
        outcome(self.uring.submitter().submit_with_args(1, &args))
    }

    /// Submits what is queued and lets the kernel finish what is ready, without sleeping.
    ///
    /// Costs no system call while nothing is queued and nothing has happened, so it may be called
    /// in a loop.
    ///
    /// # Errors
    /// As [`Ring::wait`].
    pub fn poll(&mut self) -> Result<(), RingError> {
        self.flush();
        let queue = self.uring.submission();
        let idle = queue.is_empty() && !queue.taskrun() && !queue.cq_overflow();
        drop(queue);
        if idle { Ok(()) } else { self.enter() }
    }

    /// Hands over every completion there is. Their order means nothing: kernels differ in it.
    ///
    /// If `f` panics, the completion it was given counts as handed over and the others stay.
    pub fn completions(&mut self, f: &mut dyn FnMut(Completion)) {
        loop {
            let mut any = false;
            loop {
                // One at a time, so that each is marked as taken before `f` sees it.
                let Some(entry) = self.uring.completion().next() else { break };
                any = true;
                let more = cqueue::more(entry.flags());
                let completion = self.decode(entry.user_data(), entry.result(), more);
                f(completion);
            }
            // Completions that did not fit are with the kernel, and come when there is room.
            if !any || !self.uring.submission().cq_overflow() || self.enter().is_err() {
                return;
            }
        }
    }

    fn decode(&mut self, user_data: u64, mut result: i32, more: bool) -> Completion {
        self.ports.ended(user_data);
        if let Some(file) = self.files.iter_mut().find(|file| file.listening == Some(user_data)) {
            if !more {
                file.listening = None;
            }
            if result > 0 && result & i32::from(libc::POLLERR | libc::POLLHUP) != 0 {
                // The result that a read would have: the device of the file is gone.
                result = -libc::EIO;
            }
        }
        Completion { user_data, result }
    }

    fn queue(&mut self, operation: RingOperation) {
        let writes = matches!(operation, RingOperation::Port(ports::PortOperation::Write { .. }));
        if (operation.user_data() & WRITE_BIT != 0) != writes {
            report!(ERROR, "{:#x} is not a value for this operation", operation.user_data());
            return;
        }
        self.backlog.push_back(operation);
        self.flush();
    }

    /// Moves the backlog into the submission queue, submitting when that is full.
    fn flush(&mut self) {
        while let Some(operation) = self.backlog.front() {
            if self.uring.submission().is_full() {
                // An error is either passing or met again by the wait that follows; the entries
                // stay where they are.
                let _ = self.uring.submit();
                if self.uring.submission().is_full() {
                    return;
                }
            }
            let entry = match *operation {
                RingOperation::Listen { file, user_data, on } => {
                    opcode::PollAdd::new(Fixed(file as u32), libc::POLLIN as u32)
                        .multi(on)
                        .build()
                        .user_data(user_data)
                }
                RingOperation::Timeout { at_nanos, user_data } => {
                    self.timeout_entry(at_nanos, user_data)
                }
                RingOperation::CancelTimeout { target, user_data } => {
                    opcode::TimeoutRemove::new(target)
                        .build()
                        .flags(squeue::Flags::SKIP_SUCCESS)
                        .user_data(user_data)
                }
                RingOperation::Port(operation) => self.ports.entry(operation),
            };
            // SAFETY: timeout_entry and Ports::entry guarantee that what the entry points to stays
            // valid for as long as the kernel uses it; a POLL and a removal point to nothing.
            if unsafe { self.uring.submission().push(&entry) }.is_err() {
                return;
            }
            self.backlog.pop_front();
        }
    }

    /// The kernel copies the time when it takes the entry, which is before the queue has had room
    /// for `times.len()` more entries, which is before this place is written again.
    fn timeout_entry(&mut self, at_nanos: u64, user_data: u64) -> squeue::Entry {
        let place = self.next_time;
        self.next_time = (place + 1) % self.times.len();
        let time = &mut self.times[place];
        *time = Timespec::from(Duration::from_nanos(at_nanos));
        opcode::Timeout::new(time).flags(TimeoutFlags::ABS).build().user_data(user_data)
    }

    /// One `io_uring_enter` that does not sleep.
    fn enter(&mut self) -> Result<(), RingError> {
        outcome(self.uring.submit())
    }

    fn busy(&self) -> bool {
        self.files.iter().any(|file| file.listening.is_some()) || self.ports.busy()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let end = Time::monotonic() + DROP_PATIENCE;
        while self.busy() {
            // Again in each round: what was still queued when the ring was dropped is submitted by
            // the first one, and can be cancelled only then.
            let submitted = self.poll();
            // The kernel can't cancel a write that is being played.
            self.ports.silence_all();
            let all = CancelBuilder::any().all();
            let _ = self.uring.submitter().register_sync_cancel(Some(DROP_PATIENCE.into()), all);
            let reaped = self.wait(Some(end.as_nanos()));
            self.completions(&mut |_| {});
            if submitted.and(reaped).is_err() || Time::monotonic() >= end {
                break;
            }
        }
        if self.busy() {
            report!(WARN, "an operation could not be cancelled; its file stays open until it ends");
            self.ports.leave();
        }
        let _ = self.uring.submitter().unregister_files();
    }
}

fn outcome(entered: io::Result<usize>) -> Result<(), RingError> {
    let Err(error) = entered else { return Ok(()) };
    match error.raw_os_error() {
        // The time came, a signal came, or the kernel is short of memory or queue for a moment.
        Some(libc::ETIME | libc::EINTR | libc::EAGAIN | libc::EBUSY) => Ok(()),
        Some(libc::EBADR) => Err(RingError::Lost),
        _ => Err(RingError::Enter(error)),
    }
}
