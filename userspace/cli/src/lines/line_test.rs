//! `ringback lines --test LINE`: whether a line rings, carries tones and sees its hook, with a
//! person at the telephone if it is one.
//!
//! Rules: a line with a call is left alone, and while the test runs nobody else gets the line.
//! Whatever ends the test, ringing stops and the line is on-hook.

use std::time::{Duration, Instant};

use ringback_driver::card::{Hook, ModuleDetails, PortStatus};
use ringback_host::{CallOptions, Phone, PhoneEvent, WaitError};
use ringback_provider::SlotReport;
use ringback_tspi::callstate::CallState;
use ringback_tspi::constants::*;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::dial_timing::DialTiming;
use ringback_tspi::error::{LineError, PhoneError};
use serde::Serialize;

use super::registers;
use crate::card::{Station, describe};
use crate::conversation::Conversation;
use crate::exit::{Exit, Failure};
use crate::output::{Colour, Output};
use crate::signals::Signals;
use crate::timeline::{Log, Recorder};

/// How long a person has for each step.
const PERSON: Duration = Duration::from_secs(30);
/// How long the line has for what it does by itself.
const LINE: Duration = Duration::from_secs(5);
/// How long one wait for an event lasts.
const BEAT: Duration = Duration::from_millis(20);
/// Voltage of a fed line that is on-hook, at least, and current through a closed loop, at least.
const FED_MILLIVOLTS: u32 = 30_000;
const LOOP_MICROAMPERES: u32 = 10_000;
const LOOP_MILLIAMPERES: u16 = 10;

/// A step of the test, as JSON.
#[derive(Debug, Serialize)]
struct LineTestObject<'a> {
    event: &'static str,
    line: u32,
    /// What was tested.
    test: &'static str,
    passed: bool,
    /// What was found.
    found: &'a str,
}

/// The test of one line.
struct LineTest<'a> {
    station: &'a Station,
    signals: &'a Signals,
    out: Output<'a>,
    line: u32,
    /// What has failed.
    failed: Vec<&'static str>,
}

/// Tests a line, and fails if a step did not pass.
pub(super) fn run(
    station: &Station,
    line: u32,
    out: Output<'_>,
    signals: &Signals,
    recorder: &Recorder,
    log: Log,
) -> Result<(), Failure> {
    let known = station.host.lines().iter().find(|info| info.device_id == line);
    let kind = known.and_then(|info| info.kind);
    let name = known.map_or_else(|| line.to_string(), describe);
    let mut test = LineTest { station, signals, out, line, failed: Vec::new() };
    match kind {
        // Opening it gives the error that there is no such line.
        None => drop(station.line(line)?),
        Some(LineKind::Modem) => {
            let text = format_args!(
                "line {name} has no hook and no tones: `ringback lines` asks \
                                     the modem whether it answers"
            );
            return Err(Failure::new(Exit::Usage, text));
        }
        Some(LineKind::Fxs) => {
            test.is_free(&name)?;
            test.telephone()?;
        }
        Some(LineKind::Fxo) => {
            test.is_free(&name)?;
            test.exchange(recorder, log)?;
        }
    }
    if test.failed.is_empty() {
        return Ok(());
    }
    let text = format_args!("line {name} did not pass: {}", test.failed.join(", "));
    Err(Failure::failed(text))
}

impl LineTest<'_> {
    /// Refuses a line that is in use.
    fn is_free(&self, name: &str) -> Result<(), Failure> {
        let slot = self.slot()?;
        let used = slot.status.is_some_and(|status| status.ringing || status.hook == Hook::Off);
        if slot.call.is_some() || used {
            return Err(busy(name));
        }
        Ok(())
    }

    fn slot(&self) -> Result<SlotReport, Failure> {
        let found = self.station.slots().into_iter().find(|slot| slot.line == Some(self.line));
        found.ok_or_else(|| Failure::gone(format_args!("line {}", self.line), self.station.name()))
    }

    fn status(&self) -> Result<PortStatus, Failure> {
        self.slot()?
            .status
            .ok_or_else(|| Failure::gone(format_args!("line {}", self.line), self.station.name()))
    }

    /// Tells the result of a step.
    fn tell(&mut self, test: &'static str, passed: bool, found: &str) -> Result<(), Failure> {
        if !passed {
            self.failed.push(test);
        }
        let (colour, word) =
            if passed { (Colour::Good, "passed") } else { (Colour::Bad, "failed") };
        let word = self.out.paint(colour, word);
        self.out.text(format_args!("{test:<12} {word}  {found}"))?;
        let line = self.line;
        self.out.object(&LineTestObject { event: "line_test", line, test, passed, found })
    }

    /// Looks until something is so, for as long as `limit`; returns whether it is.
    fn wait(
        &self,
        limit: Duration,
        mut is_so: impl FnMut() -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let until = Instant::now() + limit;
        loop {
            self.signals.check()?;
            if is_so()? {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            std::thread::sleep(BEAT);
        }
    }

    /// A telephone's line: voltage, ringing, loop current, keys, hanging up.
    fn telephone(&mut self) -> Result<(), Failure> {
        let lines = self.station.host.lines();
        let telephones = lines.iter().filter(|info| info.kind == Some(LineKind::Fxs));
        let place = telephones.take_while(|info| info.device_id != self.line).count();
        let info = self.station.host.phones().get(place);
        let info = info.ok_or_else(|| Failure::failed("the line's telephone is not announced"))?;
        let phone = self.station.host.open_phone(info.device_id).map_err(phone_failure)?;
        let events = phone.events();
        phone
            .set_status_messages(0, PHONEBUTTONMODE_KEYPAD, PHONEBUTTONSTATE_DOWN)
            .map_err(phone_failure)?;

        let Some((voltage, _)) = self.measured()? else { return Ok(()) };
        let found = format!("{:.1} V between the wires", f64::from(voltage) / 1000.0);
        self.tell("voltage", voltage.unsigned_abs() >= FED_MILLIVOLTS, &found)?;

        self.out.text("the telephone rings: lift it within 30 s")?;
        let began = Instant::now();
        let ring = phone.set_ring(1, 0xFFFF).map_err(phone_failure)?;
        ring.wait(LINE).map_err(|error| Failure::failed(format_args!("ringing: {error}")))?;
        let lifted = self.wait(PERSON, || Ok(is_lifted(&phone)))?;
        if !lifted {
            self.stop_ringing(&phone)?;
            return self.tell("ring", false, "nobody lifted the telephone within 30 s");
        }
        let found = format!("lifted after {:.1} s", began.elapsed().as_secs_f64());
        self.tell("ring", true, &found)?;

        if let Some((_, current)) = self.measured()? {
            let found = format!("{:.2} mA through the loop", f64::from(current) / 1000.0);
            self.tell("current", current.unsigned_abs() >= LOOP_MICROAMPERES, &found)?;
        }

        self.out.text("you hear dial tone: press a key within 30 s")?;
        let mut pressed = None;
        self.wait(PERSON, || {
            while let Some(event) = events.try_next() {
                if let PhoneEvent::Button {
                    id: id @ 0..=11, state: PHONEBUTTONSTATE_DOWN, ..
                } = event
                {
                    pressed = "0123456789*#".chars().nth(id as usize);
                }
            }
            Ok(pressed.is_some() || !is_lifted(&phone))
        })?;
        match pressed {
            Some(key) => self.tell("tones", true, &format!("the key {key} was heard"))?,
            None => self.tell("tones", false, "no key was heard")?,
        }

        self.out.text("hang up within 30 s")?;
        let hung_up = self.wait(PERSON, || Ok(!is_lifted(&phone)))?;
        let found = if hung_up { "on-hook" } else { "still off-hook" };
        self.tell("hook", hung_up, found)
    }

    fn stop_ringing(&self, phone: &Phone) -> Result<(), Failure> {
        let stop = phone.set_ring(0, 0).map_err(phone_failure)?;
        stop.wait(LINE).map_err(|error| Failure::failed(format_args!("ringing: {error}")))
    }

    /// The line's voltage in millivolts and its current in microamperes.
    fn measured(&self) -> Result<Option<(i32, i32)>, Failure> {
        let slot = self.slot()?.slot;
        let dump = registers::read(self.station, self.signals)?;
        let module = dump.modules.iter().find(|module| module.slot == slot);
        Ok(match module.map(|module| module.details) {
            Some(ModuleDetails::Fxs(fxs)) => Some((fxs.loop_voltage, fxs.loop_current)),
            _ => None,
        })
    }

    /// A line of an exchange: battery, loop current, dial tone, on-hook.
    fn exchange(&mut self, recorder: &Recorder, log: Log) -> Result<(), Failure> {
        let status = self.status()?;
        let volts = status.voltage.unwrap_or_default();
        let battery = status.battery == Some(true);
        self.tell("battery", battery, &format!("{volts} V between the wires"))?;
        if !battery {
            return Ok(());
        }
        let (station, out, signals) = (self.station, self.out, self.signals);
        let mut line = Conversation::open(station, self.line, out, signals, recorder, log)?;
        let tested = self.seize(&mut line);
        line.finish(tested)?;
        let on_hook = self.wait(LINE, || Ok(self.status()?.hook == Hook::On))?;
        self.tell("hook", on_hook, if on_hook { "on-hook" } else { "still off-hook" })
    }

    fn seize(&mut self, line: &mut Conversation<'_>) -> Result<(), Failure> {
        let name = line.name();
        let timing = DialTiming { dial_tone_ms: 5000, ..DialTiming::default() };
        let options =
            CallOptions { only_if_idle: true, timing: Some(timing), ..CallOptions::default() };
        // Without a number the line is only taken off-hook.
        let pending = line.line.make_call("", &options).map_err(|error| match error {
            LineError::CALLUNAVAIL | LineError::INUSE | LineError::INVALLINESTATE => busy(&name),
            error => Failure::line(format_args!("{name} is not taken off-hook"), error),
        })?;
        let call = pending.call();
        let seized = self.measure_seized(line, &pending);
        line.hang_up(&call);
        seized
    }

    fn measure_seized(
        &mut self,
        line: &mut Conversation<'_>,
        pending: &ringback_host::Pending<ringback_host::Call>,
    ) -> Result<(), Failure> {
        let until = Instant::now() + LINE + LINE;
        let (mut current, mut dial_tone) = (0, None);
        // While the line waits for dial tone, its current is measured.
        while (dial_tone.is_none() || current == 0) && Instant::now() < until {
            line.beat()?;
            let status = self.status()?;
            if status.hook == Hook::Off {
                current = current.max(status.current.unwrap_or_default());
            }
            match pending.wait(Duration::ZERO) {
                Ok(call) => dial_tone = Some(call.state() == Some(CallState::DialTone)),
                Err(WaitError::TimedOut) => {}
                Err(WaitError::Failed(_)) => {
                    dial_tone = Some(false);
                    break;
                }
                Err(error) => return Err(Failure::failed(error)),
            }
        }
        let passed = current >= LOOP_MILLIAMPERES;
        self.tell("current", passed, &format!("{current} mA through the loop"))?;
        let country = self.station.country;
        match dial_tone {
            Some(true) => self.tell("tones", true, &format!("dial tone of {country}")),
            _ => self.tell("tones", false, &format!("no dial tone of {country} within 5 s")),
        }
    }
}

fn is_lifted(phone: &Phone) -> bool {
    phone.off_hook().is_ok_and(|off_hook| off_hook != 0)
}

fn busy(name: &str) -> Failure {
    let text = format_args!("line {name} is in use: it is tested when it has no call");
    Failure::new(Exit::Refused, text)
}

fn phone_failure(error: PhoneError) -> Failure {
    Failure::failed(format_args!("the telephone can't be tested: {error}"))
}

#[cfg(test)]
mod tests {
    use ringback_country::Country;
    use ringback_driver::PortNumber;
    use ringback_driver::device::selector::Selector;
    use ringback_provider::CardOptions;
    use ringback_softcard::scenery::SILENT;

    use super::*;
    use crate::{scenery, timeline};

    /// A call that rings the line, one that was made, and a telephone that is lifted.
    #[test]
    fn a_line_in_use_is_left_alone() {
        let (signals, (recorder, _log)) = (Signals::default(), timeline::new());
        let card = scenery::card(Country::default());
        scenery::furnish(&card);
        scenery::call(&card, PortNumber(3), 1);
        let setup = CardOptions { soft: Some(card.clone()), ..CardOptions::default() };
        let station = Station::open(&Selector::Soft, setup, &signals, &recorder).unwrap();
        let [second, third] = [2, 3].map(|number| station.line(number).unwrap());
        let made = second.make_call(SILENT, &CallOptions::default()).unwrap();
        card.telephone(PortNumber(0)).unwrap().off_hook();
        let is_used = |line: u32| {
            let slot = station.slots().into_iter().find(|slot| slot.line == Some(line)).unwrap();
            slot.call.is_some() || slot.status.is_some_and(|status| status.hook == Hook::Off)
        };
        for line in [0, 2, 3] {
            let until = Instant::now() + PERSON;
            while !is_used(line) {
                assert!(Instant::now() < until, "line {line} is not in use");
                std::thread::sleep(BEAT);
            }
            let (_, log) = timeline::new();
            let out = Output::new(true, &signals);
            let refused = run(&station, line, out, &signals, &recorder, log).unwrap_err();
            assert_eq!(refused.exit, Exit::Refused, "{}", refused.text);
            assert!(refused.text.contains("is in use"), "{}", refused.text);
        }
        let call = made.wait(PERSON).unwrap();
        assert!(call.state().is_some_and(|state| state != CallState::Idle), "{:?}", call.state());
        drop(third);
    }
}
