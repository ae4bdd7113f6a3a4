//! The faults that a card can have, and their names.

use ringback_request::PortNumber;
use std::fmt;
use std::str::FromStr;

/// A fault that can be switched on and off while the card runs.
///
/// The name (`Display`, `FromStr`) is given with each. Names of faults of one slot end in a colon
/// and the slot's number, 0 to 3. A fault has no effect on a slot whose module is of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// `late-interrupt`: every interrupt comes 3 ms after its cause, more than the ring can hold.
    /// Causes that occur in between merge into it.
    LateInterrupt,
    /// `lost-interrupts`: the pin is never asserted; status bits and samples continue.
    LostInterrupts,
    /// `doubled-interrupts`: every interrupt is raised twice.
    DoubledInterrupts,
    /// `master-abort`: no target responds to the card's bus cycles (INTSTAT bit 4). The rings halt
    /// at the first one, until the DMA is restarted.
    MasterAbort,
    /// `target-abort`: the target aborts the card's bus cycles (INTSTAT bit 5). The rings halt
    /// likewise.
    TargetAbort,
    /// `removal`: the card is pulled. Reads return ones, writes are ignored, there are no
    /// interrupts and no DMA. Switched off, the card is put back, as after power-on.
    Removal,
    /// `reset`: the card is reset once, when this is switched on, as by a bridge that resets its
    /// bus or by suspend to RAM: registers, configuration space and modules are as after power-on.
    Reset,
    /// `short-select`: modules miss a chip select that is high from one access of the host to the
    /// next, which on a real bus can be less than their data sheets require. Two bytes then are one
    /// of 16 bits.
    ShortSelect,
    /// `standing-interrupt`: the interrupt stays asserted although it is acknowledged, as if the
    /// chip's address stood still at a word at which it interrupts.
    StandingInterrupt,
    /// `strict-acknowledgment`: a status that is read, and not written back with the access that
    /// follows, costs the next period's status, and its interrupt.
    StrictAcknowledgment,
    /// `shifted-slots`: each reset of the serial port that ends while this is on leaves the bytes
    /// of the DMA words shifted: the samples of slot N are in the place of slot N+1, in both
    /// directions, until the serial port is reset again.
    ShiftedSlots,
    /// `late-tick`: every other tick of the card is late: nothing happens in one millisecond, then
    /// both halves of the ring move at once and raise one interrupt.
    LateTick,
    /// `part-reset:N`: the Si3210 of this slot resets by itself, once, when this is switched on:
    /// register 8 reads 2 again, register 64 reads 0.
    PartReset(PortNumber),
    /// `power-alarm:N`: the Si3210 of this slot detects too much power in its transistors and opens
    /// the line (register 64 reads 0, register 8 keeps its value) for as long as this is on.
    PowerAlarm(PortNumber),
    /// `no-power:N`: the power cable of this FXS module is not plugged in; register 82 reads 0.
    NoPower(PortNumber),
    /// `no-iso-link:N`: the line side of this FXO module does not respond; the high nibble of
    /// register 11 stays 0.
    NoIsoLink(PortNumber),
    /// `neon-voltage:N`: the exchange lights a lamp in the telephone (message waiting) by a voltage
    /// that the ring detector of this FXO module sees: its bit for positive half-waves stands, and
    /// register 29 reads 95 V while the line is on-hook.
    NeonVoltage(PortNumber),
    /// `stuck-spi:N`: SDO reads 1 whatever the module of this slot drives. The module still
    /// receives.
    StuckSpi(PortNumber),
    /// `stuck-spi-low:N`: SDO reads 0 whatever the module of this slot drives.
    StuckSpiLow(PortNumber),
    /// `line-unplugged:N`: nothing is plugged into the jack of this slot. An FXO module detects no
    /// battery, an FXS module no telephone.
    LineUnplugged(PortNumber),
}

/// The error for a name that is not the name of a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault named {name:?}; known are {}", known_names())]
pub struct UnknownFault {
    name: String,
}

fn known_names() -> String {
    let of_slots = SLOT_FAULTS.map(|fault| format!("{}:SLOT", fault(PortNumber(0)).name()));
    let names: Vec<String> = CARD_FAULTS.iter().map(Fault::to_string).chain(of_slots).collect();
    format!("{} (SLOT is 0 to {})", names.join(", "), crate::SLOTS - 1)
}

const CARD_FAULTS: [Fault; 12] = [
    Fault::LateInterrupt,
    Fault::LostInterrupts,
    Fault::DoubledInterrupts,
    Fault::MasterAbort,
    Fault::TargetAbort,
    Fault::Removal,
    Fault::Reset,
    Fault::ShortSelect,
    Fault::StandingInterrupt,
    Fault::StrictAcknowledgment,
    Fault::ShiftedSlots,
    Fault::LateTick,
];
const SLOT_FAULTS: [fn(PortNumber) -> Fault; 8] = [
    Fault::PartReset,
    Fault::PowerAlarm,
    Fault::NoPower,
    Fault::NoIsoLink,
    Fault::NeonVoltage,
    Fault::StuckSpi,
    Fault::StuckSpiLow,
    Fault::LineUnplugged,
];

impl Fault {
    /// All faults; those of a slot once for each of the four slots.
    pub fn all() -> impl Iterator<Item = Fault> {
        let of_slots = SLOT_FAULTS
            .into_iter()
            .flat_map(|fault| PortNumber::each().take(crate::SLOTS).map(fault));
        CARD_FAULTS.into_iter().chain(of_slots)
    }

    /// The slot of this fault; `None` for a fault of the whole card.
    pub fn slot(self) -> Option<PortNumber> {
        match self {
            Fault::LateInterrupt
            | Fault::LostInterrupts
            | Fault::DoubledInterrupts
            | Fault::MasterAbort
            | Fault::TargetAbort
            | Fault::Removal
            | Fault::Reset
            | Fault::ShortSelect
            | Fault::StandingInterrupt
            | Fault::StrictAcknowledgment
            | Fault::ShiftedSlots
            | Fault::LateTick => None,
            Fault::PartReset(slot)
            | Fault::PowerAlarm(slot)
            | Fault::NoPower(slot)
            | Fault::NoIsoLink(slot)
            | Fault::NeonVoltage(slot)
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
            Fault::Reset => "reset",
            Fault::ShortSelect => "short-select",
            Fault::StandingInterrupt => "standing-interrupt",
            Fault::StrictAcknowledgment => "strict-acknowledgment",
            Fault::ShiftedSlots => "shifted-slots",
            Fault::LateTick => "late-tick",
            Fault::PartReset(_) => "part-reset",
            Fault::PowerAlarm(_) => "power-alarm",
            Fault::NoPower(_) => "no-power",
            Fault::NoIsoLink(_) => "no-iso-link",
            Fault::NeonVoltage(_) => "neon-voltage",
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
        assert_eq!("no-power:2".parse(), Ok(Fault::NoPower(PortNumber(2))));
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
