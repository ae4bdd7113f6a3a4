//! The state machine of a telephone, which advances by a millisecond of the line at a time.

use std::collections::VecDeque;

use ringback_media::dtmf::{self, Digit};

use super::behaviour::{Behaviour, Step};
use super::display::CallerDisplay;
use crate::chips::{Battery, Feed, Frame, Load};

const FLASH_MS: u32 = 300;
/// A rotary dial: ten pulses a second, the loop open for 60 % of each, and a pause after a digit.
const PULSE_BREAK_MS: u32 = 60;
const PULSE_MAKE_MS: u32 = 40;
const PULSE_GAP_MS: u32 = 700;
const DIGIT_MS: u32 = 80;
const COMMA_MS: u32 = 2000;
/// How long after the start of the ring a telephone answers by itself, in milliseconds.
const ANSWER_MS: u32 = 500;
/// The pause that ends a ring, and the one that ends a call's ringing, in milliseconds.
const RING_PAUSE_MS: u32 = 1000;
const CALL_PAUSE_MS: u32 = 6000;
/// A loss of battery for longer than this means the end of the call, in milliseconds.
const LOOP_BREAK_MS: u32 = 100;
/// The number of samples that are recorded: 30 s.
const MAX_HEARD: usize = 30 * 8000;
const MAX_DIGITS: usize = 256;

/// Something to send.
#[derive(Debug)]
enum Utterance {
    /// With the number of digits.
    Digits(dtmf::Generator, usize),
    Samples(std::vec::IntoIter<i16>),
}

impl Utterance {
    /// Fills `out` from its start. Returns how many samples it wrote; fewer than asked for at its
    /// end.
    fn fill(&mut self, out: &mut [i16]) -> usize {
        match self {
            Utterance::Digits(generator, _) => generator.fill(out),
            Utterance::Samples(samples) => {
                out.iter_mut().zip(samples).map(|(to, sample)| *to = sample).count()
            }
        }
    }

    /// The milliseconds that are left of it; for digits, of all of them. An empty one counts as
    /// one.
    fn ms(&self) -> usize {
        match self {
            Utterance::Digits(_, count) => count * 2 * DIGIT_MS as usize + 1,
            Utterance::Samples(samples) => samples.len() / 8 + 1,
        }
    }
}

/// A time for which the loop of the lifted telephone is open or closed.
#[derive(Debug)]
struct Part {
    open: bool,
    ms: u32,
}

/// What hook switch and dial still do with the loop of the lifted telephone, which is closed
/// otherwise.
#[derive(Debug, Default)]
struct Contact(VecDeque<Part>);

impl Contact {
    /// Passes a millisecond; returns whether the loop is open in it.
    fn opens(&mut self) -> bool {
        while self.0.front().is_some_and(|part| part.ms == 0) {
            self.0.pop_front();
        }
        let Some(part) = self.0.front_mut() else { return false };
        part.ms -= 1;
        let open = part.open;
        if part.ms == 0 {
            self.0.pop_front();
        }
        open
    }

    /// The milliseconds that are left.
    fn ms(&self) -> usize {
        self.0.iter().map(|part| part.ms as usize).sum()
    }
}

/// The bell: counts rings of a call.
#[derive(Debug, Default)]
struct Bell {
    sounds: bool,
    count: u32,
    /// Milliseconds since the ring began.
    ring_ms: u32,
    /// Milliseconds since the bell last sounded.
    pause_ms: u32,
}

impl Bell {
    fn tick(&mut self, rings: bool) {
        self.ring_ms = self.ring_ms.saturating_add(1);
        if rings {
            if self.count == 0 || self.pause_ms > CALL_PAUSE_MS {
                self.count = 1;
                self.ring_ms = 0;
            } else if self.pause_ms > RING_PAUSE_MS {
                self.count += 1;
                self.ring_ms = 0;
            }
            self.pause_ms = 0;
        } else {
            self.pause_ms = self.pause_ms.saturating_add(1);
        }
        self.sounds = rings;
    }

    /// Notes that the call was answered, so that the next ring is the first one of another call.
    fn answered(&mut self) {
        self.sounds = false;
        self.pause_ms = u32::MAX;
    }

    fn in_ring(&self, number: u32) -> bool {
        let signalled = self.pause_ms <= CALL_PAUSE_MS;
        signalled && (self.count > number || self.count == number && self.ring_ms >= ANSWER_MS)
    }
}

#[derive(Debug)]
pub(super) struct Instrument {
    pub(super) behaviour: Behaviour,
    lifted: bool,
    /// What the lifted hook switch or the dial still does with the loop.
    contact: Contact,
    feed: Feed,
    bell: Bell,
    to_send: VecDeque<Utterance>,
    heard: VecDeque<i16>,
    ear: dtmf::Detector,
    digits: String,
    script: VecDeque<Step>,
    wait_ms: u32,
    /// Whether it has answered by itself and therefore also hangs up by itself.
    automatic: bool,
    no_battery_ms: u32,
    pub(super) display: Option<CallerDisplay>,
}

impl Instrument {
    pub(super) fn new() -> Instrument {
        Instrument {
            behaviour: Behaviour::Manual,
            lifted: false,
            contact: Contact::default(),
            feed: Feed::default(),
            bell: Bell::default(),
            to_send: VecDeque::new(),
            heard: VecDeque::new(),
            ear: dtmf::Detector::new(),
            digits: String::new(),
            script: VecDeque::new(),
            wait_ms: 0,
            automatic: false,
            no_battery_ms: 0,
            display: None,
        }
    }

    pub(super) fn off_hook(&mut self) {
        if self.lifted {
            return;
        }
        self.lifted = true;
        self.automatic = false;
        self.no_battery_ms = 0;
        self.bell.answered();
        self.heard.clear();
        self.digits.clear();
        self.ear = dtmf::Detector::new();
    }

    pub(super) fn on_hook(&mut self) {
        self.script.clear();
        self.wait_ms = 0;
        self.hang_up();
    }

    fn hang_up(&mut self) {
        self.lifted = false;
        self.contact = Contact::default();
        self.to_send.clear();
    }

    pub(super) fn flash(&mut self) {
        self.open_for(FLASH_MS);
    }

    pub(super) fn open_for(&mut self, ms: u32) {
        if self.lifted {
            self.contact.0.push_back(Part { open: true, ms });
        }
    }

    pub(super) fn pulse(&mut self, digits: &str) {
        if !self.lifted {
            return;
        }
        for digit in digits.chars().filter_map(|digit| digit.to_digit(10)) {
            let count = if digit == 0 { 10 } else { digit };
            for pulse in 1..=count {
                let make = if pulse == count { PULSE_GAP_MS } else { PULSE_MAKE_MS };
                self.contact.0.extend([
                    Part { open: true, ms: PULSE_BREAK_MS },
                    Part { open: false, ms: make },
                ]);
            }
        }
    }

    pub(super) fn dial(&mut self, digits: &str) {
        if !self.lifted {
            return;
        }
        let mut generator = dtmf::Generator::new();
        generator.set_timing(DIGIT_MS, DIGIT_MS);
        for key in digits.chars() {
            match Digit::from_char(key) {
                Some(digit) => generator.push(digit),
                None if key == ',' => generator.pause(COMMA_MS),
                None => {}
            }
        }
        self.to_send.push_back(Utterance::Digits(generator, digits.chars().count()));
    }

    pub(super) fn play(&mut self, samples: Vec<i16>) {
        if self.lifted {
            self.to_send.push_back(Utterance::Samples(samples.into_iter()));
        }
    }

    pub(super) fn run(&mut self, steps: Vec<Step>) {
        self.script = steps.into();
        self.wait_ms = 0;
    }

    pub(super) fn is_off_hook(&self) -> bool {
        self.lifted
    }

    pub(super) fn is_idle(&self) -> bool {
        self.script.is_empty() && self.step_ended()
    }

    pub(super) fn unsaid_ms(&self) -> u32 {
        let ms: usize = self.to_send.iter().map(Utterance::ms).sum();
        let ms = ms + self.contact.ms();
        u32::try_from(ms).unwrap_or(u32::MAX)
    }

    pub(super) fn has_battery(&self) -> bool {
        self.feed.battery != Battery::Off
    }

    pub(super) fn is_reversed(&self) -> bool {
        self.feed.battery == Battery::Reversed
    }

    pub(super) fn is_ringing(&self) -> bool {
        self.bell.sounds
    }

    pub(super) fn ring_count(&self) -> u32 {
        self.bell.count
    }

    pub(super) fn heard(&self) -> Vec<i16> {
        self.heard.iter().copied().collect()
    }

    pub(super) fn take_heard(&mut self) -> Vec<i16> {
        std::mem::take(&mut self.heard).into()
    }

    pub(super) fn digits_heard(&self) -> &str {
        &self.digits
    }

    /// Runs one millisecond.
    pub(super) fn tick(&mut self, feed: Feed) -> Load {
        self.feed = feed;
        if self.lifted {
            self.watch_battery();
        } else {
            if let Some(display) = &mut self.display {
                display.hear(&feed.audio);
            }
            self.bell.tick(feed.ringing.is_some());
            self.answer();
        }
        self.follow_script();

        let closed = self.lifted && !self.contact.opens();
        if !closed {
            return Load::default();
        }
        if self.has_battery() {
            self.hear(&feed.audio);
        }
        Load { off_hook: true, audio: self.speak() }
    }

    fn watch_battery(&mut self) {
        self.no_battery_ms = if self.has_battery() { 0 } else { self.no_battery_ms + 1 };
        if self.automatic && self.no_battery_ms > LOOP_BREAK_MS {
            self.on_hook();
        }
    }

    fn answer(&mut self) {
        if self.behaviour.answers_ring().is_some_and(|ring| self.bell.in_ring(ring)) {
            self.off_hook();
            self.automatic = true;
            self.run(self.behaviour.steps().to_vec());
        }
    }

    fn step_ended(&self) -> bool {
        self.wait_ms == 0 && self.contact.0.is_empty() && self.to_send.is_empty()
    }

    fn follow_script(&mut self) {
        self.wait_ms = self.wait_ms.saturating_sub(1);
        while self.step_ended()
            && let Some(step) = self.script.pop_front()
        {
            match step {
                Step::Wait(ms) => self.wait_ms = ms,
                Step::OffHook => self.off_hook(),
                Step::HangUp => self.hang_up(),
                Step::Flash => self.flash(),
                Step::Break(ms) => self.open_for(ms),
                Step::Pulse(digits) => self.pulse(&digits),
                Step::Dial(digits) => self.dial(&digits),
                Step::Play(samples) => self.play(samples.to_vec()),
            }
        }
    }

    fn hear(&mut self, audio: &Frame) {
        let over = (self.heard.len() + audio.len()).saturating_sub(MAX_HEARD);
        self.heard.drain(..over.min(self.heard.len()));
        self.heard.extend(audio);
        let digits = &mut self.digits;
        self.ear.feed(audio, &mut |event| {
            if let dtmf::Event::Down(digit) = event {
                if digits.len() >= MAX_DIGITS {
                    digits.remove(0);
                }
                digits.push(digit.as_char());
            }
        });
    }

    fn speak(&mut self) -> Frame {
        let mut frame = Frame::default();
        let mut spoken = 0;
        while let Some(utterance) = self.to_send.front_mut() {
            let rest = frame.get_mut(spoken..).unwrap_or_default();
            let wanted = rest.len();
            let given = utterance.fill(rest);
            spoken += given;
            if given >= wanted {
                break;
            }
            self.to_send.pop_front();
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Feed = Feed { battery: Battery::Forward, ringing: None, audio: [0; 8] };
    const RINGING: Feed = Feed { ringing: Some(20), ..IDLE };
    const NO_BATTERY: Feed = Feed { battery: Battery::Off, ..IDLE };

    fn run(phone: &mut Instrument, feed: Feed, ms: u32) -> Vec<i16> {
        (0..ms).flat_map(|_| phone.tick(feed).audio).collect()
    }

    fn ring(phone: &mut Instrument, times: u32) {
        for _ in 0..times {
            run(phone, RINGING, 2000);
            run(phone, IDLE, 4000);
        }
    }

    #[test]
    fn it_counts_the_rings_of_a_call() {
        let mut phone = Instrument::new();
        run(&mut phone, RINGING, 1);
        assert!(phone.is_ringing());
        assert_eq!(phone.ring_count(), 1);
        run(&mut phone, RINGING, 1999);
        run(&mut phone, IDLE, 4000);
        assert!(!phone.is_ringing());
        ring(&mut phone, 2);
        assert_eq!(phone.ring_count(), 3);
        run(&mut phone, IDLE, 3000);
        ring(&mut phone, 1);
        assert_eq!(phone.ring_count(), 1, "a call of its own");
    }

    #[test]
    fn two_short_sounds_are_one_ring() {
        let mut phone = Instrument::new();
        for _ in 0..3 {
            run(&mut phone, RINGING, 400);
            run(&mut phone, IDLE, 200);
            run(&mut phone, RINGING, 400);
            run(&mut phone, IDLE, 2000);
        }
        assert_eq!(phone.ring_count(), 3);
    }

    #[test]
    fn it_answers_in_the_given_ring() {
        let mut phone = Instrument::new();
        phone.behaviour = Behaviour::AnswerAfterRings(2);
        ring(&mut phone, 1);
        run(&mut phone, RINGING, ANSWER_MS);
        assert!(!phone.is_off_hook());
        run(&mut phone, RINGING, 1);
        assert!(phone.is_off_hook());
        assert!(!phone.is_ringing());
    }

    #[test]
    fn a_behaviour_set_after_the_call_was_given_up_answers_nothing() {
        let mut phone = Instrument::new();
        ring(&mut phone, 3);
        run(&mut phone, IDLE, 4000);
        phone.behaviour = Behaviour::AnswerAfterRings(1);
        run(&mut phone, IDLE, 10_000);
        assert!(!phone.is_off_hook());
    }

    #[test]
    fn a_call_answered_by_hand_is_not_answered_again() {
        let mut phone = Instrument::new();
        phone.behaviour = Behaviour::AnswerAfterRings(3);
        ring(&mut phone, 2);
        phone.off_hook();
        run(&mut phone, IDLE, 10);
        phone.on_hook();
        run(&mut phone, IDLE, 1000);
        assert!(!phone.is_off_hook());
        run(&mut phone, RINGING, 1);
        assert_eq!(phone.ring_count(), 1);
    }

    #[test]
    fn an_automatic_telephone_hangs_up_on_a_loop_break_and_a_lifted_one_does_not() {
        let mut phone = Instrument::new();
        phone.behaviour = Behaviour::AnswerAfterRings(1);
        run(&mut phone, RINGING, 600);
        run(&mut phone, NO_BATTERY, LOOP_BREAK_MS);
        assert!(phone.is_off_hook());
        run(&mut phone, NO_BATTERY, 1);
        assert!(!phone.is_off_hook());

        phone.off_hook();
        run(&mut phone, NO_BATTERY, 1000);
        assert!(phone.is_off_hook());
    }

    #[test]
    fn a_script_runs_step_by_step() {
        let mut phone = Instrument::new();
        phone.behaviour = Behaviour::AnswerThen {
            rings: 1,
            steps: vec![
                Step::Wait(50),
                Step::Play([7; 12].into()),
                Step::Play([8; 4].into()),
                Step::HangUp,
            ],
        };
        run(&mut phone, RINGING, ANSWER_MS + 1);
        assert!(phone.is_off_hook());
        let spoken = run(&mut phone, IDLE, 60);
        let words: Vec<i16> = spoken.iter().copied().filter(|&sample| sample != 0).collect();
        assert_eq!(words, [&[7; 12][..], &[8; 4]].concat());
        assert_eq!(spoken.iter().position(|&sample| sample != 0), Some(49 * 8));
        assert!(!phone.is_off_hook());
        assert!(phone.is_idle());
    }

    #[test]
    fn a_flash_opens_the_loop_for_a_while() {
        let mut phone = Instrument::new();
        phone.off_hook();
        assert!(phone.tick(IDLE).off_hook);
        phone.flash();
        for _ in 0..FLASH_MS {
            assert!(!phone.tick(IDLE).off_hook);
        }
        assert!(phone.tick(IDLE).off_hook);
        assert!(phone.is_off_hook());
    }

    #[test]
    fn a_rotary_dial_opens_the_loop_once_for_a_1_and_ten_times_for_a_0() {
        let mut phone = Instrument::new();
        phone.pulse("7");
        phone.off_hook();
        assert!(phone.is_idle(), "it dials nothing on-hook");
        phone.pulse("10x3");
        assert_eq!(phone.unsaid_ms(), 14 * PULSE_BREAK_MS + 11 * PULSE_MAKE_MS + 3 * PULSE_GAP_MS);
        let mut breaks = Vec::new();
        let mut before = true;
        while !phone.is_idle() {
            let closed = phone.tick(IDLE).off_hook;
            match (before, closed) {
                (true, false) => breaks.push(1),
                (false, false) => *breaks.last_mut().unwrap() += 1,
                _ => {}
            }
            before = closed;
        }
        assert_eq!(breaks, [PULSE_BREAK_MS; 14]);
        phone.open_for(20);
        assert!(run(&mut phone, IDLE, 20).iter().all(|sample| *sample == 0));
        assert!(phone.tick(IDLE).off_hook);
    }

    #[test]
    fn digits_that_one_telephone_dials_another_hears() {
        let (mut one, mut other) = (Instrument::new(), Instrument::new());
        one.off_hook();
        other.off_hook();
        one.dial("123*#0x9D");
        while !one.is_idle() {
            let load = one.tick(IDLE);
            other.tick(Feed { audio: load.audio, ..IDLE });
        }
        assert_eq!(other.digits_heard(), "123*#09D");
        assert_eq!(other.heard().len(), (8 * 160 + 1) * 8);
        other.on_hook();
        other.off_hook();
        assert_eq!(other.digits_heard(), "");
    }

    #[test]
    fn nothing_is_sent_or_heard_on_hook() {
        let mut phone = Instrument::new();
        phone.dial("1");
        phone.play(vec![1000; 8]);
        assert!(phone.is_idle());
        let load = phone.tick(Feed { audio: [500; 8], ..IDLE });
        assert_eq!(load, Load::default());
        assert!(phone.heard().is_empty());
    }

    #[test]
    fn the_recording_keeps_the_last_30_seconds() {
        let mut phone = Instrument::new();
        phone.off_hook();
        run(&mut phone, IDLE, 30_000);
        run(&mut phone, Feed { audio: [9; 8], ..IDLE }, 1);
        let heard = phone.take_heard();
        assert_eq!(heard.len(), MAX_HEARD);
        assert_eq!(heard.last(), Some(&9));
        assert!(phone.heard().is_empty());
    }
}
