//! One call of the demo from our side: what it waits for, with deadlines, and what it checks.
//!
//! Rules: a scene fails with a sentence that says what did not come; it never waits without a limit;
//! a signal ends every wait.

use std::time::{Duration, Instant};

use ringback_softcard::{Exchange, SoftCard, Telephone};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;
use ringback_tspi::host::{Call, CallOptions, Events, Line, LineEvent, Pending, WaitError};
use ringback_tspi::line::Audio;

use super::ear::tone_ms;
use crate::card::Station;
use crate::exit::Failure;
use crate::scenery::tone;
use crate::signals::Signals;
use crate::timeline::{Recorder, What};

/// How long anything may take, far beyond what it does take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often something that tells no event is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// What each side says, in Hz: two frequencies that no exchange uses.
const OURS_HZ: f32 = 1400.0;
const THEIRS_HZ: f32 = 850.0;
/// For how long, and how much of it has to arrive on a machine that is busy.
const SPEECH_MS: u32 = 1000;
const ENOUGH_MS: u32 = 600;
/// The digits of each side.
const OUR_DIGITS: &str = "1234";
const THEIR_DIGITS: &str = "98#*";

/// What becomes of a step.
pub(super) type Step<T = ()> = Result<T, String>;

/// A line of the demo.
pub(super) struct Scene<'a> {
    line: Line,
    events: Events,
    audio: Audio,
    card: SoftCard,
    signals: &'a Signals,
    recorder: &'a Recorder,
    /// The call that is on the line.
    call: Option<Call>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        station: &Station,
        number: u32,
        card: &SoftCard,
        signals: &'a Signals,
        recorder: &'a Recorder,
    ) -> Result<Scene<'a>, Failure> {
        let line = station.line(number)?;
        let events = line.events();
        let audio = line
            .audio()
            .map_err(|error| Failure::line(format_args!("line {number} has no audio"), error))?;
        let card = card.clone();
        Ok(Scene { line, events, audio, card, signals, recorder, call: None })
    }

    pub(super) fn number(&self) -> u32 {
        self.line.info().device_id
    }

    pub(super) fn exchange(&self) -> Exchange {
        self.card.exchange()
    }

    /// The telephone on the line.
    pub(super) fn telephone(&self) -> Step<Telephone> {
        self.card.telephone(self.number() as usize).ok_or_else(|| "it has no telephone".to_owned())
    }

    /// Notes what somebody at the other end does.
    pub(super) fn does(&self, who: &str, does: &str) {
        let what = What::Does { who: who.to_owned(), does: does.to_owned() };
        self.recorder.add(Some(self.number()), what);
    }

    /// Notes a check, and fails if it is not met. After a signal there is nothing to check.
    pub(super) fn check(&self, what: &str, ok: bool, found: &str) -> Step {
        self.interrupted()?;
        let (what, found) = (what.to_owned(), found.to_owned());
        let failed = format!("{what}: {found}");
        self.recorder.add(Some(self.number()), What::Check { what, ok, found });
        if ok { Ok(()) } else { Err(failed) }
    }

    fn interrupted(&self) -> Step {
        self.signals.check().map_err(|_| "interrupted".to_owned())
    }

    /// Waits until something is so.
    pub(super) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) -> Step {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            self.interrupted()?;
            if Instant::now() > until {
                return Err(format!("waited {} s in vain until {what}", PATIENCE.as_secs()));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Waits for the event that `pick` picks; others are let go by.
    fn event<T>(&self, what: &str, pick: impl Fn(LineEvent) -> Option<T>) -> Step<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            self.interrupted()?;
            match self.events.next_timeout(LOOK) {
                Some(LineEvent::Closed { .. }) => return Err("the line was closed".to_owned()),
                Some(event) => {
                    if let Some(picked) = pick(event) {
                        return Ok(picked);
                    }
                }
                None if self.events.is_over() => return Err("the line was closed".to_owned()),
                None if Instant::now() > until => {
                    return Err(format!("waited {} s in vain for {what}", PATIENCE.as_secs()));
                }
                None => {}
            }
        }
    }

    /// Waits for the call's next state, which has to be this one.
    pub(super) fn state(&self, wanted: CallState) -> Step {
        let came = self.event(wanted.name(), |event| match event {
            LineEvent::State { state, .. } => Some(state),
            _ => None,
        })?;
        if came == wanted {
            return Ok(());
        }
        Err(format!("the call went to {came} where {wanted} was due"))
    }

    /// Waits for a request.
    fn complete<T: Clone>(&self, what: &str, asked: Result<Pending<T>, LineError>) -> Step<T> {
        let pending = asked.map_err(|error| format!("{what} was refused: {error}"))?;
        pending.wait(PATIENCE).map_err(|error| match error {
            WaitError::Failed(error) => format!("{what} failed: {error}"),
            error => format!("{what}: {error}"),
        })
    }

    // Calls

    /// Makes a call.
    pub(super) fn make_call(&mut self, address: &str) -> Step {
        let options = CallOptions { only_if_idle: true, ..CallOptions::default() };
        let call = self.complete("lineMakeCall", self.line.make_call(address, &options))?;
        self.call = Some(call);
        Ok(())
    }

    /// Waits for a call from outside.
    pub(super) fn await_call(&mut self) -> Step {
        let call = self.event("an incoming call", |event| match event {
            LineEvent::NewCall { call, .. } => Some(call),
            _ => None,
        })?;
        self.call = Some(call);
        self.state(CallState::Offering)
    }

    pub(super) fn call(&self) -> Step<&Call> {
        self.call.as_ref().ok_or_else(|| "there is no call".to_owned())
    }

    /// Answers the call.
    pub(super) fn answer(&self) -> Step {
        self.does("we", "answer");
        self.complete("lineAnswer", self.call()?.answer())
    }

    /// Hangs up and closes the call.
    pub(super) fn drop_call(&mut self) -> Step {
        self.does("we", "hang up");
        self.complete("lineDrop", self.call()?.drop_call())?;
        self.state(CallState::Idle)?;
        self.close_call()
    }

    fn close_call(&mut self) -> Step {
        let Some(call) = self.call.take() else { return Ok(()) };
        let handle = call.handle().raw();
        call.close().map_err(|error| format!("the call can't be closed: {error}"))?;
        self.recorder.add(Some(self.number()), What::CallClosed { call: handle });
        Ok(())
    }

    /// Gives up whatever is left, for a scene that ended in the middle.
    pub(super) fn end(&mut self) {
        // Why the scene ended is told; this can add nothing.
        let _ = self.close_call();
        let _ = self.line.close();
    }

    // Talking

    /// Digits and sound both ways between the line and the telephone at its other end.
    pub(super) fn talk(&self, far: &Telephone, who: &str) -> Step {
        let call = self.call()?;
        let failed = |what: &'static str| move |error: LineError| format!("{what}: {error}");
        call.monitor_digits(true).map_err(failed("digits can't be monitored"))?;
        let before = far.digits_heard();
        self.does("we", &format!("send {OUR_DIGITS}"));
        call.generate_digits(OUR_DIGITS, 0).map_err(failed("digits can't be generated"))?;
        self.event("the end of our digits", |event| {
            matches!(event, LineEvent::Generated { done: true, .. }).then_some(())
        })?;
        let heard = || far.digits_heard().strip_prefix(&*before).unwrap_or_default().to_owned();
        self.until(&format!("{who} hears four digits"), || heard().len() >= OUR_DIGITS.len())?;
        let digits = heard();
        self.check(&format!("{who} hears our digits"), digits == OUR_DIGITS, &digits)?;

        self.does(who, &format!("dials {THEIR_DIGITS}"));
        far.dial(THEIR_DIGITS);
        let mut digits = String::new();
        while digits.len() < THEIR_DIGITS.len() {
            digits.push(self.event("a digit from the other side", |event| match event {
                LineEvent::Digit { digit, end: false, .. } => Some(digit),
                _ => None,
            })?);
        }
        self.check(&format!("we hear {who}'s digits"), digits == THEIR_DIGITS, &digits)?;
        self.until(&format!("{who} has sent all digits"), || far.is_idle())?;
        self.speak(far, who)
    }

    /// Both sides speak at the same time, each on its own frequency.
    fn speak(&self, far: &Telephone, who: &str) -> Step {
        self.audio.record(true);
        far.take_heard();
        self.does(who, &format!("says {THEIRS_HZ} Hz while we say {OURS_HZ} Hz"));
        far.play(&tone(THEIRS_HZ, SPEECH_MS));
        let ours = tone(OURS_HZ, SPEECH_MS);
        if self.audio.play(&ours) < ours.len() {
            return Err("the line takes no second of sound".to_owned());
        }
        let mut we_hear = Vec::new();
        let both = self.until("both sides have spoken and heard each other", || {
            self.audio.fetch(&mut we_hear);
            far.is_idle()
                && self.audio.queued() == 0
                && tone_ms(&we_hear, THEIRS_HZ) >= ENOUGH_MS
                && tone_ms(&far.heard(), OURS_HZ) >= ENOUGH_MS
        });
        self.audio.record(false);
        let (here, there) = (tone_ms(&we_hear, THEIRS_HZ), tone_ms(&far.heard(), OURS_HZ));
        self.check(&format!("we hear {who}"), here >= ENOUGH_MS, &format!("{here} ms"))?;
        self.check(&format!("{who} hears us"), there >= ENOUGH_MS, &format!("{there} ms"))?;
        both
    }

    /// Hears how somebody answers who says this frequency.
    pub(super) fn hear_hello(&self, who: &str, hz: f32, enough_ms: u32) -> Step {
        self.audio.record(true);
        let mut heard = Vec::new();
        let came = self.until(&format!("{who} says hello"), || {
            self.audio.fetch(&mut heard);
            tone_ms(&heard, hz) >= enough_ms
        });
        self.audio.record(false);
        let ms = tone_ms(&heard, hz);
        self.check(&format!("we hear {who} say hello"), ms >= enough_ms, &format!("{ms} ms"))?;
        came
    }
}
