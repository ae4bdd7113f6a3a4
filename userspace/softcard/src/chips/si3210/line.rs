//! The line behind the Si3210: battery, line feed, loop closure and ring trip, ringing, PCM.
//!
//! The chip's own tables of voltages and currents are in register steps; here they are millivolts
//! and milliamperes.
//!
//! Rule: the shadow bits of register 64 are the truth about the line; whatever changes the line
//! feed (a write, ring trip, loop closure, power alarm) changes them in the same millisecond.

use super::debounced::Debounced;
use super::{Si3210, reg};
use crate::chips::pcm::{self, Bytes, Lanes};
use crate::chips::wire::{Battery, FRAME, Feed, Load};

const PCM_LOOPBACK: u8 = 0x02;
const RECEIVE_MUTE: u8 = 0x10;
const TRANSMIT_MUTE: u8 = 0x20;
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
/// Indirect register of the ringing oscillator's coefficient.
const RING_COEFFICIENT: u8 = 20;

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

/// The analog gain of one direction.
#[derive(Debug, Clone, Copy)]
struct AudioGain {
    mute: bool,
    /// The two bits that register 9 has for it.
    steps: u8,
}

impl AudioGain {
    /// Samples after this gain: 3.5 dB less is a factor of 0.668, 3.5 dB more one of 1.496.
    fn applied(self, audio: [i16; FRAME]) -> [i16; FRAME] {
        let thousandths = match self.steps & 0x03 {
            _ if self.mute => 0,
            1 => 668,
            2 => 1496,
            _ => 1000,
        };
        audio.map(|sample| {
            let scaled = i32::from(sample) * thousandths / 1000;
            scaled.clamp(i16::MIN.into(), i16::MAX.into()) as i16
        })
    }
}

impl Si3210 {
    /// Towards the telephone.
    fn receive_gain(&self) -> AudioGain {
        let bits = self.get(reg::AUDIO_GAIN);
        AudioGain { mute: bits & RECEIVE_MUTE != 0, steps: bits }
    }

    /// From the telephone.
    fn transmit_gain(&self) -> AudioGain {
        let bits = self.get(reg::AUDIO_GAIN);
        AudioGain { mute: bits & TRANSMIT_MUTE != 0, steps: bits >> 2 }
    }

    fn line_feed(&self) -> LineFeed {
        LineFeed::from_bits(self.get(reg::LINE_FEED))
    }

    /// Both the requested and the actual state.
    pub(super) fn set_line_feed(&mut self, bits: u8) {
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

    /// The frequency that the ringing oscillator is programmed for: its coefficient is the cosine
    /// of the step in phase from one millisecond to the next.
    fn ring_hz(&self) -> u16 {
        let coefficient = f32::from(self.coefficient(RING_COEFFICIENT).cast_signed()) / 32_768.0;
        (coefficient.acos() / std::f32::consts::TAU * 1000.0).round() as u16
    }

    /// One millisecond of the line. `from_host` is what came in the module's time slot, `None`
    /// while the serial bus stands still. Returns what the line is fed with and, with the interface
    /// on, the bytes for the host.
    pub fn tick(&mut self, load: Load, from_host: Option<Bytes>) -> (Feed, Option<Bytes>) {
        self.load = load;
        self.watch_power();
        self.watch_loop();

        let law = pcm::companding(self.get(reg::PCM_MODE));
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
            ringing: (self.line_feed() == LineFeed::Ringing && self.battery() != Battery::Off)
                .then(|| self.ring_hz()),
            audio: [0; FRAME],
        };
        if let (Some(law), Some(bytes)) = (law, &from_host)
            && (passes || on_hook_transmission)
            && !loopback
        {
            feed.audio = self.receive_gain().applied(pcm::decode(law, bytes));
        }
        let to_host = law.map(|law| {
            if loopback {
                from_host.unwrap_or(pcm::IDLE_BUS)
            } else if passes {
                pcm::encode(law, &self.transmit_gain().applied(load.audio))
            } else {
                pcm::encode(law, &[0; FRAME])
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

    /// The registers that measure the line; `None` for any other.
    pub(super) fn sensed(&self, register: u8) -> Option<u8> {
        let (tip, ring, battery) = self.voltages();
        // Measurements have their sign in bit 6, set in reverse.
        let signed = |steps: u32| steps.min(0x3F) as u8 | if tip > ring { 0x40 } else { 0 };
        match register {
            reg::LOOP_STATUS => Some(self.loop_status()),
            // 1.5 V a step.
            reg::LOOP_VOLTAGE => Some(signed(tip.abs_diff(ring) / 1500)),
            // 1.25 mA a step.
            reg::LOOP_CURRENT => Some(signed(self.loop_milliamperes() * 4 / 5)),
            reg::TIP_SENSE => Some(sense(tip)),
            reg::RING_SENSE => Some(sense(ring)),
            reg::VBAT1_SENSE | reg::VBAT2_SENSE => Some(sense(battery)),
            _ => None,
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
}
