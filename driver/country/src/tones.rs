//! Tones of an exchange as data: frequencies, cadences and levels.
//!
//! A signal is written in the notation of tone zones, which owners of telephone exchanges know:
//! `425/200,0/200,425/600,0/1000` is 425 Hz for 200 ms, silence for 200 ms, and so on, repeated.
//! `350+440` are two frequencies, `400*25` is one that a lower one modulates in its amplitude, and
//! without a time a sound lasts for ever. Parts with `!` before them sound once, at the beginning.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The meaning of an exchange's tone to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    /// The exchange is ready for digits.
    Dial,
    /// The other side is being rung.
    Ringback,
    /// The other side is in use.
    Busy,
    /// The call can't be completed, or the telephone was off-hook too long: congestion, fast busy.
    Reorder,
    /// The special information tone: an announcement follows that says why the call failed.
    SpecialInformation,
}

impl CallProgress {
    /// Every kind of signal, for loops over them.
    pub const ALL: [CallProgress; 5] = [
        CallProgress::Dial,
        CallProgress::Ringback,
        CallProgress::Busy,
        CallProgress::Reorder,
        CallProgress::SpecialInformation,
    ];
}

/// When a signal sounds and when it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    /// Sound, silence, sound, silence in ms, repeated after the last that is not 0.
    steps_ms: [u16; 4],
}

impl Cadence {
    /// Sounds continuously.
    pub const CONTINUOUS: Cadence = Cadence { steps_ms: [0; 4] };

    /// Sounds for `on_ms`, is silent for `off_ms`, and repeats. With `off_ms` 0 it is continuous.
    pub const fn on_off(on_ms: u16, off_ms: u16) -> Cadence {
        Cadence::double(on_ms, off_ms, 0, 0)
    }

    /// Two sounds of different length, or with silences of different length, repeated; in ms.
    pub const fn double(on_ms: u16, off_ms: u16, second_on_ms: u16, second_off_ms: u16) -> Cadence {
        if on_ms == 0 || off_ms == 0 {
            return Cadence::CONTINUOUS;
        }
        if second_on_ms == 0 || second_off_ms == 0 {
            return Cadence { steps_ms: [on_ms, off_ms, 0, 0] };
        }
        Cadence { steps_ms: [on_ms, off_ms, second_on_ms, second_off_ms] }
    }

    /// The lengths of sound and silence in turn, in ms; empty if it is continuous.
    pub fn steps_ms(&self) -> impl ExactSizeIterator<Item = u16> + Clone + '_ {
        let used = self.steps_ms.iter().take_while(|&&ms| ms != 0).count();
        self.steps_ms.iter().take(used).copied()
    }

    /// Whether it sounds this many ms after it began.
    pub fn sounds_at(&self, ms: u64) -> bool {
        let cycle: u64 = self.steps_ms().map(u64::from).sum();
        if cycle == 0 {
            return true;
        }
        let (mut left, mut sounds) = (ms % cycle, true);
        for step in self.steps_ms().map(u64::from) {
            if left < step {
                break;
            }
            left -= step;
            sounds = !sounds;
        }
        sounds
    }

    /// Whether it sounds continuously.
    pub fn is_continuous(&self) -> bool {
        *self == Cadence::CONTINUOUS
    }
}

/// A sound: up to three frequencies, or one that is modulated in its amplitude.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sound {
    hz: [u16; Sound::MOST],
    /// How often its amplitude rises and falls in a second; 0 if it is steady.
    modulation_hz: u16,
}

impl Sound {
    /// The most frequencies of a sound.
    pub const MOST: usize = 3;
    /// How much the amplitude of a modulated sound rises and falls, as a share of its mean.
    pub const DEPTH: f32 = 0.9;

    /// The frequencies that are given, in Hz.
    pub fn hz(&self) -> impl Iterator<Item = u16> + Clone + '_ {
        self.hz.iter().copied().filter(|&hz| hz != 0)
    }

    /// How often its amplitude rises and falls in a second.
    pub fn modulation_hz(&self) -> Option<u16> {
        Some(self.modulation_hz).filter(|&hz| hz != 0)
    }

    /// Every frequency in its spectrum, the sidebands of a modulation included, in Hz.
    pub fn spectrum_hz(&self) -> impl Iterator<Item = u16> + '_ {
        let sidebands = self.modulation_hz().into_iter().flat_map(|by| {
            self.hz().flat_map(move |hz| [hz.saturating_sub(by), hz.saturating_add(by)])
        });
        self.hz().chain(sidebands)
    }
}

/// A part of a signal: a sound or silence, for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// What sounds; `None` is silence.
    pub sound: Option<Sound>,
    /// How long, in ms; `None` is for ever.
    pub ms: Option<u16>,
}

/// One signal of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    once: Vec<Segment>,
    cycle: Vec<Segment>,
    /// The level it is sent with, of each frequency, in dBm0.
    pub level_dbm0: f32,
}

impl Signal {
    /// The most segments of a signal, those that sound once and those that are repeated.
    pub const MOST: usize = 64;

    /// A signal in the notation of tone zones (see the module).
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(notation: &str, level_dbm0: f32) -> Result<Signal, SignalError> {
        let (mut once, mut cycle) = (Vec::new(), Vec::new());
        let parts: Vec<&str> = notation.split(',').collect();
        if parts.len() > Signal::MOST {
            return Err(SignalError::Long);
        }
        for (place, part) in parts.iter().enumerate() {
            let part = part.trim();
            let (single, part) = match part.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, part),
            };
            let segment = segment(part)?;
            if segment.ms.is_none() && (single || place + 1 < parts.len()) {
                return Err(SignalError::Endless(part.to_owned()));
            }
            match (single, cycle.is_empty()) {
                (true, true) => once.push(segment),
                (true, false) => return Err(SignalError::Late(part.to_owned())),
                (false, _) => cycle.push(segment),
            }
        }
        let signal = Signal { once, cycle, level_dbm0 };
        let sounds = |segments: &[Segment]| segments.iter().any(|part| part.sound.is_some());
        if sounds(&signal.once) || sounds(&signal.cycle) {
            return Ok(signal);
        }
        Err(SignalError::Silent)
    }

    /// What sounds once, at the beginning.
    pub fn once(&self) -> &[Segment] {
        &self.once
    }

    /// What is repeated after that. A segment without end is the only one.
    pub fn repeated(&self) -> &[Segment] {
        &self.cycle
    }

    /// What characterises the signal: what is repeated, or what sounds once if nothing but silence
    /// is repeated.
    pub fn figure(&self) -> &[Segment] {
        let sounds = self.cycle.iter().any(|segment| segment.sound.is_some());
        if sounds { &self.cycle } else { &self.once }
    }

    /// Its sounds, in the order in which they first come.
    pub fn sounds(&self) -> impl Iterator<Item = Sound> + '_ {
        self.once.iter().chain(&self.cycle).filter_map(|segment| segment.sound)
    }

    /// How long its figure is, in ms; 0 if it sounds for ever.
    pub fn figure_ms(&self) -> u32 {
        self.figure().iter().map(|segment| u32::from(segment.ms.unwrap_or(0))).sum()
    }
}

impl fmt::Display for Signal {
    /// In the notation of tone zones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let once = self.once.iter().map(|segment| ("!", segment));
        let all = once.chain(self.cycle.iter().map(|segment| ("", segment)));
        for (place, (mark, segment)) in all.enumerate() {
            f.write_str(if place == 0 { mark } else { "," })?;
            if place > 0 {
                f.write_str(mark)?;
            }
            match segment.sound {
                None => f.write_str("0")?,
                Some(sound) => {
                    for (n, hz) in sound.hz().enumerate() {
                        write!(f, "{}{hz}", if n == 0 { "" } else { "+" })?;
                    }
                    if let Some(by) = sound.modulation_hz() {
                        write!(f, "*{by}")?;
                    }
                }
            }
            if let Some(ms) = segment.ms {
                write!(f, "/{ms}")?;
            }
        }
        Ok(())
    }
}

/// Why a text is no signal.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum SignalError {
    /// A part that can't be read.
    #[error(
        "{0:?} is no part of a tone: write HZ/MS, HZ+HZ/MS or HZ*HZ/MS, with frequencies from 1 to \
         3999 Hz, times from 1 to 65535 ms, and 0 for silence"
    )]
    Part(String),
    /// A part without a time is not the last one.
    #[error("{0:?} has no time and is not the last part: write HZ/MS")]
    Endless(String),
    /// A part that sounds once comes after one that is repeated.
    #[error("!{0} sounds once and must come before the parts that are repeated")]
    Late(String),
    /// Nothing sounds.
    #[error("nothing in it sounds: give at least one frequency")]
    Silent,
    /// Too many parts.
    #[error("it has more than {most} parts", most = Signal::MOST)]
    Long,
}

fn segment(part: &str) -> Result<Segment, SignalError> {
    let wrong = || SignalError::Part(part.to_owned());
    let (sound, ms) = match part.split_once('/') {
        Some((sound, ms)) => {
            let ms: u16 = ms.trim().parse().map_err(|_| wrong())?;
            (sound.trim(), Some(ms).filter(|&ms| ms != 0).ok_or_else(wrong)?.into())
        }
        None => (part, None),
    };
    if sound == "0" {
        return Ok(Segment { sound: None, ms });
    }
    let frequency = |text: &str| {
        let hz: u16 = text.trim().parse().map_err(|_| wrong())?;
        if (1..4000).contains(&hz) { Ok(hz) } else { Err(wrong()) }
    };
    if let Some((carrier, by)) = sound.split_once('*') {
        let (carrier, modulation_hz) = (frequency(carrier)?, frequency(by)?);
        // Both sidebands have to be frequencies of a telephone line.
        if modulation_hz >= carrier || carrier + modulation_hz >= 4000 {
            return Err(wrong());
        }
        let sound = Sound { hz: [carrier, 0, 0], modulation_hz };
        return Ok(Segment { sound: Some(sound), ms });
    }
    let mut hz = [0; Sound::MOST];
    let mut places = hz.iter_mut();
    for text in sound.split('+') {
        *places.next().ok_or_else(wrong)? = frequency(text)?;
    }
    Ok(Segment { sound: Some(Sound { hz, modulation_hz: 0 }), ms })
}

/// How often dial tone is interrupted where no country's stutter is known, and for how long.
const STUTTERS: usize = 10;
const STUTTER_MS: u16 = 100;

/// The signals of the exchanges of one country. What no table specifies is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Dial tone: the exchange waits for digits.
    pub dial: Signal,
    /// Ringback: the called telephone rings.
    pub ringback: Signal,
    /// Busy: the called line is in use.
    pub busy: Signal,
    /// Reorder or congestion: the exchange can't complete the call. In some countries it is the
    /// same signal as busy.
    pub reorder: Signal,
    /// The special information tone, before an announcement.
    pub special_information: Option<Signal>,
    /// The second dial tone, after a hook flash.
    pub recall: Option<Signal>,
    /// Dial tone that tells of waiting messages or of a diversion.
    pub stutter: Option<Signal>,
    /// Call waiting: another caller, while the line is in conversation.
    pub waiting: Option<Signal>,
}

impl Plan {
    /// The signal with the meaning `what`; `None` if the country has none that is known.
    pub fn signal(&self, what: CallProgress) -> Option<&Signal> {
        match what {
            CallProgress::Dial => Some(&self.dial),
            CallProgress::Ringback => Some(&self.ringback),
            CallProgress::Busy => Some(&self.busy),
            CallProgress::Reorder => Some(&self.reorder),
            CallProgress::SpecialInformation => self.special_information.as_ref(),
        }
    }

    /// What an exchange sends for `what`: reorder where the country has no signal for it.
    pub fn sent(&self, what: CallProgress) -> &Signal {
        self.signal(what).unwrap_or(&self.reorder)
    }

    /// The dial tone that an exchange sends while messages wait: the country's own, or dial tone
    /// that is interrupted ten times at its beginning.
    pub fn messages_waiting(&self) -> Signal {
        self.stutter.clone().unwrap_or_else(|| {
            let sound = Segment { sound: self.dial.sounds().next(), ms: Some(STUTTER_MS) };
            let pause = Segment { sound: None, ..sound };
            Signal { once: [sound, pause].repeat(STUTTERS), ..self.dial.clone() }
        })
    }

    /// All signals that a caller has to understand, with their meanings; dial tone in all its
    /// forms.
    pub fn signals(&self) -> impl Iterator<Item = (CallProgress, &Signal)> {
        let further = [&self.recall, &self.stutter].into_iter().flatten();
        CallProgress::ALL
            .into_iter()
            .filter_map(|what| Some((what, self.signal(what)?)))
            .chain(further.map(|signal| (CallProgress::Dial, signal)))
    }

    /// What a caller takes a signal for: reorder is busy where both are the same.
    pub fn understood(&self, what: CallProgress) -> CallProgress {
        if what == CallProgress::Reorder && self.reorder.figure() == self.busy.figure() {
            CallProgress::Busy
        } else {
            what
        }
    }
}

impl FromStr for Cadence {
    type Err = CadenceError;

    /// Times of sound and silence in turn, in ms, such as `400,200,400,2000`.
    fn from_str(text: &str) -> Result<Cadence, CadenceError> {
        let times: Option<Vec<u16>> =
            text.split(',').map(|ms| ms.trim().parse().ok().filter(|&ms| ms != 0)).collect();
        match times.as_deref() {
            Some(&[on, off]) => Ok(Cadence::on_off(on, off)),
            Some(&[on, off, second_on, second_off]) => {
                Ok(Cadence::double(on, off, second_on, second_off))
            }
            _ => Err(CadenceError(text.to_owned())),
        }
    }
}

/// A text that is no cadence.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("{0:?} is no cadence: write two or four times in ms, sound and silence in turn")]
pub struct CadenceError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cadences_without_sound_or_rest_are_continuous() {
        assert!(Cadence::on_off(0, 500).is_continuous());
        assert!(Cadence::on_off(500, 0).is_continuous());
        assert_eq!(Cadence::double(400, 200, 400, 0), Cadence::on_off(400, 200));
        assert_eq!(Cadence::on_off(1, 2).steps_ms().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(Cadence::double(1, 2, 3, 4).steps_ms().count(), 4);
    }

    #[test]
    fn a_cadence_goes_round() {
        let at = |cadence: Cadence| {
            (0..12).map(move |ms| if cadence.sounds_at(ms) { 'x' } else { '.' }).collect::<String>()
        };
        assert_eq!(at(Cadence::double(2, 1, 1, 2)), "xx.x..xx.x..");
        assert_eq!(at(Cadence::on_off(1, 3)), "x...x...x...");
        assert_eq!(at(Cadence::CONTINUOUS), "xxxxxxxxxxxx");
    }

    #[test]
    fn a_cadence_is_read_from_its_times() {
        assert_eq!("1000, 4000".parse(), Ok(Cadence::on_off(1000, 4000)));
        assert_eq!("400,200,400,2000".parse(), Ok(Cadence::double(400, 200, 400, 2000)));
        for wrong in ["", "1000", "1,2,3", "0,5", "1,2,3,4,5", "x,1", "70000,1"] {
            assert!(wrong.parse::<Cadence>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_signal_is_read_and_written_in_the_notation_of_tone_zones() {
        for notation in [
            "425",
            "350+440",
            "400*25/400,0/200,400*25/400,0/2000",
            "!950/330,!1400/330,!1800/330,0",
            "!425/100,!0/100,425",
            "350+375+400",
        ] {
            let signal = Signal::parse(notation, -10.0).unwrap();
            assert_eq!(signal.to_string(), notation);
        }
        let signal = Signal::parse(" !425/100 , !0/50 , 400*25/300 , 0/200 ", -10.0).unwrap();
        assert_eq!((signal.once().len(), signal.repeated().len()), (2, 2));
        assert_eq!(signal.figure_ms(), 500);
        let sound = signal.repeated()[0].sound.unwrap();
        assert_eq!(sound.spectrum_hz().collect::<Vec<_>>(), [400, 375, 425]);
        assert_eq!(signal.repeated()[1], Segment { sound: None, ms: Some(200) });
    }

    #[test]
    fn every_country_has_a_dial_tone_for_waiting_messages() {
        let tones = |name: &str| name.parse::<crate::Country>().unwrap().tones();
        assert_eq!(tones("UK").messages_waiting().to_string(), "350+440/750,440/750");
        let made = tones("India").messages_waiting();
        assert_eq!((made.once().len(), made.repeated()), (20, tones("India").dial.repeated()));
        assert!(made.to_string().starts_with("!400*25/100,!0/100,!400*25/100,"));
    }

    #[test]
    fn what_is_no_signal_is_refused_with_its_reason() {
        let error = |notation: &str| Signal::parse(notation, -10.0).unwrap_err();
        for part in ["", "x", "425/", "425/0", "425/70000", "4000", "0+425", "1+2+3+4", "25*400"] {
            assert_eq!(error(part), SignalError::Part(part.to_owned()));
        }
        assert_eq!(error("425,0/100"), SignalError::Endless("425".to_owned()));
        assert_eq!(error("425/100,!0/100,425"), SignalError::Late("0/100".to_owned()));
        assert_eq!(error("0/100"), SignalError::Silent);
        assert_eq!(error(&"425/1,".repeat(65)), SignalError::Long);
        assert!(error("5000").to_string().contains("HZ/MS"));
    }
}
