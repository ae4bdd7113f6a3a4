//! Reads WAV files: their chunks, in any order that programs write them, and their samples in
//! pieces.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ringback_country::Companding;

use super::{ALAW, EXTENSIBLE, Format, PCM, ULAW, WavError};
use crate::{SAMPLE_RATE, g711};

/// Reads all samples of a WAV file: 8 kHz mono, 16-bit PCM, u-law or A-law. From a truncated file
/// it returns the samples that are there. For a long file use a [`Reader`].
///
/// # Errors
///
/// [`WavError::Io`] if it can't be read, [`WavError::NotWav`] or [`WavError::Format`] if it is not
/// such a file.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<i16>, WavError> {
    let mut samples = Vec::new();
    match Reader::open(path) {
        Ok(mut reader) => while reader.read(&mut samples)? > 0 {},
        Err(WavError::Empty { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(samples)
}

/// The coding of a file's samples.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Pcm,
    Companded(Companding),
}

/// Reads a WAV file piece by piece: 8 kHz mono, 16-bit PCM, u-law or A-law. It may be a FIFO.
///
/// Samples are read to the end of the file even if its header has a larger length. A length of 0 or
/// 2^32 - 1 means that the writer did not fill it in; then everything after the header is sound.
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    coding: Coding,
    /// Number of bytes of the data that are not read yet.
    left: u64,
    /// The first byte of a sample whose second byte is not read yet.
    half: Option<u8>,
    /// The samples that were read to find out whether there are any.
    ahead: Vec<i16>,
}

/// Number of bytes that are read at a time.
const PIECE: usize = 4096;

impl Reader {
    /// Opens a file and reads its first samples. With a FIFO this waits for the writer.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be read, [`WavError::NotWav`] or [`WavError::Format`] if it is
    /// not such a file, [`WavError::Empty`] if it has no sample.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader, WavError> {
        let path = path.as_ref().to_owned();
        match File::open(&path) {
            Ok(file) => Reader::begin(path, BufReader::new(file)),
            Err(source) => Err(WavError::Io { path, source }),
        }
    }

    fn begin(path: PathBuf, mut file: BufReader<File>) -> Result<Reader, WavError> {
        let (format, size) = match parse(&mut file) {
            Ok(parsed) => parsed,
            Err(ParseError::Io(source)) => return Err(WavError::Io { path, source }),
            Err(ParseError::NotWav(why)) => return Err(WavError::NotWav { path, why }),
        };
        let coding = match format {
            Format { sample_rate: SAMPLE_RATE, channels: 1, coding: PCM, bits: 16 } => Coding::Pcm,
            Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ULAW, bits: 8 } => {
                Coding::Companded(Companding::ULaw)
            }
            Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ALAW, bits: 8 } => {
                Coding::Companded(Companding::ALaw)
            }
            format => return Err(WavError::Format { path, format }),
        };
        let left = match size {
            0 | u32::MAX => u64::MAX,
            size => u64::from(size),
        };
        let (half, mut ahead) = (None, Vec::new());
        let mut reader = Reader { path, file, coding, left, half, ahead: Vec::new() };
        if reader.read(&mut ahead)? == 0 {
            return Err(WavError::Empty { path: reader.path });
        }
        reader.ahead = ahead;
        Ok(reader)
    }

    /// Appends the next samples to `samples` and returns their number: at most 4096 at a time, and
    /// 0 at the end of the file.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`].
    pub fn read(&mut self, samples: &mut Vec<i16>) -> Result<usize, WavError> {
        if !self.ahead.is_empty() {
            samples.append(&mut self.ahead);
            return Ok(samples.len());
        }
        let before = samples.len();
        let mut bytes = [0; PIECE];
        while samples.len() == before {
            let most = usize::try_from(self.left).map_or(PIECE, |left| left.min(PIECE));
            let came = match self.file.read(bytes.get_mut(..most).unwrap_or_default()) {
                Ok(0) => return Ok(0),
                Ok(came) => came,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(WavError::Io { path: self.path.clone(), source }),
            };
            self.left -= came as u64;
            self.decode(bytes.get(..came).unwrap_or_default(), samples);
        }
        Ok(samples.len() - before)
    }

    fn decode(&mut self, bytes: &[u8], samples: &mut Vec<i16>) {
        match self.coding {
            Coding::Companded(law) => {
                samples.extend(bytes.iter().map(|code| g711::decode(law, *code)));
            }
            Coding::Pcm => {
                for byte in bytes {
                    match self.half.take() {
                        None => self.half = Some(*byte),
                        Some(half) => samples.push(i16::from_le_bytes([half, *byte])),
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("path", &self.path).finish_non_exhaustive()
    }
}

enum ParseError {
    Io(io::Error),
    NotWav(&'static str),
}

/// The most chunks that may come before the data. Real files have a handful; reading a file of
/// nothing but empty chunks would take hours.
const MAX_CHUNKS: usize = 1024;

/// Returns the format, and the size of the data chunk in its header. The file is then at its data.
fn parse(file: &mut BufReader<File>) -> Result<(Format, u32), ParseError> {
    const NO_WAV: &str = "it does not begin with a RIFF WAVE header";
    const NO_DATA: ParseError = ParseError::NotWav("it has no data chunk");
    let header: [u8; 12] = read_array(file)?.ok_or(ParseError::NotWav(NO_WAV))?;
    if !header.starts_with(b"RIFF") || !header.ends_with(b"WAVE") {
        return Err(ParseError::NotWav(NO_WAV));
    }
    let mut format = None;
    // The byte after a chunk of odd length if it is not padding, and so begins the next chunk.
    let mut unpadded = None;
    for _ in 0..MAX_CHUNKS {
        let [name @ .., s0, s1, s2, s3] = match unpadded.take() {
            None => read_array::<8>(file)?.ok_or(NO_DATA)?,
            Some(first) => {
                let [a, b, c, d, e, f, g] = read_array::<7>(file)?.ok_or(NO_DATA)?;
                [first, a, b, c, d, e, f, g]
            }
        };
        let size = u32::from_le_bytes([s0, s1, s2, s3]);
        let mut rest = size;
        match &name {
            b"fmt " => {
                let mut chunk = file.take(u64::from(size));
                format = Some(parse_format(&mut chunk)?);
                // What is left of the chunk is not larger than its 32-bit size.
                rest = chunk.limit() as u32;
            }
            b"data" => {
                return Ok((format.ok_or(ParseError::NotWav("its data has no format"))?, size));
            }
            _ => {}
        }
        skip(file, rest)?;
        if size % 2 == 1 {
            // Chunks are padded to even lengths, which some writers omit. No chunk's name begins
            // with the padding.
            let [byte] = read_array(file)?.ok_or(NO_DATA)?;
            unpadded = byte.is_ascii_alphanumeric().then_some(byte);
        }
    }
    Err(ParseError::NotWav("it has no data among its first 1024 chunks"))
}

/// Skips bytes; in a regular file without reading them.
fn skip(file: &mut BufReader<File>, bytes: u32) -> Result<(), ParseError> {
    if file.seek_relative(i64::from(bytes)).is_ok() {
        return Ok(());
    }
    io::copy(&mut file.take(u64::from(bytes)), &mut io::sink()).map_err(ParseError::Io)?;
    Ok(())
}

fn parse_format(chunk: &mut impl Read) -> Result<Format, ParseError> {
    const SHORT: ParseError = ParseError::NotWav("its format chunk is too short");
    let [c0, c1, n0, n1, r0, r1, r2, r3, .., b0, b1] = read_array::<16>(chunk)?.ok_or(SHORT)?;
    let mut coding = u16::from_le_bytes([c0, c1]);
    if coding == EXTENSIBLE {
        // The coding is the beginning of the GUID that follows size, valid bits and channel mask.
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

/// Reads the next N bytes; `None` if the file ends before.
fn read_array<const N: usize>(file: &mut impl Read) -> Result<Option<[u8; N]>, ParseError> {
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(ParseError::Io(e)),
    }
}
