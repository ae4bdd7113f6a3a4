//! Every register of the Si3050, and what they say of chips and line.
//!
//! Reading changes none of them: what latches (interrupt sources, overloads) is cleared by writing.

use super::registers::{LINE_SIDE, LINE_VOLTAGE, LOOP_CURRENT, Si3050};
use crate::PortNumber;
use crate::card::port::ModuleKind;
use crate::card::register::{Address, Row, numbered};
use crate::card::register_dump::{DumpedRegister, FxoDetails, ModuleDetails, ModuleDump, value};
use crate::card::sequence::{Chip, Operation};

/// Registers 0 to 59. There is no register 0.
static ROWS: [Row; 60] = numbered::<Si3050, 60>("Si3050");

/// Revision of the line side in bits 5:2.
const LINE_SIDE_REVISION: usize = 13;

/// Reads every register.
pub(crate) async fn dump(chip: &Chip<Si3050>, slot: PortNumber) -> ModuleDump {
    let mut direct = Vec::with_capacity(ROWS.len());
    for row in ROWS.iter().skip(1) {
        let value = chip.perform(Operation::Read(Address::of(row))).await;
        direct.push(DumpedRegister { number: row.number, name: row.name, value: value.into() });
    }
    let details = ModuleDetails::Fxo(details(&direct));
    let (kind, chip, indirect) = (ModuleKind::Fxo, "Si3050", Vec::new());
    ModuleDump { slot, kind, chip, direct, indirect, details }
}

/// What the registers say.
fn details(registers: &[DumpedRegister]) -> FxoDetails {
    let read = |number| value(registers, number);
    let identity = read(LINE_SIDE.number());
    FxoDetails {
        revision: identity & 0x0F,
        line_side: identity >> 4,
        line_side_revision: read(LINE_SIDE_REVISION) >> 2 & 0x0F,
        line_voltage: i32::from(read(LINE_VOLTAGE.number()).cast_signed()) * 1000,
        loop_current: i32::from(read(LOOP_CURRENT.number())) * 1100,
    }
}

#[cfg(test)]
mod tests {
    use ringback_country::{Companding, Country};

    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;
    use crate::card::si3050::bring_up;

    #[test]
    fn the_registers_say_what_the_chips_and_the_line_are() {
        for (mut chip, line_side) in
            [(simulation::Si3050::new(), 3), (simulation::Si3050::with_si3018(), 1)]
        {
            let up = Sequence::new(|chip| async move {
                let daa = *Country::default().daa();
                bring_up(&chip, PortNumber(2), daa, Companding::ULaw).await
            });
            up.run(|operation| chip.perform(operation)).unwrap();
            let dump = Sequence::new(|chip| async move { dump(&chip, PortNumber(2)).await })
                .run(|operation| chip.perform(operation));
            assert_eq!((dump.direct.len(), dump.direct[0].number), (59, 1));
            assert_eq!(value(&dump.direct, 5), 0x08);
            assert_eq!(dump.direct[4].name, "DAA_CONTROL");
            assert_eq!(dump.direct[6].name, "", "register 7 is not used");
            let ModuleDetails::Fxo(details) = dump.details else { panic!("{dump:?}") };
            assert_eq!((details.revision, details.line_side), (3, line_side));
            assert_eq!(details.line_side_revision, 5);
            assert_eq!(details.loop_current, 0, "on-hook");
        }
    }
}
