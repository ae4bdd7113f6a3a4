//! `ringback lines --tune LINE`: finds the impedance and the hybrid with which an exchange line
//! returns least of what is sent, and prints them for a country of the user's own.
//!
//! The line is taken off-hook, and a digit ends the exchange's dial tone. Then a signal is sent all
//! the time, while the settings change. The exchange waits for more digits meanwhile, which some do
//! for a few seconds only; so the settings are measured in several calls of two seconds each.
//!
//! Rules: a line with a call is left alone, and while a line is tuned nobody else gets it. Whatever
//! ends the measurement, the line is on-hook.

use std::iter;
use std::time::{Duration, Instant};

use ringback_driver::PortNumber;
use ringback_driver::card::LineTuning;
use ringback_host::{CallOptions, LineEvent};
use ringback_media::hybrid_fit::{PERIOD, Response, TAPS, fit, signal};
use ringback_provider::{Answer, DeviceConfig, ExchangeOptions, config_block};
use ringback_tspi::callstate::CallState;
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::media::Audio;
use ringback_tspi::types::HTAPICALL;
use serde::Serialize;

use crate::card::{Station, describe};
use crate::conversation::Conversation;
use crate::exchange::CLASS;
use crate::exit::{Exit, Failure};
use crate::output::{Output, progress};
use crate::signals::Signals;
use crate::timeline::{Log, Recorder};

/// How long the exchange has for dial tone and for a digit.
const ANSWERS: Duration = Duration::from_secs(20);
/// Samples that are left out after a change, and samples that are measured then: whole periods.
const SETTLE: usize = 4 * PERIOD;
const MEASURE: usize = 3 * PERIOD;
/// Samples of a call, 2.2 s, in which no exchange has given up waiting for more digits.
const CALL: usize = 17_600;
/// The most calls for settings that fit into one or two, if the machine has time.
const CALLS: u32 = 8;
/// Samples that are queued ahead: nearly the two seconds for which there is room.
const AHEAD: usize = 15_000;
/// Two responses to the same setting differ by less than this, compared with the signal, in dB.
const SAME_DB: f64 = -35.0;
/// The value of a coefficient whose effect is measured.
const STEP: i8 = 32;
/// The impedances that there are.
const IMPEDANCES: std::ops::RangeInclusive<u8> = 0..=15;
/// Less than this is no improvement, in dB.
const BETTER_DB: f64 = 1.0;

const TOO_SHORT: &str = "the exchange ended the calls too soon, or this machine is too busy: try \
                         again, or with another digit (--tune-digit) after which the exchange \
                         waits longer";

/// The result as JSON.
#[derive(Debug, Serialize)]
struct TuningObject {
    event: &'static str,
    line: u32,
    /// Registers 16, 26, 30 and 31, and 45 to 52.
    international: u8,
    dc_termination: u8,
    ac_termination: u8,
    control_3: u8,
    hybrid: [i8; TAPS],
    /// What the line returns, in dB: as it was, with the impedance, and with the hybrid.
    before_db: f64,
    impedance_db: f64,
    after_db: f64,
}

/// A setting, and what the line returns: as it was, with the impedance, and with the hybrid.
struct Tuned {
    tuning: LineTuning,
    before: f64,
    impedance: f64,
    after: f64,
}

/// Measures a line, and prints the section of the country's file.
pub(super) fn run(
    station: &Station,
    number: u32,
    digit: char,
    out: Output<'_>,
    signals: &Signals,
    recorder: &Recorder,
    log: Log,
) -> Result<(), Failure> {
    let known = station.host.lines().iter().find(|info| info.device_id == number);
    if let Some(info) = known.filter(|info| info.kind != Some(LineKind::Fxo)) {
        let text = format_args!("line {} is no line of an exchange (FXO)", describe(info));
        return Err(Failure::new(Exit::Usage, text));
    }
    // The result alone is printed, because it is appended to a file.
    let quiet = Output::silent(signals);
    let line = Conversation::open(station, number, quiet, signals, recorder, log)?;
    let mut tuner = Tuner::new(station, line, digit)?;
    let tuned = tuner.tune();
    let result = tuned.as_ref().map(|_| ()).map_err(Clone::clone);
    tuner.line.finish(result)?;
    let Tuned { tuning, before, impedance, after } = tuned?;
    let daa = station.country.daa();
    out.text(format_args!(
        "# line {number} returns {after:.1} dB of what is sent ({impedance:.1} dB without the \
         hybrid, {before:.1} dB as {} has it)",
        station.country
    ))?;
    out.text("[line]")?;
    out.text(format_args!("international = {:#04x}", daa.international))?;
    out.text(format_args!("dc_termination = {:#04x}", daa.dc_termination))?;
    out.text(format_args!("ac_termination = {:#04x}", tuning.ac_termination))?;
    out.text(format_args!("control_3 = {:#04x}", daa.control_3))?;
    out.text(format_args!("hybrid = {:?}", tuning.hybrid))?;
    out.object(&TuningObject {
        event: "tuning",
        line: number,
        international: daa.international,
        dc_termination: daa.dc_termination,
        ac_termination: tuning.ac_termination,
        control_3: daa.control_3,
        hybrid: tuning.hybrid,
        before_db: tenths(before),
        impedance_db: tenths(impedance),
        after_db: tenths(after),
    })
}

fn tenths(db: f64) -> f64 {
    (db * 10.0).round() / 10.0
}

/// A line on which settings are measured.
struct Tuner<'a> {
    station: &'a Station,
    line: Conversation<'a>,
    audio: Audio,
    slot: PortNumber,
    digit: String,
}

impl<'a> Tuner<'a> {
    fn new(
        station: &'a Station,
        line: Conversation<'a>,
        digit: char,
    ) -> Result<Tuner<'a>, Failure> {
        let (info, name) = (line.line.info(), line.name());
        let slot = info.slot.ok_or_else(|| Failure::failed(format_args!("{name} has no slot")))?;
        // The call counts as connected as soon as the digit is dialled.
        let options = ExchangeOptions { answer: Answer::Dialled, ..ExchangeOptions::default() };
        let country = station.country.to_string();
        let block = config_block(&DeviceConfig::Exchange { country, options });
        let set = station.provider().line_set_dev_config(info.device_id, &block, CLASS);
        set.map_err(|error| Failure::line(&name, error))?;
        let audio = line.line.audio().map_err(|error| Failure::line(&name, error))?;
        Ok(Tuner { station, line, audio, slot, digit: digit.to_string() })
    }

    fn tune(&mut self) -> Result<Tuned, Failure> {
        let daa = self.station.country.daa();
        let own = LineTuning { ac_termination: daa.ac_termination, hybrid: daa.hybrid };
        let best = self.impedance(own)?;
        let (without, tuned) = self.hybrid(best)?;
        let both = self.responses("the result", &[own, tuned], false)?;
        let [before, after] = [0, 1].map(|place| both.get(place).map(Response::level_db));
        let (before, after) = before.zip(after).ok_or_else(|| Failure::failed(TOO_SHORT))?;
        Ok(if after < before - BETTER_DB {
            Tuned { tuning: tuned, before, impedance: without, after }
        } else {
            Tuned { tuning: own, before, impedance: before, after: before }
        })
    }

    /// The impedance with which least comes back.
    fn impedance(&mut self, own: LineTuning) -> Result<LineTuning, Failure> {
        let with = |ac_termination| LineTuning { ac_termination, hybrid: [0; TAPS] };
        let all: Vec<LineTuning> = IMPEDANCES.map(with).collect();
        let responses = self.responses("the impedance", &all, false)?;
        let levels = || all.iter().zip(responses.iter().map(Response::level_db));
        let of = |ac_termination: u8| {
            let found = levels().find(|(one, _)| one.ac_termination == ac_termination);
            found.map_or(f64::INFINITY, |(_, level)| level)
        };
        let least = levels().min_by(|one, other| one.1.total_cmp(&other.1));
        let better = least.filter(|(_, level)| *level < of(own.ac_termination) - BETTER_DB);
        Ok(better.map_or(with(own.ac_termination), |(best, _)| *best))
    }

    /// What comes back without a hybrid, and the hybrid with which least comes back.
    fn hybrid(&mut self, best: LineTuning) -> Result<(f64, LineTuning), Failure> {
        let single = (0..TAPS).map(|place| {
            let hybrid = std::array::from_fn(|tap| if tap == place { STEP } else { 0 });
            LineTuning { hybrid, ..best }
        });
        let all: Vec<LineTuning> = iter::once(best).chain(single).chain([best]).collect();
        let responses = self.responses("the hybrid", &all, true)?;
        let responses: [Response; TAPS + 2] =
            responses.try_into().map_err(|_| Failure::failed(TOO_SHORT))?;
        let [without, each @ .., again] = &responses;
        // If the sound was interrupted, the responses before and after that do not fit together.
        if again.difference_db(without) > SAME_DB {
            let text = "the sound was interrupted, or the exchange plays a tone: try again, on a \
                        machine that is less busy, or with another digit (--tune-digit)";
            return Err(Failure::failed(text));
        }
        Ok((without.level_db(), LineTuning { hybrid: fit(without, each, STEP), ..best }))
    }

    /// What the line returns with each of these settings, in as many calls as that takes. Responses
    /// of one call can be compared as such, those of different calls by their levels alone; with
    /// `together` all are of one call.
    fn responses(
        &mut self,
        what: &str,
        tunings: &[LineTuning],
        together: bool,
    ) -> Result<Vec<Response>, Failure> {
        let mut found = Vec::new();
        for _ in 0..CALLS {
            if together {
                found.clear();
            }
            let (name, done, all) = (self.line.name(), found.len(), tunings.len());
            progress(format_args!("{name}: measuring {what}, {done} of {all} settings are done"));
            self.in_call(tunings.get(done..).unwrap_or_default(), &mut found)?;
            if found.len() == all {
                return Ok(found);
            }
        }
        Err(Failure::failed(format_args!("{}: {TOO_SHORT}", self.line.name())))
    }

    /// Takes the line off-hook, dials the digit, measures what there is time for, and hangs up.
    fn in_call(&mut self, tunings: &[LineTuning], to: &mut Vec<Response>) -> Result<(), Failure> {
        let name = self.line.name();
        let options = CallOptions { only_if_idle: true, ..CallOptions::default() };
        let pending = self.line.line.make_call(&self.digit, &options);
        let pending = pending.map_err(|error| {
            Failure::line(format_args!("{name} is in use, or has no battery"), error)
        })?;
        let call = pending.call();
        let measured = match self.line.complete(&pending) {
            Err(failure) => Err(failure),
            Ok(Err(error)) => Err(Failure::line(format_args!("{name} has no dial tone"), error)),
            Ok(Ok(_)) => self.connected(call.handle()).and_then(|()| {
                self.audio.record(true);
                let measured = self.measure_all(tunings, to);
                self.audio.record(false);
                measured
            }),
        };
        self.line.hang_up(&call);
        measured
    }

    /// Waits until the digit is dialled.
    fn connected(&mut self, call: HTAPICALL) -> Result<(), Failure> {
        let until = Instant::now() + ANSWERS;
        while Instant::now() < until {
            // Events of the call before may still come.
            let own = |event: &LineEvent| match event {
                LineEvent::State { call: of, .. } => of.handle() == call,
                _ => true,
            };
            let event = self.line.beat()?.filter(own);
            if let Some(LineEvent::State { state: CallState::Connected, .. }) = event {
                return Ok(());
            }
            if self.line.is_over(event.as_ref())? {
                break;
            }
        }
        let name = self.line.name();
        Err(Failure::failed(format_args!("{name}: the exchange did not take the digit")))
    }

    /// Measures these settings until the call ends or becomes too long.
    fn measure_all(
        &mut self,
        tunings: &[LineTuning],
        to: &mut Vec<Response>,
    ) -> Result<(), Failure> {
        let mut received = 0;
        for tuning in tunings {
            match self.measure(*tuning, &mut received)? {
                Some(response) => to.push(response),
                None => break,
            }
        }
        Ok(())
    }

    /// What the line returns with a setting; `None` if the call is over or too long. `received` are
    /// the samples that were received since recording began.
    fn measure(
        &mut self,
        tuning: LineTuning,
        received: &mut usize,
    ) -> Result<Option<Response>, Failure> {
        if !self.station.tune_line(self.slot, tuning) {
            return Err(Failure::gone(self.line.name(), self.station.name()));
        }
        let mut samples = Vec::new();
        // What came until now came with the setting before.
        self.audio.fetch(&mut samples);
        let from = (*received + samples.len() + SETTLE).next_multiple_of(PERIOD);
        let end = from + MEASURE;
        while *received + samples.len() < end {
            self.feed();
            let event = self.line.beat()?;
            let over = self.line.is_over(event.as_ref())?;
            let lost = self.audio.fetch(&mut samples);
            if over || lost > 0 || end > CALL {
                return Ok(None);
            }
        }
        let heard = samples.get(from - *received..end - *received);
        *received += samples.len();
        Ok(heard.and_then(Response::of))
    }

    /// Keeps the signal playing.
    fn feed(&self) {
        let period = signal();
        while self.audio.queued() < AHEAD {
            // Room for whole periods only, or the signal would have a gap.
            if self.audio.play(&period) < PERIOD {
                return;
            }
        }
    }
}
