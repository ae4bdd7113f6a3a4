//! A 16550 UART: the port behind which a modem is.
//!
//! Controller-based PCI modems, PCI serial cards, QEMU's `pci-serial` and the kernel's sample
//! device mtty are all this chip. Here are its registers, its FIFOs, its interrupts and two byte
//! queues; the layer above interprets the bytes. Nothing is allocated once it is open.
//!
//! Rules that hold here:
//! - **Service** trusts the line status, not the cause that the interrupt register names, and looks
//!   at it even where no interrupt is pending: lost, shared and oddly ordered interrupts do no
//!   harm. It is bounded, also for a chip whose interrupt never goes away.
//! - **The interrupt is rearmed before the chip is looked at for the last time**, so that what
//!   happens in between is seen, whether the interrupt is a level or an edge.
//! - **Sent** means that the transmitter has taken the byte: it is on the wire, or at most one
//!   character before it.
//! - **Gone** means that every register reads as ones, or that the interrupt can't be rearmed. A
//!   UART that is gone stays gone.

mod error;
mod format;
mod probe;
mod registers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;

use crate::card::Delay;
use crate::device::{Description, Device, Kind, Needs};
use crate::report;

pub use error::{Failure, OpenError};
pub use format::{FormatError, LineFormat, Parity};

use registers::*;

/// QEMU's `pci-serial`, by vendor and device.
const PCI_SERIAL: (u16, u16) = (0x1B36, 0x0002);
/// Class and subclass of serial controllers.
const CLASS_SERIAL: u32 = 0x0700;
/// PCI classes of modems behind a 16450 to a 16750; a generic modem (0x070300) has no such chip.
const CLASS_HAYES_MODEM: RangeInclusive<u32> = 0x07_0301..=0x07_0304;
/// Eight registers and an interrupt.
const NEEDS: Needs = Needs { registers: WINDOW, dma: 0, msi: true };

/// A 16550 UART with a modem behind it.
pub const KIND: Kind = Kind::new(&Description {
    name: "16550 serial port or modem",
    is_pci: |ids| {
        (ids.vendor, ids.device) == PCI_SERIAL
            || ids.class >> 8 == CLASS_SERIAL
            || CLASS_HAYES_MODEM.contains(&ids.class)
    },
    uio: None,
    // The kernel's sample device mtty.
    mdev: Some("mtty-"),
    needs: NEEDS,
    is_driven: true,
    unsuited: &[(
        "uio_pci_generic",
        "its registers are I/O ports, which that module does not offer; use vfio-pci",
    )],
});

/// Bytes queued in each direction.
const QUEUE: usize = 4096;
/// RTS goes off with more than this received and not fetched, and on again with less than a
/// quarter.
const RECEIVED_HIGH: usize = QUEUE * 3 / 4;
const RECEIVED_LOW: usize = QUEUE / 4;
/// The most times that one service looks at the chip, and the most bytes it takes in each time.
const LOOKS: usize = 8;
const LOOK_BYTES: usize = 64;

/// The flow control in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlowControl {
    /// Each side may send at any time: for three-wire cables, and devices without flow control.
    None,
    /// RTS asks the other side to wait, CTS asks us: what modems with error correction need.
    #[default]
    RtsCts,
}

/// How a UART is to be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Speed and form of the characters.
    pub format: LineFormat,
    /// Bits per second at divisor 1: 115200 for the usual clock of 1.8432 MHz, 921600 for 14.7456
    /// MHz.
    pub base_baud: u32,
    /// The flow control in both directions.
    pub flow_control: FlowControl,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            format: LineFormat::default(),
            base_baud: 115_200,
            flow_control: FlowControl::default(),
        }
    }
}

/// The four inputs from the modem (V.24 circuits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModemStatus {
    /// Clear to send (106).
    pub cts: bool,
    /// Data set ready (107): the modem is on.
    pub dsr: bool,
    /// Ring indicator (125). Only its end makes an interrupt.
    pub ri: bool,
    /// Data carrier detect (109): there is another modem.
    pub dcd: bool,
}

impl ModemStatus {
    fn from_register(msr: Msr) -> ModemStatus {
        ModemStatus {
            cts: msr.contains(Msr::CTS),
            dsr: msr.contains(Msr::DSR),
            ri: msr.contains(Msr::RI),
            dcd: msr.contains(Msr::DCD),
        }
    }
}

/// What was counted since the UART was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Bytes that were received.
    pub received: u64,
    /// Bytes the transmitter has taken.
    pub sent: u64,
    /// Times the chip lost bytes because it was not read in time.
    pub overruns: u64,
    /// Bytes without a proper stop bit.
    pub framing_errors: u64,
    /// Bytes with the wrong parity.
    pub parity_errors: u64,
    /// Breaks that were received.
    pub breaks: u64,
    /// Bytes lost because the queue was full.
    pub dropped: u64,
    /// Ends of rings, by the ring indicator.
    pub rings: u64,
}

/// The result of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Service {
    /// Everything is handled; an interrupt comes when there is more.
    Done,
    /// There is more; service it again soon.
    More,
    /// The UART is gone; [`Uart16550::failure`] says why.
    Gone,
}

/// A 16550 whose registers are those of the device `D`.
///
/// Dropping it makes it safe.
#[derive(Debug)]
pub struct Uart16550<D: Device> {
    device: D,
    depth: usize,
    flow_control: FlowControl,
    received: VecDeque<u8>,
    sending: VecDeque<u8>,
    /// Written to the transmitter and not known to have left it.
    in_fifo: usize,
    /// The values last written to the registers.
    enabled: Ier,
    modem_control: Mcr,
    status: ModemStatus,
    counters: Counters,
    closed: bool,
    failure: Option<Failure>,
}

impl<D: Device> Uart16550<D> {
    /// What it needs of its device.
    pub const NEEDS: Needs = NEEDS;

    /// Makes sure that the device is a 16550 that works, and sets it up. Its interrupt stays off,
    /// and so do DTR and RTS, until [`Uart16550::start`].
    ///
    /// This takes a few milliseconds, passed with `delay`.
    ///
    /// # Errors
    /// The device is not a 16550, does not answer, or does not support the format.
    pub fn open(
        device: D,
        options: Options,
        delay: &mut dyn Delay,
    ) -> Result<Uart16550<D>, OpenError> {
        let divisor = options.format.divisor(options.base_baud)?;
        let line_control = options.format.line_control()?;
        let r = Bus::new(device.registers());
        let depth = probe::probe(r, delay)?;
        probe::set_format(r, divisor, line_control);
        let status = ModemStatus::from_register(r.read(MSR));
        Ok(Uart16550 {
            device,
            depth,
            flow_control: options.flow_control,
            received: VecDeque::with_capacity(QUEUE),
            sending: VecDeque::with_capacity(QUEUE),
            in_fifo: 0,
            enabled: Ier::empty(),
            modem_control: Mcr::empty(),
            status,
            counters: Counters::default(),
            closed: false,
            failure: None,
        })
    }

    /// Raises DTR and RTS and lets interrupts come.
    ///
    /// # Errors
    /// The error of enabling the interrupt.
    pub fn start(&mut self) -> io::Result<()> {
        self.set_modem_control(Mcr::DTR | Mcr::RTS | Mcr::OUT2);
        self.set_enabled(Ier::RECEIVED | Ier::MODEM_STATUS);
        self.device.rearm()
    }

    /// The device, e.g. for its interrupt.
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// How many bytes the chip's FIFOs hold: 16, or 1 where there are none that work.
    pub const fn fifo_depth(&self) -> usize {
        self.depth
    }

    /// What was counted since the UART was opened.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Why the UART is lost, after [`Service::Gone`].
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The modem's inputs as they were read last.
    pub const fn modem_status(&self) -> ModemStatus {
        self.status
    }

    // Bytes

    /// Queues bytes to be sent; says how many fitted. The first are handed to the chip at once.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        if self.closed {
            return 0;
        }
        let fits = bytes.len().min(self.room());
        self.sending.extend(bytes.iter().take(fits));
        if self.in_fifo == 0 && self.line_status().contains(Lsr::TRANSMITTER_EMPTY) {
            self.transmit();
        }
        fits
    }

    /// How many bytes [`Uart16550::send`] takes now.
    pub fn room(&self) -> usize {
        QUEUE.saturating_sub(self.sending.len())
    }

    /// Bytes queued that the transmitter has not taken yet.
    pub fn unsent(&self) -> usize {
        self.sending.len() + self.in_fifo
    }

    /// Discards the bytes that are queued to be sent and not in the chip yet.
    pub fn discard_unsent(&mut self) {
        self.sending.clear();
    }

    /// Takes the next byte that was received.
    pub fn receive(&mut self) -> Option<u8> {
        let byte = self.received.pop_front();
        if self.received.len() < RECEIVED_LOW
            && !self.closed
            && self.modem_control.contains(Mcr::OUT2)
            && !self.modem_control.contains(Mcr::RTS)
        {
            self.set_modem_control(self.modem_control | Mcr::RTS);
        }
        byte
    }

    /// Sets DTR (V.24 circuit 108/2): off, a modem hangs up.
    pub fn set_dtr(&mut self, on: bool) {
        if !self.closed {
            let mut control = self.modem_control;
            control.set(Mcr::DTR, on);
            self.set_modem_control(control);
        }
    }

    // The chip

    /// Services the chip. To be called on its interrupt, and from time to time without one.
    pub fn service(&mut self) -> Service {
        if self.closed {
            return if self.failure.is_some() { Service::Gone } else { Service::Done };
        }
        let (mut looked, mut let_through) = (false, false);
        for _ in 0..LOOKS {
            let cause = self.bus().read(IIR);
            if cause.bits() == ABSENT && self.bus().read(SCR) == ABSENT {
                return self.lost(Failure::Removed);
            }
            if !looked || !cause.contains(Iir::NONE) {
                looked = true;
                self.look();
            } else if let_through {
                return Service::Done;
            } else {
                let_through = true;
                if let Err(error) = self.device.rearm() {
                    return self.lost(Failure::Interrupt(error));
                }
            }
        }
        match self.device.rearm() {
            Ok(()) => Service::More,
            Err(error) => self.lost(Failure::Interrupt(error)),
        }
    }

    fn look(&mut self) {
        let mut status = self.line_status();
        for _ in 0..LOOK_BYTES {
            if !status.contains(Lsr::DATA_READY) {
                break;
            }
            let byte = self.bus().read(DATA);
            // A break comes with a zero byte, which is not data.
            if !status.contains(Lsr::BREAK) {
                self.take_in(byte);
            }
            status = self.line_status();
        }
        let msr = self.bus().read(MSR);
        self.counters.rings += u64::from(msr.contains(Msr::RING_ENDED));
        self.status = ModemStatus::from_register(msr);
        if status.contains(Lsr::TRANSMITTER_EMPTY) {
            self.transmit();
        }
    }

    fn take_in(&mut self, byte: u8) {
        self.counters.received += 1;
        if self.received.len() == QUEUE {
            self.counters.dropped += 1;
            return;
        }
        self.received.push_back(byte);
        if self.flow_control == FlowControl::RtsCts
            && self.received.len() > RECEIVED_HIGH
            && self.modem_control.contains(Mcr::RTS)
        {
            self.set_modem_control(self.modem_control.difference(Mcr::RTS));
        }
    }

    /// The line status, with the errors counted that reading it clears.
    fn line_status(&mut self) -> Lsr {
        let status = self.bus().read(LSR);
        let counters = &mut self.counters;
        counters.overruns += u64::from(status.contains(Lsr::OVERRUN));
        counters.parity_errors += u64::from(status.contains(Lsr::PARITY));
        counters.breaks += u64::from(status.contains(Lsr::BREAK));
        // A break has no stop bit either.
        counters.framing_errors += u64::from(status & (Lsr::FRAMING | Lsr::BREAK) == Lsr::FRAMING);
        status
    }

    /// The transmitter is empty: what it had is sent, and it gets more.
    fn transmit(&mut self) {
        self.counters.sent += self.in_fifo as u64;
        self.in_fifo = 0;
        if self.flow_control == FlowControl::None || self.status.cts {
            while self.in_fifo < self.depth
                && let Some(byte) = self.sending.pop_front()
            {
                self.bus().write(DATA, byte);
                self.in_fifo += 1;
            }
        }
        let mut enabled = self.enabled;
        enabled.set(Ier::TRANSMITTER_EMPTY, self.in_fifo > 0);
        self.set_enabled(enabled);
    }

    fn bus(&self) -> Bus<'_, D::Registers> {
        Bus::new(self.device.registers())
    }

    fn set_enabled(&mut self, enabled: Ier) {
        if self.enabled != enabled {
            self.enabled = enabled;
            self.bus().write(IER, enabled);
        }
    }

    fn set_modem_control(&mut self, control: Mcr) {
        if self.modem_control != control {
            self.modem_control = control;
            self.bus().write(MCR, control);
        }
    }

    fn lost(&mut self, failure: Failure) -> Service {
        report!(ERROR, "{}: {failure}", self.device.name());
        self.safe();
        self.failure = Some(failure);
        Service::Gone
    }

    /// Interrupts off, DTR and RTS off (a modem hangs up), FIFOs empty, and leaves the UART so.
    /// Harmless when repeated and when the UART is gone.
    pub fn safe(&mut self) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.set_enabled(Ier::empty());
        self.set_modem_control(Mcr::empty());
        self.bus().write(FCR, Fcr::ENABLE | Fcr::CLEAR);
        self.bus().write(FCR, Fcr::empty());
        self.sending.clear();
        self.in_fifo = 0;
    }
}

impl<D: Device> Drop for Uart16550<D> {
    fn drop(&mut self) {
        self.safe();
    }
}
