//! Registers of the Si3050 (data sheet, section 6; 8 bits each) and what is written to them.

use ringback_country::Companding;

use crate::card::register::{Register, flags, registers};

registers! {
    /// The registers of a Si3050 with its line side.
    pub(crate) Si3050, "Si3050";

    /// Control 1: reset of the chip.
    CONTROL_1 = 1: Control1;
    /// Control 2: [`CONTROL_2_RESET`] after reset.
    CONTROL_2 = 2: u8;
    /// DAA control 1: our hook, and what the ring detector sees.
    DAA_CONTROL = 5: DaaControl;
    /// DAA control 2: power of the line side.
    DAA_CONTROL_2 = 6: DaaControl2;
    /// Line-side identity in bits 7:4 (0: no answer over the link), revision in bits 3:0.
    LINE_SIDE = 11: LineSide;
    /// State of the link to the line side; bits 4:0 are the loop current in steps of 3.3 mA.
    LINK_STATUS = 12: LinkStatus;
    /// International control 1: off-hook speed, ringer impedance and threshold, by country.
    INTERNATIONAL = 16: u8;
    /// International control 3: what the ring detector rectifies.
    RING_RECTIFIER = 18: RingRectifier;
    /// Ring validation control 3.
    RING_VALIDATION = 24: u8;
    /// DC termination: voltage and current limit while off-hook, by country.
    DC_TERMINATION = 26: u8;
    /// Loop current: about 1.1 mA per bit.
    LOOP_CURRENT = 28: u8;
    /// Line voltage: signed, 1 V per bit, 0 below about 3 V.
    LINE_VOLTAGE = 29: u8;
    /// AC termination: the line's impedance, by country.
    AC_TERMINATION = 30: u8;
    /// DAA control 3: full scale, off-hook counter, filters.
    DAA_CONTROL_3 = 31: u8;
    /// PCM mode: whether samples are exchanged, and as what.
    PCM_MODE = 33: PcmMode;
    /// First bit of this port in the transmit (to the card) frame, low byte.
    TX_START_LOW = 34: u8;
    /// First bit of this port in the transmit frame, high byte.
    TX_START_HIGH = 35: u8;
    /// First bit of this port in the receive (from the card) frame, low byte.
    RX_START_LOW = 36: u8;
    /// First bit of this port in the receive frame, high byte.
    RX_START_HIGH = 37: u8;
    /// Transmit gain in steps of 1 dB.
    TX_GAIN = 38: u8;
    /// Receive gain in steps of 1 dB.
    RX_GAIN = 39: u8;
    /// Transmit gain in steps of 0.1 dB.
    TX_GAIN_FINE = 40: u8;
    /// Receive gain in steps of 0.1 dB.
    RX_GAIN_FINE = 41: u8;
    /// Coefficient 1 of the hybrid, signed.
    HYBRID_1 = 45: u8;
    /// Coefficient 2 of the hybrid.
    HYBRID_2 = 46: u8;
    /// Coefficient 3 of the hybrid.
    HYBRID_3 = 47: u8;
    /// Coefficient 4 of the hybrid.
    HYBRID_4 = 48: u8;
    /// Coefficient 5 of the hybrid.
    HYBRID_5 = 49: u8;
    /// Coefficient 6 of the hybrid.
    HYBRID_6 = 50: u8;
    /// Coefficient 7 of the hybrid.
    HYBRID_7 = 51: u8;
    /// Coefficient 8 of the hybrid.
    HYBRID_8 = 52: u8;
    /// Spark quenching control.
    SPARK_QUENCHING = 59: SparkQuenching;
}

flags! {
    /// What register 1 holds.
    pub(crate) struct Control1: u8 {
        /// Resets the chip; clears itself.
        const SOFT_RESET = 0x80;
    }
}

flags! {
    /// What register 5 holds.
    pub(crate) struct DaaControl: u8 {
        /// Our relay is closed (OH).
        const OFF_HOOK = 0x01;
        /// Reserved; 0 in a working chip.
        const RESERVED_1 = 0x02;
        /// Ringing was detected (RDT).
        const RING_DETECTED = 0x04;
        /// Samples are received while on-hook, too (ONHM).
        const ON_HOOK_MONITOR = 0x08;
        /// Reserved; 0 in a working chip.
        const RESERVED_4 = 0x10;
        /// Ringing voltage, positive half-cycle (RDTP).
        const RING_POSITIVE = 0x20;
        /// Ringing voltage, negative half-cycle (RDTN).
        const RING_NEGATIVE = 0x40;
        /// Reserved; 0 in a working chip.
        const RESERVED_7 = 0x80;
    }
}

impl DaaControl {
    /// The bits that are as written; the others are status.
    pub(crate) const WRITTEN: DaaControl = DaaControl::OFF_HOOK
        .union(DaaControl::RESERVED_1)
        .union(DaaControl::ON_HOOK_MONITOR)
        .union(DaaControl::RESERVED_4)
        .union(DaaControl::RESERVED_7);
    /// The bits by which a chip that was set up is recognised: monitor on, reserved bit off.
    /// Otherwise the chip was reset, or does not answer.
    pub(crate) const MARK: DaaControl = DaaControl::RESERVED_1.union(DaaControl::ON_HOOK_MONITOR);
    /// Ringing voltage in either half-cycle.
    pub(crate) const RINGING: DaaControl =
        DaaControl::RING_POSITIVE.union(DaaControl::RING_NEGATIVE);
}

flags! {
    /// What register 6 holds.
    pub(crate) struct DaaControl2: u8 {
        /// The line side is powered down (PDL).
        const LINE_SIDE_OFF = 0x10;
    }
}

flags! {
    /// What register 11 holds.
    pub(crate) struct LineSide: u8 {
        /// Any of these bits: a line side answers (LSID).
        const IDENTITY = 0xF0;
        /// The line side is a Si3018.
        const SI3018 = 0x10;
        /// The line side is a Si3019.
        const SI3019 = 0x30;
        /// Revision of the Si3050.
        const REVISION = 0x0F;
    }
}

flags! {
    /// What register 12 holds.
    pub(crate) struct LinkStatus: u8 {
        /// Frames of the line side are detected: the link is up (FDT).
        const FRAME_DETECT = 0x40;
    }
}

flags! {
    /// What register 18 holds.
    pub(crate) struct RingRectifier: u8 {
        /// Full waves instead of half waves (RFWE).
        const FULL_WAVE = 0x02;
    }
}

flags! {
    /// What register 33 holds.
    pub(crate) struct PcmMode: u8 {
        /// Samples are u-law, not A-law (PCMF).
        const U_LAW = 0x08;
        /// Samples are sent and received (PCME).
        const ENABLE = 0x20;
    }
}

impl PcmMode {
    /// As a port in service has it, for samples of this law.
    pub(crate) const fn service(companding: Companding) -> PcmMode {
        match companding {
            Companding::ULaw => PcmMode::ENABLE.union(PcmMode::U_LAW),
            Companding::ALaw => PcmMode::ENABLE,
        }
    }
}

/// The coefficients of the hybrid.
pub(crate) const HYBRID: [Register<Si3050, u8>; 8] =
    [HYBRID_1, HYBRID_2, HYBRID_3, HYBRID_4, HYBRID_5, HYBRID_6, HYBRID_7, HYBRID_8];

/// What [`CONTROL_2`] reads after a reset, by which a fresh chip is recognised.
pub(crate) const CONTROL_2_RESET: u8 = 0x03;
/// [`RING_VALIDATION`]: its value after reset, with the validation off.
pub(crate) const VALIDATION_OFF: u8 = 0x19;
/// What every register of a module that is not there reads.
pub(crate) const ABSENT: u8 = 0xFF;

flags! {
    /// What register 59 holds.
    pub(crate) struct SparkQuenching: u8 {
        /// SQ1.
        const SLOWER = 0x40;
        /// SQ0.
        const SLOW = 0x10;
    }
}
