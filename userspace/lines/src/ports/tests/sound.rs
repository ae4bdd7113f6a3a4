//! The sound of lines: echo that is cancelled, gains, levels, and recordings of both sides.

use std::collections::VecDeque;

use super::*;

/// The echo path of a hybrid: 6 dB of loss, 1 to 3 ms late.
const HYBRID: [f32; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.34, -0.26, 0.19, 0.07, -0.12, 0.05, 0.02, -0.04,
    0.02, 0.01, -0.02, 0.01, 0.0, -0.01, 0.0, 0.01,
];

/// Noise in bursts as of syllables, at -16 dBm0 on the whole.
fn syllables(seconds: usize, seed: u32) -> Vec<i16> {
    let mut random = seed;
    let mut samples: Vec<i16> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((random >> 16) as u16 as i16) / 4
    })
    .take(seconds * 8000)
    .collect();
    samples.chunks_mut(800).skip(2).step_by(4).for_each(|pause| pause.fill(0));
    samples
}

/// A person at a telephone, and the hybrid of its line: a part of what arrives goes back.
struct Person {
    telephone: Telephone,
    /// What is still to be said.
    words: VecDeque<i16>,
    /// What arrived last, as much as the echo path is long.
    arrived: VecDeque<f32>,
    heard: Vec<i16>,
}

impl Person {
    fn at(telephone: Telephone) -> Person {
        telephone.take_heard();
        let arrived = HYBRID.iter().map(|_| 0.0).collect();
        Person { telephone, words: VecDeque::new(), arrived, heard: Vec::new() }
    }

    fn say(&mut self, words: &[i16]) {
        self.words.extend(words);
    }

    /// Passes the millisecond that was heard.
    fn pass(&mut self) {
        let heard = self.telephone.take_heard();
        let mut leaves = Vec::with_capacity(heard.len());
        for sample in &heard {
            self.arrived.pop_back();
            self.arrived.push_front(f32::from(*sample));
            let echo: f32 = self.arrived.iter().zip(HYBRID).map(|(x, h)| x * h).sum();
            leaves.push(self.words.pop_front().unwrap_or(0).saturating_add(echo as i16));
        }
        self.telephone.play(&leaves);
        self.heard.extend(heard);
    }
}

impl World {
    fn configure(&self, line: usize, sound: SoundOptions) -> Result<(), LineError> {
        let line = LineNumber::at(line);
        let set = self.handle.with(move |lines, _| {
            let mut config = lines.config(line)?;
            match &mut config {
                DeviceConfig::Exchange { options, .. } => options.sound = sound,
                DeviceConfig::Telephone { options } => options.sound = sound,
                DeviceConfig::Modem { .. } => {}
            }
            lines.set_config(line, config.clone())?;
            assert_eq!(lines.config(line), Ok(config));
            Ok(())
        });
        set.unwrap()
    }

    /// A telephone that was rung and has answered, and a subscriber who was called and has.
    fn both_talk(&mut self) -> [Person; 2] {
        let telephone = self.telephone(FXS);
        let (call, made) = self.make_call(LineNumber::at(FXS), "");
        made.unwrap();
        self.until(call, CallState::Ringback, 500);
        telephone.off_hook();
        self.until(call, CallState::Connected, 500);
        let subscriber = self.subscriber("201", Behaviour::AnswerAfterRings(1));
        self.connect(LineNumber::at(FXO), "201");
        [telephone, subscriber].map(Person::at)
    }

    /// Passes what each of the lines hears on to the other.
    fn bridge(&mut self, people: &mut [Person; 2], ms: u64) {
        let audio = [FXS, FXO].map(|line| self.audio(LineNumber::at(line)));
        audio.iter().for_each(|audio| audio.record(true));
        for _ in 0..ms {
            self.run(1);
            people.iter_mut().for_each(Person::pass);
            for (from, to) in [(&audio[0], &audio[1]), (&audio[1], &audio[0])] {
                let mut heard = Vec::new();
                from.fetch(&mut heard);
                to.play(&heard);
            }
        }
    }
}

/// How loud each of two people hears himself after some seconds, on a call between two lines with a
/// hybrid at each end.
fn own_voices(kernel: bool, echo_cancel: bool) -> [f32; 2] {
    let mut world = World::start(kernel);
    let sound = SoundOptions { echo_cancel, ..SoundOptions::default() };
    for line in [FXS, FXO] {
        world.configure(line, sound).unwrap();
    }
    let mut people = world.both_talk();
    let speaks = |world: &mut World, people: &mut [Person; 2], who: usize, seed| {
        people[who].say(&syllables(6, seed));
        world.bridge(people, 4500);
        people[who].heard.clear();
        world.bridge(people, 1500);
        let own = rms_dbm0(&people[who].heard);
        world.bridge(people, 500);
        own
    };
    let first = [0, 1].map(|who| speaks(&mut world, &mut people, who, 1 + who as u32));
    // Both at once, and each once more: the cancellers have not lost the echo paths.
    people.iter_mut().zip([3, 4]).for_each(|(who, seed)| who.say(&syllables(3, seed)));
    world.bridge(&mut people, 3500);
    let again = [0, 1].map(|who| speaks(&mut world, &mut people, who, 5 + who as u32));
    [first[0].max(again[0]), first[1].max(again[1])]
}

#[test]
fn nobody_hears_himself_on_a_call_between_two_lines_that_cancel_echo() {
    for kernel in [false, true] {
        let without = own_voices(kernel, false);
        assert!(without.iter().all(|own| *own > -26.0), "kernel {kernel}: {without:?}");
        let with = own_voices(kernel, true);
        assert!(with.iter().all(|own| *own < -44.0), "kernel {kernel}: {with:?}");
    }
}

#[test]
fn a_fax_machine_is_told_to_whoever_listens_and_gets_its_echo_back() {
    for kernel in [false, true] {
        let mut world = World::start(kernel);
        let sound = SoundOptions { echo_cancel: true, ..SoundOptions::default() };
        world.configure(FXO, sound).unwrap();
        let line = LineNumber::at(FXO);
        let subscriber = world.subscriber("201", Behaviour::AnswerAfterRings(1));
        let call = world.connect(line, "201");
        let mut person = Person::at(subscriber);
        let mut run = |world: &mut World, words: &[i16], ms: u64| {
            person.say(words);
            for _ in 0..ms {
                world.run(1);
                person.pass();
            }
        };
        let monitor = world.handle.with(move |lines, _| {
            lines.monitor_media(call, LINEMEDIAMODE_G3FAX | LINEMEDIAMODE_DATAMODEM)
        });
        monitor.unwrap().unwrap();
        let audio = world.audio(line);
        let mut echo = |world: &mut World, words: &[i16]| {
            run(world, words, if words.is_empty() { 0 } else { 3500 });
            audio.play(&syllables(2, 9)[..15_000]);
            run(world, &[], 1000);
            audio.record(true);
            run(world, &[], 600);
            audio.record(false);
            let mut heard = Vec::new();
            audio.fetch(&mut heard);
            run(world, &[], 1000);
            rms_dbm0(&heard)
        };
        echo(&mut world, &[]);
        let cancelled = echo(&mut world, &[]);
        assert!(cancelled < -38.0, "kernel {kernel}: {cancelled}");
        assert!(world.story().is_empty());
        let returned = echo(&mut world, &tone(2100.0, 3000));
        let told = format!("call {LINE_MONITORMEDIA} [{LINEMEDIAMODE_G3FAX}, 0, ");
        let story = world.story();
        assert!(story.len() == 1 && story[0].starts_with(&told), "kernel {kernel}: {story:?}");
        assert!(returned > -28.0, "kernel {kernel}: {returned}");
    }
}

#[test]
fn gains_change_what_is_heard_and_sent_and_levels_count_what_is_clipped() {
    for kernel in [false, true] {
        let mut world = World::start(kernel);
        let sound = SoundOptions { gain_received: -6, gain_sent: 12, ..SoundOptions::default() };
        world.configure(FXS, sound).unwrap();
        let telephone = world.telephone(FXS);
        let line = LineNumber::at(FXS);
        let (call, made) = world.make_call(line, "");
        made.unwrap();
        world.until(call, CallState::Ringback, 500);
        telephone.off_hook();
        world.until(call, CallState::Connected, 500);
        assert_eq!(world.configure(FXS, SoundOptions::default()), Err(LineError::INVALLINESTATE));
        let audio = world.audio(line);
        let before = audio.levels();
        audio.record_both();
        let (near, far) = (tone(1400.0, 900), tone(700.0, 900));
        audio.play(&near);
        telephone.play(&far);
        world.run(300);
        telephone.take_heard();
        let mut pairs = Vec::new();
        audio.fetch(&mut pairs);
        pairs.clear();
        world.run(400);
        audio.fetch(&mut pairs);
        let side = |which: usize| pairs.iter().copied().skip(which).step_by(2).collect::<Vec<_>>();
        let (heard, sent) = (side(0), side(1));
        let close = |level: f32, to: f32| (level - to).abs() < 0.5;
        let full = rms_dbm0(&far[800..1600]);
        let expected = [(&heard, 700.0, full - 6.0), (&sent, 1400.0, full + 12.0)];
        for (samples, hz, level) in expected {
            assert!(close(power_at(samples, hz), level), "{hz} Hz, not at {level} dBm0");
            assert!(power_at(samples, 2100.0 - hz) < -40.0, "the sides are apart");
        }
        let reached = telephone.take_heard();
        assert!(close(power_at(&reached[..2400], 1400.0), full + 12.0), "kernel {kernel}");
        world.run(600);
        let levels = audio.levels();
        let heard = levels.heard.since(&before.heard);
        assert!(heard.samples > 8000 && heard.clipped == 0, "{heard:?}");
        audio.play(&[30_000; 800]);
        world.run(1000);
        let clipped = audio.levels().sent.since(&levels.sent).clipped;
        assert_eq!(clipped, 800, "kernel {kernel}");
    }
}
