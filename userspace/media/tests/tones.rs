//! Call-progress tones over a line: levels, noise, inexact frequencies and cadences, listening from
//! any point on, and sounds that are not tones.

mod line;

use std::sync::LazyLock;

use line::{mix, music, noise, silence, sines, speech, through_line};
use ringback_country::Country;
use ringback_media::dtmf;
use ringback_media::tone::CallProgress::{Busy, Dial, Reorder, Ringback};
use ringback_media::tone::{CallProgress, Detector, Generator, Heard, Plan, Signal};

/// Three plans of different kinds: two frequencies per signal, one for all signals, and double
/// cadences.
static PLANS: [(&str, LazyLock<Plan>); 3] = [
    ("North America", LazyLock::new(|| plan("FCC"))),
    ("Germany", LazyLock::new(|| plan("DE"))),
    ("United Kingdom", LazyLock::new(|| plan("GB"))),
];
static NORTH_AMERICA: LazyLock<Plan> = LazyLock::new(|| plan("FCC"));
static EUROPE: LazyLock<Plan> = LazyLock::new(|| plan("TBR21"));

fn plan(country: &str) -> Plan {
    country.parse::<Country>().unwrap().tones().clone()
}

/// All that are told by the detector of a plan.
const FOUR: [CallProgress; 4] = [Dial, Ringback, Busy, Reorder];

/// Returns the results and their times in ms, for samples fed 8 at a time as the driver's tick
/// does.
fn hear_when(plan: &Plan, samples: &[i16]) -> Vec<(usize, Heard)> {
    let mut detector = Detector::new(plan);
    samples
        .chunks(8)
        .enumerate()
        .filter_map(|(ms, piece)| Some((ms, detector.feed(piece)?)))
        .collect()
}

fn hear(plan: &Plan, samples: &[i16]) -> Vec<Heard> {
    hear_when(plan, samples).into_iter().map(|(_, heard)| heard).collect()
}

/// Generates the signal of a plan for `ms`, beginning `skip` ms into its cadence.
fn signal(plan: &Plan, what: CallProgress, skip: usize, ms: usize) -> Vec<i16> {
    sent(plan.signal(what).unwrap(), skip, ms)
}

fn sent(signal: &Signal, skip: usize, ms: usize) -> Vec<i16> {
    let mut generator = Generator::new(signal);
    generator.fill(&mut silence(skip));
    let mut samples = silence(ms);
    generator.fill(&mut samples);
    samples
}

/// Returns the plan with a change to each of its signals.
fn changed(plan: &Plan, change: impl Fn(Signal) -> Signal) -> Plan {
    let mut plan = plan.clone();
    for signal in [&mut plan.dial, &mut plan.ringback, &mut plan.busy, &mut plan.reorder] {
        *signal = change(signal.clone());
    }
    for signal in [&mut plan.special_information, &mut plan.recall, &mut plan.stutter] {
        *signal = signal.clone().map(&change);
    }
    plan
}

fn at_level(plan: &Plan, level_dbm0: f32) -> Plan {
    changed(plan, |mut signal| {
        signal.level_dbm0 = level_dbm0;
        signal
    })
}

/// Returns the signal with the sound and the time of each of its parts changed, as it is written.
fn rewritten(signal: &Signal, sound: impl Fn(&str) -> String, ms: impl Fn(u32) -> u32) -> Signal {
    let part = |part: &str| match part.split_once('/') {
        Some((hz, time)) => format!("{}/{}", sound(hz), ms(time.parse().unwrap())),
        None => sound(part),
    };
    let parts: Vec<String> = signal.to_string().split(',').map(part).collect();
    Signal::parse(&parts.join(","), signal.level_dbm0).unwrap()
}

/// Returns the carriers of a sound, each changed; not its modulation.
fn shifted(sound: &str, shift: impl Fn(u32) -> u32) -> String {
    let (once, sound) = match sound.strip_prefix('!') {
        Some(rest) => ("!", rest),
        None => ("", sound),
    };
    let (carriers, modulation) = match sound.split_once('*') {
        Some((carriers, by)) => (carriers, format!("*{by}")),
        None => (sound, String::new()),
    };
    let hz = carriers.split('+').map(|hz| shift(hz.parse().unwrap()).to_string());
    format!("{once}{}{modulation}", hz.collect::<Vec<_>>().join("+"))
}

fn at_percent_of_hz(plan: &Plan, percent: u32) -> Plan {
    let shift = |sound: &str| shifted(sound, |hz| (hz * percent + 50) / 100);
    changed(plan, |signal| rewritten(&signal, shift, |ms| ms))
}

fn at_percent_of_time(plan: &Plan, percent: u32) -> Plan {
    changed(plan, |signal| rewritten(&signal, str::to_owned, |ms| ms * percent / 100))
}

/// Asserts that each signal of the plan `sent` is recognised once and ends once, over a line with
/// noise.
fn assert_all_heard(name: &str, plan: &Plan, sent: &Plan, noise_dbm0: f32) {
    for (what, signal) in sent.signals() {
        let mut samples = silence(300);
        // Ends in a sound that has just begun: a whole one and silence may be a ring.
        let ms = 14_000_u32.next_multiple_of(signal.figure_ms().max(1)) + 300;
        samples.extend(self::sent(signal, 0, ms as usize));
        samples.extend(silence(8000));
        let mut heard = hear(plan, &through_line(&samples, noise_dbm0, 5));
        let is_form =
            [&sent.recall, &sent.stutter].iter().any(|form| form.as_ref() == Some(signal));
        if is_form && heard.chunks(2).all(|pair| pair == &heard[..2]) {
            // A stutter may be heard more than once.
            heard.truncate(2);
        }
        let what = plan.understood(what);
        let wanted = [Heard::Tone(what), Heard::Ended(what)];
        assert_eq!(heard, wanted, "{name}: {what:?} ({signal})");
    }
}

/// Every zone, at the tolerances of ITU-T E.180: levels, frequencies by 1 %, times by 10 %.
#[test]
fn the_signals_of_every_zone_are_heard_over_a_noisy_line() {
    let zones: Vec<Country> = Country::each_zone().collect();
    std::thread::scope(|scope| {
        for zones in zones.chunks(zones.len().div_ceil(4)) {
            scope.spawn(move || {
                for zone in zones {
                    let plan = zone.tones();
                    for level in [-8.0, -25.0] {
                        let name = format!("{zone} at {level} dBm0");
                        assert_all_heard(&name, plan, &at_level(plan, level), level - 20.0);
                    }
                    for percent in [99, 101] {
                        let sent = at_percent_of_hz(plan, percent);
                        assert_all_heard(&format!("{zone} at {percent} % Hz"), plan, &sent, -45.0);
                    }
                    for percent in [90, 110] {
                        let sent = at_percent_of_time(plan, percent);
                        assert_all_heard(&format!("{zone} at {percent} % ms"), plan, &sent, -45.0);
                    }
                }
            });
        }
    });
}

/// Another caller's signal in a conversation is not the end of it.
#[test]
fn call_waiting_is_neither_busy_nor_reorder_nor_dial_tone() {
    for zone in Country::each_zone() {
        let Some(waiting) = &zone.tones().waiting else { continue };
        let samples = through_line(&sent(waiting, 0, 25_000), -50.0, 3);
        let heard = hear(zone.tones(), &samples);
        let ends = [Busy, Reorder, Dial].map(Heard::Tone);
        assert!(!heard.iter().any(|one| ends.contains(one)), "{zone} ({waiting}): {heard:?}");
    }
}

#[test]
fn signals_are_heard_at_every_level_over_a_noisy_line() {
    for (name, plan) in &PLANS {
        for level in [-5.0, -10.0, -15.0, -20.0, -25.0, -32.0] {
            let sent = at_level(plan, level);
            let name = format!("{name} at {level} dBm0");
            assert_all_heard(&name, plan, &sent, level - 20.0);
        }
    }
}

#[test]
fn frequencies_may_be_off_as_far_as_standards_allow() {
    for (name, plan) in &PLANS {
        for percent in [99, 101] {
            let sent = at_percent_of_hz(plan, percent);
            let name = format!("{name} at {percent} %");
            assert_all_heard(&name, plan, &sent, -45.0);
        }
    }
    for hz in [410, 440] {
        let sent = changed(&EUROPE, |signal| {
            let off = |sound: &str| shifted(sound, |own| if own == 425 { hz } else { own });
            rewritten(&signal, off, |ms| ms)
        });
        assert_all_heard(&format!("Europe at {hz} Hz"), &EUROPE, &sent, -45.0);
    }
}

#[test]
fn cadences_may_be_off_a_little() {
    for percent in [85, 115] {
        for (name, plan) in [("North America", &*NORTH_AMERICA), ("Europe", &*EUROPE)] {
            let sent = at_percent_of_time(plan, percent);
            assert_all_heard(&format!("{name} at {percent} %"), plan, &sent, -45.0);
        }
    }
}

/// A call may be connected in the middle of a cadence.
#[test]
fn it_does_not_matter_where_in_the_cadence_listening_begins() {
    for (name, plan) in &PLANS {
        for what in [Ringback, Busy, Reorder] {
            for skip in (0..3000).step_by(70) {
                let samples = signal(plan, what, skip, 14_000);
                let heard = hear(plan, &samples);
                assert_eq!(heard, [Heard::Tone(what)], "{name}: {what:?} from {skip} ms");
            }
        }
    }
}

#[test]
fn a_call_is_followed_from_signal_to_signal() {
    for (name, plan) in &PLANS {
        let digits = {
            let mut generator = dtmf::Generator::new();
            "5551234".chars().filter_map(dtmf::Digit::from_char).for_each(|d| generator.push(d));
            let mut samples = silence(1400);
            generator.fill(&mut samples);
            samples
        };
        let samples = [
            silence(500),
            signal(plan, Dial, 0, 2000),
            digits,
            silence(1500),
            signal(plan, Ringback, 0, 13_000),
            speech(5000, 1),
            silence(1000),
            signal(plan, Busy, 0, 4750),
            signal(plan, Reorder, 0, 4000),
            silence(1000),
        ];
        let line = through_line(&samples.concat(), -55.0, 6);
        let of = |what| [Heard::Tone(what), Heard::Ended(what)];
        let wanted = [Dial, Ringback, Busy, Reorder].map(of).concat();
        assert_eq!(hear(plan, &line), wanted, "{name}");
    }
}

#[test]
fn dial_tone_is_quick_to_be_heard_and_quick_to_end() {
    let mut samples = silence(400);
    samples.extend(signal(&NORTH_AMERICA, Dial, 0, 3000));
    samples.extend(silence(400));
    let heard = hear_when(&NORTH_AMERICA, &through_line(&samples, -50.0, 7));
    let [(from, Heard::Tone(Dial)), (to, Heard::Ended(Dial))] = heard[..] else {
        panic!("{heard:?}")
    };
    assert!((700..900).contains(&from), "heard at {from} ms");
    assert!((3400..3500).contains(&to), "ended at {to} ms");
}

#[test]
fn a_click_does_not_end_a_signal() {
    for (name, plan) in &PLANS {
        for what in FOUR {
            let mut samples = signal(plan, what, 0, 20_000);
            // Adds loud clicks of 15 ms, in sounds and in rests.
            for at in [2300, 3210, 7050, 9600, 13_370] {
                let click = noise(15, -3.0, at as u64);
                let range = line::samples(at)..line::samples(at + 15);
                samples[range].copy_from_slice(&click);
            }
            assert_eq!(hear(plan, &samples), [Heard::Tone(what)], "{name}: {what:?}");
        }
    }
}

#[test]
fn an_answer_in_the_rest_of_ringback_ends_it_before_the_next_ring() {
    // The sound is in the second rest of each.
    for ((name, plan), rings) in PLANS.iter().zip([10_000, 8000, 4700]) {
        let mut samples = signal(plan, Ringback, 0, rings);
        samples.extend(speech(4000, 11));
        let heard = hear_when(plan, &samples);
        let [(_, Heard::Tone(Ringback)), (ended, Heard::Ended(Ringback))] = heard[..] else {
            panic!("{name}: {heard:?}")
        };
        assert!((rings..rings + 1000).contains(&ended), "{name}: {ended} ms, answer at {rings}");
    }
}

#[test]
fn rings_in_another_rhythm_are_ringback_where_the_frequencies_tell() {
    let ringback = Signal::parse("440+480/1000,0/3000", -19.0).unwrap();
    let heard = hear(&NORTH_AMERICA, &sent(&ringback, 0, 20_000));
    assert_eq!(heard, [Heard::Tone(Ringback)]);
}

#[test]
fn a_tone_without_the_rests_of_its_signal_is_not_that_signal() {
    let plan = NORTH_AMERICA.clone();
    let busy = [(480.0, -20.0), (620.0, -20.0)];
    assert_eq!(hear(&plan, &sines(10_000, &busy)), []);
    let once: Vec<i16> = [silence(1000), sines(500, &busy), silence(5000)].concat();
    assert_eq!(hear(&plan, &once), []);
    let odd = [sines(500, &busy), silence(1500)].concat().repeat(5);
    assert_eq!(hear(&plan, &odd), []);
    let ringing = sines(10_000, &[(440.0, -20.0), (480.0, -20.0)]);
    assert_eq!(hear(&plan, &ringing), [Heard::Tone(Ringback), Heard::Ended(Ringback)]);
}

#[test]
fn other_frequencies_are_not_heard() {
    for hz in [300.0, 350.0, 395.0, 440.0, 460.0, 480.0, 550.0, 620.0, 1000.0, 2100.0] {
        let samples = sines(5000, &[(hz, -15.0)]);
        assert_eq!(hear(&NORTH_AMERICA, &samples), [], "{hz} Hz");
    }
    for (low, high) in [(350.0, 480.0), (350.0, 620.0), (440.0, 620.0), (425.0, 494.0)] {
        let samples = sines(5000, &[(low, -15.0), (high, -15.0)]);
        assert_eq!(hear(&NORTH_AMERICA, &samples), [], "{low} + {high} Hz");
    }
    // One frequency of the two, with little of the other.
    let lopsided = sines(5000, &[(350.0, -10.0), (440.0, -22.0)]);
    assert_eq!(hear(&NORTH_AMERICA, &lopsided), []);
    for hz in [350.0, 390.0, 460.0, 480.0, 850.0] {
        assert_eq!(hear(&EUROPE, &sines(5000, &[(hz, -15.0)])), [], "{hz} Hz");
    }
    // Britain's stutter has a part of 440 Hz alone, which is dial tone in France.
    assert_eq!(hear(&plan("GB"), &sines(5000, &[(440.0, -15.0)])), [], "440 Hz in Britain");
    for what in FOUR {
        let foreign = signal(&EUROPE, what, 0, 15_000);
        assert_eq!(hear(&NORTH_AMERICA, &foreign), [], "European {what:?}");
        let foreign = signal(&NORTH_AMERICA, what, 0, 15_000);
        assert_eq!(hear(&EUROPE, &foreign), [], "North American {what:?}");
    }
}

/// The same with the tones of every zone.
#[test]
fn noise_speech_and_music_are_no_tones_of_any_zone() {
    let sounds: Vec<Vec<i16>> = (20..22)
        .flat_map(|seed| {
            let (speech, music) = (speech(20_000, seed), music(20_000, seed));
            [mix(&speech, &music), speech, music, noise(20_000, -20.0, seed)]
        })
        .collect();
    for zone in Country::each_zone() {
        for (n, samples) in sounds.iter().enumerate() {
            assert_eq!(hear(zone.tones(), samples), [], "{zone}: sound {n}");
        }
    }
}

/// Tests talk-off: other sounds are not taken for tones.
#[test]
fn silence_noise_speech_music_and_digits_are_no_tones() {
    for (name, plan) in &PLANS {
        assert_eq!(hear(plan, &silence(30_000)), []);
        let quiet = at_level(plan, -50.0);
        for what in FOUR {
            assert_eq!(hear(plan, &signal(&quiet, what, 0, 15_000)), [], "{name}: {what:?}");
        }
        for seed in 0..6 {
            let level = -5.0 - 6.0 * seed as f32;
            assert_eq!(hear(plan, &noise(30_000, level, seed)), [], "{name}: noise {seed}");
            assert_eq!(hear(plan, &speech(30_000, seed)), [], "{name}: speech {seed}");
            assert_eq!(hear(plan, &music(30_000, seed)), [], "{name}: music {seed}");
            let both = mix(&speech(30_000, seed + 10), &music(30_000, seed + 10));
            assert_eq!(hear(plan, &both), [], "{name}: speech over music {seed}");
        }
        let mut digits = dtmf::Generator::new();
        for (on, off) in [(50, 50), (100, 100), (250, 250), (500, 500), (1000, 4000)] {
            digits.set_timing(on, off);
            "0123456789ABCD*#".chars().filter_map(dtmf::Digit::from_char).for_each(|digit| {
                digits.push(digit);
            });
            let mut samples = silence(16 * (on + off) as usize);
            assert_eq!(digits.fill(&mut samples), samples.len());
            assert_eq!(hear(plan, &samples), [], "{name}: digits of {on} ms");
        }
    }
}
