//! The FXO module: an Si3050 with an Si3019 or Si3018 line side (VoiceDAA), which ends an
//! exchange's line.
//!
//! Registers as a driver sees them, and the line behind: hook relay, ring detector, line voltage
//! and loop current, PCM.
//!
//! Rule: everything about the line comes over the isolation link. While register 6 keeps the line
//! side powered down, or the link does not come up, the relay is open and every line value reads 0.
//! The link is up as soon as register 6 bit 4 is cleared. Gains, filters and impedances only store.
//!
//! Only an Si3019 has register 30 and the bits FULL, FILT and LVFD of register 31. With LVFD, the
//! line voltage is not 0 on a line without battery: a few volts that come from nowhere wander.
//!
//! What the chip sends comes back from a line whose impedance differs from the chip's
//! ([`Si3050::line_impedance`]), and the hybrid takes away from what is received what registers 45
//! to 52 make of what is sent: eight coefficients in steps of 1/128, one for each sample.

use crate::chips::bank::Bank;
use crate::chips::pcm::{self, Bytes, Lanes};
use crate::chips::spi::RegisterFile;
use crate::chips::wire::{Battery, FRAME, Feed, Load};

mod reg {
    pub(super) const CONTROL_1: u8 = 1;
    pub(super) const INTERRUPT_SOURCE: u8 = 4;
    pub(super) const DAA_CONTROL_1: u8 = 5;
    pub(super) const DAA_CONTROL_2: u8 = 6;
    pub(super) const CHIP_ID: u8 = 11;
    pub(super) const LINE_SIDE_STATUS: u8 = 12;
    pub(super) const LINE_SIDE_REVISION: u8 = 13;
    pub(super) const MUTE: u8 = 15;
    pub(super) const INTERNATIONAL_1: u8 = 16;
    pub(super) const INTERNATIONAL_4: u8 = 19;
    pub(super) const LOOP_CURRENT: u8 = 28;
    pub(super) const LINE_VOLTAGE: u8 = 29;
    pub(super) const AC_TERMINATION: u8 = 30;
    pub(super) const DAA_CONTROL_3: u8 = 31;
    pub(super) const PCM_MODE: u8 = 33;
    pub(super) const TX_COUNT: u8 = 34;
    pub(super) const RX_COUNT: u8 = 36;
    pub(super) const HYBRID: u8 = 45;
    pub(super) const COUNT: usize = 64;
}

/// Values after reset that are not 0.
const RESET: [(u8, u8); 6] =
    [(2, 0x03), (reg::DAA_CONTROL_2, 0x10), (22, 0x96), (23, 0x2D), (24, 0x19), (31, 0x20)];

const SOFT_RESET: u8 = 0x80;
const OFF_HOOK: u8 = 0x01;
const ON_HOOK_MONITOR: u8 = 0x08;
const RING_DETECT: u8 = 0x04;
const RING_POSITIVE: u8 = 0x20;
const RING_NEGATIVE: u8 = 0x40;
const RING_BITS: u8 = RING_DETECT | RING_POSITIVE | RING_NEGATIVE;
const LINE_SIDE_POWER_DOWN: u8 = 0x10;
const FRAME_LOCK: u8 = 0x40;
const DROP_OUT: u8 = 0x02;
const MUTE_TRANSMIT: u8 = 0x80;
const MUTE_RECEIVE: u8 = 0x08;
const SOURCE_RING: u8 = 0x80;
const SOURCE_DROP_OUT: u8 = 0x08;
const SOURCE_POLARITY: u8 = 0x01;
/// Register 11: the line side in the high nibble, system side revision C in the low one.
const SYSTEM_ID: u8 = 0x03;
const SI3018: u8 = 0x10;
const SI3019: u8 = 0x30;
/// The impedance of an Si3018, in register 16.
const ACT: u8 = 0x20;
const ACT_2: u8 = 0x80;
/// The bits of register 31 that an Si3018 has, FOH and OHS2.
const SI3018_CONTROL_3: u8 = 0x68;
const LINE_VOLTAGE_FORCE_DISABLE: u8 = 0x01;
/// What register 29 shows of a line without battery, one after the other, in volts.
const WANDERING: [i8; 7] = [0, 1, 2, -1, 0, -2, -1];
/// Bit 6 is fixed; line side revision E.
const REVISION: u8 = 0x40 | 0x05 << 2;

/// Volts across an idle line and across one in use, and the loop current in milliamperes.
const IDLE_VOLTS: i8 = 48;
/// Volts across a line on which a neon lamp is lit.
const LAMP_VOLTS: i8 = 95;
const OFF_HOOK_VOLTS: i8 = 8;
const LOOP_MILLIAMPERES: u8 = 24;
/// How long around the zero crossings of ringing the detector sees nothing.
const RING_DEAD_MS: u32 = 2;

/// The chip pair, Si3050 and line side, with its end of the line.
#[derive(Debug, Clone)]
pub struct Si3050 {
    registers: Bank<{ reg::COUNT }>,
    line_side: u8,
    feed: Feed,
    ringing_ms: u32,
    /// Milliseconds that have passed.
    ms: usize,
    /// The impedance of the line, as one of register 30; `None` is a line that returns nothing.
    pub line_impedance: Option<u8>,
    /// What was sent in the millisecond before.
    sent: [i16; FRAME],
    /// Fault: the isolation link does not come up.
    pub no_link: bool,
    /// Fault: a lamp's voltage lies on the line.
    pub neon: bool,
}

impl Default for Si3050 {
    /// A chip pair with an Si3019 after power-on: on-hook, the line side powered down.
    fn default() -> Si3050 {
        Si3050 {
            registers: Bank::new(&RESET),
            line_side: SI3019,
            feed: Feed::default(),
            ringing_ms: 0,
            ms: 0,
            line_impedance: None,
            sent: [0; FRAME],
            no_link: false,
            neon: false,
        }
    }
}

impl Si3050 {
    /// A chip pair with an Si3018.
    pub fn with_si3018() -> Si3050 {
        Si3050 { line_side: SI3018, ..Si3050::default() }
    }

    /// The reset pin, or a software reset: every register at its reset value, the relay open.
    pub fn reset(&mut self) {
        self.registers = Bank::new(&RESET);
    }

    fn get(&self, register: u8) -> u8 {
        self.registers.get(register)
    }

    fn set(&mut self, register: u8, value: u8) {
        self.registers.set(register, value);
    }

    fn link_up(&self) -> bool {
        !self.no_link && self.get(reg::DAA_CONTROL_2) & LINE_SIDE_POWER_DOWN == 0
    }

    fn off_hook(&self) -> bool {
        self.link_up() && self.get(reg::DAA_CONTROL_1) & OFF_HOOK != 0
    }

    fn loop_milliamperes(&self) -> u8 {
        let flows = self.off_hook() && self.feed.battery != Battery::Off;
        if flows { LOOP_MILLIAMPERES } else { 0 }
    }

    /// Register 29: 1 V a step, two's complement, negative in reverse.
    fn line_voltage(&self) -> i8 {
        let volts = match self.off_hook() {
            true => OFF_HOOK_VOLTS,
            false if self.neon => LAMP_VOLTS,
            false => IDLE_VOLTS,
        };
        match self.feed.battery {
            _ if !self.link_up() => 0,
            // One value for two milliseconds, so that successive samples see some of them twice.
            Battery::Off if self.get(reg::DAA_CONTROL_3) & LINE_VOLTAGE_FORCE_DISABLE != 0 => {
                WANDERING.get(self.ms / 2 % WANDERING.len()).copied().unwrap_or(0)
            }
            Battery::Off => 0,
            Battery::Forward => volts,
            Battery::Reversed => -volts,
        }
    }

    /// The raw ring signals, which follow the half cycles of the ringing voltage.
    fn ring_bits(&self) -> u8 {
        if self.neon && self.feed.ringing.is_none() && self.link_up() && !self.off_hook() {
            return RING_DETECT | RING_POSITIVE;
        }
        let Some(hz) = self.feed.ringing.filter(|_| self.link_up() && !self.off_hook()) else {
            return 0;
        };
        let half = 500 / u32::from(hz.max(1));
        let phase = self.ringing_ms % (2 * half).max(1);
        let sign = if phase < half { RING_POSITIVE } else { RING_NEGATIVE };
        let in_half = phase % half.max(1);
        let dead = in_half < RING_DEAD_MS || in_half + RING_DEAD_MS >= half;
        RING_DETECT | if dead { 0 } else { sign }
    }

    /// Where the module's byte is in the DMA word, as programmed.
    pub(crate) fn lanes(&self) -> Lanes {
        let lane = |count: u8| pcm::lane(self.get(count), self.get(count + 1));
        Lanes { transmit: lane(reg::TX_COUNT), receive: lane(reg::RX_COUNT) }
    }

    /// One millisecond of the line. `from_host` is what came in the module's time slot, `None`
    /// while the serial bus stands still. Returns what the line is loaded with and, with the
    /// interface on, the bytes for the host.
    pub fn tick(&mut self, feed: Feed, from_host: Option<Bytes>) -> (Load, Option<Bytes>) {
        let was = std::mem::replace(&mut self.feed, feed);
        self.note_changes(was);
        self.ms = self.ms.wrapping_add(1);
        self.ringing_ms = feed.ringing.map_or(0, |_| self.ringing_ms.wrapping_add(1));

        let law = pcm::companding(self.get(reg::PCM_MODE));
        let mute = self.get(reg::MUTE);
        let off_hook = self.off_hook();
        let mut load = Load { off_hook, audio: [0; FRAME] };
        if let (Some(law), Some(bytes)) = (law, &from_host)
            && off_hook
            && mute & MUTE_TRANSMIT == 0
        {
            load.audio = pcm::decode(law, bytes);
        }
        // On-hook, the monitor path still hears the line (caller id between rings).
        let monitors = self.link_up() && self.get(reg::DAA_CONTROL_1) & ON_HOOK_MONITOR != 0;
        let hears = (off_hook || monitors) && mute & MUTE_RECEIVE == 0;
        let returned = self.returned(&load.audio);
        let audio = if hears {
            std::array::from_fn(|sample| feed.audio[sample].saturating_add(returned[sample]))
        } else {
            [0; FRAME]
        };
        (load, law.map(|law| pcm::encode(law, &audio)))
    }

    /// What is received of what is sent.
    fn returned(&mut self, sent: &[i16; FRAME]) -> [i16; FRAME] {
        let before = std::mem::replace(&mut self.sent, *sent);
        let path = self.echo_path();
        std::array::from_fn(|sample| {
            let all = before.iter().chain(sent).rev().skip(FRAME - 1 - sample);
            let echo: f32 = all.zip(path).map(|(sent, factor)| f32::from(*sent) * factor).sum();
            // A cast of floats saturates.
            echo.round() as i16
        })
    }

    /// The impulse response from what is sent to what is received.
    fn echo_path(&self) -> [f32; FRAME] {
        let line = self.line_impedance.map_or([0.0; FRAME], |line| {
            let mismatch = f32::from(line.abs_diff(self.impedance()).min(8));
            let first = 0.08 + 0.05 * mismatch;
            [0.0, 0.02, first, 0.05, -0.02, 0.01, 0.0, 0.0]
        });
        let mut taps = reg::HYBRID..;
        line.map(|factor| {
            let coefficient = taps.next().map_or(0, |register| self.get(register).cast_signed());
            factor - f32::from(coefficient) / 128.0
        })
    }

    /// The impedance that is set, as one of register 30: an Si3018 has three of them.
    fn impedance(&self) -> u8 {
        match self.get(reg::INTERNATIONAL_1) & (ACT | ACT_2) {
            _ if self.line_side != SI3018 => self.get(reg::AC_TERMINATION) & 0x0F,
            0 => 0,
            ACT => 3,
            _ => 4,
        }
    }

    fn note_changes(&mut self, was: Feed) {
        if !self.link_up() {
            return;
        }
        let mut source = self.get(reg::INTERRUPT_SOURCE);
        if self.feed.ringing.is_some() && was.ringing.is_none() {
            source |= SOURCE_RING;
        }
        match (was.battery, self.feed.battery) {
            (Battery::Forward, Battery::Reversed) | (Battery::Reversed, Battery::Forward) => {
                source |= SOURCE_POLARITY;
            }
            (Battery::Forward | Battery::Reversed, Battery::Off) if self.off_hook() => {
                source |= SOURCE_DROP_OUT;
            }
            _ => {}
        }
        self.set(reg::INTERRUPT_SOURCE, source);
    }
}

impl RegisterFile for Si3050 {
    fn read(&mut self, register: u8) -> u8 {
        match register {
            reg::DAA_CONTROL_1 => self.get(register) | self.ring_bits(),
            reg::CHIP_ID if self.link_up() => self.line_side | SYSTEM_ID,
            reg::CHIP_ID => SYSTEM_ID,
            // 3.3 mA a step.
            reg::LINE_SIDE_STATUS if self.link_up() => {
                FRAME_LOCK | (u16::from(self.loop_milliamperes()) * 10 / 33) as u8
            }
            reg::LINE_SIDE_STATUS => 0,
            reg::LINE_SIDE_REVISION if self.link_up() => REVISION,
            reg::LINE_SIDE_REVISION => 0x40,
            reg::INTERNATIONAL_4 => {
                let dropped = self.off_hook() && self.feed.battery == Battery::Off;
                self.get(register) & !DROP_OUT | if dropped { DROP_OUT } else { 0 }
            }
            // 1.1 mA a step.
            reg::LOOP_CURRENT => (u16::from(self.loop_milliamperes()) * 10 / 11) as u8,
            reg::LINE_VOLTAGE => self.line_voltage() as u8,
            _ => self.get(register),
        }
    }

    fn write(&mut self, register: u8, value: u8) {
        match register {
            reg::CONTROL_1 if value & SOFT_RESET != 0 => self.reset(),
            reg::INTERRUPT_SOURCE => self.set(register, self.get(register) & value),
            reg::DAA_CONTROL_1 => self.set(register, value & !RING_BITS),
            reg::CHIP_ID
            | reg::LINE_SIDE_STATUS
            | reg::LINE_SIDE_REVISION
            | reg::LOOP_CURRENT
            | reg::LINE_VOLTAGE => {}
            reg::AC_TERMINATION if self.line_side == SI3018 => {}
            reg::DAA_CONTROL_3 if self.line_side == SI3018 => {
                self.set(register, value & SI3018_CONTROL_3);
            }
            _ => self.set(register, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Feed = Feed { battery: Battery::Forward, ringing: None, audio: [0; FRAME] };

    fn powered() -> Si3050 {
        let mut chip = Si3050::default();
        chip.write(reg::DAA_CONTROL_2, 0);
        chip.tick(IDLE, None);
        chip
    }

    #[test]
    fn a_software_reset_restores_the_reset_values_at_once() {
        let mut chip = powered();
        let fresh = Si3050::default().registers;
        for register in (0..=u8::MAX).filter(|register| *register != reg::CONTROL_1) {
            chip.write(register, 0x55);
        }
        chip.write(reg::CONTROL_1, SOFT_RESET);
        assert_eq!(chip.registers, fresh);
        assert_eq!(chip.read(2), 0x03);
    }

    #[test]
    fn without_the_link_the_line_is_not_there() {
        let mut chip = Si3050::default();
        chip.write(reg::DAA_CONTROL_1, 0x09);
        let feed = Feed { ringing: Some(20), ..IDLE };
        let load = (0..60).map(|_| chip.tick(feed, None).0).next_back();
        assert_eq!(load, Some(Load::default()));
        assert_eq!([11, 12, 13, 28, 29].map(|register| chip.read(register)), [3, 0, 0x40, 0, 0]);
        assert_eq!(chip.read(5), 0x09, "no ring signals");
        chip.write(reg::DAA_CONTROL_2, 0);
        assert_eq!(chip.read(reg::CHIP_ID) >> 4, 3, "Si3019");
        assert!(chip.tick(IDLE, None).0.off_hook);
        chip.no_link = true;
        assert!(!chip.tick(IDLE, None).0.off_hook);
        assert_eq!(chip.read(reg::CHIP_ID) >> 4, 0);
    }

    #[test]
    fn line_voltage_is_signed_and_current_flows_off_hook() {
        let mut chip = powered();
        let reversed = Feed { battery: Battery::Reversed, ..IDLE };
        assert_eq!((chip.read(29), chip.read(28)), (0x30, 0));
        chip.tick(reversed, None);
        assert_eq!(chip.read(29), 0xD0);
        chip.write(reg::DAA_CONTROL_1, 0x09);
        chip.tick(reversed, None);
        assert_eq!((chip.read(29) as i8, chip.read(28), chip.read(12)), (-8, 21, 0x47));
        chip.tick(Feed::default(), None);
        assert_eq!((chip.read(29), chip.read(28), chip.read(12)), (0, 0, 0x40));
    }

    #[test]
    fn an_si3018_has_neither_impedances_nor_full_scale() {
        for (mut chip, id, held) in
            [(Si3050::default(), 3, [0x0F, 0xEB]), (Si3050::with_si3018(), 1, [0, 0x68])]
        {
            chip.write(reg::DAA_CONTROL_2, 0);
            chip.write(reg::AC_TERMINATION, 0x0F);
            chip.write(reg::DAA_CONTROL_3, 0xEB);
            assert_eq!(chip.read(reg::CHIP_ID) >> 4, id);
            assert_eq!([30, 31].map(|register| chip.read(register)), held);
        }
    }

    #[test]
    fn without_battery_the_voltage_wanders_unless_it_is_forced_to_zero() {
        let mut chip = powered();
        let mut seen = |force_disable: u8| {
            chip.write(reg::DAA_CONTROL_3, force_disable);
            let seen = (0..14).map(|_| {
                chip.tick(Feed::default(), None);
                chip.read(29).cast_signed()
            });
            seen.collect::<std::collections::BTreeSet<i8>>()
        };
        assert_eq!(seen(0x20), [0].into());
        assert_eq!(seen(0x21), [-2, -1, 0, 1, 2].into());
    }

    #[test]
    fn interrupt_sources_latch_until_written_with_zeros() {
        let mut chip = powered();
        chip.write(reg::INTERRUPT_SOURCE, 0);
        chip.tick(Feed { ringing: Some(20), ..IDLE }, None);
        chip.tick(IDLE, None);
        assert_eq!(chip.read(4), SOURCE_RING);
        chip.tick(Feed { battery: Battery::Reversed, ..IDLE }, None);
        assert_eq!(chip.read(4), SOURCE_RING | SOURCE_POLARITY);
        chip.write(4, !SOURCE_RING);
        assert_eq!(chip.read(4), SOURCE_POLARITY);
        chip.write(5, 0x09);
        chip.tick(Feed::default(), None);
        assert_eq!(chip.read(4), SOURCE_POLARITY | SOURCE_DROP_OUT);
    }

    /// The power of what comes back of a sound, compared with it.
    fn echo(chip: &mut Si3050) -> f64 {
        let law = pcm::companding(0x28).unwrap();
        let power = |frame: &[i16; FRAME]| frame.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
        let (mut sent, mut heard) = (0.0, 0.0);
        for ms in 0..20_i16 {
            // Noise: the products are taken modulo 2^16.
            let sound: [i16; FRAME] = std::array::from_fn(|n| {
                let place = ms * FRAME as i16 + n as i16;
                place.wrapping_mul(7919).wrapping_mul(place).wrapping_add(ms.wrapping_mul(4099)) / 4
            });
            let (load, bytes) = chip.tick(IDLE, Some(pcm::encode(law, &sound)));
            sent += power(&load.audio);
            heard += power(&pcm::decode(law, &bytes.unwrap()));
        }
        10.0 * (heard.max(1.0) / sent).log10()
    }

    #[test]
    fn a_line_of_another_impedance_returns_what_is_sent_and_the_hybrid_takes_it_away() {
        for mut chip in [Si3050::default(), Si3050::with_si3018()] {
            chip.write(reg::DAA_CONTROL_2, 0);
            chip.write(reg::PCM_MODE, 0x28);
            chip.write(reg::DAA_CONTROL_1, 0x09);
            assert!(echo(&mut chip) < -50.0, "a line that returns nothing");
            chip.line_impedance = Some(3);
            let other = echo(&mut chip);
            chip.write(reg::AC_TERMINATION, 3);
            chip.write(reg::INTERNATIONAL_1, ACT);
            let own = echo(&mut chip);
            for (register, coefficient) in (reg::HYBRID..).zip([0, 3, 10, 6, -3_i8, 1, 0, 0]) {
                chip.write(register, coefficient.cast_unsigned());
            }
            let removed = echo(&mut chip);
            assert!(other > own + 3.0 && own > removed + 10.0, "{other} {own} {removed}");
        }
    }

    #[test]
    fn line_values_are_read_only() {
        let mut chip = powered();
        for register in [11, 12, 13, 28, 29] {
            let before = chip.read(register);
            chip.write(register, !before);
            assert_eq!(chip.read(register), before, "register {register}");
        }
        chip.write(5, 0xFF);
        assert_eq!(chip.read(5), 0x9B, "the ring signals are the line's");
    }

    #[test]
    fn a_law_is_taken_where_it_is_programmed() {
        let mut chip = powered();
        chip.write(reg::PCM_MODE, 0x20);
        chip.write(reg::DAA_CONTROL_1, 0x09);
        let (load, bytes) = chip.tick(IDLE, Some([0xD5; FRAME]));
        assert_eq!(bytes, Some([0xD5; FRAME]));
        assert!(load.audio.iter().all(|sample| sample.abs() <= 8));
        chip.write(reg::PCM_MODE, 0x00);
        assert_eq!(chip.tick(IDLE, None).1, None, "the bus is left alone");
    }
}
