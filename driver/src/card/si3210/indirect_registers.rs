//! The Si3210's indirect registers, and what each is set to.

use crate::card::register::{Register, registers};

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

/// The two kinds of chip, which number their indirect registers differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// A Si3210 (Digium S100M).
    Si3210,
    /// A Si3215, which has no DTMF detector and no pulse metering (Digium S110M).
    Si3215,
}

/// An indirect register, and what it is set to.
pub(super) type IndirectSetting = (Register<Indirect, u16>, u16);

/// What a Si3215 lacks.
const NONE: Option<u8> = None;

/// An indirect register's number in a Si3215.
const fn n(number: u8) -> Option<u8> {
    Some(number)
}

impl Model {
    /// The number by which this chip knows a register; `None` if it has no such register.
    pub(super) fn number(self, register: Register<Indirect, u16>) -> Option<u8> {
        let own = register.address().number();
        match (self, VALUES.iter().find(|row| row.0.address().number() == own)) {
            (Model::Si3210, _) | (Model::Si3215, None) => Some(own),
            (Model::Si3215, Some((_, number, _))) => *number,
        }
    }
}

/// Registers 0 to 43 of a Si3210, their numbers in a Si3215, and their values (AN35), except for
/// those that depend on the country ([`values`]).
pub(super) const VALUES: [(Register<Indirect, u16>, Option<u8>, u16); 44] = [
    (DTMF_ROW_0, NONE, 0x55C2),
    (DTMF_ROW_1, NONE, 0x51E6),
    (DTMF_ROW_2, NONE, 0x4B85),
    (DTMF_ROW_3, NONE, 0x4937),
    (DTMF_COLUMN, NONE, 0x3333),
    (DTMF_FORWARD_TWIST, NONE, 0x0202),
    (DTMF_REVERSE_TWIST, NONE, 0x0202),
    (DTMF_ROW_RATIO, NONE, 0x0198),
    (DTMF_COLUMN_RATIO, NONE, 0x0198),
    (DTMF_ROW_HARMONIC, NONE, 0x0611),
    (DTMF_COLUMN_HARMONIC, NONE, 0x0202),
    (DTMF_POWER, NONE, 0x00E5),
    (DTMF_HOT_LIMITER, NONE, 0x0A1C),
    (OSCILLATOR_1, n(0), 0x7B30),
    (OSCILLATOR_1_AMPLITUDE, n(1), 0x0063),
    (OSCILLATOR_1_PHASE, n(2), 0x0000),
    (OSCILLATOR_2, n(3), 0x7870),
    (OSCILLATOR_2_AMPLITUDE, n(4), 0x007D),
    (OSCILLATOR_2_PHASE, n(5), 0x0000),
    (RING_OFFSET, n(6), 0x0000),
    (RING_COEFFICIENT, n(7), 0x7EF0),
    (RING_AMPLITUDE, n(8), 0x0160),
    (RING_PHASE, n(9), 0x0000),
    (METERING_ENVELOPE, NONE, 0x2000),
    (METERING_AMPLITUDE, NONE, 0x2000),
    (METERING_COEFFICIENT, NONE, 0x0000),
    (RECEIVE_GAIN, n(13), 0x2000),
    (TRANSMIT_GAIN, n(14), 0x4000),
    (LOOP_THRESHOLD, n(15), 0x1000),
    (RING_TRIP_THRESHOLD, n(16), 0x3600),
    (COMMON_MODE_MINIMUM, n(17), 0x1000),
    (COMMON_MODE_MAXIMUM, n(18), 0x0200),
    (POWER_ALARM_12, n(19), 0x07C0),
    (POWER_ALARM_34, n(20), 0x2600),
    (POWER_ALARM_56, n(21), 0x1B80),
    (LOOP_FILTER, n(22), 0x8000),
    (RING_TRIP_FILTER, n(23), 0x0320),
    (THERMAL_POLE_12, n(24), 0x008C),
    (THERMAL_POLE_34, n(25), 0x0100),
    (THERMAL_POLE_56, n(26), 0x0010),
    (RINGING_BIAS, n(27), 0x0C00),
    (CONVERTER_MINIMUM, n(64), 0x0C00),
    (CONVERTER_MODE, NONE, 0x1000),
    (LOOP_THRESHOLD_LOW, n(66), 0x1000),
];

/// The filter coefficients that are flushed while the line powers up.
pub(super) const FILTERS: [Register<Indirect, u16>; 5] =
    [LOOP_FILTER, RING_TRIP_FILTER, THERMAL_POLE_12, THERMAL_POLE_34, THERMAL_POLE_56];
/// The coefficient that flushes a filter.
pub(super) const FLUSH: u16 = 0x8000;
/// The offsets that the manual calibration clears.
pub(super) const OFFSETS: [Register<Indirect, u16>; 6] =
    [OFFSET_1, OFFSET_2, OFFSET_3, OFFSET_4, OFFSET_5, OFFSET_6];

/// The name of an indirect register, if it is in the table.
pub(super) fn name(number: u8) -> Option<&'static str> {
    let set = VALUES.iter().map(|(register, ..)| *register);
    let known = set.chain(OFFSETS).chain([SCRATCH]);
    let named = known.map(Register::address).find(|register| register.number() == number)?;
    Some(named.name())
}
