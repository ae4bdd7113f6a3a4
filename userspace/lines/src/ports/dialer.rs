//! Dialling: the steps of a dial string turned into tones, pulses, flashes and pauses.

use std::collections::VecDeque;
use std::time::Duration;

use ringback_country::{Country, Pulse};
use ringback_driver::Time;
use ringback_driver::card::Hook;
use ringback_media::dtmf::Generator;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::dialstring::{DialStep, DialString};

use super::generation::tone_digit;

/// Time off-hook after a hook flash, until the exchange takes digits.
const FLASHED: Duration = Duration::from_millis(500);

/// Dial tone that is heard before this time after a digit is that before the digit.
const STALE: Duration = Duration::from_millis(300);

/// The longest pulse, pause after a pulsed digit and hook flash of any country.
const MOST_PULSE: Duration = Duration::from_millis(100);
const MOST_GAP: Duration = Duration::from_millis(800);
const MOST_FLASH: Duration = Duration::from_millis(500);

/// The longest time that dialling an address takes in any country.
pub fn dialing_time(address: &DialString, timing: &DialTiming) -> Duration {
    let ms = |ms: u32| Duration::from_millis(u64::from(ms));
    let mut pulse = false;
    address
        .steps
        .iter()
        .map(|step| match step {
            DialStep::Digit(_) if pulse => MOST_PULSE * 10 + MOST_GAP,
            DialStep::Digit(_) => ms(timing.digit_ms + timing.gap_ms),
            DialStep::Pause => ms(timing.pause_ms),
            DialStep::WaitForDialTone => ms(timing.dial_tone_ms) + Country::MOST_DIAL_TONE_DELAY,
            // The parser refuses these: a line does not announce that it can wait for them (R7).
            DialStep::WaitForQuietAnswer | DialStep::WaitForBillingTone => Duration::ZERO,
            DialStep::Flash => MOST_FLASH + FLASHED,
            DialStep::ToneMode | DialStep::PulseMode => {
                pulse = *step == DialStep::PulseMode;
                Duration::ZERO
            }
        })
        .sum()
}

/// The progress of dialling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialed {
    /// The number of samples to play next; 0 while it waits.
    Samples(usize),
    /// The last digit was played.
    Done,
    /// There was no dial tone after a `W` in time.
    NoDialTone,
}

/// What a step needs.
enum Stepped {
    /// Its samples are in the tone generator, if it has any.
    Sound,
    /// It waits for dial tone or for the end of a hook change.
    Wait,
    Done,
    NoDialTone,
}

/// Dials one address after another.
#[derive(Debug)]
pub(super) struct Dialer {
    country: Country,
    flash: Duration,
    steps: VecDeque<DialStep>,
    timing: DialTiming,
    pulse: bool,
    tones: Generator,
    /// The next hook states, each with its duration.
    hooks: VecDeque<(Hook, Duration)>,
    until: Time,
    /// Waits for dial tone, from the first time until the second.
    listening: Option<(Time, Time)>,
}

impl Dialer {
    pub(super) fn new(country: Country) -> Dialer {
        Dialer {
            country,
            flash: country.flash(),
            steps: VecDeque::new(),
            timing: DialTiming::default(),
            pulse: false,
            tones: Generator::new(),
            hooks: VecDeque::new(),
            until: Time::ZERO,
            listening: None,
        }
    }

    pub(super) fn timing(&self) -> DialTiming {
        self.timing
    }

    /// Sets the timing for what is dialled from now on.
    pub(super) fn set_timing(&mut self, timing: DialTiming) {
        self.timing = timing;
        self.tones.set_timing(timing.digit_ms, timing.gap_ms);
    }

    /// Sets how long the loop is opened for a flash.
    pub(super) fn set_flash(&mut self, flash: Duration) {
        self.flash = flash;
    }

    /// Discards all steps, and sets the timing for the next call.
    pub(super) fn reset(&mut self, timing: DialTiming) {
        *self = Dialer { flash: self.flash, ..Dialer::new(self.country) };
        self.set_timing(timing);
    }

    /// Whether the last step has begun.
    pub(super) fn ends(&self) -> bool {
        self.steps.is_empty() && self.hooks.is_empty() && self.listening.is_none()
    }

    /// Adds an address behind what is being dialled.
    pub(super) fn push(&mut self, address: DialString) {
        self.steps.extend(address.steps);
    }

    /// Renders what is played next to the start of `play`: digits and pauses, up to the next hook
    /// change, the next wait for dial tone, or the end. These are carried out only when everything
    /// that was rendered before has been played (`is_played`). `dial_tone` says whether dial tone
    /// is heard; `hook` is called for each change of the hook.
    pub(super) fn render(
        &mut self,
        now: Time,
        dial_tone: bool,
        is_played: bool,
        play: &mut [i16],
        hook: &mut dyn FnMut(Hook),
    ) -> Dialed {
        let mut count = 0;
        loop {
            count += self.tones.fill(play.get_mut(count..).unwrap_or_default());
            let may_step = count == 0 && is_played || self.sounds_next();
            if count == play.len() || !may_step {
                return Dialed::Samples(count);
            }
            match self.step(now, dial_tone, hook) {
                Stepped::Sound => {}
                Stepped::Wait => return Dialed::Samples(count),
                Stepped::Done => return Dialed::Done,
                Stepped::NoDialTone => return Dialed::NoDialTone,
            }
        }
    }

    /// Whether the next step is only sound.
    fn sounds_next(&self) -> bool {
        let free = self.hooks.is_empty() && self.listening.is_none();
        free && match self.steps.front() {
            Some(DialStep::Digit(digit)) => !self.pulse || digit.as_char().to_digit(10).is_none(),
            Some(DialStep::Pause | DialStep::ToneMode | DialStep::PulseMode) => true,
            _ => false,
        }
    }

    /// Begins the next step, after the tones of the last one were rendered.
    fn step(&mut self, now: Time, dial_tone: bool, hook: &mut dyn FnMut(Hook)) -> Stepped {
        if now < self.until {
            return Stepped::Wait;
        }
        if let Some((next, time)) = self.hooks.pop_front() {
            hook(next);
            self.until = now + time;
            return Stepped::Wait;
        }
        if let Some((from, until)) = self.listening {
            if now < from || !dial_tone && now < until {
                return Stepped::Wait;
            }
            self.listening = None;
            if !dial_tone {
                self.steps.clear();
                return Stepped::NoDialTone;
            }
        }
        let Some(step) = self.steps.pop_front() else { return Stepped::Done };
        let ms = |ms: u32| Duration::from_millis(u64::from(ms));
        match step {
            DialStep::Digit(digit) => match digit.as_char().to_digit(10).filter(|_| self.pulse) {
                Some(number) => self.pulses(number),
                None => self.tones.push(tone_digit(digit)),
            },
            DialStep::Pause => self.tones.pause(self.timing.pause_ms),
            DialStep::WaitForDialTone => {
                let wait = ms(self.timing.dial_tone_ms) + self.country.dial_tone_delay();
                self.listening = Some((now + STALE, now + wait));
            }
            DialStep::WaitForQuietAnswer | DialStep::WaitForBillingTone => {}
            DialStep::Flash => self.hooks.extend([(Hook::On, self.flash), (Hook::Off, FLASHED)]),
            DialStep::ToneMode => self.pulse = false,
            DialStep::PulseMode => self.pulse = true,
        }
        if self.hooks.is_empty() && self.listening.is_none() {
            Stepped::Sound
        } else {
            Stepped::Wait
        }
    }

    /// A digit in pulses, 0 as ten.
    fn pulses(&mut self, digit: u32) {
        let count = if digit == 0 { 10 } else { digit };
        let ms = |ms: u16| Duration::from_millis(u64::from(ms));
        let Pulse { break_ms, make_ms, gap_ms } = self.country.pulse();
        for pulse in 1..=count {
            let make = if pulse == count { gap_ms } else { make_ms };
            self.hooks.extend([(Hook::On, ms(break_ms)), (Hook::Off, ms(make))]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::queue::MOST;
    use ringback_driver::card::FRAME;
    use ringback_tspi::dialstring::{Modifiers, parse};

    /// Dials with dial tone from that time on; gives the hook changes with their times in ms, how
    /// many frames had sound, and how and when it ended.
    fn dial(text: &str, dial_tone_at: u64) -> (Vec<(u64, Hook)>, u64, Dialed, u64) {
        dial_in(Country::default(), text, dial_tone_at)
    }

    fn dial_in(
        country: Country,
        text: &str,
        dial_tone_at: u64,
    ) -> (Vec<(u64, Hook)>, u64, Dialed, u64) {
        let mut dialer = Dialer { country, flash: country.flash(), ..dialer(text) };
        let (mut hooks, mut sound) = (Vec::new(), 0);
        for ms in 0..100_000 {
            let now = Time::ZERO + Duration::from_millis(ms);
            let mut play = [0; FRAME];
            let dial_tone = ms >= dial_tone_at;
            let mut hook = |hook| hooks.push((ms, hook));
            let dialed = dialer.render(now, dial_tone, true, &mut play, &mut hook);
            sound += u64::from(play != [0; FRAME]);
            if !matches!(dialed, Dialed::Samples(_)) {
                return (hooks, sound, dialed, ms);
            }
        }
        panic!("dialling never ended");
    }

    #[test]
    fn tones_and_pauses_take_the_time_they_are_given() {
        let (hooks, sound, dialed, _) = dial("12", 0);
        assert_eq!((hooks.len(), dialed), (0, Dialed::Done));
        assert!((155..=165).contains(&sound), "{sound} ms of two digits of 80 ms");
        let (_, _, _, without) = dial("1", 0);
        let (_, _, _, with) = dial("1,", 0);
        assert!((1995..=2005).contains(&(with - without)), "a pause of 2 s");
    }

    #[test]
    fn pulses_open_the_loop_as_often_as_the_digit_says() {
        let (hooks, sound, dialed, _) = dial("P30", 0);
        assert_eq!((sound, dialed), (0, Dialed::Done));
        assert_eq!(hooks.iter().filter(|(_, hook)| *hook == Hook::On).count(), 13);
        let breaks: Vec<_> = hooks.chunks(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(breaks.iter().all(|ms| (58..=63).contains(ms)), "{breaks:?}");
        assert_eq!(hooks.last().map(|(_, hook)| *hook), Some(Hook::Off));
    }

    #[test]
    fn pulses_and_flashes_are_the_countrys() {
        for country in Country::all() {
            let (hooks, _, _, end) = dial_in(country, "!", 0);
            let flash = country.flash().as_millis() as u64;
            assert_eq!(hooks.len(), 2);
            assert!((hooks[1].0 - hooks[0].0).abs_diff(flash) <= 2, "{country}: {hooks:?}");
            assert!((495..=505).contains(&(end - hooks[1].0)));
            let (hooks, _, _, _) = dial_in(country, "P2", 0);
            let Pulse { break_ms, make_ms, .. } = country.pulse();
            for (pair, ms) in hooks.windows(2).zip([break_ms, make_ms, break_ms]) {
                assert!((pair[1].0 - pair[0].0).abs_diff(ms.into()) <= 2, "{country}: {hooks:?}");
            }
        }
    }

    #[test]
    fn w_waits_for_dial_tone_and_gives_up() {
        let (_, sound, dialed, _) = dial("W1", 1000);
        assert!(sound > 0 && dialed == Dialed::Done);
        let (_, sound, dialed, end) = dial("W1", u64::MAX);
        assert_eq!((sound, dialed), (0, Dialed::NoDialTone));
        assert!((2995..=3005).contains(&end));
    }

    /// Dials in buffers of at most `most` samples, each played before the next is rendered: their
    /// samples, and the hook changes before and after each.
    fn render(text: &str, most: usize) -> (Vec<Vec<i16>>, Vec<Vec<Hook>>) {
        let mut dialer = dialer(text);
        let (mut buffers, mut hooks, mut now) = (Vec::new(), vec![Vec::new()], Time::ZERO);
        loop {
            let mut play = vec![0; most];
            let dialed = dialer.render(now, true, true, &mut play, &mut |hook| {
                hooks.last_mut().unwrap().push(hook);
            });
            let Dialed::Samples(count) = dialed else {
                assert_eq!(dialed, Dialed::Done);
                return (buffers, hooks);
            };
            now += Duration::from_millis(8) + Duration::from_micros(125) * count as u32;
            if count > 0 {
                play.truncate(count);
                buffers.push(play);
                hooks.push(Vec::new());
            }
        }
    }

    fn dialer(text: &str) -> Dialer {
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        let mut dialer = Dialer::new(Country::default());
        dialer.reset(DialTiming::default());
        dialer.push(parse(text, modifiers).unwrap());
        dialer
    }

    #[test]
    fn buffers_hold_what_frames_hold() {
        for text in ["1", "5550100", "12,34", "A*#D", "5,5,5,5,5,5,5,5,5,5"] {
            let (buffers, hooks) = render(text, MOST);
            assert_eq!(hooks.concat(), []);
            let (frames, _) = render(text, FRAME);
            assert!(frames.iter().all(|frame| frame.len() == FRAME));
            assert_eq!(buffers.concat(), frames.concat(), "{text}");
            assert_eq!(buffers.len(), buffers.concat().len().div_ceil(MOST), "{text}");
        }
    }

    #[test]
    fn what_is_no_sound_stands_between_buffers() {
        let (buffers, hooks) = render("12!3W4P1T5", MOST);
        let lengths: Vec<usize> = buffers.iter().map(Vec::len).collect();
        assert_eq!(lengths, [2 * 1280, 1280, 1280, 1280]);
        let (flash, one) = (vec![Hook::On, Hook::Off], vec![Hook::On, Hook::Off]);
        assert_eq!(hooks, [vec![], flash, vec![], one, vec![]]);
    }

    #[test]
    fn only_sound_is_rendered_before_the_last_buffer_was_played() {
        let mut dialer = dialer("1,2!3");
        let mut play = vec![0; MOST];
        let mut render = |is_played| {
            let mut hooks = Vec::new();
            let dialed =
                dialer.render(Time::ZERO, true, is_played, &mut play, &mut |hook| hooks.push(hook));
            (dialed, hooks)
        };
        // A pause that does not fit into the first buffer continues in the second without a gap.
        assert_eq!(render(true), (Dialed::Samples(MOST), vec![]));
        assert_eq!(render(false), (Dialed::Samples(2 * 1280), vec![]));
        assert_eq!(render(false), (Dialed::Samples(0), vec![]));
        assert_eq!(render(false), (Dialed::Samples(0), vec![]));
        assert_eq!(render(true), (Dialed::Samples(0), vec![]), "the flash begins");
        assert_eq!(render(true), (Dialed::Samples(0), vec![Hook::On]));
    }

    #[test]
    fn nothing_takes_longer_than_the_time_that_was_computed() {
        let modifiers = Modifiers { dial_tone: true, ..Modifiers::default() };
        for text in ["1234567890*#", "P0123456789", "1,,2!P3T4", "W1"] {
            let limit = dialing_time(&parse(text, modifiers).unwrap(), &DialTiming::default());
            for country in Country::all() {
                let (_, _, _, took) = dial_in(country, text, 0);
                let limit = limit.as_millis() + 100;
                assert!(u128::from(took) <= limit, "{text} in {country}: {took} ms, {limit}");
            }
        }
    }
}
