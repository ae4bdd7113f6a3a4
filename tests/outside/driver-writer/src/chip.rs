//! The sensor in software: its registers as function calls, and an interrupt line that masks itself
//! as that of hardware does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringback_driver::device::soft::{Hardware, SoftInterrupt};

use crate::sensor::*;

/// Channels from here on are measured and never answered.
pub const SILENT: u32 = 1 << 16;
/// Channels from here on fail.
pub const BROKEN: u32 = 1 << 20;

/// What the sensor answers for a channel.
pub fn value_of(channel: u32) -> u32 {
    if channel >= BROKEN { FAILED | channel } else { channel.wrapping_mul(2_654_435_761) & !FAILED }
}

#[derive(Default)]
struct Registers {
    runs: bool,
    tag: u32,
    cause: u32,
    measured: Vec<(u32, u32)>,
    answers: VecDeque<(u32, u32)>,
}

/// The chip; clones are the same chip.
#[derive(Clone)]
pub struct Chip {
    registers: Arc<Mutex<Registers>>,
    interrupt: SoftInterrupt,
}

impl Chip {
    pub fn new(interrupt: SoftInterrupt) -> Chip {
        Chip { registers: Arc::default(), interrupt }
    }

    /// Answers what has been measured since, the newest first, as long as there is room; `false` if
    /// nothing was.
    pub fn answer(&self) -> bool {
        let mut registers = self.registers();
        let mut any = false;
        while registers.answers.len() < MOST_ANSWERS as usize
            && let Some((tag, channel)) = registers.measured.pop()
        {
            registers.answers.push_back((tag, value_of(channel)));
            any = true;
        }
        if any && registers.runs {
            registers.cause |= ANSWERED;
            self.interrupt.raise();
        }
        any
    }

    pub fn runs(&self) -> bool {
        self.registers().runs
    }

    fn registers(&self) -> MutexGuard<'_, Registers> {
        self.registers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hardware for Chip {
    fn len(&self) -> usize {
        WINDOW
    }

    fn read(&self, offset: usize, _: u32) -> u32 {
        let registers = self.registers();
        let (tag, value) = registers.answers.front().copied().unwrap_or_default();
        match offset {
            ID => MAGIC,
            CONTROL => registers.runs.into(),
            LEVEL => registers.answers.len() as u32,
            ANSWER_TAG => tag,
            ANSWER => value,
            CAUSE => registers.cause,
            _ => 0,
        }
    }

    fn write(&self, offset: usize, _: u32, value: u32) {
        let mut registers = self.registers();
        match offset {
            CONTROL => registers.runs = value & 1 != 0,
            TAG => registers.tag = value,
            START if value & SILENT == 0 => {
                let tag = registers.tag;
                registers.measured.push((tag, value));
            }
            POP => {
                registers.answers.pop_front();
            }
            CAUSE => {
                registers.cause &= !value;
                if registers.cause == 0 {
                    self.interrupt.lower();
                }
            }
            _ => {}
        }
    }
}
