//! The sound of lines: echo cancellation, gains, levels, and recordings of both sides.

use std::fs;

use nix::sys::signal::Signal;
use ringback_country::Companding;
use ringback_media::g711;
use ringback_media::level::power_at;
use ringback_media::tone::Generator;
use ringback_media::wav;

use crate::program::{of, run, start, states};

/// The samples of one channel of a stereo file that `--record-both` has written.
fn channel(bytes: &[u8], which: usize) -> Vec<i16> {
    let samples = bytes[44..].as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes));
    samples.skip(which).step_by(2).collect()
}

/// A WAV file of 8-bit samples: 7 is u-law, 6 A-law.
fn companded_file(coding: u16, codes: &[u8]) -> Vec<u8> {
    let size = codes.len() as u32;
    let mut file = [b"RIFF".as_slice(), &(36 + size).to_le_bytes(), b"WAVEfmt "].concat();
    file.extend(16u32.to_le_bytes());
    file.extend([coding, 1].map(u16::to_le_bytes).concat());
    file.extend([8000u32, 8000].map(u32::to_le_bytes).concat());
    file.extend([1u16, 8].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(size.to_le_bytes());
    [file, codes.to_vec()].concat()
}

#[test]
fn a_file_of_the_law_of_the_lines_country_is_sent_with_its_code_words_and_another_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // Every code word but u-law's two zeros, one of which is never sent.
    let codes: Vec<u8> = (0..=u8::MAX).filter(|code| code & 0x7F != 0x7F).collect();
    for (country, law) in [("fcc", Companding::ULaw), ("germany", Companding::ALaw)] {
        for (coding, own) in [(7, Companding::ULaw), (6, Companding::ALaw)] {
            fs::write(path("said.wav"), companded_file(coding, &codes)).unwrap();
            let options = format!("--country {country} --hangup-after 1 --overwrite");
            let files = format!("--play {} --record-both {}", path("said.wav"), path("both.wav"));
            run(&format!("call 2 5550100 --card soft {options} {files}")).with(0);
            let sent = channel(&fs::read(path("both.wav")).unwrap(), 1);
            let sent: Vec<u8> = sent.into_iter().map(|sample| g711::encode(own, sample)).collect();
            let found = sent.windows(codes.len()).any(|part| part == codes);
            assert_eq!(found, law == own, "a file in {own} on a line in {law}");
        }
    }
}

/// For how many ms a tone is in samples.
fn tone_ms(samples: &[i16], hz: f32) -> usize {
    samples.chunks_exact(400).filter(|block| power_at(block, hz) > -25.0).count() * 50
}

#[test]
fn both_sides_are_recorded_and_a_canceller_prints_nothing_between_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mut writer = wav::Writer::create(path("speech.wav")).unwrap();
    let mut speech = vec![0; 4 * 8000];
    Generator::sine(1500.0, -12.0).fill(&mut speech);
    writer.write(&speech).unwrap();
    writer.finish().unwrap();
    let options = "--echo-cancel --gain-received 3 --gain-sent -3";
    let files = format!("--play {} --record-both {}", path("speech.wav"), path("both.wav"));
    let ended = run(&format!("call 2 5550100 --card soft --json {options} {files}")).with(0);
    assert_eq!(ended.errors, "");
    // Each line of the output is JSON, or this fails.
    assert!(states(&ended.objects(), 2).ends_with(&["CONNECTED", "IDLE"]), "{ended}");
    let bytes = fs::read(path("both.wav")).unwrap();
    assert_eq!(bytes[22..24], [2, 0], "stereo");
    let (heard, sent) = (channel(&bytes, 0), channel(&bytes, 1));
    assert!(tone_ms(&heard, 1000.0) >= 600, "what the subscriber says, on the left");
    assert!(tone_ms(&sent, 1500.0) >= 3500, "what this side says, on the right");
    assert_eq!((tone_ms(&heard, 1500.0), tone_ms(&sent, 1000.0)), (0, 0), "apart");
}

#[test]
fn options_of_the_sound_that_no_line_has_are_refused() {
    let refused = |options: &str, text: &str| {
        let ended = run(&format!("call 2 5550100 --card soft {options}")).with(2);
        assert!(ended.errors.contains(text), "{ended}");
    };
    refused("--gain-sent 13", "from -24 to 12");
    refused("--gain-received -25", "from -24 to 12");
    refused("--record a.wav --record-both b.wav", "cannot be used with");
}

#[test]
fn the_monitor_shows_levels_every_second() {
    let mut program = start("monitor --card soft --json --levels");
    program.until_all(&[0, 1, 2, 3].map(|line| format!("\"line\":{line},\"event\":\"levels\"")));
    program.until_all(&[0, 1].map(|line| format!("\"line\":{line},\"event\":\"call_closed\"")));
    program.until_all(&[0, 1].map(|line| format!("\"line\":{line},\"event\":\"levels\"")));
    program.signal(Signal::SIGINT);
    let ended = program.end().with(130);
    assert_eq!(ended.errors, "");
    let objects = ended.objects();
    let levels = of(&objects, "levels");
    for line in [0, 1] {
        let loud = |side: &str| {
            let of_line = levels.iter().filter(|object| object["line"] == line);
            of_line.filter(|object| object[side].as_f64().unwrap() > -40.0).count()
        };
        assert!(loud("heard_dbm0") >= 1, "the telephone dials: {ended}");
        assert!(loud("sent_dbm0") >= 1, "it hears tones: {ended}");
    }
    assert!(levels.iter().all(|object| object["heard_clipped"] == 0), "{ended}");

    let mut program = start("monitor --card soft --levels");
    program.until("dBm0; sends");
    program.signal(Signal::SIGTERM);
    program.end().with(143);
}
