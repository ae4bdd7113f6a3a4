//! What an exchange of a country wants to see: impedances, off-hook voltages, ring threshold.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Line settings of a country or region, chosen by name (`"FCC".parse()`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country(&'static Settings);

/// Si3050 registers that differ between countries.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    name: &'static str,
    international: u8,
    dc_termination: u8,
    ac_termination: u8,
    daa_control_3: u8,
}

const fn settings(
    name: &'static str,
    international: u8,
    dc_termination: u8,
    ac_termination: u8,
    daa_control_3: u8,
) -> Settings {
    Settings { name, international, dc_termination, ac_termination, daa_control_3 }
}

#[rustfmt::skip]
static COUNTRIES: [Settings; 20] = [
    //                       16    26    30    31
    settings("FCC",         0x01, 0xC0, 0x00, 0xA3),
    settings("USA",         0x00, 0xC0, 0x00, 0xA3),
    settings("CANADA",      0x00, 0xC0, 0x00, 0xA3),
    settings("TBR21",       0x00, 0xC2, 0x02, 0xA3),
    settings("UK",          0x00, 0xC2, 0x05, 0xAB),
    settings("GERMANY",     0x00, 0xC2, 0x03, 0xAB),
    settings("AUSTRIA",     0x00, 0xC2, 0x03, 0xAB),
    settings("FRANCE",      0x00, 0xC2, 0x02, 0xAB),
    settings("ITALY",       0x00, 0xC2, 0x02, 0xAB),
    settings("SPAIN",       0x00, 0xC2, 0x02, 0xAB),
    settings("SWEDEN",      0x00, 0xC2, 0x02, 0xAB),
    settings("AUSTRALIA",   0x40, 0x30, 0x03, 0xA3),
    settings("NEWZEALAND",  0x00, 0xC0, 0x04, 0xA3),
    settings("SOUTHAFRICA", 0x42, 0xC0, 0x03, 0xA3),
    settings("JAPAN",       0x00, 0x30, 0x00, 0xA3),
    settings("BRAZIL",      0x00, 0x30, 0x00, 0xA3),
    settings("CHINA",       0x00, 0x30, 0x0F, 0xA3),
    settings("POLAND",      0x03, 0xC0, 0x00, 0xA3),
    settings("INDIA",       0x00, 0xC0, 0x04, 0xA3),
    settings("SLOVAKIA",    0x00, 0xC0, 0x03, 0xA3),
];

impl Country {
    /// The name.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// All there are, the default first.
    pub fn all() -> impl Iterator<Item = Country> {
        COUNTRIES.iter().map(Country)
    }

    /// Register 16.
    pub(super) fn international(self) -> u8 {
        self.0.international
    }

    /// Register 26.
    pub(super) fn dc_termination(self) -> u8 {
        self.0.dc_termination
    }

    /// Register 30.
    pub(super) fn ac_termination(self) -> u8 {
        self.0.ac_termination
    }

    /// Register 31.
    pub(super) fn daa_control_3(self) -> u8 {
        self.0.daa_control_3
    }
}

impl Default for Country {
    /// FCC: 600 ohm, fits most exchanges and every test exchange.
    fn default() -> Country {
        let [fcc, ..] = &COUNTRIES;
        Country(fcc)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// A name that is in no list.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("there are no line settings for '{name}': use one of {list}", list = names())]
pub struct UnknownCountry {
    name: String,
}

fn names() -> String {
    COUNTRIES.iter().map(|settings| settings.name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Country {
    type Err = UnknownCountry;

    /// Upper and lower case are the same.
    fn from_str(name: &str) -> Result<Country, UnknownCountry> {
        Country::all()
            .find(|country| country.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownCountry { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_found_by_name() {
        for country in Country::all() {
            assert_eq!(country.name().parse(), Ok(country));
            assert_eq!(country.name().to_lowercase().parse(), Ok(country));
        }
        assert_eq!(Country::default().name(), "FCC");
        let error = "ATLANTIS".parse::<Country>().unwrap_err().to_string();
        assert!(error.contains("ATLANTIS") && error.contains("FCC, USA"), "{error}");
    }
}
