//! The zones of tones: what the exchanges of a country sound like and how they ring, one row each.
//!
//! Frequencies and cadences are those of ITU-T E.180 supplement 2 and, where that says nothing, of
//! the tables that exchanges in software use. Where those fill a gap with American tones the row
//! has none; nor has it a tone that for seconds can't be told from dial tone, as Australia's
//! special information tone, 425 Hz for 2.5 s. The levels are those of ETSI TR 101 041-2 and, for
//! North America, Telcordia GR-506. A telephone has hung up after four times the flash of 100 ms
//! that most exchanges take, or after the longest flash, of a second, that those of North America
//! take. A call is over after three cycles of busy or reorder tone. The notation is that of
//! [`Signal`]. Besides the countries there are the tones of most of Europe (with the line mode
//! TBR21) and those of North America before the precise tone plan.

use std::sync::LazyLock;

use crate::{Cadence, CallerIdMethod, Plan, Profile, Pulse, Signal};

/// Dial tone at whose beginning a part of it sounds once for each `+`: six times for 100 ms, if
/// nothing else is said.
macro_rules! stutter {
    ($hz:literal) => {
        stutter!($hz after "/100,!0/100" + + + + + +)
    };
    ($hz:literal after $part:literal $($once:tt)+) => {
        concat!($(stutter!(@ $once $hz $part)),+, $hz)
    };
    (@ $once:tt $hz:literal $part:literal) => {
        concat!("!", $hz, $part, ",")
    };
}

/// The data of one zone, as they are written.
struct ZoneRow {
    /// Its key: ISO 3166-1 alpha-2, or another word for what is no country.
    iso: &'static str,
    english: &'static str,
    ring: &'static str,
    ring_hz: u16,
    dial: &'static str,
    ringback: &'static str,
    busy: &'static str,
    reorder: &'static str,
    special_information: &'static str,
    recall: &'static str,
    stutter: &'static str,
    waiting: &'static str,
    levels: Levels,
    caller_id: Option<CallerIdMethod>,
    pulse: Pulse,
    flash_ms: u16,
    hang_up_ms: u16,
    busy_cycles: u8,
}

impl ZoneRow {
    /// What rows have that do not say otherwise. An empty signal is one that no table specifies.
    const NONE: ZoneRow = ZoneRow {
        iso: "",
        english: "",
        ring: "",
        ring_hz: 25,
        dial: "",
        ringback: "",
        busy: "",
        reorder: "",
        special_information: "",
        recall: "",
        stutter: "",
        waiting: "",
        levels: EVEN,
        caller_id: None,
        pulse: PULSE_60,
        flash_ms: 100,
        hang_up_ms: 400,
        busy_cycles: 3,
    };
}

/// The levels of the tones, of each frequency, in dBm0.
#[derive(Clone, Copy)]
struct Levels {
    dial: f32,
    ringback: f32,
    /// Busy, reorder and all further tones.
    others: f32,
}

const EVEN: Levels = Levels { dial: -10.0, ringback: -10.0, others: -10.0 };
const BRITISH: Levels = Levels { dial: -19.0, ringback: -19.0, others: -19.0 };
/// North America's precise tone plan.
const PRECISE: Levels = Levels { dial: -13.0, ringback: -19.0, others: -24.0 };

/// 10 pulses a second, the loop open for 60 % of each.
const PULSE_60: Pulse = Pulse { break_ms: 60, make_ms: 40, gap_ms: 700 };
/// 10 pulses a second, the loop open for two thirds of each.
const PULSE_66: Pulse = Pulse { break_ms: 67, make_ms: 33, gap_ms: 800 };

/// One zone.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) key: String,
    pub(crate) english: String,
    pub(crate) tones: Plan,
    pub(crate) ring: Cadence,
    pub(crate) ring_hz: u16,
    pub(crate) caller_id: Option<CallerIdMethod>,
    pub(crate) pulse: Pulse,
    pub(crate) flash_ms: u16,
    pub(crate) hang_up_ms: u16,
    pub(crate) busy_cycles: u8,
    pub(crate) profile: Option<&'static Profile>,
}

impl Zone {
    fn new(row: &ZoneRow) -> Option<Zone> {
        let Levels { dial, ringback, others } = row.levels;
        let signal = |text: &str, level| Signal::parse(text, level).ok();
        let further = |text: &str, level| match text {
            "" => Some(None),
            text => signal(text, level).map(Some),
        };
        Some(Zone {
            key: row.iso.to_owned(),
            english: row.english.to_owned(),
            tones: Plan {
                dial: signal(row.dial, dial)?,
                ringback: signal(row.ringback, ringback)?,
                busy: signal(row.busy, others)?,
                reorder: signal(row.reorder, others)?,
                special_information: further(row.special_information, others)?,
                recall: further(row.recall, dial)?,
                stutter: further(row.stutter, dial)?,
                waiting: further(row.waiting, others)?,
            },
            ring: row.ring.parse().ok()?,
            ring_hz: row.ring_hz,
            caller_id: row.caller_id,
            pulse: row.pulse,
            flash_ms: row.flash_ms,
            hang_up_ms: row.hang_up_ms,
            busy_cycles: row.busy_cycles,
            // No country has one: two exchanges of it differ.
            profile: None,
        })
    }
}

/// All zones. A test ensures that every row can be read.
pub(crate) fn zones() -> &'static [Zone] {
    static ZONES: LazyLock<Vec<Zone>> =
        LazyLock::new(|| ROWS.iter().filter_map(Zone::new).collect());
    &ZONES
}

/// The zone with this key or English name, in any case.
pub(crate) fn zone(name: &str) -> Option<&'static Zone> {
    let called = |zone: &&Zone| {
        zone.key.eq_ignore_ascii_case(name) || zone.english.eq_ignore_ascii_case(name)
    };
    zones().iter().find(called)
}

static ROWS: &[ZoneRow] = &[
    ZoneRow {
        iso: "EUROPE",
        english: "most of Europe",
        ring: "1000,4000",
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "AE",
        english: "United Arab Emirates",
        ring: "1500,4000",
        ring_hz: 25,
        dial: "350+440",
        ringback: "400+425/400,0/200,400+425/400,0/2000",
        busy: "400/375,0/375",
        reorder: "425/400,0/350,425/225,0/525",
        special_information: "950/330,1450/330,1850/330,0/1000",
        stutter: "380+420",
        waiting: "420/40,0/1960",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "AR",
        english: "Argentina",
        ring: "1000,4500",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4500",
        busy: "425/300,0/300",
        reorder: "425/200,0/300",
        special_information: "425/100,0/100",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425/450,0/50",
        waiting: "425/200,0/9000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "AT",
        english: "Austria",
        ring: "1000,5000",
        ring_hz: 25,
        dial: "420",
        ringback: "420/1000,0/5000",
        busy: "420/400,0/400",
        reorder: "420/200,0/200",
        special_information: "950/330,1450/330,1850/330,0/1000",
        recall: "420",
        stutter: "380+420",
        waiting: "420/40,0/1960",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "AU",
        english: "Australia",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "415+440",
        ringback: "413+438/400,0/200,413+438/400,0/2000",
        busy: "425/375,0/375",
        reorder: "425/375,0/375",
        recall: "413+428",
        stutter: "413+438/100,0/40",
        waiting: "425/100,0/200,425/200,0/4400",
        caller_id: Some(CallerIdMethod::BELL_202),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "BE",
        english: "Belgium",
        ring: "1000,3000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/3000",
        busy: "425/500,0/500",
        reorder: "425/167,0/167",
        special_information: "900/330,1400/330,1800/330,0/1000",
        stutter: "425/1000,0/250",
        waiting: "1400/175,0/175,1400/175,0/3500",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "BG",
        english: "Bulgaria",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425/1500,0/100",
        waiting: "425/150,0/150,425/150,0/4000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "BR",
        english: "Brazil",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/250,0/250",
        reorder: "425/250,0/250,425/750,0/250",
        special_information: "950/330,1400/330,1800/330",
        waiting: "425/50,0/1000",
        caller_id: Some(CallerIdMethod::BRAZILIAN),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "CH",
        english: "Switzerland",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425+340/1100,0/1100",
        waiting: "425/200,0/200,425/200,0/4000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "CL",
        english: "Chile",
        ring: "1000,3000",
        ring_hz: 25,
        dial: "400",
        ringback: "400/1000,0/3000",
        busy: "400/500,0/500",
        reorder: "400/200,0/200",
        special_information: "950/333,1400/333,1800/333,0/1000",
        recall: "!400/100,!0/100,!400/100,!0/100,!400/100,!0/100,400",
        stutter: stutter!("400"),
        waiting: "400/250,0/8750",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "CN",
        english: "China",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "450",
        ringback: "450/1000,0/4000",
        busy: "450/350,0/350",
        reorder: "450/700,0/700",
        special_information: "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400",
        recall: "450",
        stutter: "450+425",
        waiting: "450/400,0/4000",
        caller_id: Some(CallerIdMethod::BELL_202),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "CR",
        english: "Costa Rica",
        ring: "1203,4797",
        ring_hz: 25,
        dial: "450",
        ringback: "450/1203,0/4900",
        busy: "450/330,0/330",
        reorder: "450/330,0/330",
        special_information: "!950/330,!1400/330,!1800/330,0",
        recall: "!450/100,!0/100,!450/100,!0/100,!450/100,!0/100,450",
        stutter: stutter!("450"),
        waiting: "450/150,0/150,450/150,0/8000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "CZ",
        english: "Czech Republic",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425/330,0/330,425/660,0/660",
        ringback: "425/1000,0/4000",
        busy: "425/330,0/330",
        reorder: "425/165,0/165",
        special_information: "950/330,0/30,1400/330,0/30,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425/330,0/330,425/660,0/660",
        stutter: "425/450,0/50",
        waiting: "425/330,0/9000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "DE",
        english: "Germany",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/480,0/480",
        reorder: "425/240,0/240",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425+400",
        waiting: "425/200,0/200,425/200,0/5000",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "DK",
        english: "Denmark",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425/450,0/50",
        waiting: "!425/200,!0/600,!425/200,!0/3000,!425/200,!0/200,!425/200,0",
        caller_id: Some(CallerIdMethod::DANISH),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "EE",
        english: "Estonia",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/300,0/300",
        reorder: "425/200,0/200",
        special_information: "950/650,0/325,950/325,0/30,1400/1300,0/2600",
        recall: "425/650,0/25",
        stutter: stutter!("425"),
        waiting: "950/650,0/325,950/325,0/30,1400/1300,0/2600",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "ES",
        english: "Spain",
        ring: "1500,3000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1500,0/3000",
        busy: "425/200,0/200",
        reorder: "425/200,0/200,425/200,0/200,425/200,0/600",
        special_information: "950/330,0/1000",
        recall: "!425/200,!0/200,!425/200,!0/200,!425/200,!0/200,425",
        stutter: "425/500,0/50",
        waiting: "425/175,0/175,425/175,0/3500",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "FI",
        english: "Finland",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/300,0/300",
        reorder: "425/200,0/200",
        special_information: "950/650,0/325,950/325,0/30,1400/1300,0/2600",
        recall: "425/650,0/25",
        stutter: "425/650,0/25",
        waiting: "425/150,0/150,425/150,0/8000",
        caller_id: Some(CallerIdMethod::DTMF),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "FR",
        english: "France",
        ring: "1500,3500",
        ring_hz: 25,
        dial: "440",
        ringback: "440/1500,0/3500",
        busy: "440/500,0/500",
        reorder: "440/250,0/250",
        special_information: "!950/330,!1400/330,!1800/330,0",
        stutter: stutter!("440"),
        waiting: "440/300,0/10000",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "GB",
        english: "United Kingdom",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "350+440",
        ringback: "400+450/400,0/200,400+450/400,0/2000",
        busy: "400/375,0/375",
        reorder: "400/400,0/350,400/225,0/525",
        special_information: "950/330,0/15,1400/330,0/15,1800/330,0/1000",
        recall: "350+440",
        stutter: "350+440/750,440/750",
        waiting: "400/100,0/4000",
        levels: BRITISH,
        pulse: PULSE_66,
        caller_id: Some(CallerIdMethod::BRITISH),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "GR",
        english: "Greece",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425/200,0/300,425/700,0/800",
        ringback: "425/1000,0/4000",
        busy: "425/300,0/300",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425/650,0/25",
        stutter: "425/650,0/25",
        waiting: "425/150,0/150,425/150,0/8000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "HU",
        english: "Hungary",
        ring: "1250,3750",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1250,0/3750",
        busy: "425/300,0/300",
        reorder: "425/300,0/300",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425+450",
        stutter: "350+375+400",
        waiting: "425/40,0/1960",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "ID",
        english: "Indonesia",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/1000",
        waiting: "425/150,0/150,425/150,0/10000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "IL",
        english: "Israel",
        ring: "1000,3000",
        ring_hz: 25,
        dial: "414",
        ringback: "414/1000,0/3000",
        busy: "414/500,0/500",
        reorder: "414/250,0/250",
        special_information: "1000/330,1400/330,1800/330,0/1000",
        recall: "!414/100,!0/100,!414/100,!0/100,!414/100,!0/100,414",
        stutter: stutter!("414" after "/160,!0/160" + + + + + + + + + +),
        waiting: "414/100,0/100,414/100,0/100,414/600,0/3000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "IN",
        english: "India",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "400*25",
        ringback: "400*25/400,0/200,400*25/400,0/2000",
        busy: "400/750,0/750",
        reorder: "400/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/1000",
        waiting: "400/200,0/100,400/200,0/7500",
        pulse: PULSE_66,
        caller_id: Some(CallerIdMethod::DTMF),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "IT",
        english: "Italy",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425/200,0/200,425/600,0/1000",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "470/400,425/400",
        stutter: "470/400,425/400",
        waiting: "425/400,0/100,425/250,0/100,425/150,0/14000",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "JP",
        english: "Japan",
        ring: "1000,2000",
        ring_hz: 20,
        dial: "400",
        ringback: "400*15/1000,0/2000",
        busy: "400/500,0/500",
        reorder: "400/500,0/500",
        special_information: "!950/330,!1400/330,!1800/330,0",
        recall: "!400/200,!0/200,!400/200,!0/200,!400/200,!0/200,400",
        stutter: stutter!("400"),
        waiting: "400*16/500,0/8000",
        caller_id: Some(CallerIdMethod::JAPANESE),
        pulse: PULSE_66,
        flash_ms: 500,
        hang_up_ms: 1100,
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "LT",
        english: "Lithuania",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/350,0/350",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425/500,0/50",
        stutter: stutter!("425"),
        waiting: "425/150,0/150,425/150,0/4000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "MO",
        english: "Macao",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        special_information: "950/333,1400/333,1800/333,0/1000",
        stutter: stutter!("425"),
        waiting: "425/200,0/600",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "MX",
        english: "Mexico",
        ring: "2000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/250,0/250",
        reorder: "425/250,0/250",
        special_information: "950/330,0/30,1400/330,0/30,1800/330,0/1000",
        waiting: "425/200,0/600,425/200,0/10000",
        flash_ms: 500,
        hang_up_ms: 1100,
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "MY",
        english: "Malaysia",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/400,0/200,425/400,0/2000",
        busy: "425/500,0/500",
        reorder: "425/500,0/500",
        special_information: "950/330,0/15,1400/330,0/15,1800/330,0/1000",
        stutter: "450+425",
        waiting: "425/100,0/4000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "NL",
        english: "Netherlands",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: "425/500,0/50",
        waiting: "425/500,0/9500",
        caller_id: Some(CallerIdMethod::DTMF),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "NO",
        english: "Norway",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "470/400,425/400",
        stutter: "470/400,425/400",
        waiting: "425/200,0/600,425/200,0/10000",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "NZ",
        english: "New Zealand",
        ring: "400,200,400,2000",
        ring_hz: 20,
        dial: "400",
        ringback: "400+450/400,0/200,400+450/400,0/2000",
        busy: "400/500,0/500",
        reorder: "400/250,0/250",
        special_information: "400/750,0/100,400/750,0/100,400/750,0/100,400/750,0/400",
        recall: "!400/100,!0/100,!400/100,!0/100,!400/100,!0/100,400",
        stutter: stutter!("400"),
        waiting: "400/250,0/250,400/250,0/3250",
        caller_id: Some(CallerIdMethod::BELL_202),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "PA",
        english: "Panama",
        ring: "2000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1200,0/4650",
        busy: "425/320,0/320",
        reorder: "425/320,0/320",
        special_information: "!950/330,!1400/330,!1800/330,0",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: stutter!("425"),
        waiting: "!425/180,!0/180,!425/180,0",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "PH",
        english: "Philippines",
        ring: "1000,4000",
        ring_hz: 20,
        dial: "425",
        ringback: "425+480/1000,0/4000",
        busy: "480+620/500,0/500",
        reorder: "480+620/250,0/250",
        special_information: "!950/330,!1400/330,!1800/330,0",
        waiting: "440/300,0/10000",
        levels: PRECISE,
        flash_ms: 500,
        hang_up_ms: 1100,
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "PL",
        english: "Poland",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/500,0/500",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425/500,0/50",
        stutter: stutter!("425"),
        waiting: "425/150,0/150,425/150,0/4000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "PT",
        english: "Portugal",
        ring: "1000,5000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/5000",
        busy: "425/500,0/500",
        reorder: "425/200,0/200",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425/1000,0/200",
        stutter: stutter!("425"),
        waiting: "425/600,0/5000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "RU",
        english: "Russia",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/350,0/350",
        reorder: "425/175,0/175",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425/400,0/40",
        stutter: stutter!("425"),
        waiting: "425/200,0/5000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "SE",
        english: "Sweden",
        ring: "1000,5000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/5000",
        busy: "425/250,0/250",
        reorder: "425/250,0/750",
        special_information: "950/332,0/24,1400/332,0/24,1800/332,0/2024",
        recall: "!425/100,!0/100,!425/100,!0/100,!425/100,!0/100,425",
        stutter: stutter!("425"),
        waiting: "425/200,0/500,425/200,0/9100",
        caller_id: Some(CallerIdMethod::DTMF),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "SG",
        english: "Singapore",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "425",
        ringback: "425*24/400,0/200,425*24/400,0/2000",
        busy: "425/750,0/750",
        reorder: "425/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/1000",
        recall: "425*24/500,0/500,425/500,0/2500",
        stutter: stutter!("425" after "/200,!0/200,!425/600,!0/200" + + + +),
        waiting: "425*24/300,0/200,425*24/300,0/3200",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "SK",
        english: "Slovakia",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/330,0/330",
        reorder: "425/165,0/165",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "TH",
        english: "Thailand",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "400*50",
        ringback: "400/1000,0/4000",
        busy: "400/500,0/500",
        reorder: "400/300,0/300",
        special_information: "950/330,1400/330,1800/330",
        recall: "400*50/400,0/100,400*50/400,0/100",
        stutter: stutter!("400" after "/200,!0/200,!400/600,!0/200" + + + +),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "TR",
        english: "Turkey",
        ring: "2000,4000",
        ring_hz: 25,
        dial: "450",
        ringback: "450/2000,0/4000",
        busy: "450/500,0/500",
        reorder: "450/200,0/200,450/200,0/200,450/200,0/200,450/600,0/200",
        special_information: "!950+1400/300,!0/1000,!950+1400/300,!0/1000,!950+1400/1000,0",
        stutter: stutter!("450"),
        waiting: "450/200,0/600,450/200,0/8000",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "TW",
        english: "Taiwan",
        ring: "1000,2000",
        ring_hz: 20,
        dial: "350+440",
        ringback: "440+480/1000,0/2000",
        busy: "480+620/500,0/500",
        reorder: "480+620/250,0/250",
        special_information: "!950/330,!1400/330,!1800/330,0",
        stutter: stutter!("350+440"),
        waiting: "350+440/250,0/250,350+440/250,0/3250",
        levels: PRECISE,
        flash_ms: 500,
        hang_up_ms: 1100,
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "US",
        english: "United States",
        ring: "2000,4000",
        ring_hz: 20,
        dial: "350+440",
        ringback: "440+480/2000,0/4000",
        busy: "480+620/500,0/500",
        reorder: "480+620/250,0/250",
        special_information: "!950/330,!1400/330,!1800/330,0",
        recall: "!350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440",
        stutter: stutter!("350+440"),
        waiting: "440/300,0/10000",
        levels: PRECISE,
        flash_ms: 500,
        hang_up_ms: 1100,
        caller_id: Some(CallerIdMethod::BELL_202),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "US-OLD",
        english: "North America about 1950",
        ring: "2000,4000",
        ring_hz: 20,
        dial: "600*120",
        ringback: "420*40/2000,0/4000",
        busy: "500*100/500,0/500",
        reorder: "500*100/250,0/250",
        special_information: "!950/330,!1400/330,!1800/330,0",
        recall: "!600*120/100,!0/100,!600*120/100,!0/100,!600*120/100,!0/100,600*120",
        stutter: stutter!("600*120"),
        waiting: "440/300,0/10000",
        levels: PRECISE,
        flash_ms: 500,
        hang_up_ms: 1100,
        caller_id: Some(CallerIdMethod::BELL_202),
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "VE",
        english: "Venezuela",
        ring: "1000,4000",
        ring_hz: 25,
        dial: "425",
        ringback: "425/1000,0/4000",
        busy: "425/500,0/500",
        reorder: "425/250,0/250",
        special_information: "950/330,1440/330,1800/330,0/1000",
        recall: "425",
        stutter: stutter!("425"),
        waiting: "400+450/300,0/6000",
        ..ZoneRow::NONE
    },
    ZoneRow {
        iso: "ZA",
        english: "South Africa",
        ring: "400,200,400,2000",
        ring_hz: 25,
        dial: "400*33",
        ringback: "400*33/400,0/200,400*33/400,0/2000",
        busy: "400/500,0/500",
        reorder: "400/250,0/250",
        special_information: "950/330,1400/330,1800/330,0/330",
        stutter: stutter!("400*33"),
        waiting: "!400*33/250,!0/250,!400*33/250,!0/250,!400*33/250,!0/250,!400*33/250,0",
        caller_id: Some(CallerIdMethod::V_23),
        ..ZoneRow::NONE
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_read_and_has_a_key_of_its_own() {
        for row in ROWS {
            assert!(Zone::new(row).is_some(), "{}", row.iso);
        }
        for (place, zone) in zones().iter().enumerate() {
            let same = zones().iter().position(|other| other.key == zone.key);
            assert_eq!(same, Some(place), "{}", zone.key);
        }
        assert_eq!(zones().len(), ROWS.len());
    }

    #[test]
    fn a_stutter_is_written_by_its_parts() {
        let six = "!425/100,!0/100,".repeat(6) + "425";
        assert_eq!(stutter!("425"), six);
        let twice = "!400/200,!0/200,!400/600,!0/200,".repeat(2) + "400";
        assert_eq!(stutter!("400" after "/200,!0/200,!400/600,!0/200" + +), twice);
    }

    /// Tables fill gaps with the American dial tone; a caller would take it for the country's.
    #[test]
    fn no_zone_has_american_tones_that_are_not_its_own() {
        for zone in zones() {
            let own = zone.tones.dial.to_string();
            for signal in [&zone.tones.recall, &zone.tones.stutter].into_iter().flatten() {
                let american = signal.to_string().contains("350+440");
                assert!(!american || own.contains("350+440"), "{}: {signal}", zone.key);
            }
        }
    }
}
