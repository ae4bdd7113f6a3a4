//! The mailbox's hardware in software, the counterpart of the kernel module `uio_dummy`.
//!
//! As with memory behind a bus, every register is an atomic word of its own and no access waits for
//! another, so that a benchmark on it measures the driver and not this model.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::soft::Hardware;

use super::{
    ABSENT, ACCEPTED, ANSWERED, CONTROL, ENTRIES, ID, MAGIC, MAX_ENTRIES, REAPED, RINGS, RUN,
    SUBMITTED,
};

/// A mailbox in memory. It does nothing by itself: [`step`](SoftMailbox::step) is its clock.
#[derive(Debug, Clone)]
pub struct SoftMailbox(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    words: Box<[AtomicU32]>,
    entries: u32,
    removed: AtomicBool,
    /// Held by the thread that plays the hardware; the driver's accesses don't take it.
    hardware: Mutex<()>,
}

impl SoftMailbox {
    /// Makes a mailbox with rings of `entries`, rounded up to a power of two and at most 4096.
    pub fn new(entries: u32) -> SoftMailbox {
        let entries = entries.clamp(1, MAX_ENTRIES).next_power_of_two();
        let words = (0..RINGS / 4 + 4 * entries as usize).map(|_| AtomicU32::new(0)).collect();
        let memory =
            Memory { words, entries, removed: AtomicBool::new(false), hardware: Mutex::new(()) };
        memory.set(ID, MAGIC);
        memory.set(ENTRIES, entries);
        SoftMailbox(Arc::new(memory))
    }

    /// Answers up to `most` commands, oldest first, and returns how many. If that is not 0, the
    /// caller has to raise the interrupt.
    pub fn step(&self, most: usize) -> usize {
        let _hardware = self.0.hardware();
        self.0.answer(u32::try_from(most).unwrap_or(u32::MAX)) as usize
    }

    /// How many commands were submitted and are not accepted yet.
    pub fn waiting(&self) -> u32 {
        self.0.get(SUBMITTED).wrapping_sub(self.0.get(ACCEPTED))
    }

    /// Accepts the submitted commands without ever answering them.
    pub fn hold(&self) {
        let _hardware = self.0.hardware();
        self.0.set(ACCEPTED, self.0.get(SUBMITTED));
    }

    /// Answers the newest command with a wrong number, as broken hardware does.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn answer_wrongly(&self) {
        let _hardware = self.0.hardware();
        let last = self.0.get(SUBMITTED).wrapping_sub(1);
        let entry = self.0.submission(last);
        let operand = self.0.get(entry + 4);
        self.0.set(entry + 4, operand ^ 1);
    }

    /// Pulls the card: every register reads all ones, and writes are ignored.
    pub fn remove(&self) {
        self.0.removed.store(true, Ordering::Release);
    }
}

impl Memory {
    fn hardware(&self) -> MutexGuard<'_, ()> {
        self.hardware.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The order is Acquire, so that a thread that reads a count also sees the entries it counts.
    fn get(&self, offset: usize) -> u32 {
        self.words.get(offset / 4).map_or(ABSENT, |word| word.load(Ordering::Acquire))
    }

    fn set(&self, offset: usize, value: u32) {
        if let Some(word) = self.words.get(offset / 4) {
            word.store(value, Ordering::Release);
        }
    }

    /// Where the submission ring keeps the command with this number.
    fn submission(&self, number: u32) -> usize {
        RINGS + 8 * (number & (self.entries - 1)) as usize
    }

    fn removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    fn answer(&self, most: u32) -> u32 {
        let (accepted, answered) = (self.get(ACCEPTED), self.get(ANSWERED));
        let waiting = self.get(SUBMITTED).wrapping_sub(accepted);
        let unreaped = answered.wrapping_sub(self.get(REAPED));
        // A driver whose counts exceed the size of the rings gets no answers.
        let sane = waiting <= self.entries && unreaped <= self.entries;
        if self.removed() || self.get(CONTROL) & RUN == 0 || !sane {
            return 0;
        }
        let count = most.min(waiting).min(self.entries - unreaped);
        for n in 0..count {
            let from = self.submission(accepted.wrapping_add(n));
            let to = self.submission(answered.wrapping_add(n)) + 8 * self.entries as usize;
            self.set(to, self.get(from));
            self.set(to + 4, !self.get(from + 4));
        }
        self.set(ACCEPTED, accepted.wrapping_add(count));
        self.set(ANSWERED, answered.wrapping_add(count));
        count
    }
}

impl Hardware for SoftMailbox {
    fn len(&self) -> usize {
        self.0.words.len() * 4
    }

    fn read(&self, offset: usize, width: u32) -> u32 {
        if self.0.removed() || width != 4 { ABSENT } else { self.0.get(offset) }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        if !self.0.removed() && width == 4 {
            self.0.set(offset, value);
        }
    }
}
