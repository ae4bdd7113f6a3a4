//! The Si3210's indirect registers: 16 bits each, behind direct registers 28 to 31.
//!
//! Rule of the chip: an address that is written after data stores, an address written alone
//! fetches.

use std::time::Duration;

use ringback_country::Country;

use super::registers::{INDIRECT_ADDRESS, INDIRECT_DATA, INDIRECT_STATUS};
use crate::card::module::ModuleError;
use crate::card::sequence::Chip;

/// First of the five filter coefficients that are flushed while the line powers up.
pub(super) const FILTERS: std::ops::RangeInclusive<u8> = 35..=39;
/// Offsets of the manual calibration.
pub(super) const OFFSETS: std::ops::RangeInclusive<u8> = 88..=93;
/// Scratch register, which bring-up clears.
pub(super) const SCRATCH: u8 = 97;

/// What registers 0 to 43 are set to, but for what differs between countries ([`values`]).
#[rustfmt::skip]
pub(super) const VALUES: [u16; 44] = [
    // 0: DTMF detection: row and column thresholds, twists, minimum power
    0x55C2, 0x51E6, 0x4B85, 0x4937, 0x3333, 0x0202, 0x0202, 0x0198, 0x0198, 0x0611, 0x0202, 0x00E5,
    0x0A1C,
    // 13: oscillator 1 and 2: coefficient, amplitude, phase
    0x7B30, 0x0063, 0x0000, 0x7870, 0x007D, 0x0000,
    // 19: ringing: offset, 20 Hz, amplitude, phase
    0x0000, 0x7EF0, 0x0160, 0x0000,
    // 23: pulse metering envelope and oscillator
    0x2000, 0x2000, 0x0000,
    // 26: receive and transmit gain
    0x2000, 0x4000,
    // 28: loop closure and ring trip thresholds, common-mode minimum and maximum
    0x1000, 0x3600, 0x1000, 0x0200,
    // 32: power alarm thresholds of transistors 1-2, 3-4, 5-6
    0x07C0, 0x2600, 0x1B80,
    // 35: loop closure and ring trip filters, thermal poles of transistors 1-2, 3-4, 5-6
    0x8000, 0x0320, 0x008C, 0x0100, 0x0010,
    // 40: common-mode bias in ringing, DC-DC minimum voltage, mode, low loop closure threshold
    0x0C00, 0x0C00, 0x1000, 0x1000,
];

/// Writes an indirect register.
pub(super) async fn store(chip: &Chip, register: u8, value: u16) -> Result<(), ModuleError> {
    idle(chip).await?;
    let [low, high] = value.to_le_bytes();
    chip.write(INDIRECT_DATA.0, low).await;
    chip.write(INDIRECT_DATA.1, high).await;
    chip.write(INDIRECT_ADDRESS, register).await;
    Ok(())
}

/// Reads an indirect register.
pub(super) async fn fetch(chip: &Chip, register: u8) -> Result<u16, ModuleError> {
    idle(chip).await?;
    chip.write(INDIRECT_ADDRESS, register).await;
    idle(chip).await?;
    let low = chip.read(INDIRECT_DATA.0).await;
    let high = chip.read(INDIRECT_DATA.1).await;
    Ok(u16::from_le_bytes([low, high]))
}

/// What registers 0 to 43 are set to in a country, and must read back.
pub(super) fn values(country: Country) -> [u16; 44] {
    let slic = country.slic();
    let mut values = VALUES;
    let [.., coefficient, amplitude, _, _, _, _, receive, transmit] = &mut values[..28] else {
        return values;
    };
    (*coefficient, *amplitude) = (slic.ring_coefficient, slic.ring_amplitude);
    (*receive, *transmit) = (slic.receive_gain, slic.transmit_gain);
    values
}

/// Sets all of [`values`].
pub(super) async fn store_all(chip: &Chip, country: Country) -> Result<(), ModuleError> {
    for (register, value) in (0..).zip(values(country)) {
        store(chip, register, value).await?;
    }
    Ok(())
}

/// Checks all of [`values`].
pub(super) async fn verify_all(chip: &Chip, country: Country) -> Result<(), ModuleError> {
    for (register, wrote) in (0..).zip(values(country)) {
        let read = fetch(chip, register).await?;
        if read != wrote {
            return Err(ModuleError::Indirect { register, wrote, read });
        }
    }
    Ok(())
}

/// An access takes some frames of 125 us at most.
async fn idle(chip: &Chip) -> Result<(), ModuleError> {
    let every = Duration::from_millis(1);
    chip.poll(INDIRECT_STATUS, every, every * 20, |status| status == 0)
        .await
        .map_err(|_| ModuleError::IndirectBusy)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::simulation::Si3210;
    use super::*;
    use crate::card::sequence::Sequence;

    #[test]
    fn the_table_is_where_the_data_sheet_has_it() {
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
            assert_eq!(VALUES[register], value, "indirect register {register}");
            assert_eq!(values(Country::default())[register], value, "{register}, FCC");
        }
    }

    #[test]
    fn ringing_and_gains_are_the_countrys() {
        for country in Country::all() {
            let (values, slic) = (values(country), country.slic());
            assert_eq!(values[20..=21], [slic.ring_coefficient, slic.ring_amplitude]);
            assert_eq!(values[26..=27], [slic.receive_gain, slic.transmit_gain]);
            let same = (0..44).filter(|register| !matches!(register, 20 | 21 | 26 | 27));
            assert!(same.into_iter().all(|register| values[register] == VALUES[register]));
        }
        assert_eq!(values("UK".parse().unwrap())[20..=21], [0x7E6D, 0x01B9], "25 Hz");
    }

    #[test]
    fn what_is_stored_is_fetched() {
        let mut chip = Si3210::new();
        let value = Sequence::new(|chip| async move {
            store(&chip, 21, 0x0160).await?;
            store(&chip, 20, 0x7EF0).await?;
            fetch(&chip, 21).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(value, Ok(0x0160));
        assert_eq!(chip.indirect[20], 0x7EF0);
    }

    #[test]
    fn a_busy_chip_is_given_up() {
        let mut chip = Si3210::new();
        chip.stuck_indirect = true;
        let result = Sequence::new(|chip| async move { fetch(&chip, 0).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Err(ModuleError::IndirectBusy));
    }

    #[test]
    fn a_value_that_does_not_hold_is_named() {
        let mut chip = Si3210::new();
        let result = Sequence::new(|chip| async move {
            store_all(&chip, Country::default()).await?;
            store(&chip, 37, 0x1234).await?;
            verify_all(&chip, Country::default()).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(
            result,
            Err(ModuleError::Indirect { register: 37, wrote: 0x008C, read: 0x1234 })
        );
    }
}
