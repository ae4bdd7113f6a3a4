//! The edu device in software, for tests: what QEMU's does, but only when told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::soft::{Hardware, SoftInterrupt, SoftMemory};

use super::{
    ABSENT, ACKNOWLEDGE, COMMAND, COUNT, DESTINATION, DMA_DONE, DMA_FROM_CARD, DMA_GO,
    DMA_INTERRUPT, FACTORIAL, FACTORIAL_DONE, ID, INTERRUPTS, LIVENESS, MEMORY, MEMORY_SIZE,
    SOURCE, STATUS, STATUS_COMPUTING, STATUS_INTERRUPT,
};

/// An edu device in memory. It does nothing by itself:
/// [`finish_factorial`](SoftEdu::finish_factorial) and [`finish_dma`](SoftEdu::finish_dma) end what
/// was started.
#[derive(Clone)]
pub(super) struct SoftEdu {
    registers: Arc<Mutex<Registers>>,
    memory: Arc<SoftMemory>,
    interrupt: SoftInterrupt,
}

struct Registers {
    liveness: u32,
    factorial: u32,
    status: u32,
    pending: u32,
    source: u32,
    destination: u32,
    count: u32,
    command: u32,
    own: [u32; MEMORY_SIZE / 4],
    removed: bool,
}

impl SoftEdu {
    /// One that is idle. It shares memory and interrupt with the driver's side.
    pub(super) fn new(memory: Arc<SoftMemory>, interrupt: SoftInterrupt) -> SoftEdu {
        let registers = Registers {
            liveness: 0,
            factorial: 0,
            status: 0,
            pending: 0,
            source: 0,
            destination: 0,
            count: 0,
            command: 0,
            own: [0; MEMORY_SIZE / 4],
            removed: false,
        };
        SoftEdu { registers: Arc::new(Mutex::new(registers)), memory, interrupt }
    }

    /// Ends the factorial that is being computed; false where none is.
    pub(super) fn finish_factorial(&self) -> bool {
        let mut registers = self.lock();
        if registers.status & STATUS_COMPUTING == 0 {
            return false;
        }
        registers.status &= !STATUS_COMPUTING;
        registers.factorial = (1..=registers.factorial).fold(1, u32::wrapping_mul);
        if registers.status & STATUS_INTERRUPT != 0 {
            registers.pending |= FACTORIAL_DONE;
            self.interrupt.raise();
        }
        true
    }

    /// Ends the copy that is running; false where none is, or where its addresses are wrong.
    pub(super) fn finish_dma(&self) -> bool {
        let mut registers = self.lock();
        if registers.command & DMA_GO == 0 || registers.copy(&self.memory).is_none() {
            return false;
        }
        registers.command &= !DMA_GO;
        if registers.command & DMA_INTERRUPT != 0 {
            registers.pending |= DMA_DONE;
            self.interrupt.raise();
        }
        true
    }

    /// Pulls the card: every register reads all ones, writes go nowhere.
    pub(super) fn remove(&self) {
        self.lock().removed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Registers> {
        self.registers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registers {
    fn copy(&mut self, memory: &SoftMemory) -> Option<()> {
        let from_card = self.command & DMA_FROM_CARD != 0;
        let (own, theirs) = if from_card {
            (self.source, self.destination)
        } else {
            (self.destination, self.source)
        };
        let first = own.checked_sub(MEMORY)? as usize / 4;
        let words = self.own.get_mut(first..first + self.count as usize / 4)?;
        for (address, word) in (theirs..).step_by(4).zip(words) {
            if from_card {
                memory.write(address, *word).then_some(())?;
            } else {
                *word = memory.read(address)?;
            }
        }
        Some(())
    }
}

impl Hardware for SoftEdu {
    fn len(&self) -> usize {
        1 << 20
    }

    fn read(&self, offset: usize, width: u32) -> u32 {
        let registers = self.lock();
        match offset {
            _ if registers.removed || width != 4 => ABSENT,
            ID => 0x0100_00ED,
            LIVENESS => !registers.liveness,
            FACTORIAL => registers.factorial,
            STATUS => registers.status,
            INTERRUPTS => registers.pending,
            SOURCE => registers.source,
            DESTINATION => registers.destination,
            COUNT => registers.count,
            COMMAND => registers.command,
            _ => ABSENT,
        }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        let mut registers = self.lock();
        let idle = registers.command & DMA_GO == 0;
        match offset {
            _ if registers.removed || width != 4 => {}
            LIVENESS => registers.liveness = value,
            FACTORIAL if registers.status & STATUS_COMPUTING == 0 => {
                registers.factorial = value;
                registers.status |= STATUS_COMPUTING;
            }
            STATUS => {
                registers.status = registers.status & STATUS_COMPUTING | value & STATUS_INTERRUPT;
            }
            ACKNOWLEDGE => registers.pending &= !value,
            SOURCE if idle => registers.source = value,
            DESTINATION if idle => registers.destination = value,
            COUNT if idle => registers.count = value,
            COMMAND if idle => registers.command = value,
            _ => {}
        }
    }
}
