//! Which calls and messages of a line TAPI has asked for.

/// What TAPI has asked for on an open line; nothing when it is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    /// The media modes of the calls that are offered; `None` before TAPI has set them.
    pub(crate) media: Option<u32>,
    /// LINEDEVSTATE_ bits.
    pub(crate) line_states: u32,
    /// LINEADDRESSSTATE_ bits.
    pub(crate) address_states: u32,
    /// How often it has rung, while it rings.
    pub(crate) rings: u32,
}
