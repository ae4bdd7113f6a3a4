//! The data: one row a country.
//!
//! Line settings are those of DAHDI's line modes; tones, cadences and levels are those of ITU-T
//! E.180 (supplement 2), ETSI TR 101 041-2 and, for North America, Telcordia GR-506. FCC, USA,
//! CANADA, UK, GERMANY and TBR21 are complete. The other rows have the country's own line settings;
//! of their tones they have those that are one or two steady frequencies in a cadence, and the
//! nearest such signal for a dial tone with a cadence (Italy, Slovakia) or a modulated tone
//! (Australia, India, Japan, South Africa).

use crate::{Cadence, Daa, Plan, Pulse, Row, Signal, Slic};

const fn pair(low_hz: u16, high_hz: u16, cadence: Cadence, level_dbm0: f32) -> Signal {
    Signal { low_hz, high_hz: Some(high_hz), cadence, level_dbm0 }
}

const fn single(hz: u16, cadence: Cadence, level_dbm0: f32) -> Signal {
    Signal { low_hz: hz, high_hz: None, cadence, level_dbm0 }
}

/// Registers 16, 26, 30 and 31 of the Si3050.
const fn daa(international: u8, dc_termination: u8, ac_termination: u8, control_3: u8) -> Daa {
    Daa { international, dc_termination, ac_termination, control_3 }
}

/// Ringing at a frequency, with gains that every country has.
const fn slic(ring_hz: u16, ring_coefficient: u16, ring_amplitude: u16) -> Slic {
    let (receive_gain, transmit_gain) = (0x2000, 0x4000);
    Slic { ring_hz, ring_coefficient, ring_amplitude, receive_gain, transmit_gain }
}

const RINGS_20_HZ: Slic = slic(20, 0x7EF0, 0x0160);
const RINGS_25_HZ: Slic = slic(25, 0x7E6D, 0x01B9);

/// 10 pulses a second, the loop open for 60 % of each.
const PULSE_60: Pulse = Pulse { break_ms: 60, make_ms: 40, gap_ms: 700 };
/// 10 pulses a second, the loop open for two thirds of each.
const PULSE_66: Pulse = Pulse { break_ms: 67, make_ms: 33, gap_ms: 800 };

const STEADY: Cadence = Cadence::CONTINUOUS;

const fn equal(ms: u16) -> Cadence {
    Cadence::on_off(ms, ms)
}

/// Rings twice in short succession, as in the United Kingdom.
const DOUBLE_RING: Cadence = Cadence::double(400, 200, 400, 2000);

/// The same frequency for all tones, as in most countries.
const fn plan(hz: u16, ringback: Cadence, busy: Cadence, reorder: Cadence) -> Plan {
    Plan {
        dial: single(hz, STEADY, -10.0),
        ringback: single(hz, ringback, -10.0),
        busy: single(hz, busy, -10.0),
        reorder: single(hz, reorder, -10.0),
    }
}

const NORTH_AMERICA: Row = Row {
    mode: "FCC",
    english: "North America",
    iso: "",
    daa: daa(0x01, 0xC0, 0x00, 0xA3),
    slic: RINGS_20_HZ,
    tones: Plan {
        dial: pair(350, 440, STEADY, -13.0),
        ringback: pair(440, 480, Cadence::on_off(2000, 4000), -19.0),
        busy: pair(480, 620, equal(500), -24.0),
        reorder: pair(480, 620, equal(250), -24.0),
    },
    ring: Cadence::on_off(2000, 4000),
    pulse: PULSE_60,
    flash_ms: 500,
};

const EUROPE: Row = Row {
    mode: "TBR21",
    english: "Europe",
    iso: "",
    daa: daa(0x00, 0xC2, 0x02, 0xA3),
    slic: slic(25, 0x7E6C, 0x023A),
    tones: plan(425, Cadence::on_off(1000, 4000), equal(500), equal(250)),
    ring: Cadence::on_off(1000, 4000),
    pulse: PULSE_60,
    flash_ms: 100,
};

const AUSTRALIA: Row = Row {
    mode: "AUSTRALIA",
    english: "Australia",
    iso: "AU",
    daa: daa(0x40, 0x30, 0x03, 0xA3),
    tones: plan(425, DOUBLE_RING, equal(375), Cadence::on_off(375, 500)),
    ring: DOUBLE_RING,
    flash_ms: 100,
    ..EUROPE
};

/// The default country.
pub(crate) static DEFAULT: Row = NORTH_AMERICA;

pub(crate) static COUNTRIES: &[Row] = &[
    NORTH_AMERICA,
    Row {
        mode: "USA",
        english: "United States",
        iso: "US",
        daa: daa(0x00, 0xC0, 0x00, 0xA3),
        ..NORTH_AMERICA
    },
    Row {
        mode: "CANADA",
        english: "Canada",
        iso: "CA",
        daa: daa(0x00, 0xC0, 0x00, 0xA3),
        ..NORTH_AMERICA
    },
    EUROPE,
    Row {
        mode: "UK",
        english: "United Kingdom",
        iso: "GB",
        daa: daa(0x00, 0xC2, 0x05, 0xAB),
        slic: RINGS_25_HZ,
        tones: Plan {
            dial: pair(350, 440, STEADY, -19.0),
            ringback: pair(400, 450, DOUBLE_RING, -19.0),
            busy: single(400, equal(375), -19.0),
            reorder: single(400, Cadence::double(400, 350, 225, 525), -19.0),
        },
        ring: DOUBLE_RING,
        pulse: PULSE_66,
        flash_ms: 100,
    },
    Row {
        mode: "GERMANY",
        english: "Germany",
        iso: "DE",
        daa: daa(0x00, 0xC2, 0x03, 0xAB),
        slic: RINGS_25_HZ,
        tones: plan(425, Cadence::on_off(1000, 4000), equal(480), equal(240)),
        ..EUROPE
    },
    Row {
        mode: "AUSTRIA",
        english: "Austria",
        iso: "AT",
        daa: daa(0x00, 0xC2, 0x03, 0xAB),
        slic: RINGS_25_HZ,
        tones: plan(420, Cadence::on_off(1000, 5000), equal(400), equal(200)),
        ring: Cadence::on_off(1000, 5000),
        ..EUROPE
    },
    Row {
        mode: "FRANCE",
        english: "France",
        iso: "FR",
        daa: daa(0x00, 0xC2, 0x02, 0xAB),
        tones: plan(440, Cadence::on_off(1500, 3500), equal(500), equal(250)),
        ring: Cadence::on_off(1500, 3500),
        ..EUROPE
    },
    Row {
        mode: "ITALY",
        english: "Italy",
        iso: "IT",
        daa: daa(0x00, 0xC2, 0x02, 0xAB),
        tones: plan(425, Cadence::on_off(1000, 4000), equal(500), equal(200)),
        ..EUROPE
    },
    Row {
        mode: "SPAIN",
        english: "Spain",
        iso: "ES",
        daa: daa(0x00, 0xC2, 0x02, 0xAB),
        tones: plan(
            425,
            Cadence::on_off(1500, 3000),
            equal(200),
            Cadence::double(200, 200, 200, 600),
        ),
        ring: Cadence::on_off(1500, 3000),
        ..EUROPE
    },
    Row {
        mode: "SWEDEN",
        english: "Sweden",
        iso: "SE",
        daa: daa(0x00, 0xC2, 0x02, 0xAB),
        tones: plan(425, Cadence::on_off(1000, 5000), equal(250), Cadence::on_off(250, 750)),
        ring: Cadence::on_off(1000, 5000),
        ..EUROPE
    },
    AUSTRALIA,
    Row {
        mode: "NEWZEALAND",
        english: "New Zealand",
        iso: "NZ",
        daa: daa(0x00, 0xC0, 0x04, 0xA3),
        slic: RINGS_20_HZ,
        tones: Plan {
            ringback: pair(400, 450, DOUBLE_RING, -10.0),
            ..plan(400, DOUBLE_RING, equal(500), equal(250))
        },
        ..AUSTRALIA
    },
    Row {
        mode: "SOUTHAFRICA",
        english: "South Africa",
        iso: "ZA",
        daa: daa(0x42, 0xC0, 0x03, 0xA3),
        tones: plan(400, DOUBLE_RING, equal(500), equal(250)),
        ..AUSTRALIA
    },
    Row {
        mode: "JAPAN",
        english: "Japan",
        iso: "JP",
        daa: daa(0x00, 0x30, 0x00, 0xA3),
        slic: RINGS_20_HZ,
        tones: plan(400, Cadence::on_off(1000, 2000), equal(500), equal(250)),
        ring: Cadence::on_off(1000, 2000),
        pulse: PULSE_66,
        ..NORTH_AMERICA
    },
    Row {
        mode: "BRAZIL",
        english: "Brazil",
        iso: "BR",
        daa: daa(0x00, 0x30, 0x00, 0xA3),
        tones: plan(
            425,
            Cadence::on_off(1000, 4000),
            equal(250),
            Cadence::double(250, 250, 750, 250),
        ),
        ..EUROPE
    },
    Row {
        mode: "CHINA",
        english: "China",
        iso: "CN",
        daa: daa(0x00, 0x30, 0x0F, 0xA3),
        tones: plan(450, Cadence::on_off(1000, 4000), equal(350), equal(700)),
        ..EUROPE
    },
    Row {
        mode: "POLAND",
        english: "Poland",
        iso: "PL",
        daa: daa(0x03, 0xC0, 0x00, 0xA3),
        tones: plan(425, Cadence::on_off(1000, 4000), equal(500), equal(250)),
        ..EUROPE
    },
    Row {
        mode: "INDIA",
        english: "India",
        iso: "IN",
        daa: daa(0x00, 0xC0, 0x04, 0xA3),
        slic: RINGS_25_HZ,
        tones: plan(400, DOUBLE_RING, equal(750), equal(250)),
        ring: DOUBLE_RING,
        pulse: PULSE_66,
        ..EUROPE
    },
    Row {
        mode: "SLOVAKIA",
        english: "Slovakia",
        iso: "SK",
        daa: daa(0x00, 0xC0, 0x03, 0xA3),
        tones: plan(425, Cadence::on_off(1000, 4000), equal(330), equal(165)),
        ..EUROPE
    },
];
