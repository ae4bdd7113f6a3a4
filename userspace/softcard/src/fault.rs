//! What can go wrong with a card, by name.

use std::fmt;
use std::str::FromStr;

/// A fault that can be switched on and off while the card runs.
///
/// The names (`Display`, `FromStr`) are given with each; those of one slot end in a colon and the
/// slot's number, 0 to 3. A fault of a slot whose module it does not concern has no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// `late-interrupt`: every interrupt comes 3 ms after its cause, more than the ring can hold.
    /// What happens in between merges into it.
    LateInterrupt,
    /// `lost-interrupts`: the pin is never asserted; status bits and samples go on.
    LostInterrupts,
    /// `doubled-interrupts`: every interrupt comes twice.
    DoubledInterrupts,
    /// `master-abort`: nobody answers the card's bus cycles (INTSTAT bit 4). The rings halt at the
    /// first one, until the DMA is restarted.
    MasterAbort,
    /// `target-abort`: the target gives up the card's bus cycles (INTSTAT bit 5), as above.
    TargetAbort,
    /// `removal`: the card is pulled. Reads give ones, writes are lost, no interrupts, no DMA.
    /// Switched off: the card is put back, as after power-on.
    Removal,
    /// `late-tick`: the card's clock is late every other time: nothing happens in one millisecond,
    /// then both halves of the ring move at once and raise one interrupt.
    LateTick,
    /// `part-reset:N`: the Si3210 of this slot resets by itself, once, when this is switched on:
    /// register 8 reads 2 again, register 64 reads 0.
    PartReset(usize),
    /// `power-alarm:N`: the Si3210 of this slot sees too much power in its transistors and opens
    /// the line (register 64 reads 0, register 8 keeps its value) for as long as this is on.
    PowerAlarm(usize),
    /// `no-power:N`: the power cable of this FXS module is not plugged in; register 82 reads 0.
    NoPower(usize),
    /// `no-iso-link:N`: the line side of this FXO module does not answer; the high nibble of
    /// register 11 stays 0.
    NoIsoLink(usize),
    /// `stuck-spi:N`: SDO reads 1 whatever the module of this slot drives. It still hears the host.
    StuckSpi(usize),
    /// `stuck-spi-low:N`: SDO reads 0 whatever the module of this slot drives.
    StuckSpiLow(usize),
    /// `line-unplugged:N`: nothing is plugged into the jack of this slot. An FXO module sees no
    /// battery, an FXS module no telephone.
    LineUnplugged(usize),
}

/// A fault's name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault named {name:?}; known are {}", known_names())]
pub struct UnknownFault {
    name: String,
}

fn known_names() -> String {
    let of_slots = SLOT_FAULTS.map(|fault| format!("{}:SLOT", fault(0).name()));
    let names: Vec<String> = CARD_FAULTS.iter().map(Fault::to_string).chain(of_slots).collect();
    format!("{} (SLOT is 0 to {})", names.join(", "), crate::SLOTS - 1)
}

const CARD_FAULTS: [Fault; 7] = [
    Fault::LateInterrupt,
    Fault::LostInterrupts,
    Fault::DoubledInterrupts,
    Fault::MasterAbort,
    Fault::TargetAbort,
    Fault::Removal,
    Fault::LateTick,
];
const SLOT_FAULTS: [fn(usize) -> Fault; 7] = [
    Fault::PartReset,
    Fault::PowerAlarm,
    Fault::NoPower,
    Fault::NoIsoLink,
    Fault::StuckSpi,
    Fault::StuckSpiLow,
    Fault::LineUnplugged,
];

impl Fault {
    /// Every fault there is, those of a slot once for each of the four.
    pub fn all() -> impl Iterator<Item = Fault> {
        let of_slots = SLOT_FAULTS.into_iter().flat_map(|fault| (0..crate::SLOTS).map(fault));
        CARD_FAULTS.into_iter().chain(of_slots)
    }

    /// The slot that this fault is about; `None` for one of the whole card.
    pub fn slot(self) -> Option<usize> {
        match self {
            Fault::LateInterrupt
            | Fault::LostInterrupts
            | Fault::DoubledInterrupts
            | Fault::MasterAbort
            | Fault::TargetAbort
            | Fault::Removal
            | Fault::LateTick => None,
            Fault::PartReset(slot)
            | Fault::PowerAlarm(slot)
            | Fault::NoPower(slot)
            | Fault::NoIsoLink(slot)
            | Fault::StuckSpi(slot)
            | Fault::StuckSpiLow(slot)
            | Fault::LineUnplugged(slot) => Some(slot),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Fault::LateInterrupt => "late-interrupt",
            Fault::LostInterrupts => "lost-interrupts",
            Fault::DoubledInterrupts => "doubled-interrupts",
            Fault::MasterAbort => "master-abort",
            Fault::TargetAbort => "target-abort",
            Fault::Removal => "removal",
            Fault::LateTick => "late-tick",
            Fault::PartReset(_) => "part-reset",
            Fault::PowerAlarm(_) => "power-alarm",
            Fault::NoPower(_) => "no-power",
            Fault::NoIsoLink(_) => "no-iso-link",
            Fault::StuckSpi(_) => "stuck-spi",
            Fault::StuckSpiLow(_) => "stuck-spi-low",
            Fault::LineUnplugged(_) => "line-unplugged",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot() {
            Some(slot) => write!(f, "{}:{slot}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Fault, UnknownFault> {
        Fault::all()
            .find(|fault| fault.to_string() == name)
            .ok_or_else(|| UnknownFault { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back() {
        for fault in Fault::all() {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        assert_eq!("no-power:2".parse(), Ok(Fault::NoPower(2)));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        for name in ["", "no-power", "no-power:4", "no-power:02", "removal:1", "Removal"] {
            let error = name.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(&format!("{name:?}")), "{error}");
            assert!(error.contains("late-interrupt") && error.contains("stuck-spi-low:SLOT"));
        }
    }
}
