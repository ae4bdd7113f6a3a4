//! An FXO line in service: its own hook, and what its status registers mean.
//!
//! Ringing is detected only while the line is on-hook and has battery; otherwise the detector
//! reports transients of the module's own hook switch, or nothing. The voltage of a neon lamp is
//! looked for on-hook between two rings.

use super::registers::{
    DAA_CONTROL, DaaControl, LINE_VOLTAGE, LINK_STATUS, LOOP_CURRENT, LinkStatus, PCM_MODE, PcmMode,
};
use crate::card::debounce::{BatteryDetector, LampDetector, PolarityDetector, RingDetector};
use crate::card::module::{Reaction, Sending};
use crate::card::port::{Hook, Polarity, PortEvent};
use crate::card::register::Address;
use crate::card::sequence::Operation;

/// An FXO line in service: its commanded state, and the last values of its registers.
#[derive(Debug, Clone)]
pub(crate) struct FxoLine {
    /// Our hook, as commanded.
    pub(crate) hook: Hook,
    ring: RingDetector,
    battery: BatteryDetector,
    polarity: PolarityDetector,
    lamp: LampDetector,
    voltage: Option<i8>,
    current: Option<u8>,
}

impl FxoLine {
    /// A line as bring-up leaves it.
    pub(crate) fn new() -> FxoLine {
        FxoLine {
            hook: Hook::On,
            ring: RingDetector::default(),
            battery: BatteryDetector::default(),
            polarity: PolarityDetector::default(),
            lamp: LampDetector::default(),
            voltage: None,
            current: None,
        }
    }

    /// The card was reset: the line is as bring-up leaves it. Of a lamp that was lit it is told
    /// when it goes out, as on any other line.
    pub(crate) fn card_was_reset(&mut self) {
        let lamp = std::mem::take(&mut self.lamp);
        *self = FxoLine { lamp, ..FxoLine::new() };
    }

    /// Whether ringing voltage is on the line.
    pub(crate) const fn ringing(&self) -> bool {
        self.ring.ringing()
    }

    /// Whether the exchange feeds the line.
    pub(crate) const fn battery(&self) -> Option<bool> {
        self.battery.battery()
    }

    /// The polarity with which the exchange feeds the line.
    pub(crate) const fn polarity(&self) -> Option<Polarity> {
        self.polarity.polarity()
    }

    /// Line voltage in volts; 0 below what the chip measures.
    pub(crate) fn voltage(&self) -> Option<i16> {
        self.voltage.map(|volts| if volts.unsigned_abs() < 3 { 0 } else { i16::from(volts) })
    }

    /// Loop current in mA.
    pub(crate) fn current(&self) -> Option<u16> {
        // 1.1 mA per bit.
        self.current.map(|current| u16::from(current) * 11 / 10)
    }

    /// The write of the control register as commanded.
    pub(crate) fn control(&self) -> Operation {
        Operation::write(DAA_CONTROL, self.commanded())
    }

    /// The control register as commanded. Samples are received while on-hook, too.
    const fn commanded(&self) -> DaaControl {
        match self.hook {
            Hook::On => DaaControl::ON_HOOK_MONITOR,
            Hook::Off => DaaControl::ON_HOOK_MONITOR.union(DaaControl::OFF_HOOK),
        }
    }

    /// The write that has the chip send samples in this way.
    pub(crate) fn sending(sending: Sending) -> Operation {
        let mode = match sending {
            Sending::Samples(companding) => PcmMode::service(companding),
            Sending::Nothing => PcmMode::empty(),
        };
        Operation::write(PCM_MODE, mode)
    }

    /// The status registers that are sampled, in turn: two often, two seldom.
    pub(crate) const SAMPLED: [Option<Address>; 4] = [
        Some(DAA_CONTROL.address()),
        Some(LINE_VOLTAGE.address()),
        Some(LINK_STATUS.address()),
        Some(LOOP_CURRENT.address()),
    ];

    /// One sample of one of the status registers.
    pub(crate) fn sample(
        &mut self,
        register: Address,
        value: u8,
        event: &mut dyn FnMut(PortEvent),
    ) -> Reaction {
        if let Some(control) = register.holds(DAA_CONTROL, value) {
            return self.daa_control(control, event);
        }
        if let Some(volts) = register.holds(LINE_VOLTAGE, value) {
            self.line_voltage(volts.cast_signed(), event);
        }
        if let Some(link) = register.holds(LINK_STATUS, value)
            && !link.contains(LinkStatus::FRAME_DETECT)
        {
            return Reaction::Suspect;
        }
        if let Some(current) = register.holds(LOOP_CURRENT, value) {
            self.current = Some(current);
        }
        Reaction::None
    }

    fn daa_control(&mut self, control: DaaControl, event: &mut dyn FnMut(PortEvent)) -> Reaction {
        if control & DaaControl::WRITTEN != self.commanded() {
            // Without the mark the chip was reset or does not answer. With the mark only a bit has
            // flipped.
            let ours = control & DaaControl::MARK == DaaControl::ON_HOOK_MONITOR;
            return if ours { Reaction::Write } else { Reaction::Suspect };
        }
        let changed = if self.hook == Hook::On && self.battery() == Some(true) {
            let positive = control.contains(DaaControl::RING_POSITIVE);
            self.ring.sample(control.intersects(DaaControl::RINGING).then_some(positive))
        } else {
            self.ring.clear()
        };
        if let Some(ringing) = changed {
            event(PortEvent::Ring(ringing));
        }
        Reaction::None
    }

    fn line_voltage(&mut self, volts: i8, event: &mut dyn FnMut(PortEvent)) {
        self.voltage = Some(volts);
        if let Some(battery) = self.battery.sample(volts) {
            event(PortEvent::Battery(battery));
        }
        if let Some(polarity) = self.polarity.sample(volts) {
            event(PortEvent::Polarity(polarity));
        }
        if self.hook == Hook::On
            && !self.ringing()
            && let Some(lit) = self.lamp.sample(volts)
        {
            event(PortEvent::Lamp(lit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::registers::Si3050;
    use super::*;
    use crate::card::register::Register;

    fn samples<V>(
        line: &mut FxoLine,
        register: Register<Si3050, V>,
        value: u8,
        count: usize,
    ) -> Vec<PortEvent> {
        let mut events = Vec::new();
        for _ in 0..count {
            assert_eq!(
                line.sample(register.address(), value, &mut |event| events.push(event)),
                Reaction::None
            );
        }
        events
    }

    /// Samples of the ring detector in a line that rings, half a wave each.
    fn ring(line: &mut FxoLine, control: u8, count: usize) -> Vec<PortEvent> {
        let signs = [DaaControl::RING_POSITIVE, DaaControl::RING_NEGATIVE].map(|sign| sign.bits());
        let values = signs.into_iter().cycle().map(|sign| control | sign);
        values.take(count).flat_map(|value| samples(line, DAA_CONTROL, value, 1)).collect()
    }

    fn reaction<V>(line: &mut FxoLine, register: Register<Si3050, V>, value: u8) -> Reaction {
        line.sample(register.address(), value, &mut |event| panic!("{event:?}"))
    }

    #[test]
    fn ringing_counts_only_on_hook_with_battery() {
        let mut line = FxoLine::new();
        assert_eq!(ring(&mut line, 0x08, 20), [], "no battery yet");
        assert_eq!(samples(&mut line, LINE_VOLTAGE, 48, 8), [PortEvent::Battery(true)]);
        assert_eq!(ring(&mut line, 0x08, 8), [PortEvent::Ring(true)]);
        assert!(line.ringing());
        line.hook = Hook::Off;
        assert_eq!(ring(&mut line, 0x09, 20), [PortEvent::Ring(false)]);
        line.hook = Hook::On;
        assert_eq!(ring(&mut line, 0x08, 8), [PortEvent::Ring(true)]);
        assert_eq!(samples(&mut line, LINE_VOLTAGE, 0, 8), [PortEvent::Battery(false)]);
        assert_eq!(samples(&mut line, DAA_CONTROL, 0x28, 1), [PortEvent::Ring(false)]);
    }

    #[test]
    fn voltage_current_and_polarity() {
        let mut line = FxoLine::new();
        assert_eq!((line.voltage(), line.current(), line.polarity()), (None, None, None));
        samples(&mut line, LINE_VOLTAGE, 0x30, 8);
        assert_eq!(
            samples(&mut line, LINE_VOLTAGE, 0xD0, 8),
            [PortEvent::Polarity(Polarity::Reverse)]
        );
        samples(&mut line, LINE_VOLTAGE, 0xFE, 1);
        assert_eq!(line.voltage(), Some(0), "below 3 V it wanders");
        samples(&mut line, LINE_VOLTAGE, 0xD0, 1);
        samples(&mut line, LOOP_CURRENT, 20, 1);
        assert_eq!(
            (line.voltage(), line.current(), line.polarity()),
            (Some(-48), Some(22), Some(Polarity::Reverse))
        );
    }

    #[test]
    fn a_lamp_is_lit_on_hook_only() {
        let mut line = FxoLine::new();
        samples(&mut line, LINE_VOLTAGE, 0x30, 8);
        line.hook = Hook::Off;
        assert_eq!(samples(&mut line, LINE_VOLTAGE, 95, 100), []);
        line.hook = Hook::On;
        assert_eq!(samples(&mut line, LINE_VOLTAGE, 95, 100), [PortEvent::Lamp(true)]);
        line.card_was_reset();
        let dark = samples(&mut line, LINE_VOLTAGE, 48, 5000);
        assert_eq!(dark, [PortEvent::Battery(true), PortEvent::Lamp(false)]);
    }

    #[test]
    fn the_hook_bit_is_checked() {
        let mut line = FxoLine::new();
        assert_eq!(reaction(&mut line, DAA_CONTROL, 0x08), Reaction::None);
        assert_eq!(
            reaction(&mut line, DAA_CONTROL, 0x09),
            Reaction::Write,
            "off-hook although commanded on-hook"
        );
        line.hook = Hook::Off;
        assert_eq!(reaction(&mut line, DAA_CONTROL, 0x09), Reaction::None);
        assert_eq!(reaction(&mut line, DAA_CONTROL, 0x08), Reaction::Write);
        for value in [0x00, 0xFF, 0x01, 0x0B] {
            assert_eq!(reaction(&mut line, DAA_CONTROL, value), Reaction::Suspect, "{value:#04x}");
        }
        assert_eq!(reaction(&mut line, LINK_STATUS, 0x00), Reaction::Suspect);
        assert_eq!(reaction(&mut line, LINK_STATUS, 0x40), Reaction::None);
    }
}
