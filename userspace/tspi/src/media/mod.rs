//! What an application reads and writes of a line beside TSPI, which leaves media to others.
//!
//! [`Audio`] is the samples of a telephone line, [`Data`] the bytes of a modem's. Clones are the
//! same end. The engine of a line fills and empties them; an application never waits for it, nor it
//! for an application.

mod audio;
mod data;

pub use audio::Audio;
pub use data::{Data, ROOM as DATA_ROOM};
