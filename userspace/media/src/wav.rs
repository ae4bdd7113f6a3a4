//! WAV files: what is played to a line and what is recorded from it.
//!
//! Written is 8 kHz mono 16-bit PCM. Read is that, and 8 kHz mono u-law and A-law, which telephony
//! programs like to write. Nothing is resampled or mixed down: other files are refused with the
//! command that converts them.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use crate::{SAMPLE_RATE, g711};

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
        "{path} is not a WAV file ({why}): convert it with `sox {path} -r 8000 -c 1 -b 16 out.wav`",
        path = .path.display()
    )]
    NotWav {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file is a WAV file of a format that a telephone line does not have.
    #[error(
        "{path} is {format}, but a line needs 8000 Hz mono 16-bit PCM (or u-law, A-law): convert \
         it with `sox {path} -r 8000 -c 1 -b 16 out.wav`",
        path = .path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the file is.
        format: Format,
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

/// Reads the samples of a WAV file: 8 kHz mono, 16-bit PCM, u-law or A-law. A file that was cut
/// short gives the samples that are there.
///
/// # Errors
///
/// [`WavError::Io`] if it can't be read, [`WavError::NotWav`] and [`WavError::Format`] if it is
/// something else.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<i16>, WavError> {
    let path = path.as_ref();
    let io_error = |source| WavError::Io { path: path.to_owned(), source };
    let not_wav = |why| WavError::NotWav { path: path.to_owned(), why };
    let file = BufReader::new(File::open(path).map_err(io_error)?);
    let (format, data) = match parse(file) {
        Ok(parsed) => parsed,
        Err(ParseError::Io(source)) => return Err(io_error(source)),
        Err(ParseError::NotWav(why)) => return Err(not_wav(why)),
    };
    match format {
        Format { sample_rate: SAMPLE_RATE, channels: 1, coding: PCM, bits: 16 } => {
            Ok(data.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes)).collect())
        }
        Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ULAW, bits: 8 } => {
            Ok(data.iter().map(|&code| g711::ulaw_decode(code)).collect())
        }
        Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ALAW, bits: 8 } => {
            Ok(data.iter().map(|&code| g711::alaw_decode(code)).collect())
        }
        format => Err(WavError::Format { path: path.to_owned(), format }),
    }
}

enum ParseError {
    Io(io::Error),
    NotWav(&'static str),
}

/// The format and the bytes of the data chunk.
fn parse(mut file: impl Read) -> Result<(Format, Vec<u8>), ParseError> {
    const NO_WAV: &str = "it does not begin with a RIFF WAVE header";
    let header: [u8; 12] = read_array(&mut file)?.ok_or(ParseError::NotWav(NO_WAV))?;
    if !header.starts_with(b"RIFF") || !header.ends_with(b"WAVE") {
        return Err(ParseError::NotWav(NO_WAV));
    }
    let mut format = None;
    loop {
        const NO_DATA: ParseError = ParseError::NotWav("it has no data chunk");
        let [a, b, c, d, size @ ..] = read_array::<8>(&mut file)?.ok_or(NO_DATA)?;
        let size = u64::from(u32::from_le_bytes(size));
        let mut chunk = file.by_ref().take(size);
        match &[a, b, c, d] {
            b"fmt " => format = Some(parse_format(&mut chunk)?),
            b"data" => {
                let format = format.ok_or(ParseError::NotWav("its data has no format"))?;
                let mut data = Vec::new();
                // A format that is refused anyway is not read.
                if format.sample_rate == SAMPLE_RATE {
                    chunk.read_to_end(&mut data).map_err(ParseError::Io)?;
                }
                return Ok((format, data));
            }
            _ => {}
        }
        // Chunks are padded to even lengths.
        let rest = chunk.limit() + size % 2;
        io::copy(&mut file.by_ref().take(rest), &mut io::sink()).map_err(ParseError::Io)?;
    }
}

fn parse_format(chunk: &mut impl Read) -> Result<Format, ParseError> {
    const SHORT: ParseError = ParseError::NotWav("its format chunk is too short");
    let [c0, c1, n0, n1, r0, r1, r2, r3, .., b0, b1] = read_array::<16>(chunk)?.ok_or(SHORT)?;
    let mut coding = u16::from_le_bytes([c0, c1]);
    if coding == EXTENSIBLE {
        // The coding is the beginning of the GUID behind size, valid bits and channel mask.
        let [.., c0, c1] = read_array::<10>(chunk)?.ok_or(SHORT)?;
        coding = u16::from_le_bytes([c0, c1]);
    }
    Ok(Format {
        coding,
        channels: u16::from_le_bytes([n0, n1]),
        sample_rate: u32::from_le_bytes([r0, r1, r2, r3]),
        bits: u16::from_le_bytes([b0, b1]),
    })
}

/// The next N bytes; none where the file ends before them.
fn read_array<const N: usize>(file: &mut impl Read) -> Result<Option<[u8; N]>, ParseError> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(ParseError::Io(e)),
    }
}

/// Writes samples to a WAV file, 8 kHz mono 16-bit PCM.
///
/// The header gets the length in [`finish`](Writer::finish). A writer that is dropped without it
/// also writes the header, but can't tell whether that worked.
pub struct Writer {
    path: PathBuf,
    inner: hound::WavWriter<BufWriter<File>>,
    /// Samples until the header can't say the length any more.
    room: usize,
}

/// What fits the 32-bit lengths of a WAV header, in samples: 37 hours.
const MAX_SAMPLES: usize = 0x4000_0000;

impl Writer {
    /// Creates the file, or empties it where it exists.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be created.
    pub fn create(path: impl AsRef<Path>) -> Result<Writer, WavError> {
        let path = path.as_ref().to_owned();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: SAMPLE_RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        match hound::WavWriter::create(&path, spec) {
            Ok(inner) => Ok(Writer { path, inner, room: MAX_SAMPLES }),
            Err(e) => Err(write_error(path, e)),
        }
    }

    /// Adds samples.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if they can't be written, or the file is full: after 37 hours.
    pub fn write(&mut self, samples: &[i16]) -> Result<(), WavError> {
        let Some(room) = self.room.checked_sub(samples.len()) else {
            let source = io::ErrorKind::FileTooLarge.into();
            return Err(WavError::Io { path: self.path.clone(), source });
        };
        self.room = room;
        let result = samples.iter().try_for_each(|&sample| self.inner.write_sample(sample));
        result.map_err(|e| write_error(self.path.clone(), e))
    }

    /// Writes what is still buffered, and the length.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if that fails.
    pub fn finish(self) -> Result<(), WavError> {
        let Writer { path, inner, .. } = self;
        inner.finalize().map_err(|e| write_error(path, e))
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).finish_non_exhaustive()
    }
}

fn write_error(path: PathBuf, error: hound::Error) -> WavError {
    let source = match error {
        hound::Error::IoError(source) => source,
        other => io::Error::other(other),
    };
    WavError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV file with a chunk of odd length before the data.
    fn file(format: Format, extensible: bool, data: &[u8]) -> Vec<u8> {
        let coding = if extensible { EXTENSIBLE } else { format.coding };
        let block = format.channels * format.bits / 8;
        let mut fmt = Vec::new();
        fmt.extend(coding.to_le_bytes());
        fmt.extend(format.channels.to_le_bytes());
        fmt.extend(format.sample_rate.to_le_bytes());
        fmt.extend((format.sample_rate * u32::from(block)).to_le_bytes());
        fmt.extend(block.to_le_bytes());
        fmt.extend(format.bits.to_le_bytes());
        if extensible {
            fmt.extend([22, 0, 16, 0, 4, 0, 0, 0]);
            fmt.extend(format.coding.to_le_bytes());
            fmt.extend(b"\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
        }
        let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
        for (name, chunk) in [(b"fmt ", &fmt[..]), (b"LIST", b"odd\0x"), (b"data", data)] {
            bytes.extend(name);
            bytes.extend((chunk.len() as u32).to_le_bytes());
            bytes.extend(chunk);
            bytes.extend(&[0][..chunk.len() % 2]);
        }
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vec<i16>, WavError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        std::fs::write(&path, bytes).unwrap();
        read(path)
    }

    const LINE: Format = Format { coding: PCM, channels: 1, sample_rate: 8000, bits: 16 };

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let samples: Vec<i16> = (0..10_007).map(|n| (n * 7919 % 65_536 - 32_768) as i16).collect();
        let mut writer = Writer::create(&path).unwrap();
        samples.chunks(8).for_each(|piece| writer.write(piece).unwrap());
        writer.finish().unwrap();
        assert_eq!(read(&path).unwrap(), samples);
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 10_007);
    }

    #[test]
    fn a_dropped_writer_leaves_a_readable_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let mut writer = Writer::create(&path).unwrap();
        writer.write(&[1, 2, 3]).unwrap();
        drop(writer);
        assert_eq!(read(&path).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_full_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path().join("sound.wav")).unwrap();
        writer.room = 10;
        writer.write(&[0; 10]).unwrap();
        let error = writer.write(&[0]).unwrap_err();
        assert!(matches!(error, WavError::Io { .. }), "{error}");
    }

    #[test]
    fn pcm_ulaw_and_alaw_are_read() {
        for extensible in [false, true] {
            let pcm = file(LINE, extensible, &[1, 0, 0, 0x80, 0xFF, 0x7F]);
            assert_eq!(read_bytes(&pcm).unwrap(), [1, -32_768, 32_767]);
            let ulaw = file(Format { coding: ULAW, bits: 8, ..LINE }, extensible, &[0xFF, 0x80]);
            assert_eq!(read_bytes(&ulaw).unwrap(), [0, 32_124]);
            let alaw = file(Format { coding: ALAW, bits: 8, ..LINE }, extensible, &[0xD5, 0x2A]);
            assert_eq!(read_bytes(&alaw).unwrap(), [8, -32_256]);
        }
    }

    #[test]
    fn other_formats_are_named_with_the_cure() {
        for (format, name) in [
            (Format { channels: 2, sample_rate: 44_100, ..LINE }, "44100 Hz stereo 16-bit PCM"),
            (Format { sample_rate: 16_000, ..LINE }, "16000 Hz mono 16-bit PCM"),
            (Format { bits: 24, channels: 6, ..LINE }, "8000 Hz 6-channel 24-bit PCM"),
            (Format { coding: FLOAT, bits: 32, ..LINE }, "8000 Hz mono 32-bit floating point"),
            (Format { coding: ULAW, bits: 8, channels: 2, ..LINE }, "8000 Hz stereo u-law"),
            (Format { coding: 0x31, bits: 0, ..LINE }, "8000 Hz mono of coding 0x0031"),
        ] {
            let error = read_bytes(&file(format, false, &[0; 8])).unwrap_err();
            assert!(matches!(&error, WavError::Format { format: f, .. } if *f == format));
            let text = error.to_string();
            assert!(text.contains(&format!("sound.wav is {name}, but")), "{text}");
            assert!(text.contains("sox ") && text.contains("-r 8000 -c 1 -b 16"), "{text}");
        }
    }

    #[test]
    fn damaged_files_are_errors_or_give_what_is_there() {
        let good = file(LINE, true, &[1, 0, 2, 0, 3, 0]);
        for length in 0..good.len() {
            match read_bytes(&good[..length]) {
                // Cut inside the data: whole samples.
                Ok(samples) => assert_eq!(samples, [1, 2, 3][..(length + 6 - good.len()) / 2]),
                Err(WavError::NotWav { .. }) => assert!(length < good.len() - 6),
                Err(other) => panic!("cut at {length}: {other}"),
            }
        }
        let text = read_bytes(b"ID3 this is music").unwrap_err().to_string();
        assert!(text.contains("sound.wav is not a WAV file"), "{text}");
        let missing = read("/nonexistent/sound.wav").unwrap_err().to_string();
        assert!(missing.starts_with("/nonexistent/sound.wav: No such file"), "{missing}");
    }
}
