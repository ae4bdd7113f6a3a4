//! What TAPI has said that it wants of a line.

/// What TAPI wants of a line while it is open. A line that is opened wants nothing yet.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// The media modes of the calls that are to be offered; `None` before TAPI has said.
    pub(crate) media: Option<u32>,
    /// LINEDEVSTATE_ bits.
    pub(crate) line_states: u32,
    /// LINEADDRESSSTATE_ bits.
    pub(crate) address_states: u32,
    /// How often it has rung, while it rings.
    pub(crate) rings: u32,
}
