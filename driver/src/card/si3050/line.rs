//! An FXO line in service: its own hook, and what its status registers mean.
//!
//! Ringing is looked for only while the line is on-hook and has battery; otherwise what the
//! detector sees is our own hook switch, or nothing.

use super::registers::{
    CONTROL_BITS, DAA_CONTROL, FRAME_DETECT, LINE_VOLTAGE, LINK_STATUS, LOOP_CURRENT, OFF_HOOK,
    ON_HOOK, RING_BITS,
};
use crate::card::debounce::{BatteryDetector, PolarityDetector, RingDetector};
use crate::card::module::Reaction;
use crate::card::port::{Hook, Polarity, PortEvent};

/// An FXO line in service: what it is told to be, and what its registers said last.
#[derive(Debug, Clone)]
pub(crate) struct FxoLine {
    /// Our hook, as commanded.
    pub(crate) hook: Hook,
    ring: RingDetector,
    battery: BatteryDetector,
    polarity: PolarityDetector,
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
            voltage: None,
            current: None,
        }
    }

    /// Whether ringing voltage is on the line.
    pub(crate) const fn ringing(&self) -> bool {
        self.ring.ringing()
    }

    /// Whether the exchange feeds the line.
    pub(crate) const fn battery(&self) -> Option<bool> {
        self.battery.battery()
    }

    /// Which way round the exchange feeds the line.
    pub(crate) const fn polarity(&self) -> Option<Polarity> {
        self.polarity.polarity()
    }

    /// Line voltage in volts.
    pub(crate) fn voltage(&self) -> Option<i16> {
        self.voltage.map(i16::from)
    }

    /// Loop current in mA.
    pub(crate) fn current(&self) -> Option<u16> {
        // 1.1 mA per bit.
        self.current.map(|current| u16::from(current) * 11 / 10)
    }

    /// Register 5 as commanded.
    pub(crate) const fn control(&self) -> (u8, u8) {
        let value = match self.hook {
            Hook::On => ON_HOOK,
            Hook::Off => OFF_HOOK,
        };
        (DAA_CONTROL, value)
    }

    /// One sample of one of the status registers.
    pub(crate) fn sample(
        &mut self,
        register: u8,
        value: u8,
        event: &mut dyn FnMut(PortEvent),
    ) -> Reaction {
        match register {
            DAA_CONTROL => return self.daa_control(value, event),
            LINE_VOLTAGE => self.line_voltage(value.cast_signed(), event),
            LINK_STATUS if value & FRAME_DETECT == 0 => return Reaction::Suspect,
            LOOP_CURRENT => self.current = Some(value),
            _ => {}
        }
        Reaction::None
    }

    fn daa_control(&mut self, value: u8, event: &mut dyn FnMut(PortEvent)) -> Reaction {
        let (_, commanded) = self.control();
        if value & CONTROL_BITS != commanded {
            // A monitor bit that is off or a reserved bit that is on is no value of ours: reset or
            // no answer. Anything else is a bit that flipped.
            let ours = value & (CONTROL_BITS & !0x91) == ON_HOOK;
            return if ours { Reaction::Write } else { Reaction::Suspect };
        }
        let changed = if self.hook == Hook::On && self.battery() == Some(true) {
            self.ring.sample(value & RING_BITS != 0)
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(line: &mut FxoLine, register: u8, value: u8, count: usize) -> Vec<PortEvent> {
        let mut events = Vec::new();
        for _ in 0..count {
            assert_eq!(
                line.sample(register, value, &mut |event| events.push(event)),
                Reaction::None
            );
        }
        events
    }

    fn reaction(line: &mut FxoLine, register: u8, value: u8) -> Reaction {
        line.sample(register, value, &mut |event| panic!("{event:?}"))
    }

    #[test]
    fn ringing_counts_only_on_hook_with_battery() {
        let mut line = FxoLine::new();
        assert_eq!(samples(&mut line, 5, 0x28, 20), [], "no battery yet");
        assert_eq!(samples(&mut line, 29, 48, 8), [PortEvent::Battery(true)]);
        assert_eq!(samples(&mut line, 5, 0x48, 8), [PortEvent::Ring(true)]);
        assert!(line.ringing());
        line.hook = Hook::Off;
        assert_eq!(samples(&mut line, 5, 0x29, 20), [PortEvent::Ring(false)]);
        line.hook = Hook::On;
        assert_eq!(samples(&mut line, 5, 0x28, 8), [PortEvent::Ring(true)]);
        assert_eq!(samples(&mut line, 29, 0, 8), [PortEvent::Battery(false)]);
        assert_eq!(samples(&mut line, 5, 0x28, 1), [PortEvent::Ring(false)]);
    }

    #[test]
    fn voltage_current_and_polarity() {
        let mut line = FxoLine::new();
        assert_eq!((line.voltage(), line.current(), line.polarity()), (None, None, None));
        samples(&mut line, 29, 0x30, 8);
        assert_eq!(samples(&mut line, 29, 0xD0, 8), [PortEvent::Polarity(Polarity::Reverse)]);
        samples(&mut line, 28, 20, 1);
        assert_eq!(
            (line.voltage(), line.current(), line.polarity()),
            (Some(-48), Some(22), Some(Polarity::Reverse))
        );
    }

    #[test]
    fn the_hook_bit_is_checked() {
        let mut line = FxoLine::new();
        assert_eq!(reaction(&mut line, 5, 0x08), Reaction::None);
        assert_eq!(
            reaction(&mut line, 5, 0x09),
            Reaction::Write,
            "off-hook although commanded on-hook"
        );
        line.hook = Hook::Off;
        assert_eq!(reaction(&mut line, 5, 0x09), Reaction::None);
        assert_eq!(reaction(&mut line, 5, 0x08), Reaction::Write);
        for value in [0x00, 0xFF, 0x01, 0x0B] {
            assert_eq!(reaction(&mut line, 5, value), Reaction::Suspect, "{value:#04x}");
        }
        assert_eq!(reaction(&mut line, 12, 0x00), Reaction::Suspect);
        assert_eq!(reaction(&mut line, 12, 0x40), Reaction::None);
    }
}
