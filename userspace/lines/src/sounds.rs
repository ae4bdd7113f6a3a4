//! What an application can have a line generate and gather, besides digits that are dialled.

use std::time::Duration;

use ringback_tspi::late::LateOutput;
use ringback_tspi::structs::LINEGENERATETONE;

/// A tone to be generated (TSPI_lineGenerateTone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tone {
    /// LINETONEMODE_RINGBACK, the tone of the card's country.
    Ringback,
    /// LINETONEMODE_BUSY, likewise.
    Busy,
    /// LINETONEMODE_BEEP: 1000 Hz.
    Beep,
    /// LINETONEMODE_CUSTOM: parts that sound together, each in its own cadence.
    Custom(Vec<LINEGENERATETONE>),
}

/// Digits to be gathered into a buffer (TSPI_lineGatherDigits).
#[derive(Debug, Clone)]
pub struct Gather {
    /// dwEndToEndID, which comes back in LINE_GATHERDIGITS.
    pub end_to_end: u32,
    /// Where the digits are written, two bytes each. Nothing is written before LINE_GATHERDIGITS is
    /// emitted, and nothing after (B7).
    pub output: LateOutput,
    /// The digits that end it.
    pub termination: String,
    /// The limit for the first digit; `None` is none.
    pub first: Option<Duration>,
    /// The limit for each further digit.
    pub next: Option<Duration>,
}
