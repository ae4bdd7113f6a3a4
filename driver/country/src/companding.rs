//! The two laws by which telephone networks compress samples to 8 bits.

use std::fmt;

/// The law by which samples are companded to 8 bits (ITU-T G.711).
///
/// One is not the other by a shift of levels: a sample that changes between them is rounded anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Companding {
    /// u-law, of networks with 24 channels to a trunk: North America, Japan and some others.
    ULaw,
    /// A-law, of all other networks.
    ALaw,
}

impl Companding {
    /// The code word of silence: that of a sample of 0.
    pub const fn silence(self) -> u8 {
        match self {
            Companding::ULaw => 0xFF,
            Companding::ALaw => 0xD5,
        }
    }
}

impl fmt::Display for Companding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Companding::ULaw => "u-law",
            Companding::ALaw => "A-law",
        })
    }
}
