//! Types for numbers that must not be confused with each other.

use std::fmt;

/// The number of a line among the lines of its engine, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LineNumber(pub u32);

impl LineNumber {
    /// The line at this place of a list of all lines. No engine has more lines than a `u32` counts.
    pub const fn at(index: usize) -> LineNumber {
        LineNumber(if index > u32::MAX as usize { u32::MAX } else { index as u32 })
    }

    /// Its place in a list of all lines.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for LineNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
