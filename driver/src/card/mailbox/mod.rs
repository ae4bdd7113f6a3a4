//! The mailbox: the smallest whole engine, and the one to read before writing another.
//!
//! The hardware (the module `uio_dummy`, or [`SoftMailbox`]) is memory with two rings. A command is
//! a number; the hardware answers with its complement some time later, in any order, and interrupts
//! once for as many answers as there are.
//!
//! An engine has to do six things, and they are all here: **start** a command with register writes
//! and remember its token; find by **interrupt** which requests have ended and complete them;
//! forget a request that is **ended** from outside; set the time limit of a command; choose the
//! result for each kind of failure; and leave the hardware safe at the **stop**. It may do a
//! seventh, because reading its answer counter costs next to nothing: **poll**. Order, gate,
//! deadlines, threads and the ring are the reactor's.
//!
//! It uses nothing but the driver's public interface, as an engine of another crate does, and so
//! its registers are plain offsets, and their accesses are not traced.
//!
//! | offset | register | written by | what |
//! |---|---|---|---|
//! | 0x00 | ID | hardware | 0x58424D52, "RMBX" |
//! | 0x04 | ENTRIES | hardware | entries of each ring, a power of two up to 4096 |
//! | 0x08 | SUBMITTED | driver | commands put in so far, modulo 2^32 |
//! | 0x0C | ACCEPTED | hardware | commands taken so far |
//! | 0x10 | ANSWERED | hardware | answers put in so far |
//! | 0x14 | REAPED | driver | answers taken so far |
//! | 0x18 | CONTROL | driver | bit 0: the hardware runs and interrupts |
//! | 0x1C | FEATURES | hardware | bit 0: TIME is kept; not used here |
//! | 0x20, 0x24 | TIME | hardware | time of the last interrupt, low and high half; not used here |
//! | 0x1000 | submission ring | driver | ENTRIES x (tag, operand) |
//! | 0x1000 + 8 x ENTRIES | answer ring | hardware | ENTRIES x (tag, answer) |

mod hardware;

use std::collections::VecDeque;
use std::time::Duration;

use crate::device::{Description, Device, Kind, Needs, Registers};
use crate::engine::{Context, Engine, Failure, PerRequest};
use crate::request::{ErrorCode, Token};

pub use hardware::SoftMailbox;

/// Fails a request whose answer is not what it must be.
const BAD_ANSWER: ErrorCode = ErrorCode::of::<{ -libc::EBADMSG }>();

/// The sample device of the `uio_dummy` module.
pub const KIND: Kind = Kind::new(&Description {
    name: "uio_dummy sample device",
    is_pci: |_| false,
    uio: Some("uio_dummy"),
    mdev: None,
    needs: Needs { registers: RINGS + 16, dma: 0, msi: true },
    is_driven: true,
    unsuited: &[],
});

const ID: usize = 0x00;
const ENTRIES: usize = 0x04;
const SUBMITTED: usize = 0x08;
const ACCEPTED: usize = 0x0C;
const ANSWERED: usize = 0x10;
const REAPED: usize = 0x14;
const CONTROL: usize = 0x18;
/// CONTROL: the hardware runs and interrupts.
const RUN: u32 = 1;
/// Where the rings begin in the register window, in bytes.
const RINGS: usize = 0x1000;
/// The value of the ID register, "RMBX".
const MAGIC: u32 = 0x5842_4D52;
/// The most entries of a ring.
const MAX_ENTRIES: u32 = 4096;
/// What every register of an absent device reads.
const ABSENT: u32 = u32::MAX;

/// Why a device is not a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The ID register has another value.
    #[error("this is not a mailbox: its ID register reads {0:#010x}, not {MAGIC:#010x}")]
    NotAMailbox(u32),
    /// The ring size is invalid, or does not fit the register window.
    #[error("the mailbox says it has {0} entries, which its register window can't hold")]
    Entries(u32),
}

/// The command: compute the complement of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complement {
    /// The number whose complement is computed.
    pub operand: u32,
    /// How long the answer may take.
    pub time_limit: Duration,
}

/// The engine of a mailbox: one line, results 0 or a negative errno.
#[derive(Debug)]
pub struct Mailbox<D> {
    device: D,
    entries: u32,
    submitted: u32,
    reaped: u32,
    /// The operands of the requests that wait for an answer. The hardware answers by the request's
    /// tag, so an answer that comes after its request has ended is recognised and ignored.
    waiting: PerRequest<u32>,
    /// Started while the submission ring was full.
    backlog: VecDeque<Token>,
    gone: bool,
}

impl<D: Device> Mailbox<D> {
    /// Checks the device and starts it; `capacity` is that of the driver.
    ///
    /// # Errors
    /// [`MailboxError`] if the device is another one.
    pub fn new(device: D, capacity: usize) -> Result<Self, MailboxError> {
        let registers = device.registers();
        let id = registers.read32(ID);
        if id != MAGIC {
            return Err(MailboxError::NotAMailbox(id));
        }
        let entries = registers.read32(ENTRIES);
        let window = RINGS + 16 * entries.min(MAX_ENTRIES) as usize;
        if !entries.is_power_of_two() || entries > MAX_ENTRIES || registers.len() < window {
            return Err(MailboxError::Entries(entries));
        }
        let submitted = registers.read32(SUBMITTED);
        let reaped = registers.read32(ANSWERED);
        registers.write32(REAPED, reaped);
        registers.write32(CONTROL, RUN);
        Ok(Mailbox {
            device,
            entries,
            submitted,
            reaped,
            waiting: PerRequest::with_capacity(capacity),
            backlog: VecDeque::with_capacity(capacity),
            gone: false,
        })
    }

    /// Puts a command into the submission ring if there is room.
    fn put(&mut self, tag: u32, operand: u32) -> bool {
        let registers = self.device.registers();
        // Answers not reaped count as well, so that the answer ring can't overflow either.
        if self.submitted.wrapping_sub(self.reaped) >= self.entries {
            return false;
        }
        let entry = RINGS + self.place(self.submitted);
        registers.write32(entry, tag);
        registers.write32(entry + 4, operand);
        self.submitted = self.submitted.wrapping_add(1);
        self.device.registers().write32(SUBMITTED, self.submitted);
        true
    }

    /// Completes the answered requests, and submits commands from the backlog.
    fn reap(&mut self, cx: &mut Context<'_, ()>) {
        let answered = self.device.registers().read32(ANSWERED);
        let count = answered.wrapping_sub(self.reaped);
        if count > self.entries
            || (answered == ABSENT && self.device.registers().read32(ID) == ABSENT)
        {
            return self.gone(cx);
        }
        for _ in 0..count {
            let entry = RINGS + 8 * self.entries as usize + self.place(self.reaped);
            let tag = self.device.registers().read32(entry);
            let answer = self.device.registers().read32(entry + 4);
            self.reaped = self.reaped.wrapping_add(1);
            if let Some((request, operand)) = self.waiting.take_tag(tag) {
                let right = answer == !operand;
                cx.complete(request, if right { Ok(()) } else { Err(BAD_ANSWER) });
            }
        }
        if count != 0 {
            self.device.registers().write32(REAPED, self.reaped);
        }
        while let Some(&request) = self.backlog.front() {
            if let Some(&operand) = self.waiting.get(request)
                && !self.put(request.tag(), operand)
            {
                break;
            }
            self.backlog.pop_front();
        }
    }

    /// Byte offset of the entry with this number in its ring; a ring is a power of two long.
    fn place(&self, number: u32) -> usize {
        8 * (number & (self.entries - 1)) as usize
    }
}

impl<D: Device> Engine for Mailbox<D> {
    type Command = Complement;
    type Event = ();
    type Output = ();

    const POLLS: bool = true;

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(command: &Complement) -> Duration {
        command.time_limit
    }

    fn failure(cause: Failure) -> ErrorCode {
        cause.errno()
    }

    fn start(
        &mut self,
        request: Token,
        command: Complement,
        _: &mut Context<'_, ()>,
    ) -> Result<(), ErrorCode> {
        if self.gone {
            return Err(Failure::Gone.errno());
        }
        self.waiting.put(request, command.operand);
        // Keeps the order of submission: a request never overtakes the backlog.
        if !self.backlog.is_empty() || !self.put(request.tag(), command.operand) {
            self.backlog.push_back(request);
        }
        Ok(())
    }

    fn interrupt(&mut self, cx: &mut Context<'_, ()>) {
        // This card's interrupt is never masked. Most cards need `Device::rearm` here.
        self.reap(cx);
    }

    fn poll(&mut self, cx: &mut Context<'_, ()>) {
        if !self.gone && self.device.registers().read32(ANSWERED) != self.reaped {
            self.reap(cx);
        }
    }

    fn ended(&mut self, request: Token, _: Failure, _: &mut Context<'_, ()>) {
        self.waiting.take(request);
    }

    fn gone(&mut self, cx: &mut Context<'_, ()>) {
        self.gone = true;
        self.backlog.clear();
        for (request, _) in self.waiting.drain() {
            cx.complete(request, Err(Self::failure(Failure::Gone)));
        }
    }

    fn stop(&mut self, _: &mut Context<'_, ()>) {
        self.device.registers().write32(CONTROL, 0);
    }
}
