//! How much of an echo the canceller takes away, by the signals and echo paths of ITU-T G.168.
//!
//! Both directions pass u-law, as they do on a card, so that nothing can be better than about
//! 37 dB. What `cargo test --test echo -- --nocapture` prints are the figures.

#[allow(dead_code, reason = "shared with other tests")]
mod line;

mod g168;

use g168::{CompositeSource, PATHS, echo, rms};
use ringback_media::echo::EchoCanceller;
use ringback_media::g711::{ulaw_decode, ulaw_encode};

/// What has to be reached after three seconds.
const WANTED_DB: f64 = 20.0;
/// What is reached is 27.2 dB, the worst of all paths and levels.
const REACHED_DB: f64 = 26.0;
/// What of it is left while both sides speak and in the second after that: 11.9 dB are reached.
const DOUBLE_TALK_DB: f64 = 10.0;
/// The levels of the far side in dBm0, and the least loss that a hybrid has (G.168).
const LEVELS: [f32; 3] = [-10.0, -16.0, -25.0];
const LOSS_DB: f64 = 6.0;
const SECOND: usize = 8000;

fn by_ulaw(samples: &[f64]) -> Vec<i16> {
    samples.iter().map(|sample| ulaw_decode(ulaw_encode(*sample as i16))).collect()
}

/// What the canceller makes of it, with its delay taken back, frame by frame as on a line.
fn cancel(canceller: &mut EchoCanceller, sent: &[i16], heard: &[i16]) -> Vec<f64> {
    let mut heard = [heard, &[0; EchoCanceller::DELAY]].concat();
    for (at, frame) in heard.chunks_mut(8).enumerate() {
        canceller.feed(sent.get(at * 8..).unwrap_or_default(), frame);
    }
    heard[EchoCanceller::DELAY..].iter().copied().map(f64::from).collect()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// By how many dB the second is quieter than the first, in a second of both.
fn db(loud: &[f64], quiet: &[f64], second: usize) -> f64 {
    let part = |samples: &[f64]| rms(&samples[second * SECOND..(second + 1) * SECOND]);
    20.0 * (part(loud) / part(quiet)).log10()
}

#[test]
fn an_echo_is_20_db_lower_after_three_seconds_on_every_path() {
    let mut worst = f64::MAX;
    for (number, path) in (2..).zip(PATHS) {
        for level in LEVELS {
            let sent = by_ulaw(&CompositeSource::far().at_level(level, 6 * SECOND));
            let echo = echo(&sent, path, LOSS_DB);
            let left = cancel(&mut EchoCanceller::new(), &sent, &by_ulaw(&echo));
            let figures: Vec<f64> = (0..6).map(|second| db(&echo, &left, second)).collect();
            println!("D.{number} at {level} dBm0: {figures:.1?} dB");
            let after = figures[3..].iter().copied().fold(f64::MAX, f64::min);
            assert!(after >= WANTED_DB, "D.{number} at {level} dBm0: {after:.1} dB");
            worst = worst.min(after);
        }
    }
    println!("the worst after three seconds: {worst:.1} dB");
    assert!(worst >= REACHED_DB, "{worst:.1} dB");
}

#[test]
fn it_does_not_diverge_when_both_sides_speak() {
    let near_speaks = 3 * SECOND..6 * SECOND;
    let mut worst = f64::MAX;
    for (number, path) in (2..).zip(PATHS) {
        for louder in [-6.0, 0.0, 6.0] {
            let sent = by_ulaw(&CompositeSource::far().at_level(-16.0, 8 * SECOND));
            let echo = echo(&sent, path, LOSS_DB);
            let mut near = CompositeSource::near().at_level(-16.0 + louder, 8 * SECOND);
            let silent = |(at, sample): (usize, &mut f64)| {
                if !near_speaks.contains(&at) {
                    *sample = 0.0;
                }
            };
            near.iter_mut().enumerate().for_each(silent);
            let both: Vec<f64> = echo.iter().zip(&near).map(|(a, b)| a + b).collect();
            let left = cancel(&mut EchoCanceller::new(), &sent, &by_ulaw(&both));
            // The near side as it would be without an echo.
            let alone = cancel(&mut EchoCanceller::new(), &vec![0; near.len()], &by_ulaw(&near));
            let left = difference(&left, &alone);
            let figures: Vec<f64> = (0..8).map(|second| db(&echo, &left, second)).collect();
            println!("D.{number}, near side {louder:+} dB: {figures:.1?} dB");
            let (speaking, then) = (&figures[3..7], figures[7]);
            for (second, figure) in speaking.iter().enumerate() {
                assert!(
                    *figure >= DOUBLE_TALK_DB,
                    "D.{number}, near side {louder:+} dB, second {second}: {figure:.1} dB"
                );
            }
            assert!(then >= WANTED_DB, "D.{number}, near side {louder:+} dB, then: {then:.1} dB");
            worst = worst.min(speaking.iter().copied().fold(f64::MAX, f64::min));
        }
    }
    println!("the worst while both speak and a second longer: {worst:.1} dB");
}

/// What a canceller can't follow: an echo that is not one, and tones at full scale.
fn astray() {
    let mut canceller = EchoCanceller::new();
    let wave = |hz: f64, amplitude: f64, len: usize| -> Vec<i16> {
        let step = std::f64::consts::TAU * hz / 8000.0;
        (0..len).map(|at| ((step * at as f64).sin() * amplitude) as i16).collect()
    };
    for (hz, amplitude) in [(1500.0, 8000.0), (3400.0, 32_124.0), (2100.0, 32_124.0)] {
        let sent = wave(hz, amplitude, 24_000);
        for gain in [1, -1, 4, 0] {
            let mut heard: Vec<_> = sent.iter().map(|sample| sample.saturating_mul(gain)).collect();
            canceller.feed(&sent, &mut heard);
        }
        for len in [1000, 2003, 3001] {
            // The echo comes from elsewhere in the tone each time, or the line is silent.
            let mut heard = sent[len..len + 8000].to_vec();
            canceller.feed(&sent, &mut heard);
            canceller.feed(&sent, &mut vec![0; 16_000]);
        }
    }
}

/// The program's messages are its own: the library would print a warning when it begins anew.
#[test]
fn nothing_is_printed_where_the_canceller_goes_astray() {
    const CHILD: &str = "RINGBACK_ECHO_ASTRAY";
    if std::env::var_os(CHILD).is_some() {
        return astray();
    }
    let test = std::env::current_exe().unwrap();
    let name = "nothing_is_printed_where_the_canceller_goes_astray";
    let child = std::process::Command::new(test)
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert_eq!(String::from_utf8_lossy(&child.stderr), "");
}
