//! Any bytes as a WAV file: reading ends, gives at most a sample for each byte, and what it gives
//! can be written and read again.

#![no_main]

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use nix::sys::memfd::{MFdFlags, memfd_create};
use ringback_media::wav::{Reader, Writer};

/// A file in memory, and the path by which it can be opened.
fn file() -> (File, PathBuf) {
    let file = File::from(memfd_create("wav", MFdFlags::MFD_CLOEXEC).expect("memory"));
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
}

fn read(mut reader: Reader, most: usize) -> Vec<i16> {
    let mut samples = Vec::new();
    while let Ok(1..) = reader.read(&mut samples) {
        assert!(samples.len() <= most, "more samples than bytes");
    }
    samples
}

fuzz_target!(|bytes: &[u8]| {
    let (mut given, path) = file();
    given.write_all(bytes).expect("memory");
    let Ok(reader) = Reader::open(&path) else { return };
    let samples = read(reader, bytes.len());
    assert!(!samples.is_empty(), "an empty file was opened");

    let (made, path) = file();
    let mut writer = Writer::on(made.try_clone().expect("memory"), &path).expect("a header");
    writer.write(&samples).expect("memory");
    writer.finish().expect("memory");
    assert_eq!(read(Reader::open(&path).expect("our own file"), usize::MAX), samples);
});
