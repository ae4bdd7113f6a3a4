//! Talk-off: speech is not taken for DTMF digits.
//!
//! The speech is made by the synthesisers espeak-ng and flite from the project's own documents, in
//! voices of several languages, ages and pitches, and goes over a telephone line. By default it is
//! two minutes; `make talk-off` makes an hour.

#[expect(dead_code, reason = "other tests use the rest of the line")]
mod line;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use line::{samples, through_line};
use ringback_media::dtmf::{Detector, Event, Generator};
use ringback_media::level;

/// The program, its arguments for the voice, and how fast and high it speaks where that can be set.
const VOICES: [&[&str]; 14] = [
    &["espeak-ng", "-v", "en-gb", "-s", "160", "-p", "45"],
    &["flite", "-voice", "slt"],
    &["espeak-ng", "-v", "de+f2", "-s", "150", "-p", "60"],
    &["flite", "-voice", "rms"],
    &["espeak-ng", "-v", "it+f4", "-s", "180", "-p", "75"],
    &["espeak-ng", "-v", "fr+m3", "-s", "170", "-p", "35"],
    &["flite", "-voice", "awb"],
    &["espeak-ng", "-v", "es+f5", "-s", "190", "-p", "85"],
    &["espeak-ng", "-v", "pl+m5", "-s", "140", "-p", "20"],
    &["flite", "-voice", "kal16"],
    &["espeak-ng", "-v", "pt-br+f1", "-s", "160", "-p", "95"],
    &["espeak-ng", "-v", "en-us+m7", "-s", "200", "-p", "50"],
    &["espeak-ng", "-v", "sv+f3", "-s", "150", "-p", "55"],
    &["espeak-ng", "-v", "nl+m1", "-s", "165", "-p", "10"],
];
/// Levels of speech on a line, in dBm0: that of a person who speaks loudly, and a usual one.
const LEVELS: [f32; 3] = [-12.0, -18.0, -24.0];
/// Words that are spoken at a time.
const WORDS: usize = 70;

/// The words of the documents, without what is not spoken.
fn words() -> Vec<String> {
    let documents = concat!(
        include_str!("../../../README.md"),
        include_str!("../../../ARCHITECTURE.md"),
        include_str!("../../../CHANGELOG.md"),
        include_str!("../../../driver/GUIDE.md"),
    );
    let spoken = |word: &str| {
        let letters = word.chars().filter(|c| c.is_ascii_alphanumeric() || ".,'".contains(*c));
        Some(letters.collect::<String>()).filter(|word| !word.is_empty() && word.len() < 20)
    };
    documents.split_whitespace().filter_map(spoken).collect()
}

/// Has a voice speak; returns its samples at 8 kHz.
fn speak(voice: &[&str], text: &str, folder: &Path) -> Vec<i16> {
    let file = folder.join("speech.wav");
    let (program, arguments) = voice.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments);
    match *program {
        "flite" => command.arg("-t").arg(text).arg("-o").arg(&file),
        _ => command.arg("-w").arg(&file).arg(text),
    };
    let status = command.status().unwrap_or_else(|error| {
        panic!(
            "{program}: {error}; the test speaks with Debian's espeak-ng and flite: install them"
        )
    });
    assert!(status.success(), "{voice:?}: {status}");
    let wav = std::fs::read(&file).unwrap();
    assert_eq!((&wav[..4], &wav[8..12], wav[22]), (&b"RIFF"[..], &b"WAVE"[..], 1), "mono");
    let rate = u32::from_le_bytes(wav[24..28].try_into().unwrap());
    let data = wav.windows(4).position(|name| name == b"data").unwrap() + 8;
    let sound = wav[data..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    resample(&sound.map(f32::from).collect::<Vec<_>>(), rate)
}

/// Converts to 8 kHz, without what is above 3.6 kHz.
fn resample(sound: &[f32], rate: u32) -> Vec<i16> {
    const HALF: isize = 32;
    let step = rate as f32 / 8000.0;
    let cutoff = 3600.0 / rate as f32;
    let count = (sound.len() as f32 / step) as usize;
    let at = |n: usize| {
        let centre = n as f32 * step;
        let first = centre as isize - HALF;
        let sum: f32 = (first..=first + 2 * HALF)
            .filter_map(|at| {
                let sample = sound.get(usize::try_from(at).ok()?)?;
                let x = at as f32 - centre;
                let turn = std::f32::consts::TAU * cutoff * x;
                let sinc = if turn.abs() < 1e-3 { 1.0 } else { turn.sin() / turn };
                let window = 0.5 + 0.5 * (std::f32::consts::PI * x / (HALF + 1) as f32).cos();
                Some(sample * 2.0 * cutoff * sinc * window)
            })
            .sum();
        sum.clamp(-32_768.0, 32_767.0) as i16
    };
    (0..count).map(at).collect()
}

/// Brings the speech, without its pauses, to a level.
fn at_level(mut speech: Vec<i16>, dbm0: f32) -> Vec<i16> {
    let spoken = speech.chunks(160).filter(|part| level::rms_dbm0(part) > -50.0);
    let spoken: Vec<i16> = spoken.flatten().copied().collect();
    let gain = 10f32.powf((dbm0 - level::rms_dbm0(&spoken)) / 20.0);
    for sample in &mut speech {
        *sample = (f32::from(*sample) * gain).clamp(-32_768.0, 32_767.0) as i16;
    }
    speech
}

#[test]
fn no_speech_is_taken_for_a_digit() {
    let minutes = std::env::var("RINGBACK_SPEECH_MINUTES");
    let minutes: f32 = minutes.map_or(2.0, |text| text.parse().expect("a number of minutes"));
    let words = words();
    let folder = tempfile::tempdir().unwrap();
    let mut detector = Detector::new();
    let (mut said, mut digits, mut turn) = (0, 0, 0);
    while said < samples((minutes * 60_000.0) as usize) {
        let text = words.iter().cycle().skip(turn * WORDS % words.len()).take(WORDS);
        let text = text.map(String::as_str).collect::<Vec<_>>().join(" ");
        let voice = VOICES[turn % VOICES.len()];
        let speech = speak(voice, &text, folder.path());
        let speech = at_level(speech, LEVELS[turn % LEVELS.len()]);
        let heard = through_line(&speech, -55.0, turn as u64);
        said += heard.len();
        detector.feed(&heard, &mut |event| {
            if let Event::Down(digit) = event {
                println!("{digit} in {voice:?} of {text:?}");
                digits += 1;
            }
        });
        turn += 1;
    }
    let said = Duration::from_secs(said as u64 / 8000);
    println!("{said:?} of speech in {turn} pieces: {digits} digits");
    assert_eq!(digits, 0);
    // And it would have heard one.
    let mut digit = vec![0; 2000];
    let mut generator = Generator::new();
    generator.push('5'.try_into().unwrap());
    generator.fill(&mut digit);
    let mut heard = 0;
    detector.feed(&digit, &mut |_| heard += 1);
    assert_eq!(heard, 2);
}
