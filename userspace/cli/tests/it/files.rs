//! The files of a call: no data is lost, and no file is touched that should not be.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use ringback_media::wav;
use tempfile::TempDir;

use crate::program::{LIMIT, Program, limited, of, run, start};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn put(folder: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// Returns a WAV file with these sizes in its header.
fn wav_file(data_size: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0".to_vec();
    bytes.extend(b"data");
    bytes.extend(data_size.to_le_bytes());
    bytes.extend(data);
    bytes
}

#[cfg(feature = "bench")]
#[test]
fn a_plot_writes_over_nothing() {
    let folder = folder();
    let file = put(&folder, "there.svg", b"precious");
    let link = folder.path().join("link.svg");
    symlink(folder.path().join("behind.svg"), &link).unwrap();
    run(&format!("bench latency --plot {file}")).with(1).says("exists: name another file");
    run(&format!("bench latency --plot {}", link.display())).with(1).says("is a link");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert!(!folder.path().join("behind.svg").exists());
}

#[test]
fn a_file_without_a_sample_is_refused_before_the_call() {
    let folder = folder();
    for (name, size, data) in [("empty.wav", 0, &b""[..]), ("one-byte.wav", 1, b"\0")] {
        let file = put(&folder, name, &wav_file(size, data));
        let ended = run(&format!("call 2 5550100 --card soft --play {file}")).with(1);
        assert!(ended.lines.is_empty(), "no call was begun: {ended}");
        ended.says("holds no sound");
    }
}

#[test]
fn a_stream_without_its_length_is_played_to_its_end() {
    let folder = folder();
    let sound = wav_file(0, &[1; 2 * 8000]);
    let file = put(&folder, "zero.wav", &sound);
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let writer = thread::spawn({
        let fifo = fifo.clone();
        move || OpenOptions::new().write(true).open(fifo).unwrap().write_all(&sound).unwrap()
    });
    for path in [file, fifo.display().to_string()] {
        let ended = run(&format!("call 0 1 --card soft --json --play {path}")).with(0);
        let objects = ended.objects();
        let at = |state: &str| {
            let states = of(&objects, "call_state");
            states.iter().find(|told| told["state"] == state).unwrap()["t_ms"].as_f64().unwrap()
        };
        assert!(at("IDLE") - at("CONNECTED") >= 900.0, "one second: {ended}");
    }
    writer.join().unwrap();
}

/// Returns how many samples Python's `wave` module finds, if Python is installed.
fn python_finds(path: &Path) -> Option<usize> {
    let script = "import sys, wave\nf = wave.open(sys.argv[1])\n\
                  print(len(f.readframes(f.getnframes())) // 2)";
    let told = Command::new("python3").args(["-c", script]).arg(path).output().ok()?;
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    Some(String::from_utf8(told.stdout).unwrap().trim().parse().unwrap())
}

#[test]
fn a_recording_can_be_played_after_kill_9() {
    let folder = folder();
    let heard = folder.path().join("heard.wav");
    let mut program =
        start(&format!("call 2 5550100 --card soft --json --record {}", heard.display()));
    program.until("\"CONNECTED\"");
    let deadline = std::time::Instant::now() + LIMIT;
    // Waits until two seconds of sound are in the file; the test is about the sizes in its header.
    while fs::metadata(&heard).map_or(0, |file| file.len()) < 2 * 2 * 8000 {
        assert!(std::time::Instant::now() < deadline);
        thread::sleep(Duration::from_millis(20));
    }
    program.signal(Signal::SIGKILL);
    assert_eq!(program.end().code, None);
    let header: [u8; 4] = fs::read(&heard).unwrap()[40..44].try_into().unwrap();
    let told = u32::from_le_bytes(header) as usize / 2;
    assert!(told >= 8000, "all but a second: {told}");
    assert_eq!(python_finds(&heard).unwrap_or(told), told);
}

#[test]
fn a_recording_can_be_played_after_the_file_got_too_large() {
    let folder = folder();
    let heard = folder.path().join("heard.wav");
    let call = format!("call 2 5550100 --card soft --json --record {}", heard.display());
    let ended = limited("--fsize=20000", &call).end().with(1).says("heard.wav can't be written");
    assert_eq!(of(&ended.objects(), "line_left")[0]["hook"], "on", "{ended}");
    assert_eq!(fs::metadata(&heard).unwrap().len(), 20_000);
    let samples = wav::read(&heard).unwrap().len();
    assert_eq!(samples, (20_000 - 44) / 2);
    assert_eq!(python_finds(&heard).unwrap_or(samples), samples);
}

#[test]
fn a_file_that_exists_is_left_alone_whatever_is_wrong() {
    let folder = folder();
    let mine = put(&folder, "mine.wav", b"mine");
    let link = folder.path().join("link.wav");
    symlink(&mine, &link).unwrap();
    let refused = |arguments: &str, code: i32, why: &str| {
        let ended = run(&format!("{arguments} --card soft")).with(code);
        assert!(ended.errors.contains(why), "{ended}");
        assert_eq!(fs::read_to_string(&mine).unwrap(), "mine", "{arguments}");
    };
    for option in ["--record", "--receive"] {
        refused(&format!("call 2 5550100 {option} {mine}"), 1, "--overwrite");
        refused(&format!("call 2 5550100 --overwrite {option} {}", link.display()), 1, "is a link");
        refused(&format!("call 9 5550100 --overwrite {option} {mine}"), 2, "no line 9");
    }
    refused(&format!("call 2 5550101 --overwrite --record {mine}"), 3, "busy");
    refused(&format!("answer 3 --timeout 0 --overwrite --record {mine}"), 4, "nobody called");
    refused(&format!("call 2 5550100 --overwrite --receive {mine}"), 2, "for modems");
    let sound = put(&folder, "sound.wav", &wav_file(4, &[1; 4]));
    let both = format!("call 2 5550100 --overwrite --play {sound} --record {sound} --card soft");
    run(&both).with(1).says("is read by the same call");
    assert_eq!(wav::read(&sound).unwrap().len(), 2);
}

#[test]
fn a_recording_is_its_owners_and_overwrites_when_asked() {
    let folder = folder();
    let heard = folder.path().join("heard.wav");
    let call = format!("call 2 5550103 --card soft --hangup-after 1 --record {}", heard.display());
    run(&call).with(0);
    assert_eq!(fs::metadata(&heard).unwrap().mode() & 0o777, 0o600);
    fs::write(&heard, vec![0; 1_000_000]).unwrap();
    run(&format!("{call} --overwrite")).with(0);
    let samples = wav::read(&heard).unwrap().len();
    assert!((1..100_000).contains(&samples), "{samples}");
}

#[test]
fn a_pipe_is_recorded_into_to_its_end() {
    let folder = folder();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let reader = thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut bytes = Vec::new();
            File::open(fifo).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        }
    });
    let record = format!("--hangup-after 1 --record {}", fifo.display());
    let ended = run(&format!("call 2 5550103 --card soft {record}")).with(0);
    assert_eq!(ended.errors, "");
    let stream = put(&folder, "stream.wav", &reader.join().unwrap());
    assert!(wav::read(stream).unwrap().len() > 4000);
}

/// The peak resident memory of a process, in kB.
fn peak_kb(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_file_of_a_gigabyte_is_played_and_not_kept() {
    let folder = folder();
    let file = put(&folder, "long.wav", &wav_file(1 << 30, &[]));
    OpenOptions::new().write(true).open(&file).unwrap().set_len(44 + (1 << 30)).unwrap();
    let mut program = start(&format!("call 0 1 --card soft --json --play {file}"));
    program.until("\"CONNECTED\"");
    let peak = peak_kb(&program);
    assert!(peak < 300_000, "{peak} kB");
    program.signal(Signal::SIGINT);
    program.end().with(130);
}

#[test]
fn the_monitor_keeps_little() {
    let mut program = start("monitor --card soft --json");
    program.until("\"OFFERING\"");
    let peak = peak_kb(&program);
    assert!(peak < 45_000, "{peak} kB");
    program.signal(Signal::SIGINT);
    program.end().with(130);
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    // The program exits, and prints the reason.
    run("call 2 5550100 --card soft --send /dev/zero").with(2).says("for modems");
    let folder = folder();
    let file = put(&folder, "chunks.wav", b"RIFF\0\0\0\0WAVE");
    OpenOptions::new().write(true).open(&file).unwrap().set_len(1 << 40).unwrap();
    run(&format!("call 2 5550100 --card soft --play {file}")).with(1).says("1024 chunks");
}
