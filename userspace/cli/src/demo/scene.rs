//! One call of the demo from our side: its steps, each with a deadline and a check.
//!
//! Rules: a scene that fails returns a sentence that names what did not happen; every wait has a
//! limit; a signal ends every wait.

use std::time::{Duration, Instant};

use ringback_country::Country;
use ringback_driver::PortNumber;
use ringback_host::{Call, CallOptions, Events, Line, LineEvent, Pending, WaitError};
use ringback_tspi::callstate::CallState;
use ringback_tspi::error::LineError;
use ringback_tspi::media::Audio;

use super::ear::tone_ms;
use super::far::{ExchangeLine, Far, Step, Telephone};
use crate::card::Station;
use crate::exit::Failure;
use crate::scenery::tone;
use crate::signals::Signals;
use crate::timeline::{Recorder, What};

/// How long each step may take, far beyond what it does take; longer for a card in another process,
/// whose time may be slowed down.
const PATIENCE: Duration = Duration::from_secs(30);
const LONG_PATIENCE: Duration = Duration::from_secs(300);
/// Interval at which states without an event are polled.
const LOOK: Duration = Duration::from_millis(20);
/// Interval at which samples are fetched from the far end.
const LISTEN: Duration = Duration::from_millis(200);
/// Length of what is fetched from the far end, longer than anything that is expected in it.
const HEARD_MS: u32 = 10_000;
/// The frequency that each side plays, in Hz. No exchange uses these.
const OURS_HZ: f32 = 1400.0;
const THEIRS_HZ: f32 = 850.0;
/// The length of the tone that each side plays, and how much of it has to arrive on a busy machine.
const SPEECH_MS: u32 = 1000;
const ENOUGH_MS: u32 = 600;
/// The digits that each side sends.
const OUR_DIGITS: &str = "1234";
const THEIR_DIGITS: &str = "98#*";

/// A line of the demo.
pub(super) struct Scene<'a> {
    line: Line,
    /// Its port, where the far end is.
    port: PortNumber,
    events: Events,
    audio: Audio,
    country: Country,
    far: &'a Far,
    patience: Duration,
    signals: &'a Signals,
    recorder: &'a Recorder,
    /// The current call of the line.
    call: Option<Call>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        station: &Station,
        number: u32,
        far: &'a Far,
        signals: &'a Signals,
        recorder: &'a Recorder,
    ) -> Result<Scene<'a>, Failure> {
        let line = station.line(number)?;
        let port = line.info().slot.ok_or_else(|| {
            Failure::failed(format_args!("line {number} is in no slot, and so has no far end"))
        })?;
        let events = line.events();
        let audio = line
            .audio()
            .map_err(|error| Failure::line(format_args!("line {number} has no audio"), error))?;
        let patience = match far {
            Far::Here(_) => PATIENCE,
            Far::There(_) => LONG_PATIENCE,
        };
        Ok(Scene {
            line,
            port,
            events,
            audio,
            country: station.country,
            far,
            patience,
            signals,
            recorder,
            call: None,
        })
    }

    pub(super) fn number(&self) -> u32 {
        self.line.info().device_id
    }

    /// The country of lines and exchange.
    pub(super) fn country(&self) -> Country {
        self.country
    }

    pub(super) fn far(&self) -> &Far {
        self.far
    }

    /// Returns the telephone on an FXS line.
    pub(super) fn telephone(&self) -> Telephone {
        self.far.telephone(self.port)
    }

    /// Returns the exchange's state of an FXO line.
    pub(super) fn at_exchange(&self) -> Step<ExchangeLine> {
        self.far.line(self.port)
    }

    /// Records what the far end does.
    pub(super) fn does(&self, who: &str, does: &str) {
        let what = What::Does { who: who.to_owned(), does: does.to_owned() };
        self.recorder.add(Some(self.number()), what);
    }

    /// Records a check, and fails if it is not met. After a signal nothing is checked any more.
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

    /// Polls until the condition is met.
    pub(super) fn until(&self, what: &str, is_so: impl FnMut() -> Step<bool>) -> Step {
        self.until_at(LOOK, what, is_so)
    }

    /// Like `until`, for conditions that fetch samples and are polled less often.
    pub(super) fn until_heard(&self, what: &str, is_so: impl FnMut() -> Step<bool>) -> Step {
        self.until_at(LISTEN, what, is_so)
    }

    fn until_at(&self, beat: Duration, what: &str, mut is_so: impl FnMut() -> Step<bool>) -> Step {
        let until = Instant::now() + self.patience;
        while !is_so()? {
            self.interrupted()?;
            if Instant::now() > until {
                return Err(format!("waited {} s in vain until {what}", self.patience.as_secs()));
            }
            std::thread::sleep(beat);
        }
        Ok(())
    }

    /// Waits for the first event for which `pick` returns something; other events are dropped.
    fn event<T>(&self, what: &str, pick: impl Fn(LineEvent) -> Option<T>) -> Step<T> {
        let until = Instant::now() + self.patience;
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
                    let seconds = self.patience.as_secs();
                    return Err(format!("waited {seconds} s in vain for {what}"));
                }
                None => {}
            }
        }
    }

    /// Waits for the call's next state, and fails if it is another one than `wanted`.
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

    /// Waits until a request is completed.
    fn complete<T: Clone>(&self, what: &str, asked: Result<Pending<T>, LineError>) -> Step<T> {
        let pending = asked.map_err(|error| format!("{what} was refused: {error}"))?;
        let until = Instant::now() + self.patience;
        loop {
            match pending.wait(LOOK) {
                Ok(value) => return Ok(value),
                Err(WaitError::Failed(error)) => return Err(format!("{what} failed: {error}")),
                Err(WaitError::TimedOut) if Instant::now() < until => self.interrupted()?,
                Err(error) => return Err(format!("{what}: {error}")),
            }
        }
    }

    // Calls

    /// Makes a call.
    pub(super) fn make_call(&mut self, address: &str) -> Step {
        let options = CallOptions { only_if_idle: true, ..CallOptions::default() };
        let call = self.complete("lineMakeCall", self.line.make_call(address, &options))?;
        self.call = Some(call);
        Ok(())
    }

    /// Dials further digits on the call.
    pub(super) fn dial(&self, address: &str) -> Step {
        self.complete("lineDial", self.call()?.dial(address))
    }

    /// Waits for an incoming call.
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

    /// Closes the call that a scene has left when it failed.
    pub(super) fn end(&mut self) {
        // The scene's own error is reported; one of closing would add nothing.
        let _ = self.close_call();
        let _ = self.line.close();
    }

    // Talking

    /// Sends digits and sound in both directions between the line and the telephone at its other
    /// end.
    pub(super) fn talk(&self, far: &Telephone, who: &str) -> Step {
        let call = self.call()?;
        let failed = |what: &'static str| move |error: LineError| format!("{what}: {error}");
        call.monitor_digits(true).map_err(failed("digits can't be monitored"))?;
        let before = far.state()?.digits;
        self.does("we", &format!("send {OUR_DIGITS}"));
        call.generate_digits(OUR_DIGITS, 0).map_err(failed("digits can't be generated"))?;
        self.event("the end of our digits", |event| {
            matches!(event, LineEvent::Generated { done: true, .. }).then_some(())
        })?;
        let mut digits = String::new();
        let came = self.until(&format!("{who} hears {} digits", OUR_DIGITS.len()), || {
            far.state()?.digits.strip_prefix(&*before).unwrap_or_default().clone_into(&mut digits);
            Ok(digits.len() >= OUR_DIGITS.len())
        });
        came.map_err(|error| format!("{error}; it has heard \"{digits}\""))?;
        self.check(&format!("{who} hears our digits"), digits == OUR_DIGITS, &digits)?;

        self.does(who, &format!("dials {THEIR_DIGITS}"));
        far.does(&format!("dial {THEIR_DIGITS}"))?;
        let mut digits = String::new();
        while digits.len() < THEIR_DIGITS.len() {
            digits.push(self.event("a digit from the other side", |event| match event {
                LineEvent::Digit { digit, end: false, .. } => Some(digit),
                _ => None,
            })?);
        }
        self.check(&format!("we hear {who}'s digits"), digits == THEIR_DIGITS, &digits)?;
        self.until(&format!("{who} has sent all digits"), || Ok(!far.state()?.busy))?;
        self.speak(far, who)
    }

    /// Both sides play a tone at the same time, each at its own frequency.
    fn speak(&self, far: &Telephone, who: &str) -> Step {
        self.audio.record(true);
        far.does("forget")?;
        self.does(who, &format!("says {THEIRS_HZ} Hz while we say {OURS_HZ} Hz"));
        far.does(&format!("tone {THEIRS_HZ} {SPEECH_MS}"))?;
        let ours = tone(OURS_HZ, SPEECH_MS);
        if self.audio.play(&ours) < ours.len() {
            return Err("the line takes no second of sound".to_owned());
        }
        let mut we_hear = Vec::new();
        let mut both = self.until("both sides have spoken", || {
            self.audio.fetch(&mut we_hear);
            Ok(self.audio.queued() == 0 && !far.state()?.busy)
        });
        let (mut here, mut there) = (0, 0);
        if both.is_ok() {
            both = self.until_heard("both sides have heard each other", || {
                self.audio.fetch(&mut we_hear);
                here = tone_ms(&we_hear, THEIRS_HZ);
                there = tone_ms(&far.heard(HEARD_MS)?, OURS_HZ);
                Ok(here >= ENOUGH_MS && there >= ENOUGH_MS)
            });
        }
        self.audio.record(false);
        self.check(&format!("we hear {who}"), here >= ENOUGH_MS, &format!("{here} ms"))?;
        self.check(&format!("{who} hears us"), there >= ENOUGH_MS, &format!("{there} ms"))?;
        both
    }

    /// Waits until the far end answers and plays a tone of this frequency.
    pub(super) fn hear_hello(&self, who: &str, hz: f32, enough_ms: u32) -> Step {
        self.audio.record(true);
        let mut heard = Vec::new();
        let came = self.until(&format!("{who} says hello"), || {
            self.audio.fetch(&mut heard);
            Ok(tone_ms(&heard, hz) >= enough_ms)
        });
        self.audio.record(false);
        let ms = tone_ms(&heard, hz);
        self.check(&format!("we hear {who} say hello"), ms >= enough_ms, &format!("{ms} ms"))?;
        came
    }
}
