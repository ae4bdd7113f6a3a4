//! Registers of the Si3050 (8 bits each, by number).

/// Control 1: bit 7 resets the chip.
pub(super) const CONTROL_1: u8 = 1;
/// Control 2: reads 0x03 after reset.
pub(super) const CONTROL_2: u8 = 2;
/// DAA control 1: bits 6:5 ringing voltage (negative, positive half-cycle), bit 3 on-hook line
/// monitor, bit 1 reserved, bit 0 off-hook.
pub(crate) const DAA_CONTROL: u8 = 5;
/// DAA control 2: bit 4 powers the line side down.
pub(super) const DAA_CONTROL_2: u8 = 6;
/// Line-side identity in bits 7:4 (0: no answer over the link), revision in bits 3:0.
pub(super) const LINE_SIDE: u8 = 11;
/// Bit 6: frames of the line side are detected, i.e. the link is up.
pub(crate) const LINK_STATUS: u8 = 12;
/// International control 1: off-hook speed, ringer impedance and threshold.
pub(super) const INTERNATIONAL: u8 = 16;
/// Bit 1: ring detector rectifies full waves.
pub(super) const RING_RECTIFIER: u8 = 18;
/// Ring validation control 3: bit 7 would switch the validation on.
pub(super) const RING_VALIDATION: u8 = 24;
/// DC termination: voltage and current limit while off-hook, by country.
pub(super) const DC_TERMINATION: u8 = 26;
/// Loop current: about 1.1 mA per bit.
pub(crate) const LOOP_CURRENT: u8 = 28;
/// Line voltage: signed, 1 V per bit, 0 below about 3 V.
pub(crate) const LINE_VOLTAGE: u8 = 29;
/// AC termination: the line's impedance, by country.
pub(super) const AC_TERMINATION: u8 = 30;
/// DAA control 3: full scale, off-hook counter, filters.
pub(super) const DAA_CONTROL_3: u8 = 31;
/// PCM: bit 5 enables, bits 4:3 = 01 u-law.
pub(super) const PCM_MODE: u8 = 33;
/// First bit of this port in the transmit (to the card) frame, low byte and high byte.
pub(super) const TX_START: (u8, u8) = (34, 35);
/// First bit of this port in the receive (from the card) frame, low byte and high byte.
pub(super) const RX_START: (u8, u8) = (36, 37);
/// Transmit and receive gain in steps of 1 dB and 0.1 dB.
pub(super) const GAINS: [u8; 4] = [38, 39, 40, 41];

/// What [`CONTROL_2`] reads after a reset, which tells a fresh chip.
pub(super) const CONTROL_2_RESET: u8 = 0x03;
/// [`CONTROL_1`]: resets the chip.
pub(super) const SOFT_RESET: u8 = 0x80;
/// [`DAA_CONTROL`]: on-hook, with the line monitor on.
pub(super) const ON_HOOK: u8 = 0x08;
/// [`DAA_CONTROL`]: off-hook, with the line monitor on.
pub(super) const OFF_HOOK: u8 = 0x09;
/// [`DAA_CONTROL`]: the bits that are as written; the others are status.
pub(super) const CONTROL_BITS: u8 = 0x9B;
/// [`DAA_CONTROL`]: ringing voltage in either half-cycle.
pub(super) const RING_BITS: u8 = 0x60;
/// [`DAA_CONTROL_2`]: line side powered down.
pub(super) const LINE_SIDE_OFF: u8 = 0x10;
/// [`LINK_STATUS`]: link is up.
pub(super) const FRAME_DETECT: u8 = 0x40;
/// [`PCM_MODE`]: sends and receives u-law samples.
pub(super) const PCM_ULAW: u8 = 0x28;
