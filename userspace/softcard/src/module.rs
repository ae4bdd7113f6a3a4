//! One slot of the card: the module in it, its serial port, and what its jack is joined to.
//!
//! Rules: chip faults are pins or line conditions of the chip and survive its reset. An empty slot
//! drives nothing, neither on SDO nor on the serial bus.

use std::fmt;
use std::str::FromStr;

use crate::chips::pcm::{self, Bytes, Lanes};
use crate::chips::{Feed, Framing, Load, Pins, Si3050, Si3210, SlotPins, SpiPort};
use crate::fault::Fault;
use crate::telephone::Telephone;

/// What is plugged into a slot. The names (`Display`, `FromStr`) are `empty`, `fxs`, `fxs-si3215`,
/// `fxo` and `fxo-si3018`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ModuleKind {
    /// No module: nothing answers on the slot's bus.
    #[default]
    Empty,
    /// An Si3210 ProSLIC: feeds a telephone.
    Fxs,
    /// An Si3215 ProSLIC: feeds a telephone, too.
    FxsSi3215,
    /// An Si3050 with an Si3019: ends a line of the exchange.
    Fxo,
    /// An Si3050 with an Si3018: ends a line of the exchange, too.
    FxoSi3018,
}

impl ModuleKind {
    /// All of them.
    pub const ALL: [ModuleKind; 5] = [
        ModuleKind::Empty,
        ModuleKind::Fxs,
        ModuleKind::FxsSi3215,
        ModuleKind::Fxo,
        ModuleKind::FxoSi3018,
    ];
}

/// A module's name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no module named {0:?}; known are {known}",
    known = ModuleKind::ALL.map(|kind| kind.to_string()).join(", ")
)]
pub struct UnknownModule(String);

impl fmt::Display for ModuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ModuleKind::Empty => "empty",
            ModuleKind::Fxs => "fxs",
            ModuleKind::FxsSi3215 => "fxs-si3215",
            ModuleKind::Fxo => "fxo",
            ModuleKind::FxoSi3018 => "fxo-si3018",
        })
    }
}

impl FromStr for ModuleKind {
    type Err = UnknownModule;

    fn from_str(name: &str) -> Result<ModuleKind, UnknownModule> {
        ModuleKind::ALL
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or_else(|| UnknownModule(name.to_owned()))
    }
}

#[derive(Debug)]
enum Module {
    Empty,
    Fxs {
        chip: Box<Si3210>,
        port: SpiPort,
        telephone: Telephone,
        /// What the telephone was fed with in the last millisecond.
        feed: Feed,
    },
    Fxo {
        chip: Box<Si3050>,
        port: SpiPort,
    },
}

/// A slot with its module and its faults.
#[derive(Debug)]
pub(crate) struct Slot {
    module: Module,
    unplugged: bool,
    /// Faults: SDO is stuck high, low. Low wins, as on a wire.
    stuck_high: bool,
    stuck_low: bool,
}

impl Slot {
    /// A slot with the module `kind` in it; an FXS module has a telephone plugged in.
    pub(crate) fn new(kind: ModuleKind) -> Slot {
        let module = match kind {
            ModuleKind::Empty => Module::Empty,
            ModuleKind::Fxs | ModuleKind::FxsSi3215 => Module::Fxs {
                chip: Box::new(match kind {
                    ModuleKind::FxsSi3215 => Si3210::si3215(),
                    _ => Si3210::default(),
                }),
                port: SpiPort::new(Framing::TwoBytes),
                telephone: Telephone::new(),
                feed: Feed::default(),
            },
            ModuleKind::Fxo | ModuleKind::FxoSi3018 => Module::Fxo {
                chip: Box::new(match kind {
                    ModuleKind::FxoSi3018 => Si3050::with_si3018(),
                    _ => Si3050::default(),
                }),
                port: SpiPort::new(Framing::ThreeBytes),
            },
        };
        Slot { module, unplugged: false, stuck_high: false, stuck_low: false }
    }

    pub(crate) fn is_fxo(&self) -> bool {
        matches!(self.module, Module::Fxo { .. })
    }

    pub(crate) fn telephone(&self) -> Option<&Telephone> {
        match &self.module {
            Module::Fxs { telephone, .. } => Some(telephone),
            Module::Empty | Module::Fxo { .. } => None,
        }
    }

    /// Switches a fault of this slot.
    pub(crate) fn set_fault(&mut self, fault: Fault, on: bool) {
        match (fault, &mut self.module) {
            (Fault::LineUnplugged(_), _) => self.unplugged = on,
            (Fault::StuckSpi(_), _) => self.stuck_high = on,
            (Fault::StuckSpiLow(_), _) => self.stuck_low = on,
            (Fault::PartReset(_), Module::Fxs { chip, .. }) if on => chip.reset(),
            (Fault::PowerAlarm(_), Module::Fxs { chip, .. }) => chip.power_alarm = on,
            (Fault::NoPower(_), Module::Fxs { chip, .. }) => chip.unpowered = on,
            (Fault::NoIsoLink(_), Module::Fxo { chip, .. }) => chip.no_link = on,
            (Fault::NeonVoltage(_), Module::Fxo { chip, .. }) => chip.neon = on,
            _ => {}
        }
    }

    /// Sets the impedance of the line at an FXO module.
    pub(crate) fn set_line_impedance(&mut self, impedance: Option<u8>) {
        if let Module::Fxo { chip, .. } = &mut self.module {
            chip.line_impedance = impedance;
        }
    }

    /// One millisecond of the line. `from_host` is what the serial bus carries in each byte lane,
    /// `None` while it stands still; `exchange` is what the exchange feeds the slot's line with.
    /// Returns what the exchange sees of the line, and which lane the module drives with which
    /// bytes.
    pub(crate) fn tick(
        &mut self,
        from_host: Option<&[Bytes; crate::SLOTS]>,
        exchange: Feed,
    ) -> (Load, Option<(usize, Bytes)>) {
        let received = |lanes: Lanes| {
            let bus = from_host?;
            Some(lanes.receive.and_then(|lane| bus.get(lane)).copied().unwrap_or(pcm::IDLE_BUS))
        };
        let unplugged = self.unplugged;
        let (lanes, load, bytes) = match &mut self.module {
            Module::Empty => return (Load::default(), None),
            Module::Fxs { chip, telephone, feed, .. } => {
                let plugged_load = telephone.tick(if unplugged { Feed::default() } else { *feed });
                let load = if unplugged { Load::default() } else { plugged_load };
                let lanes = chip.lanes();
                let bytes;
                (*feed, bytes) = chip.tick(load, received(lanes));
                (lanes, Load::default(), bytes)
            }
            Module::Fxo { chip, .. } => {
                let lanes = chip.lanes();
                let feed = if unplugged { Feed::default() } else { exchange };
                let (load, bytes) = chip.tick(feed, received(lanes));
                (lanes, if unplugged { Load::default() } else { load }, bytes)
            }
        };
        (load, lanes.transmit.zip(bytes))
    }
}

impl SlotPins for Slot {
    fn reset(&mut self) {
        match &mut self.module {
            Module::Empty => {}
            Module::Fxs { chip, port, .. } => {
                chip.reset();
                *port = SpiPort::new(Framing::TwoBytes);
            }
            Module::Fxo { chip, port } => {
                chip.reset();
                *port = SpiPort::new(Framing::ThreeBytes);
            }
        }
    }

    fn drive(&mut self, pins: Pins) {
        match &mut self.module {
            Module::Empty => {}
            Module::Fxs { chip, port, .. } => port.drive(pins, chip.as_mut()),
            Module::Fxo { chip, port } => port.drive(pins, chip.as_mut()),
        }
    }

    fn sdo(&self) -> bool {
        let driven = match &self.module {
            Module::Empty => true,
            Module::Fxs { port, .. } | Module::Fxo { port, .. } => port.sdo(),
        };
        (driven || self.stuck_high) && !self.stuck_low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_have_names() {
        for kind in ModuleKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "FXS".parse::<ModuleKind>().unwrap_err().to_string();
        assert!(
            error.contains("\"FXS\"") && error.contains("empty, fxs, fxs-si3215, fxo, fxo-si3018"),
            "{error}"
        );
    }
}
