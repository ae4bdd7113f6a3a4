//! The pair of wires between what feeds a line and what ends it.
//!
//! An exchange or a SLIC feeds: battery, ringing, audio towards the far end. A telephone or a DAA
//! ends the line: its hook switch draws loop current, its microphone gives audio. Both sides
//! exchange one millisecond at a time.

/// Samples in a millisecond.
pub(crate) const FRAME: usize = 8;

/// A millisecond of linear audio.
pub(crate) type Frame = [i16; FRAME];

/// Battery on the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Battery {
    /// No battery: unplugged, switched off, or a loop-current break.
    #[default]
    Off,
    /// Ring negative against tip.
    Forward,
    /// Tip negative against ring.
    Reversed,
}

/// What the feeding side puts on the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Feed {
    pub(crate) battery: Battery,
    /// The frequency of the ringing voltage, in Hz, while there is one.
    pub(crate) ringing: Option<u16>,
    pub(crate) audio: Frame,
}

/// What the ending side puts on the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// The loop is closed: current flows if there is battery.
    pub(crate) off_hook: bool,
    pub(crate) audio: Frame,
}
