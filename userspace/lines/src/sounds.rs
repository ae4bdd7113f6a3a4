//! What an application can have a line generate and listen for, beside digits that are dialled.

use std::time::Duration;

use ringback_tspi::late::LateOutput;
use ringback_tspi::structs::LINEGENERATETONE;

/// A tone to be generated (TSPI_lineGenerateTone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tone {
    /// LINETONEMODE_RINGBACK, as it sounds in the card's country.
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
    /// Where the digits go, two bytes each. Nothing is written before LINE_GATHERDIGITS is emitted,
    /// and nothing after (B7).
    pub output: LateOutput,
    /// The digits of which any ends it.
    pub termination: String,
    /// How long the first digit is waited for; `None` for ever.
    pub first: Option<Duration>,
    /// How long each further one is.
    pub next: Option<Duration>,
}
