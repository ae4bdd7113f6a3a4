//! Why a UART could not be opened or went away, in words for the person who has the card.

use std::io;

use thiserror::Error;

use super::format::FormatError;

/// Why a UART could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The register window is too small.
    #[error("the register window has {len} bytes: a 16550 has 8")]
    Window {
        /// Its size in bytes.
        len: usize,
    },
    /// Every register reads as ones.
    #[error(
        "every register reads as ones: the card is gone, or its I/O decoding is off (is it bound \
         to the right driver, is it enabled?)"
    )]
    AllOnes,
    /// The scratch register does not hold what is written.
    #[error(
        "this is not a 16550: {wrote:#04x} was written to its scratch register and {read:#04x} \
         came back (is another driver using it?)"
    )]
    Scratch {
        /// The value that was written.
        wrote: u8,
        /// The value that was read back.
        read: u8,
    },
    /// The chip's inner loop does not bring back what was sent.
    #[error(
        "the loopback test failed: {wrote:#04x} was sent and {} came back; this is not a 16550, or \
         another driver is using it",
        .read.map_or("nothing".to_owned(), |byte| format!("{byte:#04x}"))
    )]
    Loopback {
        /// The byte that was sent.
        wrote: u8,
        /// What came back, if anything.
        read: Option<u8>,
    },
    /// The chip can't do the format.
    #[error(transparent)]
    Format(#[from] FormatError),
}

/// Why a UART that was running is not any more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// Every register reads as ones.
    #[error("the card was removed, or its PCI bridge lost it: every register reads as ones")]
    Removed,
    /// The interrupt can't be let through any more.
    #[error("the operating system refuses the card's interrupt: {0}")]
    Interrupt(#[source] io::Error),
}
