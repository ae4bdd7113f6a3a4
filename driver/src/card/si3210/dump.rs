//! Every register of the Si3210 or Si3215, and what they say of chip and line.
//!
//! Reading changes none of the direct registers: what latches (interrupt status) is cleared by
//! writing. An indirect register is fetched by writing its address, which changes nothing either,
//! because nothing else is fetched or stored while a dump is under way. Of an Si3215 only the
//! indirect registers are fetched that it has.

use super::indirect::{Indirect, Model, OFFSETS, SCRATCH, VALUES, fetch_number};
use super::registers::{
    BATTERY_SENSE, IDENTITY, LOOP_CURRENT_SENSE, LOOP_VOLTAGE_SENSE, RING_SENSE, Si3210, TIP_SENSE,
};
use crate::PortNumber;
use crate::card::port::ModuleKind;
use crate::card::register::{Address, Register, Row, numbered};
use crate::card::register_dump::{DumpedRegister, FxsDetails, ModuleDetails, ModuleDump, value};
use crate::card::sequence::{Chip, Operation};

/// Registers 0 to 108.
static ROWS: [Row; 109] = numbered::<Si3210, 109>("Si3210");
/// Indirect registers 0 to 104.
static INDIRECT_ROWS: [Row; 105] = numbered::<Indirect, 105>("Si3210 indirect");

/// Voltages are sensed in steps of 376 mV.
const MILLIVOLTS: i32 = 376;
/// The voltage of the loop in steps of 1.5 V, its current in steps of 1.25 mA.
const LOOP_MILLIVOLTS: i32 = 1500;
const LOOP_MICROAMPERES: i32 = 1250;
/// What the loop senses: the sign of reversed polarity, and the magnitude.
const REVERSED: u8 = 0x40;
const MAGNITUDE: u8 = 0x3F;

/// Reads every register. Indirect registers that can't be fetched are missing.
pub(crate) async fn dump(chip: &Chip<Si3210>, slot: PortNumber, model: Model) -> ModuleDump {
    let mut direct = Vec::with_capacity(ROWS.len());
    for row in &ROWS {
        let value = chip.perform(Operation::Read(Address::of(row))).await;
        direct.push(DumpedRegister { number: row.number, name: row.name, value: value.into() });
    }
    let mut indirect = Vec::with_capacity(INDIRECT_ROWS.len());
    for (number, name) in indirect_registers(model) {
        let Ok(value) = fetch_number(chip, number).await else { break };
        indirect.push(DumpedRegister { number: number.into(), name, value: value.into() });
    }
    let chip = match model {
        Model::Si3210 => "Si3210",
        Model::Si3215 => "Si3215",
    };
    let (kind, details) = (ModuleKind::Fxs, ModuleDetails::Fxs(details(&direct)));
    ModuleDump { slot, kind, chip, direct, indirect, details }
}

/// The numbers and names of a chip's indirect registers, in the order of their numbers.
fn indirect_registers(model: Model) -> Vec<(u8, &'static str)> {
    if model == Model::Si3210 {
        return INDIRECT_ROWS.iter().map(|row| (row.number as u8, row.name)).collect();
    }
    let known = VALUES.iter().map(|(register, ..)| *register).chain(OFFSETS).chain([SCRATCH]);
    let own = |register: Register<Indirect, u16>| {
        Some((model.number(register)?, register.address().name()))
    };
    let mut registers: Vec<_> = known.filter_map(own).collect();
    registers.sort_unstable();
    registers
}

/// What the registers say.
fn details(registers: &[DumpedRegister]) -> FxsDetails {
    let read = |register: Register<Si3210, u8>| value(registers, register.number());
    let volts = |register| -i32::from(read(register)) * MILLIVOLTS;
    let sensed = |register, step: i32| {
        let magnitude = i32::from(read(register) & MAGNITUDE) * step;
        if read(register) & REVERSED != 0 { -magnitude } else { magnitude }
    };
    FxsDetails {
        revision: value(registers, IDENTITY.number()) & 0x0F,
        tip: volts(TIP_SENSE),
        ring: volts(RING_SENSE),
        battery: volts(BATTERY_SENSE),
        loop_voltage: sensed(LOOP_VOLTAGE_SENSE, LOOP_MILLIVOLTS),
        loop_current: sensed(LOOP_CURRENT_SENSE, LOOP_MICROAMPERES),
    }
}

#[cfg(test)]
mod tests {
    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;
    use crate::card::si3210::{Identity, bring_up, identify};

    fn dumped(mut chip: simulation::Si3210) -> ModuleDump {
        let dump = Sequence::new(|chip| async move {
            let Identity::Fresh(model) = identify(&chip).await else { panic!("no fresh chip") };
            let slot = PortNumber(1);
            bring_up(&chip, slot, "FCC".parse().unwrap(), model).await.unwrap();
            dump(&chip, slot, model).await
        });
        dump.run(|operation| chip.perform(operation))
    }

    #[test]
    fn the_registers_say_what_the_chip_and_its_line_are() {
        let dump = dumped(simulation::Si3210::new());
        assert_eq!((dump.chip, dump.direct.len(), dump.indirect.len()), ("Si3210", 109, 105));
        assert_eq!(value(&dump.direct, 64), 0x11);
        assert_eq!(dump.indirect[20].value, 0x7EF0);
        assert_eq!(dump.indirect[20].name, "RING_COEFFICIENT");
        let ModuleDetails::Fxs(details) = dump.details else { panic!("{dump:?}") };
        assert_eq!(details.revision, 5);
        // A common-mode voltage of 6 V, 48 V on-hook, a battery of 75 V.
        assert_eq!([details.tip, details.ring, details.battery], [-6_016, -54_144, -75_200]);
        assert_eq!((details.loop_voltage, details.loop_current), (48_000, 0));
    }

    #[test]
    fn of_a_si3215_only_what_it_has_is_fetched() {
        let dump = dumped(simulation::Si3210::si3215());
        assert_eq!(dump.chip, "Si3215");
        let numbers: Vec<u16> = dump.indirect.iter().map(|register| register.number).collect();
        let has = (0..=9).chain(13..=27).chain([64, 66]).chain(88..=93).chain([97]);
        assert_eq!(numbers, has.collect::<Vec<u16>>());
        assert_eq!(
            dump.indirect[7],
            DumpedRegister { number: 7, name: "RING_COEFFICIENT", value: 0x7EF0 }
        );
    }

    #[test]
    fn a_chip_whose_indirect_registers_are_stuck_still_gives_the_direct_ones() {
        let mut chip = simulation::Si3210::new();
        chip.stuck_indirect = true;
        let dump =
            Sequence::new(|chip| async move { dump(&chip, PortNumber(1), Model::Si3210).await })
                .run(|operation| chip.perform(operation));
        assert_eq!((dump.direct.len(), dump.indirect.len()), (109, 0));
    }
}
