//! A country of the user's own: a TOML file that says what differs from a known country.
//!
//! Every key may be left out. What is wrong is reported with its line and column, and nothing of
//! the file is used then.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use ringback_country::{Cadence, Changes, Companding, Country, Daa, Pulse, Signal};
use serde::Deserialize;

use crate::exchange_section::ExchangeSection;

/// The largest file that is read, in bytes. One with every key has 1 KiB.
const MOST_BYTES: u64 = 64 * 1024;

/// A file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The country that it changes.
    #[serde(default)]
    base: Base,
    #[serde(default)]
    companding: Option<Law>,
    #[serde(default)]
    line: Option<Registers>,
    #[serde(default)]
    tones: Tones,
    #[serde(default)]
    ring: Ring,
    #[serde(default)]
    pulse: Option<Durations>,
    #[serde(default)]
    hook: HookTimes,
    #[serde(default)]
    telephone: TelephoneKeys,
    #[serde(default)]
    exchange: Option<ExchangeSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
struct Base(Country);

impl TryFrom<String> for Base {
    type Error = ringback_country::CountryError;

    fn try_from(name: String) -> Result<Base, Self::Error> {
        name.parse().map(Base)
    }
}

/// The law of the samples of all modules.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Law(Companding);

impl TryFrom<String> for Law {
    type Error = String;

    fn try_from(name: String) -> Result<Law, String> {
        let mut laws = [Companding::ULaw, Companding::ALaw].into_iter();
        let law = laws.find(|law| law.to_string().eq_ignore_ascii_case(&name));
        law.map(Law).ok_or_else(|| {
            format!("samples are not companded by {name:?}: write \"u-law\" or \"A-law\"")
        })
    }
}

/// Registers of FXO modules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Registers {
    international: u8,
    dc_termination: u8,
    ac_termination: u8,
    control_3: u8,
    /// The coefficients of the hybrid, as `ringback lines --tune` prints them.
    #[serde(default)]
    hybrid: [i8; 8],
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tones {
    /// The level of each frequency, in dBm0.
    level: Option<Level>,
    dial: Option<Notation>,
    ringback: Option<Notation>,
    busy: Option<Notation>,
    reorder: Option<Notation>,
    special_information: Option<Notation>,
    recall: Option<Notation>,
    stutter: Option<Notation>,
    waiting: Option<Notation>,
    /// How many cycles of busy or reorder end a call.
    busy_cycles: Option<Cycles>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u8")]
struct Cycles(u8);

impl TryFrom<u8> for Cycles {
    type Error = String;

    fn try_from(cycles: u8) -> Result<Cycles, String> {
        if (2..=10).contains(&cycles) {
            return Ok(Cycles(cycles));
        }
        Err(format!("{cycles} cycles can't end a call: write 2 to 10"))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Notation(Signal);

impl TryFrom<String> for Notation {
    type Error = ringback_country::SignalError;

    fn try_from(text: String) -> Result<Notation, Self::Error> {
        // The level is set when the whole file is known.
        Signal::parse(&text, 0.0).map(Notation)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f32")]
struct Level(f32);

impl TryFrom<f32> for Level {
    type Error = String;

    fn try_from(level: f32) -> Result<Level, String> {
        if (-40.0..=-3.0).contains(&level) {
            return Ok(Level(level));
        }
        Err(format!("a tone can't have {level} dBm0: write a level from -40 to -3"))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ring {
    cadence: Option<RingTimes>,
    hz: Option<RingHz>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct RingTimes(Cadence);

impl TryFrom<String> for RingTimes {
    type Error = ringback_country::CadenceError;

    fn try_from(text: String) -> Result<RingTimes, Self::Error> {
        text.parse().map(RingTimes)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
struct RingHz(u16);

impl TryFrom<u16> for RingHz {
    type Error = String;

    fn try_from(hz: u16) -> Result<RingHz, String> {
        if hz == 20 || hz == 25 {
            return Ok(RingHz(hz));
        }
        Err(format!("telephones can't be rung with {hz} Hz: write 20 or 25"))
    }
}

/// A time in ms within limits.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
struct Ms<const LEAST: u16, const MOST: u16>(u16);

impl<const LEAST: u16, const MOST: u16> TryFrom<u16> for Ms<LEAST, MOST> {
    type Error = String;

    fn try_from(ms: u16) -> Result<Self, String> {
        if (LEAST..=MOST).contains(&ms) {
            return Ok(Ms(ms));
        }
        Err(format!("{ms} ms is out of range: write {LEAST} to {MOST}"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Durations {
    break_ms: Ms<20, 70>,
    make_ms: Ms<10, 50>,
    gap_ms: Ms<200, 800>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HookTimes {
    flash_ms: Option<Ms<80, 500>>,
    hang_up_ms: Option<Ms<200, 3000>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TelephoneKeys {
    impedance: Option<Impedance>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u8")]
struct Impedance(u8);

impl TryFrom<u8> for Impedance {
    type Error = String;

    fn try_from(number: u8) -> Result<Impedance, String> {
        if number <= 7 {
            return Ok(Impedance(number));
        }
        Err(format!("there is no impedance {number}: write 0 (600 ohm) to 7"))
    }
}

/// Reads a country from the command line: its name, or a file whose name ends in `.toml`.
///
/// # Errors
/// What is wrong, and what to write instead.
pub(crate) fn parse_country(text: &str) -> Result<Country, String> {
    let path = Path::new(text);
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("toml")) {
        return text.parse().map_err(|error: ringback_country::CountryError| error.to_string());
    }
    let failed = |error: std::io::Error| format!("{text} can't be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{text} has more than {MOST_BYTES} bytes, which no country needs"));
    }
    let content = str::from_utf8(&bytes).map_err(|error| {
        format!("{text} is no text in UTF-8, at byte {}: save it as UTF-8", error.valid_up_to())
    })?;
    let name = path.file_stem().map_or_else(|| "own".into(), |stem| stem.to_string_lossy());
    read(content, &name).map_err(|error| format!("{text}: {error}"))
}

/// Reads a country from the content of a file.
///
/// # Errors
/// What is wrong, with its line and column.
pub(crate) fn read(content: &str, name: &str) -> Result<Country, String> {
    let text: Text = toml::from_str(content).map_err(|error| error.to_string())?;
    let country = text.base.0;
    let hang_up_ms = text.hook.hang_up_ms.map(|Ms(ms)| ms);
    let flash_ms = text.hook.flash_ms.map(|Ms(ms)| ms);
    let ms = |time: std::time::Duration| u16::try_from(time.as_millis()).unwrap_or(u16::MAX);
    let flash = flash_ms.unwrap_or_else(|| ms(country.flash()));
    let hang_up = hang_up_ms.unwrap_or_else(|| ms(country.hang_up()));
    if flash >= hang_up {
        return Err(format!(
            "a flash of {flash} ms would hang up, which takes {hang_up} ms: write a longer \
             hang_up_ms or a shorter flash_ms in [hook]"
        ));
    }
    let level = text.tones.level;
    let signal = |tone: Option<Notation>, own: &Signal| {
        tone.map(|Notation(mut signal)| {
            signal.level_dbm0 = level.map_or(own.level_dbm0, |Level(level)| level);
            signal
        })
    };
    let profile = text.exchange.as_ref().map(ExchangeSection::profile).transpose();
    let profile = profile.map_err(|error| format!("[exchange]: {error}"))?;
    let (tones, own) = (text.tones, country.tones());
    let changes = Changes {
        daa: text.line.map(|line| Daa {
            international: line.international,
            dc_termination: line.dc_termination,
            ac_termination: line.ac_termination,
            control_3: line.control_3,
            hybrid: line.hybrid,
        }),
        companding: text.companding.map(|Law(companding)| companding),
        impedance: text.telephone.impedance.map(|Impedance(number)| number),
        dial: signal(tones.dial, &own.dial),
        ringback: signal(tones.ringback, &own.ringback),
        busy: signal(tones.busy, &own.busy),
        reorder: signal(tones.reorder, &own.reorder),
        special_information: signal(tones.special_information, &own.reorder),
        recall: signal(tones.recall, &own.dial),
        stutter: signal(tones.stutter, &own.dial),
        waiting: signal(tones.waiting, &own.busy),
        ring: text.ring.cadence.map(|RingTimes(cadence)| cadence),
        ring_hz: text.ring.hz.map(|RingHz(hz)| hz),
        pulse: text.pulse.map(|pulse| Pulse {
            break_ms: pulse.break_ms.0,
            make_ms: pulse.make_ms.0,
            gap_ms: pulse.gap_ms.0,
        }),
        flash_ms,
        hang_up_ms,
        busy_cycles: tones.busy_cycles.map(|Cycles(cycles)| cycles),
        profile,
    };
    Ok(country.changed(name, &changes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const WHOLE: &str = r#"
base = "de"
companding = "u-law"

[line] # registers 16, 26, 30 and 31 of the Si3050
international = 0x40
dc_termination = 0xC2
ac_termination = 0x03
control_3 = 0xAB
hybrid = [0, -12, 5, 0, 0, 0, 0, 0]

[tones]
level = -12
dial = "425/200,0/300,425/700,0/800"
ringback = "425/1000,0/4000"
busy = "500/250,0/250"
reorder = "500/125,0/125"
special_information = "!950/330,!1400/330,!1800/330,0"
recall = "!425/100,!0/100,425"
stutter = "!425/100,!0/100,!425/100,!0/100,425"
waiting = "425/200,0/5000"
busy_cycles = 2

[ring]
cadence = "700,900"
hz = 20

[pulse]
break_ms = 60
make_ms = 40
gap_ms = 750

[hook]
flash_ms = 250
hang_up_ms = 900

[telephone]
impedance = 4

[exchange]
base = "european-pbx"
park = "!W*23N"
"#;

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let country = read(WHOLE, "pbx").unwrap();
        assert_eq!(country.to_string(), "GERMANY/pbx");
        assert_eq!((country.daa().international, country.slic().impedance), (0x40, 4));
        let tones = country.tones();
        assert_eq!(tones.dial.to_string(), "425/200,0/300,425/700,0/800");
        assert_eq!(
            (tones.busy.to_string(), tones.busy.level_dbm0),
            ("500/250,0/250".into(), -12.0)
        );
        assert!(tones.recall.is_some() && tones.stutter.is_some() && tones.waiting.is_some());
        assert_eq!((country.ring(), country.slic().ring_hz), (Cadence::on_off(700, 900), 20));
        assert_eq!((country.pulse().gap_ms, country.busy_cycles()), (750, 2));
        assert_eq!(country.profile().unwrap().codes.park, Some("!W*23N"));
        assert_eq!([country.flash(), country.hang_up()], [250, 900].map(Duration::from_millis));

        let germany: Country = "de".parse().unwrap();
        assert_eq!(country.companding(), Companding::ULaw);
        assert_eq!(germany.companding(), Companding::ALaw);
        let law = |file: &str| read(file, "pbx").unwrap().companding();
        assert_eq!(law("companding = 'A-LAW'"), Companding::ALaw);
        let little = read("base = 'Germany'\n[hook]\nflash_ms = 200", "pbx").unwrap();
        assert_eq!((little.tones(), little.daa()), (germany.tones(), germany.daa()));
        assert_eq!(little.flash(), Duration::from_millis(200));
        assert_eq!(little.companding(), Companding::ALaw);
        assert_eq!(read("", "pbx").unwrap().tones(), Country::default().tones());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column_and_the_cure() {
        for (content, place, cure) in [
            ("base = 'Atlantis'", "line 1, column 8", "use one of"),
            ("companding = 'g711'", "line 1, column 14", "write \"u-law\" or \"A-law\""),
            ("[tones]\n\nbusy = '425/x'", "line 3, column 8", "write HZ/MS"),
            ("[tones]\nbusy_cycles = 1", "line 2, column 15", "write 2 to 10"),
            ("[exchange]\nbase = 'x'", "line 2, column 8", "european-pbx"),
            ("[tones]\nlevel = 3.0", "line 2, column 9", "from -40 to -3"),
            ("[tones]\nbusi = '425'", "line 2, column 1", "expected one of `level`, `dial`"),
            ("[ring]\ncadence = '1000'", "line 2, column 11", "two or four times"),
            ("[ring]\nhz = 50", "line 2, column 6", "write 20 or 25"),
            ("[hook]\nflash_ms = 20", "line 2, column 12", "write 80 to 500"),
            ("[hook]\nflash_ms = 'a'", "line 2, column 12", "expected u16"),
            ("[telephone]\nimpedance = 8", "line 2, column 13", "0 (600 ohm) to 7"),
            ("[pulse]\nbreak_ms = 60", "line 1, column 1", "missing field `make_ms`"),
            ("base = ", "line 1, column 8", "value"),
        ] {
            let error = read(content, "pbx").unwrap_err();
            assert!(error.contains(place) && error.contains(cure), "{content:?}: {error}");
        }
        let error = read("[hook]\nflash_ms = 300\nhang_up_ms = 300", "pbx").unwrap_err();
        assert!(error.contains("would hang up"), "{error}");
    }

    /// Whatever a file contains, it is read or refused.
    #[test]
    fn no_file_is_too_odd() {
        let bytes = WHOLE.as_bytes();
        for at in 0..bytes.len() {
            for odd in [b'\n', b'"', b'[', b'9', b'=', b'-', 0xC3] {
                let mut file = bytes.to_vec();
                file[at] = odd;
                if let Ok(text) = str::from_utf8(&file) {
                    let _ = read(text, "pbx");
                }
            }
            let _ = read(&WHOLE[..at], "pbx");
        }
        let deep = format!("base = {}", "[".repeat(30_000));
        assert!(read(&deep, "pbx").is_err());
        let long = format!("[tones]\nbusy = '{}'", "425/1,".repeat(5000));
        assert!(read(&long, "pbx").unwrap_err().contains("more than 64 parts"));
    }

    #[test]
    fn a_file_is_told_from_a_country_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pbx.toml");
        let name = path.to_str().unwrap();
        let error = parse_country(name).unwrap_err();
        assert!(error.contains("pbx.toml can't be read: No such file"), "{error}");
        std::fs::write(&path, WHOLE).unwrap();
        assert_eq!(parse_country(name).unwrap().to_string(), "GERMANY/pbx");
        std::fs::write(&path, [0xFF]).unwrap();
        assert!(parse_country(name).unwrap_err().contains("UTF-8, at byte 0"));
        std::fs::write(&path, vec![b'#'; 70_000]).unwrap();
        assert!(parse_country(name).unwrap_err().contains("65536 bytes"));
        assert!(
            parse_country(folder.path().join("x.toml").join("y.toml").to_str().unwrap()).is_err()
        );
        assert_eq!(parse_country("uk").unwrap().to_string(), "UK");
        assert!(parse_country("Atlantis").unwrap_err().contains("use one of"));
    }
}
