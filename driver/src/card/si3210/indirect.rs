//! The Si3210's indirect registers: 16 bits each, behind direct registers 28 to 31.
//!
//! Rule of the chip: an address that is written after data stores, an address written alone
//! fetches.

use std::time::Duration;

use ringback_country::Country;

use super::registers::{
    INDIRECT_ADDRESS, INDIRECT_DATA_HIGH, INDIRECT_DATA_LOW, INDIRECT_STATUS, IndirectAddress,
    IndirectStatus, Si3210,
};
use crate::card::module::ModuleError;
use crate::card::register::{Register, registers};
use crate::card::sequence::Chip;

registers! {
    /// The indirect registers of a Si3210.
    pub(crate) Indirect, "Si3210 indirect";

    /// DTMF detection: peak of row 0.
    DTMF_ROW_0 = 0: u16;
    /// DTMF detection: peak of row 1.
    DTMF_ROW_1 = 1: u16;
    /// DTMF detection: peak of row 2.
    DTMF_ROW_2 = 2: u16;
    /// DTMF detection: peak of row 3.
    DTMF_ROW_3 = 3: u16;
    /// DTMF detection: peak of a column.
    DTMF_COLUMN = 4: u16;
    /// DTMF detection: the most that columns may be stronger.
    DTMF_FORWARD_TWIST = 5: u16;
    /// DTMF detection: the most that rows may be stronger.
    DTMF_REVERSE_TWIST = 6: u16;
    /// DTMF detection: a row against the others.
    DTMF_ROW_RATIO = 7: u16;
    /// DTMF detection: a column against the others.
    DTMF_COLUMN_RATIO = 8: u16;
    /// DTMF detection: second harmonic of a row.
    DTMF_ROW_HARMONIC = 9: u16;
    /// DTMF detection: second harmonic of a column.
    DTMF_COLUMN_HARMONIC = 10: u16;
    /// DTMF detection: least power.
    DTMF_POWER = 11: u16;
    /// DTMF detection: hot limiter.
    DTMF_HOT_LIMITER = 12: u16;
    /// Oscillator 1: coefficient of its frequency.
    OSCILLATOR_1 = 13: u16;
    /// Oscillator 1: amplitude at the start.
    OSCILLATOR_1_AMPLITUDE = 14: u16;
    /// Oscillator 1: phase at the start.
    OSCILLATOR_1_PHASE = 15: u16;
    /// Oscillator 2: coefficient of its frequency.
    OSCILLATOR_2 = 16: u16;
    /// Oscillator 2: amplitude at the start.
    OSCILLATOR_2_AMPLITUDE = 17: u16;
    /// Oscillator 2: phase at the start.
    OSCILLATOR_2_PHASE = 18: u16;
    /// Ringing: DC offset under the AC voltage.
    RING_OFFSET = 19: u16;
    /// Ringing: coefficient of the oscillator, by country; here 20 Hz.
    RING_COEFFICIENT = 20: u16;
    /// Ringing: amplitude, by country.
    RING_AMPLITUDE = 21: u16;
    /// Ringing: phase of the oscillator at the start.
    RING_PHASE = 22: u16;
    /// Pulse metering: slope of the envelope.
    METERING_ENVELOPE = 23: u16;
    /// Pulse metering: amplitude of the oscillator.
    METERING_AMPLITUDE = 24: u16;
    /// Pulse metering: coefficient of the oscillator.
    METERING_COEFFICIENT = 25: u16;
    /// Gain towards the telephone, by country.
    RECEIVE_GAIN = 26: u16;
    /// Gain from the telephone, by country.
    TRANSMIT_GAIN = 27: u16;
    /// Loop current that counts as closed.
    LOOP_THRESHOLD = 28: u16;
    /// Loop current that counts as ring trip.
    RING_TRIP_THRESHOLD = 29: u16;
    /// Common-mode voltage: the least that is allowed.
    COMMON_MODE_MINIMUM = 30: u16;
    /// Common-mode voltage: the most that is allowed.
    COMMON_MODE_MAXIMUM = 31: u16;
    /// Power alarm threshold of transistors 1 and 2.
    POWER_ALARM_12 = 32: u16;
    /// Power alarm threshold of transistors 3 and 4.
    POWER_ALARM_34 = 33: u16;
    /// Power alarm threshold of transistors 5 and 6.
    POWER_ALARM_56 = 34: u16;
    /// Filter of the loop closure.
    LOOP_FILTER = 35: u16;
    /// Filter of the ring trip.
    RING_TRIP_FILTER = 36: u16;
    /// Thermal low-pass pole of transistors 1 and 2.
    THERMAL_POLE_12 = 37: u16;
    /// Thermal low-pass pole of transistors 3 and 4.
    THERMAL_POLE_34 = 38: u16;
    /// Thermal low-pass pole of transistors 5 and 6.
    THERMAL_POLE_56 = 39: u16;
    /// Common-mode bias while ringing.
    RINGING_BIAS = 40: u16;
    /// Least voltage of the DC-DC converter.
    CONVERTER_MINIMUM = 41: u16;
    /// DC-DC converter: how it regulates.
    CONVERTER_MODE = 42: u16;
    /// Loop current that no longer counts as closed.
    LOOP_THRESHOLD_LOW = 43: u16;
    /// Calibration: offset of monitor input 1.
    OFFSET_1 = 88: u16;
    /// Calibration: offset of monitor input 2.
    OFFSET_2 = 89: u16;
    /// Calibration: offset of monitor input 3.
    OFFSET_3 = 90: u16;
    /// Calibration: offset of monitor input 4.
    OFFSET_4 = 91: u16;
    /// Calibration: offset of monitor input 5.
    OFFSET_5 = 92: u16;
    /// Calibration: offset of monitor input 6.
    OFFSET_6 = 93: u16;
    /// Scratch register, which bring-up clears.
    SCRATCH = 97: u16;
}

/// An indirect register, and what it is set to.
type Setting = (Register<Indirect, u16>, u16);

/// What registers 0 to 43 are set to (AN35), but for what differs between countries ([`values`]).
const VALUES: [Setting; 44] = [
    (DTMF_ROW_0, 0x55C2),
    (DTMF_ROW_1, 0x51E6),
    (DTMF_ROW_2, 0x4B85),
    (DTMF_ROW_3, 0x4937),
    (DTMF_COLUMN, 0x3333),
    (DTMF_FORWARD_TWIST, 0x0202),
    (DTMF_REVERSE_TWIST, 0x0202),
    (DTMF_ROW_RATIO, 0x0198),
    (DTMF_COLUMN_RATIO, 0x0198),
    (DTMF_ROW_HARMONIC, 0x0611),
    (DTMF_COLUMN_HARMONIC, 0x0202),
    (DTMF_POWER, 0x00E5),
    (DTMF_HOT_LIMITER, 0x0A1C),
    (OSCILLATOR_1, 0x7B30),
    (OSCILLATOR_1_AMPLITUDE, 0x0063),
    (OSCILLATOR_1_PHASE, 0x0000),
    (OSCILLATOR_2, 0x7870),
    (OSCILLATOR_2_AMPLITUDE, 0x007D),
    (OSCILLATOR_2_PHASE, 0x0000),
    (RING_OFFSET, 0x0000),
    (RING_COEFFICIENT, 0x7EF0),
    (RING_AMPLITUDE, 0x0160),
    (RING_PHASE, 0x0000),
    (METERING_ENVELOPE, 0x2000),
    (METERING_AMPLITUDE, 0x2000),
    (METERING_COEFFICIENT, 0x0000),
    (RECEIVE_GAIN, 0x2000),
    (TRANSMIT_GAIN, 0x4000),
    (LOOP_THRESHOLD, 0x1000),
    (RING_TRIP_THRESHOLD, 0x3600),
    (COMMON_MODE_MINIMUM, 0x1000),
    (COMMON_MODE_MAXIMUM, 0x0200),
    (POWER_ALARM_12, 0x07C0),
    (POWER_ALARM_34, 0x2600),
    (POWER_ALARM_56, 0x1B80),
    (LOOP_FILTER, 0x8000),
    (RING_TRIP_FILTER, 0x0320),
    (THERMAL_POLE_12, 0x008C),
    (THERMAL_POLE_34, 0x0100),
    (THERMAL_POLE_56, 0x0010),
    (RINGING_BIAS, 0x0C00),
    (CONVERTER_MINIMUM, 0x0C00),
    (CONVERTER_MODE, 0x1000),
    (LOOP_THRESHOLD_LOW, 0x1000),
];

/// The filter coefficients that are flushed while the line powers up.
pub(super) const FILTERS: [Register<Indirect, u16>; 5] =
    [LOOP_FILTER, RING_TRIP_FILTER, THERMAL_POLE_12, THERMAL_POLE_34, THERMAL_POLE_56];
/// The coefficient that flushes a filter.
pub(super) const FLUSH: u16 = 0x8000;
/// The offsets that the manual calibration clears.
pub(super) const OFFSETS: [Register<Indirect, u16>; 6] =
    [OFFSET_1, OFFSET_2, OFFSET_3, OFFSET_4, OFFSET_5, OFFSET_6];

/// The name of an indirect register, if it is one that we know.
pub(super) fn name(number: u8) -> Option<&'static str> {
    let set = VALUES.iter().map(|(register, _)| *register);
    let known = set.chain(OFFSETS).chain([SCRATCH]);
    let named = known.map(Register::address).find(|register| register.number() == number)?;
    Some(named.name())
}

/// Writes an indirect register.
pub(super) async fn store(
    chip: &Chip<Si3210>,
    register: Register<Indirect, u16>,
    value: u16,
) -> Result<(), ModuleError> {
    idle(chip).await?;
    let [low, high] = value.to_le_bytes();
    chip.write(INDIRECT_DATA_LOW, low).await;
    chip.write(INDIRECT_DATA_HIGH, high).await;
    chip.write(INDIRECT_ADDRESS, IndirectAddress::of(register)).await;
    Ok(())
}

/// Reads an indirect register.
pub(super) async fn fetch(
    chip: &Chip<Si3210>,
    register: Register<Indirect, u16>,
) -> Result<u16, ModuleError> {
    idle(chip).await?;
    chip.write(INDIRECT_ADDRESS, IndirectAddress::of(register)).await;
    idle(chip).await?;
    let low = chip.read(INDIRECT_DATA_LOW).await;
    let high = chip.read(INDIRECT_DATA_HIGH).await;
    Ok(u16::from_le_bytes([low, high]))
}

/// What registers 0 to 43 are set to in a country, and must read back.
pub(super) fn values(country: Country) -> [Setting; 44] {
    let slic = country.slic();
    VALUES.map(|(register, value)| {
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
pub(super) async fn store_all(chip: &Chip<Si3210>, country: Country) -> Result<(), ModuleError> {
    for (register, value) in values(country) {
        store(chip, register, value).await?;
    }
    Ok(())
}

/// Sets the [`FILTERS`] to their [`values`].
pub(super) async fn store_filters(
    chip: &Chip<Si3210>,
    country: Country,
) -> Result<(), ModuleError> {
    let filters = FILTERS.map(Register::address);
    for (register, value) in values(country) {
        if filters.contains(&register.address()) {
            store(chip, register, value).await?;
        }
    }
    Ok(())
}

/// Checks all of [`values`].
pub(super) async fn verify_all(chip: &Chip<Si3210>, country: Country) -> Result<(), ModuleError> {
    for (register, wrote) in values(country) {
        let read = fetch(chip, register).await?;
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
            assert_eq!(VALUES[register].1, value, "indirect register {register}");
            assert_eq!(values(Country::default())[register].1, value, "{register}, FCC");
        }
    }

    #[test]
    fn ringing_and_gains_are_the_countrys() {
        for country in Country::all() {
            let (values, slic) = (values(country).map(|(_, value)| value), country.slic());
            assert_eq!(values[20..=21], [slic.ring_coefficient, slic.ring_amplitude]);
            assert_eq!(values[26..=27], [slic.receive_gain, slic.transmit_gain]);
            let same = (0..44).filter(|register| !matches!(register, 20 | 21 | 26 | 27));
            assert!(same.into_iter().all(|register| values[register] == VALUES[register].1));
        }
        let uk = values("UK".parse().unwrap());
        assert_eq!([uk[20].1, uk[21].1], [0x7E6D, 0x01B9], "25 Hz");
    }

    #[test]
    fn what_is_stored_is_fetched() {
        let mut chip = simulation::Si3210::new();
        let value = Sequence::new(|chip| async move {
            store(&chip, RING_AMPLITUDE, 0x0160).await?;
            store(&chip, RING_COEFFICIENT, 0x7EF0).await?;
            fetch(&chip, RING_AMPLITUDE).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(value, Ok(0x0160));
        assert_eq!(chip.indirect::<21>()[20], 0x7EF0);
    }

    #[test]
    fn a_busy_chip_is_given_up() {
        let mut chip = simulation::Si3210::new();
        chip.stuck_indirect = true;
        let result = Sequence::new(|chip| async move { fetch(&chip, DTMF_ROW_0).await })
            .run(|operation| chip.perform(operation));
        assert_eq!(result, Err(ModuleError::IndirectBusy));
    }

    #[test]
    fn a_value_that_does_not_hold_is_named() {
        let mut chip = simulation::Si3210::new();
        let result = Sequence::new(|chip| async move {
            store_all(&chip, Country::default()).await?;
            store(&chip, THERMAL_POLE_12, 0x1234).await?;
            verify_all(&chip, Country::default()).await
        })
        .run(|operation| chip.perform(operation));
        assert_eq!(
            result,
            Err(ModuleError::Indirect { register: 37, wrote: 0x008C, read: 0x1234 })
        );
    }
}
