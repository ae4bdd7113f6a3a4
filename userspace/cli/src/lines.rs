//! `ringback lines`: lists the card's lines and their state. Asks each modem whether it answers.
//! `registers` shows what the registers of the card say, `line_test` tests a line with a person at
//! its telephone, `tuning` measures a line of an exchange.

use std::fmt::Display;

use clap::Args;
use ringback_driver::PortNumber;
use ringback_driver::card::{Hook, LineFeed, ModuleKind, Polarity, Slot};
use ringback_lines::line_kind;
use ringback_media::dtmf::Digit;
use ringback_provider::SlotReport;
use ringback_softcard::{Behaviour, SoftCard, Step};
use ringback_tspi::dev_specific::LineKind;
use serde::Serialize;

use crate::card::{CardArguments, Station, kind_name};
use crate::exit::Failure;
use crate::output::{Colour, Output};
use crate::signals::Signals;
use crate::{scenery, timeline};

mod line_test;
mod registers;
mod tuning;

/// Show what is in the slots of the card, and the state of the lines
#[derive(Debug, Args)]
#[command(after_long_help = format!("\
Examples:
  ringback lines                                  the software card
  ringback lines --card uio:/dev/uio0 --json
  ringback lines --fault no-power:1               what a broken card looks like
  ringback lines --details                        also chips, voltages, currents and counters
  ringback lines --registers > registers.txt      every register, to send to somebody who helps
  ringback lines --test 0                         rings line 0, and asks you to lift and hang up
  ringback lines --tune 2 >> country.toml         fits line 2 to its exchange

{}", scenery::HELP))]
pub(crate) struct Lines {
    /// Print one JSON object per slot instead of a table
    #[arg(long)]
    json: bool,
    /// Show also what the registers say: chips and their revisions, voltages and currents of the
    /// lines, and what the driver has counted
    #[arg(long)]
    details: bool,
    /// Show only the registers of the card and its modules, all whose reading changes nothing, in a
    /// form that can be sent
    #[arg(long, conflicts_with = "details")]
    registers: bool,
    /// Test a line. One for a telephone rings, and has to be lifted, to send a key and to be hung
    /// up; one of an exchange is taken off-hook for a moment. A line with a call is left alone
    #[arg(long, value_name = "LINE", conflicts_with_all = ["details", "registers"])]
    test: Option<u32>,
    /// Measure a line of an exchange, and print the impedance and the hybrid with which it returns
    /// least of what is sent, for a file of your own country (see --country). It is off-hook four
    /// times for a few seconds; a line with a call is left alone
    #[arg(long, value_name = "LINE", conflicts_with_all = ["details", "registers", "test"])]
    tune: Option<u32>,
    /// The digit that ends dial tone while a line is tuned
    #[arg(long, value_name = "DIGIT", requires = "tune", default_value_t = '1',
        value_parser = parse_digit)]
    tune_digit: char,
    #[command(flatten)]
    card: CardArguments,
}

/// The impedance of the software exchange's lines while one is tuned, as in register 30.
const SOFT_IMPEDANCE: u8 = 5;

/// A slot as JSON.
#[derive(Debug, Default, Serialize)]
struct SlotObject<'a> {
    event: &'static str,
    card: &'a str,
    slot: u8,
    /// The number of the slot's line; `None` without a working module.
    line: Option<u32>,
    /// FXS, FXO or modem.
    kind: Option<&'static str>,
    /// `working`, `empty` or `failed`; a modem has failed if it does not answer.
    state: &'static str,
    /// Why the line does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `on` or `off`: on FXS the telephone's hook, on FXO our own.
    hook: Option<&'static str>,
    /// On FXS, whether the ring generator is on; on FXO, whether the exchange rings the line.
    ringing: Option<bool>,
    /// On FXO, whether the exchange feeds the line; on FXS, whether we do.
    battery: Option<bool>,
    /// On FXO, the line's voltage in volts, signed by polarity.
    #[serde(skip_serializing_if = "Option::is_none")]
    volts: Option<i16>,
    /// `forward` or `reverse`.
    polarity: Option<&'static str>,
    /// The state of the line's call.
    call: Option<&'static str>,
}

impl Lines {
    /// Adds what is behind the software card: for a test, somebody who does what is asked at the
    /// telephones; for tuning, lines with an impedance of their own.
    fn furnish(&self, card: &SoftCard) {
        scenery::furnish(card);
        for slot in PortNumber::each().take(4) {
            if self.tune.is_some() {
                card.set_line_impedance(slot, Some(SOFT_IMPEDANCE));
            }
            if let (Some(telephone), Some(_)) = (card.telephone(slot), self.test) {
                let wait = Step::Wait(2000);
                let steps = [wait.clone(), Step::Dial("5".to_owned()), wait, Step::HangUp];
                telephone.set_behaviour(Behaviour::AnswerThen { rings: 1, steps: steps.to_vec() });
            }
        }
    }

    pub(crate) fn run(&self, signals: &Signals) -> Result<(), Failure> {
        let (recorder, log) = timeline::new();
        let station = self.card.open(signals, &recorder, |card| self.furnish(card))?;
        let out = Output::new(self.json, signals);
        if let Some(line) = self.test {
            return line_test::run(&station, line, out, signals, &recorder, log);
        }
        if let Some(line) = self.tune {
            let digit = self.tune_digit;
            return tuning::run(&station, line, digit, out, signals, &recorder, log);
        }
        if self.registers {
            return registers::print(&station, &registers::read(&station, signals)?, out);
        }
        let slots = station.slots();
        for slot in &slots {
            out.object(&object(station.name(), slot))?;
        }
        let headings = columns("line", "slot", "kind", "hook", "state");
        out.text(out.paint(Colour::Bold, headings))?;
        for slot in &slots {
            out.text(row(out, slot))?;
        }
        let answers = modems(&station, out, signals)?;
        if self.details {
            let dump = registers::read(&station, signals)?;
            registers::print_details(&station, &dump, &slots, out)?;
        }
        judge(&station, &slots, &answers)
    }
}

/// Refuses what is no DTMF digit.
fn parse_digit(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next().filter(|digit| Digit::from_char(*digit).is_some()), chars.next()) {
        (Some(digit), None) => Ok(digit),
        _ => Err(format!("{text:?} is no digit: write one of 0-9, A-D, * and #")),
    }
}

/// Fails if no line works although the card has modules. A card without modules is no error.
fn judge(station: &Station, slots: &[SlotReport], modems: &[bool]) -> Result<(), Failure> {
    let works = |slot: &SlotReport| slot.status.is_some();
    if slots.iter().any(works) || modems.contains(&true) {
        return Ok(());
    }
    let lost = |slot: &SlotReport| matches!(slot.content, Slot::Module(_));
    if slots.iter().any(lost) || (slots.is_empty() && modems.is_empty()) {
        return Err(Failure::gone("every line", station.name()));
    }
    if modems.is_empty() && slots.iter().all(|slot| slot.content == Slot::Empty) {
        return Ok(());
    }
    let name = station.name();
    Err(Failure::failed(format_args!("no line of {name} works: the table says of each what to do")))
}

/// Prints the rows of modems, which are in no slot, and returns for each whether it answers.
fn modems(station: &Station, out: Output<'_>, signals: &Signals) -> Result<Vec<bool>, Failure> {
    let mut all = Vec::new();
    for info in station.host.lines().iter().filter(|info| info.kind == Some(LineKind::Modem)) {
        let line = station.line(info.device_id)?;
        let answers = station.await_answer(&line, signals)?;
        all.push(answers);
        let reason = (!answers).then(|| SILENT.to_owned());
        let (colour, state) = match &reason {
            None => (Colour::Good, "answers".to_owned()),
            Some(reason) => (Colour::Bad, format!("failed: {reason}")),
        };
        let number = info.device_id.to_string();
        out.text(columns(&number, "-", "modem", "-", out.paint(colour, state)))?;
        out.object(&SlotObject {
            event: "slot",
            card: station.name(),
            slot: info.slot.unwrap_or_default().0,
            line: Some(info.device_id),
            kind: info.kind.map(kind_name),
            state: if answers { "working" } else { "failed" },
            reason,
            ..SlotObject::default()
        })?;
    }
    Ok(all)
}

/// The reason that is given for a modem that does not answer.
const SILENT: &str = "it does not answer to AT: is it a modem, and is it switched on?";

/// A row of the table.
fn columns(line: &str, slot: &str, kind: &str, hook: &str, state: impl Display) -> String {
    format!("{line:<4}  {slot:<4}  {kind:<5}  {hook:<8}  {state}")
}

fn object<'a>(card: &'a str, slot: &SlotReport) -> SlotObject<'a> {
    let status = slot.status.as_ref();
    SlotObject {
        event: "slot",
        card,
        slot: slot.slot.0,
        line: slot.line,
        kind: slot.content.kind().map(|module| kind_name(line_kind(module))),
        state: match slot.content {
            Slot::Module(_) => "working",
            Slot::Empty => "empty",
            Slot::Failed(_) => "failed",
        },
        reason: match &slot.content {
            Slot::Failed(error) => Some(error.to_string()),
            Slot::Module(_) | Slot::Empty => None,
        },
        hook: status.map(|one| hook(one.hook)),
        ringing: status.map(|one| one.ringing),
        battery: status.and_then(|one| match one.kind {
            ModuleKind::Fxo => one.battery,
            ModuleKind::Fxs => one.feed.map(|feed| feed != LineFeed::Open),
        }),
        volts: status.and_then(|one| one.voltage),
        polarity: status.and_then(|one| one.polarity).map(|polarity| match polarity {
            Polarity::Forward => "forward",
            Polarity::Reverse => "reverse",
        }),
        call: slot.call.map(|state| state.name()),
    }
}

fn hook(hook: Hook) -> &'static str {
    match hook {
        Hook::On => "on",
        Hook::Off => "off",
    }
}

/// A slot as a row of the table.
fn row(out: Output<'_>, slot: &SlotReport) -> String {
    let line = slot.line.map_or_else(|| "-".to_owned(), |line| line.to_string());
    let kind = slot.content.kind().map_or("-", |module| kind_name(line_kind(module)));
    let hook = slot.status.as_ref().map_or("-", |one| match one.hook {
        Hook::On => "on-hook",
        Hook::Off => "off-hook",
    });
    let (colour, state) = state(slot);
    columns(&line, &slot.slot.to_string(), kind, hook, out.paint(colour, state))
}

/// Describes the state of a slot.
fn state(slot: &SlotReport) -> (Colour, String) {
    let status = match (&slot.content, &slot.status) {
        (Slot::Failed(error), _) => return (Colour::Bad, format!("failed: {error}")),
        (Slot::Empty, _) => return (Colour::Dim, "empty".to_owned()),
        (Slot::Module(_), None) => return (Colour::Bad, "failed while it was in use".to_owned()),
        (Slot::Module(_), Some(status)) => status,
    };
    let mut words = Vec::new();
    let mut colour = Colour::Good;
    match status.kind {
        ModuleKind::Fxs if status.feed == Some(LineFeed::Open) => {
            colour = Colour::Bad;
            words.push("not fed".to_owned());
        }
        ModuleKind::Fxs => words.push("telephone line, fed".to_owned()),
        ModuleKind::Fxo => match (status.battery, status.voltage) {
            (Some(true), Some(volts)) => words.push(format!("exchange line, battery {volts} V")),
            (Some(true), None) => words.push("exchange line, battery".to_owned()),
            (Some(false), _) => {
                colour = Colour::Bad;
                words.push(
                    "no battery: not plugged into an exchange, or the exchange is off".to_owned(),
                );
            }
            (None, _) => words.push("exchange line, not measured yet".to_owned()),
        },
    }
    if status.ringing {
        words.push("ringing".to_owned());
    }
    if status.restoring {
        colour = Colour::Bad;
        words.push("being set up again after a fault".to_owned());
    }
    if let Some(call) = slot.call {
        words.push(format!("call {call}"));
    }
    (colour, words.join(", "))
}

#[cfg(test)]
mod tests {
    use ringback_driver::card::{ModuleError, PortStatus};

    use super::*;

    fn report(content: Slot, status: Option<PortStatus>) -> SlotReport {
        SlotReport { slot: PortNumber(1), line: status.map(|_| 0), content, status, call: None }
    }

    fn fxo(battery: Option<bool>) -> PortStatus {
        PortStatus {
            kind: ModuleKind::Fxo,
            hook: Hook::On,
            ringing: false,
            feed: None,
            battery,
            polarity: Some(Polarity::Forward),
            voltage: Some(48),
            current: None,
            restoring: false,
        }
    }

    #[test]
    fn a_failed_module_is_shown_with_the_reason() {
        let slot = report(Slot::Failed(ModuleError::NoPower { volts: 0 }), None);
        let row = row(Output::new(false, &Signals::default()), &slot);
        assert!(row.contains("failed: ") && row.contains("power cable"), "{row}");
        let object = serde_json::to_value(object("soft", &slot)).unwrap();
        assert_eq!(object["state"], "failed");
        assert!(object["reason"].as_str().unwrap().contains("power cable"));
        assert!(object["line"].is_null());
    }

    #[test]
    fn a_line_without_battery_is_reported() {
        let module = Slot::Module(ModuleKind::Fxo);
        let row = |battery| {
            row(Output::new(false, &Signals::default()), &report(module, Some(fxo(battery))))
        };
        assert!(row(Some(true)).contains("battery 48 V"));
        assert!(row(Some(false)).contains("no battery: "));
        assert!(row(None).contains("not measured"));
    }

    #[test]
    fn an_object_has_every_field() {
        let slot = report(Slot::Module(ModuleKind::Fxo), Some(fxo(Some(true))));
        let object = serde_json::to_value(object("soft", &slot)).unwrap();
        assert_eq!(
            object,
            serde_json::json!({"event": "slot", "card": "soft", "slot": 1, "line": 0, "kind": "FXO",
                "state": "working", "hook": "on", "ringing": false, "battery": true, "volts": 48,
                "polarity": "forward", "call": null})
        );
    }
}
