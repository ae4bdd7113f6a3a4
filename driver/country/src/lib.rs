//! The properties of telephone lines in a country: how a telephone must behave towards an exchange,
//! the exchange's tones, and how telephones are rung.
//!
//! The card's chips, the lines, the software exchange and the program all take their settings from
//! a [`Country`]. The data are in the modules `modes` (lines) and `zones` (tones and ringing), a
//! row each; nothing else in Ringback names a country.

mod caller_id;
mod changes;
mod codes;
mod companding;
mod error;
mod modes;
mod profile;
mod tones;
mod zones;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use caller_id::{CallerIdCoding, CallerIdMethod, CallerIdMoment};
pub use changes::Changes;
pub use codes::{Bursts, CodeMeaning, Codes, ForwardCodes, Forwarding};
pub use companding::Companding;
pub use error::CountryError;
pub use profile::Profile;
pub use tones::{Cadence, CadenceError, CallProgress, Plan, Segment, Signal, SignalError, Sound};

use modes::{LineMode, MODES};
use zones::{Zone, zone, zones};

/// A country or region, chosen by DAHDI's name for its line mode, its English name or its ISO code,
/// in any case (`"GERMANY".parse()`, `"germany"`, `"de"`).
///
/// It joins a line mode and a zone of tones. Where only one of the two is known, or where a line
/// differs from its country's, both are named: `"BAHRAIN/GB"` is Bahrain's line with British tones,
/// `"TBR21/TR"` a European line with those of Turkey.
#[derive(Clone, Copy)]
pub struct Country {
    line: &'static LineMode,
    zone: &'static Zone,
}

/// The settings of an FXO line for the country's exchanges: registers of the Si3050.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daa {
    /// Register 16: on-hook speed, ringer impedance and threshold.
    pub international: u8,
    /// Register 26: DC termination.
    pub dc_termination: u8,
    /// Register 30: AC termination.
    pub ac_termination: u8,
    /// Register 31: filter, on-hook speed, line voltage force.
    pub control_3: u8,
    /// Registers 45 to 52: the coefficients of the hybrid, which removes what is sent from what is
    /// received. They are those of a line, not of a country: all 0 until a line was measured.
    pub hybrid: [i8; 8],
}

/// The settings of an FXS line for the country's telephones: registers of the Si3210.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slic {
    /// Register 10, bits 2 to 0: the impedance, 0 (600 ohm) to 7.
    pub impedance: u8,
    /// Frequency of ringing, in Hz.
    pub ring_hz: u16,
    /// Indirect register 20: coefficient of the ringing oscillator, for that frequency.
    pub ring_coefficient: u16,
    /// Indirect register 21: amplitude of the ringing oscillator.
    pub ring_amplitude: u16,
    /// Indirect register 26: gain towards the telephone.
    pub receive_gain: u16,
    /// Indirect register 27: gain from the telephone.
    pub transmit_gain: u16,
}

/// How long the parts of a dial pulse last, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// The loop is open.
    pub break_ms: u16,
    /// The loop is closed between two pulses of a digit.
    pub make_ms: u16,
    /// The loop is closed between two digits.
    pub gap_ms: u16,
}

impl Country {
    /// All countries whose line mode and tones are known, the default first.
    pub fn all() -> impl Iterator<Item = Country> {
        MODES.iter().filter_map(|line| Some(Country { line, zone: zone(line.zone)? }))
    }

    /// Every zone of tones, with the line of the country that has it, or of Europe.
    pub fn each_zone() -> impl Iterator<Item = Country> {
        zones().iter().filter_map(|zone| {
            let own = MODES.iter().find(|line| line.zone == zone.key);
            let line = own.or_else(|| MODES.iter().find(|line| line.name == "TBR21"))?;
            Some(Country { line, zone })
        })
    }

    /// The settings of an FXO line for its exchanges.
    pub fn daa(self) -> &'static Daa {
        &self.line.daa
    }

    /// The settings of an FXS line for its telephones.
    pub fn slic(self) -> Slic {
        // DAHDI rings louder in this mode than in all others: 85 V instead of 65 V.
        let rings = match (self.line.name, self.zone.ring_hz) {
            ("TBR21", 25) => RINGS_25_HZ_LOUD,
            (_, 25) => RINGS_25_HZ,
            _ => RINGS_20_HZ,
        };
        Slic { impedance: self.line.impedance, ..rings }
    }

    /// The law by which its network compands samples, and so the card's modules.
    pub fn companding(self) -> Companding {
        self.line.companding
    }

    /// The tones of its exchanges.
    pub fn tones(self) -> &'static Plan {
        &self.zone.tones
    }

    /// How much longer it takes to recognise its dial tone than a continuous one: two cycles of a
    /// dial tone with a cadence.
    pub fn dial_tone_delay(self) -> Duration {
        let ms = u64::from(self.tones().dial.figure_ms());
        Duration::from_millis(2 * ms).min(Country::MOST_DIAL_TONE_DELAY)
    }

    /// The longest [`dial_tone_delay`](Country::dial_tone_delay) of all countries.
    pub const MOST_DIAL_TONE_DELAY: Duration = Duration::from_secs(6);

    /// How long its dial tone is interrupted before it is as usual, while messages wait.
    pub fn stutter(self) -> Duration {
        let once = self.tones().messages_waiting();
        let ms = once.once().iter().map(|part| u64::from(part.ms.unwrap_or(0))).sum();
        Duration::from_millis(ms).min(Country::MOST_STUTTER)
    }

    /// The longest [`stutter`](Country::stutter) of all countries.
    pub const MOST_STUTTER: Duration = Duration::from_secs(7);

    /// The cadence in which its telephones are rung.
    pub fn ring(self) -> Cadence {
        self.zone.ring
    }

    /// How its exchanges tell a line who calls; `None` where that is not known.
    pub fn caller_id(self) -> Option<CallerIdMethod> {
        self.zone.caller_id
    }

    /// The durations of pulse dialling.
    pub fn pulse(self) -> Pulse {
        self.zone.pulse
    }

    /// How long the loop is opened for a hook flash, which calls a register of the exchange.
    pub fn flash(self) -> Duration {
        Duration::from_millis(u64::from(self.zone.flash_ms))
    }

    /// How many cycles of busy or reorder tone end a call.
    pub fn busy_cycles(self) -> u8 {
        self.zone.busy_cycles
    }

    /// What its exchange can do with calls, if a user's own file says so.
    pub fn profile(self) -> Option<&'static Profile> {
        self.zone.profile
    }

    /// How long a telephone's loop is open at least when it is hung up. A shorter break is a flash.
    pub fn hang_up(self) -> Duration {
        Duration::from_millis(u64::from(self.zone.hang_up_ms))
    }
}

/// Ringing at a frequency, with gains that every country has.
const fn slic(ring_hz: u16, ring_coefficient: u16, ring_amplitude: u16) -> Slic {
    let (receive_gain, transmit_gain) = (0x2000, 0x4000);
    let impedance = 0;
    Slic { impedance, ring_hz, ring_coefficient, ring_amplitude, receive_gain, transmit_gain }
}

const RINGS_20_HZ: Slic = slic(20, 0x7EF0, 0x0160);
const RINGS_25_HZ: Slic = slic(25, 0x7E6D, 0x01B9);
const RINGS_25_HZ_LOUD: Slic = slic(25, 0x7E6C, 0x023A);

impl Default for Country {
    /// FCC: 600 ohm, fits most exchanges and every test exchange.
    fn default() -> Country {
        let (line, zone) = (&MODES[0], &zones()[0]);
        Country::all().next().unwrap_or(Country { line, zone })
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Country) -> bool {
        self.line.name == other.line.name && self.zone.key == other.zone.key
    }
}

impl Eq for Country {}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Country {
    /// DAHDI's name of the line mode, and the zone of tones if it is not that mode's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.line.name)?;
        if self.line.zone == self.zone.key { Ok(()) } else { write!(f, "/{}", self.zone.key) }
    }
}

/// The line mode with one of its names.
fn line(name: &str) -> Option<&'static LineMode> {
    let called = |own: &str| own.eq_ignore_ascii_case(name);
    MODES.iter().find(|line| called(line.name)).or_else(|| {
        MODES.iter().find(|line| called(line.english) || called(line.iso) && !name.is_empty())
    })
}

/// The zone of tones with one of its names, or with one of its country's line.
fn tones(name: &str) -> Option<&'static Zone> {
    line(name).and_then(|line| zone(line.zone)).or_else(|| zone(name))
}

impl FromStr for Country {
    type Err = CountryError;

    /// Upper and lower case are the same.
    fn from_str(name: &str) -> Result<Country, CountryError> {
        let unknown = |name: &str| CountryError::Unknown(name.to_owned());
        if let Some((mode, zone)) = name.split_once('/') {
            let (mode, zone) = (mode.trim(), zone.trim());
            let line = line(mode).ok_or_else(|| match tones(mode) {
                Some(_) => CountryError::NoLine(mode.to_owned()),
                None => unknown(mode),
            })?;
            let zone = tones(zone).ok_or_else(|| match self::line(zone) {
                Some(_) => CountryError::NoTones(zone.to_owned()),
                None => unknown(zone),
            })?;
            return Ok(Country { line, zone });
        }
        match (line(name), tones(name)) {
            (Some(line), Some(zone)) => Ok(Country { line, zone }),
            (Some(_), None) => Err(CountryError::NoTones(name.to_owned())),
            (None, Some(_)) => Err(CountryError::NoLine(name.to_owned())),
            (None, None) => Err(unknown(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn countries_are_found_by_all_their_names_in_any_case() {
        for line in MODES {
            for name in [line.name, line.english, line.iso] {
                if name.is_empty() {
                    continue;
                }
                for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                    match name.parse::<Country>() {
                        Ok(country) => assert_eq!(country.line.name, line.name, "{name}"),
                        Err(error) => assert_eq!(error, CountryError::NoTones(name)),
                    }
                }
            }
        }
        let named = |name: &str| name.parse::<Country>().unwrap().to_string();
        assert_eq!(named("united kingdom"), "UK");
        assert_eq!(named("gb"), "UK");
        assert_eq!(named("De"), "GERMANY");
        assert_eq!(named("us"), "USA");
        assert_eq!(Country::default().to_string(), "FCC");
    }

    #[test]
    fn there_are_all_of_dahdis_line_modes_and_all_zones() {
        assert_eq!(MODES.len(), 73);
        assert_eq!(Country::each_zone().count(), zones().len());
        assert!(zones().len() >= 46);
        for country in Country::all() {
            assert_eq!(country.to_string().parse(), Ok(country));
        }
        for country in Country::each_zone() {
            assert_eq!(country.to_string().parse(), Ok(country));
            let cycles = u64::from(2 * country.tones().dial.figure_ms());
            assert_eq!(country.dial_tone_delay(), Duration::from_millis(cycles), "{country}");
            assert!(country.stutter() < Country::MOST_STUTTER, "{country}");
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = HashSet::new();
        for line in MODES {
            let mut own = HashSet::from([line.name, line.english].map(str::to_lowercase));
            own.extend(Some(line.iso.to_lowercase()).filter(|iso| !iso.is_empty()));
            assert!(own.into_iter().all(|name| names.insert(name)), "{}", line.name);
        }
    }

    #[test]
    fn line_and_tones_can_be_of_different_countries() {
        let country: Country = "bahrain/gb".parse().unwrap();
        assert_eq!(country.to_string(), "BAHRAIN/GB");
        assert_eq!(country.tones(), "UK".parse::<Country>().unwrap().tones());
        assert_eq!("TBR21 / Turkey".parse::<Country>().unwrap().to_string(), "TBR21/TR");
        assert_eq!("germany/de".parse::<Country>().unwrap(), "GERMANY".parse().unwrap());
    }

    #[test]
    fn samples_are_companded_as_the_countrys_network_does() {
        let law = |name: &str| name.parse::<Country>().unwrap().companding();
        for name in ["FCC", "us", "ca", "japan", "hk/gb", "tw", "fcc/de"] {
            assert_eq!(law(name), Companding::ULaw, "{name}");
        }
        for name in ["TBR21", "de", "gb", "br", "mx", "cn", "in", "tbr21/us"] {
            assert_eq!(law(name), Companding::ALaw, "{name}");
        }
        assert_eq!(Country::default().companding(), Companding::ULaw);
    }

    #[test]
    fn callers_are_told_in_the_countrys_way() {
        let told = |name: &str| {
            let method = name.parse::<Country>().unwrap().caller_id()?;
            Some((method.coding, method.moment))
        };
        use CallerIdCoding::{Bell202, Dtmf, Ntt, V23};
        use CallerIdMoment::{AfterReversal, AfterRing, BeforeRing, OffHook};
        assert_eq!(told("FCC"), Some((Bell202, AfterRing)));
        assert_eq!(told("GERMANY"), Some((V23, AfterRing)));
        assert_eq!(told("UK"), Some((V23, AfterReversal)));
        assert_eq!(told("SWEDEN"), Some((Dtmf { end: 'C' }, AfterReversal)));
        assert_eq!(told("DENMARK"), Some((Dtmf { end: '#' }, AfterReversal)));
        assert_eq!(told("BRAZIL"), Some((Dtmf { end: 'C' }, BeforeRing)));
        assert_eq!(told("JAPAN"), Some((Ntt, OffHook)));
        assert_eq!(told("AUSTRIA"), None);
    }

    #[test]
    fn where_one_half_is_unknown_the_other_is_to_be_named() {
        let error = |name: &str| name.parse::<Country>().unwrap_err();
        assert_eq!(error("Bahrain"), CountryError::NoTones("Bahrain".to_owned()));
        assert!(error("Bahrain").to_string().contains("Bahrain/GB"), "{}", error("Bahrain"));
        assert_eq!(error("tr"), CountryError::NoLine("tr".to_owned()));
        assert!(error("tr").to_string().contains("TBR21/tr"), "{}", error("tr"));
        assert_eq!(error("tr/de"), CountryError::NoLine("tr".to_owned()));
        assert_eq!(error("de/bahrain"), CountryError::NoTones("bahrain".to_owned()));
        assert_eq!(error("de/x"), CountryError::Unknown("x".to_owned()));
        for nothing in ["", "/", "de/", "/de"] {
            assert!(matches!(error(nothing), CountryError::Unknown(_)), "{nothing}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = "ATLANTIS".parse::<Country>().unwrap_err().to_string();
        assert!(error.contains("\"ATLANTIS\""), "{error}");
        assert!(error.contains("FCC (North America)"), "{error}");
        assert!(error.contains("GERMANY (DE)"), "{error}");
        assert!(error.contains("TR (Turkey)"), "{error}");
        assert!(error.contains("YEMEN (YE)"), "{error}");
    }
}
