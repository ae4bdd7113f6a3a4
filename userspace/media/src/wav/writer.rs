//! Writes WAV files. The header is kept up to date, so that a file whose writer was killed can be
//! played.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{PCM, WavError};
use crate::SAMPLE_RATE;

/// Writes samples to a WAV file, 8 kHz 16-bit PCM, mono or stereo.
///
/// The header is updated at least once in a second of sound, and when a write fails, so that a
/// recording can be played even if its writer does not finish it. In a FIFO the header has the
/// length 2^32 - 1 for "unknown", which players of streams expect.
pub struct Writer {
    path: PathBuf,
    file: File,
    /// Whether the file is a regular one, so that the header can be rewritten.
    regular: bool,
    channels: u16,
    /// Number of bytes of samples in the file, and the number in its header.
    written: u64,
    told: u64,
    /// The largest number of bytes that the header can have.
    pub(super) room: u64,
}

const HEADER: usize = 44;
/// The most bytes of samples for the 32-bit lengths of a header: 74 hours.
const ROOM: u64 = u32::MAX as u64 - HEADER as u64;
/// The header is rewritten after this many bytes: a quarter of a second of sound on one channel.
const TELL: u64 = SAMPLE_RATE as u64 / 4 * 2;

impl Writer {
    /// Creates the file; an existing one is emptied.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Writer, WavError> {
        let path = path.as_ref().to_owned();
        match File::create(&path) {
            Ok(file) => Writer::on(file, path),
            Err(source) => Err(WavError::Io { path, source }),
        }
    }

    /// Writes mono to an open and empty file: a regular file or a stream. `path` is used in errors.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be written.
    pub fn on(file: File, path: impl Into<PathBuf>) -> Result<Writer, WavError> {
        Writer::with_channels(1, file, path.into())
    }

    /// As [`on`](Writer::on), in stereo: the samples are pairs, that of the left side first.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be written.
    pub fn stereo_on(file: File, path: impl Into<PathBuf>) -> Result<Writer, WavError> {
        Writer::with_channels(2, file, path.into())
    }

    fn with_channels(channels: u16, file: File, path: PathBuf) -> Result<Writer, WavError> {
        let begun = file.metadata().and_then(|metadata| {
            let regular = metadata.is_file();
            if regular {
                file.write_all_at(&header(0, channels), 0)?;
            } else {
                (&file).write_all(&header(u32::MAX, channels))?;
            }
            Ok(regular)
        });
        match begun {
            Ok(regular) => {
                Ok(Writer { path, file, regular, channels, written: 0, told: 0, room: ROOM })
            }
            Err(source) => Err(WavError::Io { path, source }),
        }
    }

    /// Adds samples.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if they can't be written, or the file has no room for them: after 74 hours,
    /// in stereo after 37.
    /// The samples that fit are written.
    pub fn write(&mut self, samples: &[i16]) -> Result<(), WavError> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let added = self.add(&bytes);
        if added.is_err() || self.written - self.told >= TELL {
            // The reason for the missing room is reported rather than an error of the header.
            return added.and(self.tell()).map_err(|source| self.error(source));
        }
        Ok(())
    }

    fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.regular && self.written + bytes.len() as u64 > self.room {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        while !bytes.is_empty() {
            let wrote = if self.regular {
                self.file.write_at(bytes, HEADER as u64 + self.written)
            } else {
                self.file.write(bytes)
            };
            match wrote {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.written += count as u64;
                    bytes = bytes.get(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes the number of bytes into the header.
    fn tell(&mut self) -> io::Result<()> {
        if !self.regular || self.told == self.written {
            return Ok(());
        }
        // Whole samples of all channels only, and no more than the header's lengths can have.
        let whole = self.written - self.written % (2 * u64::from(self.channels));
        self.file.write_all_at(&header(whole as u32, self.channels), 0)?;
        self.told = self.written;
        Ok(())
    }

    fn error(&self, source: io::Error) -> WavError {
        WavError::Io { path: self.path.clone(), source }
    }

    /// Ends the file and updates its header.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if the header can't be written.
    pub fn finish(mut self) -> Result<(), WavError> {
        self.tell().map_err(|source| self.error(source))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // An error is ignored: a caller who needs it calls `finish`.
        let _ = self.tell();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The header of a file with so many bytes of samples; 2^32 - 1 if the number is unknown.
pub(super) fn header(data: u32, channels: u16) -> [u8; HEADER] {
    let block = 2 * channels;
    let riff = data.saturating_add(HEADER as u32 - 8);
    let mut bytes = [0; HEADER];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &PCM.to_le_bytes(),
        &channels.to_le_bytes(),
        &SAMPLE_RATE.to_le_bytes(),
        &(SAMPLE_RATE * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    for (place, byte) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    bytes
}
