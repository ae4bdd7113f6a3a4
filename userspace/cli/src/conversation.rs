//! One line with one call, for `call` and `answer`: opens the line, prints its events, hangs up and
//! leaves the line on-hook. What is sent and received on the call is in `talk`.

use std::time::{Duration, Instant};

use ringback_driver::card::Hook;
use ringback_host::{Call, Events, Line, LineEvent, Pending, WaitError};
use ringback_softcard::SoftCard;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::LINEDISCONNECTMODE_OUTOFORDER;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::error::LineError;
use serde::Serialize;

use crate::card::{Station, describe};
use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output, note};
use crate::signals::Signals;
use crate::timeline::{Log, Recorder, What, told};

/// How long one wait for an event lasts. Signals, audio and output are served at this interval.
const BEAT: Duration = Duration::from_millis(20);
/// A request that takes longer is an error of Ringback's own: the provider completes each request
/// before its deadline.
const REQUEST: Duration = Duration::from_secs(180);
/// Number of beats after which it is known whether something failed because its card has gone.
const GONE_BEATS: u32 = 10;
/// Hanging up takes a few milliseconds, half a second with a modem, and up to six seconds with a
/// modem that does not react to DTR.
const HANG_UP: Duration = Duration::from_secs(15);
/// After a signal the program does not wait longer than this for the line, so that together with
/// everything else it ends within a second.
const HASTE: Duration = Duration::from_millis(700);

/// A line with one call on it.
pub(crate) struct Conversation<'a> {
    pub(crate) out: Output<'a>,
    pub(crate) signals: &'a Signals,
    pub(crate) recorder: &'a Recorder,
    pub(crate) log: Log,
    pub(crate) line: Line,
    station: &'a Station,
    events: Events,
}

/// The last object but one of `call --json` and `answer --json`: how the line was left, if it was
/// opened.
#[derive(Debug, Serialize)]
struct Left<'a> {
    event: &'static str,
    line: u32,
    /// `on` or `off`; on FXS the telephone's hook. `None` if the card is gone.
    hook: Option<&'a str>,
}

/// The last object of `call --json` and `answer --json`.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    event: &'static str,
    outcome: &'a str,
    exit: u8,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

impl<'a> Conversation<'a> {
    /// Opens the line.
    pub(crate) fn open(
        station: &'a Station,
        number: u32,
        out: Output<'a>,
        signals: &'a Signals,
        recorder: &'a Recorder,
        mut log: Log,
    ) -> Result<Conversation<'a>, Failure> {
        let line = station.line(number)?;
        let events = line.events();
        log.start();
        Ok(Conversation { out, signals, recorder, log, line, station, events })
    }

    pub(crate) fn is_modem(&self) -> bool {
        self.line.info().kind == Some(LineKind::Modem)
    }

    /// `line 2 (FXO in slot 2)`.
    pub(crate) fn name(&self) -> String {
        format!("line {}", describe(self.line.info()))
    }

    /// The software card, if the line is on one.
    pub(crate) fn soft(&self) -> Option<&SoftCard> {
        self.station.soft.as_ref()
    }

    fn number(&self) -> u32 {
        self.line.info().device_id
    }

    /// Returns the next event of the line if one comes within a beat. Checks the signals and prints
    /// meanwhile.
    pub(crate) fn beat(&mut self) -> Result<Option<LineEvent>, Failure> {
        self.signals.check()?;
        let event = self.events.next_timeout(BEAT);
        if let Some(LineEvent::CallInfo { call, changed, .. }) = &event
            && let Some(shown) = What::shown(call, *changed)
        {
            self.recorder.add(Some(self.number()), shown);
        }
        self.print()?;
        match event {
            Some(LineEvent::Closed { .. }) => Err(self.gone()),
            None if self.events.is_over() => Err(self.gone()),
            event => Ok(event),
        }
    }

    fn gone(&self) -> Failure {
        // If a signal has come, its second one may have closed the lines, so that the card is not
        // gone.
        if let Err(signal) = self.signals.check() {
            return signal;
        }
        Failure::gone(self.name(), self.station.name())
    }

    /// Finds out whether a call went out of order with the whole card or only with the line's
    /// module.
    pub(crate) fn out_of_order(&mut self) -> Failure {
        // A card that is removed closes its lines right after it has ended their calls.
        for _ in 0..GONE_BEATS {
            if let Err(failure) = self.beat() {
                return failure;
            }
        }
        let what = if self.is_modem() { "modem" } else { "module" };
        let name = self.name();
        let text = format!("the {what} of {name} does not work any more: see `ringback lines`");
        Failure::new(Exit::Gone, text)
    }

    /// Prints the entries of the log that are new.
    fn print(&mut self) -> Result<(), Failure> {
        while let Some(entry) = self.log.next(Duration::ZERO) {
            self.out.object(&self.log.object(&entry))?;
            if let Some(text) = self.words(&entry.what) {
                let seconds = self.log.ms(entry.at) / 1000.0;
                let time = self.out.paint(Colour::Dim, format!("{seconds:7.1} s"));
                self.out.text(format_args!("{time}  {text}"))?;
            }
        }
        Ok(())
    }

    /// Returns an entry in words, or `None` if it is of no interest to the user.
    fn words(&self, what: &What) -> Option<String> {
        match what {
            What::CallState { state, mode, .. } => {
                let text = state_words(state, mode.as_deref());
                Some(self.out.paint(Colour::State, text).to_string())
            }
            What::Digit { digit, end: false, .. } => Some(format!("the other side sends {digit}")),
            What::Generated { done: true, .. } => Some("digits sent".to_owned()),
            What::Does { who, does } => Some(format!("{who} {does}")),
            what => told(what),
        }
    }

    /// Waits for a request while signals are checked and events are printed. If this fails, the
    /// caller has to hang the call up, which completes the request (N6, D7).
    pub(crate) fn complete<T: Clone>(
        &mut self,
        pending: &Pending<T>,
    ) -> Result<Result<T, LineError>, Failure> {
        let until = Instant::now() + REQUEST;
        loop {
            match pending.wait(BEAT) {
                Ok(value) => return Ok(Ok(value)),
                Err(WaitError::Failed(error)) => return Ok(Err(error)),
                Err(WaitError::TimedOut) if Instant::now() < until => {}
                Err(error) => return Err(Failure::failed(error)),
            }
            self.signals.check()?;
            self.print()?;
        }
    }

    /// Returns whether the event ends the call.
    pub(crate) fn is_over(&mut self, event: Option<&LineEvent>) -> Result<bool, Failure> {
        match event {
            Some(LineEvent::State {
                state: CallState::Disconnected,
                mode: LINEDISCONNECTMODE_OUTOFORDER,
                ..
            }) => Err(self.out_of_order()),
            Some(LineEvent::State { state: CallState::Disconnected | CallState::Idle, .. }) => {
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Records something that the line has not reported itself.
    pub(crate) fn say(&self, who: &str, does: String) {
        let line = Some(self.number());
        self.recorder.add(line, What::Does { who: who.to_owned(), does });
    }

    /// Adds who calls to the log, if that is known.
    pub(crate) fn tell_caller(&self, call: &Call) {
        if let Some(caller) = What::caller(call) {
            self.recorder.add(Some(self.number()), caller);
        }
    }

    /// Hangs the call up in any state, and closes it. Errors are ignored: the call may never have
    /// existed, or its card may be gone.
    pub(crate) fn hang_up(&mut self, call: &Call) {
        if let Ok(pending) = call.drop_call() {
            self.await_drop(call, &pending);
        }
        let _ = call.close();
        self.recorder.add(Some(self.number()), What::CallClosed { call: call.handle().raw() });
    }

    /// Waits until the drop is complete. After a signal it waits only as long as [`patience`] says.
    fn await_drop(&self, call: &Call, dropped: &Pending<()>) {
        let asked = Instant::now();
        let mut told = false;
        while let Err(WaitError::TimedOut) = dropped.wait(BEAT) {
            let connected = self.is_modem() && call.state() == Some(CallState::Connected);
            match patience(asked.elapsed(), self.signals.since(), connected) {
                Patience::Over => return,
                Patience::Told if !told => {
                    told = true;
                    note(format_args!(
                        "the modem of {} does not react to DTR, and is hung up by the escape \
                         sequence, which takes some seconds; Ctrl-C ends at once",
                        self.name()
                    ));
                }
                Patience::Told | Patience::Left => {}
            }
        }
    }

    /// Tells the card's end in place of what failed by it: a function that is called at the very
    /// moment fails, and the event that says why follows.
    fn explained(&mut self, failure: Failure) -> Failure {
        if !matches!(failure.exit, Exit::Failed | Exit::Gone) {
            return failure;
        }
        for _ in 0..GONE_BEATS {
            match self.beat() {
                Ok(_) => {}
                Err(gone) if gone.exit == Exit::Gone => return gone,
                Err(_) => break,
            }
        }
        failure
    }

    /// Leaves the line on-hook, and prints how the call ended.
    pub(crate) fn finish(mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        let line = self.number();
        let ended = ended.map_err(|failure| self.explained(failure));
        let closed = self.line.close();
        let gone = ended.as_ref().is_err_and(|failure| failure.exit == Exit::Gone);
        let asked = Instant::now();
        let waits = || patience(asked.elapsed(), self.signals.since(), false) != Patience::Over;
        let hook = if gone { None } else { self.station.await_hook(line, waits) };
        let ours = self.line.info().kind != Some(LineKind::Fxs);
        let ended = ended.and_then(|()| match closed {
            Err(error) => {
                let what = format!("{} was not closed in order", self.name());
                Err(Failure::line(what, error))
            }
            Ok(_) if ours && hook == Some(Hook::Off) => {
                let name = self.name();
                let text = format!("{name} does not go on-hook: unplug it, and check the card");
                Err(Failure::failed(text))
            }
            Ok(_) => Ok(()),
        });
        let told = self.print().and_then(|()| {
            let hook = hook.map(|hook| if hook == Hook::On { "on" } else { "off" });
            self.out.object(&Left { event: "line_left", line, hook })
        });
        ended.and(told)
    }
}

/// Whether to wait for a line that is being hung up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Left,
    /// The user is to be told why it takes longer.
    Told,
    Over,
}

/// How long to wait for a line that has been asked to hang up `asked` ago, if a signal came
/// `signal` ago. Shutting down, which follows, drops DTR and opens the loop in any case. A modem
/// that is still connected then does not react to DTR, and can only be hung up by the escape
/// sequence, whose silences take more than two seconds: it is waited for, because a line that is
/// left off-hook may cost money.
fn patience(asked: Duration, signal: Option<Duration>, connected: bool) -> Patience {
    match signal {
        _ if asked >= HANG_UP => Patience::Over,
        Some(since) if since < HASTE => Patience::Left,
        Some(_) if connected => Patience::Told,
        Some(_) => Patience::Over,
        None => Patience::Left,
    }
}

/// Prints the result as the last object, also if no line was ever opened.
pub(crate) fn conclude(
    out: Output<'_>,
    signals: &Signals,
    ended: Result<(), Failure>,
) -> Result<(), Failure> {
    let (outcome, exit, reason) = match &ended {
        Ok(()) => ("answered", Exit::Done, ""),
        Err(failure) => (outcome(failure.exit), failure.exit, failure.text.as_str()),
    };
    let told = out.object(&Outcome { event: "result", outcome, exit: exit.code(), reason });
    if out.json && told.is_ok() {
        signals.told(exit);
    }
    ended.and(told)
}

fn outcome(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "answered",
        Exit::Failed => "failed",
        Exit::Usage => "usage",
        Exit::Busy => "busy",
        Exit::NoAnswer => "no_answer",
        Exit::NoDialTone => "no_dial_tone",
        Exit::Refused => "refused",
        Exit::Gone => "gone",
        Exit::Signal(_) => "interrupted",
        Exit::BrokenPipe => "broken_pipe",
    }
}

fn state_words(state: &str, mode: Option<&str>) -> String {
    let words = match state {
        "OFFERING" => "incoming call",
        "DIALTONE" => "dial tone",
        "DIALING" => "dialling",
        "PROCEEDING" => "dialled",
        "RINGBACK" => "ringing at the other end",
        "BUSY" => "busy",
        "SPECIALINFO" => "not put through",
        "CONNECTED" => "connected",
        "DISCONNECTED" => "disconnected",
        "IDLE" => "hung up",
        other => other,
    };
    match mode {
        Some(mode @ ("UNAVAIL" | "NODIALTONE" | "NOANSWER" | "REORDER" | "OUTOFORDER")) => {
            format!("{words} ({mode})")
        }
        _ => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_signal_only_a_modem_that_stays_connected_is_waited_for() {
        let ms = Duration::from_millis;
        let second = ms(1000);
        assert_eq!(patience(ms(10), None, true), Patience::Left);
        assert_eq!(patience(HANG_UP - ms(1), None, false), Patience::Left);
        assert_eq!(patience(HANG_UP, None, false), Patience::Over);
        assert_eq!(patience(ms(10), Some(ms(10)), false), Patience::Left);
        assert_eq!(patience(ms(10), Some(second), false), Patience::Over);
        // Also if the signal came when hanging up had begun.
        assert_eq!(patience(second, Some(ms(10)), true), Patience::Left);
        assert_eq!(patience(second, Some(second), true), Patience::Told);
        assert_eq!(patience(HANG_UP, Some(second), true), Patience::Over);
    }
}
