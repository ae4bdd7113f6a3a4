//! Makes the sound by which an exchange tells who calls, and whether messages wait.
//!
//! It begins when a ring has ended, when battery was reversed, or where the country's exchanges
//! announce nothing; it contains the pauses that are due before and behind what is told. During a
//! conversation it begins when the line has acknowledged that it was alerted, and in Japan when the
//! line has answered.

use super::digits::{APART_MS, generator, write_digits};
use super::fsk::{FskTones, Modulator, Preamble};
use super::message::{write_indicator, write_message};
use super::ntt::write_ntt;
use super::{Caller, CallerIdCoding, CallerIdMethod, CallerIdMoment};
use crate::oscillator::{Oscillator, to_sample};
use crate::{dtmf, samples_in};

/// The level of data messages at the exchange, in dBm0 (GR-30), and of each frequency of the tone
/// before one and of digits.
const LEVEL_DBM0: f32 = -13.5;
/// The tone that alerts a telephone, of 100 ms, and the pause behind it (ETSI EN 300 659-1).
const ALERT_HZ: [f32; 2] = [2130.0, 2750.0];
const ALERT: u32 = samples_in(100);
const BEHIND_ALERT: u32 = samples_in(100);
/// The silence between a ring and a message (GR-30), between reversal and what follows, and from
/// the end to the first ring.
const AFTER_RING: u32 = samples_in(500);
const AFTER_REVERSAL: u32 = samples_in(250);
const UNTIL_RING: u32 = samples_in(400);
/// The silence between an acknowledgement (GR-575: up to 500 ms) or an answer and a message.
const AFTER_ACKNOWLEDGEMENT: u32 = samples_in(100);
/// The longest name of North America and of ETSI EN 300 659-3.
const NAME_OF_BELL: usize = 15;
const NAME_OF_ETSI: usize = 50;

/// Sends one caller, or whether messages wait.
#[derive(Debug)]
pub struct CallerIdSender {
    before: u32,
    alert: u32,
    alert_tones: [Oscillator; 2],
    behind_alert: u32,
    told: Told,
    after: u32,
}

#[derive(Debug)]
enum Told {
    Message(Modulator),
    Digits(Box<dtmf::Generator>),
}

impl CallerIdSender {
    /// Prepares what tells of a caller in this way.
    pub fn new(method: CallerIdMethod, caller: &Caller) -> CallerIdSender {
        let message = |tones, longest_name| {
            let message = write_message(caller, longest_name);
            Told::Message(Modulator::new(tones, LEVEL_DBM0, Preamble::ON_HOOK, message))
        };
        let told = match method.coding {
            CallerIdCoding::Bell202 => message(FskTones::BELL_202, NAME_OF_BELL),
            CallerIdCoding::V23 => message(FskTones::V_23, NAME_OF_ETSI),
            CallerIdCoding::Ntt => Told::Message(Modulator::new(
                FskTones::V_23,
                LEVEL_DBM0,
                Preamble::OFF_HOOK,
                write_ntt(caller),
            )),
            CallerIdCoding::Dtmf { end } => {
                Told::Digits(Box::new(generator(&write_digits(caller, end), LEVEL_DBM0)))
            }
        };
        let alerts =
            method.moment == CallerIdMoment::AfterReversal && matches!(told, Told::Message(_));
        CallerIdSender {
            before: match method.moment {
                CallerIdMoment::AfterRing => AFTER_RING,
                CallerIdMoment::OffHook => AFTER_ACKNOWLEDGEMENT,
                CallerIdMoment::AfterReversal | CallerIdMoment::BeforeRing => AFTER_REVERSAL,
            },
            alert: if alerts { ALERT } else { 0 },
            alert_tones: ALERT_HZ.map(|hz| Oscillator::new(hz, LEVEL_DBM0)),
            behind_alert: if alerts { BEHIND_ALERT } else { 0 },
            told,
            after: match method.moment {
                // Who is told off-hook rings when it has hung up.
                CallerIdMoment::AfterRing | CallerIdMoment::OffHook => 0,
                CallerIdMoment::AfterReversal | CallerIdMoment::BeforeRing => UNTIL_RING,
            },
        }
    }

    /// Waits for so long after digits that were cut off, `since_ms` ago, that these are not taken
    /// for a part of them. A data message has a checksum, and needs no silence.
    pub fn follow_cut_off(&mut self, since_ms: u32) {
        if let Told::Digits(_) = self.told {
            self.before += samples_in(APART_MS.saturating_sub(since_ms));
        }
    }

    /// Prepares what tells of a caller who waits during a conversation; `None` where exchanges send
    /// no data messages.
    pub fn in_conversation(coding: CallerIdCoding, caller: &Caller) -> Option<CallerIdSender> {
        let tones = FskTones::of(coding)?;
        let longest_name =
            if coding == CallerIdCoding::Bell202 { NAME_OF_BELL } else { NAME_OF_ETSI };
        let message = write_message(caller, longest_name);
        let message = Modulator::new(tones, LEVEL_DBM0, Preamble::OFF_HOOK, message);
        Some(CallerIdSender {
            before: AFTER_ACKNOWLEDGEMENT,
            alert: 0,
            alert_tones: ALERT_HZ.map(|hz| Oscillator::new(hz, LEVEL_DBM0)),
            behind_alert: 0,
            told: Told::Message(message),
            after: 0,
        })
    }

    /// Prepares what tells a line that is on-hook whether messages wait; `None` where exchanges
    /// send no such data message. No ring belongs to it: where the standard is ETSI's the tone that
    /// alerts a telephone comes before it (EN 300 659-1 section 6.2), behind a reversal of battery
    /// where callers are told so, too; elsewhere nothing does (Telcordia GR-30).
    pub fn message_waiting(method: CallerIdMethod, waits: bool) -> Option<CallerIdSender> {
        let (tones, alerts) = match method.coding {
            CallerIdCoding::Bell202 => (FskTones::BELL_202, false),
            CallerIdCoding::V23 => (FskTones::V_23, true),
            CallerIdCoding::Ntt | CallerIdCoding::Dtmf { .. } => return None,
        };
        let message = write_indicator(waits);
        let message = Modulator::new(tones, LEVEL_DBM0, Preamble::ON_HOOK, message);
        Some(CallerIdSender {
            before: AFTER_REVERSAL,
            alert: if alerts { ALERT } else { 0 },
            alert_tones: ALERT_HZ.map(|hz| Oscillator::new(hz, LEVEL_DBM0)),
            behind_alert: if alerts { BEHIND_ALERT } else { 0 },
            told: Told::Message(message),
            after: 0,
        })
    }

    /// Has a bit of the data message sent wrong, for a line with errors. They are counted from 0,
    /// ten for each byte. Digits have no bits.
    pub fn set_wrong_bit(&mut self, bit: usize) {
        if let Told::Message(modulator) = &mut self.told {
            modulator.set_wrong(bit);
        }
    }

    /// Writes the next samples to the start of `out`, and returns how many there are: fewer than
    /// `out` has room for if it ends there.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let mut filled = 0;
        filled += silence(&mut self.before, out);
        for sample in out.iter_mut().skip(filled) {
            if self.alert == 0 {
                break;
            }
            self.alert -= 1;
            *sample = to_sample(self.alert_tones.iter_mut().map(Oscillator::next).sum());
            filled += 1;
        }
        filled += silence(&mut self.behind_alert, out.get_mut(filled..).unwrap_or_default());
        let rest = out.get_mut(filled..).unwrap_or_default();
        filled += match &mut self.told {
            Told::Message(modulator) => modulator.fill(rest),
            Told::Digits(generator) => generator.fill(rest),
        };
        filled + silence(&mut self.after, out.get_mut(filled..).unwrap_or_default())
    }

    /// How long it takes from its beginning until all is told, and until it is over, in ms.
    pub fn lengths_ms(&self) -> [u32; 2] {
        let told = match &self.told {
            Told::Message(modulator) => modulator.length(),
            Told::Digits(generator) => generator.length(),
        };
        let told = self.before + self.alert + self.behind_alert + told;
        [told, told + self.after].map(|samples| samples.div_ceil(samples_in(1)))
    }

    /// Whether only the pause before the ring is left, or nothing. Battery is not reversed then.
    pub fn has_told(&self) -> bool {
        let waits = self.before + self.alert + self.behind_alert > 0;
        !waits
            && match &self.told {
                Told::Message(modulator) => modulator.is_over(),
                Told::Digits(generator) => generator.is_idle(),
            }
    }

    /// Whether all is sent.
    pub fn is_over(&self) -> bool {
        self.after == 0 && self.has_told()
    }
}

/// Writes as much of a silence as there is room for; returns how many samples that are.
fn silence(left: &mut u32, out: &mut [i16]) -> usize {
    let count = out.len().min(*left as usize);
    out.iter_mut().take(count).for_each(|sample| *sample = 0);
    *left -= count as u32;
    count
}
