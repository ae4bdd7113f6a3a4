//! The edu device in software, for tests: it does the same as QEMU's, when a test calls it.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::device::soft::{Hardware, SoftInterrupt, SoftMemory};
use crate::sync::EvenPoisoned;

use super::registers::{self, ABSENT, Command, Interrupts, Status};
use super::{MEMORY, MEMORY_SIZE};
use crate::card::register::offsets;

offsets!(registers: ID LIVENESS FACTORIAL STATUS INTERRUPTS ACKNOWLEDGE SOURCE DESTINATION COUNT);
offsets!(registers: COMMAND);

/// An edu device in memory. It does nothing by itself:
/// [`finish_factorial`](SoftEdu::finish_factorial) and [`finish_dma`](SoftEdu::finish_dma) end what
/// was started.
#[derive(Clone)]
pub(super) struct SoftEdu {
    registers: Arc<Mutex<EduRegisters>>,
    memory: Arc<SoftMemory>,
    interrupt: SoftInterrupt,
}

struct EduRegisters {
    liveness: u32,
    factorial: u32,
    status: Status,
    pending: Interrupts,
    source: u32,
    destination: u32,
    count: u32,
    command: Command,
    own: [u32; MEMORY_SIZE / 4],
    removed: bool,
}

impl SoftEdu {
    /// Makes an idle device, which shares memory and interrupt with the driver's side.
    pub(super) fn new(memory: Arc<SoftMemory>, interrupt: SoftInterrupt) -> SoftEdu {
        let registers = EduRegisters {
            liveness: 0,
            factorial: 0,
            status: Status::empty(),
            pending: Interrupts::empty(),
            source: 0,
            destination: 0,
            count: 0,
            command: Command::empty(),
            own: [0; MEMORY_SIZE / 4],
            removed: false,
        };
        SoftEdu { registers: Arc::new(Mutex::new(registers)), memory, interrupt }
    }

    /// Ends the factorial that is being computed; false where none is.
    pub(super) fn finish_factorial(&self) -> bool {
        let mut registers = self.lock();
        if !registers.status.contains(Status::COMPUTING) {
            return false;
        }
        registers.status.remove(Status::COMPUTING);
        registers.factorial = (1..=registers.factorial).fold(1, u32::wrapping_mul);
        if registers.status.contains(Status::INTERRUPT) {
            registers.pending |= Interrupts::FACTORIAL_DONE;
            self.interrupt.raise();
        }
        true
    }

    /// Ends the copy that is running; false where none is, or where its addresses are wrong.
    pub(super) fn finish_dma(&self) -> bool {
        let mut registers = self.lock();
        if !registers.command.contains(Command::GO) || registers.copy(&self.memory).is_none() {
            return false;
        }
        registers.command.remove(Command::GO);
        if registers.command.contains(Command::INTERRUPT) {
            registers.pending |= Interrupts::DMA_DONE;
            self.interrupt.raise();
        }
        true
    }

    /// Pulls the card: every register reads all ones, and writes are ignored.
    pub(super) fn remove(&self) {
        self.lock().removed = true;
    }

    fn lock(&self) -> MutexGuard<'_, EduRegisters> {
        self.registers.lock().even_poisoned()
    }
}

impl EduRegisters {
    fn copy(&mut self, memory: &SoftMemory) -> Option<()> {
        let from_card = self.command.contains(Command::FROM_CARD);
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
            STATUS => registers.status.bits(),
            INTERRUPTS => registers.pending.bits(),
            SOURCE => registers.source,
            DESTINATION => registers.destination,
            COUNT => registers.count,
            COMMAND => registers.command.bits(),
            _ => ABSENT,
        }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        let mut registers = self.lock();
        let idle = !registers.command.contains(Command::GO);
        match offset {
            _ if registers.removed || width != 4 => {}
            LIVENESS => registers.liveness = value,
            FACTORIAL if !registers.status.contains(Status::COMPUTING) => {
                registers.factorial = value;
                registers.status.insert(Status::COMPUTING);
            }
            STATUS => {
                let interrupt = Status::from_bits_retain(value).contains(Status::INTERRUPT);
                registers.status.set(Status::INTERRUPT, interrupt);
            }
            ACKNOWLEDGE => registers.pending.remove(Interrupts::from_bits_retain(value)),
            SOURCE if idle => registers.source = value,
            DESTINATION if idle => registers.destination = value,
            COUNT if idle => registers.count = value,
            COMMAND if idle => registers.command = Command::from_bits_retain(value),
            _ => {}
        }
    }
}
