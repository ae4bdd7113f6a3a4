//! The FXS module: an Si3210 ProSLIC, which feeds a telephone.
//!
//! Registers as a driver sees them, and the line behind: battery from the DC-DC converter, line
//! feed, loop closure and ring trip, ringing, PCM.
//!
//! What is modelled with no time of its own: the converter is up as soon as register 14 switches it
//! on (it leaks down to exactly the 6 counts that a leak test wants to see), calibrations end at
//! once, indirect accesses never leave register 31 busy. What is not modelled: tone generators, the
//! DTMF decoder, gains and filters; their registers only store.
//!
//! Rule: the shadow bits of register 64 are the truth about the line; whatever changes the line
//! feed (a write, ring trip, loop closure, power alarm) changes them in the same millisecond.

use crate::pcm::{self, Bytes, Lanes, Law};
use crate::spi::RegisterFile;
use crate::wire::{Battery, FRAME, Feed, Load};

/// Direct registers.
mod reg {
    pub(super) const ID: u8 = 0;
    pub(super) const PCM_MODE: u8 = 1;
    pub(super) const TX_COUNT: u8 = 2;
    pub(super) const RX_COUNT: u8 = 4;
    pub(super) const LOOPBACK: u8 = 8;
    pub(super) const POWER_DOWN: u8 = 14;
    pub(super) const IRQ_STATUS_1: u8 = 18;
    pub(super) const IRQ_STATUS_2: u8 = 19;
    pub(super) const IRQ_STATUS_3: u8 = 20;
    pub(super) const DTMF: u8 = 24;
    pub(super) const IDA_LOW: u8 = 28;
    pub(super) const IDA_HIGH: u8 = 29;
    pub(super) const IAA: u8 = 30;
    pub(super) const INDIRECT_STATUS: u8 = 31;
    pub(super) const LINE_FEED: u8 = 64;
    pub(super) const AUTO_STATE: u8 = 67;
    pub(super) const LOOP_STATUS: u8 = 68;
    pub(super) const LOOP_DEBOUNCE: u8 = 69;
    pub(super) const TRIP_DEBOUNCE: u8 = 70;
    pub(super) const LOOP_LIMIT: u8 = 71;
    pub(super) const ON_HOOK_VOLTAGE: u8 = 72;
    pub(super) const COMMON_MODE: u8 = 73;
    pub(super) const VBAT_HIGH: u8 = 74;
    pub(super) const LOOP_VOLTAGE: u8 = 78;
    pub(super) const LOOP_CURRENT: u8 = 79;
    pub(super) const TIP_SENSE: u8 = 80;
    pub(super) const RING_SENSE: u8 = 81;
    pub(super) const VBAT1_SENSE: u8 = 82;
    pub(super) const VBAT2_SENSE: u8 = 83;
    pub(super) const Q6_CURRENT: u8 = 89;
    pub(super) const DCDC_CONTROL: u8 = 93;
    pub(super) const CALIBRATION_1: u8 = 96;
    pub(super) const DCDC_RESULT: u8 = 107;
    pub(super) const COUNT: usize = 128;
}

/// Values after reset that are not 0.
const RESET: [(u8, u8); 28] = [
    (reg::ID, 0x05), // Si3210 revision E
    (reg::PCM_MODE, 0x08),
    (reg::LOOPBACK, 0x02),
    (10, 0x08),
    (11, 0x33),
    (reg::POWER_DOWN, 0x10),
    (63, 0x54),
    (65, 0x61),
    (66, 0x0B),
    (reg::AUTO_STATE, 0x1F),
    (reg::LOOP_DEBOUNCE, 0x0A),
    (reg::TRIP_DEBOUNCE, 0x0A),
    (reg::ON_HOOK_VOLTAGE, 0x20),
    (reg::COMMON_MODE, 0x02),
    (reg::VBAT_HIGH, 0x32),
    (75, 0x10),
    (92, 0xFF),
    (reg::DCDC_CONTROL, 0x14),
    (96, 0x1F),
    (97, 0x1F),
    (98, 0x10),
    (99, 0x10),
    (100, 0x11),
    (101, 0x11),
    (102, 0x08),
    (103, 0x88),
    (106, 0x20),
    (reg::DCDC_RESULT, 0x08),
];

/// Indirect registers.
const INDIRECT: usize = 105;

const PCM_LOOPBACK: u8 = 0x02;
const CONVERTER_OFF: u8 = 0x10;
const AUTO_OPEN: u8 = 0x01;
const AUTO_ACTIVE_LOOP: u8 = 0x02;
const AUTO_ACTIVE_TRIP: u8 = 0x04;
const LOOP_CLOSED: u8 = 0x01;
const RING_TRIP: u8 = 0x02;
const LOOP_CLOSED_RAW: u8 = 0x04;
const IRQ_RING_TRIP: u8 = 0x01;
const IRQ_LOOP: u8 = 0x02;
const IRQ_POWER_ALARMS: u8 = 0xFC;
const IRQ_CALIBRATED: u8 = 0x04;
const IRQ_INDIRECT: u8 = 0x02;
const CALIBRATE: u8 = 0x40;
const CALIBRATE_CONVERTER: u8 = 0x80;

/// A voltage in the 0.376 V steps of the sense registers, rounded up.
fn sense(millivolts: u32) -> u8 {
    u8::try_from(millivolts.div_ceil(376)).unwrap_or(u8::MAX)
}

/// Line-feed states of register 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineFeed {
    Open,
    Active {
        reversed: bool,
    },
    OnHookTransmission {
        reversed: bool,
    },
    /// TIP open or RING open: ground start only, no loop.
    OneLegOpen,
    Ringing,
}

impl LineFeed {
    fn from_bits(bits: u8) -> LineFeed {
        match bits & 0x07 {
            0 => LineFeed::Open,
            1 => LineFeed::Active { reversed: false },
            2 => LineFeed::OnHookTransmission { reversed: false },
            4 => LineFeed::Ringing,
            5 => LineFeed::Active { reversed: true },
            6 => LineFeed::OnHookTransmission { reversed: true },
            _ => LineFeed::OneLegOpen,
        }
    }
}

/// A level that has to hold for a while before it counts.
#[derive(Debug, Clone, Copy, Default)]
struct Debounced {
    level: bool,
    held_ms: u32,
}

impl Debounced {
    /// One millisecond of `raw`; the interval is in the chip's 1.25 ms steps.
    fn feed(&mut self, raw: bool, interval: u8) {
        if raw == self.level {
            self.held_ms = 0;
            return;
        }
        self.held_ms += 1;
        if self.held_ms * 4 >= u32::from(interval & 0x7F) * 5 {
            self.level = raw;
            self.held_ms = 0;
        }
    }
}

/// The chip and its line.
#[derive(Debug, Clone)]
pub(crate) struct Si3210 {
    registers: [u8; reg::COUNT],
    indirect: [u16; INDIRECT],
    /// Indirect data was written since the last indirect access: the next one stores.
    store: bool,
    loop_closure: Debounced,
    ring_trip: Debounced,
    load: Load,
    /// Fault: the board's power cable is not plugged in.
    pub(crate) unpowered: bool,
    /// Fault: a transistor is over its power limit.
    pub(crate) power_alarm: bool,
}

impl Si3210 {
    pub(crate) fn new() -> Si3210 {
        let mut chip = Si3210 {
            registers: [0; reg::COUNT],
            indirect: [0; INDIRECT],
            store: false,
            loop_closure: Debounced::default(),
            ring_trip: Debounced::default(),
            load: Load::default(),
            unpowered: false,
            power_alarm: false,
        };
        chip.reset();
        chip
    }

    /// The reset pin: every register at its reset value, the line open.
    pub(crate) fn reset(&mut self) {
        self.registers = [0; reg::COUNT];
        for (register, value) in RESET {
            self.set(register, value);
        }
        self.indirect = [0; INDIRECT];
        self.store = false;
        self.loop_closure = Debounced::default();
        self.ring_trip = Debounced::default();
    }

    fn get(&self, register: u8) -> u8 {
        self.registers.get(usize::from(register)).copied().unwrap_or(0)
    }

    fn set(&mut self, register: u8, value: u8) {
        if let Some(byte) = self.registers.get_mut(usize::from(register)) {
            *byte = value;
        }
    }

    fn raise(&mut self, status: u8, bits: u8) {
        self.set(status, self.get(status) | bits);
    }

    fn line_feed(&self) -> LineFeed {
        LineFeed::from_bits(self.get(reg::LINE_FEED))
    }

    /// Both the requested and the actual state.
    fn set_line_feed(&mut self, bits: u8) {
        let bits = bits & 0x07;
        self.set(reg::LINE_FEED, bits | bits << 4);
    }

    fn converter_on(&self) -> bool {
        !self.unpowered && self.get(reg::POWER_DOWN) & CONVERTER_OFF == 0
    }

    fn battery(&self) -> Battery {
        match self.line_feed() {
            _ if !self.converter_on() => Battery::Off,
            LineFeed::Open | LineFeed::OneLegOpen => Battery::Off,
            LineFeed::Active { reversed } | LineFeed::OnHookTransmission { reversed } => {
                if reversed { Battery::Reversed } else { Battery::Forward }
            }
            LineFeed::Ringing => Battery::Forward,
        }
    }

    fn loop_current_flows(&self) -> bool {
        self.load.off_hook && self.battery() != Battery::Off
    }

    /// Where the module's byte is in the DMA word, as programmed.
    pub(crate) fn lanes(&self) -> Lanes {
        let lane = |count: u8| pcm::lane(self.get(count), self.get(count + 1));
        Lanes { transmit: lane(reg::TX_COUNT), receive: lane(reg::RX_COUNT) }
    }

    /// One millisecond of the line. `from_host` is what came in the module's time slot, `None` while
    /// the serial bus stands still. Returns what the line is fed with and, with the interface on,
    /// the bytes for the host.
    pub(crate) fn tick(&mut self, load: Load, from_host: Option<Bytes>) -> (Feed, Option<Bytes>) {
        self.load = load;
        self.watch_power();
        self.watch_loop();

        let law = Law::from_mode(self.get(reg::PCM_MODE));
        let loopback = self.get(reg::LOOPBACK) & PCM_LOOPBACK != 0;
        let passes = self.loop_current_flows()
            && matches!(
                self.line_feed(),
                LineFeed::Active { .. } | LineFeed::OnHookTransmission { .. }
            );
        let on_hook_transmission = matches!(self.line_feed(), LineFeed::OnHookTransmission { .. })
            && self.battery() != Battery::Off;

        let mut feed = Feed {
            battery: self.battery(),
            ringing: self.line_feed() == LineFeed::Ringing && self.battery() != Battery::Off,
            audio: [0; FRAME],
        };
        if let (Some(law), Some(bytes)) = (law, &from_host)
            && (passes || on_hook_transmission)
            && !loopback
        {
            feed.audio = law.decode(bytes);
        }
        let to_host = law.map(|law| {
            if loopback {
                from_host.unwrap_or(pcm::IDLE_BUS)
            } else if passes {
                law.encode(&load.audio)
            } else {
                law.encode(&[0; FRAME])
            }
        });
        (feed, to_host)
    }

    fn watch_power(&mut self) {
        if self.power_alarm && self.line_feed() != LineFeed::Open {
            self.raise(reg::IRQ_STATUS_2, IRQ_POWER_ALARMS);
            if self.get(reg::AUTO_STATE) & AUTO_OPEN != 0 {
                self.set_line_feed(0);
            }
        }
    }

    fn watch_loop(&mut self) {
        let current = self.loop_current_flows();
        let ringing = self.line_feed() == LineFeed::Ringing;
        let loop_interval = self.get(reg::LOOP_DEBOUNCE);
        let trip_interval = self.get(reg::TRIP_DEBOUNCE);
        let (was_closed, was_tripped) = (self.loop_closure.level, self.ring_trip.level);

        self.ring_trip.feed(ringing && current, trip_interval);
        if !ringing {
            self.ring_trip = Debounced::default();
        }
        if self.ring_trip.level {
            self.loop_closure = Debounced { level: true, held_ms: 0 };
        } else {
            self.loop_closure.feed(current && !ringing, loop_interval);
        }

        if self.loop_closure.level != was_closed {
            self.raise(reg::IRQ_STATUS_2, IRQ_LOOP);
        }
        if self.ring_trip.level && !was_tripped {
            self.raise(reg::IRQ_STATUS_2, IRQ_RING_TRIP);
        }
        let auto = self.get(reg::AUTO_STATE);
        if self.ring_trip.level && auto & AUTO_ACTIVE_TRIP != 0 {
            self.set_line_feed(1);
        }
        if self.loop_closure.level
            && auto & AUTO_ACTIVE_LOOP != 0
            && let LineFeed::OnHookTransmission { reversed } = self.line_feed()
        {
            self.set_line_feed(if reversed { 5 } else { 1 });
        }
    }

    fn loop_status(&self) -> u8 {
        let mut status = 0;
        if self.loop_closure.level {
            status |= LOOP_CLOSED;
        }
        if self.ring_trip.level {
            status |= RING_TRIP;
        }
        if self.loop_current_flows() {
            status |= LOOP_CLOSED_RAW;
        }
        status
    }

    /// Millivolts below ground at TIP, at RING, and of the battery.
    fn voltages(&self) -> (u32, u32, u32) {
        let battery = match (self.unpowered, self.converter_on()) {
            (true, _) => 0,
            // What is left on the converter's capacitor: 6 counts.
            (false, false) => 6 * 376,
            (false, true) => u32::from(self.get(reg::VBAT_HIGH) & 0x3F) * 1500,
        };
        let common = u32::from(self.get(reg::COMMON_MODE) & 0x3F) * 1500;
        let across = if self.load.off_hook {
            // A telephone of about 300 ohms at the current limit.
            self.loop_milliamperes() * 300
        } else {
            u32::from(self.get(reg::ON_HOOK_VOLTAGE) & 0x3F) * 1500
        };
        let (near, far) = (common.min(battery), (common + across).min(battery));
        match self.battery() {
            Battery::Off => (0, 0, battery),
            Battery::Forward => (near, far, battery),
            Battery::Reversed => (far, near, battery),
        }
    }

    fn loop_milliamperes(&self) -> u32 {
        if self.loop_current_flows() {
            20 + 3 * u32::from(self.get(reg::LOOP_LIMIT) & 0x07)
        } else {
            0
        }
    }

    fn indirect_access(&mut self, address: u8) {
        if std::mem::take(&mut self.store) {
            let value = u16::from_le_bytes([self.get(reg::IDA_LOW), self.get(reg::IDA_HIGH)]);
            if let Some(word) = self.indirect.get_mut(usize::from(address)) {
                *word = value;
            }
        } else {
            let word = self.indirect.get(usize::from(address)).copied().unwrap_or(0);
            let [low, high] = word.to_le_bytes();
            self.set(reg::IDA_LOW, low);
            self.set(reg::IDA_HIGH, high);
        }
        self.raise(reg::IRQ_STATUS_3, IRQ_INDIRECT);
    }
}

impl RegisterFile for Si3210 {
    fn read(&mut self, register: u8) -> u8 {
        let (tip, ring, battery) = self.voltages();
        match register {
            reg::LOOP_STATUS => self.loop_status(),
            // 1.5 V and 1.25 mA a step; bit 6 is the sign, set in reverse.
            reg::LOOP_VOLTAGE => {
                let steps = (tip.abs_diff(ring) / 1500).min(0x3F) as u8;
                steps | if tip > ring { 0x40 } else { 0 }
            }
            reg::LOOP_CURRENT => {
                let steps = (self.loop_milliamperes() * 4 / 5).min(0x3F) as u8;
                steps | if tip > ring { 0x40 } else { 0 }
            }
            reg::TIP_SENSE => sense(tip),
            reg::RING_SENSE => sense(ring),
            reg::VBAT1_SENSE | reg::VBAT2_SENSE => sense(battery),
            _ => self.get(register),
        }
    }

    fn write(&mut self, register: u8, value: u8) {
        match register {
            reg::ID | reg::DTMF | reg::INDIRECT_STATUS | reg::LOOP_STATUS => {}
            reg::LOOP_VOLTAGE..=reg::Q6_CURRENT => {}
            reg::IRQ_STATUS_1..=reg::IRQ_STATUS_3 => {
                self.set(register, self.get(register) & !value)
            }
            reg::IDA_LOW | reg::IDA_HIGH => {
                self.set(register, value);
                self.store = true;
            }
            reg::IAA => {
                self.set(register, value);
                self.indirect_access(value);
            }
            reg::LINE_FEED => self.set_line_feed(value),
            reg::DCDC_CONTROL => {
                self.set(register, value & !CALIBRATE_CONVERTER);
                if value & CALIBRATE_CONVERTER != 0 {
                    self.set(reg::DCDC_RESULT, 0x08);
                }
            }
            reg::CALIBRATION_1 if value & CALIBRATE != 0 => {
                self.set(register, 0);
                self.raise(reg::IRQ_STATUS_3, IRQ_CALIBRATED);
            }
            _ => self.set(register, value),
        }
    }
}
