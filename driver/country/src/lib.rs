//! The properties of telephone lines in a country: how a telephone must behave towards an exchange,
//! the exchange's tones, and how telephones are rung.
//!
//! The card's chips, the lines, the software exchange and the program all take their settings from
//! a [`Country`]. The data are in the module `rows`, one row for each country; nothing else in
//! Ringback names a country.

mod rows;
mod tones;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

pub use tones::{Cadence, CallProgress, Plan, Signal};

use rows::COUNTRIES;

/// A country or region, chosen by DAHDI's name for its line mode, its English name or its ISO code,
/// in any case (`"GERMANY".parse()`, `"germany"`, `"de"`).
#[derive(Clone, Copy)]
pub struct Country(&'static Row);

/// All that differs between countries.
#[derive(Debug)]
struct Row {
    /// DAHDI's name for it as a line mode.
    mode: &'static str,
    english: &'static str,
    /// ISO 3166-1 alpha-2; empty for a region of several countries.
    iso: &'static str,
    daa: Daa,
    slic: Slic,
    tones: Plan,
    ring: Cadence,
    pulse: Pulse,
    flash_ms: u16,
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
}

/// The settings of an FXS line for the country's telephones: registers of the Si3210.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slic {
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
    /// All countries, the default first.
    pub fn all() -> impl Iterator<Item = Country> {
        COUNTRIES.iter().map(Country)
    }

    /// DAHDI's name for it as a line mode, by which it is shown.
    pub fn name(self) -> &'static str {
        self.0.mode
    }

    /// Its name in English.
    pub fn english(self) -> &'static str {
        self.0.english
    }

    /// Its code in ISO 3166-1 (alpha-2); `None` for a region of several countries.
    pub fn iso(self) -> Option<&'static str> {
        Some(self.0.iso).filter(|iso| !iso.is_empty())
    }

    /// The settings of an FXO line for its exchanges.
    pub fn daa(self) -> &'static Daa {
        &self.0.daa
    }

    /// The settings of an FXS line for its telephones.
    pub fn slic(self) -> &'static Slic {
        &self.0.slic
    }

    /// The tones of its exchanges.
    pub fn tones(self) -> &'static Plan {
        &self.0.tones
    }

    /// The cadence in which its telephones are rung.
    pub fn ring(self) -> Cadence {
        self.0.ring
    }

    /// The durations of pulse dialling.
    pub fn pulse(self) -> Pulse {
        self.0.pulse
    }

    /// How long the loop is opened for a hook flash, which calls a register of the exchange.
    pub fn flash(self) -> Duration {
        Duration::from_millis(u64::from(self.0.flash_ms))
    }

    fn is_called(self, name: &str) -> bool {
        let names = [Some(self.name()), Some(self.english()), self.iso()];
        names.into_iter().flatten().any(|one| one.eq_ignore_ascii_case(name))
    }
}

impl Default for Country {
    /// FCC: 600 ohm, fits most exchanges and every test exchange.
    fn default() -> Country {
        Country(&rows::DEFAULT)
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Country) -> bool {
        self.0.mode == other.0.mode
    }
}

impl Eq for Country {}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is in no list.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there is no country {name:?} here: use one of {list}", list = names())]
pub struct UnknownCountry {
    name: String,
}

/// All names, such as `UK (United Kingdom, GB)`.
fn names() -> String {
    let name = |country: Country| match country.iso() {
        Some(iso) if country.english().eq_ignore_ascii_case(country.name()) => {
            format!("{country} ({iso})")
        }
        Some(iso) => format!("{country} ({}, {iso})", country.english()),
        None => format!("{country} ({})", country.english()),
    };
    Country::all().map(name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Country {
    type Err = UnknownCountry;

    /// Upper and lower case are the same.
    fn from_str(name: &str) -> Result<Country, UnknownCountry> {
        let mode = Country::all().find(|country| country.name().eq_ignore_ascii_case(name));
        mode.or_else(|| Country::all().find(|country| country.is_called(name)))
            .ok_or_else(|| UnknownCountry { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn are_found_by_all_their_names_in_any_case() {
        for country in Country::all() {
            for name in [Some(country.name()), Some(country.english()), country.iso()] {
                let Some(name) = name else { continue };
                for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
                    assert_eq!(name.parse(), Ok(country), "{name}");
                }
            }
        }
        let named = |name: &str| name.parse::<Country>().unwrap().name();
        assert_eq!(named("united kingdom"), "UK");
        assert_eq!(named("gb"), "UK");
        assert_eq!(named("De"), "GERMANY");
        assert_eq!(named("us"), "USA");
        assert_eq!(Country::default().name(), "FCC");
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = HashSet::new();
        for country in Country::all() {
            let mut own = HashSet::from([country.name(), country.english()].map(str::to_lowercase));
            own.extend(country.iso().map(str::to_lowercase));
            assert!(own.into_iter().all(|name| names.insert(name)), "{country}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let error = "ATLANTIS".parse::<Country>().unwrap_err().to_string();
        assert!(error.contains("\"ATLANTIS\""), "{error}");
        assert!(error.contains("FCC (North America), USA (United States, US)"), "{error}");
        assert!(error.contains("GERMANY (DE)"), "{error}");
    }
}
