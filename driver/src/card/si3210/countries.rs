//! What the line of a telephone is in each country, as the chip's registers have it after it is
//! brought up: impedance, ringing, loop current and battery.
//!
//! The rows are those of DAHDI's FXS modules: the impedance that is nearest to its FXO modules' in
//! the country, and ringing of 85 V in its mode TBR21 and of 65 V in all others. The frequency is
//! that of the country's exchanges.

use std::f64::consts::TAU;

use super::bring_up::bring_up;
use super::indirect::Model;
use super::simulation::Si3210;
use crate::PortNumber;
use crate::card::sequence::Sequence;
use ringback_country::Country;
use ringback_softcard::chips::RegisterFile;

/// The impedance (register 10, bits 2 to 0), the frequency of ringing in Hz, its peak in volts, and
/// the countries with these.
const ROWS: [(u8, f64, f64, &[&str]); 7] = [
    // 600 ohm.
    (0, 20.0, 65.0, &["FCC", "CANADA", "GUAM", "JAPAN", "PHILIPPINES", "TAIWAN", "USA"]),
    (
        0,
        25.0,
        65.0,
        &[
            "ARGENTINA",
            "BRAZIL",
            "CHILE",
            "CHINA",
            "HUNGARY",
            "INDONESIA",
            "MACAO",
            "MALAYSIA",
            "MEXICO",
            "POLAND",
            "RUSSIA",
            "SINGAPORE",
            "THAILAND",
            "UAE",
            "UK",
        ],
    ),
    // 270 ohm + (750 ohm || 150 nF), of CTR 21.
    (
        4,
        25.0,
        65.0,
        &[
            "BELGIUM",
            "CZECH",
            "DENMARK",
            "FINLAND",
            "FRANCE",
            "GREECE",
            "ISRAEL",
            "ITALY",
            "NETHERLANDS",
            "NORWAY",
            "PORTUGAL",
            "SPAIN",
            "SWEDEN",
            "SWITZERLAND",
        ],
    ),
    (4, 25.0, 85.0, &["TBR21"]),
    // 220 ohm + (820 ohm || 120 nF).
    (5, 25.0, 65.0, &["AUSTRALIA", "AUSTRIA", "BULGARIA", "GERMANY", "SLOVAKIA", "SOUTHAFRICA"]),
    // 370 ohm + (620 ohm || 310 nF).
    (7, 20.0, 65.0, &["NEWZEALAND"]),
    (7, 25.0, 65.0, &["INDIA"]),
];

/// A chip that was brought up for this country.
fn chip_of(country: Country) -> Si3210 {
    let mut chip = Si3210::new();
    let up = Sequence::new(move |chip| async move {
        bring_up(&chip, PortNumber(0), country, Model::Si3210).await
    });
    up.run(|operation| chip.perform(operation)).unwrap();
    chip
}

/// The frequency in Hz and the peak in volts of ringing by the indirect registers 20 and 21: the
/// data sheet's formulas of the oscillator, which makes 1000 samples a second of up to 96 V.
fn ringing(chip: &Si3210) -> (f64, f64) {
    let registers: [u16; 22] = chip.indirect();
    let coefficient = f64::from(registers[20]) / 32768.0;
    let amplitude = f64::from(registers[21]) / 32768.0;
    let hz = coefficient.acos() / TAU * 1000.0;
    (hz, amplitude * 4.0 * 96.0 * ((1.0 + coefficient) / (1.0 - coefficient)).sqrt())
}

#[test]
fn each_country_has_its_impedance_ringing_and_loop_current() {
    let mut rows: Vec<&str> = ROWS.iter().flat_map(|(.., names)| *names).copied().collect();
    let mut countries: Vec<String> = Country::all().map(|country| country.to_string()).collect();
    rows.sort_unstable();
    countries.sort_unstable();
    assert_eq!(rows, countries, "each country has one row");
    for (impedance, hz, volts, names) in ROWS {
        for name in names {
            let mut chip = chip_of(name.parse().unwrap());
            assert_eq!(chip.read(10), 0x08 | impedance, "{name}");
            let (its_hz, its_volts) = ringing(&chip);
            assert!((its_hz - hz).abs() < 0.6, "{name}: {its_hz} Hz");
            assert!((its_volts - volts).abs() < 1.5, "{name}: {its_volts} V");
            // 20 mA at most, 48 V on-hook from a battery of 75 V, in all countries.
            assert_eq!([71, 72, 74].map(|register| chip.read(register)), [0, 0x20, 0x32], "{name}");
        }
    }
}
