//! The pair of wires between the feeding end and the terminating end of a line.
//!
//! An exchange or a SLIC feeds the line: battery, ringing, and audio. A telephone or a DAA
//! terminates it: its hook switch draws loop current, and it sends audio. Both sides exchange one
//! millisecond at a time.

/// The number of samples in a millisecond.
pub const FRAME: usize = 8;

/// A millisecond of linear audio.
pub type Frame = [i16; FRAME];

/// The voltage with which a line is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Battery {
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
pub struct Feed {
    /// The battery voltage.
    pub battery: Battery,
    /// The frequency of the ringing voltage in Hz, while the line is rung.
    pub ringing: Option<u16>,
    /// The audio towards the terminating side.
    pub audio: Frame,
}

/// What the terminating side puts on the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Whether the loop is closed, so that current flows if there is battery.
    pub off_hook: bool,
    /// The audio towards the feeding side.
    pub audio: Frame,
}
