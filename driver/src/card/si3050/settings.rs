//! What a country's settings become on the line side that a module has (data sheets of the Si3050
//! and the Si3056).
//!
//! - An Si3018 has no register 30 and none of the bits FULL, FILT and LVFD of register 31; its
//!   impedance is in register 16 (ACT, ACT2).
//! - FULL requires DCV = 11, else loops with little current sound distorted. Countries whose lines
//!   need another DCV are served without FULL; then the same code is 3.2 dB less on the line.
//! - The long on-hook time (OHS) requires SQ = 11 in register 59.

use ringback_country::Daa;

use super::registers::{LineSide, SparkQuenching};

const REAL_AC_TERMINATIONS: [u8; 2] = [0x0, 0x1];
const NEW_ZEALAND: u8 = 0x4;
const ON_HOOK_SPEED: u8 = 0x40;
/// Register 16 of an Si3018: its global complex impedance, and that of New Zealand.
const ACT: u8 = 0x20;
const ACT_2: u8 = 0x80;
const DCV: u8 = 0xC0;
const FULL: u8 = 0x80;
/// The bits of register 31 that an Si3018 has: FOH and OHS2.
const SI3018_CONTROL_3: u8 = 0x68;

/// The registers of a line side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineSettings {
    /// Register 16.
    pub(super) international: u8,
    /// Register 26.
    pub(super) dc_termination: u8,
    /// Register 30, if there is one.
    pub(super) ac_termination: Option<u8>,
    /// Register 31.
    pub(super) control_3: u8,
    /// Register 59.
    pub(super) spark_quenching: SparkQuenching,
}

impl LineSettings {
    /// The settings of a country on this line side.
    pub(super) fn new(daa: &Daa, side: LineSide) -> LineSettings {
        let spark_quenching = if daa.international & ON_HOOK_SPEED != 0 {
            SparkQuenching::all()
        } else {
            SparkQuenching::empty()
        };
        let settings = LineSettings {
            international: daa.international,
            dc_termination: daa.dc_termination,
            ac_termination: Some(daa.ac_termination),
            control_3: daa.control_3,
            spark_quenching,
        };
        if side & LineSide::IDENTITY == LineSide::SI3018 {
            let impedance = match daa.ac_termination {
                real if REAL_AC_TERMINATIONS.contains(&real) => 0,
                NEW_ZEALAND => ACT | ACT_2,
                _ => ACT,
            };
            LineSettings {
                international: daa.international | impedance,
                ac_termination: None,
                control_3: daa.control_3 & SI3018_CONTROL_3,
                ..settings
            }
        } else if daa.dc_termination & DCV == DCV {
            settings
        } else {
            LineSettings { control_3: daa.control_3 & !FULL, ..settings }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringback_country::Country;

    fn settings(country: &str, side: LineSide) -> LineSettings {
        LineSettings::new(country.parse::<Country>().unwrap().daa(), side)
    }

    #[test]
    fn full_scale_is_only_used_with_the_highest_dc_voltage() {
        for country in Country::all() {
            let settings = LineSettings::new(country.daa(), LineSide::SI3019);
            let (full, dcv) = (settings.control_3 & FULL != 0, settings.dc_termination & DCV);
            assert_eq!(full, dcv == DCV, "{country}");
            assert_eq!(settings.dc_termination, country.daa().dc_termination, "{country}");
        }
        assert_eq!(settings("JAPAN", LineSide::SI3019).control_3, 0x23);
        assert_eq!(settings("FCC", LineSide::SI3019).control_3, 0xA3);
    }

    #[test]
    fn a_long_on_hook_time_has_its_spark_quenching() {
        for side in [LineSide::SI3018, LineSide::SI3019] {
            let quenching = |country| settings(country, side).spark_quenching.bits();
            assert_eq!(["AUSTRALIA", "SOUTHAFRICA"].map(quenching), [0x50; 2]);
            assert_eq!(["FCC", "GERMANY", "UK"].map(quenching), [0; 3]);
        }
    }

    #[test]
    fn an_si3018_gets_its_impedance_in_register_16() {
        for (country, international) in
            [("FCC", 0x01), ("GERMANY", 0x20), ("UK", 0x20), ("NEWZEALAND", 0xA0), ("JAPAN", 0)]
        {
            let settings = settings(country, LineSide::SI3018);
            assert_eq!(settings.international, international, "{country}");
            assert_eq!(settings.ac_termination, None);
            assert_eq!(settings.control_3 & !0x68, 0, "{country}");
        }
    }
}
