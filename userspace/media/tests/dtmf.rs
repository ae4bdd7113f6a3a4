//! DTMF over a line: levels, twist, noise, inexact frequencies, dial tone, and sounds that are not
//! digits.

mod line;

use line::{mix, music, noise, silence, sines, speech, through_line};
use ringback_country::Country;
use ringback_media::dtmf::{Detector, Digit, Event, Generator};
use ringback_media::tone;

const ALL: &str = "0123456789ABCD*#";

/// Returns the digits that are detected in samples, fed 8 at a time as the driver's tick does. Each
/// digit has to end before the next, and before the end of the samples.
fn digits_in(samples: &[i16], filter: bool) -> String {
    let mut detector = Detector::new();
    detector.set_dial_tone_filter(filter);
    let mut digits = String::new();
    let mut down = None;
    let mut on = |event| match event {
        Event::Down(digit) => {
            assert_eq!(down.replace(digit), None, "{digit} down before the last is up");
            digits.push(digit.as_char());
        }
        Event::Up(digit) => assert_eq!(down.take(), Some(digit), "{digit} up"),
    };
    for piece in samples.chunks(8).chain([&silence(50)[..]]) {
        detector.feed(piece, &mut on);
    }
    assert_eq!(down, None, "still down");
    digits
}

/// Generates all digits, at these levels of the low and the high frequency in dBm0.
fn dial(low: f32, high: f32, on_ms: u32, off_ms: u32) -> Vec<i16> {
    let mut generator = Generator::new();
    generator.set_timing(on_ms, off_ms);
    generator.set_levels(low, high);
    ALL.chars().filter_map(Digit::from_char).for_each(|digit| generator.push(digit));
    let mut samples = vec![0; ALL.len() * (on_ms + off_ms) as usize * 8];
    assert_eq!(generator.fill(&mut samples), samples.len());
    samples
}

#[test]
fn digits_of_40_ms_are_heard_at_every_level() {
    for level in [-5.0, -10.0, -15.0, -20.0, -25.0] {
        for seed in 0..5 {
            // The noise is 20 dB below each frequency.
            let heard = through_line(&dial(level, level, 40, 50), level - 20.0, seed);
            assert_eq!(digits_in(&heard, false), ALL, "{level} dBm0, seed {seed}");
        }
    }
}

#[test]
fn digits_of_40_ms_are_heard_wherever_they_begin() {
    for offset in 0..110 {
        let mut samples = vec![0; offset];
        samples.extend(dial(-10.0, -8.0, 40, 50));
        for filter in [false, true] {
            let heard = through_line(&samples, -45.0, offset as u64);
            assert_eq!(digits_in(&heard, filter), ALL, "{offset} samples late, filter {filter}");
        }
    }
}

#[test]
fn digits_are_heard_15_db_over_the_noise() {
    for seed in 0..10 {
        let heard = through_line(&dial(-13.0, -13.0, 60, 60), -25.0, seed);
        assert_eq!(digits_in(&heard, false), ALL, "seed {seed}");
    }
}

/// How many of 160 digits are detected, and how many that were not sent; over a line with this
/// noise, each digit at another place relative to the detector's windows.
fn rate((low, high): (f32, f32), (on_ms, off_ms): (u32, u32), noise_dbm0: f32) -> (usize, usize) {
    let (mut found, mut wrong) = (0, 0);
    for seed in 0..10 {
        let mut samples = vec![0; 5 * seed as usize];
        samples.extend(dial(low, high, on_ms, off_ms));
        let heard = digits_in(&through_line(&samples, noise_dbm0, seed), false);
        // The digits that are sent are all different, so that those heard can be told apart.
        let mut sent = ALL.chars();
        for digit in heard.chars() {
            if sent.any(|one| one == digit) { found += 1 } else { wrong += 1 }
        }
    }
    (found, wrong)
}

/// The detection over twist, level, noise and length. Each row is a condition that Q.24 or the
/// documentation of the detector names, and how many of 160 digits at least and at most it detects.
#[test]
fn digits_are_detected_at_the_documented_limits() {
    let even = |level: f32| (level, level);
    #[rustfmt::skip]
    let table = [
        // low and high in dBm0, ms on and off, noise in dBm0, at least, at most
        (even(-3.0),       (40, 40), -45.0, 160, 160),
        (even(-10.0),      (40, 40), -45.0, 160, 160),
        (even(-25.0),      (40, 40), -55.0, 160, 160),
        (even(-33.0),      (40, 40), -60.0, 160, 160),
        (even(-40.0),      (40, 40), -65.0, 158, 160),
        // The twist that is documented, at a high and a low level; then more.
        ((-8.0, -4.0),     (40, 40), -45.0, 160, 160),
        ((-24.0, -20.0),   (40, 40), -55.0, 160, 160),
        ((-4.0, -12.0),    (40, 40), -45.0, 160, 160),
        ((-20.0, -28.0),   (40, 40), -55.0, 160, 160),
        ((-8.0, -4.0),     (50, 50), -45.0, 160, 160),
        ((-4.0, -12.0),    (50, 50), -45.0, 160, 160),
        ((-14.0, -7.0),    (50, 50), -45.0, 0, 0),
        ((-4.0, -15.0),    (50, 50), -45.0, 0, 0),
        // Noise that is so many dB below each frequency: 20, 15, 12.
        (even(-13.0),      (40, 40), -33.0, 160, 160),
        (even(-13.0),      (40, 40), -28.0, 159, 160),
        (even(-13.0),      (50, 50), -25.0, 158, 160),
        ((-10.0, -18.0),   (40, 40), -35.0, 158, 160),
        ((-14.0, -10.0),   (40, 40), -35.0, 158, 160),
        // Shorter: up to 23 ms it is no digit.
        (even(-10.0),      (35, 40), -45.0, 155, 160),
        (even(-10.0),      (23, 60), -45.0, 0, 0),
        (even(-10.0),      (15, 60), -45.0, 0, 0),
    ];
    let mut wrong = Vec::new();
    for (levels, times, noise, least, most) in table {
        let (found, others) = rate(levels, times, noise);
        println!(
            "{levels:?} dBm0, {times:?} ms, noise {noise} dBm0: {found} of 160, {others} wrong"
        );
        if !(least..=most).contains(&found) || others > 0 {
            wrong.push((levels, times, noise, found, others));
        }
    }
    assert_eq!(wrong, []);
}

#[test]
fn twist_is_taken_as_far_as_lines_twist_and_not_beyond() {
    for (low, high) in [(-10.0, -6.5), (-17.0, -13.5), (-8.0, -15.0), (-15.0, -22.0)] {
        for filter in [false, true] {
            let heard = through_line(&dial(low, high, 50, 50), -45.0, 1);
            assert_eq!(digits_in(&heard, filter), ALL, "{low} and {high} dBm0, filter {filter}");
        }
    }
    for (low, high) in [(-16.0, -8.0), (-8.0, -20.0)] {
        let heard = through_line(&dial(low, high, 50, 50), -45.0, 1);
        assert_eq!(digits_in(&heard, false), "", "{low} and {high} dBm0");
    }
}

/// Off by 1.5 % is a digit, also of 40 ms; off by 3 % is none, whichever frequency it is (Q.24 asks
/// for 3.5 %).
#[test]
fn frequencies_may_be_off_a_little() {
    for digit in ALL.chars().filter_map(Digit::from_char) {
        let (low, high) = digit.frequencies();
        let at = |low_off: f32, high_off: f32| {
            let tones = [(low * (1.0 + low_off), -12.0), (high * (1.0 + high_off), -10.0)];
            let mut samples = sines(40, &tones);
            samples.extend(silence(60));
            digits_in(&through_line(&samples, -45.0, 3), false)
        };
        let off = [-0.015, 0.0, 0.015];
        for (low_off, high_off) in off.into_iter().flat_map(|low| off.map(|high| (low, high))) {
            assert_eq!(at(low_off, high_off), digit.to_string(), "{digit} {low_off} {high_off}");
        }
        for off in [-0.03, 0.03] {
            for (low_off, high_off) in [(off, off), (off, 0.0), (0.0, off), (off, -off)] {
                assert_eq!(at(low_off, high_off), "", "{digit} {low_off} {high_off}");
            }
        }
    }
}

#[test]
fn with_the_filter_dial_tone_does_not_hide_digits() {
    // The tones of 1950 are older than DTMF: a part of theirs is at 720 Hz.
    let zones = Country::each_zone().filter(|zone| zone.to_string() != "TBR21/US-OLD");
    for country in zones {
        let digits = dial(-14.0, -12.0, 50, 50);
        let mut dial_tone = vec![0; digits.len()];
        tone::Generator::new(&country.tones().dial).fill(&mut dial_tone);
        let heard = through_line(&mix(&digits, &dial_tone), -50.0, 4);
        assert_eq!(digits_in(&heard, true), ALL, "{country}");
    }
}

#[test]
fn a_short_gap_is_not_a_second_digit() {
    let digit = [(770.0, -10.0), (1336.0, -8.0)];
    let mut samples = sines(60, &digit);
    samples.extend(silence(5));
    samples.extend(sines(60, &digit));
    samples.extend(silence(60));
    assert_eq!(digits_in(&samples, false), "5");
}

#[test]
fn short_bursts_are_no_digits() {
    let mut samples = Vec::new();
    for _ in 0..50 {
        samples.extend(sines(12, &[(770.0, -10.0), (1336.0, -8.0)]));
        samples.extend(silence(47));
    }
    assert_eq!(digits_in(&samples, false), "");
}

/// Tests talk-off: other sounds are not taken for digits.
#[test]
fn noise_speech_and_music_are_no_digits() {
    assert_eq!(digits_in(&silence(10_000), false), "");
    for seed in 0..6 {
        assert_eq!(digits_in(&noise(20_000, -15.0, seed), false), "", "noise {seed}");
        assert_eq!(digits_in(&noise(20_000, -15.0, seed), true), "", "filtered noise {seed}");
        assert_eq!(digits_in(&speech(30_000, seed), false), "", "speech {seed}");
        assert_eq!(digits_in(&music(30_000, seed), false), "", "music {seed}");
    }
    for country in Country::each_zone() {
        for (what, signal) in country.tones().signals() {
            let mut samples = silence(10_000);
            tone::Generator::new(signal).fill(&mut samples);
            assert_eq!(digits_in(&samples, false), "", "{what:?} of {country}");
            assert_eq!(digits_in(&samples, true), "", "{what:?} of {country}, filtered");
        }
    }
}

#[test]
fn detectors_and_generators_can_be_made_and_moved_in_many_threads() {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mut detector = Detector::new();
            std::thread::spawn(move || {
                let mut digits = 0;
                detector.feed(&dial(-10.0, -8.0, 50, 50), &mut |_| digits += 1);
                let again = digits_in(&dial(-10.0, -8.0, 50, 50), false);
                (digits, again)
            })
        })
        .collect();
    for thread in threads {
        let (events, again) = thread.join().unwrap();
        assert!(events >= 2 * ALL.len() - 1);
        assert_eq!(again, ALL);
    }
}
