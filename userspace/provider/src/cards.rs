//! The cards that have lines, each with the engine that drives them.

use std::io;
use std::sync::Arc;

use ringback_driver::PortNumber;
use ringback_driver::Time;
use ringback_driver::card::uart16550::Uart16550;
use ringback_driver::card::{LineTuning, PortCard, RegisterDump, Slot};
use ringback_driver::device::{Device, Files};
use ringback_lines::modem::{Modem, ModemOptions};
use ringback_lines::{CallHandles, LineEngine, Lines, line_kind};
use ringback_tspi::dev_specific::{DevSpecific, LineKind};

use super::open_error::OpenError;
use super::{SlotReport, report};

/// A card that was opened and is not started yet.
pub trait Card: Sized + Send + 'static {
    /// The engine of its lines.
    type Lines: LineEngine;

    /// The short name of its device.
    fn name(&self) -> String;

    /// Its lines, in the order in which the engine numbers them.
    fn lines(&self) -> Vec<DevSpecific>;

    /// Why it has no line; called if it has none.
    fn empty(&self) -> String {
        String::new()
    }

    /// The files that the reaper reads and writes for it.
    ///
    /// # Errors
    /// The error of the system call.
    fn files(&self) -> io::Result<Files>;

    /// Starts it.
    ///
    /// # Errors
    /// The card does not start.
    fn start(self, handles: Arc<CallHandles>, now: Time) -> Result<Self::Lines, OpenError>;

    /// The state of its slots, if it has any; `base` is the device id of its first line.
    fn slot_reports(lines: &Self::Lines, base: u32) -> Vec<SlotReport> {
        let _ = (lines, base);
        Vec::new()
    }

    /// Fits an FXO line of a card that has slots; `false` for any other.
    fn tune_line(lines: &mut Self::Lines, slot: PortNumber, tuning: LineTuning) -> bool {
        let _ = (lines, slot, tuning);
        false
    }

    /// Begins to read all registers of a card that has slots; `false` for any other.
    fn begin_register_dump(lines: &mut Self::Lines) -> bool {
        let _ = lines;
        false
    }

    /// What the registers read; `None` until the dump is complete.
    fn register_dump(lines: &Self::Lines) -> Option<RegisterDump> {
        let _ = lines;
        None
    }
}

impl<C: PortCard> Card for C {
    type Lines = Lines<C>;

    fn name(&self) -> String {
        PortCard::name(self).to_owned()
    }

    fn lines(&self) -> Vec<DevSpecific> {
        let slots = PortNumber::each().zip(PortCard::slots(self));
        let line = |(slot, content): (PortNumber, &Slot)| {
            Some(DevSpecific { slot, kind: line_kind(content.kind()?) })
        };
        slots.filter_map(line).collect()
    }

    fn empty(&self) -> String {
        let slots: Vec<String> = PortNumber::each()
            .zip(PortCard::slots(self))
            .map(|(number, slot)| match slot {
                Slot::Failed(error) => format!("slot {number}: {error}"),
                _ => format!("slot {number} is empty"),
            })
            .collect();
        slots.join("; ")
    }

    fn files(&self) -> io::Result<Files> {
        PortCard::files(self)
    }

    fn start(self, handles: Arc<CallHandles>, now: Time) -> Result<Lines<C>, OpenError> {
        Ok(Lines::new(self, handles, now)?)
    }

    fn slot_reports(lines: &Lines<C>, base: u32) -> Vec<SlotReport> {
        report::report(lines, base)
    }

    fn tune_line(lines: &mut Lines<C>, slot: PortNumber, tuning: LineTuning) -> bool {
        lines.tune(slot, tuning)
    }

    fn begin_register_dump(lines: &mut Lines<C>) -> bool {
        lines.begin_register_dump()
    }

    fn register_dump(lines: &Lines<C>) -> Option<RegisterDump> {
        lines.card().dump().cloned()
    }
}

/// A UART with a modem behind it.
#[derive(Debug)]
pub struct ModemCard<D: Device> {
    /// The UART that the modem is behind.
    pub uart: Uart16550<D>,
    /// The settings of the modem.
    pub options: ModemOptions,
}

impl<D: Device> Card for ModemCard<D> {
    type Lines = Modem<D>;

    fn name(&self) -> String {
        self.uart.device().name().to_owned()
    }

    fn lines(&self) -> Vec<DevSpecific> {
        vec![DevSpecific { slot: PortNumber(0), kind: LineKind::Modem }]
    }

    fn files(&self) -> io::Result<Files> {
        self.uart.device().files()
    }

    fn start(self, handles: Arc<CallHandles>, now: Time) -> Result<Modem<D>, OpenError> {
        Modem::new(self.uart, &self.options, handles, now).map_err(OpenError::Interrupt)
    }
}
