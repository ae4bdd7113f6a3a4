//! Opens the card that `--card` selects and starts a host with its lines.
//!
//! Rule: whatever way a command ends, dropping the [`Station`] hangs up and makes the card safe,
//! and only then stops the software card's clock. A second Ctrl-C does the same on the thread that
//! reads the signals.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ringback_country::Country;
use ringback_driver::PortNumber;
use ringback_driver::card::{Hook, LineTuning, ModuleKind, RegisterDump};
use ringback_driver::card::{KINDS, tiger320};
use ringback_driver::device::discover::discover;
use ringback_driver::device::ring::{Places, Ring};
use ringback_driver::device::selector::Selector;
use ringback_driver::device::sysfs::SysfsRoot;
use ringback_driver::device::trace::RegisterTrace;
use ringback_driver::reactor::{Granted, Realtime};
use ringback_host::{Host, HostOptions, Line, LineInfo};
use ringback_lines::modem::ModemOptions;
use ringback_provider::{CardOptions, SlotReport, Slots, open_card};
use ringback_softcard::{Fault, RealClock, SoftCard};
use ringback_tspi::dev_specific::LineKind;
use ringback_tspi::error::LineError;
use ringback_tspi::provider::Provider;

use crate::country_file::parse_country;
use crate::exit::{Exit, Failure};
use crate::files::Target;
use crate::output::{note, progress};
use crate::scenery;
use crate::signals::{Signals, no_thread, spawn};
use crate::timeline::Recorder;
use crate::trace_file::TraceFile;

/// Bringing the card up longer than this prints a progress message.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time within which a running card has measured the battery of its FXO lines.
const MEASURED: Duration = Duration::from_secs(2);
/// Time within which a modem answers, including hanging up one that was left on-line.
const PREPARED: Duration = Duration::from_secs(12);
/// The longest time that a processor may take to leave an idle state, in microseconds.
const IDLE_LATENCY_US: u16 = 10;
/// Number of entries of the ring that is only created to test whether io_uring is available.
const RING: usize = 4;
/// Interval at which conditions without an event are polled.
const LOOK: Duration = Duration::from_millis(10);

/// Which card.
#[derive(Debug, Clone, Args)]
pub(crate) struct CardArguments {
    /// The card: soft (in software), shim:/dev/uio0 (the ringback module moves the samples),
    /// uio:/dev/uio0 (this program does), pci:0000:05:00.0 (under vfio-pci) or mdev:UUID;
    /// `ringback device` lists them
    /// [default: soft]
    #[arg(long, value_name = "CARD")]
    card: Option<Selector>,
    /// The country of the lines, which decides their electrical settings, tones and ringing:
    /// DAHDI's name, the English name or the ISO code, such as FCC (North America), UK, Germany, de
    /// (a wrong name lists them all), or LINE/TONES, such as TBR21/Turkey. The exchange of the
    /// software card is in that country, too. FILE.toml is a country of your own
    #[arg(long, value_name = "COUNTRY", value_parser = parse_country, default_value_t)]
    country: Country,
    /// The command line that sets a modem up before each call, for example with X3 for one that
    /// dials without waiting for dial tone
    #[arg(long, value_name = "COMMANDS", default_value_t)]
    modem_init: ModemOptions,
    /// A fault of the software card, from the start or SECONDS after it, such as no-power:0,
    /// line-unplugged:2, removal@5 (a wrong name lists them all)
    #[arg(long, value_name = "NAME[@SECONDS]", value_parser = parse_fault)]
    fault: Vec<(Fault, Duration)>,
    /// Record every access to the card's registers, with its time, into this file, which must not
    /// exist: for somebody who looks for a fault from afar. It takes up to 60 kB for a second
    #[arg(long, value_name = "FILE")]
    trace_registers: Option<PathBuf>,
    /// Let --trace-registers, and --record, --record-both and --receive where there are, overwrite
    /// existing files
    #[arg(long)]
    overwrite: bool,
}

fn parse_fault(text: &str) -> Result<(Fault, Duration), String> {
    let (name, after) = match text.split_once('@') {
        Some((name, seconds)) => (name, parse_seconds(seconds)?),
        None => (text, Duration::ZERO),
    };
    Ok((name.parse().map_err(|error: ringback_softcard::UnknownFault| error.to_string())?, after))
}

/// Reads a time in seconds, such as `2` or `0.5`; at most a year.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    const YEAR: f64 = 366.0 * 86_400.0;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=YEAR).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("{text:?} is not a time: write seconds, such as 5 or 0.5")),
    }
}

/// A card with its lines, running.
pub(crate) struct Station {
    pub(crate) host: Arc<Host>,
    provider: Arc<dyn Slots>,
    /// Set if the card is the software card.
    pub(crate) soft: Option<SoftCard>,
    pub(crate) country: Country,
    name: String,
    _clock: Option<RealClock>,
    /// Holds the limit of idle latency, if the card is real and the limit was granted.
    _latency: Option<Granted>,
    /// Writes the trace of the registers until everything else is over.
    _trace: Option<TraceFile>,
}

impl CardArguments {
    /// The country of the lines.
    pub(crate) fn country(&self) -> Country {
        self.country
    }

    /// Whether existing files may be overwritten.
    pub(crate) fn overwrite(&self) -> bool {
        self.overwrite
    }

    /// Opens the selected card. If it is the software card, `furnish` sets up telephones and
    /// exchange before the card is brought up.
    pub(crate) fn open(
        &self,
        signals: &Signals,
        recorder: &Recorder,
        furnish: impl FnOnce(&SoftCard),
    ) -> Result<Station, Failure> {
        let selector = self.card.clone().unwrap_or_else(|| {
            note(no_card());
            Selector::Soft
        });
        let trace = self.trace_registers.as_deref();
        let trace = trace.map(|path| {
            TraceFile::start(Target::look(path, self.overwrite, &[], signals)?, &selector)
        });
        let (file, trace) = trace.transpose()?.unzip();
        let mut station = self.open_traced(selector, trace, signals, recorder, furnish)?;
        station._trace = file;
        Ok(station)
    }

    fn open_traced(
        &self,
        selector: Selector,
        trace: Option<Arc<RegisterTrace>>,
        signals: &Signals,
        recorder: &Recorder,
        furnish: impl FnOnce(&SoftCard),
    ) -> Result<Station, Failure> {
        if selector != Selector::Soft {
            if !self.fault.is_empty() {
                let text = "--fault breaks the software card only: use it with --card soft";
                return Err(Failure::new(Exit::Usage, text));
            }
            let setup = CardOptions {
                country: self.country,
                modem: self.modem_init.clone(),
                trace,
                ..CardOptions::default()
            };
            let station = Station::open(&selector, setup, signals, recorder)?;
            let is_modem = |info: &LineInfo| info.kind == Some(LineKind::Modem);
            if self.modem_init != ModemOptions::default()
                && !station.host.lines().iter().any(is_modem)
            {
                return Err(not_for_modems(&selector));
            }
            return Ok(station);
        }
        if self.modem_init != ModemOptions::default() {
            return Err(not_for_modems(&selector));
        }
        let card = scenery::card(self.country);
        furnish(&card);
        for (fault, after) in &self.fault {
            break_card(card.clone(), *fault, *after)?;
        }
        let setup = CardOptions {
            country: self.country,
            soft: Some(card),
            trace,
            ..CardOptions::default()
        };
        Station::open(&selector, setup, signals, recorder)
    }
}

/// `--modem-init` was given for a card without a modem.
fn not_for_modems(selector: &Selector) -> Failure {
    let text = format_args!("--modem-init sets up a modem, and {selector} is none: leave it out");
    Failure::new(Exit::Usage, text)
}

/// Returns the message for a run without `--card`: the software card is used, and which hardware
/// cards there are.
fn no_card() -> String {
    let mut text = "no --card: using the software card".to_owned();
    let found = discover(&SysfsRoot::system(), KINDS);
    for card in found.iter().filter(|card| card.kind == tiger320::KIND) {
        let _ = write!(text, "; there is {card}");
    }
    text
}

/// Starts a thread that switches the fault on after the given time.
fn break_card(card: SoftCard, fault: Fault, after: Duration) -> Result<(), Failure> {
    if after.is_zero() {
        card.set_fault(fault, true);
        return Ok(());
    }
    // The thread is not joined: a program that ends sooner does not need the fault any more.
    spawn("fault", move || {
        thread::sleep(after);
        card.set_fault(fault, true);
    })
}

impl Station {
    /// Brings a card up and starts its lines.
    pub(crate) fn open(
        selector: &Selector,
        setup: CardOptions,
        signals: &Signals,
        recorder: &Recorder,
    ) -> Result<Station, Failure> {
        // A ring that can't be created is reported here with its cause. The driver, which would
        // create one later, could only report that it did not start.
        Ring::new(RING, Places { files: 2, ports: 0 }).map_err(Failure::failed)?;
        let (soft, country) = (setup.soft.clone(), setup.country);
        // Interrupts of a real card that come late from deep idle states distort its sound.
        let realtime = Realtime { idle_latency_us: Some(IDLE_LATENCY_US), ..Realtime::default() };
        let latency = soft.is_none().then(|| realtime.apply());
        let clock = soft.as_ref().map(RealClock::start_patient).transpose().map_err(no_thread)?;
        let name = selector.to_string();
        let mut told = false;
        let coming_up = name.clone();
        let asked = signals.clone();
        let coming = move |since: Duration| {
            if since > PATIENCE && !told {
                told = true;
                progress(format_args!("bringing up {coming_up}, which takes a few seconds"));
            }
            asked.caught().is_none()
        };
        let opened = open_card(selector, CardOptions { progress: Some(Box::new(coming)), ..setup });
        // If a signal interrupted the wait, report the signal and not the missing completion.
        signals.check()?;
        let provider: Arc<dyn Slots> = Arc::from(opened.map_err(|error| {
            let exit = if error.is_gone() { Exit::Gone } else { Exit::Failed };
            Failure::new(exit, format_args!("{name}: {error}"))
        })?);
        let recorder = recorder.clone();
        let options = HostOptions { trace: Some(Arc::new(move |traced| recorder.trace(traced))) };
        let tspi: Arc<dyn Provider> = Arc::clone(&provider) as _;
        let host = Host::start(tspi, options)
            .map_err(|error| Failure::line(format_args!("{name} can't be started"), error))?;
        let host = Arc::new(host);
        // A weak reference, so that the signal thread does not keep the card open.
        let held = Arc::downgrade(&host);
        signals.on_second(move || {
            if let Some(host) = held.upgrade() {
                shut_down(&host);
            }
        });
        let station = Station {
            host,
            provider,
            soft,
            country,
            name,
            _clock: clock,
            _latency: latency,
            _trace: None,
        };
        station.await_measured(signals)?;
        Ok(station)
    }

    /// The short name of the card.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The provider of the card's lines.
    pub(crate) fn provider(&self) -> &dyn Provider {
        self.provider.as_ref()
    }

    /// Returns the state of each slot of the card.
    pub(crate) fn slots(&self) -> Vec<SlotReport> {
        self.provider.slots()
    }

    /// Fits an exchange line to what it is plugged into; returns whether there is such a line.
    pub(crate) fn tune_line(&self, slot: PortNumber, tuning: LineTuning) -> bool {
        self.provider.tune_line(slot, tuning)
    }

    /// Begins to read all registers of the card; returns whether it can.
    pub(crate) fn begin_register_dump(&self) -> bool {
        self.provider.begin_register_dump()
    }

    /// Returns what the registers read, once all are read.
    pub(crate) fn register_dump(&self) -> Option<RegisterDump> {
        self.provider.register_dump()
    }

    /// Opens a line by its number.
    pub(crate) fn line(&self, number: u32) -> Result<Line, Failure> {
        let known = self.host.lines().iter().find(|line| line.device_id == number);
        self.host.open(number).map_err(|error| match (error, known) {
            (LineError::NODEVICE, Some(line)) => {
                Failure::gone(format_args!("line {}", describe(line)), &self.name)
            }
            (LineError::NODEVICE, None) => Failure::new(
                Exit::Usage,
                format_args!("{} has no line {number}; there are {}", self.name, self.names()),
            ),
            (error, _) => Failure::line(format_args!("line {number} can't be opened"), error),
        })
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.host.lines().iter().map(describe).collect();
        names.join(", ")
    }

    /// Waits until the battery of each FXO line has been measured, for at most [`MEASURED`].
    fn await_measured(&self, signals: &Signals) -> Result<(), Failure> {
        let until = Instant::now() + MEASURED;
        let measured = |slot: &SlotReport| {
            let status = slot.status.as_ref();
            status.is_none_or(|one| one.kind == ModuleKind::Fxs || one.battery.is_some())
        };
        while !self.slots().iter().all(measured) && Instant::now() < until {
            signals.check()?;
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Waits until the modem of an open line answers, for at most [`PREPARED`]. Returns whether it
    /// does.
    pub(crate) fn await_answer(&self, line: &Line, signals: &Signals) -> Result<bool, Failure> {
        let until = Instant::now() + PREPARED;
        loop {
            signals.check()?;
            let status = line.status().map_err(|error| {
                Failure::line(format_args!("line {} is lost", describe(line.info())), error)
            })?;
            if status.in_service || Instant::now() >= until {
                return Ok(status.in_service);
            }
            thread::sleep(LOOK);
        }
    }

    /// Returns the hook state in which the line was left. On FXO it is our own, and this waits
    /// until it is on-hook, for as long as `waits` says; on FXS it is the telephone's. `None` if
    /// the card can't report it any more.
    pub(crate) fn await_hook(&self, line: u32, waits: impl Fn() -> bool) -> Option<Hook> {
        loop {
            let status = self.slots().into_iter().find(|slot| slot.line == Some(line))?.status?;
            let open = status.kind == ModuleKind::Fxs || status.hook == Hook::On;
            if open || !waits() {
                return Some(status.hook);
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        shut_down(&self.host);
    }
}

/// Hangs up and makes the card safe. Returns when that is done, also if another thread does it.
fn shut_down(host: &Host) {
    if let Err(error) = host.shutdown() {
        note(format_args!("the card was not shut down in order: {error}"));
    }
}

/// Describes a line for the user: `2 (FXO in slot 2)`, `0 (modem)`.
pub(crate) fn describe(info: &LineInfo) -> String {
    let mut text = info.device_id.to_string();
    // Writing to a String does not fail.
    let _ = match (info.kind, info.slot) {
        (Some(LineKind::Modem), _) => write!(text, " (modem)"),
        (Some(kind), Some(slot)) => write!(text, " ({kind} in slot {slot})"),
        _ => Ok(()),
    };
    text
}

/// Names the kind of a line: FXS connects to a telephone, FXO to an exchange.
pub(crate) fn kind_name(kind: impl Into<LineKind>) -> &'static str {
    match kind.into() {
        LineKind::Fxs => "FXS",
        LineKind::Fxo => "FXO",
        LineKind::Modem => "modem",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        assert_eq!(parse_seconds("2"), Ok(Duration::from_secs(2)));
        assert_eq!(parse_seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_seconds("0"), Ok(Duration::ZERO));
        for text in ["", "-1", "soon", "nan", "inf", "1e30", "5s"] {
            assert!(parse_seconds(text).unwrap_err().contains("write seconds"), "{text}");
        }
    }

    #[test]
    fn faults_come_at_once_or_later() {
        assert_eq!(parse_fault("removal"), Ok((Fault::Removal, Duration::ZERO)));
        let later = Ok((Fault::LineUnplugged(PortNumber(2)), Duration::from_millis(1500)));
        assert_eq!(parse_fault("line-unplugged:2@1.5"), later);
        assert!(parse_fault("smoke").unwrap_err().contains("no-power:SLOT"));
        assert!(parse_fault("removal@x").unwrap_err().contains("write seconds"));
    }
}
