//! A 16550 UART as its data sheet describes it (PC16550D, table II): the port behind which a modem
//! is.
//!
//! Rules:
//! - Its clock is [`SoftUart::run`], which counts characters. Nothing moves otherwise.
//! - It knows no line format: the divisor and the line control register only store, except DLAB.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use ringback_request::sync::EvenPoisoned;

/// Registers by number. IIR is read and FCR written at the same one.
mod reg {
    pub(super) const DATA: usize = 0;
    pub(super) const IER: usize = 1;
    pub(super) const IIR: usize = 2;
    pub(super) const FCR: usize = 2;
    pub(super) const LCR: usize = 3;
    pub(super) const MCR: usize = 4;
    pub(super) const LSR: usize = 5;
    pub(super) const MSR: usize = 6;
    pub(super) const SCR: usize = 7;
}

const IER_RECEIVED: u8 = 1 << 0;
const IER_TRANSMITTER_EMPTY: u8 = 1 << 1;
const IER_MODEM_STATUS: u8 = 1 << 3;
const IER_ALL: u8 = 0x0F;
const IIR_MODEM_STATUS: u8 = 0;
const IIR_NONE: u8 = 1 << 0;
const IIR_TRANSMITTER_EMPTY: u8 = 1 << 1;
const IIR_RECEIVED: u8 = 1 << 2;
const IIR_TIMED_OUT: u8 = IIR_RECEIVED | 1 << 3;
/// The FIFOs of the first 16550, and those that work.
const IIR_FIFOS_BROKEN: u8 = 1 << 7;
const IIR_FIFOS: u8 = 0b11 << 6;
const FCR_ENABLE: u8 = 1 << 0;
const FCR_CLEAR: u8 = 0b11 << 1;
const LCR_DLAB: u8 = 1 << 7;
const MCR_DTR: u8 = 1 << 0;
const MCR_RTS: u8 = 1 << 1;
const MCR_OUT1: u8 = 1 << 2;
const MCR_OUT2: u8 = 1 << 3;
const MCR_LOOP: u8 = 1 << 4;
const MCR_ALL: u8 = 0x1F;
const LSR_DATA_READY: u8 = 1 << 0;
const LSR_OVERRUN: u8 = 1 << 1;
/// Parity, framing, break.
const LSR_ERRORS: u8 = 0b111 << 2;
const LSR_EMPTY: u8 = 0b11 << 5;
const MSR_CTS: u8 = 1 << 4;
const MSR_DSR: u8 = 1 << 5;
const MSR_RI: u8 = 1 << 6;
const MSR_DCD: u8 = 1 << 7;
/// An input's bit, moved down by so many, says that the input has changed.
const MSR_CHANGE: u32 = 4;

/// The depth of a FIFO in bytes.
const FIFO: usize = 16;
/// After so many character times without a byte, fewer bytes than the trigger level interrupt.
const TIMEOUT: usize = 4;

/// A chip of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UartModel {
    /// A 16450, which has no FIFOs.
    Uart16450,
    /// The first 16550, whose FIFOs lose bytes and must not be used.
    Uart16550,
    /// The 16550A and its relatives.
    #[default]
    Uart16550A,
}

/// The outputs of a modem, which are the inputs of its UART (V.24 circuits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModemSignals {
    /// Clear to send (106).
    pub cts: bool,
    /// Data set ready (107): the modem is on.
    pub dsr: bool,
    /// Ring indicator (125). Only its end interrupts.
    pub ri: bool,
    /// Data carrier detect (109): there is another modem.
    pub dcd: bool,
}

/// A UART whose clock is [`SoftUart::run`]. Clones are the same chip.
#[derive(Debug, Clone)]
pub struct SoftUart(Arc<Mutex<Chip>>);

#[derive(Debug, Default)]
struct Chip {
    model: UartModel,
    enabled: u8,
    line_control: u8,
    modem_control: u8,
    fifo_control: u8,
    scratch: u8,
    divisor: [u8; 2],
    /// Received bytes, each with its error bits of LSR.
    received: VecDeque<(u8, u8)>,
    /// Character times since a byte was last received or read.
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
    /// The size of the register window in bytes.
    pub const WINDOW: usize = 8;

    /// A chip after power-on, with a modem that is switched on: DSR and CTS.
    pub fn new(model: UartModel) -> SoftUart {
        let chip = Chip { model, inputs: MSR_DSR | MSR_CTS, ..Chip::default() };
        SoftUart(Arc::new(Mutex::new(chip)))
    }

    /// Reads a register by its number, 0 to 7. Elsewhere, or from a removed chip, all bits of the
    /// result are 1.
    pub fn read(&self, register: usize) -> u8 {
        let mut chip = self.lock();
        if chip.removed { u8::MAX } else { chip.read(register) }
    }

    /// Writes a register by its number, 0 to 7. A write elsewhere, or to a removed chip, is
    /// ignored.
    pub fn write(&self, register: usize, value: u8) {
        let mut chip = self.lock();
        if !chip.removed {
            chip.write(register, value);
        }
    }

    /// Lets the time of so many characters pass. In each, the chip sends one byte, which is added
    /// to `to_wire`, and receives one, which is taken from `from_wire`. A byte that finds the FIFO
    /// full is lost.
    pub fn run(&self, characters: usize, from_wire: &mut VecDeque<u8>, to_wire: &mut Vec<u8>) {
        let mut chip = self.lock();
        for _ in 0..characters {
            chip.idle = chip.idle.saturating_add(1);
            let looped = chip.modem_control & MCR_LOOP != 0;
            if let Some(byte) = chip.sending.pop_front() {
                if looped {
                    chip.receive(byte, 0);
                } else if !chip.removed {
                    to_wire.push(byte);
                }
                chip.transmitter_emptied |= chip.sending.is_empty();
            }
            if let Some(byte) = from_wire.pop_front()
                && !looped
            {
                chip.receive(byte, 0);
            }
        }
    }

    /// Receives a broken byte: `errors` are bits of LSR (parity 0x04, framing 0x08, break 0x10).
    pub fn receive_broken(&self, byte: u8, errors: u8) {
        self.lock().receive(byte, errors & LSR_ERRORS);
    }

    /// Whether the chip asks for service: the level of its interrupt pin.
    pub fn interrupts(&self) -> bool {
        let chip = self.lock();
        !chip.removed && chip.cause() != IIR_NONE
    }

    /// Sets the levels at the chip's inputs.
    pub fn set_inputs(&self, signals: ModemSignals) {
        let mut chip = self.lock();
        let level = |on, bit| if on { bit } else { 0 };
        let inputs = level(signals.cts, MSR_CTS)
            | level(signals.dsr, MSR_DSR)
            | level(signals.ri, MSR_RI)
            | level(signals.dcd, MSR_DCD);
        // Of the ring indicator only the end counts.
        let changed = (chip.inputs ^ inputs) & !(inputs & MSR_RI);
        chip.changes |= changed >> MSR_CHANGE;
        chip.inputs = inputs;
    }

    /// Data terminal ready, an output of the chip.
    pub fn dtr(&self) -> bool {
        self.lock().modem_control & (MCR_DTR | MCR_LOOP) == MCR_DTR
    }

    /// Request to send, an output of the chip.
    pub fn rts(&self) -> bool {
        self.lock().modem_control & (MCR_RTS | MCR_LOOP) == MCR_RTS
    }

    /// The programmed divisor of the baud rate; 0 after power-on.
    pub fn divisor(&self) -> u16 {
        u16::from_le_bytes(self.lock().divisor)
    }

    /// The number of bytes that were written while the transmitter was full, which is a driver's
    /// mistake.
    pub fn overwritten(&self) -> u64 {
        self.lock().overwritten
    }

    /// Pulls the card: from now on every register reads all ones, and writes are ignored.
    pub fn remove(&self) {
        self.lock().removed = true;
    }

    fn lock(&self) -> MutexGuard<'_, Chip> {
        self.0.lock().even_poisoned()
    }
}

impl Chip {
    fn fifos(&self) -> bool {
        self.model != UartModel::Uart16450 && self.fifo_control & FCR_ENABLE != 0
    }

    fn depth(&self) -> usize {
        if self.fifos() { FIFO } else { 1 }
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

    fn latch(&self) -> bool {
        self.line_control & LCR_DLAB != 0
    }

    fn receive(&mut self, byte: u8, errors: u8) {
        self.idle = 0;
        if self.received.len() < self.depth() {
            self.received.push_back((byte, errors));
        } else {
            self.overrun = true;
        }
    }

    /// The cause bits of IIR: the most urgent one.
    fn cause(&self) -> u8 {
        let enabled = |interrupt| self.enabled & interrupt != 0;
        let timed_out = self.fifos() && self.idle >= TIMEOUT && !self.received.is_empty();
        if enabled(IER_RECEIVED) && self.received.len() >= self.trigger() {
            IIR_RECEIVED
        } else if enabled(IER_RECEIVED) && timed_out {
            IIR_TIMED_OUT
        } else if enabled(IER_TRANSMITTER_EMPTY) && self.transmitter_emptied {
            IIR_TRANSMITTER_EMPTY
        } else if enabled(IER_MODEM_STATUS) && self.changes != 0 {
            IIR_MODEM_STATUS
        } else {
            IIR_NONE
        }
    }

    fn read(&mut self, register: usize) -> u8 {
        match register {
            reg::DATA if self.latch() => self.divisor[0],
            reg::DATA => {
                self.idle = 0;
                self.received.pop_front().map_or(0, |(byte, _)| byte)
            }
            reg::IER if self.latch() => self.divisor[1],
            reg::IER => self.enabled,
            reg::IIR => self.identify(),
            reg::LCR => self.line_control,
            reg::MCR => self.modem_control,
            reg::LSR => self.line_status(),
            reg::MSR if self.modem_control & MCR_LOOP != 0 => self.looped_inputs(),
            reg::MSR => self.inputs | std::mem::take(&mut self.changes),
            reg::SCR => self.scratch,
            _ => u8::MAX,
        }
    }

    fn identify(&mut self) -> u8 {
        let cause = self.cause();
        if cause == IIR_TRANSMITTER_EMPTY {
            self.transmitter_emptied = false;
        }
        cause
            | match self.model {
                _ if !self.fifos() => 0,
                UartModel::Uart16550 => IIR_FIFOS_BROKEN,
                _ => IIR_FIFOS,
            }
    }

    fn line_status(&mut self) -> u8 {
        // Errors are reported once, together with the byte to which they belong.
        let mut status = match self.received.front_mut() {
            Some((_, errors)) => LSR_DATA_READY | std::mem::take(errors),
            None => 0,
        };
        if std::mem::take(&mut self.overrun) {
            status |= LSR_OVERRUN;
        }
        if self.sending.is_empty() {
            status |= LSR_EMPTY;
        }
        status
    }

    /// The inputs in loopback mode: the chip's own outputs.
    fn looped_inputs(&self) -> u8 {
        let joined =
            [(MCR_DTR, MSR_DSR), (MCR_RTS, MSR_CTS), (MCR_OUT1, MSR_RI), (MCR_OUT2, MSR_DCD)];
        let on = joined.into_iter().filter(|(output, _)| self.modem_control & output != 0);
        on.fold(0, |inputs, (_, input)| inputs | input)
    }

    fn write(&mut self, register: usize, value: u8) {
        match register {
            reg::DATA if self.latch() => self.divisor[0] = value,
            reg::DATA => {
                self.transmitter_emptied = false;
                if self.sending.len() < self.depth() {
                    self.sending.push_back(value);
                } else {
                    self.overwritten += 1;
                }
            }
            reg::IER if self.latch() => self.divisor[1] = value,
            reg::IER => {
                let newly = value & !self.enabled & IER_TRANSMITTER_EMPTY != 0;
                self.transmitter_emptied |= newly && self.sending.is_empty();
                self.enabled = value & IER_ALL;
            }
            reg::FCR => {
                // Switching the FIFOs on or off empties them, too.
                let switched = (value ^ self.fifo_control) & FCR_ENABLE != 0;
                self.fifo_control = value;
                if switched || value & FCR_CLEAR != 0 {
                    self.received.clear();
                    self.sending.clear();
                }
            }
            reg::LCR => self.line_control = value,
            reg::MCR => self.modem_control = value & MCR_ALL,
            reg::SCR => self.scratch = value,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(uart: &SoftUart, characters: usize) -> Vec<u8> {
        let mut to_wire = Vec::new();
        uart.run(characters, &mut VecDeque::new(), &mut to_wire);
        to_wire
    }

    #[test]
    fn a_change_of_an_input_is_reported_once_and_of_the_ring_only_its_end() {
        let uart = SoftUart::new(UartModel::default());
        uart.write(reg::IER, IER_MODEM_STATUS);
        let ready = ModemSignals { cts: true, dsr: true, ..ModemSignals::default() };
        uart.set_inputs(ready);
        assert!(!uart.interrupts(), "nothing has changed");
        uart.set_inputs(ModemSignals { ri: true, ..ready });
        assert!(!uart.interrupts());
        uart.set_inputs(ModemSignals { dcd: true, ..ready });
        assert!(uart.interrupts());
        assert_eq!(uart.read(reg::IIR), IIR_MODEM_STATUS);
        assert_eq!(uart.read(reg::MSR), 0xBC, "ring ended, carrier came");
        assert_eq!((uart.read(reg::MSR), uart.interrupts()), (0xB0, false));
    }

    #[test]
    fn loopback_joins_transmitter_and_receiver_and_the_outputs_to_the_inputs() {
        let uart = SoftUart::new(UartModel::default());
        uart.write(reg::MCR, MCR_LOOP | MCR_DTR | MCR_OUT2);
        assert!(!uart.dtr() && !uart.rts(), "the wire sees nothing");
        assert_eq!(uart.read(reg::MSR), MSR_DSR | MSR_DCD);
        uart.write(reg::DATA, 0xA5);
        assert_eq!(uart.read(reg::LSR), 0);
        assert!(pass(&uart, 1).is_empty());
        assert_eq!(uart.read(reg::LSR), LSR_DATA_READY | LSR_EMPTY);
        assert_eq!(uart.read(reg::DATA), 0xA5);
    }

    #[test]
    fn without_fifos_one_byte_waits_in_each_direction() {
        let uart = SoftUart::new(UartModel::Uart16450);
        uart.write(reg::FCR, FCR_ENABLE);
        assert_eq!(uart.read(reg::IIR), IIR_NONE, "no FIFOs");
        uart.write(reg::DATA, 1);
        uart.write(reg::DATA, 2);
        assert_eq!((pass(&uart, 3), uart.overwritten()), (vec![1], 1));
        uart.run(3, &mut VecDeque::from([7, 8]), &mut Vec::new());
        assert_eq!(uart.read(reg::LSR) & LSR_OVERRUN, LSR_OVERRUN);
        assert_eq!((uart.read(reg::DATA), uart.read(reg::LSR)), (7, LSR_EMPTY));
    }

    #[test]
    fn a_removed_chip_reads_ones_whatever_is_written() {
        let uart = SoftUart::new(UartModel::default());
        uart.remove();
        uart.write(reg::SCR, 0x55);
        assert!((0..SoftUart::WINDOW).all(|register| uart.read(register) == u8::MAX));
    }
}
