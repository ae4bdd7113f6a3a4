//! A 16550 in software, as its data sheet has it, for tests and simulations.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::soft::Hardware;

use super::ModemStatus;
use super::probe::FIFO_DEPTH;
use super::registers::{self, Fcr, Ier, Iir, Lcr, Lsr, Mcr, Msr, WINDOW};
use crate::card::register::offsets;

offsets!(registers: DATA IER IIR FCR LCR MCR LSR MSR SCR);

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
    enabled: Ier,
    line_control: Lcr,
    modem_control: Mcr,
    fifo_control: Fcr,
    scratch: u8,
    divisor: [u8; 2],
    /// Bytes received, each with its error bits of LSR.
    received: VecDeque<(u8, Lsr)>,
    /// Character times since the last byte came in or was fetched.
    idle: usize,
    overrun: bool,
    sending: VecDeque<u8>,
    transmitter_emptied: bool,
    inputs: Msr,
    changes: Msr,
    overwritten: u64,
    removed: bool,
}

impl SoftUart {
    /// A chip as it is after power-on, with a modem that is switched on: DSR and CTS.
    pub fn new(model: SoftModel) -> SoftUart {
        let chip = Chip { model, inputs: Msr::DSR | Msr::CTS, ..Chip::default() };
        SoftUart(Arc::new(Mutex::new(chip)))
    }

    /// Lets so many characters pass in each direction. What the chip sends is added to `to_wire`,
    /// what it receives is taken out of `from_wire`; one that finds the FIFO full is lost.
    pub fn run(&self, characters: usize, from_wire: &mut VecDeque<u8>, to_wire: &mut Vec<u8>) {
        let mut chip = self.lock();
        for _ in 0..characters {
            chip.idle = chip.idle.saturating_add(1);
            let looped = chip.modem_control.contains(Mcr::LOOP);
            if let Some(byte) = chip.sending.pop_front() {
                if looped {
                    chip.take_in(byte, Lsr::empty());
                } else if !chip.removed {
                    to_wire.push(byte);
                }
                chip.transmitter_emptied |= chip.sending.is_empty();
            }
            if let Some(byte) = from_wire.pop_front()
                && !looped
            {
                chip.take_in(byte, Lsr::empty());
            }
        }
    }

    /// A byte comes in that is broken: with the error bits of LSR (parity 0x04, framing 0x08,
    /// break 0x10).
    pub fn receive_broken(&self, byte: u8, errors: u8) {
        self.lock().take_in(byte, Lsr::from_bits_retain(errors) & Lsr::ERRORS);
    }

    /// Whether it asks for service: the level of its interrupt pin.
    pub fn interrupts(&self) -> bool {
        let chip = self.lock();
        !chip.removed && chip.cause() != Iir::NONE
    }

    /// The modem's outputs, which are the chip's inputs.
    pub fn set_inputs(&self, status: ModemStatus) {
        let mut chip = self.lock();
        let (before, changes) = (chip.inputs, &mut chip.changes);
        let mut inputs = Msr::empty();
        for (on, input, change) in [
            (status.cts, Msr::CTS, Msr::CTS_CHANGED),
            (status.dsr, Msr::DSR, Msr::DSR_CHANGED),
            (status.dcd, Msr::DCD, Msr::DCD_CHANGED),
        ] {
            inputs.set(input, on);
            changes.set(change, changes.contains(change) || on != before.contains(input));
        }
        inputs.set(Msr::RI, status.ri);
        if before.contains(Msr::RI) && !status.ri {
            changes.insert(Msr::RING_ENDED);
        }
        chip.inputs = inputs;
    }

    /// Data terminal ready, the chip's output.
    pub fn dtr(&self) -> bool {
        self.lock().modem_control & (Mcr::DTR | Mcr::LOOP) == Mcr::DTR
    }

    /// Request to send, the chip's output.
    pub fn rts(&self) -> bool {
        self.lock().modem_control & (Mcr::RTS | Mcr::LOOP) == Mcr::RTS
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
        self.model != SoftModel::Uart16450 && self.fifo_control.contains(Fcr::ENABLE)
    }

    fn depth(&self) -> usize {
        if self.fifos() { FIFO_DEPTH } else { 1 }
    }

    fn trigger(&self) -> usize {
        match self.fifo_control.bits() >> 6 {
            _ if !self.fifos() => 1,
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }

    fn take_in(&mut self, byte: u8, errors: Lsr) {
        self.idle = 0;
        if self.received.len() < self.depth() {
            self.received.push_back((byte, errors));
        } else {
            self.overrun = true;
        }
    }

    /// The cause bits of IIR: the most urgent one.
    fn cause(&self) -> Iir {
        let enabled = |interrupt| self.enabled.contains(interrupt);
        let timed_out = self.fifos() && self.idle >= 4 && !self.received.is_empty();
        if enabled(Ier::RECEIVED) && self.received.len() >= self.trigger() {
            Iir::RECEIVED
        } else if enabled(Ier::RECEIVED) && timed_out {
            Iir::RECEIVED | Iir::TIMED_OUT
        } else if enabled(Ier::TRANSMITTER_EMPTY) && self.transmitter_emptied {
            Iir::TRANSMITTER_EMPTY
        } else if enabled(Ier::MODEM_STATUS) && !self.changes.is_empty() {
            Iir::empty()
        } else {
            Iir::NONE
        }
    }

    fn read(&mut self, offset: usize) -> u8 {
        let latch = self.line_control.contains(Lcr::DLAB);
        match offset {
            DATA if latch => self.divisor[0],
            DATA => {
                self.idle = 0;
                self.received.pop_front().map_or(0, |(byte, _)| byte)
            }
            IER if latch => self.divisor[1],
            IER => self.enabled.bits(),
            IIR => {
                let cause = self.cause();
                if cause == Iir::TRANSMITTER_EMPTY {
                    self.transmitter_emptied = false;
                }
                let fifos = match self.model {
                    _ if !self.fifos() => Iir::empty(),
                    SoftModel::Uart16550 => Iir::FIFOS_BROKEN,
                    _ => Iir::FIFOS,
                };
                (cause | fifos).bits()
            }
            LCR => self.line_control.bits(),
            MCR => self.modem_control.bits(),
            LSR => {
                // Errors are told once, with the byte they belong to.
                let front = self.received.front_mut().map(|(_, errors)| std::mem::take(errors));
                let mut status = front.unwrap_or_default();
                status.set(Lsr::DATA_READY, front.is_some());
                status.set(Lsr::OVERRUN, std::mem::take(&mut self.overrun));
                let empty = Lsr::TRANSMITTER_EMPTY | Lsr::SHIFTER_EMPTY;
                status.set(empty, self.sending.is_empty());
                status.bits()
            }
            MSR if self.modem_control.contains(Mcr::LOOP) => {
                let mut inputs = Msr::empty();
                for (output, input) in [
                    (Mcr::DTR, Msr::DSR),
                    (Mcr::RTS, Msr::CTS),
                    (Mcr::OUT1, Msr::RI),
                    (Mcr::OUT2, Msr::DCD),
                ] {
                    inputs.set(input, self.modem_control.contains(output));
                }
                inputs.bits()
            }
            MSR => (self.inputs | std::mem::take(&mut self.changes)).bits(),
            _ => self.scratch,
        }
    }

    fn write(&mut self, offset: usize, value: u8) {
        let latch = self.line_control.contains(Lcr::DLAB);
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
                let enabled = Ier::from_bits_truncate(value);
                let newly = enabled.difference(self.enabled).contains(Ier::TRANSMITTER_EMPTY);
                self.transmitter_emptied |= newly && self.sending.is_empty();
                self.enabled = enabled;
            }
            FCR => {
                // Switching the FIFOs on or off empties them, too.
                let value = Fcr::from_bits_retain(value);
                let switched = (value ^ self.fifo_control).contains(Fcr::ENABLE);
                let clear = value.intersects(Fcr::CLEAR) || switched;
                self.fifo_control = value;
                if clear {
                    self.received.clear();
                    self.sending.clear();
                }
            }
            LCR => self.line_control = Lcr::from_bits_retain(value),
            MCR => self.modem_control = Mcr::from_bits_truncate(value),
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
