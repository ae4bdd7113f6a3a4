//! Direct registers of the Si3210 (8 bits each, by number).

/// SPI mode and identity: the low nibble is the revision.
pub(super) const IDENTITY: u8 = 0;
/// PCM mode: bit 7 set on a Si3215; bit 5 enables, bits 4:3 = 01 u-law.
pub(super) const PCM_MODE: u8 = 1;
/// First bit of this port in the transmit (to the card) frame, low byte and high byte.
pub(super) const TX_START: (u8, u8) = (2, 3);
/// First bit of this port in the receive (from the card) frame, low byte and high byte.
pub(super) const RX_START: (u8, u8) = (4, 5);
/// Loopback: reads 0x02 after reset.
pub(crate) const LOOPBACK: u8 = 8;
/// Hybrid: reads 0x33 after reset.
pub(super) const HYBRID: u8 = 11;
/// Power down 1: bit 4 switches the DC-DC converter off.
pub(super) const POWER_DOWN: u8 = 14;
/// Interrupt status registers; writing ones clears.
pub(super) const INTERRUPT_STATUS: [u8; 3] = [18, 19, 20];
/// Interrupt enable registers; zeros mask every interrupt of the chip.
pub(super) const INTERRUPT_MASK: [u8; 3] = [21, 22, 23];
/// Indirect data, low and high byte.
pub(super) const INDIRECT_DATA: (u8, u8) = (28, 29);
/// Indirect address: writing it starts the access.
pub(super) const INDIRECT_ADDRESS: u8 = 30;
/// Indirect status: 0 when idle.
pub(super) const INDIRECT_STATUS: u8 = 31;
/// Ring oscillator control: 0 is a sine without cadence of its own.
pub(super) const RING_CONTROL: u8 = 34;
/// Ring oscillator active and inactive timers, low and high bytes.
pub(super) const RING_TIMERS: [u8; 4] = [48, 49, 50, 51];
/// Line feed: bits 2:0 the state asked for, bits 6:4 the state the line is in.
pub(crate) const LINE_STATE: u8 = 64;
/// Battery feed control: 1 keeps the external switching transistor off.
pub(super) const BATTERY_FEED: u8 = 66;
/// Automatic state control: bit 0 opens the line on a power alarm, bit 1 makes it active on loop
/// closure, bit 2 on ring trip.
pub(super) const AUTOMATIC: u8 = 67;
/// Loop closure and ring trip status: bit 0 off-hook, bit 1 ring trip.
pub(crate) const LOOP_STATUS: u8 = 68;
/// Loop current limit: 20 mA and 3 mA per step.
pub(super) const LOOP_CURRENT: u8 = 71;
/// Common-mode voltage: 1.5 V per step.
pub(super) const COMMON_MODE: u8 = 73;
/// High battery voltage: 1.5 V per step.
pub(super) const BATTERY_HIGH: u8 = 74;
/// Battery voltage sense: 0.376 V per step.
pub(super) const BATTERY_SENSE: u8 = 82;
/// Transistor current senses that are 0 when TIP and RING gains match (manual calibration).
pub(super) const GAIN_SENSE: [u8; 2] = [88, 89];
/// DC-DC converter PWM period.
pub(super) const CONVERTER_PERIOD: u8 = 92;
/// DC-DC converter minimum off time; bit 7 starts its calibration.
pub(super) const CONVERTER_CONTROL: u8 = 93;
/// Calibration control 1: bit 6 starts, 0 when done.
pub(super) const CALIBRATE: u8 = 96;
/// Calibration control 2: which calibrations [`CALIBRATE`] starts besides its own.
pub(super) const CALIBRATE_2: u8 = 97;
/// Gain mismatch calibration results for RING and TIP.
pub(super) const GAIN_RESULT: [u8; 2] = [98, 99];
/// First and last calibration result.
pub(super) const RESULTS: std::ops::RangeInclusive<u8> = 98..=107;
/// DC-DC converter calibration result: 2..=13 on a sound module.
pub(super) const CONVERTER_RESULT: u8 = 107;
/// Enhancement enable.
pub(super) const ENHANCE: u8 = 108;

/// What [`LOOPBACK`] reads after a reset, which tells a fresh chip.
pub(super) const LOOPBACK_RESET: u8 = 0x02;
/// What [`HYBRID`] reads after a reset, which tells a fresh chip.
pub(super) const HYBRID_RESET: u8 = 0x33;
/// [`PCM_MODE`]: sends and receives u-law samples.
pub(super) const PCM_ULAW: u8 = 0x28;
/// [`POWER_DOWN`]: DC-DC converter off.
pub(super) const CONVERTER_OFF: u8 = 0x10;
/// [`BATTERY_SENSE`] of a converter that is up: 72 V.
pub(super) const BATTERY_UP: u8 = 0xC0;
/// [`BATTERY_SENSE`] of a converter that has run down: 2.3 V.
pub(super) const BATTERY_DOWN: u8 = 6;

/// A value of [`BATTERY_SENSE`] in whole volts.
pub(super) fn volts(sense: u8) -> u8 {
    // 0.376 V per step; 255 steps are 95 V.
    (u16::from(sense) * 376 / 1000) as u8
}
