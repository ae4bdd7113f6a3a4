//! What an application reads and writes of a line beside TSPI, which leaves media to others.
//!
//! [`Audio`] is the samples of a telephone line, [`Data`] the bytes of a modem's. Clones are the
//! same end. The engine of a line fills and empties them, and neither side waits for the other.

mod audio;
mod data;

pub use audio::{Audio, Levels, SoundMeasure};
pub use data::{Data, ROOM as DATA_ROOM};
