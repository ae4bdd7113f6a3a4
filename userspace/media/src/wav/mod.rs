//! WAV files: what is played to a line and what is recorded from it.
//!
//! Written is 8 kHz mono 16-bit PCM. Read is that, and 8 kHz mono u-law and A-law, which telephony
//! programs like to write. Nothing is resampled or mixed down: other files are refused with the
//! command that converts them.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use reader::{Reader, read};
pub use writer::Writer;

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why a WAV file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WavError {
    /// The file can't be opened, read, created or written.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else, or damaged.
    #[error(
        "{} is not a WAV file ({why}): convert it with `sox {} -r 8000 -c 1 -b 16 out.wav`",
        .path.display(), quoted(.path)
    )]
    NotWav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file is a WAV file of a format that a telephone line does not have.
    #[error(
        "{} is {format}, but a line needs 8000 Hz mono 16-bit PCM (or u-law, A-law): convert \
         it with `sox {} -r 8000 -c 1 -b 16 out.wav`",
        .path.display(), quoted(.path)
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the file is.
        format: Format,
    },
    /// The file is a WAV file without a sample.
    #[error("{path} holds no sound, not one sample: record it again", path = .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The format of a WAV file, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The coding: 1 PCM, 3 floating point, 6 A-law, 7 u-law ...
    pub coding: u16,
    /// Channels: 1 mono, 2 stereo.
    pub channels: u16,
    /// Samples per second.
    pub sample_rate: u32,
    /// Bits per sample.
    pub bits: u16,
}

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const ULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz ", self.sample_rate)?;
        match self.channels {
            1 => write!(f, "mono ")?,
            2 => write!(f, "stereo ")?,
            n => write!(f, "{n}-channel ")?,
        }
        match self.coding {
            PCM => write!(f, "{}-bit PCM", self.bits),
            FLOAT => write!(f, "{}-bit floating point", self.bits),
            ALAW => write!(f, "A-law"),
            ULAW => write!(f, "u-law"),
            other => write!(f, "of coding {other:#06x}"),
        }
    }
}

/// A path as a shell takes it, for commands to copy.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-+:@%".contains(c);
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
