//! What an application can have a line generate and gather, besides digits that are dialled, and
//! what it can have a telephone hear that waits.

use std::time::Duration;

use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
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
    /// LINEDIGITMODE_DTMF and LINEDIGITMODE_PULSE: the digits that are gathered.
    pub modes: u32,
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

/// What a telephone hears that waits for an answer or is on hold (TSPI_lineSetCallTreatment). There
/// is no music.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// LINECALLTREATMENT_SILENCE.
    Silence,
    /// LINECALLTREATMENT_RINGBACK, the tone of the card's country.
    Ringback,
    /// LINECALLTREATMENT_BUSY, likewise.
    Busy,
}

impl Treatment {
    /// All there are.
    pub const ALL: &[Treatment] = &[Treatment::Silence, Treatment::Ringback, Treatment::Busy];

    /// The LINECALLTREATMENT_ of it.
    pub const fn id(self) -> u32 {
        match self {
            Treatment::Silence => LINECALLTREATMENT_SILENCE,
            Treatment::Ringback => LINECALLTREATMENT_RINGBACK,
            Treatment::Busy => LINECALLTREATMENT_BUSY,
        }
    }

    /// The treatment with this LINECALLTREATMENT_.
    pub fn from_id(id: u32) -> Option<Treatment> {
        Treatment::ALL.iter().copied().find(|treatment| treatment.id() == id)
    }

    /// The name, to be shown.
    pub const fn name(self) -> &'static str {
        match self {
            Treatment::Silence => "silence",
            Treatment::Ringback => "ringback tone",
            Treatment::Busy => "busy tone",
        }
    }

    /// The treatment of a call for which no application has set one: a telephone that has dialled
    /// hears ringback tone until it is answered, and nothing on hold.
    pub(crate) const fn usual(state: Option<CallState>) -> Treatment {
        match state {
            Some(CallState::Offering | CallState::Accepted) => Treatment::Ringback,
            _ => Treatment::Silence,
        }
    }
}
