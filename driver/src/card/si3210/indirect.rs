//! The Si3210's indirect registers: 16 bits each, behind direct registers 28 to 31.
//!
//! A Si3215 has most of them under other numbers, and lacks some, which are then skipped.
//!
//! Rule of the chip: if the data registers were written before the address register, writing the
//! address stores the data; otherwise it fetches.

use std::time::Duration;

use ringback_country::Country;

pub(super) use super::indirect_registers::*;
use super::registers::{
    INDIRECT_ADDRESS, INDIRECT_DATA_HIGH, INDIRECT_DATA_LOW, INDIRECT_STATUS, IndirectAddress,
    IndirectStatus, Si3210,
};
use crate::card::module::ModuleError;
use crate::card::register::Register;
use crate::card::sequence::Chip;

/// Writes an indirect register, if the chip has it.
pub(super) async fn store(
    chip: &Chip<Si3210>,
    model: Model,
    register: Register<Indirect, u16>,
    value: u16,
) -> Result<(), ModuleError> {
    let Some(number) = model.number(register) else { return Ok(()) };
    idle(chip).await?;
    let [low, high] = value.to_le_bytes();
    chip.write(INDIRECT_DATA_LOW, low).await;
    chip.write(INDIRECT_DATA_HIGH, high).await;
    chip.write(INDIRECT_ADDRESS, IndirectAddress::at(number)).await;
    Ok(())
}

/// Reads an indirect register; `None` if the chip does not have it.
pub(super) async fn fetch(
    chip: &Chip<Si3210>,
    model: Model,
    register: Register<Indirect, u16>,
) -> Result<Option<u16>, ModuleError> {
    match model.number(register) {
        Some(number) => fetch_number(chip, number).await.map(Some),
        None => Ok(None),
    }
}

/// Reads the indirect register that the chip has under this number.
pub(super) async fn fetch_number(chip: &Chip<Si3210>, number: u8) -> Result<u16, ModuleError> {
    idle(chip).await?;
    chip.write(INDIRECT_ADDRESS, IndirectAddress::at(number)).await;
    idle(chip).await?;
    let low = chip.read(INDIRECT_DATA_LOW).await;
    let high = chip.read(INDIRECT_DATA_HIGH).await;
    Ok(u16::from_le_bytes([low, high]))
}

/// The values of registers 0 to 43 in a country, which must also be read back.
pub(super) fn values(country: Country) -> [IndirectSetting; 44] {
    let slic = country.slic();
    VALUES.map(|(register, _, value)| {
        let address = register.address();
        let by_country = [
            (RING_COEFFICIENT, slic.ring_coefficient),
            (RING_AMPLITUDE, slic.ring_amplitude),
            (RECEIVE_GAIN, slic.receive_gain),
            (TRANSMIT_GAIN, slic.transmit_gain),
        ];
        let own = by_country.into_iter().find(|(other, _)| other.address() == address);
        own.unwrap_or((register, value))
    })
}

/// Sets all of [`values`].
pub(super) async fn store_all(
    chip: &Chip<Si3210>,
    model: Model,
    country: Country,
) -> Result<(), ModuleError> {
    for (register, value) in values(country) {
        store(chip, model, register, value).await?;
    }
    Ok(())
}

/// Sets the [`FILTERS`] to their [`values`].
pub(super) async fn store_filters(
    chip: &Chip<Si3210>,
    model: Model,
    country: Country,
) -> Result<(), ModuleError> {
    let filters = FILTERS.map(Register::address);
    for (register, value) in values(country) {
        if filters.contains(&register.address()) {
            store(chip, model, register, value).await?;
        }
    }
    Ok(())
}

/// Checks all of [`values`].
pub(super) async fn verify_all(
    chip: &Chip<Si3210>,
    model: Model,
    country: Country,
) -> Result<(), ModuleError> {
    for (register, wrote) in values(country) {
        let Some(read) = fetch(chip, model, register).await? else { continue };
        if read != wrote {
            return Err(ModuleError::Indirect {
                register: register.address().number(),
                wrote,
                read,
            });
        }
    }
    Ok(())
}

/// An access takes some frames of 125 us at most.
async fn idle(chip: &Chip<Si3210>) -> Result<(), ModuleError> {
    let every = Duration::from_millis(1);
    chip.poll(INDIRECT_STATUS, every, every * 20, |status: IndirectStatus| status.is_empty())
        .await
        .map_err(|_| ModuleError::IndirectBusy)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::simulation;
    use super::*;
    use crate::card::sequence::Sequence;

    #[test]
    fn the_table_is_where_the_data_sheet_has_it() {
        assert!((0..44).all(|number| VALUES[number].0.number() == number));
        for (register, value) in [
            (0, 0x55C2),
            (11, 0x00E5),
            (13, 0x7B30),
            (20, 0x7EF0),
            (26, 0x2000),
            (28, 0x1000),
            (29, 0x3600),
            (35, 0x8000),
            (43, 0x1000),
        ] {
            assert_eq!(VALUES[register].2, value, "indirect register {register}");
            assert_eq!(values(Country::default())[register].1, value, "{register}, FCC");
        }
    }

    #[test]
    fn a_si3215_has_the_registers_elsewhere() {
        let numbers: Vec<_> = VALUES.iter().map(|row| Model::Si3215.number(row.0)).collect();
        assert!(numbers[..13].iter().chain(&numbers[23..26]).all(Option::is_none));
        assert!((13..=22).all(|own| numbers[own as usize] == Some(own - 13)));
        assert!((26..=40).all(|own| numbers[own as usize] == Some(own - 13)));
        assert_eq!(numbers[41..], [Some(64), None, Some(66)]);
        assert_eq!(Model::Si3215.number(SCRATCH), Some(97));
        assert!((0..44).all(|own| Model::Si3210.number(VALUES[own].0) == Some(own as u8)));
    }

    #[test]
    fn ringing_and_gains_are_the_countrys() {
        for country in Country::all() {
            let (values, slic) = (values(country).map(|(_, value)| value), country.slic());
            assert_eq!(values[20..=21], [slic.ring_coefficient, slic.ring_amplitude]);
            assert_eq!(values[26..=27], [slic.receive_gain, slic.transmit_gain]);
            let same = (0..44).filter(|register| !matches!(register, 20 | 21 | 26 | 27));
            assert!(same.into_iter().all(|register| values[register] == VALUES[register].2));
        }
        let uk = values("UK".parse().unwrap());
        assert_eq!([uk[20].1, uk[21].1], [0x7E6D, 0x01B9], "25 Hz");
    }

    #[test]
    fn what_is_stored_is_fetched() {
        let mut chip = simulation::Si3210::new();
        let value = Sequence::new(|chip| async move {
            store(&chip, Model::Si3210, RING_AMPLITUDE, 0x0160).await?;
            store(&chip, Model::Si3210, RING_COEFFICIENT, 0x7EF0).await?;
            fetch(&chip, Model::Si3210, RING_AMPLITUDE).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(value, Ok(Some(0x0160)));
        assert_eq!(chip.indirect::<21>()[20], 0x7EF0);
    }

    #[test]
    fn a_busy_chip_is_given_up() {
        let mut chip = simulation::Si3210::new();
        chip.stuck_indirect = true;
        let result =
            Sequence::new(|chip| async move { fetch(&chip, Model::Si3210, DTMF_ROW_0).await })
                .run(|operation| chip.perform(operation));
        assert_eq!(result, Err(ModuleError::IndirectBusy));
    }

    #[test]
    fn a_value_that_does_not_hold_is_named() {
        let mut chip = simulation::Si3210::new();
        let result = Sequence::new(|chip| async move {
            store_all(&chip, Model::Si3210, Country::default()).await?;
            store(&chip, Model::Si3210, THERMAL_POLE_12, 0x1234).await?;
            verify_all(&chip, Model::Si3210, Country::default()).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(
            result,
            Err(ModuleError::Indirect { register: 37, wrote: 0x008C, read: 0x1234 })
        );
    }
}
