//! Names that are no country.

use thiserror::Error;

use crate::modes::{LineMode, MODES};
use crate::zones::{Zone, zones};

/// A name by which no [`Country`](crate::Country) is found.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum CountryError {
    /// The name is in no list.
    #[error(
        "there is no country {0:?} here: use one of {complete}. Lines without known tones \
         (LINE/TONES names both, such as BAHRAIN/GB): {lines}. Tones without known lines: {tones}",
        complete = lines(true),
        lines = lines(false),
        tones = foreign()
    )]
    Unknown(String),
    /// There is a line mode, but no tones.
    #[error(
        "the tones of {0:?} are not known: name the country whose tones its exchanges have, too, \
         such as {0}/GB"
    )]
    NoTones(String),
    /// There are tones, but no line mode.
    #[error(
        "the lines of {0:?} are not known: name a line mode, too, such as TBR21/{0} (Europe) or \
         FCC/{0} (600 ohm)"
    )]
    NoLine(String),
}

/// The names of the line modes that have tones, or have none, such as `UK (United Kingdom, GB)`.
fn lines(with_tones: bool) -> String {
    let name = |line: &LineMode| match line.iso {
        "" => format!("{} ({})", line.name, line.english),
        iso if line.english.eq_ignore_ascii_case(line.name) => format!("{} ({iso})", line.name),
        iso => format!("{} ({}, {iso})", line.name, line.english),
    };
    let lines = MODES.iter().filter(|line| is_toned(line) == with_tones);
    lines.map(name).collect::<Vec<_>>().join(", ")
}

fn is_toned(line: &LineMode) -> bool {
    zones().iter().any(|zone| zone.key == line.zone)
}

/// The names of the zones that no line mode has.
fn foreign() -> String {
    let name = |zone: &Zone| format!("{} ({})", zone.key, zone.english);
    let own = |zone: &&Zone| !MODES.iter().any(|line| line.zone == zone.key);
    zones().iter().filter(own).map(name).collect::<Vec<_>>().join(", ")
}
