//! WAV files that are played to a line or recorded from it.
//!
//! Written files are 8 kHz 16-bit PCM: mono, or stereo with both sides of a call. Files to read may
//! also be u-law or A-law, which other telephony programs write. Nothing is resampled or mixed
//! down: other files are refused, with the command that converts them.

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
        /// The path as it was given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is no WAV file, or damaged.
    #[error(
        "{} is not a WAV file ({why}): convert it with `sox {} -r 8000 -c 1 -b 16 out.wav`",
        .path.display(), quoted(.path)
    )]
    NotWav {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with the file.
        why: &'static str,
    },
    /// The file is a WAV file of a format that a telephone line does not have.
    #[error(
        "{} is {format}, but a line needs 8000 Hz mono 16-bit PCM (or u-law, A-law): convert \
         it with `sox {} -r 8000 -c 1 -b 16 out.wav`",
        .path.display(), quoted(.path)
    )]
    Format {
        /// The path as it was given.
        path: PathBuf,
        /// The format that the file has.
        format: Format,
    },
    /// The file is a WAV file without samples.
    #[error("{path} holds no sound, not one sample: record it again", path = .path.display())]
    Empty {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// The format of a WAV file, as in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The coding: 1 PCM, 3 floating point, 6 A-law, 7 u-law ...
    pub coding: u16,
    /// The number of channels: 1 mono, 2 stereo.
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

/// The path quoted for a shell, so that commands can be copied.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-+:@%".contains(c);
    let path = if path.starts_with('-') { format!("./{path}") } else { path };
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
