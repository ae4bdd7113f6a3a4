//! The pair of wires between the feeding end and the terminating end of a line.
//!
//! An exchange or a SLIC feeds the line: battery, ringing, and audio. A telephone or a DAA
//! terminates it: its hook switch draws loop current, and it sends audio. Both sides exchange one
//! millisecond at a time.

/// The number of samples in a millisecond.
pub(crate) const FRAME: usize = 8;

/// A millisecond of linear audio.
pub(crate) type Frame = [i16; FRAME];

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
    /// The frequency of the ringing voltage in Hz, while the line is rung.
    pub(crate) ringing: Option<u16>,
    pub(crate) audio: Frame,
}

/// What the terminating side puts on the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// Whether the loop is closed, so that current flows if there is battery.
    pub(crate) off_hook: bool,
    pub(crate) audio: Frame,
}
