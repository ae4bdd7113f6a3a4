//! A 16550 in software, as its data sheet has it, for tests and simulations.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::soft::Hardware;

use super::ModemStatus;
use super::probe::FIFO_DEPTH;
use super::registers::*;

/// Which chip of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SoftModel {
    /// A 16450, which has no FIFOs.
    Uart16450,
    /// The first 16550, whose FIFOs lose bytes and must not be used.
    Uart16550,
    /// 16550A and its relatives.
    #[default]
    Uart16550A,
}

/// A UART whose clock is [`SoftUart::run`]. Clones are the same chip.
#[derive(Debug, Clone)]
pub struct SoftUart(Arc<Mutex<Chip>>);

#[derive(Debug, Default)]
struct Chip {
    model: SoftModel,
    enabled: u8,
    line_control: u8,
    modem_control: u8,
    fifo_control: u8,
    scratch: u8,
    divisor: [u8; 2],
    /// Bytes received, each with its error bits of LSR.
    received: VecDeque<(u8, u8)>,
    /// Character times since the last byte came in or was fetched.
    idle: usize,
    overrun: bool,
    sending: VecDeque<u8>,
    transmitter_emptied: bool,
    inputs: u8,
    changes: u8,
    overwritten: u64,
    removed: bool,
}

impl SoftUart {
    /// A chip as it is after power-on, with a modem that is switched on: DSR and CTS.
    pub fn new(model: SoftModel) -> SoftUart {
        let chip = Chip { model, inputs: MSR_DSR | MSR_CTS, ..Chip::default() };
        SoftUart(Arc::new(Mutex::new(chip)))
    }

    /// Lets so many characters pass in each direction. What the chip sends is added to `to_wire`,
    /// what it receives is taken out of `from_wire`; one that finds the FIFO full is lost.
    pub fn run(&self, characters: usize, from_wire: &mut VecDeque<u8>, to_wire: &mut Vec<u8>) {
        let mut chip = self.lock();
        for _ in 0..characters {
            chip.idle = chip.idle.saturating_add(1);
            let looped = chip.modem_control & MCR_LOOP != 0;
            if let Some(byte) = chip.sending.pop_front() {
                if looped {
                    chip.take_in(byte, 0);
                } else if !chip.removed {
                    to_wire.push(byte);
                }
                chip.transmitter_emptied |= chip.sending.is_empty();
            }
            if let Some(byte) = from_wire.pop_front()
                && !looped
            {
                chip.take_in(byte, 0);
            }
        }
    }

    /// A byte comes in that is broken: with the error bits of LSR (parity 0x04, framing 0x08,
    /// break 0x10).
    pub fn receive_broken(&self, byte: u8, errors: u8) {
        self.lock().take_in(byte, errors & (LSR_PARITY | LSR_FRAMING | LSR_BREAK));
    }

    /// Whether it asks for service: the level of its interrupt pin.
    pub fn interrupts(&self) -> bool {
        let chip = self.lock();
        !chip.removed && chip.cause() != IIR_NONE
    }

    /// The modem's outputs, which are the chip's inputs.
    pub fn set_inputs(&self, status: ModemStatus) {
        let bits = [
            (status.cts, MSR_CTS),
            (status.dsr, MSR_DSR),
            (status.ri, MSR_RI),
            (status.dcd, MSR_DCD),
        ];
        let inputs = bits.iter().filter(|(on, _)| *on).fold(0, |all, (_, bit)| all | bit);
        let mut chip = self.lock();
        let changed = (chip.inputs ^ inputs) >> 4;
        let ring_ended = chip.inputs & !inputs & MSR_RI != 0;
        chip.changes |= changed & !MSR_RING_ENDED | if ring_ended { MSR_RING_ENDED } else { 0 };
        chip.inputs = inputs;
    }

    /// Data terminal ready, the chip's output.
    pub fn dtr(&self) -> bool {
        self.lock().modem_control & (MCR_DTR | MCR_LOOP) == MCR_DTR
    }

    /// Request to send, the chip's output.
    pub fn rts(&self) -> bool {
        self.lock().modem_control & (MCR_RTS | MCR_LOOP) == MCR_RTS
    }

    /// The divisor that is set.
    pub fn divisor(&self) -> u16 {
        u16::from_le_bytes(self.lock().divisor)
    }

    /// Bytes that were written while the transmitter was full: a driver's mistake.
    pub fn overwritten(&self) -> u64 {
        self.lock().overwritten
    }

    /// Pulls the card: every register reads all ones, writes go nowhere.
    pub fn remove(&self) {
        self.lock().removed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Chip> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chip {
    fn fifos(&self) -> bool {
        self.model != SoftModel::Uart16450 && self.fifo_control & FCR_ENABLE != 0
    }

    fn depth(&self) -> usize {
        if self.fifos() { FIFO_DEPTH } else { 1 }
    }

    fn trigger(&self) -> usize {
        match self.fifo_control >> 6 {
            _ if !self.fifos() => 1,
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }

    fn take_in(&mut self, byte: u8, errors: u8) {
        self.idle = 0;
        if self.received.len() < self.depth() {
            self.received.push_back((byte, errors));
        } else {
            self.overrun = true;
        }
    }

    /// The cause bits of IIR: the most urgent one.
    fn cause(&self) -> u8 {
        let timed_out = self.fifos() && self.idle >= 4 && !self.received.is_empty();
        if self.enabled & IER_RECEIVED != 0 && self.received.len() >= self.trigger() {
            0x04
        } else if self.enabled & IER_RECEIVED != 0 && timed_out {
            0x0C
        } else if self.enabled & IER_TRANSMITTER_EMPTY != 0 && self.transmitter_emptied {
            0x02
        } else if self.enabled & IER_MODEM_STATUS != 0 && self.changes != 0 {
            0x00
        } else {
            IIR_NONE
        }
    }

    fn read(&mut self, offset: usize) -> u8 {
        let latch = self.line_control & LCR_DLAB != 0;
        match offset {
            DATA if latch => self.divisor[0],
            DATA => {
                self.idle = 0;
                self.received.pop_front().map_or(0, |(byte, _)| byte)
            }
            IER if latch => self.divisor[1],
            IER => self.enabled,
            IIR => {
                let cause = self.cause();
                if cause == 0x02 {
                    self.transmitter_emptied = false;
                }
                let fifos = match self.model {
                    _ if !self.fifos() => 0,
                    SoftModel::Uart16550 => 0b10 << 6,
                    _ => IIR_FIFOS,
                };
                cause | fifos
            }
            LCR => self.line_control,
            MCR => self.modem_control,
            LSR => {
                let ready = if self.received.is_empty() { 0 } else { LSR_DATA_READY };
                // Errors are told once, with the byte they belong to.
                let errors = self.received.front_mut().map_or(0, |(_, e)| std::mem::take(e));
                let overrun = if std::mem::take(&mut self.overrun) { LSR_OVERRUN } else { 0 };
                // With the shift register, bit 6.
                let empty = if self.sending.is_empty() { LSR_TRANSMITTER_EMPTY | 0x40 } else { 0 };
                ready | errors | overrun | empty
            }
            MSR if self.modem_control & MCR_LOOP != 0 => {
                let control = self.modem_control;
                let bit = |from: u8, to: u8| if control & from != 0 { to } else { 0 };
                bit(MCR_DTR, MSR_DSR)
                    | bit(MCR_RTS, MSR_CTS)
                    | bit(1 << 2, MSR_RI)
                    | bit(MCR_OUT2, MSR_DCD)
            }
            MSR => self.inputs | std::mem::take(&mut self.changes),
            _ => self.scratch,
        }
    }

    fn write(&mut self, offset: usize, value: u8) {
        let latch = self.line_control & LCR_DLAB != 0;
        match offset {
            DATA if latch => self.divisor[0] = value,
            DATA => {
                self.transmitter_emptied = false;
                if self.sending.len() < self.depth() {
                    self.sending.push_back(value);
                } else {
                    self.overwritten += 1;
                }
            }
            IER if latch => self.divisor[1] = value,
            IER => {
                let newly = value & !self.enabled & IER_TRANSMITTER_EMPTY != 0;
                self.transmitter_emptied |= newly && self.sending.is_empty();
                self.enabled = value & 0x0F;
            }
            FCR => {
                // Switching the FIFOs on or off empties them, too.
                let clear = value & FCR_CLEAR != 0 || (value ^ self.fifo_control) & FCR_ENABLE != 0;
                self.fifo_control = value;
                if clear {
                    self.received.clear();
                    self.sending.clear();
                }
            }
            LCR => self.line_control = value,
            MCR => self.modem_control = value & 0x1F,
            SCR => self.scratch = value,
            _ => {}
        }
    }
}

impl Hardware for SoftUart {
    fn len(&self) -> usize {
        WINDOW
    }

    fn read(&self, offset: usize, width: u32) -> u32 {
        let mut chip = self.lock();
        if chip.removed || width != 1 { u32::MAX } else { u32::from(chip.read(offset)) }
    }

    fn write(&self, offset: usize, width: u32, value: u32) {
        let mut chip = self.lock();
        if !chip.removed && width == 1 {
            chip.write(offset, value as u8);
        }
    }
}
