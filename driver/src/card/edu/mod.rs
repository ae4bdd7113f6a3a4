//! QEMU's example device `edu`: a whole engine for a card with two units and DMA.
//!
//! What it shows beyond the [mailbox](super::mailbox): operations that the hardware does one at a
//! time, so that commands queue; answers that completions carry, as the engine's output; memory
//! that the card masters; and operations that can't be stopped. A request whose deadline passes or
//! that is cancelled leaves its unit *abandoned*: busy until the hardware reports that it is done,
//! because until then it may still write to memory.
//!
//! Its registers are in `registers`, as QEMU's `docs/specs/edu.rst` has them.
//!
//! The card cuts DMA addresses to 28 bits, unless QEMU's option `dma_mask` is set.

#[cfg(test)]
mod hardware;
mod registers;
#[cfg(test)]
mod tests;
mod unit;

use std::time::Duration;

use crate::device::{Description, Device, DmaMemory, Kind, Needs};
use crate::engine::{Context, Engine, Failure, Payload};
use crate::request::{ErrorCode, Token};

use registers::*;
use unit::Unit;

/// The kind of QEMU's device `edu`, by its PCI ids.
pub const KIND: Kind = Kind::new(&Description {
    name: "QEMU edu device",
    is_pci: |ids| (ids.vendor, ids.device) == (0x1234, 0x11E8),
    uio: None,
    mdev: None,
    // Without memory it computes factorials.
    needs: Needs { registers: WINDOW, dma: 0, msi: true },
    is_driven: true,
    unsuited: &[],
});

/// Bytes of the register window that the engine uses.
const WINDOW: usize = COMMAND.number() + 4;

/// The low half of the ID register.
const EDU: u32 = 0x00ED;
/// Written to the liveness register, which must then read as its complement.
const ALIVE: u32 = 0x1234_5678;

/// Where the card's own memory begins on its side of the DMA, and its size in bytes.
const MEMORY: u32 = 0x4_0000;
const MEMORY_SIZE: usize = 4096;
/// The first bus address that is too high for the card's DMA.
const BUS_LIMIT: u64 = 1 << 28;

/// Why a device is not an edu device, or can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EduError {
    /// The register window is too small.
    #[error("this is not an edu device: its register window has {0} bytes")]
    Window(usize),
    /// The ID register has another value.
    #[error("this is not an edu device: its ID register reads {0:#010x}, not 0x....00ed")]
    NotEdu(u32),
    /// The liveness check failed.
    #[error("the edu device is dead: its liveness register reads {0:#010x}, not {1:#010x}")]
    Dead(u32, u32),
    /// The card can't reach the DMA memory, or it is too small.
    #[error(
        "the DMA memory has {size} bytes at {address:#x}; the edu device needs {MEMORY_SIZE} below \
         {BUS_LIMIT:#x}"
    )]
    Memory {
        /// Its address on the bus.
        address: u64,
        /// Its size in bytes.
        size: usize,
    },
    /// The card could not be made bus master.
    #[error("the edu device can't be made bus master: {0}")]
    BusMaster(#[source] std::io::Error),
}

/// What the card does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Computes a factorial; the answer is [`Answer::Factorial`].
    Factorial {
        /// The number whose factorial is computed.
        operand: u32,
    },
    /// Copies words into the card's memory.
    Store {
        /// Where to, in bytes; a multiple of 4.
        offset: usize,
        /// At least one, and not beyond the card's 4096 bytes.
        words: Vec<u32>,
    },
    /// Copies words out of the card's memory; the answer is [`Answer::Loaded`].
    Load {
        /// Where from, in bytes; a multiple of 4.
        offset: usize,
        /// How many words: at least one, and not beyond the card's 4096 bytes.
        words: usize,
    },
}

/// A command: the work, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What the card is to do.
    pub work: Work,
    /// Time until the request fails, including its time in the queue. A DMA takes 100 ms.
    pub time_limit: Duration,
}

/// An answer: what a completion carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// No data: the request failed, or it was a [`Work::Store`].
    Nothing,
    /// The result of [`Work::Factorial`].
    Factorial {
        /// The number whose factorial is computed.
        operand: u32,
        /// The factorial, modulo 2^32.
        value: u32,
    },
    /// What was in the card's memory.
    Loaded {
        /// From this offset on, in bytes.
        offset: usize,
        /// The words that were copied, in the order of their addresses.
        words: Vec<u32>,
    },
}

impl Payload for Answer {
    const NONE: Answer = Answer::Nothing;
}

/// What the DMA unit is to do; checked.
#[derive(Debug)]
enum Copy {
    Store { offset: usize, words: Vec<u32> },
    Load { offset: usize, words: usize },
}

/// The engine of an edu device: one line, results 0 or a negative errno.
///
/// Without DMA memory (under `uio_pci_generic`) it computes factorials and refuses copies with
/// EOPNOTSUPP.
#[derive(Debug)]
pub struct Edu<D> {
    device: D,
    factorials: Unit<u32>,
    copies: Unit<Copy>,
    gone: bool,
}

impl<D: Device> Edu<D> {
    /// Checks the device and starts it.
    ///
    /// # Errors
    /// [`EduError`] if the device is another one or can't be used.
    pub fn new(device: D) -> Result<Self, EduError> {
        let registers = Bus::new(device.registers());
        if registers.len() < WINDOW {
            return Err(EduError::Window(registers.len()));
        }
        let id = registers.read(ID);
        if id & 0xFFFF != EDU {
            return Err(EduError::NotEdu(id));
        }
        registers.write(LIVENESS, ALIVE);
        let alive = registers.read(LIVENESS);
        if alive != !ALIVE {
            return Err(EduError::Dead(alive, !ALIVE));
        }
        if let Some(dma) = device.dma() {
            let (address, size) = (dma.bus_address(), dma.len());
            let end = address.checked_add(MEMORY_SIZE as u64);
            if size < MEMORY_SIZE || end.is_none_or(|end| end > BUS_LIMIT) {
                return Err(EduError::Memory { address, size });
            }
            device.enable_bus_master().map_err(EduError::BusMaster)?;
        }
        // A previous program that was killed may have left work that still runs.
        registers.write(STATUS, Status::INTERRUPT);
        let factorials = Unit::new(registers.read(STATUS).contains(Status::COMPUTING));
        let copies = Unit::new(registers.read(COMMAND).contains(Command::GO));
        Ok(Edu { device, factorials, copies, gone: false })
    }

    fn bus(&self) -> Bus<'_, D::Registers> {
        Bus::new(self.device.registers())
    }

    /// Starts operations on idle units.
    fn pump(&mut self) {
        let registers = Bus::new(self.device.registers());
        if let Some(&operand) = self.factorials.next() {
            registers.write(FACTORIAL, operand);
        }
        let Some(dma) = self.device.dma() else { return };
        let Some(copy) = self.copies.next() else { return };
        // `new` has checked that the address fits.
        let ours = dma.bus_address() as u32;
        let (source, destination, count, direction) = match copy {
            Copy::Store { offset, words } => {
                for (at, word) in words.iter().enumerate() {
                    dma.write32(4 * at, *word);
                }
                (ours, MEMORY + *offset as u32, words.len(), Command::empty())
            }
            Copy::Load { offset, words } => {
                (MEMORY + *offset as u32, ours, *words, Command::FROM_CARD)
            }
        };
        registers.write(SOURCE, source);
        registers.write(DESTINATION, destination);
        registers.write(COUNT, 4 * count as u32);
        registers.write(COMMAND, Command::GO | direction | Command::INTERRUPT);
    }

    fn factorial_done(&mut self, cx: &mut Context<'_, (), Answer>) {
        let value = self.bus().read(FACTORIAL);
        if let Some((request, operand)) = self.factorials.done() {
            cx.complete_with(request, Answer::Factorial { operand, value });
        }
    }

    fn copy_done(&mut self, cx: &mut Context<'_, (), Answer>) {
        let Some((request, copy)) = self.copies.done() else { return };
        let answer = match (copy, self.device.dma()) {
            (Copy::Load { offset, words }, Some(dma)) => {
                let words = (0..words).map(|at| dma.read32(4 * at)).collect();
                Answer::Loaded { offset, words }
            }
            _ => Answer::Nothing,
        };
        cx.complete_with(request, answer);
    }

    /// Checks a copy: EOPNOTSUPP without DMA memory, EINVAL if the words are none, not aligned or
    /// not all inside the card's memory.
    fn check(&self, offset: usize, words: usize) -> Result<(), ErrorCode> {
        let end = words.checked_mul(4).and_then(|bytes| bytes.checked_add(offset));
        if self.device.dma().is_none() {
            Err(ErrorCode::of::<{ -libc::EOPNOTSUPP }>())
        } else if words == 0 || !offset.is_multiple_of(4) || end.is_none_or(|end| end > MEMORY_SIZE)
        {
            Err(ErrorCode::of::<{ -libc::EINVAL }>())
        } else {
            Ok(())
        }
    }
}

impl<D: Device> Engine for Edu<D> {
    type Command = Order;
    type Event = ();
    type Output = Answer;

    fn lines(&self) -> usize {
        1
    }

    fn time_limit(order: &Order) -> Duration {
        order.time_limit
    }

    fn failure(cause: Failure) -> ErrorCode {
        cause.errno()
    }

    fn start(
        &mut self,
        request: Token,
        order: Order,
        _: &mut Context<'_, (), Answer>,
    ) -> Result<(), ErrorCode> {
        if self.gone {
            return Err(Failure::Gone.errno());
        }
        match order.work {
            Work::Factorial { operand } => self.factorials.push(request, operand),
            Work::Store { offset, words } => {
                self.check(offset, words.len())?;
                self.copies.push(request, Copy::Store { offset, words });
            }
            Work::Load { offset, words } => {
                self.check(offset, words)?;
                self.copies.push(request, Copy::Load { offset, words });
            }
        }
        self.pump();
        Ok(())
    }

    fn interrupt(&mut self, cx: &mut Context<'_, (), Answer>) {
        let pending = self.bus().read(INTERRUPTS);
        if pending.bits() == ABSENT {
            return self.gone(cx);
        }
        // This comes before the next operation is started, so that it can't acknowledge the end of
        // that one.
        self.bus().write(ACKNOWLEDGE, pending);
        // If the unit is busy, the pending bit is left over from a previous program's operation.
        let computed = pending.contains(Interrupts::FACTORIAL_DONE)
            && !self.bus().read(STATUS).contains(Status::COMPUTING);
        let copied = pending.contains(Interrupts::DMA_DONE)
            && !self.bus().read(COMMAND).contains(Command::GO);
        if computed {
            self.factorial_done(cx);
        }
        if copied {
            self.copy_done(cx);
        }
        self.pump();
        if self.device.rearm().is_err() {
            self.gone(cx);
        }
    }

    fn ended(&mut self, request: Token, _: Failure, _: &mut Context<'_, (), Answer>) {
        self.factorials.forget(request);
        self.copies.forget(request);
    }

    fn gone(&mut self, cx: &mut Context<'_, (), Answer>) {
        self.gone = true;
        let failure = Err(Self::failure(Failure::Gone));
        for request in self.factorials.clear().into_iter().chain(self.copies.clear()) {
            cx.complete(request, failure);
        }
    }

    /// A running copy can't be stopped here. It ends when the device is closed, which disables bus
    /// mastering.
    fn stop(&mut self, _: &mut Context<'_, (), Answer>) {
        self.bus().write(STATUS, Status::empty());
    }
}
