use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::writer::header;
use super::*;

/// The number of samples in a file's header, which players use.
fn length(path: &Path) -> u32 {
    let bytes = std::fs::read(path).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(
        (&bytes[..4], &bytes[8..16], &bytes[36..40]),
        (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
    );
    // A chunk of 16 bytes: PCM on one channel, 8000 samples and 16,000 bytes in a second.
    assert_eq!(
        [word(16), word(20), word(24), word(28), word(32)],
        [16, 0x1_0001, 8000, 16_000, 0x10_0002]
    );
    let data = word(40);
    assert_eq!(word(4), data + 36, "RIFF has what follows it");
    assert!(usize::try_from(data).unwrap() + 44 <= bytes.len(), "no more than there is");
    data / 2
}

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
    assert_eq!(length(&path), 10_007);
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

/// The bytes of a file from another program, with these lengths in its header.
fn with_sizes(riff: u32, data: u32, samples: &[u8]) -> Vec<u8> {
    let mut bytes = header(0, 1).to_vec();
    bytes[4..8].copy_from_slice(&riff.to_le_bytes());
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes.extend(samples);
    bytes
}

#[test]
fn a_stream_without_its_length_is_read_to_its_end() {
    for (riff, data) in [(0, 0), (36, 0), (u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000)] {
        let read = read_bytes(&with_sizes(riff, data, &[1, 0, 2, 0, 3])).unwrap();
        assert_eq!(read, [1, 2], "{data:#x}");
    }
}

#[test]
fn a_file_without_a_sample_is_an_error_when_it_is_opened() {
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
    std::fs::write(&path, &header(0, 1)[..12]).unwrap();
    let sparse = File::options().write(true).open(&path).unwrap();
    // Reading it to its end would take hours.
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
        // As after SIGKILL: the file is not finished.
        let played = length(&path);
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
    assert_eq!(length(&path), 9);
}

#[test]
fn a_pipe_gets_a_stream() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut writer = Writer::on(File::from(std::os::fd::OwnedFd::from(writer)), "a pipe").unwrap();
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
            // The file is cut within the data: the whole samples are read.
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

#[test]
fn both_sides_are_written_as_the_two_channels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.wav");
    let mut writer = Writer::stereo_on(File::create(&path).unwrap(), &path).unwrap();
    writer.write(&[1, -1, 2, -2]).unwrap();
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes[..44], header(8, 2));
    assert_eq!(bytes[44..], [1, 0, 0xFF, 0xFF, 2, 0, 0xFE, 0xFF]);
    let Err(WavError::Format { format, .. }) = read(&path) else { panic!("it is no mono") };
    assert_eq!(format, Format { channels: 2, ..LINE });
}
