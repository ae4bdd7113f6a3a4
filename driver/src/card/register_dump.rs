//! What all registers of a card read, and what that says of its modules.
//!
//! A dump has registers whose reading changes nothing. It is for people who look for a fault from
//! afar, so it also has registers that the driver does not use; these have no name.

use super::port::ModuleKind;
use crate::PortNumber;

/// A register and what it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpedRegister {
    /// The number that the chip's data sheet gives it; of a card's own chip, its byte offset.
    pub number: u16,
    /// Its name in the driver, empty if the driver does not use it.
    pub name: &'static str,
    /// What it read: 8 bits of a module's direct register, 16 of an indirect one.
    pub value: u32,
}

/// The registers of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleDump {
    /// Where it is plugged in.
    pub slot: PortNumber,
    /// What kind of module it is.
    pub kind: ModuleKind,
    /// The name of its chip.
    pub chip: &'static str,
    /// The registers that are read directly.
    pub direct: Vec<DumpedRegister>,
    /// The registers behind these, where the chip has any and they can be read.
    pub indirect: Vec<DumpedRegister>,
    /// What they say.
    pub details: ModuleDetails,
}

/// The registers of a card and of its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterDump {
    /// The name of the card's own chip.
    pub chip: &'static str,
    /// Its registers. Those that hold addresses have the distance to the start of the memory for
    /// samples: the address itself says nothing, and is another one at each start.
    pub card: Vec<DumpedRegister>,
    /// The version of the logic between card and modules.
    pub cpld: u8,
    /// The modules that work, by their slots.
    pub modules: Vec<ModuleDump>,
    /// What was counted since the card was opened.
    pub counters: Vec<(&'static str, u64)>,
}

/// What the registers say of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleDetails {
    /// Of an FXS module.
    Fxs(FxsDetails),
    /// Of an FXO module.
    Fxo(FxoDetails),
}

/// An FXS module and its line. Voltages are against ground, and negative as a telephone line's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxsDetails {
    /// Revision of the chip (register 0, bits 3:0): 1 is A.
    pub revision: u8,
    /// At the wire TIP, in millivolts (register 80, 376 mV a step).
    pub tip: i32,
    /// At the wire RING, in millivolts (register 81, 376 mV a step).
    pub ring: i32,
    /// Of the battery that the module makes, in millivolts (register 82, 376 mV a step).
    pub battery: i32,
    /// Between the wires, in millivolts, negative if the polarity is reversed (register 78, 1.5 V a
    /// step).
    pub loop_voltage: i32,
    /// Through the loop, in microamperes, negative if the polarity is reversed (register 79, 1.25
    /// mA a step).
    pub loop_current: i32,
}

/// An FXO module and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxoDetails {
    /// Revision of the Si3050 (register 11, bits 3:0): 1 is A.
    pub revision: u8,
    /// The number of the line side (LSID, register 11, bits 7:4): 1 is a Si3018, 3 a Si3019, 0 none
    /// that answers.
    pub line_side: u8,
    /// Revision of the line side (register 13, bits 5:2): 1 is A.
    pub line_side_revision: u8,
    /// The line's voltage in millivolts, negative if the polarity is reversed (register 29, 1 V a
    /// step).
    pub line_voltage: i32,
    /// The loop current in microamperes (register 28, 1.1 mA a step).
    pub loop_current: i32,
}

/// The value of one of the registers; 0 if it was not read.
pub(crate) fn value(registers: &[DumpedRegister], number: usize) -> u8 {
    let register = registers.iter().find(|register| usize::from(register.number) == number);
    register.map_or(0, |register| register.value as u8)
}
