//! The mailbox's hardware in software: what the module `uio_dummy` is under a real kernel.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::soft::Hardware;

use super::{
    ABSENT, ACCEPTED, ANSWERED, CONTROL, ENTRIES, ID, MAGIC, MAX_ENTRIES, REAPED, RINGS, RUN,
    SUBMITTED,
};

/// A mailbox in memory. It does nothing by itself: [`step`](SoftMailbox::step) is its clock.
#[derive(Debug, Clone)]
pub struct SoftMailbox(Arc<Mutex<Memory>>);

#[derive(Debug)]
struct Memory {
    words: Vec<u32>,
    entries: u32,
    removed: bool,
}

impl SoftMailbox {
    /// One with rings of `entries`, rounded up to a power of two and at most 4096.
    pub fn new(entries: u32) -> SoftMailbox {
        let entries = entries.clamp(1, MAX_ENTRIES).next_power_of_two();
        let mut memory =
            Memory { words: vec![0; RINGS / 4 + 4 * entries as usize], entries, removed: false };
        memory.set(ID, MAGIC);
        memory.set(ENTRIES, entries);
        SoftMailbox(Arc::new(Mutex::new(memory)))
    }

    /// Answers up to `most` commands, oldest first, and says how many: where it is not 0 the
    /// hardware interrupts.
    pub fn step(&self, most: usize) -> usize {
        let mut memory = self.lock();
        let mut done = 0;
        while done < most && memory.answer() {
            done += 1;
        }
        done
    }

    /// Answers the newest command with a wrong number: for tests of the engine.
    pub fn answer_wrongly(&self) {
        let mut memory = self.lock();
        let last = memory.get(SUBMITTED).wrapping_sub(1);
        let entry = RINGS + 8 * (last % memory.entries) as usize;
        let operand = memory.get(entry + 4);
        memory.set(entry + 4, operand ^ 1);
    }

    /// Pulls the card: every register reads all ones, writes go nowhere.
    pub fn remove(&self) {
        self.lock().removed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn get(&self, offset: usize) -> u32 {
        self.words.get(offset / 4).copied().unwrap_or(ABSENT)
    }

    fn set(&mut self, offset: usize, value: u32) {
        if let Some(word) = self.words.get_mut(offset / 4) {
            *word = value;
        }
    }

    fn answer(&mut self) -> bool {
        let accepted = self.get(ACCEPTED);
        let answered = self.get(ANSWERED);
        let waiting = self.get(SUBMITTED).wrapping_sub(accepted);
        let unreaped = answered.wrapping_sub(self.get(REAPED));
        // A driver that claims more than the rings hold gets nothing.
        let sane = (1..=self.entries).contains(&waiting) && unreaped < self.entries;
        if self.removed || self.get(CONTROL) & RUN == 0 || !sane {
            return false;
        }
        let from = RINGS + 8 * (accepted % self.entries) as usize;
        let to = RINGS + 8 * (self.entries + answered % self.entries) as usize;
        self.set(to, self.get(from));
        self.set(to + 4, !self.get(from + 4));
        self.set(ACCEPTED, accepted.wrapping_add(1));
        self.set(ANSWERED, answered.wrapping_add(1));
        true
    }
}

impl Hardware for SoftMailbox {
    fn len(&self) -> usize {
        self.lock().words.len() * 4
    }

    fn read(&self, offset: usize, width: u32) -> u32 {
        let memory = self.lock();
        if memory.removed || width != 4 { ABSENT } else { memory.get(offset) }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        let mut memory = self.lock();
        if !memory.removed && width == 4 {
            memory.set(offset, value);
        }
    }
}
