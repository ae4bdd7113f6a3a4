//! WAV files: what is played to a line and what is recorded from it.
//!
//! Written is 8 kHz mono 16-bit PCM. Read is that, and 8 kHz mono u-law and A-law, which telephony
//! programs like to write. Nothing is resampled or mixed down: other files are refused with the
//! command that converts them.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
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

/// Reads the samples of a WAV file: 8 kHz mono, 16-bit PCM, u-law or A-law. A file that was cut
/// short gives the samples that are there. One that is long is better read by a [`Reader`].
///
/// # Errors
///
/// [`WavError::Io`] if it can't be read, [`WavError::NotWav`] and [`WavError::Format`] if it is
/// something else.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<i16>, WavError> {
    let mut samples = Vec::new();
    match Reader::open(path) {
        Ok(mut reader) => while reader.read(&mut samples)? > 0 {},
        Err(WavError::Empty { .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(samples)
}

/// How the samples of a line are coded in a file.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Pcm,
    Ulaw,
    Alaw,
}

/// Reads a WAV file piece by piece: 8 kHz mono, 16-bit PCM, u-law or A-law. It may be a FIFO.
///
/// A file ends where it ends, whatever its header says of its length. A header whose writer never
/// came back to fill in the length says 0 or 2^32 - 1: then everything behind it is sound.
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    coding: Coding,
    /// Bytes of the data that are still to be read.
    left: u64,
    /// The first half of a sample.
    half: Option<u8>,
    /// What was read to see whether there is anything.
    ahead: Vec<i16>,
}

/// So many bytes are read at a time.
const PIECE: usize = 4096;

impl Reader {
    /// Opens a file and reads as far as its first samples. Of a FIFO that waits for the writer.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be read, [`WavError::NotWav`] and [`WavError::Format`] if it is
    /// something else, [`WavError::Empty`] if there is no sample in it.
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
            Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ULAW, bits: 8 } => Coding::Ulaw,
            Format { sample_rate: SAMPLE_RATE, channels: 1, coding: ALAW, bits: 8 } => Coding::Alaw,
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

    /// Moves the next samples to the end of `samples`, and says how many: at most 4096 at a time,
    /// and none at the end of the file.
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
            Coding::Ulaw => samples.extend(bytes.iter().map(|code| g711::ulaw_decode(*code))),
            Coding::Alaw => samples.extend(bytes.iter().map(|code| g711::alaw_decode(*code))),
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

/// Chunks that may stand before the data. Files in the field have a handful; a file that is made of
/// empty ones is read for hours.
const MAX_CHUNKS: usize = 1024;

/// The format, and the size of the data chunk as its header says it. The file is left at its data.
fn parse(file: &mut BufReader<File>) -> Result<(Format, u32), ParseError> {
    const NO_WAV: &str = "it does not begin with a RIFF WAVE header";
    const NO_DATA: ParseError = ParseError::NotWav("it has no data chunk");
    let header: [u8; 12] = read_array(file)?.ok_or(ParseError::NotWav(NO_WAV))?;
    if !header.starts_with(b"RIFF") || !header.ends_with(b"WAVE") {
        return Err(ParseError::NotWav(NO_WAV));
    }
    let mut format = None;
    // The byte behind a chunk of odd length, if it is no padding.
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
                // What is left of it is not more than it was.
                rest = chunk.limit() as u32;
            }
            b"data" => {
                return Ok((format.ok_or(ParseError::NotWav("its data has no format"))?, size));
            }
            _ => {}
        }
        skip(file, rest)?;
        if size % 2 == 1 {
            // Chunks are padded to even lengths, which some writers forget. No chunk's name begins
            // with the padding.
            let [byte] = read_array(file)?.ok_or(NO_DATA)?;
            unpadded = byte.is_ascii_alphanumeric().then_some(byte);
        }
    }
    Err(ParseError::NotWav("it has no data among its first 1024 chunks"))
}

/// Goes on behind so many bytes, which in a file costs no reading.
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
/// The header says what is there at least once in a second of sound, and when writing fails: a
/// recording can be played whatever becomes of its writer. To a FIFO it says that the length is not
/// known (2^32 - 1), as players of streams expect.
pub struct Writer {
    path: PathBuf,
    file: File,
    /// Whether one can go back to the header.
    regular: bool,
    /// Bytes of samples that are in the file, and those that the header tells.
    written: u64,
    told: u64,
    /// What the lengths of the header can say.
    room: u64,
}

const HEADER: usize = 44;
/// What fits the 32-bit lengths of a header: 74 hours.
const ROOM: u64 = u32::MAX as u64 - HEADER as u64;
/// The header is written anew after a quarter of a second of sound.
const TELL: u64 = SAMPLE_RATE as u64 / 4 * 2;

impl Writer {
    /// Creates the file, or empties it where it exists.
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

    /// Writes to a file that is open, and empty: a regular file, or one that is a stream. `path` is
    /// for errors.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if it can't be written.
    pub fn on(file: File, path: impl Into<PathBuf>) -> Result<Writer, WavError> {
        let path = path.into();
        let begun = file.metadata().and_then(|metadata| {
            let regular = metadata.is_file();
            if regular {
                file.write_all_at(&header(0), 0)?;
            } else {
                (&file).write_all(&header(u32::MAX))?;
            }
            Ok(regular)
        });
        match begun {
            Ok(regular) => Ok(Writer { path, file, regular, written: 0, told: 0, room: ROOM }),
            Err(source) => Err(WavError::Io { path, source }),
        }
    }

    /// Adds samples.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if they can't be written, or the file is full: after 74 hours. What had
    /// room is in the file then.
    pub fn write(&mut self, samples: &[i16]) -> Result<(), WavError> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let added = self.add(&bytes);
        if added.is_err() || self.written - self.told >= TELL {
            // Why there is no more room is worth more than that the header could not be written.
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

    /// Has the header say what is in the file.
    fn tell(&mut self) -> io::Result<()> {
        if !self.regular || self.told == self.written {
            return Ok(());
        }
        // Whole samples, and not more than there is room for in the lengths.
        self.file.write_all_at(&header((self.written & !1) as u32), 0)?;
        self.told = self.written;
        Ok(())
    }

    fn error(&self, source: io::Error) -> WavError {
        WavError::Io { path: self.path.clone(), source }
    }

    /// Ends the file: its header says all that is in it.
    ///
    /// # Errors
    ///
    /// [`WavError::Io`] if that can't be written.
    pub fn finish(mut self) -> Result<(), WavError> {
        self.tell().map_err(|source| self.error(source))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever wants to know whether it worked has called `finish`.
        let _ = self.tell();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The header of a file with so many bytes of samples; 2^32 - 1 where nobody knows.
fn header(data: u32) -> [u8; HEADER] {
    let riff = data.saturating_add(HEADER as u32 - 8);
    let mut bytes = [0; HEADER];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &PCM.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &SAMPLE_RATE.to_le_bytes(),
        &(SAMPLE_RATE * 2).to_le_bytes(),
        &2_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    for (place, byte) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    bytes
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
        writer.room = 20;
        writer.write(&[0; 10]).unwrap();
        let error = writer.write(&[0]).unwrap_err();
        assert!(matches!(error, WavError::Io { .. }), "{error}");
    }

    /// The bytes of a file that hound and others write, with these lengths in its header.
    fn with_sizes(riff: u32, data: u32, samples: &[u8]) -> Vec<u8> {
        let mut bytes = header(0).to_vec();
        bytes[4..8].copy_from_slice(&riff.to_le_bytes());
        bytes[40..44].copy_from_slice(&data.to_le_bytes());
        bytes.extend(samples);
        bytes
    }

    #[test]
    fn a_stream_whose_length_nobody_filled_in_is_read_to_its_end() {
        for (riff, data) in [(0, 0), (36, 0), (u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000)] {
            let read = read_bytes(&with_sizes(riff, data, &[1, 0, 2, 0, 3])).unwrap();
            assert_eq!(read, [1, 2], "{data:#x}");
        }
    }

    #[test]
    fn a_file_without_a_sample_is_told_when_it_is_opened() {
        for (data, samples) in [(0, &[][..]), (1, &[0]), (0, &[0]), (2, &[0]), (u32::MAX, &[])] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("sound.wav");
            std::fs::write(&path, with_sizes(36, data, samples)).unwrap();
            let error = Reader::open(&path).unwrap_err();
            assert!(matches!(error, WavError::Empty { .. }), "{data} {samples:?}: {error}");
            assert!(error.to_string().contains("sound.wav holds no sound"), "{error}");
        }
    }

    #[test]
    fn a_chunk_of_odd_length_may_lack_its_padding() {
        let padded = file(LINE, false, &[1, 0, 2, 0]);
        let list = padded.windows(4).position(|name| name == b"LIST").unwrap();
        let mut unpadded = padded.clone();
        assert_eq!(unpadded.remove(list + 8 + 5), 0);
        for bytes in [padded, unpadded] {
            assert_eq!(read_bytes(&bytes).unwrap(), [1, 2]);
        }
    }

    #[test]
    fn a_file_of_empty_chunks_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        std::fs::write(&path, &header(0)[..12]).unwrap();
        let sparse = File::options().write(true).open(&path).unwrap();
        // Read to its end, this takes hours.
        sparse.set_len(1 << 40).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("first 1024 chunks"), "{error}");
    }

    #[test]
    fn a_long_file_is_read_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let mut writer = Writer::create(&path).unwrap();
        writer.write(&[1; 100_000]).unwrap();
        writer.finish().unwrap();
        let (mut reader, mut samples) = (Reader::open(&path).unwrap(), Vec::new());
        let mut pieces = 0;
        while reader.read(&mut samples).unwrap() > 0 {
            assert!(samples.len() <= 4096, "{}", samples.len());
            samples.clear();
            pieces += 1;
        }
        assert!(pieces >= 100_000 / 4096);
    }

    #[test]
    fn the_header_is_right_while_the_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let mut writer = Writer::create(&path).unwrap();
        for second in 1..=3 {
            (0..50).for_each(|_| writer.write(&[7; 160]).unwrap());
            // As after kill -9: nobody finishes the file.
            let played = hound::WavReader::open(&path).unwrap().duration();
            assert!((second * 8000 - 2400..=second * 8000).contains(&played), "{played}");
        }
    }

    #[test]
    fn the_header_is_right_after_a_full_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let mut writer = Writer::create(&path).unwrap();
        writer.room = 20;
        writer.write(&[7; 9]).unwrap();
        writer.write(&[7; 2]).unwrap_err();
        assert_eq!(hound::WavReader::open(&path).unwrap().duration(), 9);
    }

    #[test]
    fn a_pipe_gets_a_stream() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut writer =
            Writer::on(File::from(std::os::fd::OwnedFd::from(writer)), "a pipe").unwrap();
        writer.write(&[1, 2, 3]).unwrap();
        writer.finish().unwrap();
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(read_bytes(&bytes).unwrap(), [1, 2, 3]);
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
    fn a_hint_to_copy_is_quoted() {
        for (path, hint) in [
            ("a/sound-1.wav", "a/sound-1.wav"),
            ("two words.wav", "'two words.wav'"),
            ("$(reboot)'s.wav", "'$(reboot)'\\''s.wav'"),
            ("-n.wav", "./-n.wav"),
        ] {
            assert_eq!(quoted(Path::new(path)), hint);
            let error = WavError::NotWav { path: path.into(), why: "no" }.to_string();
            assert!(error.contains(&format!("`sox {hint} -r")), "{error}");
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
