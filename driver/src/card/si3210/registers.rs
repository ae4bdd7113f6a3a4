//! Direct registers of the Si3210 (data sheet, section 4; 8 bits each) and what is written to them.

use std::fmt;

use ringback_country::Companding;

use super::indirect_registers;
use crate::card::port::{Gain, Gains};
use crate::card::register::{Register, Value, flags, registers, values};

registers! {
    /// The direct registers of a Si3210.
    pub(crate) Si3210, "Si3210";

    /// SPI mode and identity.
    IDENTITY = 0: ChipIdentity;
    /// PCM mode: whether samples are exchanged, and as what.
    PCM_MODE = 1: PcmMode;
    /// First bit of this port in the transmit (to the card) frame, low byte.
    TX_START_LOW = 2: u8;
    /// First bit of this port in the transmit frame, high byte.
    TX_START_HIGH = 3: u8;
    /// First bit of this port in the receive (from the card) frame, low byte.
    RX_START_LOW = 4: u8;
    /// First bit of this port in the receive frame, high byte.
    RX_START_HIGH = 5: u8;
    /// Loopback: the digital one is on after reset, by which a fresh chip is recognised.
    LOOPBACK = 8: Loopback;
    /// Audio gain: what passes in each direction, and how loud; 0 after reset.
    AUDIO_GAIN = 9: AudioGain;
    /// Impedance towards the telephone: [`IMPEDANCE_ON`] and its number, by country.
    IMPEDANCE = 10: u8;
    /// Hybrid: [`HYBRID_RESET`] after reset.
    HYBRID = 11: u8;
    /// Power down 1: which parts of the chip are off.
    POWER_DOWN = 14: PowerDown;
    /// Interrupt status 1: oscillators and ringing timers. Writing ones clears.
    INTERRUPT_STATUS_1 = 18: u8;
    /// Interrupt status 2: loop, ring trip, power alarms. Writing ones clears.
    INTERRUPT_STATUS_2 = 19: u8;
    /// Interrupt status 3: calibration, indirect accesses, DTMF. Writing ones clears.
    INTERRUPT_STATUS_3 = 20: u8;
    /// Interrupt enable 1: as status 1.
    INTERRUPT_ENABLE_1 = 21: u8;
    /// Interrupt enable 2: as status 2.
    INTERRUPT_ENABLE_2 = 22: u8;
    /// Interrupt enable 3: as status 3.
    INTERRUPT_ENABLE_3 = 23: u8;
    /// Indirect data, low byte.
    INDIRECT_DATA_LOW = 28: u8;
    /// Indirect data, high byte.
    INDIRECT_DATA_HIGH = 29: u8;
    /// Indirect address: writing it starts the access.
    INDIRECT_ADDRESS = 30: IndirectAddress;
    /// Whether an indirect access is under way.
    INDIRECT_STATUS = 31: IndirectStatus;
    /// Ring oscillator control: shape and cadence.
    RING_CONTROL = 34: RingControl;
    /// Ring oscillator active timer, low byte; all four timers stand still without a cadence.
    RING_ACTIVE_LOW = 48: u8;
    /// Ring oscillator active timer, high byte.
    RING_ACTIVE_HIGH = 49: u8;
    /// Ring oscillator inactive timer, low byte.
    RING_INACTIVE_LOW = 50: u8;
    /// Ring oscillator inactive timer, high byte.
    RING_INACTIVE_HIGH = 51: u8;
    /// Line feed: the state asked for, and the state the line is in.
    LINE_STATE = 64: LineState;
    /// Battery feed control: how the battery voltage is switched.
    BATTERY_FEED = 66: BatteryFeed;
    /// Automatic state control: what the chip does without being asked.
    AUTOMATIC = 67: Automatic;
    /// Loop closure and ring trip status.
    LOOP_STATUS = 68: LoopStatus;
    /// Loop current limit: 20 mA and 3 mA per step.
    LOOP_CURRENT = 71: u8;
    /// Common-mode voltage: 1.5 V per step.
    COMMON_MODE = 73: u8;
    /// High battery voltage: 1.5 V per step.
    BATTERY_HIGH = 74: u8;
    /// Voltage between the wires: 1.5 V per step in bits 5:0, bit 6 is set in reverse.
    LOOP_VOLTAGE_SENSE = 78: u8;
    /// Loop current: 1.25 mA per step in bits 5:0, bit 6 is set in reverse.
    LOOP_CURRENT_SENSE = 79: u8;
    /// Voltage of TIP below ground: 0.376 V per step.
    TIP_SENSE = 80: u8;
    /// Voltage of RING below ground: 0.376 V per step.
    RING_SENSE = 81: u8;
    /// Battery voltage sense: 0.376 V per step.
    BATTERY_SENSE = 82: u8;
    /// Current of transistor 5: 0 when the RING gain matches (manual calibration).
    RING_GAIN_SENSE = 88: u8;
    /// Current of transistor 6: 0 when the TIP gain matches (manual calibration).
    TIP_GAIN_SENSE = 89: u8;
    /// DC-DC converter PWM period.
    CONVERTER_PERIOD = 92: u8;
    /// DC-DC converter: minimum off time in bits 4:0.
    CONVERTER_CONTROL = 93: ConverterControl;
    /// Calibration control 1: 0 when done.
    CALIBRATE = 96: Calibrate;
    /// Calibration control 2: which calibrations [`CALIBRATE`] starts besides its own.
    CALIBRATE_2 = 97: Calibrate2;
    /// Calibration result: RING gain mismatch.
    RING_GAIN = 98: u8;
    /// Calibration result: TIP gain mismatch.
    TIP_GAIN = 99: u8;
    /// Calibration result: differential loop current gain.
    DIFFERENTIAL_GAIN = 100: u8;
    /// Calibration result: common-mode loop current gain.
    COMMON_MODE_GAIN = 101: u8;
    /// Calibration result: current limit.
    CURRENT_LIMIT = 102: u8;
    /// Calibration result: offset of the monitor ADC.
    MONITOR_OFFSET = 103: u8;
    /// Calibration result: analog DAC and ADC offset.
    ANALOG_OFFSET = 104: u8;
    /// Calibration result: DAC offset.
    DAC_OFFSET = 105: u8;
    /// Calibration result: common-mode balance.
    COMMON_MODE_BALANCE = 106: u8;
    /// DC-DC converter calibration result: 2 to 13 on a working module.
    CONVERTER_RESULT = 107: u8;
    /// Enhancement enable: improvements of later revisions.
    ENHANCE = 108: u8;
}

flags! {
    /// What register 0 holds.
    pub(crate) struct ChipIdentity: u8 {
        /// The chip's revision: neither none nor all of these bits in a chip that answers.
        const REVISION = 0x0F;
    }
}

flags! {
    /// What register 1 holds.
    pub(crate) struct PcmMode: u8 {
        /// Samples are u-law, not A-law (PCMF).
        const U_LAW = 0x08;
        /// Samples are sent and received (PCME).
        const ENABLE = 0x20;
        /// The chip is a Si3215.
        const SI3215 = 0x80;
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

flags! {
    /// What register 8 holds.
    pub(crate) struct Loopback: u8 {
        /// Samples go back where they came from (DLM).
        const DIGITAL = 0x02;
    }
}

flags! {
    /// What register 9 holds.
    pub(crate) struct AudioGain: u8 {
        /// Towards the telephone: 3.5 dB less (ARX).
        const RECEIVE_LOWER = 0x01;
        /// Towards the telephone: 3.5 dB more (ARX).
        const RECEIVE_HIGHER = 0x02;
        /// From the telephone: 3.5 dB less (ATX).
        const TRANSMIT_LOWER = 0x04;
        /// From the telephone: 3.5 dB more (ATX).
        const TRANSMIT_HIGHER = 0x08;
        /// Nothing passes towards the telephone (RXM).
        const RECEIVE_MUTE = 0x10;
        /// Nothing passes from the telephone (TXM).
        const TRANSMIT_MUTE = 0x20;
    }
}

impl AudioGain {
    /// The register for these gains.
    pub(crate) const fn of(gains: Gains) -> AudioGain {
        let receive = match gains.to_telephone {
            Gain::Mute => AudioGain::RECEIVE_MUTE,
            Gain::Lower => AudioGain::RECEIVE_LOWER,
            Gain::Normal => AudioGain::empty(),
            Gain::Higher => AudioGain::RECEIVE_HIGHER,
        };
        receive.union(match gains.from_telephone {
            Gain::Mute => AudioGain::TRANSMIT_MUTE,
            Gain::Lower => AudioGain::TRANSMIT_LOWER,
            Gain::Normal => AudioGain::empty(),
            Gain::Higher => AudioGain::TRANSMIT_HIGHER,
        })
    }
}

flags! {
    /// What register 14 holds.
    pub(crate) struct PowerDown: u8 {
        /// The DC-DC converter is off (DCOF).
        const CONVERTER = 0x10;
    }
}

flags! {
    /// What register 31 holds.
    pub(crate) struct IndirectStatus: u8 {
        /// An access is under way (IAS).
        const BUSY = 0x01;
    }
}

flags! {
    /// Register 34. 0 is a sine for as long as the line state is ringing.
    pub(crate) struct RingControl: u8 {
        /// A trapezoid instead of a sine (TSWS).
        const TRAPEZOID = 0x01;
    }
}

flags! {
    /// What register 66 holds.
    pub(crate) struct BatteryFeed: u8 {
        /// The external switching transistor stays off: the converter's voltage follows the line.
        const SWITCH_OFF = 0x01;
    }
}

flags! {
    /// Register 67: what the chip does by itself.
    pub(crate) struct Automatic: u8 {
        /// Opens the line on a power alarm.
        const OPEN_ON_ALARM = 0x01;
        /// Makes the line active on loop closure.
        const ACTIVE_ON_LOOP = 0x02;
        /// Makes the line active on ring trip.
        const ACTIVE_ON_TRIP = 0x04;
    }
}

flags! {
    /// Register 68. Bits 7:3 are always 0.
    pub(crate) struct LoopStatus: u8 {
        /// The telephone is off-hook, debounced by the chip (LCR).
        const OFF_HOOK = 0x01;
        /// It was lifted while it rang (RTP).
        const RING_TRIP = 0x02;
        /// Loop current flows, not debounced.
        const LOOP_CLOSED = 0x04;
    }
}

flags! {
    /// What register 93 holds.
    pub(crate) struct ConverterControl: u8 {
        /// The minimum off time of AN35.
        const MINIMUM_OFF_TIME = 0x19;
        /// Starts the converter's calibration; clears itself (DCCAL).
        const CALIBRATE = 0x80;
    }
}

flags! {
    /// What register 96 holds.
    pub(crate) struct Calibrate: u8 {
        /// Current limit of the loop (CALIL).
        const CURRENT_LIMIT = 0x01;
        /// Common-mode loop current gain (CALC).
        const COMMON_MODE_GAIN = 0x02;
        /// Differential loop current gain (CALD).
        const DIFFERENTIAL_GAIN = 0x04;
        /// TIP gain mismatch (CALT).
        const TIP_GAIN = 0x08;
        /// RING gain mismatch (CALR).
        const RING_GAIN = 0x10;
        /// Starts what the other bits, and those of register 97, name (CAL).
        const START = 0x40;
    }
}

impl Calibrate {
    /// Starts everything but the two gain mismatches, which are searched by hand.
    pub(crate) const START_MANUAL: Calibrate = Calibrate::START
        .union(Calibrate::DIFFERENTIAL_GAIN)
        .union(Calibrate::COMMON_MODE_GAIN)
        .union(Calibrate::CURRENT_LIMIT);
    /// Starts every calibration of register 96.
    pub(crate) const START_ALL: Calibrate =
        Calibrate::START_MANUAL.union(Calibrate::RING_GAIN).union(Calibrate::TIP_GAIN);
}

flags! {
    /// What register 97 holds.
    pub(crate) struct Calibrate2: u8 {
        /// Longitudinal (common-mode) balance (CALCM).
        const BALANCE = 0x01;
        /// Offset of the ADC (CALADC).
        const ADC_OFFSET = 0x02;
        /// Offset of the DAC (CALDAC).
        const DAC_OFFSET = 0x04;
        /// Monitor ADC, second step (CALM2).
        const MONITOR_2 = 0x08;
        /// Monitor ADC, first step (CALM1).
        const MONITOR_1 = 0x10;
    }
}

values! {
    /// State of the line feed, as register 64 codes it in bits 2:0 and 6:4.
    pub(crate) struct FeedState {
        /// No voltage on the line.
        const OPEN = 0;
        /// Fed, with TIP the positive wire.
        const ACTIVE = 1;
        /// Fed, and samples pass while the telephone is on-hook.
        const ON_HOOK_TRANSMISSION = 2;
        /// TIP without voltage (ground start).
        const TIP_OPEN = 3;
        /// The ring generator is on.
        const RINGING = 4;
        /// [`FeedState::ACTIVE`] with TIP and RING exchanged.
        const ACTIVE_REVERSE = 5;
        /// [`FeedState::ON_HOOK_TRANSMISSION`] with TIP and RING exchanged.
        const ON_HOOK_TRANSMISSION_REVERSE = 6;
        /// RING without voltage (ground start).
        const RING_OPEN = 7;
    }
}

/// What register 64 holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineState(u8);

impl LineState {
    /// Asks for no voltage on the line; as a fresh chip reads, too.
    pub(crate) const OPEN: LineState = LineState::ask(FeedState::OPEN);

    /// Asks for a state.
    pub(crate) const fn ask(state: FeedState) -> LineState {
        LineState(state.code())
    }

    /// The state that was asked for, or that the chip has gone to by itself.
    pub(crate) fn asked(self) -> FeedState {
        FeedState::from_raw(u32::from(self.0 & 0x07))
    }

    /// The state that the line is in; after ringing it follows at a zero crossing.
    pub(crate) fn actual(self) -> FeedState {
        FeedState::from_raw(u32::from(self.0 >> 4 & 0x07))
    }
}

impl Value for LineState {
    const BYTES: usize = 1;
    fn from_raw(raw: u32) -> LineState {
        LineState(raw as u8)
    }
    fn raw(self) -> u32 {
        u32::from(self.0)
    }
    fn names(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked().names(f)?;
        // What is written has no state of the line in it.
        if ![FeedState::OPEN, self.asked()].contains(&self.actual()) {
            f.write_str(", line")?;
            self.actual().names(f)?;
        }
        Ok(())
    }
}

/// Register 30: the number of an indirect register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IndirectAddress(u8);

impl IndirectAddress {
    /// The lowest, which resets the access logic of a fresh chip when written.
    pub(crate) const FIRST: IndirectAddress = IndirectAddress(0);

    /// The register with this number.
    pub(crate) const fn at(number: u8) -> IndirectAddress {
        IndirectAddress(number)
    }
}

impl Value for IndirectAddress {
    const BYTES: usize = 1;
    fn from_raw(raw: u32) -> IndirectAddress {
        IndirectAddress(raw as u8)
    }
    fn raw(self) -> u32 {
        u32::from(self.0)
    }
    fn names(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match indirect_registers::name(self.0) {
            Some(name) => write!(f, " = {name}"),
            None => Ok(()),
        }
    }
}

/// The registers that hold the results of a calibration.
pub(super) const RESULTS: [Register<Si3210, u8>; 10] = [
    RING_GAIN,
    TIP_GAIN,
    DIFFERENTIAL_GAIN,
    COMMON_MODE_GAIN,
    CURRENT_LIMIT,
    MONITOR_OFFSET,
    ANALOG_OFFSET,
    DAC_OFFSET,
    COMMON_MODE_BALANCE,
    CONVERTER_RESULT,
];

/// In [`IMPEDANCE`]: the impedance is synthesised (TISE).
pub(super) const IMPEDANCE_ON: u8 = 0x08;

/// What [`HYBRID`] reads after a reset, by which a fresh chip is recognised.
pub(super) const HYBRID_RESET: u8 = 0x33;
/// Writing it to an interrupt status register clears every bit, to an enable register sets it.
pub(super) const EVERY_INTERRUPT: u8 = 0xFF;
/// [`INTERRUPT_ENABLE_3`]: a calibration has ended.
pub(super) const CALIBRATED: u8 = 0x04;
/// [`CONVERTER_PERIOD`]: the slowest switching there is.
pub(super) const LONGEST_PERIOD: u8 = 0xFF;
/// [`BATTERY_SENSE`] of a converter that is up: 72 V.
pub(super) const BATTERY_UP: u8 = 0xC0;
/// [`BATTERY_SENSE`] of a converter that has run down: 2.3 V.
pub(super) const BATTERY_DOWN: u8 = 6;
/// [`LOOP_CURRENT`] for a limit of 20 mA.
pub(super) const LOOP_20_MA: u8 = 0;
/// [`COMMON_MODE`] for 6 V, in steps of 1.5 V.
pub(super) const COMMON_6_V: u8 = 4;
/// [`BATTERY_HIGH`] for 75 V, in steps of 1.5 V.
pub(super) const BATTERY_75_V: u8 = 50;
/// [`RING_GAIN`] and [`TIP_GAIN`]: the middle, from where both are searched.
pub(super) const GAIN_MIDDLE: u8 = 0x10;
/// [`RING_GAIN`] and [`TIP_GAIN`]: the highest.
pub(super) const GAIN_HIGHEST: u8 = 0x1F;
/// [`CONVERTER_RESULT`] of a working module, and its middle.
pub(super) const CONVERTER_SOUND: std::ops::RangeInclusive<u8> = 2..=13;
pub(super) const CONVERTER_MIDDLE: u8 = 8;
/// [`ENHANCE`]: what AN35 recommends.
pub(super) const ENHANCEMENTS: u8 = 0xEB;
/// What every register of a module that is not there reads.
pub(crate) const ABSENT: u8 = 0xFF;

/// A value of [`BATTERY_SENSE`] in whole volts.
pub(super) fn volts(sense: u8) -> u8 {
    // 0.376 V per step; 255 steps are 95 V.
    (u16::from(sense) * 376 / 1000) as u8
}
