//! What a telephone means by opening and closing its loop.
//!
//! A break of the loop is, by its length: a bounce of the hook switch, which means nothing; a pulse
//! of a rotary dial; a flash, which asks for something else than the end of the call; or the
//! hanging up. Pulses and flashes are as long as the country's telephones make them, and a break is
//! only known to be a hang-up when it has lasted for the country's time.
//!
//! The card reports the loop to 8 ms, so a break may seem that much shorter or longer than it is.

use std::time::Duration;

use ringback_country::Country;
use ringback_driver::Time;
use ringback_driver::card::Hook;

/// A break of less than this is a bounce. The shortest pulse of a dial with ten pulses a second is
/// 50 ms.
const BOUNCE: Duration = Duration::from_millis(36);
/// A break of more than this is no pulse, even of a slow dial.
const MOST_PULSE: Duration = Duration::from_millis(120);
/// A digit is complete when the loop was closed for this long. Within a digit it is closed for
/// 60 ms at most, between two digits for 240 ms at least.
const DIGIT_GAP: Duration = Duration::from_millis(160);

/// What a telephone's hook switch or dial has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookSignal {
    /// It was lifted.
    Lifted,
    /// A digit was dialled by pulses.
    Digit(char),
    /// It was on-hook for a moment.
    Flash,
    /// It was hung up.
    HungUp,
}

/// Interprets the loop of one telephone.
#[derive(Debug)]
pub(super) struct HookSwitch {
    hang_up: Duration,
    /// The longest break that begins a digit.
    first_pulse: Duration,
    off_hook: bool,
    /// Since when the loop has been open, if that is not known to be a hang-up yet.
    open_since: Option<Time>,
    /// The pulses of the digit that is being dialled, and when the last one ended.
    pulses: u32,
    pulsed: Time,
}

impl HookSwitch {
    /// The hook switch of a telephone that is on-hook.
    pub(super) fn new(country: Country) -> HookSwitch {
        let pulse = Duration::from_millis(u64::from(country.pulse().break_ms));
        HookSwitch {
            hang_up: country.hang_up(),
            first_pulse: ((pulse + country.flash()) / 2).min(MOST_PULSE),
            off_hook: false,
            open_since: None,
            pulses: 0,
            pulsed: Time::ZERO,
        }
    }

    /// Whether it is lifted; also while its loop is open for a flash or a pulse.
    pub(super) fn is_off_hook(&self) -> bool {
        self.off_hook
    }

    /// Whether a digit is being dialled by pulses.
    pub(super) fn pulses(&self) -> bool {
        self.pulses > 0 || self.off_hook && self.open_since.is_some()
    }

    /// The loop is closed or open after a time in which that meant nothing, because the line had no
    /// battery.
    pub(super) fn found(&mut self, hook: Hook) -> Option<HookSignal> {
        let off_hook = hook == Hook::Off;
        let before = self.off_hook;
        *self = HookSwitch { off_hook, open_since: None, pulses: 0, ..*self };
        match (before, off_hook) {
            (true, false) => Some(HookSignal::HungUp),
            (false, true) => Some(HookSignal::Lifted),
            _ => None,
        }
    }

    /// The loop was opened or closed.
    pub(super) fn changed(&mut self, hook: Hook, now: Time) -> Option<HookSignal> {
        if hook == Hook::On {
            self.open_since.get_or_insert(now);
            return None;
        }
        let opened = self.open_since.take();
        if !std::mem::replace(&mut self.off_hook, true) {
            self.pulses = 0;
            return Some(HookSignal::Lifted);
        }
        let length = now - opened?;
        // In the middle of a digit nobody flashes, so a dial may be slow.
        let most = if self.pulses > 0 { MOST_PULSE } else { self.first_pulse };
        if length < BOUNCE {
            None
        } else if length <= most {
            self.pulses += 1;
            self.pulsed = now;
            None
        } else {
            self.pulses = 0;
            Some(HookSignal::Flash)
        }
    }

    /// Time has passed: a digit may be complete, or the telephone hung up. To be called before
    /// [`changed`](HookSwitch::changed).
    pub(super) fn passes(&mut self, now: Time) -> Option<HookSignal> {
        if let Some(opened) = self.open_since {
            if now - opened < self.hang_up {
                return None;
            }
            *self = HookSwitch { off_hook: false, open_since: None, pulses: 0, ..*self };
            return Some(HookSignal::HungUp);
        }
        if self.pulses == 0 || now - self.pulsed < DIGIT_GAP {
            return None;
        }
        let digit = match std::mem::take(&mut self.pulses) {
            10 => Some('0'),
            count => char::from_digit(count, 10),
        };
        digit.map(HookSignal::Digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the loop's times in ms mean in a country: open and closed in turn, after the telephone
    /// was lifted at 0.
    fn meaning(country: &str, times: &[u64]) -> Vec<HookSignal> {
        let mut switch = HookSwitch::new(country.parse().unwrap());
        let mut signals = Vec::from_iter(switch.changed(Hook::Off, Time::ZERO));
        let (mut now, mut closed) = (Time::ZERO, true);
        for &ms in [&100][..].iter().chain(&times.iter().collect::<Vec<_>>()[..]) {
            for _ in 0..*ms {
                now += Duration::from_millis(1);
                signals.extend(switch.passes(now));
            }
            closed = !closed;
            let hook = if closed { Hook::Off } else { Hook::On };
            signals.extend(switch.changed(hook, now));
        }
        assert_eq!(signals.remove(0), HookSignal::Lifted);
        signals
    }

    #[test]
    fn bounces_are_forgiven_and_flashes_are_no_end_of_a_call() {
        for country in ["USA", "GERMANY", "UK", "JAPAN"] {
            let zone: Country = country.parse().unwrap();
            let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap();
            for bounce in [1, 8, 20, 28] {
                assert_eq!(meaning(country, &[bounce, 5, bounce, 300]), [], "{country} {bounce}");
            }
            for flash in [ms(zone.flash()) - 10, ms(zone.flash()), ms(zone.hang_up()) - 1] {
                let signals = meaning(country, &[flash, 300]);
                assert_eq!(signals, [HookSignal::Flash], "{country} {flash} ms");
            }
            let ended = [HookSignal::HungUp, HookSignal::Lifted];
            assert_eq!(meaning(country, &[ms(zone.hang_up()) + 1, 300]), ended, "{country}");
        }
    }

    #[test]
    fn digits_are_counted_from_breaks_of_slow_and_fast_dials() {
        // Eight, ten and twelve pulses a second.
        for (open, closed) in [(78, 47), (60, 40), (67, 33), (50, 50), (50, 33)] {
            for (count, digit) in [(1, '1'), (2, '2'), (9, '9'), (10, '0')] {
                for country in ["USA", "GERMANY", "INDIA"] {
                    let mut times = [open, closed].repeat(count);
                    *times.last_mut().unwrap() = 300;
                    let signals = meaning(country, &times);
                    assert_eq!(signals, [HookSignal::Digit(digit)], "{country} {open}/{closed}");
                }
            }
        }
        let eleven = [60, 40].repeat(11);
        assert_eq!(meaning("USA", &[&eleven[..], &[60, 300]].concat()), [], "no digit");
    }
}
