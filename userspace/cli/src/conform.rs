//! `ringback conform`: does a provider keep the contract of TSPI?
//!
//! Each scenario runs in a process of its own, which is this program again with a hidden command.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use ringback_conform::harness::{self, RunError};
use ringback_conform::log::Log;
use ringback_conform::report::Report;
use ringback_conform::rules;
use ringback_conform::scenario::{self, Scenario};

use crate::exit::{Exit, Failure};
use crate::files::not_written;
use crate::output::Output;
use crate::signals::Signals;

/// Check whether a TSPI provider keeps the contract, rule by rule
///
/// The provider is a shared library in any language. It is called as TAPI calls it, in a process of
/// its own for each scenario: a crash, a hang and an exit are findings.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ringback conform ./provider.so                        every rule
  ringback conform ./provider.so --rule N4              one rule, by its key
  ringback conform ./provider.so --log provider.log     keep what was seen
  ringback conform --replay provider.log                judge it again, without the provider
  ringback conform ./provider.so --dial 0123 --seed 7   another number, other random steps
  RINGBACK_CARD=soft ringback conform libringback_tsp.so
  RINGBACK_CARD=shim:/dev/uio0 ringback conform libringback_tsp.so --jobs 1

What it prints for each rule:
  kept             the rule could have been broken this many times, and was not
  BROKEN           what was done, what was seen, and where in which log
  not exercised    the rule could not be broken, which does not mean that it is kept: the provider
                   does not have the functions, or no call came in (--far), or nothing could be
                   dialled (--dial)
  not observable   why nothing that a provider does can show it

A log is a file with a line of JSON for each call of a function, each return, each upcall and its
return. A finding names the entries that show it.
A provider is not judged by what it can't do: a function that it does not export is not called,
unless the provider offers it (F1). Nor is it judged by what TAPI never does: `--scenario
unserialised` calls a provider on several threads although it asked for LINETSPIOPTION_NONREENTRANT,
and what that finds is what the provider relies on TAPI for.

Exit codes:
  0    no rule was broken
  1    a rule was broken, or the provider can't be loaded (the message says which)
  2    the command line is wrong: no such rule or scenario
  130  interrupted by Ctrl-C (128 + N any other signal N that can be caught)
  141  the output is a pipe that its reader has closed")]
pub(crate) struct Conform {
    /// The provider: a shared library that exports TSPI_providerInit
    #[arg(required_unless_present = "replay")]
    provider: Option<PathBuf>,
    /// Report only this rule
    #[arg(long, value_name = "KEY")]
    rule: Option<String>,
    /// Run only this scenario; without this, all in which TAPI itself keeps the rules
    #[arg(long, value_name = "NAME", value_parser = scenarios())]
    scenario: Option<&'static Scenario>,
    /// The seed of the random steps
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Run the random scenarios with N seeds, from --seed on
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    seeds: u32,
    /// A number that can be dialled and is answered
    #[arg(long, value_name = "NUMBER", default_value = "5550100")]
    dial: String,
    /// A shell command that makes the far end act: RINGBACK_FAR is `ring` when a call has to come
    /// in, and `remove` when a device has to disappear
    #[arg(long, value_name = "COMMAND")]
    far: Option<String>,
    /// How long to wait for what the provider has to report: a completion, the state IDLE after a
    /// drop
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=60)
    )]
    patience: u32,
    /// How many scenarios run at a time, each in a process of its own; 1 if only one process can
    /// use the device
    #[arg(
        long,
        value_name = "N",
        default_value_t = 6,
        value_parser = clap::value_parser!(u32).range(1..=64)
    )]
    jobs: u32,
    /// Write the logs into this file, which must not exist
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Judge the logs of this file, without a provider
    #[arg(long, value_name = "FILE", conflicts_with = "provider")]
    replay: Option<PathBuf>,
    /// Print one JSON object: every rule with its verdict and all findings
    #[arg(long)]
    json: bool,
}

/// One scenario, in this process
#[derive(Debug, Args)]
pub(crate) struct Play {
    provider: PathBuf,
    #[arg(long, value_parser = scenarios())]
    scenario: &'static Scenario,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    dial: String,
    #[arg(long)]
    patience: u32,
    #[arg(long)]
    far: Option<String>,
}

impl Play {
    /// Plays it and ends the process.
    pub(crate) fn run(self) -> Result<(), Failure> {
        let options = scenario::Options {
            dial: self.dial,
            patience: Duration::from_secs(u64::from(self.patience)),
        };
        let plan = scenario::Plan { scenario: self.scenario, seed: self.seed, options };
        harness::run(&self.provider, plan, self.far)
    }
}

fn scenarios() -> impl TypedValueParser<Value = &'static Scenario> {
    let all = scenario::ALL.iter().map(|one| PossibleValue::new(one.name).help(one.says));
    PossibleValuesParser::new(all).try_map(|name| scenario::find(&name).ok_or("no scenario"))
}

impl Conform {
    pub(crate) fn run(self, signals: &Signals) -> Result<(), Failure> {
        if let Some(key) = self.rule.as_deref().filter(|key| rules::find(key).is_none()) {
            let text = format!(
                "there is no rule {key:?}; the rules are T1 to T9, K1 to K7, R1 to R7, C1 to C14, \
                 G1 to G11, B1 to B7, N1 to N17, O1 to O5, D1 to D18, F1, F2, V1 and X1"
            );
            return Err(Failure::new(Exit::Usage, text));
        }
        let logs = match (&self.replay, &self.provider) {
            (Some(replay), _) => {
                let replay = replay.clone();
                signals.interruptible("open", move || read(&replay))??
            }
            (None, Some(provider)) => self.play(provider, signals)?,
            (None, None) => Vec::new(),
        };
        let mut report = Report::of(&logs);
        if let Some(key) = &self.rule {
            report = report.only(key);
        }
        let out = Output::new(self.json, signals);
        out.object(&report)?;
        out.text(report.to_string().trim_end())?;
        let broken: Vec<_> = report.broken().collect();
        if broken.is_empty() {
            return Ok(());
        }
        let text = format!("{} does not keep {}", report.provider, broken.join(", "));
        Err(Failure::failed(text))
    }

    /// Plays the scenarios; their logs.
    fn play(&self, provider: &Path, signals: &Signals) -> Result<Vec<Log>, Failure> {
        // A name without a slash would be looked for elsewhere.
        let provider = provider
            .canonicalize()
            .map_err(|error| Failure::failed(format_args!("{}: {error}", provider.display())))?;
        let chosen = match self.scenario {
            Some(one) => vec![one],
            None => scenario::ALL.iter().filter(|one| one.is_fair()).collect(),
        };
        let mut file = self.log.as_deref().map(created).transpose()?;
        let program = std::env::current_exe().map_err(|error| {
            Failure::failed(format_args!("this program can't be found: {error}"))
        })?;
        let mut commands = Vec::new();
        for one in chosen {
            let times = if one.is_random() { u64::from(self.seeds) } else { 1 };
            for seed in self.seed..self.seed.saturating_add(times) {
                commands.push(self.command(&program, &provider, one.name, seed));
            }
        }
        let jobs = usize::try_from(self.jobs).unwrap_or(1);
        let limit = harness::limit(Duration::from_secs(self.patience.into()));
        let logs = harness::run_all(commands, jobs, limit, || signals.caught().is_some());
        let logs = logs.map_err(|error| match error {
            RunError::Stopped => Failure::silent(signals.caught().unwrap_or(Exit::INTERRUPTED)),
            error => Failure::failed(error),
        })?;
        if let Some((file, path)) = &mut file {
            let mut out = BufWriter::new(file);
            let written = logs.iter().try_for_each(|log| log.write(&mut out));
            written.and_then(|()| out.flush()).map_err(|error| not_written(path, &error))?;
        }
        Ok(logs)
    }

    fn command(&self, program: &Path, provider: &Path, scenario: &str, seed: u64) -> Command {
        let mut command = Command::new(program);
        command.arg("conform-play").arg(provider);
        command.args(["--scenario", scenario, "--dial", &self.dial]);
        command.args(["--seed", &seed.to_string(), "--patience", &self.patience.to_string()]);
        if let Some(far) = &self.far {
            command.args(["--far", far]);
        }
        command
    }
}

fn created(path: &Path) -> Result<(File, PathBuf), Failure> {
    let file = File::create_new(path).map_err(|error| not_written(path, &error))?;
    Ok((file, path.to_owned()))
}

fn read(path: &Path) -> Result<Vec<Log>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::failed(format_args!("{}: {error}", path.display()))
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    Log::read_all(BufReader::new(file)).map_err(|error| failed(&error))
}
